//! Judges of the header and the subject of ID Tokens, and of what tells them from access tokens.

use std::collections::BTreeSet;

use serde_json::Value;

use super::tokens::typ;
use super::{Findings, check};
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::jose::{Jws, half_hash};

/// `alg` is no MAC: a public client has no secret that could be its key.
pub fn asymmetric(jws: &Jws) -> Findings {
    check(!is_mac(jws), || {
        Deviation::new("an ID Token signed by a private key", format!("alg {}", jws.alg()))
    })
}

fn is_mac(jws: &Jws) -> bool {
    ["HS256", "HS384", "HS512"].iter().any(|mac| jws.alg().eq_ignore_ascii_case(mac))
}

/// `kid` names one of several published keys; a name that two keys of a type share is a warning.
/// A token that no published key signed is the business of other duties.
pub fn kid_known(jws: &Jws, keys: &[Value]) -> Findings {
    if jws.alg().eq_ignore_ascii_case("none") || is_mac(jws) {
        return vec![];
    }
    let Some(kid) = jws.header.get("kid").and_then(Value::as_str) else {
        let expected = format!("a kid, since {} keys are published", keys.len());
        return vec![Deviation::new(expected, "no kid in the header")];
    };
    let named: Vec<&Value> =
        keys.iter().filter(|key| key.get("kid").and_then(Value::as_str) == Some(kid)).collect();
    if named.is_empty() {
        return vec![Deviation::new("the kid of a published key", "a kid that no key has")];
    }
    let types: BTreeSet<&str> =
        named.iter().filter_map(|key| key.get("kty").and_then(Value::as_str)).collect();
    check(named.len() <= types.len().max(1), || {
        Deviation::new("a kid of its own for each key of a type", "a kid that several keys share")
            .weighing(Weight::Warning)
    })
}

/// The header neither carries key material nor points at any.
pub fn no_embedded_keys(jws: &Jws) -> Findings {
    let present: Vec<&str> = ["x5u", "x5c", "jku", "jwk"]
        .into_iter()
        .filter(|name| jws.header.contains_key(*name))
        .collect();
    check(present.is_empty(), || {
        let actual = format!("{} in the header", present.join(", "));
        Deviation::new("a header without x5u, x5c, jku and jwk", actual)
    })
}

/// `sub` is a non-empty string of at most 255 characters; others than ASCII are a warning.
pub fn subject_form(jws: &Jws) -> Findings {
    let deviation = |actual: String, weight| {
        vec![
            Deviation::new("sub as a string of 1 to 255 ASCII characters", actual).weighing(weight),
        ]
    };
    match jws.claims.get("sub") {
        None => deviation("no sub".into(), Weight::Failure),
        Some(Value::String(sub)) => match sub.chars().count() {
            0 => deviation("an empty string".into(), Weight::Failure),
            1..=255 if sub.is_ascii() => vec![],
            1..=255 => deviation("other characters than ASCII".into(), Weight::Warning),
            count => deviation(format!("{count} characters"), Weight::Failure),
        },
        Some(_) => deviation("no string".into(), Weight::Failure),
    }
}

/// All ID Tokens of one user at one client name the same subject.
pub fn subject_stable(subjects: &[&str]) -> Findings {
    let distinct: BTreeSet<&str> = subjects.iter().copied().collect();
    check(distinct.len() <= 1, || {
        let actual = format!("{} subjects in {} flows", distinct.len(), subjects.len());
        Deviation::new("one sub for one user at one client", actual)
    })
}

/// `at_hash`, where given, is that of the access token. Where the hash function does not follow
/// from `alg`, SHA-512 is expected (Ed25519 is built on it) and a difference is a warning.
pub fn at_hash(jws: &Jws, access_token: &str) -> Findings {
    let Some(given) = jws.claims.get("at_hash") else { return vec![] };
    if jws.alg().eq_ignore_ascii_case("none") {
        return vec![];
    }
    let (right, weight) = match half_hash(jws.alg(), access_token) {
        Some(right) => (Some(right), Weight::Failure),
        None => (half_hash("SHA512", access_token), Weight::Warning),
    };
    check(given.as_str() == right.as_deref(), || {
        let expected = "at_hash as the left half of the hash of the access token";
        Deviation::new(expected, format!("another value (alg {})", jws.alg())).weighing(weight)
    })
}

/// A resource server can tell the two tokens of a response apart: by `typ`, by `aud` or by a claim
/// that says what kind of token it is.
pub fn distinct(id_token: &Jws, access_token: &Jws, client_id: &str) -> Findings {
    let at_jwt = |jws: &Jws| typ(jws).as_deref() == Some("at+jwt");
    if at_jwt(id_token) {
        return vec![Deviation::new("an ID Token without typ at+jwt", "typ at+jwt")];
    }
    let is_for_client = |jws: &Jws| jws.audience().contains(&client_id);
    let by_audience = is_for_client(id_token) && !is_for_client(access_token);
    let by_claim = ["typ", "token_use", "token_type"].into_iter().any(|name| {
        access_token.text(name).is_some() && access_token.text(name) != id_token.text(name)
    });
    check(at_jwt(access_token) || by_audience || by_claim, || {
        let expected =
            "typ at+jwt on the access token alone, or the client as aud of the ID Token alone";
        Deviation::new(expected, "two tokens alike in typ and aud").weighing(Weight::Warning)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::oauth::jose::samples::jws;

    fn weight(findings: &Findings) -> Option<Weight> {
        findings.iter().map(|d| d.weight).max()
    }

    #[test]
    fn a_mac_is_no_signature() {
        for (alg, fits) in
            [("ES256", true), ("PS384", true), ("EdDSA", true), ("HS256", false), ("hs512", false)]
        {
            assert_eq!(asymmetric(&jws(json!({"alg": alg}), json!({}))).is_empty(), fits, "{alg}");
        }
    }

    #[test]
    fn the_header_names_one_published_key() {
        let keys = [
            json!({"kty": "EC", "kid": "a"}),
            json!({"kty": "EC", "kid": "b"}),
            json!({"kty": "RSA", "kid": "b"}),
            json!({"kty": "EC", "kid": "c"}),
            json!({"kty": "EC", "kid": "c"}),
        ];
        let of = |header: Value| weight(&kid_known(&jws(header, json!({})), &keys));
        assert_eq!(of(json!({"alg": "ES256", "kid": "a"})), None);
        assert_eq!(of(json!({"alg": "ES256", "kid": "b"})), None);
        assert_eq!(of(json!({"alg": "ES256", "kid": "c"})), Some(Weight::Warning));
        assert_eq!(of(json!({"alg": "ES256", "kid": "d"})), Some(Weight::Failure));
        assert_eq!(of(json!({"alg": "ES256"})), Some(Weight::Failure));
        assert_eq!(of(json!({"alg": "none"})), None);
    }

    #[test]
    fn key_material_in_the_header_is_named() {
        let found =
            no_embedded_keys(&jws(json!({"alg": "ES256", "jku": "x", "jwk": {}}), json!({})));
        assert_eq!(found[0].actual, "jku, jwk in the header");
        assert!(no_embedded_keys(&jws(json!({"alg": "ES256", "x5t": "y"}), json!({}))).is_empty());
    }

    #[test]
    fn subjects_are_short_strings() {
        let of = |sub: Value| weight(&subject_form(&jws(json!({"alg": "x"}), json!({"sub": sub}))));
        assert_eq!(of(json!("a".repeat(255))), None);
        assert_eq!(of(json!("a".repeat(256))), Some(Weight::Failure));
        assert_eq!(of(json!("jürgen")), Some(Weight::Warning));
        for bad in [json!(""), json!(7), Value::Null] {
            assert_eq!(of(bad), Some(Weight::Failure));
        }
        assert_eq!(
            weight(&subject_form(&jws(json!({"alg": "x"}), json!({})))),
            Some(Weight::Failure)
        );
    }

    #[test]
    fn one_user_has_one_subject() {
        assert!(subject_stable(&["a", "a"]).is_empty());
        assert_eq!(subject_stable(&["a", "A"]).len(), 1);
    }

    #[test]
    fn the_hash_is_that_of_the_access_token() {
        let of = |alg: &str, hash: Option<String>| {
            let claims = hash.map_or(json!({}), |hash| json!({"at_hash": hash}));
            weight(&at_hash(&jws(json!({"alg": alg}), claims), "token"))
        };
        assert_eq!(of("ES256", half_hash("ES256", "token")), None);
        assert_eq!(of("ES384", half_hash("ES384", "token")), None);
        assert_eq!(of("EdDSA", half_hash("RS512", "token")), None);
        assert_eq!(of("ES256", None), None);
        assert_eq!(of("ES256", half_hash("ES256", "other")), Some(Weight::Failure));
        assert_eq!(of("ES512", half_hash("ES256", "token")), Some(Weight::Failure));
        assert_eq!(of("EdDSA", half_hash("RS256", "token")), Some(Weight::Warning));
    }

    #[test]
    fn tokens_differ_by_type_audience_or_kind() {
        let token = |typ: &str, claims: Value| jws(json!({"alg": "ES256", "typ": typ}), claims);
        let of = |id: Jws, access: Jws| weight(&distinct(&id, &access, "web"));
        let for_client = || json!({"aud": "web"});
        let id = || token("JWT", for_client());
        assert_eq!(of(id(), token("at+jwt", for_client())), None);
        assert_eq!(of(id(), token("JWT", json!({"aud": ["api"]}))), None);
        assert_eq!(of(id(), token("JWT", json!({"token_use": "access"}))), None);
        assert_eq!(of(id(), token("JWT", json!({"aud": "web", "typ": "Bearer"}))), None);
        assert_eq!(of(id(), token("JWT", for_client())), Some(Weight::Warning));
        assert_eq!(
            of(token("application/at+JWT", for_client()), token("at+jwt", json!({"aud": "api"}))),
            Some(Weight::Failure)
        );
    }
}
