//! JSON Web Tokens in compact form (RFC 7515, RFC 7519).

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::keys::{Key, Keys, SigningFailed, jwk_verifies};

type Object = Map<String, Value>;

/// How a token is protected; the conformant policy signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sealing {
    Signed,
    Unsigned,
    WronglySigned,
    /// By a MAC whose key everybody knows.
    Mac,
}

/// The header of a token that `key` protects.
pub(crate) fn header(key: &Key, typ: &str, sealing: Sealing) -> Object {
    let alg = match sealing {
        Sealing::Unsigned => "none",
        Sealing::Mac => "HS256",
        Sealing::Signed | Sealing::WronglySigned => key.algorithm().name(),
    };
    let mut header =
        Object::from_iter([("typ".to_owned(), json!(typ)), ("alg".to_owned(), json!(alg))]);
    if sealing != Sealing::Unsigned {
        header.insert("kid".into(), json!(key.kid));
    }
    header
}

/// A token with this header and these claims.
pub(crate) fn compose(
    key: &Key,
    header: Object,
    claims: Object,
    sealing: Sealing,
) -> Result<String, SigningFailed> {
    let encode = |part: Object| URL_SAFE_NO_PAD.encode(Value::from(part).to_string());
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = match sealing {
        Sealing::Unsigned => Vec::new(),
        Sealing::Signed => key.sign(input.as_bytes())?,
        Sealing::WronglySigned => key.sign(format!("{input} ").as_bytes())?,
        Sealing::Mac => {
            let known = hmac::Key::new(hmac::HMAC_SHA256, key.kid.as_bytes());
            hmac::sign(&known, input.as_bytes()).as_ref().to_vec()
        }
    };
    Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// A decoded token whose signature is not yet verified.
pub(crate) struct Parts<'a> {
    header: Value,
    claims: Value,
    input: &'a str,
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    /// The three parts of a compact JWS, if the text is one.
    pub(crate) fn of(token: &'a str) -> Option<Self> {
        let (input, signature) = token.rsplit_once('.')?;
        let (header, claims) = input.split_once('.')?;
        let decode =
            |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        Some(Self {
            header: decode(header)?,
            claims: decode(claims)?,
            input,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.header.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Any member of the header.
    pub(crate) fn header_member(&self, name: &str) -> &Value {
        self.header.get(name).unwrap_or(&Value::Null)
    }

    pub(crate) fn is_unsigned(&self) -> bool {
        self.signature.is_empty()
    }

    /// Whether this public key verifies the signature, whoever it belongs to.
    pub(crate) fn is_signed_with(&self, jwk: &Value) -> bool {
        jwk_verifies(jwk, self.input.as_bytes(), &self.signature)
    }

    /// Whether this is HS256 with that secret.
    pub(crate) fn is_keyed_with(&self, secret: &[u8]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        self.header("alg") == "HS256"
            && hmac::verify(&key, self.input.as_bytes(), &self.signature).is_ok()
    }

    /// All claims.
    pub(crate) fn claims(&self) -> &Value {
        &self.claims
    }

    pub(crate) fn claim(&self, name: &str) -> &Value {
        self.claims.get(name).unwrap_or(&Value::Null)
    }

    /// A header parameter that need not be a string.
    pub(crate) fn header_value(&self, name: &str) -> &Value {
        self.header.get(name).unwrap_or(&Value::Null)
    }

    /// What is signed.
    pub(crate) fn input(&self) -> &str {
        self.input
    }

    /// The signature, decoded.
    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Whether `aud` is, or contains, the audience.
    pub(crate) fn is_for(&self, audience: &str) -> bool {
        match self.claim("aud") {
            Value::Array(all) => all.iter().any(|a| a == audience),
            one => one == audience,
        }
    }

    pub(crate) fn is_signed_by(&self, keys: &Keys) -> bool {
        keys.verifies(
            self.header("kid"),
            self.header("alg"),
            self.input.as_bytes(),
            &self.signature,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SigningAlgorithm;

    #[test]
    fn only_a_signed_token_verifies() {
        let keys = Keys::generate(SigningAlgorithm::Es256).unwrap();
        let claims = Map::from_iter([("aud".to_owned(), json!(["a", "b"]))]);
        for (sealing, verifies) in [
            (Sealing::Signed, true),
            (Sealing::Unsigned, false),
            (Sealing::WronglySigned, false),
            (Sealing::Mac, false),
        ] {
            let key = keys.active();
            let header = header(key, "JWT", sealing);
            let token = compose(key, header, claims.clone(), sealing).unwrap();
            let parts = Parts::of(&token).unwrap();
            assert_eq!(parts.is_signed_by(&keys), verifies);
            assert!(parts.is_for("b") && !parts.is_for("c"));
        }
        assert!(Parts::of("nonsense").is_none());
    }
}
