//! How much chance there can be in secrets that a server makes. A bound from a few samples can
//! disprove that they are random enough, and never prove it.

/// Bits that RFC 6749 §10.10 demands of codes and tokens.
pub const LEAST_BITS: f64 = 128.0;

/// Bits that it recommends.
pub const BETTER_BITS: f64 = 160.0;

/// Samples below which a position where all agree may do so by chance, and counts as varying.
const ENOUGH: usize = 6;

/// Upper bound of the entropy of `values`, which differ from each other: the characters that vary,
/// times the bits of the alphabet that they are drawn from. Where all values are equally long,
/// positions at which all agree do not vary.
pub fn upper_bound(values: &[&str]) -> f64 {
    let Some(first) = values.first() else { return 0.0 };
    let shortest = values.iter().map(|value| value.len()).min().unwrap_or(0);
    let is_even = values.iter().all(|value| value.len() == first.len());
    let tells_constants = is_even && values.len() >= ENOUGH;
    let varies = |i: &usize| {
        !tells_constants || values.iter().any(|value| value.as_bytes()[*i] != first.as_bytes()[*i])
    };
    let positions: Vec<usize> = (0..shortest).filter(varies).collect();
    let seen = || values.iter().flat_map(|value| positions.iter().map(|&i| value.as_bytes()[i]));
    let alphabet: u32 = if seen().all(|b| b.is_ascii_digit()) {
        10
    } else if seen().all(|b| b.is_ascii_hexdigit()) {
        16
    } else {
        let size = |is_there: bool, size| if is_there { size } else { 0 };
        size(seen().any(|b| b.is_ascii_lowercase()), 26)
            + size(seen().any(|b| b.is_ascii_uppercase()), 26)
            + size(seen().any(|b| b.is_ascii_digit()), 10)
            + size(seen().any(|b| !b.is_ascii_alphanumeric()), 2)
    };
    #[expect(clippy::cast_precision_loss, reason = "a secret has far fewer than 2^52 characters")]
    let length = positions.len() as f64;
    length * f64::from(alphabet.max(1)).log2()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(values: &[String]) -> f64 {
        upper_bound(&values.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[test]
    fn random_octets_reach_their_bits_in_any_alphabet() {
        let hex = |octets: [u8; 16]| octets.iter().map(|o| format!("{o:02x}")).collect();
        let values: Vec<String> = (0..8).map(|_| hex(rand::random())).collect();
        assert!(bound(&values) >= 120.0);
        let values: Vec<String> = (0..8).map(|_| crate::oauth::random(20)).collect();
        assert!(bound(&values) >= BETTER_BITS - 12.0);
    }

    #[test]
    fn a_constant_frame_does_not_count() {
        let framed = |i: u32| format!("the-constant-frame-of-every-token-{i:08}-and-its-end");
        assert!(bound(&(0..8).map(framed).collect::<Vec<_>>()) < 4.0);
        // RFC 9562 §5.4 leaves 122 of 128 bits to chance.
        let uuid = |octets: [u8; 16]| {
            let hex: String = octets.iter().map(|o| format!("{o:02x}")).collect();
            format!(
                "{}-{}-4{}-a{}-{}",
                &hex[..8],
                &hex[8..12],
                &hex[13..16],
                &hex[17..20],
                &hex[20..]
            )
        };
        let uuids: Vec<String> = (0..8).map(|_| uuid(rand::random())).collect();
        assert!(bound(&uuids) < LEAST_BITS);
    }

    #[test]
    fn what_few_samples_share_may_be_chance() {
        let two = ["00ff00ff00ff00ff00ff00ff00ff00ff", "00aa00aa00aa00aa00aa00aa00aa00aa"];
        assert!(upper_bound(&two) >= LEAST_BITS);
        assert!(upper_bound(&["static"]) < LEAST_BITS);
        assert!(upper_bound(&[]) < 1.0);
    }
}
