//! Judges of pushed authorization requests (RFC 9126).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

use super::authorization::front_reject;
use super::token::{issues_something, token_reject};
use super::token_response::effective_scope;
use super::{Findings, check};
use crate::model::address::is_loopback;
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::authorization::Landing;
use crate::oauth::metadata::Metadata;
use crate::oauth::token::{TokenResponse, scope_set};

/// The reference of a push that succeeded.
pub fn reference(exchange: &Exchange) -> Option<String> {
    let response = exchange.response().filter(|r| (200..300).contains(&r.status))?;
    let reference = response.json_object()?.get("request_uri")?.as_str()?.to_owned();
    Some(reference).filter(|r| !r.is_empty())
}

/// 201 with `request_uri` and a positive `expires_in`; 200 is a warning.
pub fn pushed(exchange: &Exchange) -> Findings {
    let response = exchange.response();
    let members = response.and_then(|r| r.json_object()).unwrap_or_default();
    let is_json = response.is_some_and(|r| r.media_type().as_deref() == Some("application/json"));
    let lives =
        members.get("expires_in").and_then(serde_json::Value::as_u64).is_some_and(|s| s > 0);
    let weight = match (reference(exchange), response.map_or(0, |r| r.status)) {
        (Some(_), 201) if is_json && lives => return vec![],
        (Some(_), 200) if is_json && lives => Weight::Warning,
        _ => Weight::Failure,
    };
    let expected = "201 application/json with request_uri and a positive expires_in";
    vec![Deviation::new(expected, exchange.gist()).weighing(weight).seen_in(exchange)]
}

/// Where pushing is mandatory, an https (or local) address to push to is named.
pub fn endpoint_named(metadata: &Metadata) -> Findings {
    if !metadata.is_true("require_pushed_authorization_requests") {
        return vec![];
    }
    let named = metadata.text("pushed_authorization_request_endpoint");
    let is_fit = named
        .and_then(|url| Url::parse(url).ok())
        .is_some_and(|url| url.scheme() == "https" || url.host_str().is_some_and(is_loopback));
    check(is_fit, || {
        let expected = "pushed_authorization_request_endpoint with an https URL";
        Deviation::new(expected, named.unwrap_or("none"))
    })
}

/// No cookie carries a value that was pushed, plain or in base64url.
pub fn kept_from_cookies(exchanges: &[&Exchange], pushed: &str) -> Findings {
    let shows = |cookie: &str| {
        cookie.contains(pushed)
            || cookie.split(['=', ';', '.']).any(|part| {
                let decoded = URL_SAFE_NO_PAD.decode(part.trim()).unwrap_or_default();
                String::from_utf8_lossy(&decoded).contains(pushed)
            })
    };
    let shown =
        exchanges.iter().find(|e| e.response().is_some_and(|r| r.headers("set-cookie").any(shows)));
    shown.map_or(vec![], |exchange| {
        let expected = "pushed parameters that stay with the server";
        let deviation = Deviation::new(expected, "a cookie that carries them");
        vec![deviation.weighing(Weight::Warning).seen_in(exchange)]
    })
}

/// The scope of a token response, by the access token if it can be read; what was asked for, where
/// neither says anything (RFC 6749 §5.1).
pub fn granted_scope(exchange: &Exchange, asked: &str) -> String {
    let tokens = exchange.response().and_then(TokenResponse::read);
    let said = tokens.and_then(|tokens| {
        effective_scope(&tokens, None).or_else(|| tokens.text("scope").map(str::to_owned))
    });
    said.unwrap_or_else(|| asked.to_owned())
}

/// The scope is within the one that the same push yields without anything beside it.
pub fn no_wider(exchange: &Exchange, pushed: &str) -> Findings {
    let granted = granted_scope(exchange, pushed);
    check(scope_set(&granted).is_subset(&scope_set(pushed)), || {
        Deviation::new(format!("scope {pushed}"), format!("scope {granted}")).seen_in(exchange)
    })
}

/// The push was refused with an error; nothing can be used.
pub fn is_refused(exchange: &Exchange) -> bool {
    !issues_something(exchange)
        && exchange.response().is_some_and(|r| (400..500).contains(&r.status))
}

/// Only confidential clients may push (RFC 9126 §2.1 leaves it to the server).
pub fn is_reserved(exchange: &Exchange) -> bool {
    token_reject(exchange, &["invalid_client", "unauthorized_client"]).is_empty()
}

/// No code for a client that presents the reference of another; the error may go to either.
pub fn stranger_refused(landing: &Landing, redirect_uris: &[&str]) -> Findings {
    let response = landing.response.as_ref();
    let reached = response.and_then(|r| redirect_uris.iter().find(|uri| r.went_to(uri)));
    let codes =
        ["invalid_request", "invalid_request_uri", "invalid_request_object", "invalid_client"];
    front_reject(landing, reached.copied().unwrap_or_default(), &codes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::{answered, json};

    #[test]
    fn a_push_is_answered_with_a_reference() {
        let weigh = |status, body| pushed(&json(status, body)).first().map(|d| d.weight);
        let good = r#"{"request_uri":"urn:x","expires_in":60}"#;
        assert_eq!(weigh(201, good), None);
        assert_eq!(weigh(200, good), Some(Weight::Warning));
        let late = r#"{"request_uri":"urn:x","expires_in":"60"}"#;
        for (status, body) in [(201, late), (201, "{}"), (400, good), (500, "")] {
            assert_eq!(weigh(status, body), Some(Weight::Failure), "{status} {body}");
        }
    }

    #[test]
    fn cookies_are_searched() {
        let with = |value: &str| answered(303, &[("Set-Cookie", value)], "");
        let hidden = format!("r=x.{}; Path=/", URL_SAFE_NO_PAD.encode("nonce=abcdefgh"));
        for (cookie, findings) in [("r=nonce%3Dabcdefgh", 1), (hidden.as_str(), 1), ("r=other", 0)]
        {
            assert_eq!(kept_from_cookies(&[&with(cookie)], "abcdefgh").len(), findings);
        }
    }
}
