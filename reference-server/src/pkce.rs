//! Proof Key for Code Exchange (RFC 7636).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// How a verifier is compared with the challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    S256,
    /// The challenge is the verifier; never reached by the conformant policy.
    Plain,
    /// Nothing is compared; never reached by the conformant policy.
    Unchecked,
}

/// The challenge that a code is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) value: String,
    pub(crate) method: Method,
}

/// BASE64URL-ENCODE(SHA256(ASCII(code_verifier))) (RFC 7636 §4.2).
pub(crate) fn s256(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

impl Challenge {
    /// RFC 7636 §4.6.
    pub(crate) fn is_met_by(&self, verifier: &str) -> bool {
        match self.method {
            Method::S256 => s256(verifier) == self.value,
            Method::Plain => verifier == self.value,
            Method::Unchecked => true,
        }
    }
}

/// The grammar of verifier and challenge: unreserved characters (RFC 7636 §4.1).
pub(crate) fn is_unreserved(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

/// The output of SHA-256 in base64url without padding: 43 characters.
pub(crate) fn is_s256_challenge(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn appendix_b() {
        assert_eq!(s256(VERIFIER), CHALLENGE);
        let challenge = Challenge { value: CHALLENGE.to_owned(), method: Method::S256 };
        assert!(challenge.is_met_by(VERIFIER));
        assert!(!challenge.is_met_by(CHALLENGE));
    }

    #[test]
    fn grammar() {
        assert!(is_unreserved("aZ0-._~") && !is_unreserved("a+b"));
        assert!(is_s256_challenge(CHALLENGE) && !is_s256_challenge(&CHALLENGE[1..]));
    }
}
