//! The keys that sign bundles: Ed25519 or P-256, in PEM.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::manifest::sha256;

/// `SubjectPublicKeyInfo` of Ed25519 (RFC 8410 §4) before the key.
const ED25519_INFO: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
/// The same of P-256 (RFC 5480 §2) before the point.
const P256_INFO: &[u8] =
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";

/// A private key. It has no `Display` and no `Debug`.
pub struct SigningKey(Pair);

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

impl SigningKey {
    /// Reads a private key in PEM of PKCS #8, as `openssl genpkey -algorithm ed25519` makes it.
    ///
    /// The error says what is accepted, and repeats nothing.
    pub fn read(pem: &str) -> Result<Self, String> {
        let der = body(pem, "PRIVATE KEY").unwrap_or_default();
        let edwards = || Ed25519KeyPair::from_pkcs8(&der).ok().map(Pair::Ed25519);
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let weierstrass = || EcdsaKeyPair::from_pkcs8(algorithm, &der).ok().map(Pair::P256);
        edwards().or_else(weierstrass).map(Self).ok_or_else(|| {
            "no private key of Ed25519 or P-256 in PKCS #8 (-----BEGIN PRIVATE KEY-----); \
             openssl genpkey -algorithm ed25519 -out key.pem makes one"
                .into()
        })
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        PublicKey(match &self.0 {
            Pair::Ed25519(pair) => [ED25519_INFO, pair.public_key().as_ref()].concat(),
            Pair::P256(pair) => [P256_INFO, pair.public_key().as_ref()].concat(),
        })
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        match &self.0 {
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::P256(pair) => pair
                .sign(&SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| "the library could not sign".into()),
        }
    }
}

/// A public key as `SubjectPublicKeyInfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

impl PublicKey {
    /// Reads a public key in PEM, as `openssl pkey -pubout` writes it.
    ///
    /// The error says what is accepted.
    pub fn read(pem: &str) -> Result<Self, String> {
        let key = body(pem, "PUBLIC KEY").map(Self);
        key.filter(|key| key.parts().is_some()).ok_or_else(|| {
            "no public key of Ed25519 or P-256 in PEM (-----BEGIN PUBLIC KEY-----); \
             openssl pkey -in key.pem -pubout -out public.pem writes it"
                .into()
        })
    }

    /// In PEM.
    pub(super) fn pem(&self) -> String {
        let text = STANDARD.encode(&self.0);
        let lines: Vec<&str> =
            (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    /// SHA-256 in hexadecimal.
    pub fn id(&self) -> String {
        sha256(&self.0)
    }

    fn parts(&self) -> Option<(&'static dyn VerificationAlgorithm, &[u8])> {
        if let Some(key) = self.0.strip_prefix(ED25519_INFO).filter(|key| key.len() == 32) {
            return Some((&ED25519, key));
        }
        let point = self.0.strip_prefix(P256_INFO).filter(|point| point.len() == 65)?;
        Some((&ECDSA_P256_SHA256_ASN1, point))
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parts().is_some_and(|(algorithm, key)| {
            UnparsedPublicKey::new(algorithm, key).verify(message, signature).is_ok()
        })
    }
}

/// The octets between the lines of that label.
fn body(pem: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    STANDARD.decode(body.split_whitespace().collect::<String>()).ok()
}
