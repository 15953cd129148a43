//! Answers of a login in JSON: where the browser is sent, and what else is asked.

use serde_json::{Map, Value};

use crate::model::exchange::Exchange;
use crate::oauth::params::Params;

/// Members that say where the browser goes next, in lower case without `_` and `-`.
const ADDRESSES: [&str; 8] = [
    "redirect",
    "redirecturl",
    "redirectto",
    "redirecturi",
    "location",
    "url",
    "callbackurl",
    "next",
];

/// Members that speak of a second factor, written likewise.
const SECOND_FACTOR: [&str; 4] = ["twofactor", "2fa", "mfa", "otp"];

fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '-'], "")
}

/// The members of the body, and of its `data` where it wraps them.
fn members(exchange: &Exchange) -> Map<String, Value> {
    let Some(response) = exchange.response().filter(|r| !r.is_html()) else { return Map::new() };
    let mut members = response.json_object().unwrap_or_default();
    if let Some(Value::Object(inner)) = members.get("data").cloned() {
        members.extend(inner);
    }
    members
}

/// The answer is a JSON object.
pub(super) fn is_json(exchange: &Exchange) -> bool {
    exchange.response().is_some_and(|r| !r.is_html() && r.json_object().is_some())
}

/// The addresses to which a JSON body sends the browser, verbatim.
pub(super) fn addresses(exchange: &Exchange) -> Vec<String> {
    let named = members(exchange).into_iter().filter(|(n, _)| ADDRESSES.contains(&&*plain(n)));
    let texts = named.filter_map(|(_, value)| value.as_str().map(str::to_owned));
    texts.filter(|text| text.starts_with('/') || text.contains(":/")).collect()
}

/// The authorization response that a JSON body carries: an address of the client's with a code or
/// an error.
pub(super) fn callback(exchange: &Exchange, leaves: impl Fn(&str) -> bool) -> Option<String> {
    let is_response = |address: &String| {
        let parameters = address.split(['?', '#']).skip(1).map(Params::decode);
        leaves(address)
            && parameters.into_iter().any(|p| p.value("code").or(p.value("error")).is_some())
    };
    addresses(exchange).into_iter().find(is_response)
}

/// A JSON body asks for a second factor.
pub(super) fn asks_second_factor(exchange: &Exchange) -> bool {
    members(exchange).iter().any(|(name, value)| {
        let is_said = SECOND_FACTOR.iter().any(|word| plain(name).contains(word))
            || value.as_str().is_some_and(|v| SECOND_FACTOR.iter().any(|w| plain(v).contains(w)));
        is_said && !matches!(value, Value::Bool(false) | Value::Null)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::json;

    const CALLBACK: &str = "https://app.test/cb";

    fn response(body: &str) -> Option<String> {
        callback(&json(200, body), |address| address.starts_with(CALLBACK))
    }

    #[test]
    fn a_callback_is_found_in_any_usual_member() {
        for name in ["redirect", "redirectUrl", "redirect_to", "location", "url"] {
            let body = format!(r#"{{"ok":true,"{name}":"{CALLBACK}?code=c&state=s"}}"#);
            assert_eq!(response(&body).as_deref(), Some("https://app.test/cb?code=c&state=s"));
        }
        assert!(
            response(r#"{"data":{"url":"https://app.test/cb?error=access_denied"}}"#).is_some()
        );
    }

    #[test]
    fn an_address_without_a_response_or_of_somebody_else_is_none() {
        for body in [
            r#"{"redirect_uri":"https://app.test/cb"}"#,
            r#"{"url":"https://other.test/cb?code=c"}"#,
            r#"{"note":"https://app.test/cb?code=c"}"#,
            r#"{"redirect":true}"#,
            "[]",
        ] {
            assert_eq!(response(body), None, "{body}");
        }
    }

    #[test]
    fn a_second_factor_is_recognised() {
        for body in
            [r#"{"twoFactorRedirect":true}"#, r#"{"next":"mfa_required"}"#, r#"{"otp":"sms"}"#]
        {
            assert!(asks_second_factor(&json(200, body)), "{body}");
        }
        assert!(!asks_second_factor(&json(200, r#"{"twoFactorEnabled":false,"user":"a"}"#)));
    }
}
