//! base64 in any place: both alphabets, with and without padding, at any alignment.

/// The digits of base64url, by value.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Of an octet that is no digit.
const OTHER: u8 = 64;

/// Six bits of a digit of either alphabet, by octet.
const BITS: [u8; 256] = {
    let mut table = [OTHER; 256];
    let mut value = 0;
    while value < 64 {
        table[DIGITS[value] as usize] = value as u8;
        value += 1;
    }
    (table[b'+' as usize], table[b'/' as usize]) = (62, 63);
    table
};

/// The octet is a digit of one of the alphabets.
#[inline]
pub(super) fn is_digit(octet: u8) -> bool {
    BITS[usize::from(octet)] != OTHER
}

/// The octets that the digits stand for; bits that fill no octet are dropped.
pub(super) fn decode(digits: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut held, mut count) = (0u32, 0);
    for digit in digits {
        held = held << 6 | u32::from(BITS[usize::from(*digit)] & 63);
        count += 6;
        if count >= 8 {
            count -= 8;
            octets.push((held >> count & 0xff) as u8);
        }
    }
    octets
}

/// The digits, of base64url, that all bits of which come from these octets; they begin a group.
pub(super) fn encode(octets: &[u8]) -> Vec<u8> {
    let mut digits = Vec::with_capacity(octets.len() * 4 / 3);
    let (mut held, mut count) = (0u32, 0);
    for octet in octets {
        held = held << 8 | u32::from(*octet);
        count += 8;
        while count >= 6 {
            count -= 6;
            digits.push(DIGITS[(held >> count & 0x3f) as usize]);
        }
    }
    digits
}

/// Octets of a value before the first group of three that is all its own, where `before` octets of
/// something else stand in the group that it begins in; and the digits that those octets touch.
pub(super) fn lead(before: u8) -> (usize, usize) {
    match before {
        0 => (0, 0),
        1 => (2, 3),
        _ => (1, 2),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_alphabets_decode_and_digits_are_those_of_the_library(octets: Vec<u8>) {
            prop_assert_eq!(decode(URL_SAFE_NO_PAD.encode(&octets).as_bytes()), octets.clone());
            let padded = STANDARD.encode(&octets);
            prop_assert_eq!(decode(padded.trim_end_matches('=').as_bytes()), octets.clone());
            let whole = URL_SAFE_NO_PAD.encode(&octets);
            prop_assert!(whole.as_bytes().starts_with(&encode(&octets)));
        }

        #[test]
        fn after_the_lead_come_the_digits_of_the_value(before in 0u8..3, value in "[ -~]{8,20}") {
            let text = format!("{}{value}", "x".repeat(before.into()));
            let (octets, digits) = lead(before);
            let whole = URL_SAFE_NO_PAD.encode(&text);
            let own = encode(&value.as_bytes()[octets..]);
            let start = if before == 0 { 0 } else { 4 };
            prop_assert!(whole.as_bytes()[start..].starts_with(&own));
            prop_assert!(digits < 4);
        }
    }
}
