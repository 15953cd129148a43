//! Judges of logins with a wallet: who may hear of the authorization code, and after what.

use std::sync::Arc;

use super::{Findings, check};
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::authorization::{AuthorizationResponse, Mode};

/// What a browser heard that listened to the events of a login.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The stream, or the answer at which the browser arrived when an event sent it on.
    pub exchange: Arc<Exchange>,
    /// The authorization response, where the browser was sent to the client with one.
    pub response: Option<AuthorizationResponse>,
}

impl Heard {
    fn has_code(&self) -> bool {
        self.response.as_ref().is_some_and(|response| response.code().is_some())
    }
}

/// No browser hears of a code, and neither does the wallet, after `what`. How the server refuses is
/// its own affair, but for an internal error.
pub fn no_code(heard: &[Heard], answer: &Exchange, redirect_uri: &str, weight: Weight) -> Findings {
    let expected = "a refusal, and no code";
    if let Some(heard) = heard.iter().find(|heard| heard.has_code()) {
        let actual = format!("an event that leads to a code, after {}", answer.gist());
        return vec![Deviation::new(expected, actual).weighing(weight).seen_in(&heard.exchange)];
    }
    if hands_out_code(answer, redirect_uri) {
        let actual = format!("a code in the answer to the presentation: {}", answer.gist());
        return vec![Deviation::new(expected, actual).weighing(weight).seen_in(answer)];
    }
    let status = answer.response().map_or(0, |r| r.status);
    check(status < 500, || {
        Deviation::new(expected, answer.gist()).weighing(Weight::Warning).seen_in(answer)
    })
}

/// None of these browsers, which did not begin the login, hears of its code.
pub fn no_code_elsewhere(heard: &[Heard]) -> Findings {
    let heard = heard.iter().find(|heard| heard.has_code());
    heard
        .into_iter()
        .map(|heard| {
            let expected = "the code for the browser that began the login alone";
            let actual = "an event that leads to the code, in a browser without its cookies";
            Deviation::new(expected, actual).seen_in(&heard.exchange)
        })
        .collect()
}

/// The code goes to one subscriber.
pub fn one_subscriber(heard: &[Heard]) -> Findings {
    let mut told = heard.iter().filter(|heard| heard.has_code());
    let second = told.nth(1);
    second
        .into_iter()
        .map(|heard| {
            let (expected, actual) =
                ("the code for one subscriber", "the code for a second one, too");
            Deviation::new(expected, actual).seen_in(&heard.exchange)
        })
        .collect()
}

/// The wallet, which may be another device's, learns nothing of the authorization response.
pub fn nothing_for_the_wallet(answer: &Exchange, redirect_uri: &str) -> Findings {
    check(!hands_out_code(answer, redirect_uri), || {
        let (expected, actual) =
            ("an answer without the authorization response", "one with its code");
        Deviation::new(expected, actual).seen_in(answer)
    })
}

/// An address of the client's with a code, in a member of the JSON body or as its whole.
fn hands_out_code(answer: &Exchange, redirect_uri: &str) -> bool {
    let Some(response) = answer.response() else { return false };
    let members = response.json_object().unwrap_or_default();
    let texts = members.values().filter_map(|value| value.as_str().map(str::to_owned));
    texts.chain([response.text()]).any(|text| {
        let carried = AuthorizationResponse::from_url(text.trim(), Mode::Json);
        carried.code().is_some() && carried.went_to(redirect_uri)
    })
}

/// Each request has a nonce of its own.
pub fn fresh_nonces(nonces: &[&str]) -> Findings {
    let is_repeated = |(at, nonce): (usize, &&str)| nonces[..at].contains(nonce);
    check(!nonces.iter().enumerate().any(is_repeated), || {
        Deviation::new("another nonce for each request", "the same nonce in two requests")
    })
}

/// The request object is signed by the verifier that `client_id` names.
pub fn signed(flaws: &[String], exchange: &Exchange) -> Findings {
    check(flaws.is_empty(), || {
        let expected = "a request object that client_id has signed, of typ oauth-authz-req+jwt";
        Deviation::new(expected, flaws.join("; ")).seen_in(exchange)
    })
}

/// A request object that was fetched is not there any more.
pub fn served_once(second: &Exchange) -> Findings {
    check(second.response().is_none_or(|r| r.status >= 400), || {
        Deviation::new("a request object that is served once", second.gist()).seen_in(second)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::{answered, json};

    const URI: &str = "https://app.test/cb";

    fn heard(url: Option<&str>) -> Heard {
        let response = url.map(|url| AuthorizationResponse::from_url(url, Mode::Redirect));
        Heard { exchange: Arc::new(answered(200, &[], "")), response }
    }

    fn told() -> Heard {
        heard(Some("https://app.test/cb?code=c&state=s"))
    }

    #[test]
    fn every_way_of_refusing_conforms() {
        let error = heard(Some("https://app.test/cb?error=access_denied"));
        for (heard, answer) in [
            (heard(None), answered(400, &[], "")),
            (heard(None), answered(200, &[], "")),
            (error, answered(200, &[], "{}")),
        ] {
            assert!(no_code(&[heard], &answer, URI, Weight::Failure).is_empty());
        }
        let ill = no_code(&[heard(None)], &answered(500, &[], ""), URI, Weight::Failure);
        assert_eq!(ill[0].weight, Weight::Warning);
    }

    #[test]
    fn a_code_anywhere_is_none() {
        let answer = answered(400, &[], "");
        assert_eq!(no_code(&[told()], &answer, URI, Weight::Failure).len(), 1);
        let handed = json(200, r#"{"redirect_uri":"https://app.test/cb?code=c"}"#);
        assert_eq!(
            no_code(&[heard(None)], &handed, URI, Weight::Warning)[0].weight,
            Weight::Warning
        );
        assert_eq!(nothing_for_the_wallet(&handed, URI).len(), 1);
        // OpenID4VP 1.0 §8.2: a response code for the verifier's own page is none of OAuth.
        let own = json(200, r#"{"redirect_uri":"https://as.test/done?response_code=c"}"#);
        assert!(nothing_for_the_wallet(&own, URI).is_empty());
    }

    #[test]
    fn one_listener_is_told_and_no_stranger() {
        assert!(one_subscriber(&[told(), heard(None)]).is_empty());
        assert_eq!(one_subscriber(&[told(), told()]).len(), 1);
        assert!(no_code_elsewhere(&[heard(None)]).is_empty());
        assert_eq!(no_code_elsewhere(&[told()]).len(), 1);
    }

    #[test]
    fn requests_are_fresh_signed_and_served_once() {
        assert!(fresh_nonces(&["a", "b"]).is_empty());
        assert_eq!(fresh_nonces(&["a", "b", "a"]).len(), 1);
        assert!(signed(&[], &answered(200, &[], "")).is_empty());
        assert!(signed(&["no typ".into()], &answered(200, &[], ""))[0].actual.contains("no typ"));
        assert!(served_once(&answered(404, &[], "")).is_empty());
        assert_eq!(served_once(&answered(200, &[], "")).len(), 1);
    }
}
