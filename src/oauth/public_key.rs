//! A published key in the forms in which servers hold it: DER, PEM, JWK, certificate.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

// DER tags (X.690).
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// `rsaEncryption` with NULL parameters (RFC 3279 §2.3.1).
const RSA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
/// `id-ecPublicKey` (RFC 5480 §2.1.1), which a named curve follows.
const EC: &[u8] = &[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[6, 5, 0x2b, 0x81, 4, 0, 0x22];
const P521: &[u8] = &[6, 5, 0x2b, 0x81, 4, 0, 0x23];
/// `id-Ed25519` (RFC 8410 §3).
const ED25519: &[u8] = &[6, 3, 0x2b, 0x65, 0x70];

/// `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7) of a JWK; `None` for a key type without one here.
pub fn spki(jwk: &Value) -> Option<Vec<u8>> {
    let (algorithm, key) = match (text(jwk, "kty")?, text(jwk, "crv")) {
        ("RSA", _) => (RSA.to_vec(), pkcs1(jwk)?),
        ("EC", Some("P-256")) => ([EC, P256].concat(), point(jwk)?),
        ("EC", Some("P-384")) => ([EC, P384].concat(), point(jwk)?),
        ("EC", Some("P-521")) => ([EC, P521].concat(), point(jwk)?),
        ("OKP", Some("Ed25519")) => (ED25519.to_vec(), octets(jwk, "x")?),
        _ => return None,
    };
    let key = tagged(BIT_STRING, &[&[0], key.as_slice()].concat());
    Some(tagged(SEQUENCE, &[tagged(SEQUENCE, &algorithm), key].concat()))
}

/// The point of the public key in a certificate (RFC 5280 §4.1), where it is of P-256.
pub fn point_of_certificate(der: &[u8]) -> Option<&[u8]> {
    // The algorithm is nowhere else in a certificate; a BIT STRING of 65 octets follows it.
    let algorithm = [EC, P256].concat();
    let at = der.windows(algorithm.len()).position(|octets| octets == algorithm)?;
    let key = der.get(at + algorithm.len()..)?.strip_prefix(&[BIT_STRING, 66, 0])?;
    key.get(..65).filter(|point| point[0] == 4)
}

/// `RSAPublicKey` (RFC 8017 §A.1.1) of an RSA key.
pub fn pkcs1(jwk: &Value) -> Option<Vec<u8>> {
    let integers = [integer(&octets(jwk, "n")?), integer(&octets(jwk, "e")?)];
    Some(tagged(SEQUENCE, &integers.concat()))
}

/// The octets as PEM with that label and a final line break (RFC 7468 §3).
pub fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut lines = format!("-----BEGIN {label}-----\n");
    for line in body.as_bytes().chunks(64) {
        lines.push_str(&String::from_utf8_lossy(line));
        lines.push('\n');
    }
    lines.push_str(&format!("-----END {label}-----\n"));
    lines
}

fn text<'a>(jwk: &'a Value, name: &str) -> Option<&'a str> {
    jwk.get(name)?.as_str()
}

fn octets(jwk: &Value, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text(jwk, name)?.trim_end_matches('=')).ok()
}

/// SEC 1 §2.3.3, uncompressed.
fn point(jwk: &Value) -> Option<Vec<u8>> {
    Some([vec![4], octets(jwk, "x")?, octets(jwk, "y")?].concat())
}

fn integer(octets: &[u8]) -> Vec<u8> {
    let first = octets.iter().position(|o| *o != 0).unwrap_or(octets.len());
    let digits = &octets[first..];
    // A set high bit would make it negative.
    let sign: &[u8] = if digits.first().is_none_or(|o| *o >= 0x80) { &[0] } else { &[] };
    tagged(INTEGER, &[sign, digits].concat())
}

fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let octets = length.to_be_bytes();
    let significant = &octets[octets.iter().take_while(|o| **o == 0).count()..];
    let mut der = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => der.push(short),
        _ => {
            der.push(0x80 | u8::try_from(significant.len()).unwrap_or_default());
            der.extend_from_slice(significant);
        }
    }
    der.extend_from_slice(content);
    der
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // Made with openssl: `openssl pkey -pubout -outform DER`.
    const EC_SPKI: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQydZjT0+VDKYBGkBqvG9tyBEzHKWWO/4bPsHp+AIwF2Tt7iSyu/uSFAITSlK9zvpJLg2MHEf3++V0nNkgfXYRw==";
    const RSA_SPKI: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAy95Qyt4LRP1TfdkTQY8f6If4NQQXq0SNJPvSGCTYwXKwk9VgWMZcmimXG4qIrCXmdEd3mUwlHyjUIFbEOSOK6Mb6cX0gSZrRDOWhcLWOBss0F5yzF6HZnA8J3elUfeiAfQPismgpqGY4CuwyPZTWzJqpQl4evtOeKBxwdZrytj3xVHZ1a+tjy2Q285i7bXClKT+q4IG8b6JcQ40rVkevcQ7xlcOr6e+wet4xbo/s53xqkluMiK4Og8u6slWh+Sv5+m7XAsJtx1wDFO+tAo8bp9wcy/NzYYLqTW8tP/igHA8v5FXgXXuOtPTdG23YhJ1ed0ECweyisPa7V4Ye1QSDwwIDAQAB";

    fn key(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_der_is_that_of_openssl() {
        let ec = key(include_str!("../../fixtures/keys/attacker-ec.json"));
        assert_eq!(STANDARD.encode(spki(&ec).unwrap()), EC_SPKI);
        let rsa = key(include_str!("../../fixtures/keys/attacker-rsa.json"));
        assert_eq!(STANDARD.encode(spki(&rsa).unwrap()), RSA_SPKI);
        assert!(spki(&rsa).unwrap().ends_with(&pkcs1(&rsa).unwrap()));
    }

    #[test]
    fn the_point_of_a_certificate_is_found() {
        let certificate = include_str!("../../fixtures/keys/attacker-ec.crt");
        let body: String = certificate.lines().filter(|l| !l.starts_with("-----")).collect();
        let der = STANDARD.decode(body).unwrap();
        let ec = key(include_str!("../../fixtures/keys/attacker-ec.json"));
        assert_eq!(point_of_certificate(&der), point(&ec).as_deref());
        assert_eq!(point_of_certificate(&der[..40]), None);
    }

    #[test]
    fn pem_has_lines_of_64_characters() {
        let pem = pem("PUBLIC KEY", &[0; 60]);
        let lines: Vec<&str> = pem.lines().collect();
        assert_eq!(lines[0], "-----BEGIN PUBLIC KEY-----");
        assert_eq!((lines[1].len(), lines[2].len()), (64, 16));
        assert!(pem.ends_with("-----END PUBLIC KEY-----\n"));
    }

    #[test]
    fn secret_keys_have_no_public_form() {
        assert!(spki(&json!({"kty": "oct", "k": "AAAA"})).is_none());
    }
}
