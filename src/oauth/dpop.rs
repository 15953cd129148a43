//! DPoP proofs (RFC 9449 §4): a conformant constructor, and parts that a tester may bend.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::key::{self, Key};
use super::{object, random};

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
        let secret = key.jwk.to_string();
        let seal = match self.seal {
            Seal::Signed => key::Seal::Signed(key),
            Seal::Altered => key::Seal::Altered(key),
            Seal::Unsigned => key::Seal::Unsigned,
            Seal::Symmetric => key::Seal::Symmetric(secret.as_bytes()),
        };
        seal.compact(&self.header, &self.claims)
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
