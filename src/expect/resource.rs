//! Judges of the protected resource, of UserInfo, revocation, introspection and CORS.

use serde_json::Value;

use super::{Findings, check, or_list};
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Weight};

fn status(exchange: &Exchange) -> u16 {
    exchange.response().map_or(0, |r| r.status)
}

/// The answer has this status.
pub fn answers(exchange: &Exchange, wanted: u16) -> Findings {
    check(status(exchange) == wanted, || {
        Deviation::new(format!("status {wanted}"), exchange.gist()).seen_in(exchange)
    })
}

/// Nothing was served: no success status. An internal error serves nothing either, and is a warning.
pub fn refuses(exchange: &Exchange) -> Findings {
    let weight = match status(exchange) {
        200..300 => Weight::Failure,
        500.. => Weight::Warning,
        _ => return vec![],
    };
    let expected = "a refusal (401 expected)";
    vec![Deviation::new(expected, exchange.gist()).weighing(weight).seen_in(exchange)]
}

/// RS_DENY: 401 with a Bearer or DPoP challenge whose `error` is one of `errors` (none, where the
/// list is empty); another refusal is a warning. A malformed credential may get 400.
pub fn denies_token(exchange: &Exchange, errors: &[&str]) -> Findings {
    let findings = refuses(exchange);
    if !findings.is_empty() {
        return findings;
    }
    let names_error = errors.is_empty()
        || exchange.response().is_some_and(|r| {
            r.headers("www-authenticate").any(|v| {
                errors.iter().any(|e| {
                    v.contains(&format!("error=\"{e}\"")) || v.contains(&format!("error={e}"))
                })
            })
        });
    let is_fit = match status(exchange) {
        401 => true,
        400 => errors.contains(&"invalid_request") || errors.is_empty(),
        _ => false,
    };
    check(is_fit && has_challenge(exchange) && names_error, || {
        let expected = if errors.is_empty() {
            String::new()
        } else {
            format!(" and error={}", or_list(errors))
        };
        let challenge = exchange
            .response()
            .and_then(|r| r.header("www-authenticate"))
            .unwrap_or("no challenge");
        Deviation::new(
            format!("401 with a Bearer or DPoP challenge{expected}"),
            format!("{}: {challenge}", exchange.gist()),
        )
        .weighing(Weight::Warning)
        .seen_in(exchange)
    })
}

fn has_challenge(exchange: &Exchange) -> bool {
    exchange.response().is_some_and(|r| {
        r.headers("www-authenticate").any(|value| {
            let scheme = value.trim_start().split([' ', ',']).next().unwrap_or_default();
            scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("dpop")
        })
    })
}

/// The refusal carries a `WWW-Authenticate` challenge for Bearer or DPoP.
pub fn challenges(exchange: &Exchange) -> Findings {
    check(has_challenge(exchange), || {
        Deviation::new("WWW-Authenticate with Bearer or DPoP", exchange.gist()).seen_in(exchange)
    })
}

/// The claims of a UserInfo answer that is plain JSON.
fn claims(exchange: &Exchange) -> Option<serde_json::Map<String, Value>> {
    exchange.response().filter(|r| r.status == 200)?.json_object()
}

/// 200 with a claims object as `application/json`, or a JWT.
pub fn userinfo(exchange: &Exchange) -> Findings {
    let is = |wanted: &str| {
        exchange
            .response()
            .is_some_and(|r| r.status == 200 && r.media_type().as_deref() == Some(wanted))
    };
    let is_claims = claims(exchange).is_some_and(|c| !c.is_empty() && !c.contains_key("error"));
    let expected = "200 with a claims object as application/json, or a JWT";
    check(is("application/jwt") || is_claims && is("application/json"), || {
        let weight = if is_claims { Weight::Warning } else { Weight::Failure };
        Deviation::new(expected, exchange.gist()).weighing(weight).seen_in(exchange)
    })
}

/// `sub` equals the one of the ID Token.
pub fn userinfo_subject(exchange: &Exchange, subject: &str) -> Findings {
    let named =
        claims(exchange).and_then(|c| c.get("sub").and_then(Value::as_str).map(str::to_owned));
    check(named.as_deref() == Some(subject), || {
        Deviation::new(
            format!("sub {subject}"),
            format!("sub {}", named.as_deref().unwrap_or("(none)")),
        )
        .seen_in(exchange)
    })
}

/// `active` is the boolean true; `scope` is a string, `exp` and `iat` are numbers when present.
pub fn active(exchange: &Exchange) -> Findings {
    let Some(members) = claims(exchange).filter(|c| c.get("active") == Some(&Value::Bool(true)))
    else {
        return vec![Deviation::new("200 with active=true", exchange.gist()).seen_in(exchange)];
    };
    let wrong: Vec<&str> = [
        ("scope", Value::is_string as fn(&Value) -> bool),
        ("exp", Value::is_number),
        ("iat", Value::is_number),
    ]
    .into_iter()
    .filter(|(name, fits)| members.get(*name).is_some_and(|value| !fits(value)))
    .map(|(name, _)| name)
    .collect();
    check(wrong.is_empty(), || {
        let expected = "scope as a string, exp and iat as numbers";
        Deviation::new(expected, format!("{} of another type", or_list(&wrong))).seen_in(exchange)
    })
}

/// The caller is refused; `active=false` tells little and is a warning.
pub fn learns_nothing(exchange: &Exchange) -> Findings {
    let deviation = |weight| {
        vec![Deviation::new("401, 400 or 403", exchange.gist()).weighing(weight).seen_in(exchange)]
    };
    match (status(exchange), claims(exchange).and_then(|c| c.get("active").cloned())) {
        (200, Some(Value::Bool(false))) => deviation(Weight::Warning),
        (200..300, _) => deviation(Weight::Failure),
        (400 | 401 | 403, _) => vec![],
        // Nothing is learned, but not because the caller was refused.
        _ => deviation(Weight::Warning),
    }
}

/// `Access-Control-Allow-Origin` equals the origin or is `*`; on an error its absence is a warning.
pub fn readable_from(exchange: &Exchange, origin: &str) -> Findings {
    let allowed = exchange.response().and_then(|r| r.header("access-control-allow-origin"));
    let weight = if status(exchange) == 200 { Weight::Failure } else { Weight::Warning };
    check(allowed.is_some_and(|a| a == origin || a == "*"), || {
        let expected = format!("Access-Control-Allow-Origin: {origin}");
        let actual =
            allowed.map_or("none".to_owned(), |a| format!("Access-Control-Allow-Origin: {a}"));
        Deviation::new(expected, actual).weighing(weight).seen_in(exchange)
    })
}

/// No `Access-Control-Allow-Origin` at all.
pub fn not_readable(exchange: &Exchange) -> Findings {
    let allowed = exchange.response().and_then(|r| r.header("access-control-allow-origin"));
    check(allowed.is_none(), || {
        let actual = format!("Access-Control-Allow-Origin: {}", allowed.unwrap_or_default());
        Deviation::new("no Access-Control-Allow-Origin", actual).seen_in(exchange)
    })
}

/// Every answer carries a header field by which operators find it.
pub fn has_request_id(exchanges: &[&Exchange]) -> Findings {
    const NAMES: [&str; 6] = [
        "x-request-id",
        "x-correlation-id",
        "traceresponse",
        "request-id",
        "x-trace-id",
        "traceparent",
    ];
    let without = exchanges
        .iter()
        .find(|e| e.response().is_some_and(|r| NAMES.iter().all(|n| r.header(n).is_none())));
    match without {
        None => vec![],
        Some(exchange) => {
            let expected = "a request identifier such as x-request-id or traceresponse";
            vec![
                Deviation::new(expected, format!("none (exchange {})", exchange.number))
                    .weighing(Weight::Note)
                    .seen_in(exchange),
            ]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::{answered, json};

    #[test]
    fn challenges_are_compared_without_case() {
        let with = |value: &str| answered(401, &[("WWW-Authenticate", value)], "");
        for good in ["Bearer", "bearer realm=\"x\"", "DPoP algs=\"ES256\""] {
            assert!(denies_token(&with(good), &[]).is_empty(), "{good}");
        }
        let invalid = ["invalid_token"];
        assert!(denies_token(&with("Bearer error=\"invalid_token\""), &invalid).is_empty());
        assert_eq!(denies_token(&with("Bearer"), &invalid)[0].weight, Weight::Warning);
        assert_eq!(denies_token(&with("Basic"), &[])[0].weight, Weight::Warning);
        assert_eq!(denies_token(&json(200, "{}"), &[])[0].weight, Weight::Failure);
    }

    #[test]
    fn introspection_without_credentials() {
        assert!(learns_nothing(&json(401, "{}")).is_empty());
        assert_eq!(learns_nothing(&json(200, r#"{"active":false}"#))[0].weight, Weight::Warning);
        assert_eq!(learns_nothing(&json(200, r#"{"active":true}"#))[0].weight, Weight::Failure);
        for status in [302, 404, 500] {
            assert_eq!(learns_nothing(&json(status, ""))[0].weight, Weight::Warning, "{status}");
        }
    }

    #[test]
    fn an_internal_error_is_no_clean_refusal() {
        assert!(refuses(&json(401, "")).is_empty() && refuses(&json(404, "")).is_empty());
        assert_eq!(refuses(&json(500, ""))[0].weight, Weight::Warning);
        assert_eq!(refuses(&json(200, ""))[0].weight, Weight::Failure);
    }

    #[test]
    fn userinfo_needs_a_subject() {
        assert!(userinfo(&json(200, r#"{"sub":"a"}"#)).is_empty());
        assert_eq!(userinfo(&json(200, "{}")).len(), 1);
        let text = answered(200, &[("Content-Type", "text/plain")], r#"{"sub":"a"}"#);
        assert_eq!(userinfo(&text)[0].weight, Weight::Warning);
        assert_eq!(userinfo_subject(&json(200, r#"{"sub":"b"}"#), "a").len(), 1);
    }

    #[test]
    fn cors_is_read_by_status() {
        let with =
            |status, value: &str| answered(status, &[("Access-Control-Allow-Origin", value)], "");
        assert!(readable_from(&with(200, "*"), "https://a.test").is_empty());
        assert_eq!(
            readable_from(&with(200, "https://b.test"), "https://a.test")[0].weight,
            Weight::Failure
        );
        assert_eq!(readable_from(&with(400, "null"), "https://a.test")[0].weight, Weight::Warning);
        assert_eq!(not_readable(&with(302, "*")).len(), 1);
    }
}
