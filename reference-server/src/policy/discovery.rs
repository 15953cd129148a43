//! What is published.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Policy;
use crate::defect::Defect::{
    AuthorizationEndpointWithFragment, CertificateExpired, CertificateOfAnotherName,
    CertificateOfUnknownAuthority, ChallengeMethodsNotListed, CleartextEndpointListed,
    CodeGrantNotListed, CodeResponseTypeNotListed, ImplicitGrantListed, IssFlagFalse,
    IssFlagMissing, IssUnsupported, JwksAsText, JwksKeyWithoutType, KeyIdShared, MetadataAsText,
    MetadataIssuerCleartext, MetadataIssuerOfAnotherHost, MetadataIssuerUpperCase,
    MetadataIssuerWithQuery, MetadataMissing, PasswordGrantListed, PasswordGrantPublished,
    PlainMethodListed, PrivateKeyPublished, ResponseTypesAsString, ResponseTypesMissing,
    RsaModulusPadded, RsaModulusShort, SymmetricKeyPublished, TokenEndpointWithFragment,
    TokenResponseTypeListed,
};
use crate::seeds;

impl Policy {
    /// The metadata as published, if it is.
    pub(crate) fn metadata(&self, mut document: Value, issuer: &str) -> Option<Value> {
        let port = issuer.rsplit(':').next().unwrap_or_default();
        let (member, value) = match self.defect {
            Some(MetadataMissing) => return None,
            Some(MetadataIssuerOfAnotherHost) => {
                ("issuer", json!(format!("http://localhost:{port}")))
            }
            Some(MetadataIssuerUpperCase) => ("issuer", json!(issuer.replacen("http", "HTTP", 1))),
            Some(MetadataIssuerWithQuery) => ("issuer", json!(format!("{issuer}?tenant=one"))),
            Some(MetadataIssuerCleartext) => ("issuer", json!("http://as.example.test")),
            Some(ResponseTypesMissing) => ("response_types_supported", Value::Null),
            Some(ResponseTypesAsString) => ("response_types_supported", json!("code")),
            Some(CodeResponseTypeNotListed) => ("response_types_supported", json!(["none"])),
            Some(TokenResponseTypeListed) => {
                ("response_types_supported", json!(["code", "code token"]))
            }
            Some(CodeGrantNotListed) => ("grant_types_supported", json!(["refresh_token"])),
            Some(ImplicitGrantListed) => (
                "grant_types_supported",
                json!(["authorization_code", "refresh_token", "implicit"]),
            ),
            Some(PasswordGrantListed | PasswordGrantPublished) => (
                "grant_types_supported",
                json!(["authorization_code", "refresh_token", "password"]),
            ),
            Some(TokenEndpointWithFragment) => {
                ("token_endpoint", json!(format!("{issuer}/token#v1")))
            }
            Some(AuthorizationEndpointWithFragment) => {
                ("authorization_endpoint", json!(format!("{issuer}/authorize#v1")))
            }
            Some(IssFlagMissing) => ("authorization_response_iss_parameter_supported", Value::Null),
            Some(IssFlagFalse | IssUnsupported) => {
                ("authorization_response_iss_parameter_supported", json!(false))
            }
            Some(ChallengeMethodsNotListed) => ("code_challenge_methods_supported", Value::Null),
            Some(PlainMethodListed) => {
                ("code_challenge_methods_supported", json!(["S256", "plain"]))
            }
            Some(CleartextEndpointListed) => {
                ("device_authorization_endpoint", json!("http://as.example.test/device"))
            }
            Some(CertificateExpired | CertificateOfAnotherName | CertificateOfUnknownAuthority) => {
                let url = format!("https://{}:{port}/device", seeds::DEVICE_HOST);
                ("device_authorization_endpoint", json!(url))
            }
            _ => return Some(document),
        };
        if let Some(members) = document.as_object_mut() {
            // RFC 8414 §3.2: members without a value are omitted.
            match value {
                Value::Null => drop(members.remove(member)),
                value => drop(members.insert(member.to_owned(), value)),
            }
        }
        Some(document)
    }

    /// The media type of the metadata (RFC 8414 §3.2).
    pub(crate) fn metadata_media_type(&self) -> &'static str {
        if self.has(MetadataAsText) { "text/plain" } else { "application/json" }
    }

    /// The media type of the key set (RFC 7517 §8.5).
    pub(crate) fn jwks_media_type(&self) -> &'static str {
        if self.has(JwksAsText) { "text/plain" } else { "application/jwk-set+json" }
    }

    /// The keys as published: public parts only.
    pub(crate) fn published_keys(
        &self,
        mut keys: Vec<Value>,
        private_part: impl Fn() -> Option<String>,
    ) -> Vec<Value> {
        match self.defect {
            Some(SymmetricKeyPublished) => {
                keys.push(json!({"kty": "oct", "kid": "shared", "alg": "HS256", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"}));
            }
            Some(PrivateKeyPublished) => {
                if let Some(key) = keys.last_mut() {
                    key["d"] = json!(private_part());
                }
            }
            Some(RsaModulusShort) => keys.push(rsa_key(&[0xC5; 128])),
            // 2040 bits in 256 octets.
            Some(RsaModulusPadded) => {
                keys.push(rsa_key(&[&[0][..], &[0xC5; 255]].concat()));
            }
            Some(KeyIdShared) => {
                let kid = keys.first().and_then(|key| key.get("kid").cloned());
                if let Some(key) = keys.last_mut() {
                    key["kid"] = json!(kid);
                }
            }
            Some(JwksKeyWithoutType) => {
                if let Some(key) = keys.last_mut().and_then(Value::as_object_mut) {
                    key.remove("kty");
                }
            }
            _ => {}
        }
        keys
    }
}

/// A retired RSA key with that modulus (RFC 7518 §6.3.1).
fn rsa_key(modulus: &[u8]) -> Value {
    let n = URL_SAFE_NO_PAD.encode(modulus);
    json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "old", "n": n, "e": "AQAB"})
}
