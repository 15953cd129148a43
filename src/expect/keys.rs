//! Judges of single keys in the key set.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{Findings, check};
use crate::model::verdict::Deviation;

/// Bits that RFC 7518 §3.3 demands of an RSA modulus.
const LEAST_MODULUS: usize = 2048;

/// The RSA keys of a JWK Set that may sign, each with its place in the set, from 1.
pub fn rsa_signing_keys(jwks: &Value) -> Vec<(usize, &Value)> {
    let text = |key: &Value, name: &str| key.get(name).and_then(Value::as_str).map(str::to_owned);
    let signs = |key: &Value| {
        text(key, "kty").as_deref() == Some("RSA")
            && text(key, "use").is_none_or(|usage| usage == "sig")
            && text(key, "alg").is_none_or(|alg| !alg.starts_with("RSA"))
    };
    let keys = jwks.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    keys.iter().enumerate().filter(|(_, key)| signs(key)).map(|(i, key)| (i + 1, key)).collect()
}

/// The modulus of every RSA key has at least 2048 bits.
pub fn long_moduli(keys: &[(usize, &Value)]) -> Findings {
    keys.iter()
        .flat_map(|(place, key)| {
            let bits = modulus_bits(key);
            check(bits.is_some_and(|bits| bits >= LEAST_MODULUS), || {
                let actual = bits.map_or("no readable n".to_owned(), |bits| format!("{bits} bits"));
                let expected = "an RSA modulus of at least 2048 bits";
                Deviation::new(expected, format!("{actual} in key {place}"))
            })
        })
        .collect()
}

/// Length in bits; leading zero octets, which RFC 7518 §6.3.1.1 forbids, do not count.
fn modulus_bits(key: &Value) -> Option<usize> {
    let text = key.get("n")?.as_str()?.trim_end_matches('=');
    let octets = URL_SAFE_NO_PAD.decode(text).ok()?;
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let first = octets.get(zeros).map_or(8, |octet| octet.leading_zeros() as usize);
    Some(((octets.len() - zeros) * 8).saturating_sub(first % 8))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(octets: &[u8]) -> Value {
        json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode(octets)})
    }

    #[test]
    fn the_modulus_is_measured_in_bits() {
        let modulus = |first: &[u8], length: usize| [first, &vec![1; length][..]].concat();
        for (octets, bits) in [
            (modulus(&[0x80], 255), 2048),
            (modulus(&[0x00, 0x80], 255), 2048),
            (modulus(&[0x7f], 255), 2047),
            (modulus(&[0x00, 0x80], 254), 2040),
            (modulus(&[0x80], 127), 1024),
            (vec![], 0),
        ] {
            let key = key(&octets);
            assert_eq!(modulus_bits(&key), Some(bits));
            assert_eq!(long_moduli(&[(1, &key)]).is_empty(), bits >= 2048, "{bits}");
        }
        assert_eq!(long_moduli(&[(2, &json!({"kty": "RSA"}))])[0].actual, "no readable n in key 2");
    }

    #[test]
    fn only_keys_that_may_sign_count() {
        let set = json!({"keys": [
            {"kty": "EC"}, {"kty": "RSA", "use": "enc"}, {"kty": "RSA", "alg": "RSA-OAEP"},
            {"kty": "RSA", "use": "sig", "alg": "RS256"}, {"kty": "RSA"},
        ]});
        let places: Vec<usize> = rsa_signing_keys(&set).into_iter().map(|(i, _)| i).collect();
        assert_eq!(places, [4, 5]);
        assert!(rsa_signing_keys(&json!({})).is_empty());
    }
}
