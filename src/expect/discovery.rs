//! Judges of what metadata documents say together, of their OpenID members, and of documents that
//! were asked for with forged forwarding headers.

use serde_json::Value;

use super::{Findings, check, or_list};
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::metadata::Metadata;

/// The host in forged forwarding headers; it exists nowhere (RFC 6761 §6.4).
pub const FORGED_HOST: &str = "probe.invalid";

/// Two documents of one issuer agree on `issuer` and `jwks_uri`, on which `at+jwt` access tokens
/// rest (RFC 9068 §4), and on the endpoints that both name.
pub fn documents_agree(one: &Metadata, other: &Metadata, issues_at_jwt: bool) -> Findings {
    let differing = |names: &[&str]| -> Vec<String> {
        let differs = |name: &str| match (one.member(name), other.member(name)) {
            (Some(a), Some(b)) => a != b,
            _ => false,
        };
        names.iter().filter(|name| differs(name)).map(|name| (*name).to_owned()).collect()
    };
    let endpoints: Vec<&str> =
        one.endpoints().into_iter().map(|(name, _)| name).filter(|n| *n != "jwks_uri").collect();
    let grave = if issues_at_jwt { Weight::Failure } else { Weight::Warning };
    [(&["issuer", "jwks_uri"][..], grave), (&endpoints, Weight::Warning)]
        .into_iter()
        .flat_map(|(names, weight)| {
            let differing = differing(names);
            check(differing.is_empty(), || {
                let expected = "documents that agree on what both say";
                let actual = format!("another {}", differing.join(", "));
                Deviation::new(expected, actual).weighing(weight)
            })
        })
        .collect()
}

/// The members that OpenID Connect Discovery 1.0 §3 requires on top of RFC 8414.
pub fn openid_members(metadata: &Metadata) -> Findings {
    let is_list = |name: &str| metadata.list(name).is_some_and(|list| !list.is_empty());
    let subjects = metadata.list("subject_types_supported").unwrap_or_default();
    let has_subjects = is_list("subject_types_supported")
        && subjects.iter().all(|kind| ["public", "pairwise"].contains(kind));
    let wrong: Vec<&str> = [
        ("jwks_uri", metadata.text("jwks_uri").is_some()),
        ("subject_types_supported", has_subjects),
        ("id_token_signing_alg_values_supported", is_list("id_token_signing_alg_values_supported")),
    ]
    .into_iter()
    .filter(|(_, holds)| !holds)
    .map(|(name, _)| name)
    .collect();
    check(wrong.is_empty(), || {
        let expected = "jwks_uri, subject_types_supported (public, pairwise) and id_token_signing_alg_values_supported";
        Deviation::new(expected, format!("no usable {}", or_list(&wrong)))
    })
}

/// RS256 is listed for ID Tokens; security profiles forbid it, so its absence is a warning.
pub fn lists_rs256(metadata: &Metadata) -> Findings {
    let listed = metadata.list("id_token_signing_alg_values_supported").unwrap_or_default();
    check(listed.contains(&"RS256"), || {
        let actual = format!("[{}]", listed.join(", "));
        Deviation::new("RS256 in id_token_signing_alg_values_supported", actual)
            .weighing(Weight::Warning)
    })
}

/// Access tokens can be bound to a key: by DPoP (RFC 9449) or by a certificate (RFC 8705).
pub fn sender_constraint_offered(metadata: &Metadata) -> Findings {
    let by_dpop =
        metadata.list("dpop_signing_alg_values_supported").is_some_and(|algs| !algs.is_empty());
    let by_certificate = metadata.is_true("tls_client_certificate_bound_access_tokens");
    check(by_dpop || by_certificate, || {
        let expected =
            "dpop_signing_alg_values_supported or tls_client_certificate_bound_access_tokens=true";
        Deviation::new(expected, "neither").weighing(Weight::Warning)
    })
}

/// The document does not follow forged forwarding headers: it says what `usual` says, or the
/// request is refused.
pub fn forwarding_ignored(exchange: &Exchange, usual: &Metadata) -> Findings {
    let Some(response) = exchange.response() else { return vec![] };
    let deviation = |expected: &str, actual: String, weight| {
        vec![Deviation::new(expected, actual).weighing(weight).seen_in(exchange)]
    };
    if (400..500).contains(&response.status) {
        return vec![];
    }
    let redirects_there = response.location().is_some_and(|to| to.contains(FORGED_HOST));
    if redirects_there || response.text().contains(FORGED_HOST) {
        let actual = format!("{FORGED_HOST} in the answer");
        return deviation("addresses that no request can change", actual, Weight::Failure);
    }
    if (300..400).contains(&response.status) {
        return vec![];
    }
    let Some(document) = response.json_object().filter(|_| response.status == 200) else {
        return deviation("the same document or a refusal", exchange.gist(), Weight::Warning);
    };
    let document = Metadata::new(document);
    let issuer = document.text("issuer").map(|issuer| ("issuer", issuer));
    let changed: Vec<(&str, &str)> = issuer
        .into_iter()
        .chain(document.endpoints())
        .filter(|(name, value)| usual.member(name).is_some_and(|before| before != *value))
        .collect();
    let is_downgraded = |(name, value): &(&str, &str)| {
        value.starts_with("http:") && usual.text(name).is_some_and(|v| v.starts_with("https:"))
    };
    let weight = if changed.iter().any(is_downgraded) { Weight::Failure } else { Weight::Warning };
    let names: Vec<&str> = changed.iter().map(|(name, _)| *name).collect();
    check(names.is_empty(), || {
        let actual = format!("another {}", names.join(", "));
        Deviation::new("addresses that no request can change", actual)
            .weighing(weight)
            .seen_in(exchange)
    })
}

/// The document is that of a plain OAuth server: it lists scopes without `openid`, and no ID Token
/// was issued.
pub fn is_plain_oauth(metadata: &Metadata, issues_id_token: bool) -> bool {
    let lists_openid = metadata
        .member("scopes_supported")
        .and_then(Value::as_array)
        .is_none_or(|scopes| scopes.iter().any(|scope| scope == "openid"));
    !issues_id_token && !lists_openid
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::exchange::samples::{answered, json as answer};

    fn metadata(value: Value) -> Metadata {
        Metadata::new(value.as_object().cloned().unwrap_or_default())
    }

    fn weights(findings: &Findings) -> Vec<Weight> {
        findings.iter().map(|d| d.weight).collect()
    }

    #[test]
    fn documents_are_compared_by_what_both_say() {
        let one = metadata(json!({"issuer": "i", "jwks_uri": "k", "token_endpoint": "t"}));
        let of = |other: Value, at_jwt| weights(&documents_agree(&one, &metadata(other), at_jwt));
        assert_eq!(of(json!({"issuer": "i", "jwks_uri": "k", "scopes_supported": []}), true), []);
        assert_eq!(of(json!({"issuer": "i", "jwks_uri": "l"}), true), [Weight::Failure]);
        assert_eq!(of(json!({"issuer": "j"}), false), [Weight::Warning]);
        assert_eq!(of(json!({"token_endpoint": "u"}), true), [Weight::Warning]);
        let both = json!({"jwks_uri": "l", "token_endpoint": "u"});
        assert_eq!(of(both, true), [Weight::Failure, Weight::Warning]);
    }

    #[test]
    fn openid_members_are_named() {
        let of = |jwks: Value, subjects: Value, algs: Value| {
            openid_members(&metadata(json!({
                "jwks_uri": jwks, "subject_types_supported": subjects,
                "id_token_signing_alg_values_supported": algs,
            })))
        };
        let (uri, algs) = (json!("https://as.test/jwks"), json!(["ES256"]));
        assert!(of(uri.clone(), json!(["public", "pairwise"]), algs.clone()).is_empty());
        for (jwks, subjects, algs) in [
            (json!(7), json!(["public"]), algs.clone()),
            (uri.clone(), json!(["ephemeral"]), algs.clone()),
            (uri.clone(), json!([]), algs),
            (uri, json!(["public"]), json!([])),
        ] {
            assert_eq!(weights(&of(jwks, subjects, algs)), [Weight::Failure]);
        }
    }

    #[test]
    fn what_is_not_offered_is_a_warning() {
        let none = metadata(json!({"id_token_signing_alg_values_supported": ["ES256"]}));
        assert_eq!(weights(&lists_rs256(&none)), [Weight::Warning]);
        assert_eq!(weights(&sender_constraint_offered(&none)), [Weight::Warning]);
        for offer in [
            json!({"dpop_signing_alg_values_supported": ["ES256"]}),
            json!({"tls_client_certificate_bound_access_tokens": true}),
        ] {
            assert!(sender_constraint_offered(&metadata(offer)).is_empty());
        }
        let empty = json!({"dpop_signing_alg_values_supported": []});
        assert_eq!(sender_constraint_offered(&metadata(empty)).len(), 1);
    }

    #[test]
    fn forged_headers_change_nothing() {
        let usual =
            metadata(json!({"issuer": "https://as.test", "token_endpoint": "https://as.test/t"}));
        let of = |exchange: Exchange| weights(&forwarding_ignored(&exchange, &usual));
        assert_eq!(of(answer(200, r#"{"issuer":"https://as.test","x":1}"#)), []);
        assert_eq!(of(answer(400, "the host probe.invalid is not known")), []);
        assert_eq!(of(answered(301, &[("Location", "https://as.test/x")], "")), []);
        assert_eq!(of(answer(503, "")), [Weight::Warning]);
        assert_eq!(of(answer(200, r#"{"issuer":"https://other.test"}"#)), [Weight::Warning]);
        assert_eq!(of(answer(200, r#"{"token_endpoint":"http://as.test/t"}"#)), [Weight::Failure]);
        assert_eq!(of(answer(200, r#"{"x":["https://probe.invalid/"]}"#)), [Weight::Failure]);
        let away = answered(302, &[("Location", "http://probe.invalid/x")], "");
        assert_eq!(of(away), [Weight::Failure]);
    }

    #[test]
    fn a_plain_oauth_server_says_so() {
        let oauth = metadata(json!({"scopes_supported": ["api"]}));
        assert!(is_plain_oauth(&oauth, false) && !is_plain_oauth(&oauth, true));
        assert!(!is_plain_oauth(&metadata(json!({})), false));
    }
}
