//! Judges of access and refresh tokens: can they be guessed, for whom are they, whom do they name.

use std::collections::BTreeSet;

use super::entropy::{LEAST_BITS, upper_bound};
use super::tokens::typ;
use super::{Findings, check};
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::jose::Jws;

/// The tokens of several grants may hold 128 bits of chance. A repeated opaque token is a warning:
/// a server may return a token again while it lives.
pub fn unguessable(tokens: &[&str]) -> Findings {
    let mut findings = Findings::new();
    let distinct: BTreeSet<&str> = tokens.iter().copied().collect();
    let is_opaque = tokens.iter().all(|token| Jws::read(token).is_err());
    if is_opaque && distinct.len() < tokens.len() {
        let actual = format!("{} distinct among {}", distinct.len(), tokens.len());
        findings.push(Deviation::new("tokens that all differ", actual).weighing(Weight::Warning));
    }
    let secrets: Vec<String> = distinct.into_iter().map(secret_part).collect();
    let bits = upper_bound(&secrets.iter().map(String::as_str).collect::<Vec<_>>());
    findings.extend(check(bits >= LEAST_BITS, || {
        let expected = "at least 128 bits that cannot be known in advance";
        Deviation::new(expected, format!("at most {bits:.0} bits"))
    }));
    findings
}

/// What an attacker must guess: all of an opaque token; of a JWT, whose claims he may know, the
/// signature and `jti`.
fn secret_part(token: &str) -> String {
    match Jws::read(token) {
        Ok(jws) => format!("{}{}", jws.signature(), jws.text("jti").unwrap_or_default()),
        Err(_) => token.to_owned(),
    }
}

/// The header says `at+jwt` (RFC 9068 §2.1).
pub fn explicitly_typed(jws: &Jws) -> Findings {
    let named = typ(jws);
    check(named.as_deref() == Some("at+jwt"), || {
        let actual = format!("typ {}", named.as_deref().unwrap_or("(none)"));
        Deviation::new("typ at+jwt", actual).weighing(Weight::Warning)
    })
}

/// `aud` names somebody beside the client that got the token.
pub fn for_a_resource(audience: &[&str], client_id: &str) -> Findings {
    check(audience.iter().any(|aud| !aud.is_empty() && *aud != client_id), || {
        let actual = if audience.is_empty() { "no aud" } else { "the client alone" };
        Deviation::new("aud with a resource", actual).weighing(Weight::Warning)
    })
}

/// The subject of a user's grant is not named like the client.
pub fn subject_not_client(jws: &Jws, client_id: &str) -> Findings {
    check(jws.text("sub") != Some(client_id), || {
        let expected = "a sub that differs from the client_id";
        Deviation::new(expected, "the client_id as sub").weighing(Weight::Warning)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::oauth::jose::samples::{jws, token};
    use crate::oauth::random;

    fn weights(tokens: &[String]) -> Vec<Weight> {
        let findings = unguessable(&tokens.iter().map(String::as_str).collect::<Vec<_>>());
        findings.iter().map(|d| d.weight).collect()
    }

    fn eight(make: impl Fn(u32) -> String) -> Vec<String> {
        (0..8).map(make).collect()
    }

    #[test]
    fn opaque_tokens_are_measured_as_a_whole() {
        assert_eq!(weights(&eight(|_| random(32))), []);
        assert_eq!(weights(&eight(|i| format!("{i:032}"))), [Weight::Failure]);
        assert_eq!(weights(&eight(|_| random(4))), [Weight::Failure]);
        assert_eq!(
            weights(&eight(|_| format!("a-long-constant-frame-{}", random(4)))),
            [Weight::Failure]
        );
        assert_eq!(weights(&vec!["token".to_owned(); 8]), [Weight::Warning, Weight::Failure]);
        assert_eq!(weights(&vec![random(32); 8]), [Weight::Warning]);
    }

    #[test]
    fn the_claims_of_a_jwt_prove_nothing() {
        let claims = |i: u32| json!({"sub": random(32), "jti": i.to_string()});
        assert_eq!(
            weights(&eight(|i| token(json!({"alg": "none"}), claims(i), ""))),
            [Weight::Failure]
        );
        let signed = |i: u32| token(json!({"alg": "HS256"}), claims(i), &random(32));
        assert_eq!(weights(&eight(signed)), []);
        // A deterministic signature without jti repeats itself within a second.
        assert_eq!(weights(&vec![signed(1); 8]), []);
        let same = |i: u32| json!({"sub": i, "jti": "a-jti-that-is-long-and-always-the-same-one"});
        assert_eq!(
            weights(&eight(|i| token(json!({"alg": "none"}), same(i), ""))),
            [Weight::Failure]
        );
        let unsigned = |_| token(json!({"alg": "none"}), json!({"jti": random(32)}), "");
        assert_eq!(weights(&eight(unsigned)), []);
    }

    #[test]
    fn the_type_is_explicit() {
        for (typ, fits) in [("at+jwt", true), ("application/AT+JWT", true), ("JWT", false)] {
            let token = jws(json!({"alg": "ES256", "typ": typ}), json!({}));
            assert_eq!(explicitly_typed(&token).is_empty(), fits, "{typ}");
        }
        assert_eq!(
            explicitly_typed(&jws(json!({"alg": "x"}), json!({})))[0].weight,
            Weight::Warning
        );
    }

    #[test]
    fn the_audience_is_more_than_the_client() {
        for (audience, fits) in [
            (vec!["https://api.test"], true),
            (vec!["web", "https://api.test"], true),
            (vec!["web"], false),
            (vec![""], false),
            (vec![], false),
        ] {
            assert_eq!(for_a_resource(&audience, "web").is_empty(), fits, "{audience:?}");
        }
    }

    #[test]
    fn a_user_is_not_named_like_the_client() {
        let of =
            |sub: &str| subject_not_client(&jws(json!({"alg": "x"}), json!({"sub": sub})), "web");
        assert!(of("alice").is_empty());
        assert_eq!(of("web")[0].weight, Weight::Warning);
    }
}
