//! Judges of a successful token response.

use serde_json::Value;

use super::{Findings, check, or_list};
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::jose::Jws;
use crate::oauth::token::{TokenResponse, scope_set};

/// 200 with one `application/json` object.
pub fn status_and_type(exchange: &Exchange) -> Findings {
    super::metadata::is_json_document(exchange)
}

/// A non-empty string that fits the `Authorization` header (token68).
pub fn access_token(tokens: &TokenResponse) -> Findings {
    let fits = tokens.access_token().is_some_and(|token| {
        let body = token.trim_end_matches('=');
        !body.is_empty()
            && body.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b))
    });
    check(fits, || Deviation::new("access_token of letters, digits and -._~+/", "another value"))
}

/// `Bearer`, in any case.
pub fn token_type(tokens: &TokenResponse) -> Findings {
    let named = tokens.text("token_type").unwrap_or("(none)");
    check(named.eq_ignore_ascii_case("bearer"), || {
        Deviation::new("token_type Bearer", format!("token_type {named}"))
    })
}

/// `expires_in` is there.
pub fn expires_in_present(tokens: &TokenResponse) -> Findings {
    check(tokens.member("expires_in").is_some(), || Deviation::new("expires_in", "none"))
}

/// `expires_in` is a non-negative integer number.
pub fn expires_in_number(tokens: &TokenResponse) -> Findings {
    let value = tokens.member("expires_in");
    check(value.is_some_and(Value::is_u64), || {
        Deviation::new(
            "expires_in as a non-negative integer",
            value.map_or("none".into(), Value::to_string),
        )
    })
}

/// Seconds that the access token lives: the smaller of `expires_in` and `exp` minus `iat`.
pub fn lifetime(tokens: &TokenResponse) -> Option<i64> {
    let announced =
        tokens.member("expires_in").and_then(|v| v.as_i64().or_else(|| v.as_str()?.parse().ok()));
    let jws = tokens.access_token().and_then(|token| Jws::read(token).ok());
    let signed = jws.and_then(|jws| Some(jws.seconds("exp")? - jws.seconds("iat")?));
    match (announced, signed) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}

/// The access token lives at most `most` seconds.
pub fn short_lived(lifetime: i64, most: i64) -> Findings {
    check(lifetime <= most, || {
        Deviation::new(format!("at most {most} seconds"), format!("{lifetime} seconds"))
    })
}

/// The scope that the token really has: its own claim, the introspection result, or what the
/// response reports.
pub fn effective_scope(tokens: &TokenResponse, introspected: Option<&str>) -> Option<String> {
    let claimed = tokens.access_token().and_then(|token| Jws::read(token).ok()).and_then(|jws| {
        match jws.claims.get("scope").or_else(|| jws.claims.get("scp"))? {
            Value::String(scope) => Some(scope.clone()),
            Value::Array(values) => {
                Some(values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
            }
            _ => None,
        }
    });
    introspected.map(str::to_owned).or(claimed)
}

/// The scope of a token: inside it where it can be read, else as the response reports it.
pub fn known_scope(tokens: &TokenResponse) -> Option<String> {
    effective_scope(tokens, None).or_else(|| tokens.text("scope").map(str::to_owned))
}

/// Whenever the granted scope differs from the requested one, `scope` reports it. A failure needs
/// proof of the difference; without any, the answer conforms.
pub fn scope_reported(
    tokens: &TokenResponse,
    requested: &str,
    unknown: &str,
    introspected: Option<&str>,
) -> Findings {
    let reported = tokens.text("scope");
    let effective = effective_scope(tokens, introspected);
    let described = |scope: Option<&str>| {
        scope.map_or("no scope member".to_owned(), |s| format!("scope \"{s}\""))
    };
    let deviation = |expected: String| vec![Deviation::new(expected, described(reported))];
    match (&effective, reported) {
        (Some(effective), None) if scope_set(effective) != scope_set(requested) => deviation(
            format!("scope \"{effective}\", which differs from the requested \"{requested}\""),
        ),
        (Some(effective), Some(reported)) if scope_set(effective) != scope_set(reported) => {
            deviation(format!("scope \"{effective}\", as in the token itself"))
        }
        (None, Some(reported)) if scope_set(reported).contains(unknown) => {
            deviation(format!("a scope without {unknown}, which nobody defined"))
        }
        _ => vec![],
    }
}

/// The reported scope is a subset of the requested one.
pub fn scope_not_widened(tokens: &TokenResponse, requested: &str) -> Findings {
    let effective = effective_scope(tokens, None);
    let granted = tokens.text("scope").or(effective.as_deref()).unwrap_or_default();
    let extra: Vec<&str> = scope_set(granted).difference(&scope_set(requested)).copied().collect();
    check(extra.is_empty(), || {
        Deviation::new(
            format!("no more than \"{requested}\""),
            format!("{} granted too", or_list(&extra)),
        )
    })
}

/// The answer or its token says what was granted.
pub fn tells_scope(tokens: &TokenResponse) -> bool {
    effective_scope(tokens, None).is_some() || tokens.text("scope").is_some()
}

/// A scope value is not part of the grant. Nothing is found where nothing tells what was granted:
/// RFC 6749 §5.1 reads silence as all of the request, but a server may be silent in error.
pub fn scope_withheld(
    tokens: &TokenResponse,
    introspected: Option<&str>,
    forbidden: &str,
) -> Findings {
    let effective = effective_scope(tokens, introspected);
    let granted = effective.as_deref().or(tokens.text("scope"));
    let widened = granted.filter(|granted| scope_set(granted).contains(forbidden));
    widened
        .map(|granted| {
            Deviation::new(
                format!("a refusal, or a scope without {forbidden}"),
                format!("scope \"{granted}\""),
            )
        })
        .into_iter()
        .collect()
}

/// A header field contains a directive, in any case.
pub fn header_contains(exchange: &Exchange, name: &str, directive: &str) -> Findings {
    let values: Vec<&str> =
        exchange.response().map(|r| r.headers(name).collect()).unwrap_or_default();
    let holds =
        values.iter().any(|v| v.split(',').any(|d| d.trim().eq_ignore_ascii_case(directive)));
    check(holds, || {
        let actual = if values.is_empty() {
            format!("no {name}")
        } else {
            format!("{name}: {}", values.join(", "))
        };
        Deviation::new(format!("{name}: {directive}"), actual).seen_in(exchange)
    })
}

/// `id_token` is a compact JWS (three parts) or JWE (five parts).
pub fn id_token(tokens: &TokenResponse) -> Findings {
    let parts = tokens.id_token().map_or(0, |token| token.split('.').count());
    check(matches!(parts, 3 | 5), || {
        let actual =
            if parts == 0 { "no id_token".into() } else { format!("id_token of {parts} parts") };
        Deviation::new("id_token as compact JWS or JWE", actual)
    })
}

/// An unknown resource is not what the token is addressed to.
pub fn not_addressed_to(tokens: &TokenResponse, resource: &str) -> Findings {
    let jws = tokens.access_token().and_then(|token| Jws::read(token).ok());
    let addressed = jws.is_some_and(|jws| jws.audience().contains(&resource));
    check(!addressed, || {
        Deviation::new(
            "invalid_target, or a token for another audience",
            format!("a token addressed to {resource}"),
        )
        .weighing(Weight::Failure)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::{answered, json};

    fn tokens(members: &str) -> TokenResponse {
        let body = format!(r#"{{"access_token":"opaque"{members}}}"#);
        TokenResponse::read(json(200, &body).response().unwrap()).unwrap()
    }

    #[test]
    fn numbers_are_numbers() {
        assert!(expires_in_number(&tokens(r#","expires_in":3600"#)).is_empty());
        for bad in [r#","expires_in":"3600""#, r#","expires_in":-1"#, r#","expires_in":1.5"#, ""] {
            assert_eq!(expires_in_number(&tokens(bad)).len(), 1, "{bad}");
        }
    }

    #[test]
    fn lifetimes_are_read_even_when_quoted() {
        assert_eq!(lifetime(&tokens(r#","expires_in":"7200""#)), Some(7200));
        assert_eq!(lifetime(&tokens("")), None);
    }

    #[test]
    fn a_header_directive_is_found_in_any_case() {
        let exchange = answered(200, &[("cache-control", "private, No-Store")], "");
        assert!(header_contains(&exchange, "Cache-Control", "no-store").is_empty());
        assert_eq!(header_contains(&exchange, "Pragma", "no-cache").len(), 1);
    }

    #[test]
    fn a_difference_in_scope_must_be_reported() {
        let requested = "openid unknown";
        assert!(
            scope_reported(&tokens(r#","scope":"openid""#), requested, "unknown", None).is_empty()
        );
        assert!(
            scope_reported(&tokens(""), requested, "unknown", None).is_empty(),
            "no proof of a difference"
        );
        assert_eq!(scope_reported(&tokens(""), requested, "unknown", Some("openid")).len(), 1);
        assert_eq!(
            scope_reported(&tokens(r#","scope":"openid unknown""#), requested, "unknown", None)
                .len(),
            1
        );
    }

    #[test]
    fn grants_are_not_broader_than_requests() {
        assert!(scope_not_widened(&tokens(r#","scope":"b a""#), "a b c").is_empty());
        assert_eq!(scope_not_widened(&tokens(r#","scope":"a d""#), "a b").len(), 1);
        assert!(scope_withheld(&tokens(""), None, "admin").is_empty());
        assert_eq!(scope_withheld(&tokens(""), Some("openid admin"), "admin").len(), 1);
        assert_eq!(scope_withheld(&tokens(r#","scope":"admin""#), None, "admin").len(), 1);
        assert!(scope_withheld(&tokens(r#","scope":"openid""#), None, "admin").is_empty());
        assert!(scope_withheld(&tokens(""), Some("openid"), "admin").is_empty());
    }

    #[test]
    fn token_characters() {
        assert!(access_token(&tokens("")).is_empty());
        let odd = TokenResponse::read(json(200, r#"{"access_token":"a b"}"#).response().unwrap())
            .unwrap();
        assert_eq!(access_token(&odd).len(), 1);
    }
}
