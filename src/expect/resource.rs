//! Judges of the protected resource, of revocation and CORS.

use super::{Findings, check, or_list};
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::challenge::Challenge;

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
/// list is empty); another refusal is a warning. `invalid_request` may come with 400 and
/// `insufficient_scope` with 403.
pub fn denies_token(exchange: &Exchange, errors: &[&str]) -> Findings {
    let findings = refuses(exchange);
    if !findings.is_empty() {
        return findings;
    }
    let challenges = challenges_of(exchange);
    let names_error = errors.is_empty()
        || challenges.iter().filter_map(|c| c.value("error")).any(|error| errors.contains(&error));
    let is_fit = match status(exchange) {
        401 => true,
        400 => errors.contains(&"invalid_request") || errors.is_empty(),
        403 => errors.contains(&"insufficient_scope"),
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

/// The challenges of an answer, as far as they can be read.
pub fn challenges_of(exchange: &Exchange) -> Vec<Challenge> {
    exchange.response().map(Challenge::all_of).unwrap_or_default()
}

fn has_challenge(exchange: &Exchange) -> bool {
    challenges_of(exchange).iter().any(Challenge::is_for_access_tokens)
}

/// The refusal carries a `WWW-Authenticate` challenge for Bearer or DPoP.
pub fn challenges(exchange: &Exchange) -> Findings {
    check(has_challenge(exchange), || {
        Deviation::new("WWW-Authenticate with Bearer or DPoP", exchange.gist()).seen_in(exchange)
    })
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

/// A preflight for a POST with a proof: 2xx, the origin and the header field. A form by POST needs
/// no permission of its own.
pub fn preflight_allows(exchange: &Exchange, origin: &str, header: &str) -> Findings {
    let response = exchange.response();
    let named = |name: &str| {
        response.map(|r| r.headers(name).collect::<Vec<_>>().join(",")).unwrap_or_default()
    };
    let (allowed, headers) =
        (named("access-control-allow-origin"), named("access-control-allow-headers"));
    let lists =
        headers.split(',').map(str::trim).any(|h| h == "*" || h.eq_ignore_ascii_case(header));
    let is_fit = (200..300).contains(&status(exchange)) && (allowed == origin || allowed == "*");
    check(is_fit && lists, || {
        let expected = format!("2xx that allows {origin} to send {header}");
        let actual = format!("{}; allowed: {allowed:?} with {headers:?}", exchange.gist());
        Deviation::new(expected, actual).seen_in(exchange)
    })
}

/// Scripts may read those of `names` that a readable answer carries; otherwise a warning.
pub fn exposes(exchange: &Exchange, names: &[&str]) -> Findings {
    let Some(response) = exchange.response() else { return vec![] };
    if response.header("access-control-allow-origin").is_none() {
        return vec![];
    }
    let exposed = response.headers("access-control-expose-headers").collect::<Vec<_>>().join(",");
    let is_exposed = |name: &str| {
        exposed.split(',').map(str::trim).any(|e| e == "*" || e.eq_ignore_ascii_case(name))
    };
    let hidden: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| response.header(name).is_some() && !is_exposed(name))
        .collect();
    check(hidden.is_empty(), || {
        let expected = format!("Access-Control-Expose-Headers: {}", names.join(", "));
        Deviation::new(expected, format!("{} is hidden", hidden.join(", ")))
            .weighing(Weight::Warning)
            .seen_in(exchange)
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
    fn an_internal_error_is_no_clean_refusal() {
        assert!(refuses(&json(401, "")).is_empty() && refuses(&json(404, "")).is_empty());
        assert_eq!(refuses(&json(500, ""))[0].weight, Weight::Warning);
        assert_eq!(refuses(&json(200, ""))[0].weight, Weight::Failure);
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
