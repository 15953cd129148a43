//! Private P-256 keys, and compact JWS made with them: conformant ones, and such as a tester sends.

use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// A P-256 key of a client, a wallet or an issuer.
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
        Self::of(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?)
    }

    /// The key in PEM of PKCS #8 (RFC 5958), or in a private JWK (RFC 7518 §6.2.2).
    ///
    /// The error says what is accepted, and repeats nothing.
    pub fn read(text: &str) -> Result<Self, String> {
        let pair = match text.trim_start().starts_with('{') {
            true => Self::pair_of_jwk(text),
            false => Self::pair_of_pem(text),
        };
        pair.and_then(Self::of).ok_or_else(|| {
            "no private P-256 key: PEM that begins with -----BEGIN PRIVATE KEY----- (PKCS #8), or a JWK with crv, x, y and d".into()
        })
    }

    fn pair_of_pem(text: &str) -> Option<EcdsaKeyPair> {
        let (_, rest) = text.split_once("-----BEGIN PRIVATE KEY-----")?;
        let (body, _) = rest.split_once("-----END PRIVATE KEY-----")?;
        let body: String = body.split_whitespace().collect();
        let der = STANDARD.decode(body).ok()?;
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).ok()
    }

    fn pair_of_jwk(text: &str) -> Option<EcdsaKeyPair> {
        let jwk: Value = serde_json::from_str(text).ok()?;
        let octets = |name: &str| URL_SAFE_NO_PAD.decode(jwk.get(name)?.as_str()?).ok();
        let point = [vec![4], octets("x")?, octets("y")?].concat();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let is_p256 = jwk.get("crv").and_then(Value::as_str) == Some("P-256");
        let private = octets("d").filter(|_| is_p256)?;
        EcdsaKeyPair::from_private_key_and_public_key(algorithm, &private, &point).ok()
    }

    fn of(pair: EcdsaKeyPair) -> Option<Self> {
        // SEC 1 §2.3.3: 04, then x and y of 32 octets each.
        let (x, y) = pair.public_key().as_ref().get(1..)?.split_at_checked(32)?;
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        // RFC 7638 §3: the required members in this order, without white space.
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(canonical));
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
        Some(Self { pair, jwk, thumbprint })
    }

    /// The public key as a point, uncompressed (SEC 1 §2.3.3).
    pub fn point(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// The private part in base64url, the member `d` of a JWK.
    pub fn private_part(&self) -> Option<String> {
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

/// How a compact JWS is protected.
#[derive(Clone, Copy)]
pub enum Seal<'a> {
    /// ES256 with the key.
    Signed(&'a Key),
    /// The same with one bit flipped.
    Altered(&'a Key),
    /// No signature at all, `alg` `none`.
    Unsigned,
    /// HS256 with this secret.
    Symmetric(&'a [u8]),
}

impl Seal<'_> {
    /// The `alg` of the header.
    fn alg(self) -> &'static str {
        match self {
            Self::Signed(_) | Self::Altered(_) => "ES256",
            Self::Unsigned => "none",
            Self::Symmetric(_) => "HS256",
        }
    }

    /// The compact serialization (RFC 7515 §7.1); `alg` follows from the seal.
    pub fn compact(self, header: &Map<String, Value>, claims: &Map<String, Value>) -> String {
        let mut header = header.clone();
        header.insert("alg".into(), self.alg().into());
        let part = |members: &Map<String, Value>| {
            URL_SAFE_NO_PAD.encode(Value::Object(members.clone()).to_string())
        };
        let input = format!("{}.{}", part(&header), part(claims));
        let mut signature = match self {
            Self::Signed(key) | Self::Altered(key) => key.sign(&input),
            Self::Unsigned => vec![],
            Self::Symmetric(secret) => {
                let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
                hmac::sign(&secret, input.as_bytes()).as_ref().to_vec()
            }
        };
        if let (Self::Altered(_), Some(octet)) = (self, signature.get_mut(40)) {
            *octet ^= 1;
        }
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_pem_and_from_a_jwk() {
        let pem = include_str!("../../fixtures/keys/attacker-ec.pem");
        let public: Value =
            serde_json::from_str(include_str!("../../fixtures/keys/attacker-ec.json")).unwrap();
        let key = Key::read(pem).unwrap();
        assert_eq!((&key.jwk["x"], &key.jwk["y"]), (&public["x"], &public["y"]));
        let mut private = key.jwk.clone();
        private["d"] = key.private_part().unwrap().into();
        assert_eq!(Key::read(&private.to_string()).unwrap().thumbprint, key.thumbprint);
        for wrong in ["", "{}", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"] {
            assert!(Key::read(wrong).unwrap_err().contains("PKCS #8"), "{wrong}");
        }
        private["y"] = private["x"].clone();
        assert!(Key::read(&private.to_string()).is_err(), "another point than that of d");
    }
}
