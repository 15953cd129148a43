//! Signing keys and the published key set (RFC 7517).

use std::io;
use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsBigEndian, AsDer, EcPrivateKeyBin, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::config::SigningAlgorithm;

/// The signature could not be made.
#[derive(Debug)]
pub(crate) struct SigningFailed;

enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(&'static RsaKeyPair),
}

/// A signing key and its identifier.
pub(crate) struct Key {
    pub(crate) kid: String,
    pair: Pair,
}

/// The key that signs, one of the other algorithm for clients that registered for it, and one that
/// has retired; all are published.
pub(crate) struct Keys {
    active: Key,
    other: Key,
    retired: Key,
}

impl Keys {
    pub(crate) fn generate(algorithm: SigningAlgorithm) -> io::Result<Self> {
        Ok(Self {
            active: Key::generate(algorithm)?,
            other: Key::generate(algorithm.other())?,
            retired: Key::generate(SigningAlgorithm::Es256)?,
        })
    }

    pub(crate) fn active(&self) -> &Key {
        &self.active
    }

    /// The key for the algorithm that a client registered, if it did.
    pub(crate) fn of(&self, algorithm: Option<SigningAlgorithm>) -> &Key {
        match algorithm {
            Some(wanted) if wanted == self.other.algorithm() => &self.other,
            _ => &self.active,
        }
    }

    /// The algorithms of signatures, the usual one first.
    pub(crate) fn algorithms(&self) -> [&'static str; 2] {
        [self.active.algorithm().name(), self.other.algorithm().name()]
    }

    /// The JWK Set without private parts.
    pub(crate) fn published(&self) -> Vec<Value> {
        [&self.active, &self.other, &self.retired].map(Key::public_jwk).to_vec()
    }

    /// The private part of the retired key, in base64url; only a defect asks for it.
    pub(crate) fn retired_private_part(&self) -> Option<String> {
        let Pair::Ec(pair) = &self.retired.pair else { return None };
        let octets: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().ok()?;
        Some(URL_SAFE_NO_PAD.encode(octets.as_ref()))
    }

    /// Whether a published key with this identifier and algorithm verifies the signature.
    pub(crate) fn verifies(&self, kid: &str, alg: &str, message: &[u8], signature: &[u8]) -> bool {
        [&self.active, &self.other, &self.retired].into_iter().any(|key| {
            key.kid == kid && key.algorithm().name() == alg && key.verifies(message, signature)
        })
    }
}

/// The RSA key of this process; every server of it has the same, since the search for primes takes
/// longer than an audit.
fn rsa() -> Result<&'static RsaKeyPair, Unspecified> {
    static PAIR: OnceLock<RsaKeyPair> = OnceLock::new();
    match PAIR.get() {
        Some(pair) => Ok(pair),
        None => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
            Ok(PAIR.get_or_init(|| pair))
        }
    }
}

impl Key {
    pub(crate) fn generate(algorithm: SigningAlgorithm) -> io::Result<Self> {
        let pair = match algorithm {
            SigningAlgorithm::Es256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Pair::Ec)
            }
            SigningAlgorithm::Rs256 => rsa().map(Pair::Rsa),
        };
        let pair = pair.map_err(|_| io::Error::other("the signing key could not be generated"))?;
        Ok(Self { kid: URL_SAFE_NO_PAD.encode(rand::random::<[u8; 9]>()), pair })
    }

    pub(crate) fn algorithm(&self) -> SigningAlgorithm {
        match self.pair {
            Pair::Ec(_) => SigningAlgorithm::Es256,
            Pair::Rsa(_) => SigningAlgorithm::Rs256,
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => {
                pair.sign(&random, message).map(|s| s.as_ref().to_vec()).map_err(|_| SigningFailed)
            }
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_| SigningFailed)?;
                Ok(signature)
            }
        }
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.pair {
            Pair::Ec(pair) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key())
                .verify(message, signature)
                .is_ok(),
            Pair::Rsa(pair) => {
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key())
                    .verify(message, signature)
                    .is_ok()
            }
        }
    }

    /// `SubjectPublicKeyInfo` in PEM.
    pub(crate) fn public_pem(&self) -> String {
        let der = match &self.pair {
            Pair::Ec(pair) => public_der(pair.public_key()),
            Pair::Rsa(pair) => public_der(pair.public_key()),
        };
        let body = STANDARD.encode(der);
        let lines = body.as_bytes().chunks(64).map(String::from_utf8_lossy);
        let lines: Vec<_> = lines.collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    pub(crate) fn public_jwk(&self) -> Value {
        match &self.pair {
            Pair::Ec(pair) => {
                // SEC 1 §2.3.3: 04, then x and y of 32 octets each.
                let point = pair.public_key().as_ref();
                let (x, y) =
                    point.get(1..).unwrap_or_default().split_at_checked(32).unwrap_or_default();
                json!({
                    "kty": "EC", "use": "sig", "alg": "ES256", "kid": self.kid, "crv": "P-256",
                    "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
                })
            }
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                json!({
                    "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid,
                    "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
                    "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
                })
            }
        }
    }
}

fn public_der(key: &impl AsDer<PublicKeyX509Der<'static>>) -> Vec<u8> {
    key.as_der().map(|der| der.as_ref().to_vec()).unwrap_or_default()
}

/// Whether a public key that need not be one of ours verifies the signature (ES256, RS256).
pub(crate) fn jwk_verifies(jwk: &Value, message: &[u8], signature: &[u8]) -> bool {
    let octets = |name: &str| {
        URL_SAFE_NO_PAD.decode(jwk.get(name).and_then(Value::as_str).unwrap_or_default())
    };
    match jwk.get("kty").and_then(Value::as_str) {
        Some("EC") => match (octets("x"), octets("y")) {
            (Ok(x), Ok(y)) => {
                let point = [vec![4], x, y].concat();
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                key.verify(message, signature).is_ok()
            }
            _ => false,
        },
        Some("RSA") => match (octets("n"), octets("e")) {
            (Ok(n), Ok(e)) => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
            _ => false,
        },
        _ => false,
    }
}

/// The uncompressed point of a P-256 key (SEC 1 §2.3.3).
pub(crate) fn p256_point(jwk: &Value) -> Option<Vec<u8>> {
    if jwk["kty"] != "EC" || jwk["crv"] != "P-256" {
        return None;
    }
    let coordinate = |name: &str| {
        URL_SAFE_NO_PAD.decode(jwk[name].as_str()?).ok().filter(|octets| octets.len() == 32)
    };
    Some([vec![4], coordinate("x")?, coordinate("y")?].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_verify_with_the_published_key_only() {
        for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::Rs256] {
            let keys = Keys::generate(algorithm).unwrap();
            let signature = keys.active().sign(b"message").unwrap();
            let kid = &keys.active().kid;
            assert!(keys.verifies(kid, algorithm.name(), b"message", &signature));
            assert!(!keys.verifies(kid, algorithm.name(), b"other", &signature));
            assert!(!keys.verifies("unknown", algorithm.name(), b"message", &signature));
            assert!(!keys.verifies(kid, "none", b"message", &signature));
            assert_eq!(keys.published().len(), 3);
            assert_eq!(keys.of(Some(algorithm.other())).algorithm(), algorithm.other());
            assert_eq!(keys.of(None).kid, *kid);
        }
    }
}
