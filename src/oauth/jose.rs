//! Compact JWS (RFC 7515) read strictly, and its signature checked with a published key.
//!
//! Typed JWT libraries hide what an auditor must see, so the parts are read here and only the
//! signature is left to one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::verify;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// A compact JWS with its parts decoded.
#[derive(Clone)]
pub struct Jws {
    /// The JOSE header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
    signed: String,
    signature: String,
}

impl Jws {
    /// Reads three base64url parts with a JSON header that has `alg`; says what is wrong otherwise.
    pub fn read(token: &str) -> Result<Self, String> {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return Err(format!("{} parts instead of 3", parts.len()));
        };
        let object = |part: &str, what: &str| -> Result<Map<String, Value>, String> {
            let octets =
                URL_SAFE_NO_PAD.decode(part).map_err(|_| format!("the {what} is not base64url"))?;
            serde_json::from_slice(&octets).map_err(|_| format!("the {what} is no JSON object"))
        };
        let jws = Self {
            header: object(header, "header")?,
            claims: object(claims, "payload")?,
            signed: format!("{header}.{claims}"),
            signature: signature.to_owned(),
        };
        match jws.header.get("alg") {
            Some(Value::String(_)) => Ok(jws),
            _ => Err("the header has no alg".into()),
        }
    }

    /// The `alg` of the header.
    pub fn alg(&self) -> &str {
        self.header.get("alg").and_then(Value::as_str).unwrap_or_default()
    }

    /// The signature in base64url, empty for `alg` `none`.
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// A claim that is a string.
    pub fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }

    /// A claim that is a number of seconds since the epoch.
    pub fn seconds(&self, claim: &str) -> Option<i64> {
        let value = self.claims.get(claim)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a NumericDate may have a fraction, which is dropped"
        )]
        value.as_i64().or_else(|| value.as_f64().map(|f| f as i64))
    }

    /// The `aud` claim as a list (RFC 7519 §4.1.3: a string or an array of strings).
    pub fn audience(&self) -> Vec<&str> {
        match self.claims.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => vec![],
        }
    }

    /// Checks the signature by a check of its own for signing input and octets of the signature, where
    /// the header has this `alg`; says why it does not verify.
    pub fn verify_with(
        &self,
        alg: &str,
        check: impl FnOnce(&[u8], &[u8]) -> bool,
    ) -> Result<(), String> {
        if self.alg() != alg {
            return Err(format!("alg is {}, not {alg}", self.alg()));
        }
        let signature = URL_SAFE_NO_PAD.decode(&self.signature);
        let signature = signature.map_err(|_| "the signature is not base64url".to_owned())?;
        match check(self.signed.as_bytes(), &signature) {
            true => Ok(()),
            false => Err("the key does not verify it".into()),
        }
    }

    /// Checks the signature with the keys of a JWK Set document; says why no key fits.
    pub fn verify(&self, jwks: &Value) -> Result<(), String> {
        let alg: Algorithm =
            self.alg().parse().map_err(|_| format!("alg {} is not supported", self.alg()))?;
        if matches!(alg, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) {
            return Err(format!("alg {} is symmetric", self.alg()));
        }
        let keys =
            jwks.get("keys").and_then(Value::as_array).ok_or("the key set has no keys array")?;
        let kid = self.header.get("kid").and_then(Value::as_str);
        let mut candidates = 0;
        for key in keys {
            let Ok(key) = serde_json::from_value::<Jwk>(key.clone()) else { continue };
            let fits = match (kid, &key.common.key_id) {
                (Some(wanted), Some(id)) => wanted == id,
                _ => true,
            };
            if !fits || key.common.public_key_use == Some(PublicKeyUse::Encryption) {
                continue;
            }
            candidates += 1;
            let Ok(decoding) = DecodingKey::from_jwk(&key) else { continue };
            if matches!(verify(&self.signature, self.signed.as_bytes(), &decoding, alg), Ok(true)) {
                return Ok(());
            }
        }
        Err(match (candidates, kid) {
            (0, Some(_)) => "no published key has its kid".into(),
            (0, None) => "no published key can verify it".into(),
            (n, _) => format!("none of {n} published keys verifies it"),
        })
    }
}

/// The value of `at_hash` for an access token: the left half of its hash in base64url, by the hash
/// function of the signature algorithm `alg` (OpenID Connect Core 1.0 §3.1.3.6). `None` where the
/// name of the algorithm ends in no SHA-2 function.
pub fn half_hash(alg: &str, token: &str) -> Option<String> {
    let hash = match alg {
        _ if alg.ends_with("256") => Sha256::digest(token).to_vec(),
        _ if alg.ends_with("384") => Sha384::digest(token).to_vec(),
        _ if alg.ends_with("512") => Sha512::digest(token).to_vec(),
        _ => return None,
    };
    Some(URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2]))
}

impl std::fmt::Debug for Jws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Jws(alg {})", self.alg())
    }
}

#[cfg(test)]
pub(crate) mod samples {
    //! Hand-made tokens for the tests of the judges.
    use super::*;

    /// A token with this header, these claims and a signature that verifies with no key.
    pub(crate) fn jws(header: Value, claims: Value) -> Jws {
        Jws::read(&token(header, claims, "c2ln")).unwrap()
    }

    /// The same as text, with a signature.
    pub(crate) fn token(header: Value, claims: Value, signature: &str) -> String {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.{signature}", part(header), part(claims))
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::json;

    use super::*;

    fn part(value: &Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    #[test]
    fn the_parts_are_read() {
        let jws = Jws::read(&format!(
            "{}.{}.c2ln",
            part(&json!({"alg":"ES256"})),
            part(&json!({"aud":["a"],"exp":7.5}))
        ))
        .unwrap();
        assert_eq!((jws.alg(), jws.audience(), jws.seconds("exp")), ("ES256", vec!["a"], Some(7)));
    }

    #[test]
    fn the_half_hash_is_that_of_openid_connect() {
        // OpenID Connect Core 1.0 §A.3 and §A.4.
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(half_hash("RS256", token).as_deref(), Some("77QmUPtjPfzWtF2AnpK9RQ"));
        assert_eq!(half_hash("ES384", token).unwrap().len(), 32);
        assert_eq!(half_hash("PS512", token).unwrap().len(), 43);
        assert_eq!(half_hash("EdDSA", token), None);
    }

    #[test]
    fn what_is_no_jws_is_named() {
        for (token, why) in [
            ("opaque".to_owned(), "1 parts"),
            ("a.b.c.d.e".to_owned(), "5 parts"),
            ("e30=.e30.x".to_owned(), "not base64url"),
            ("W10.e30.x".to_owned(), "no JSON object"),
            ("e30.e30.x".to_owned(), "no alg"),
        ] {
            assert!(Jws::read(&token).unwrap_err().contains(why), "{token}");
        }
    }

    #[test]
    fn unsigned_and_symmetric_tokens_never_verify() {
        let keys = json!({"keys":[{"kty":"oct","k":"c2VjcmV0"}]});
        let none = format!("{}.{}.", part(&json!({"alg":"none"})), part(&json!({})));
        assert!(Jws::read(&none).unwrap().verify(&keys).unwrap_err().contains("not supported"));
        let hs = jsonwebtoken::encode(
            &Header::new(Algorithm::HS256),
            &json!({}),
            &EncodingKey::from_secret(b"secret"),
        )
        .unwrap();
        assert!(Jws::read(&hs).unwrap().verify(&keys).unwrap_err().contains("symmetric"));
    }
}
