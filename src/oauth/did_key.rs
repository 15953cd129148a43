//! Public P-256 keys as did:key (The did:key Method v0.9): `did:key:z` and base58btc of
//! 0x80 0x24 and the 33 octets of the compressed point (SEC 1 §2.3.3).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

use super::jose::Jws;
use super::key::Key;

/// The method, and the Multibase prefix of base58btc.
const PREFIX: &str = "did:key:z";
/// `p256-pub` (Multicodec) as a varint.
const P256: [u8; 2] = [0x80, 0x24];
/// Octets of a compressed point.
const COMPRESSED: usize = 33;
/// Characters of the longest that is decoded: the work grows with the square.
const LONGEST: usize = 128;
/// base58btc: digits and letters without 0, O, I and l.
const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The did:key of a key.
pub fn of(key: &Key) -> String {
    let (x, y) = key.point().get(1..).and_then(|xy| xy.split_at_checked(32)).unwrap_or_default();
    let sign = 2 + y.last().map_or(0, |last| last & 1);
    format!("{PREFIX}{}", encoded(&[&P256[..], &[sign], x].concat()))
}

/// The compressed point of a did:key of P-256, of which a DID URL may name the key by a fragment.
/// The error says what else it is.
pub fn point(did: &str) -> Result<Vec<u8>, String> {
    let did = did.split('#').next().unwrap_or(did);
    let text = did.strip_prefix(PREFIX).ok_or("no did:key in base58btc")?;
    let octets = decoded(text).ok_or("no base58btc after did:key:z")?;
    match octets.strip_prefix(&P256) {
        Some(point) if point.len() == COMPRESSED && matches!(point[0], 2 | 3) => Ok(point.to_vec()),
        Some(_) => Err("no compressed point of P-256".into()),
        None => Err("a did:key of another kind than P-256".into()),
    }
}

/// The token is signed by ES256 with the key of that did:key; says why not otherwise.
pub fn verify(jws: &Jws, did: &str) -> Result<(), String> {
    let point = point(did)?;
    jws.verify_with("ES256", |signed, signature| {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).verify(signed, signature).is_ok()
    })
}

fn encoded(octets: &[u8]) -> String {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let digits = converted(octets, 256, 58);
    let all = std::iter::repeat_n(0, zeros).chain(digits);
    all.map(|digit| char::from(ALPHABET[usize::from(digit)])).collect()
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let text = Some(text).filter(|text| text.len() <= LONGEST)?;
    let digit = |c: u8| ALPHABET.iter().position(|a| *a == c).and_then(|at| u8::try_from(at).ok());
    let digits = text.bytes().map(digit).collect::<Option<Vec<u8>>>()?;
    let zeros = digits.iter().take_while(|digit| **digit == 0).count();
    Some([vec![0; zeros], converted(&digits, 58, 256)].concat())
}

/// The number with these digits in another base, the most significant digit first.
fn converted(digits: &[u8], from: u32, to: u32) -> Vec<u8> {
    let mut number: Vec<u8> = Vec::new();
    for digit in digits {
        let mut carry = u32::from(*digit);
        for place in number.iter_mut().rev() {
            carry += u32::from(*place) * from;
            *place = u8::try_from(carry % to).unwrap_or_default();
            carry /= to;
        }
        while carry > 0 {
            number.insert(0, u8::try_from(carry % to).unwrap_or_default());
            carry /= to;
        }
    }
    number
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Map;

    use super::*;
    use crate::oauth::key::Seal;

    /// The did:key Method v0.9 §4: examples of P-256 keys.
    const EXAMPLES: [&str; 2] = [
        "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
        "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
    ];

    #[test]
    fn the_examples_of_the_method_are_read() {
        for did in EXAMPLES {
            let point = point(did).unwrap();
            assert_eq!(format!("{PREFIX}{}", encoded(&[&P256[..], &point].concat())), did);
        }
        assert_eq!(point(&format!("{}#zDn", EXAMPLES[0])), point(EXAMPLES[0]));
        for (did, why) in [
            ("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", "another kind"),
            ("did:web:as.test", "no did:key"),
            ("did:key:z0", "no base58btc"),
            (&EXAMPLES[0][..EXAMPLES[0].len() - 1], "P-256"),
        ] {
            assert!(point(did).unwrap_err().contains(why), "{did}");
        }
    }

    #[test]
    fn the_key_of_a_did_verifies_what_it_signed_and_nothing_else() {
        let (key, other) = (Key::generate().unwrap(), Key::generate().unwrap());
        let token = |seal: Seal<'_>| Jws::read(&seal.compact(&Map::new(), &Map::new())).unwrap();
        assert_eq!(verify(&token(Seal::Signed(&key)), &of(&key)), Ok(()));
        for (seal, did) in [
            (Seal::Signed(&key), of(&other)),
            (Seal::Altered(&key), of(&key)),
            (Seal::Unsigned, of(&key)),
            (Seal::Symmetric(b"x"), of(&key)),
        ] {
            assert!(verify(&token(seal), &did).is_err());
        }
    }

    proptest! {
        #[test]
        fn base58_there_and_back(octets in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert_eq!(decoded(&encoded(&octets)), Some(octets));
        }
    }
}
