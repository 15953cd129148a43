//! Judges of what stands between request and response: who must act before a code exists.

use serde_json::Value;

use super::authorization::front_reject;
use super::{Findings, check};
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::authorization::Landing;
use crate::oauth::jose::Jws;

/// Seconds that clocks may differ.
const SKEW: i64 = 300;

/// The error codes by which a server says that the user would have to act.
pub const INTERACTION_ERRORS: [&str; 4] =
    ["login_required", "interaction_required", "consent_required", "account_selection_required"];

/// An error, on a page or at the client, and no page on which the user could go on.
pub fn error_without_way_on(landing: &Landing, redirect_uri: &str, is_asked: bool) -> Findings {
    let expected = "an error, and neither a code nor a page on which the user acts";
    let deviation = |weight| {
        Deviation::new(expected, landing.gist()).weighing(weight).seen_in(&landing.exchange)
    };
    match &landing.response {
        None if is_asked || landing.asks_to_sign_in => vec![deviation(Weight::Failure)],
        None => front_reject(landing, redirect_uri, &[]),
        Some(response) => {
            let is_error = response.error().is_some() && response.code().is_none();
            let is_at_home = response.went_to(redirect_uri) && response.tokens().is_empty();
            check(is_error && is_at_home, || deviation(Weight::Failure))
        }
    }
}

/// No code without the act that `was_done` tells about; an error or a page ends the request as well.
pub fn no_code_without(landing: &Landing, act: &str, was_done: bool, weight: Weight) -> Findings {
    let expected = format!("{act} before any code, or an error");
    let deviation = |weight| {
        Deviation::new(expected.clone(), landing.gist()).weighing(weight).seen_in(&landing.exchange)
    };
    match landing.code() {
        Some(_) => check(was_done, || deviation(weight)),
        None => {
            let status = landing.exchange.response().map_or(0, |r| r.status);
            check(!landing.endless && status < 500, || deviation(Weight::Warning))
        }
    }
}

/// The time of the authentication, in seconds since the epoch.
fn auth_time(id_token: Option<&str>) -> Option<i64> {
    Jws::read(id_token?).ok()?.seconds("auth_time")
}

/// The second ID Token dates the authentication later than the first. Where the user signed in
/// again, silence about the time is allowed; where nobody acted, only a later time excuses the code.
pub fn authenticated_later(before: Option<&str>, after: Option<&str>, signed_in: bool) -> Findings {
    let expected = "an authentication that is newer than the session was";
    match (auth_time(before), auth_time(after)) {
        (Some(old), Some(new)) => check(new > old, || {
            Deviation::new(expected, format!("auth_time {} seconds later than before", new - old))
        }),
        _ => check(signed_in, || {
            Deviation::new(expected, "a code without interaction, and no auth_time that excuses it")
        }),
    }
}

/// `auth_time` is a number and does not lie in the future.
pub fn has_auth_time(id_token: Option<&str>, now: i64) -> Findings {
    let deviation = |actual: String| {
        vec![Deviation::new("auth_time, a number that does not lie in the future", actual)]
    };
    let Some(token) = id_token else { return deviation("no ID Token".into()) };
    let jws = match Jws::read(token) {
        Ok(jws) => jws,
        Err(why) => return deviation(format!("an ID Token that cannot be read: {why}")),
    };
    match jws.claims.get("auth_time") {
        None => deviation("no auth_time".into()),
        Some(value) if !value.is_number() => {
            let kind = if value.is_string() { "a string" } else { "no number" };
            deviation(format!("auth_time is {kind}"))
        }
        Some(Value::Number(_)) if jws.seconds("auth_time").is_some_and(|at| at > now + SKEW) => {
            deviation(format!("auth_time more than {SKEW} seconds ahead"))
        }
        Some(_) => vec![],
    }
}

/// What a request in the name of the user brought about: no code. `weight` says how much it would
/// count.
pub fn no_code_issued(landing: &Landing, weight: Weight) -> Findings {
    check(landing.code().is_none(), || {
        Deviation::new("no code", landing.gist()).weighing(weight).seen_in(&landing.exchange)
    })
}

/// A consent page where a sign-in page belongs.
pub fn consent_without_sign_in(landing: &Landing) -> Findings {
    let actual = format!("a page that asks for approval: {}", landing.gist());
    vec![Deviation::new("a page on which the user signs in", actual).seen_in(&landing.exchange)]
}

/// After a change on the consent page the response goes to the redirect URI of the request and
/// holds nothing but what was asked for.
pub fn still_as_requested(landing: &Landing, redirect_uri: &str) -> Findings {
    let Some(response) = &landing.response else { return vec![] };
    check(response.went_to(redirect_uri) && response.tokens().is_empty(), || {
        let expected = format!("a response without tokens to {redirect_uri}, or an error page");
        let actual = match response.tokens().as_slice() {
            [] => landing.gist(),
            tokens => format!("{} sent to {}", tokens.join(", "), response.address),
        };
        Deviation::new(expected, actual).seen_in(&landing.exchange)
    })
}

/// No scope value beyond those that the user approved. An absent `scope` means those of the
/// request (RFC 6749 §5.1).
pub fn scope_within(granted: Option<&str>, requested: &str, approved: &str) -> Findings {
    let granted = granted.unwrap_or(requested);
    let beyond: Vec<&str> = granted
        .split_ascii_whitespace()
        .filter(|s| !approved.split(' ').any(|a| a == *s))
        .collect();
    check(beyond.is_empty(), || {
        let actual = format!("scope with {}", beyond.join(" "));
        Deviation::new(format!("no scope beyond {approved}"), actual)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::model::exchange::samples::answered;
    use crate::oauth::authorization::samples::sent_to;

    const URI: &str = "https://app.test/cb";

    fn page(status: u16) -> Landing {
        let exchange = Arc::new(answered(status, &[("Content-Type", "text/html")], "<h1>x</h1>"));
        Landing { exchange, response: None, asks_to_sign_in: false, endless: false, shown: None }
    }

    fn token(claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.c2ln", part(r#"{"alg":"ES256"}"#), part(claims))
    }

    fn weight(findings: &Findings) -> Option<Weight> {
        findings.iter().map(|d| d.weight).max()
    }

    #[test]
    fn a_contradiction_is_an_error_and_no_page_to_go_on() {
        let error = sent_to("https://app.test/cb?error=invalid_request");
        assert_eq!(weight(&error_without_way_on(&error, URI, false)), None);
        assert_eq!(weight(&error_without_way_on(&page(400), URI, false)), None);
        assert_eq!(weight(&error_without_way_on(&page(200), URI, false)), None);
        assert_eq!(weight(&error_without_way_on(&page(200), URI, true)), Some(Weight::Failure));
        assert_eq!(weight(&error_without_way_on(&page(500), URI, false)), Some(Weight::Warning));
        for bad in ["https://app.test/cb?code=c", "https://evil.test/?error=x"] {
            assert_eq!(
                weight(&error_without_way_on(&sent_to(bad), URI, false)),
                Some(Weight::Failure)
            );
        }
    }

    #[test]
    fn a_code_needs_the_act() {
        let code = sent_to("https://app.test/cb?code=c");
        let judge =
            |landing: &Landing, done| weight(&no_code_without(landing, "x", done, Weight::Failure));
        assert_eq!((judge(&code, true), judge(&code, false)), (None, Some(Weight::Failure)));
        assert_eq!(judge(&sent_to("https://app.test/cb?error=login_required"), false), None);
        assert_eq!(judge(&page(200), false), None);
        assert_eq!(judge(&page(502), false), Some(Weight::Warning));
    }

    #[test]
    fn a_later_authentication_is_dated_later() {
        let (old, new) = (token(r#"{"auth_time":10}"#), token(r#"{"auth_time":13}"#));
        let silent = token("{}");
        let judge = |a: &str, b: &str, done| authenticated_later(Some(a), Some(b), done).is_empty();
        assert!(judge(&old, &new, true) && judge(&old, &new, false));
        assert!(!judge(&old, &old, true) && !judge(&new, &old, true));
        assert!(judge(&old, &silent, true) && !judge(&old, &silent, false));
    }

    #[test]
    fn auth_time_is_a_number_of_the_past() {
        assert_eq!(has_auth_time(Some(&token(r#"{"auth_time":100}"#)), 100), vec![]);
        assert_eq!(has_auth_time(Some(&token(r#"{"auth_time":100.5}"#)), 100), vec![]);
        for bad in ["{}", r#"{"auth_time":"100"}"#, r#"{"auth_time":9999}"#] {
            assert!(!has_auth_time(Some(&token(bad)), 100).is_empty(), "{bad}");
        }
        assert!(!has_auth_time(None, 100).is_empty());
    }

    #[test]
    fn changes_on_the_consent_page_change_nothing() {
        for good in ["https://app.test/cb?code=c", "https://app.test/cb?error=access_denied"] {
            assert_eq!(still_as_requested(&sent_to(good), URI), vec![]);
        }
        assert_eq!(still_as_requested(&page(400), URI), vec![]);
        for bad in ["https://probe.invalid/cb?code=c", "https://app.test/cb#access_token=t"] {
            assert!(!still_as_requested(&sent_to(bad), URI).is_empty(), "{bad}");
        }
        assert_eq!(scope_within(Some("a"), "a b", "a"), vec![]);
        // What is left of the scope may be nothing.
        assert_eq!(scope_within(Some(""), "a", "a"), vec![]);
        assert!(!scope_within(Some("a b"), "a", "a").is_empty());
        assert!(!scope_within(None, "a b", "a").is_empty());
    }
}
