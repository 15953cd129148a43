//! Proof Key for Code Exchange (RFC 7636).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// `BASE64URL-ENCODE(SHA256(ASCII(code_verifier)))`, 43 characters (RFC 7636 §4.2).
pub fn s256(code_verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(code_verifier.as_bytes()))
}

/// A fresh verifier of 32 random octets in base64url form, 43 characters (RFC 7636 §4.1).
pub fn verifier() -> String {
    super::random(32)
}

/// A fresh verifier of `length` characters that contains `-`, `.`, `_` and `~`, where there is room.
pub fn verifier_of(length: usize) -> String {
    let mut text = format!("-._~{}", super::random(length));
    text.truncate(length);
    text
}

/// Another well-formed verifier: the same length and alphabet, one character changed.
pub fn altered(code_verifier: &str) -> String {
    let (head, tail) = code_verifier.split_at(code_verifier.len().saturating_sub(1));
    format!("{head}{}", if tail == "A" { "B" } else { "A" })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_well_formed(verifier: &str) -> bool {
        (43..=128).contains(&verifier.len())
            && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
    }

    #[test]
    fn the_example_of_rfc_7636_appendix_b_holds() {
        assert_eq!(
            s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn verifiers_are_well_formed_and_new_each_time() {
        assert!(is_well_formed(&verifier()) && verifier().len() == 43);
        assert_ne!(verifier(), verifier());
        for length in [43, 128] {
            let verifier = verifier_of(length);
            assert!(
                is_well_formed(&verifier)
                    && verifier.len() == length
                    && verifier.starts_with("-._~")
            );
        }
    }

    proptest! {
        #[test]
        fn a_challenge_is_43_base64url_characters(verifier in "[A-Za-z0-9._~-]{43,128}") {
            let challenge = s256(&verifier);
            prop_assert_eq!(challenge.len(), 43);
            prop_assert!(challenge.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        }

        #[test]
        fn an_altered_verifier_is_another_well_formed_one(verifier in "[A-Za-z0-9._~-]{43,128}") {
            let other = altered(&verifier);
            prop_assert!(is_well_formed(&other));
            prop_assert_ne!(s256(&other), s256(&verifier));
        }
    }
}
