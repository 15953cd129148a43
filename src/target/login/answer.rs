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

/// Words that speak of a second factor.
const SECOND_FACTOR: [&str; 5] = ["twofactor", "2fa", "mfa", "otp", "totp"];

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

/// What a JSON body says to its reader, in a few words.
pub(super) fn message(exchange: &Exchange) -> String {
    let members = members(exchange);
    let said = ["message", "error_description"].into_iter().find_map(|n| members.get(n)?.as_str());
    said.map_or_else(String::new, |text| {
        format!(": {}", text.chars().take(200).collect::<String>())
    })
}

/// A JSON body asks for a second factor: a member says so by its name, or a word of its value.
pub(super) fn asks_second_factor(exchange: &Exchange) -> bool {
    members(exchange).iter().any(|(name, value)| {
        let is_off = matches!(value, Value::Bool(false) | Value::Null);
        !is_off && (speaks_of_it(name) || value.as_str().is_some_and(speaks_of_it))
    })
}

/// `twoFactorRedirect`, `mfa_required`, `TOTP`; and no such letters within a code or an address.
fn speaks_of_it(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let is_name = text.len() <= 32 && text.chars().all(is_word);
    let mut words = text.split(['_', '-']);
    is_name
        && (words.any(|w| SECOND_FACTOR.contains(&&*w.to_ascii_lowercase()))
            || SECOND_FACTOR.iter().any(|w| plain(text).starts_with(w)))
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
        for body in [
            r#"{"twoFactorEnabled":false,"user":"a"}"#,
            r#"{"url":"https://app.test/cb?code=mfa-otp"}"#,
            r#"{"token":"xKmfaQ7otpTotp2fa"}"#,
        ] {
            assert!(!asks_second_factor(&json(200, body)), "{body}");
        }
    }
}
