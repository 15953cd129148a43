//! DPoP proofs (RFC 9449 §4): a conformant constructor, and parts that a tester may bend.

use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::random;

/// A P-256 key of a client.
pub struct Key {
    pair: EcdsaKeyPair,
    /// The public key.
    pub jwk: Value,
    /// Its thumbprint in base64url (RFC 7638).
    pub thumbprint: String,
}

impl Key {
    /// A fresh key; `None` when the library cannot make one.
    pub fn generate() -> Option<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
        // SEC 1 §2.3.3: 04, then x and y of 32 octets each.
        let (x, y) = pair.public_key().as_ref().get(1..)?.split_at_checked(32)?;
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        // RFC 7638 §3: the required members in this order, without white space.
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(canonical));
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
        Some(Self { pair, jwk, thumbprint })
    }

    fn private_part(&self) -> Option<String> {
        let octets: EcPrivateKeyBin<'_> = self.pair.private_key().as_be_bytes().ok()?;
        Some(URL_SAFE_NO_PAD.encode(octets.as_ref()))
    }

    fn sign(&self, input: &str) -> Vec<u8> {
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes());
        signature.map(|s| s.as_ref().to_vec()).unwrap_or_default()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.thumbprint)
    }
}

/// How a proof is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    /// ES256 with the key.
    Signed,
    /// The same with one bit flipped.
    Altered,
    /// No signature at all.
    Unsigned,
    /// HS256; the shared secret is the public JWK as it stands in the header.
    Symmetric,
}

/// A proof in the making.
#[derive(Clone)]
pub struct Proof {
    /// The JOSE header; `alg` follows from the seal.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
    /// The protection.
    pub seal: Seal,
}

fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(members) = value { members } else { Map::new() }
}

impl Proof {
    /// A conformant proof for a request, made at `now` (seconds since the epoch).
    pub fn new(key: &Key, method: &str, url: &str, now: i64) -> Self {
        let htu = url.split(['?', '#']).next().unwrap_or(url);
        Self {
            header: object(json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk})),
            claims: object(json!({"jti": random(16), "htm": method, "htu": htu, "iat": now})),
            seal: Seal::Signed,
        }
    }

    /// Names the access token that the proof accompanies (§4.2).
    pub fn accompany(&mut self, access_token: &str) {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(access_token));
        self.claims.insert("ath".into(), hash.into());
    }

    /// Mutation: the key in the header comes with its private part.
    pub fn disclose(&mut self, key: &Key) {
        let mut jwk = key.jwk.clone();
        jwk["d"] = json!(key.private_part());
        self.header.insert("jwk".into(), jwk);
    }

    /// The compact serialization, signed by `key`.
    pub fn compact(&self, key: &Key) -> String {
        let mut header = self.header.clone();
        let alg = match self.seal {
            Seal::Signed | Seal::Altered => "ES256",
            Seal::Unsigned => "none",
            Seal::Symmetric => "HS256",
        };
        header.insert("alg".into(), alg.into());
        let part = |members: &Map<String, Value>| {
            URL_SAFE_NO_PAD.encode(Value::Object(members.clone()).to_string())
        };
        let input = format!("{}.{}", part(&header), part(&self.claims));
        let mut signature = match self.seal {
            Seal::Signed | Seal::Altered => key.sign(&input),
            Seal::Unsigned => vec![],
            Seal::Symmetric => {
                let secret = key.jwk.to_string();
                let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
                hmac::sign(&secret, input.as_bytes()).as_ref().to_vec()
            }
        };
        if let (Seal::Altered, Some(octet)) = (self.seal, signature.get_mut(40)) {
            *octet ^= 1;
        }
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proof({:?})", self.seal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::jose::Jws;

    #[test]
    fn a_proof_verifies_with_its_key_alone() {
        let (key, other) = (Key::generate().unwrap(), Key::generate().unwrap());
        let mut proof = Proof::new(&key, "POST", "https://as.test/token?x=1", 7);
        proof.accompany("token");
        let jws = Jws::read(&proof.compact(&key)).unwrap();
        assert_eq!((jws.text("htu"), jws.seconds("iat")), (Some("https://as.test/token"), Some(7)));
        assert!(jws.verify(&json!({"keys": [key.jwk]})).is_ok());
        assert!(jws.verify(&json!({"keys": [other.jwk]})).is_err());
        for seal in [Seal::Altered, Seal::Unsigned, Seal::Symmetric] {
            let bent = Proof { seal, ..proof.clone() }.compact(&key);
            let bent = Jws::read(&bent).unwrap();
            assert!(bent.verify(&json!({"keys": [key.jwk]})).is_err(), "{seal:?}");
        }
    }
}
