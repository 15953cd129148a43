//! Public P-256 keys as the wallet world names them (The did:key Method v0.9, SEC 1 §2.3.3).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::Value;

use crate::jwt::Parts;
use crate::keys::p256_point;

/// What a did:key starts with: the method, and `z` for base58btc (Multibase).
const PREFIX: &str = "did:key:z";
/// `p256-pub`, 0x1200 as a varint (Multicodec).
const P256: [u8; 2] = [0x80, 0x24];
/// Octets of a compressed point.
const COMPRESSED: usize = 33;
/// More characters than any P-256 key has.
const LONGEST: usize = 64;
const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// A public P-256 key, as the point that was presented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey(Vec<u8>);

impl PublicKey {
    /// The key that a did:key consists of.
    pub(crate) fn of_did(did: &str) -> Option<Self> {
        let octets = base58_decoded(did.strip_prefix(PREFIX)?)?;
        let point = octets.strip_prefix(&P256)?;
        let is_compressed = point.len() == COMPRESSED && matches!(point.first(), Some(2 | 3));
        is_compressed.then(|| Self(point.to_vec()))
    }

    /// The key in a JWK (RFC 7518 §6.2.1).
    pub(crate) fn of_jwk(jwk: &Value) -> Option<Self> {
        p256_point(jwk).map(Self)
    }

    /// The key that a header names: as `jwk`, or as `kid`, a DID URL.
    pub(crate) fn of_header(token: &Parts<'_>) -> Option<Self> {
        let did = token.header("kid").split('#').next().unwrap_or_default();
        Self::of_jwk(token.header_member("jwk")).or_else(|| Self::of_did(did))
    }

    /// The did:key.
    pub(crate) fn did(&self) -> String {
        let point = match self.0.as_slice() {
            // 04, x, y: whether y is odd is all that x leaves open.
            [4, rest @ ..] => {
                let is_odd = rest.last().is_some_and(|last| last % 2 == 1);
                let x = rest.get(..COMPRESSED - 1).unwrap_or_default();
                [&[2 + u8::from(is_odd)], x].concat()
            }
            compressed => compressed.to_vec(),
        };
        format!("{PREFIX}{}", base58(&[P256.as_slice(), &point].concat()))
    }

    /// Whether the token is signed with it, by ES256 and nothing else. Extensions that must be
    /// understood are not (RFC 7515 §4.1.11).
    pub(crate) fn has_signed(&self, token: &Parts<'_>) -> bool {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.0);
        token.header("alg") == "ES256"
            && token.header_member("crit").is_null()
            && key.verify(token.input().as_bytes(), token.signature()).is_ok()
    }
}

/// base58btc of octets of which the first is not zero.
fn base58(octets: &[u8]) -> String {
    let mut digits: Vec<u8> = Vec::new();
    for octet in octets {
        multiply_and_add(&mut digits, (256, 58), u32::from(*octet));
    }
    digits.iter().rev().filter_map(|d| ALPHABET.get(usize::from(*d))).map(|c| *c as char).collect()
}

fn base58_decoded(text: &str) -> Option<Vec<u8>> {
    let mut octets: Vec<u8> = Vec::new();
    for character in Some(text).filter(|t| t.len() <= LONGEST)?.bytes() {
        let digit = ALPHABET.iter().position(|c| *c == character)?;
        multiply_and_add(&mut octets, (58, 256), u32::try_from(digit).ok()?);
    }
    octets.reverse();
    Some(octets)
}

/// A number in digits of a base, the least significant first: times a factor, plus a summand.
fn multiply_and_add(digits: &mut Vec<u8>, (factor, base): (u32, u32), summand: u32) {
    let mut carry = summand;
    let low = |carry: &mut u32| {
        let digit = *carry % base;
        *carry /= base;
        u8::try_from(digit).unwrap_or(u8::MAX)
    };
    for digit in digits.iter_mut() {
        carry += u32::from(*digit) * factor;
        *digit = low(&mut carry);
    }
    while carry > 0 {
        digits.push(low(&mut carry));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::SigningAlgorithm;
    use crate::jwt::{Sealing, compose, header};
    use crate::keys::Key;
    use crate::seeds;

    /// The did:key Method v0.9 §4: examples of P-256 keys.
    const EXAMPLES: [&str; 2] = [
        "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
        "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
    ];

    #[test]
    fn did_keys_survive_the_way_there_and_back() {
        for did in EXAMPLES.into_iter().chain([seeds::CREDENTIAL_ISSUER]) {
            assert_eq!(PublicKey::of_did(did).unwrap().did(), did);
        }
        for did in [
            "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU216",
            "did:key:DnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
            // An Ed25519 key, and a character that base58 leaves out.
            "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
            "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2160",
            "did:web:example.test",
            "",
        ] {
            assert_eq!(PublicKey::of_did(did), None, "{did}");
        }
        assert_eq!(PublicKey::of_did(&format!("{PREFIX}{}", "z".repeat(100_000))), None);
    }

    #[test]
    fn base58_is_that_of_the_draft() {
        // draft-msporny-base58 §5.
        assert_eq!(base58(b"Hello World!"), "2NEpo7TZRRrLZSi2U");
        assert_eq!(base58_decoded("2NEpo7TZRRrLZSi2U").unwrap(), b"Hello World!");
    }

    #[test]
    fn a_key_verifies_in_each_of_its_forms() {
        let key = Key::generate(SigningAlgorithm::Es256).unwrap();
        let of_jwk = PublicKey::of_jwk(&key.public_jwk()).unwrap();
        let of_did = PublicKey::of_did(&of_jwk.did()).unwrap();
        let claims = || serde_json::Map::from_iter([("sub".to_owned(), json!("x"))]);
        let token =
            |sealing| compose(&key, header(&key, "JWT", sealing), claims(), sealing).unwrap();
        let (right, wrong) = (token(Sealing::Signed), token(Sealing::WronglySigned));
        for form in [&of_jwk, &of_did] {
            assert!(form.has_signed(&Parts::of(&right).unwrap()));
            assert!(!form.has_signed(&Parts::of(&wrong).unwrap()));
            assert!(!form.has_signed(&Parts::of(&token(Sealing::Unsigned)).unwrap()));
        }
        let mut critical = header(&key, "JWT", Sealing::Signed);
        critical.insert("crit".into(), json!(["b64"]));
        let critical = compose(&key, critical, claims(), Sealing::Signed).unwrap();
        assert!(!of_jwk.has_signed(&Parts::of(&critical).unwrap()));
        assert_eq!(PublicKey::of_jwk(&json!({"kty": "RSA"})), None);
    }
}
