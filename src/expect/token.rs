//! Judges of what the token endpoint did with a request.

use super::{Findings, check, or_list};
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::token::TokenResponse;

/// Error codes of the token endpoint: RFC 6749 §5.2 and the registered extensions.
pub const REGISTERED_ERRORS: &[&str] = &[
    "authorization_pending",
    "expired_token",
    "access_denied",
    "invalid_authorization_details",
    "invalid_client",
    "invalid_dpop_proof",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "slow_down",
    "unauthorized_client",
    "unsupported_grant_type",
    "use_dpop_nonce",
];

/// A 200 answer with an object that has `access_token` and `token_type`.
pub fn token_ok(exchange: &Exchange) -> Findings {
    let issued = exchange
        .response()
        .and_then(|r| (r.status == 200).then(|| TokenResponse::read(r)).flatten());
    let complete =
        issued.is_some_and(|t| t.access_token().is_some() && t.text("token_type").is_some());
    check(complete, || {
        Deviation::new("200 with access_token and token_type", exchange.gist()).seen_in(exchange)
    })
}

/// The answer carries anything that a client could use.
pub fn issues_something(exchange: &Exchange) -> bool {
    exchange.response().and_then(|r| r.json_object()).is_some_and(|members| {
        ["access_token", "refresh_token", "id_token", "request_uri"]
            .iter()
            .any(|name| members.get(*name).is_some_and(|v| !v.is_null()))
    })
}

/// The `error` member of the answer.
fn error_of(exchange: &Exchange) -> Option<String> {
    Some(exchange.response()?.json_object()?.get("error")?.as_str()?.to_owned())
}

/// No token, and an error from `codes`. Status and format are judged by [`error_format`].
pub fn token_reject(exchange: &Exchange, codes: &[&str]) -> Findings {
    let expected = format!("no token and error={}", or_list(codes));
    let deviation = |weight| {
        vec![Deviation::new(expected.clone(), exchange.gist()).weighing(weight).seen_in(exchange)]
    };
    if issues_something(exchange) {
        return deviation(Weight::Failure);
    }
    match error_of(exchange) {
        Some(error) if codes.contains(&error.as_str()) => vec![],
        Some(_) => deviation(Weight::Warning),
        // HTTP may refuse before OAuth looks: nothing was issued, nothing explained either.
        None if exchange.response().is_some_and(|r| (400..500).contains(&r.status)) => {
            deviation(Weight::Warning)
        }
        // An empty or foreign answer proves no refusal.
        None => deviation(Weight::Failure),
    }
}

/// No token, whatever the answer looks like: it may come from the HTTP layer.
pub fn no_tokens(exchange: &Exchange) -> Findings {
    let refused =
        !issues_something(exchange) && exchange.response().is_some_and(|r| r.status >= 400);
    check(refused, || {
        Deviation::new("a refusal (4xx) and no token", exchange.gist())
            .weighing(Weight::Warning)
            .seen_in(exchange)
    })
}

/// Tokens, or a refusal with one of `codes`.
pub fn token_ok_or_reject(exchange: &Exchange, codes: &[&str]) -> Findings {
    if token_ok(exchange).is_empty() { vec![] } else { token_reject(exchange, codes) }
}

/// The password grant: `invalid_grant` shows that credentials were evaluated.
pub fn password_grant_refused(
    exchange: &Exchange,
    codes: &[&str],
    is_advertised: bool,
) -> Findings {
    if error_of(exchange).as_deref() == Some("invalid_grant") && !issues_something(exchange) {
        let weight = if is_advertised { Weight::Failure } else { Weight::Warning };
        let expected = format!("error={}: the grant type is not available", or_list(codes));
        return vec![Deviation::new(expected, exchange.gist()).weighing(weight).seen_in(exchange)];
    }
    token_reject(exchange, codes)
}

/// 400 with `invalid_grant`; `invalid_request` is a warning, anything else a failure.
pub fn mismatch_error(exchange: &Exchange) -> Findings {
    let status = exchange.response().map_or(0, |r| r.status);
    let weight = match (status, error_of(exchange).as_deref()) {
        (400, Some("invalid_grant")) => return vec![],
        (_, Some("invalid_request" | "invalid_grant")) if !issues_something(exchange) => {
            Weight::Warning
        }
        _ => Weight::Failure,
    };
    vec![
        Deviation::new("400 with error=invalid_grant", exchange.gist())
            .weighing(weight)
            .seen_in(exchange),
    ]
}

/// A JSON object with a registered `error` and status 400, or 401 with `invalid_client`.
pub fn error_format(exchange: &Exchange) -> Findings {
    let expected =
        "400 (401 with invalid_client) with an application/json object that has a registered error";
    let deviation =
        |weight| vec![Deviation::new(expected, exchange.gist()).weighing(weight).seen_in(exchange)];
    let Some(response) = exchange.response() else { return vec![] };
    let is_json = response.media_type().as_deref() == Some("application/json");
    match (error_of(exchange), response.status) {
        (None, 404 | 405 | 413 | 415 | 429 | 500..) => deviation(Weight::Warning),
        (None, _) => deviation(Weight::Failure),
        (Some(_), _) if !is_json => deviation(Weight::Failure),
        (Some(error), _) if !REGISTERED_ERRORS.contains(&error.as_str()) => {
            deviation(Weight::Failure)
        }
        (Some(_), 400) => vec![],
        (Some(error), 401) if error == "invalid_client" => vec![],
        (Some(_), 401 | 403) => deviation(Weight::Warning),
        (Some(_), _) => deviation(Weight::Failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::{answered, json};

    fn weight(findings: &Findings) -> Option<Weight> {
        findings.iter().map(|d| d.weight).max()
    }

    const TOKENS: &str = r#"{"access_token":"a","token_type":"Bearer"}"#;

    #[test]
    fn tokens_are_recognised() {
        assert!(token_ok(&json(200, TOKENS)).is_empty());
        for (status, body) in
            [(200, r#"{"access_token":"a"}"#), (400, TOKENS), (200, "{}"), (200, "<html>")]
        {
            assert_eq!(
                weight(&token_ok(&json(status, body))),
                Some(Weight::Failure),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn a_refusal_needs_an_error_and_no_token() {
        for (status, body, expected) in [
            (400, r#"{"error":"invalid_grant"}"#, None),
            (401, r#"{"error":"invalid_client"}"#, Some(Weight::Warning)),
            (400, r#"{"error":"invalid_grant","refresh_token":"r"}"#, Some(Weight::Failure)),
            (200, TOKENS, Some(Weight::Failure)),
            (404, "not found", Some(Weight::Warning)),
            (200, "", Some(Weight::Failure)),
            (500, "oops", Some(Weight::Failure)),
            (302, "", Some(Weight::Failure)),
        ] {
            assert_eq!(
                weight(&token_reject(&json(status, body), &["invalid_grant"])),
                expected,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn the_format_of_errors() {
        for (status, body, expected) in [
            (400, r#"{"error":"invalid_grant"}"#, None),
            (401, r#"{"error":"invalid_client"}"#, None),
            (401, r#"{"error":"invalid_grant"}"#, Some(Weight::Warning)),
            (200, r#"{"error":"invalid_grant"}"#, Some(Weight::Failure)),
            (400, r#"{"error":"oops"}"#, Some(Weight::Failure)),
            (400, r#"{"message":"no"}"#, Some(Weight::Failure)),
            (415, "", Some(Weight::Warning)),
        ] {
            assert_eq!(weight(&error_format(&json(status, body))), expected, "{status} {body}");
        }
        let html = answered(400, &[("Content-Type", "text/html")], r#"{"error":"invalid_grant"}"#);
        assert_eq!(weight(&error_format(&html)), Some(Weight::Failure));
    }

    #[test]
    fn the_error_for_a_wrong_verifier() {
        assert!(mismatch_error(&json(400, r#"{"error":"invalid_grant"}"#)).is_empty());
        assert_eq!(
            weight(&mismatch_error(&json(400, r#"{"error":"invalid_request"}"#))),
            Some(Weight::Warning)
        );
        assert_eq!(
            weight(&mismatch_error(&json(401, r#"{"error":"invalid_client"}"#))),
            Some(Weight::Failure)
        );
    }

    #[test]
    fn evaluated_passwords_are_noticed() {
        let evaluated = json(400, r#"{"error":"invalid_grant"}"#);
        assert_eq!(
            weight(&password_grant_refused(&evaluated, &["unsupported_grant_type"], true)),
            Some(Weight::Failure)
        );
        assert_eq!(
            weight(&password_grant_refused(&evaluated, &["unsupported_grant_type"], false)),
            Some(Weight::Warning)
        );
    }
}
