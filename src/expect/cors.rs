//! Judges of cross-origin access (WHATWG Fetch, CORS protocol).

use super::{Findings, check};
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Weight};

fn header<'a>(exchange: &'a Exchange, name: &str) -> Option<&'a str> {
    exchange.response().and_then(|r| r.header(name)).map(str::trim)
}

/// `Access-Control-Allow-Origin` is the origin or `*`, whatever the status.
pub fn readable(exchange: &Exchange, origin: &str, weight: Weight) -> Findings {
    let allowed = header(exchange, "access-control-allow-origin");
    check(allowed.is_some_and(|allowed| allowed == origin || allowed == "*"), || {
        let expected = format!("Access-Control-Allow-Origin: {origin}");
        let actual = format!("{} in {}", allowed.unwrap_or("none"), exchange.gist());
        Deviation::new(expected, actual).weighing(weight).seen_in(exchange)
    })
}

/// A preflight that lets a script of the origin send `method` with these header fields: status
/// 2xx, the origin, the method unless it is one that needs no permission, and every field.
/// `Authorization` must be listed by name; `*` does not cover it, but browsers differ.
pub fn permits(
    exchange: &Exchange,
    origin: &str,
    method: &str,
    fields: &[&str],
    weight: Weight,
) -> Findings {
    let is_ok = exchange.response().is_some_and(|r| (200..300).contains(&r.status));
    if !is_ok {
        let expected = "status 2xx for a preflight, which never carries credentials";
        let deviation = Deviation::new(expected, exchange.gist());
        return vec![deviation.weighing(weight).seen_in(exchange)];
    }
    let mut findings = readable(exchange, origin, weight);
    let listed = |name: &str| -> Vec<String> {
        let values = exchange.response().into_iter().flat_map(|r| r.headers(name));
        let words = values.flat_map(|v| v.split(','));
        words.map(|word| word.trim().to_owned()).collect()
    };
    let methods = listed("access-control-allow-methods");
    let needs_none = matches!(method, "GET" | "HEAD" | "POST");
    findings.extend(check(needs_none || methods.iter().any(|m| m == method || m == "*"), || {
        let expected = format!("{method} in Access-Control-Allow-Methods");
        Deviation::new(expected, methods.join(", ")).weighing(weight).seen_in(exchange)
    }));
    let allowed = listed("access-control-allow-headers");
    for field in fields {
        let by_name = allowed.iter().any(|a| a.eq_ignore_ascii_case(field));
        let by_wildcard = allowed.iter().any(|a| a == "*");
        let weight = if by_wildcard { Weight::Note } else { weight };
        findings.extend(check(by_name, || {
            let expected = format!("{field} in Access-Control-Allow-Headers");
            Deviation::new(expected, allowed.join(", ")).weighing(weight).seen_in(exchange)
        }));
    }
    findings
}

/// A stranger's origin is not named together with credentials.
pub fn keeps_strangers_out(exchange: &Exchange, origin: &str) -> Findings {
    let reflects = header(exchange, "access-control-allow-origin") == Some(origin);
    let with_credentials = header(exchange, "access-control-allow-credentials") == Some("true");
    check(!(reflects && with_credentials), || {
        let path = exchange.request.url.split('?').next().unwrap_or_default();
        let actual = format!("both for {origin} at {path} (exchange {})", exchange.number);
        let expected = "no Access-Control-Allow-Credentials for an origin that nobody registered";
        Deviation::new(expected, actual).seen_in(exchange)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::answered;

    const ORIGIN: &str = "https://app.test";

    fn weight(findings: &Findings) -> Option<Weight> {
        findings.iter().map(|d| d.weight).max()
    }

    fn preflight(status: u16, headers: &[(&str, &str)]) -> Option<Weight> {
        let answer = answered(status, headers, "");
        weight(&permits(&answer, ORIGIN, "GET", &["authorization"], Weight::Failure))
    }

    #[test]
    fn an_error_must_be_readable_too() {
        let judge = |status, value: &str| {
            let answer = answered(status, &[("Access-Control-Allow-Origin", value)], "");
            weight(&readable(&answer, ORIGIN, Weight::Failure))
        };
        assert_eq!(judge(401, ORIGIN), None);
        assert_eq!(judge(401, "*"), None);
        assert_eq!(judge(200, "https://other.test"), Some(Weight::Failure));
        let silent = answered(401, &[], "");
        assert_eq!(weight(&readable(&silent, ORIGIN, Weight::Warning)), Some(Weight::Warning));
    }

    #[test]
    fn a_preflight_permits_origin_and_header_fields() {
        let origin = ("Access-Control-Allow-Origin", ORIGIN);
        let fields = |value| ("access-control-allow-headers", value);
        assert_eq!(preflight(204, &[origin, fields("Content-Type, Authorization")]), None);
        assert_eq!(preflight(200, &[origin, fields("authorization")]), None);
        assert_eq!(preflight(204, &[origin, fields("*")]), Some(Weight::Note));
        assert_eq!(preflight(204, &[origin, fields("content-type")]), Some(Weight::Failure));
        assert_eq!(preflight(204, &[fields("authorization")]), Some(Weight::Failure));
        assert_eq!(preflight(401, &[origin, fields("authorization")]), Some(Weight::Failure));
    }

    #[test]
    fn an_unsafe_method_must_be_listed() {
        let headers =
            [("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Methods", "GET, PUT")];
        let answer = answered(204, &headers, "");
        assert!(permits(&answer, ORIGIN, "PUT", &[], Weight::Failure).is_empty());
        assert_eq!(permits(&answer, ORIGIN, "DELETE", &[], Weight::Failure).len(), 1);
    }

    #[test]
    fn a_stranger_is_let_in_by_both_headers_only() {
        let judge = |origin: &str, headers: &[(&str, &str)]| {
            keeps_strangers_out(&answered(200, headers, ""), origin).len()
        };
        let named = ("Access-Control-Allow-Origin", "https://probe.invalid");
        let with = ("Access-Control-Allow-Credentials", "true");
        let stranger = "https://probe.invalid";
        assert_eq!(judge(stranger, &[named, with]), 1);
        assert_eq!(judge(stranger, &[named]), 0);
        assert_eq!(judge(stranger, &[("Access-Control-Allow-Origin", "*"), with]), 0);
        assert_eq!(judge(stranger, &[("Access-Control-Allow-Origin", ORIGIN), with]), 0);
        assert_eq!(judge("null", &[("Access-Control-Allow-Origin", "null"), with]), 1);
    }
}
