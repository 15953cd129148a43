//! Judges of the protected resource, of UserInfo, revocation, introspection, pages and CORS.

use serde_json::Value;

use super::{Findings, check, or_list};
use crate::model::exchange::{Exchange, Response};
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::authorization::Landing;

fn status(exchange: &Exchange) -> u16 {
    exchange.response().map_or(0, |r| r.status)
}

/// The answer has this status.
pub fn answers(exchange: &Exchange, wanted: u16) -> Findings {
    check(status(exchange) == wanted, || {
        Deviation::new(format!("status {wanted}"), exchange.gist()).seen_in(exchange)
    })
}

/// Nothing was served: no success status.
pub fn refuses(exchange: &Exchange) -> Findings {
    check(!(200..300).contains(&status(exchange)), || {
        Deviation::new("a refusal (401 expected)", exchange.gist()).seen_in(exchange)
    })
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
        (500.., _) => deviation(Weight::Warning),
        _ => vec![],
    }
}

/// The page forbids framing by foreign sites.
pub fn forbids_framing(exchange: &Exchange) -> Findings {
    let Some(response) = exchange.response() else { return vec![] };
    let by_header = response
        .headers("x-frame-options")
        .any(|v| matches!(v.trim().to_ascii_uppercase().as_str(), "DENY" | "SAMEORIGIN"));
    let by_policy = response.headers("content-security-policy").any(frame_ancestors_closed);
    if by_header || by_policy {
        return vec![];
    }
    let busts = {
        let page = response.text().to_ascii_lowercase();
        page.contains("top.location") || page.contains("window.top")
    };
    let weight = if busts { Weight::Warning } else { Weight::Failure };
    let expected = "X-Frame-Options: DENY or SAMEORIGIN, or frame-ancestors that is no wildcard";
    vec![
        Deviation::new(expected, format!("neither (exchange {})", exchange.number))
            .weighing(weight)
            .seen_in(exchange),
    ]
}

fn frame_ancestors_closed(policy: &str) -> bool {
    policy.split(';').map(str::trim).any(|directive| {
        let mut words = directive.split_ascii_whitespace();
        words.next().is_some_and(|name| name.eq_ignore_ascii_case("frame-ancestors"))
            && !words.any(|source| matches!(source, "*" | "https:" | "http:"))
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

/// Error page of the server for the user: status 400 and a body that says something.
pub fn error_page(landing: &Landing) -> Findings {
    let exchange = &landing.exchange;
    let says_something = |r: &Response| !r.text().trim().is_empty();
    let good = landing.response.is_none()
        && exchange.response().is_some_and(|r| r.status == 400 && says_something(r));
    check(good, || {
        Deviation::new("status 400 with a readable page", landing.gist())
            .weighing(Weight::Warning)
            .seen_in(exchange)
    })
}

/// Attribute names under which [`MARKUP`] shows itself when it is read as markup.
const MARKER: &str = "probe7f3a";

/// A value that breaks out of text, of an attribute in either kind of quotes, and of a script.
pub const MARKUP: &str =
    "probe7f3a\" onfocus=probe7f3a ' onfocus=probe7f3a ></script><img src=x onerror=probe7f3a>";

/// No page holds the markup as markup: the HTML is tokenized, and no element has gained a handler.
pub fn markup_escaped<'a>(exchanges: impl IntoIterator<Item = &'a Exchange>) -> Findings {
    exchanges
        .into_iter()
        .filter(|e| e.response().is_some_and(|r| r.is_html() && is_injected(&r.text())))
        .take(1)
        .map(|exchange| {
            let actual = format!(
                "a page in which the value became an element or attribute (exchange {})",
                exchange.number
            );
            Deviation::new("request values encoded for HTML", actual).seen_in(exchange)
        })
        .collect()
}

fn is_injected(page: &str) -> bool {
    html5gum::Tokenizer::new(page).any(|Ok(token)| match token {
        html5gum::Token::StartTag(tag) => tag.attributes.iter().any(|(name, value)| {
            matches!(name.as_slice(), b"onfocus" | b"onerror")
                && value.value.starts_with(MARKER.as_bytes())
        }),
        _ => false,
    })
}

/// Name of the header field that [`LINE_BREAK`] tries to create.
const INJECTED: &str = "X-Probe";

/// A value that would create a header field where line breaks are copied.
pub const LINE_BREAK: &str = "probe\r\nX-Probe: 1";

/// No response carries the injected header field.
pub fn no_injected_header<'a>(exchanges: impl IntoIterator<Item = &'a Exchange>) -> Findings {
    exchanges
        .into_iter()
        .filter(|e| e.response().is_some_and(|r| r.header(INJECTED).is_some()))
        .take(1)
        .map(|exchange| {
            let actual =
                format!("a header field that the request made up (exchange {})", exchange.number);
            Deviation::new("line breaks that stay within the value", actual).seen_in(exchange)
        })
        .collect()
}

/// The page neither links to the URI nor posts to it.
pub fn not_linked(exchange: &Exchange, uri: &str) -> Findings {
    let Some(response) = exchange.response().filter(|r| r.is_html()) else { return vec![] };
    let page = response.text();
    let linked = html5gum::Tokenizer::new(page.as_str()).any(|Ok(token)| match token {
        html5gum::Token::StartTag(tag) => tag.attributes.iter().any(|(name, value)| {
            matches!(name.as_slice(), b"href" | b"action" | b"formaction" | b"src")
                && String::from_utf8_lossy(&value.value).trim().starts_with(uri)
        }),
        _ => false,
    });
    check(!linked, || {
        Deviation::new("a page that does not link to it", format!("a link to {uri}"))
            .seen_in(exchange)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::{answered, json};

    fn html(body: &str) -> Exchange {
        answered(200, &[("Content-Type", "text/html")], body)
    }

    #[test]
    fn markup_is_recognised_only_as_markup() {
        let escaped = MARKUP
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;");
        assert!(
            markup_escaped([&html(&format!("<p>{escaped}<input value=\"{escaped}\">"))]).is_empty()
        );
        assert_eq!(markup_escaped([&html(&format!("<p>{MARKUP}</p>"))]).len(), 1);
        let half = MARKUP.replace('<', "&lt;");
        assert_eq!(markup_escaped([&html(&format!("<input value=\"{half}\">"))]).len(), 1);
        assert_eq!(markup_escaped([&html(&format!("<input value='{half}'>"))]).len(), 1);
        assert_eq!(
            markup_escaped([&html(&format!("<script>var s = \"{MARKUP}\"</script>"))]).len(),
            1
        );
        assert!(markup_escaped([&json(400, &Value::String(MARKUP.into()).to_string())]).is_empty());
    }

    #[test]
    fn framing_is_forbidden_by_either_header() {
        let with = |name: &str, value: &str| forbids_framing(&answered(200, &[(name, value)], ""));
        assert!(with("X-Frame-Options", "deny").is_empty());
        assert!(
            with("Content-Security-Policy", "default-src 'none'; frame-ancestors 'self'")
                .is_empty()
        );
        assert_eq!(with("Content-Security-Policy", "frame-ancestors *")[0].weight, Weight::Failure);
        assert_eq!(with("X-Frame-Options", "ALLOW-FROM https://x")[0].weight, Weight::Failure);
    }

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
