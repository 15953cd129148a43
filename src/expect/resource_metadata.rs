//! Judges of protected resource metadata (RFC 9728).

use serde_json::{Map, Value};
use url::Url;

use super::{Findings, check};
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::metadata::Metadata;

/// Members that are arrays.
const LISTS: [&str; 6] = [
    "authorization_servers",
    "scopes_supported",
    "bearer_methods_supported",
    "resource_signing_alg_values_supported",
    "authorization_details_types_supported",
    "dpop_signing_alg_values_supported",
];

/// The document, if the answer is one.
pub fn document(exchange: &Exchange) -> Option<Map<String, Value>> {
    exchange.response().filter(|r| r.status == 200)?.json_object()
}

/// The `resource_metadata` address in the challenge of a refusal (RFC 9728 §5.1).
pub fn pointer(challenged: &Exchange) -> Option<String> {
    let response = challenged.response()?;
    response.headers("www-authenticate").find_map(|value| {
        let start = value.to_ascii_lowercase().find("resource_metadata")?;
        let rest = value[start + "resource_metadata".len()..].trim_start().strip_prefix('=')?;
        let rest = rest.trim_start();
        let address = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => rest.split([',', ' ']).next(),
        };
        address.filter(|address| !address.is_empty()).map(str::to_owned)
    })
}

/// `resource` equals the identifier from which the address was built; a lone slash at the end of an
/// identifier without path is a note.
pub fn names_identifier(exchange: &Exchange, identifier: &str) -> Findings {
    let document = document(exchange).unwrap_or_default();
    let named = document.get("resource").and_then(Value::as_str).unwrap_or("(none)");
    let is_origin =
        |text: &str| Url::parse(text).is_ok_and(|u| u.path() == "/" && u.query().is_none());
    let is_slash = named.trim_end_matches('/') == identifier.trim_end_matches('/');
    let weight = if is_slash && is_origin(identifier) { Weight::Note } else { Weight::Failure };
    check(named == identifier, || {
        let expected = format!("resource {identifier}");
        Deviation::new(expected, format!("resource {named}")).weighing(weight).seen_in(exchange)
    })
}

/// `resource` equals the URL whose challenge pointed here; one that contains the URL, up to the
/// boundary of a path segment, is a warning.
pub fn names_requested(exchange: &Exchange, requested: &str) -> Findings {
    let document = document(exchange).unwrap_or_default();
    let named = document.get("resource").and_then(Value::as_str).unwrap_or("(none)");
    let weight = if contains(named, requested) { Weight::Warning } else { Weight::Failure };
    check(named == requested, || {
        let expected = format!("resource {requested}");
        Deviation::new(expected, format!("resource {named}")).weighing(weight).seen_in(exchange)
    })
}

fn contains(identifier: &str, url: &str) -> bool {
    let (Ok(outer), Ok(inner)) = (Url::parse(identifier), Url::parse(url)) else { return false };
    let path = outer.path().trim_end_matches('/');
    outer.origin() == inner.origin()
        && inner
            .path()
            .strip_prefix(path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// 200 with an `application/json` object: `resource` is there, no list is empty, `jwks_uri` is
/// https (or local), no response is signed with `none`. `issuer` not being listed is a note.
pub fn format(exchange: &Exchange, issuer: &str) -> Findings {
    let members = document(exchange).unwrap_or_default();
    let metadata = Metadata::new(members.clone());
    let mut wrong = Vec::new();
    let mut demand = |holds: bool, what: &str| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    let media_type = exchange.response().and_then(|r| r.media_type());
    demand(media_type.as_deref() == Some("application/json"), "a media type of its own");
    demand(metadata.text("resource").is_some_and(|r| !r.is_empty()), "no resource");
    for name in LISTS {
        let is_filled = |value: &Value| value.as_array().is_some_and(|list| !list.is_empty());
        demand(members.get(name).is_none_or(is_filled), &format!("{name} without elements"));
    }
    if let Some(uri) = members.get("jwks_uri") {
        let is_fit = uri.as_str().is_some_and(super::metadata::is_https_or_local);
        demand(is_fit, "a jwks_uri that is not https");
    }
    let algorithms = metadata.list("resource_signing_alg_values_supported").unwrap_or_default();
    demand(!algorithms.contains(&"none"), "alg none for signed responses");
    let mut findings = check(wrong.is_empty(), || {
        let expected = "an application/json object with resource and without empty lists";
        Deviation::new(expected, wrong.join(", ")).seen_in(exchange)
    });
    if metadata.list("authorization_servers").is_some_and(|servers| !servers.contains(&issuer)) {
        let expected = "the issuer among authorization_servers";
        findings.push(
            Deviation::new(expected, "other servers").weighing(Weight::Note).seen_in(exchange),
        );
    }
    findings
}

/// The address in a challenge leads to a document.
pub fn leads_somewhere(exchange: &Exchange) -> Findings {
    check(document(exchange).is_some(), || {
        let expected = "metadata where resource_metadata points to";
        Deviation::new(expected, exchange.gist()).weighing(Weight::Warning).seen_in(exchange)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::exchange::samples::{answered, json as answer};

    fn weights(findings: &Findings) -> Vec<Weight> {
        findings.iter().map(|d| d.weight).collect()
    }

    fn with(document: &Value) -> Exchange {
        answer(200, &document.to_string())
    }

    #[test]
    fn the_pointer_is_read_from_the_challenge() {
        let of = |value: &str| pointer(&answered(401, &[("WWW-Authenticate", value)], ""));
        let address = Some("https://api.test/.well-known/x".to_owned());
        for value in [
            r#"Bearer realm="x", resource_metadata="https://api.test/.well-known/x", error="e""#,
            "Bearer resource_metadata = https://api.test/.well-known/x, scope=a",
            r#"bearer Resource_Metadata="https://api.test/.well-known/x""#,
        ] {
            assert_eq!(of(value), address, "{value}");
        }
        assert_eq!(of("Bearer"), None);
        assert_eq!(of(r#"Bearer resource_metadata="""#), None);
    }

    #[test]
    fn identifiers_compare_as_strings() {
        let of = |named: &str, identifier: &str| {
            weights(&names_identifier(&with(&json!({"resource": named})), identifier))
        };
        assert_eq!(of("https://api.test/v1", "https://api.test/v1"), []);
        assert_eq!(of("https://api.test/", "https://api.test"), [Weight::Note]);
        assert_eq!(of("https://api.test/v1/", "https://api.test/v1"), [Weight::Failure]);
        assert_eq!(of("https://other.test/v1", "https://api.test/v1"), [Weight::Failure]);
        assert_eq!(
            weights(&names_identifier(&with(&json!({})), "https://api.test")),
            [Weight::Failure]
        );
    }

    #[test]
    fn a_requested_url_may_lie_below_the_identifier() {
        let of = |named: &str| {
            let document = with(&json!({"resource": named}));
            weights(&names_requested(&document, "https://api.test/v1/me"))
        };
        assert_eq!(of("https://api.test/v1/me"), []);
        for outer in ["https://api.test", "https://api.test/v1", "https://api.test/v1/"] {
            assert_eq!(of(outer), [Weight::Warning], "{outer}");
        }
        for other in ["https://api.test/v", "https://other.test/v1", "https://api.test:8/v1", "x"] {
            assert_eq!(of(other), [Weight::Failure], "{other}");
        }
    }

    #[test]
    fn the_form_of_a_document() {
        let of = |document: Value| weights(&format(&with(&document), "https://as.test"));
        let whole = json!({
            "resource": "https://api.test", "authorization_servers": ["https://as.test"],
            "jwks_uri": "https://api.test/jwks", "bearer_methods_supported": ["header"],
        });
        assert_eq!(of(whole), []);
        assert_eq!(of(json!({"resource": "r", "authorization_servers": ["x"]})), [Weight::Note]);
        for wrong in [
            json!({}),
            json!({"resource": 7}),
            json!({"resource": "r", "scopes_supported": []}),
            json!({"resource": "r", "bearer_methods_supported": "header"}),
            json!({"resource": "r", "jwks_uri": "http://api.test/jwks"}),
            json!({"resource": "r", "resource_signing_alg_values_supported": ["none"]}),
        ] {
            assert_eq!(of(wrong.clone()), [Weight::Failure], "{wrong}");
        }
        let text = answered(200, &[("Content-Type", "text/plain")], r#"{"resource":"r"}"#);
        assert_eq!(weights(&format(&text, "https://as.test")), [Weight::Failure]);
    }

    #[test]
    fn a_pointer_to_nothing_is_a_warning() {
        assert!(leads_somewhere(&with(&json!({"resource": "r"}))).is_empty());
        assert_eq!(weights(&leads_somewhere(&answer(404, ""))), [Weight::Warning]);
    }
}
