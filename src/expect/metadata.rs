//! Judges of metadata documents and of the key set.

use serde_json::Value;
use url::Url;

use super::{Findings, check, or_list};
use crate::model::address::is_loopback;
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::metadata::Metadata;

/// A direct 200 answer with one JSON object of type `application/json`.
pub fn is_json_document(exchange: &Exchange) -> Findings {
    let holds = exchange.response().is_some_and(|r| {
        r.status == 200
            && r.media_type().as_deref() == Some("application/json")
            && r.json_object().is_some()
    });
    check(holds, || {
        Deviation::new("200 with one application/json object", exchange.gist()).seen_in(exchange)
    })
}

/// `issuer` equals the configured one; a trailing slash alone is a note about the configuration.
pub fn issuer_identical(metadata: &Metadata, configured: &str) -> Findings {
    let named = metadata.text("issuer").unwrap_or("(none)");
    let is_slash = named.trim_end_matches('/') == configured.trim_end_matches('/');
    let weight = if is_slash { Weight::Note } else { Weight::Failure };
    check(named == configured, || {
        Deviation::new(format!("issuer {configured}"), format!("issuer {named}")).weighing(weight)
    })
}

/// An https URL (http only on loopback) with host and without query or fragment.
pub fn issuer_form(metadata: &Metadata) -> Findings {
    let named = metadata.text("issuer").unwrap_or("(none)");
    let fits = is_https_or_local(named) && !named.contains(['?', '#']);
    check(fits, || {
        Deviation::new("an https URL without query and fragment", format!("issuer {named}"))
    })
}

pub(super) fn is_https_or_local(url: &str) -> bool {
    Url::parse(url).is_ok_and(|u| match (u.scheme(), u.host_str()) {
        ("https", Some(_)) => true,
        ("http", Some(host)) => is_loopback(host),
        _ => false,
    })
}

/// The four members that a code flow needs, with their types.
pub fn core_members(metadata: &Metadata) -> Findings {
    let texts = ["issuer", "authorization_endpoint", "token_endpoint"];
    let mut missing: Vec<&str> =
        texts.into_iter().filter(|name| metadata.text(name).is_none()).collect();
    if metadata.list("response_types_supported").is_none_or(|types| types.is_empty()) {
        missing.push("response_types_supported");
    }
    check(missing.is_empty(), || {
        let expected = "issuer, authorization_endpoint, token_endpoint (strings) and response_types_supported (array)";
        Deviation::new(expected, format!("no usable {}", or_list(&missing)))
    })
}

/// `code` among the response types and `authorization_code` among the grant types, where listed.
pub fn code_flow_listed(metadata: &Metadata) -> Findings {
    let has_code =
        metadata.list("response_types_supported").is_some_and(|types| types.contains(&"code"));
    let has_grant = match metadata.member("grant_types_supported") {
        None => true,
        Some(_) => metadata
            .list("grant_types_supported")
            .is_some_and(|g| g.contains(&"authorization_code")),
    };
    check(has_code && has_grant, || {
        let missing = if has_code { "authorization_code" } else { "response type code" };
        Deviation::new(
            "response type code, and grant type authorization_code where grants are listed",
            format!("no {missing}"),
        )
    })
}

/// No response type that hands out tokens, no implicit grant.
pub fn no_front_channel_tokens(metadata: &Metadata) -> Findings {
    let types = metadata.list("response_types_supported").unwrap_or_default();
    let mut listed: Vec<&str> =
        types.into_iter().filter(|t| t.split(' ').any(|word| word == "token")).collect();
    if metadata.list("grant_types_supported").is_some_and(|g| g.contains(&"implicit")) {
        listed.push("implicit");
    }
    if !listed.is_empty() {
        let expected = "no response type with token and no implicit grant";
        return vec![
            Deviation::new(expected, format!("{} listed", or_list(&listed)))
                .weighing(Weight::Warning),
        ];
    }
    check(metadata.member("grant_types_supported").is_some(), || {
        let actual = "no grant_types_supported, whose default includes implicit";
        Deviation::new("grant_types_supported without implicit", actual).weighing(Weight::Note)
    })
}

/// `name` lists `value`.
pub fn lists(metadata: &Metadata, name: &str, value: &str) -> Findings {
    let list = metadata.list(name).unwrap_or_default();
    check(list.contains(&value), || {
        Deviation::new(format!("{value} in {name}"), format!("[{}]", list.join(", ")))
    })
}

/// `name` does not list `value`.
pub fn lists_not(metadata: &Metadata, name: &str, value: &str) -> Findings {
    let list = metadata.list(name).unwrap_or_default();
    check(!list.contains(&value), || {
        Deviation::new(format!("no {value} in {name}"), format!("[{}]", list.join(", ")))
    })
}

/// Authorization and token endpoint have no fragment.
pub fn no_fragment(metadata: &Metadata) -> Findings {
    ["authorization_endpoint", "token_endpoint"]
        .into_iter()
        .filter_map(|name| Some((name, metadata.text(name)?)))
        .flat_map(|(name, url)| {
            check(!url.contains('#'), || Deviation::new(format!("{name} without a fragment"), url))
        })
        .collect()
}

/// Every endpoint is https, or http on loopback.
pub fn https_endpoints(metadata: &Metadata) -> Findings {
    let cleartext: Vec<String> = metadata
        .endpoints()
        .into_iter()
        .filter(|(_, url)| !is_https_or_local(url))
        .map(|(name, url)| format!("{name} {url}"))
        .collect();
    check(cleartext.is_empty(), || Deviation::new("https URLs", cleartext.join(", ")))
}

/// A JWK Set with at least one key, every key with `kty`.
pub fn key_set(exchange: &Exchange) -> Findings {
    let Some(response) = exchange.response() else {
        return vec![Deviation::new("200 with a JWK Set", exchange.gist()).seen_in(exchange)];
    };
    let keys = response
        .json_object()
        .and_then(|set| set.get("keys").and_then(Value::as_array).cloned())
        .unwrap_or_default();
    let usable = response.status == 200
        && !keys.is_empty()
        && keys.iter().all(|k| k.get("kty").is_some_and(Value::is_string));
    let mut findings = check(usable, || {
        Deviation::new("200 with a non-empty keys array, each key with kty", exchange.gist())
            .seen_in(exchange)
    });
    let media_type = response.media_type().unwrap_or_default();
    if usable && !matches!(media_type.as_str(), "application/json" | "application/jwk-set+json") {
        let expected = "application/jwk-set+json or application/json";
        findings
            .push(Deviation::new(expected, media_type).weighing(Weight::Warning).seen_in(exchange));
    }
    findings
}

/// No private or symmetric member in any key.
pub fn no_private_keys(jwks: &Value) -> Findings {
    const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];
    let keys = jwks.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut leaked: Vec<String> = Vec::new();
    for (i, key) in keys.iter().enumerate() {
        let members = PRIVATE.iter().filter(|name| key.get(**name).is_some());
        leaked.extend(members.map(|name| format!("{name} in key {}", i + 1)));
        if key.get("kty").and_then(Value::as_str) == Some("oct") {
            leaked.push(format!("kty oct in key {}", i + 1));
        }
    }
    check(leaked.is_empty(), || Deviation::new("public keys only", leaked.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::exchange::samples::{answered, json as answer};

    fn metadata(value: Value) -> Metadata {
        Metadata::new(value.as_object().cloned().unwrap_or_default())
    }

    #[test]
    fn html_with_status_200_is_no_metadata() {
        assert!(is_json_document(&answer(200, "{}")).is_empty());
        assert_eq!(
            is_json_document(&answered(200, &[("Content-Type", "text/html")], "{}")).len(),
            1
        );
        assert_eq!(is_json_document(&answer(200, "[]")).len(), 1);
    }

    #[test]
    fn issuers_compare_as_strings() {
        let of = |issuer: &str| {
            issuer_identical(&metadata(json!({"issuer": issuer})), "https://as.test")
        };
        assert!(of("https://as.test").is_empty());
        assert_eq!(of("https://as.test/")[0].weight, Weight::Note);
        assert_eq!(of("https://AS.test")[0].weight, Weight::Failure);
    }

    #[test]
    fn issuers_are_https_or_local() {
        for (issuer, fits) in [
            ("https://as.test/t", true),
            ("http://127.0.0.1:7001", true),
            ("http://localhost", true),
            ("http://as.test", false),
            ("https://as.test?x", false),
            ("https://as.test#x", false),
            ("as.test", false),
        ] {
            assert_eq!(
                issuer_form(&metadata(json!({"issuer": issuer}))).is_empty(),
                fits,
                "{issuer}"
            );
        }
    }

    #[test]
    fn response_types_with_token_are_found() {
        let of = |types: Value| {
            no_front_channel_tokens(&metadata(
                json!({"response_types_supported": types, "grant_types_supported": []}),
            ))
        };
        assert!(of(json!(["code", "code id_token", "id_token"])).is_empty());
        for bad in ["token", "id_token token", "code token", "code id_token token"] {
            assert_eq!(of(json!(["code", bad])).len(), 1, "{bad}");
        }
    }

    #[test]
    fn private_members_are_found() {
        assert!(no_private_keys(&json!({"keys":[{"kty":"EC","x":"1","y":"2"}]})).is_empty());
        assert_eq!(no_private_keys(&json!({"keys":[{"kty":"EC","d":"1"}]})).len(), 1);
        assert_eq!(no_private_keys(&json!({"keys":[{"kty":"oct","k":"1"}]})).len(), 1);
    }

    #[test]
    fn an_absent_grant_list_includes_the_code_grant() {
        assert!(
            code_flow_listed(&metadata(json!({"response_types_supported":["code"]}))).is_empty()
        );
        let other =
            json!({"response_types_supported":["code"],"grant_types_supported":["refresh_token"]});
        assert_eq!(code_flow_listed(&metadata(other)).len(), 1);
    }
}
