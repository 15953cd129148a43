//! One-time codes by time (RFC 6238), from a base32 secret (RFC 4648 §6) or an `otpauth` URI.

use std::fmt;

use aws_lc_rs::hmac;
use percent_encoding::percent_decode_str;
use url::Url;

/// The hash of the codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// HMAC-SHA-1, what most authenticators know.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

/// What makes the codes of one user.
#[derive(Clone, PartialEq, Eq)]
pub struct Totp {
    key: Vec<u8>,
    hash: Hash,
    /// Digits of a code, 6 to 8.
    digits: u32,
    /// Seconds that a code is good for.
    period: u64,
}

// Makes codes.
impl fmt::Debug for Totp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Totp(.., {:?}, {} digits, {} s)", self.hash, self.digits, self.period)
    }
}

impl Totp {
    /// The secret in base32, in capitals and without padding.
    pub fn secret(&self) -> String {
        const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let (mut text, mut bits, mut held) = (String::new(), 0_u32, 0_u32);
        for octet in &self.key {
            bits = (bits << 8 | u32::from(*octet)) & 0xfff;
            held += 8;
            while held >= 5 {
                held -= 5;
                text.push(char::from(DIGITS[(bits >> held & 31) as usize]));
            }
        }
        if held > 0 {
            text.push(char::from(DIGITS[(bits << (5 - held) & 31) as usize]));
        }
        text
    }

    /// Reads a base32 secret, or an `otpauth://totp/..` URI as authenticators scan it.
    ///
    /// The error says what is wrong and repeats nothing of the secret.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let mut totp = Self { key: vec![], hash: Hash::Sha1, digits: 6, period: 30 };
        if !text.to_ascii_lowercase().starts_with("otpauth:") {
            totp.key = base32(text)?;
            return Ok(totp);
        }
        let url = Url::parse(text).map_err(|e| format!("the otpauth URI does not parse: {e}"))?;
        if url.host_str() != Some("totp") {
            return Err("only otpauth://totp/ is known: codes that count need a counter".into());
        }
        for pair in url.query().unwrap_or_default().split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8_lossy();
            match name {
                "secret" => totp.key = base32(&value)?,
                "algorithm" => totp.hash = hash(&value)?,
                "digits" => totp.digits = number(name, &value, 6..=8)?,
                "period" => totp.period = number(name, &value, 5..=300)?,
                _ => {}
            }
        }
        if totp.key.is_empty() {
            return Err("the otpauth URI has no secret".into());
        }
        Ok(totp)
    }

    /// The number of the period in which `seconds` since the epoch lie.
    pub fn period_of(&self, seconds: u64) -> u64 {
        seconds / self.period
    }

    /// When that period begins, in seconds since the epoch.
    pub fn begin(&self, period: u64) -> u64 {
        period * self.period
    }

    /// The code of that period (RFC 4226 §5.3).
    pub fn code(&self, period: u64) -> String {
        let algorithm = match self.hash {
            Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        let tag = hmac::sign(&hmac::Key::new(algorithm, &self.key), &period.to_be_bytes());
        let octets = tag.as_ref();
        let at = usize::from(octets.last().copied().unwrap_or_default() & 0x0f);
        let number = octets[at..at + 4].iter().fold(0_u32, |n, o| n << 8 | u32::from(*o));
        let code = (number & 0x7fff_ffff) % 10_u32.pow(self.digits);
        format!("{code:0width$}", width = self.digits as usize)
    }
}

fn hash(name: &str) -> Result<Hash, String> {
    match name.to_ascii_uppercase().replace('-', "").as_str() {
        "SHA1" => Ok(Hash::Sha1),
        "SHA256" => Ok(Hash::Sha256),
        "SHA512" => Ok(Hash::Sha512),
        other => Err(format!("unknown algorithm {other}, expected SHA1, SHA256 or SHA512")),
    }
}

fn number<T: std::str::FromStr + PartialOrd + fmt::Display>(
    name: &str,
    text: &str,
    range: std::ops::RangeInclusive<T>,
) -> Result<T, String> {
    let within = text.parse().ok().filter(|n| range.contains(n));
    within.ok_or_else(|| format!("{name} must be {} to {}; got {text}", range.start(), range.end()))
}

/// The octets of a base32 text; spaces, hyphens, case and padding are as people write them.
pub fn base32(text: &str) -> Result<Vec<u8>, String> {
    let (mut octets, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for c in text.trim_end_matches('=').chars().filter(|c| !matches!(c, ' ' | '-')) {
        let digit = match c.to_ascii_uppercase() {
            letter @ 'A'..='Z' => letter as u32 - 'A' as u32,
            figure @ '2'..='7' => figure as u32 - '2' as u32 + 26,
            _ => return Err("a secret is base32: letters and the figures 2 to 7".into()),
        };
        bits = (bits << 5 | digit) & 0xfff;
        held += 5;
        if held >= 8 {
            held -= 8;
            octets.extend(u8::try_from(bits >> held & 0xff));
        }
    }
    if octets.is_empty() {
        return Err("the secret is empty".into());
    }
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Base32 as RFC 4648 §6 writes it, without padding.
    fn encoded(octets: &[u8]) -> String {
        let bits: String = octets.iter().map(|o| format!("{o:08b}")).collect();
        let digit = |chunk: &[u8]| {
            let text = format!("{:0<5}", std::str::from_utf8(chunk).unwrap());
            let value = u8::from_str_radix(&text, 2).unwrap();
            char::from(if value < 26 { b'A' + value } else { b'2' + value - 26 })
        };
        bits.as_bytes().chunks(5).map(digit).collect()
    }

    #[test]
    fn the_codes_are_those_of_rfc_6238_appendix_b() {
        let seed = "1234567890".repeat(7);
        let of = |hash: &str, length: usize| {
            let secret = encoded(&seed.as_bytes()[..length]);
            let uri = format!("otpauth://totp/x?secret={secret}&algorithm={hash}&digits=8");
            Totp::read(&uri).unwrap()
        };
        let (sha1, sha256, sha512) = (of("SHA1", 20), of("SHA256", 32), of("sha-512", 64));
        for (seconds, a, b, c) in [
            (59, "94287082", "46119246", "90693936"),
            (1_111_111_109, "07081804", "68084774", "25091201"),
            (1_111_111_111, "14050471", "67062674", "99943326"),
            (1_234_567_890, "89005924", "91819424", "93441116"),
            (2_000_000_000, "69279037", "90698825", "38618901"),
            (20_000_000_000, "65353130", "77737706", "47863826"),
        ] {
            let at = |totp: &Totp| totp.code(totp.period_of(seconds));
            assert_eq!((at(&sha1), at(&sha256), at(&sha512)), (a.into(), b.into(), c.into()));
        }
    }

    #[test]
    fn base32_is_that_of_rfc_4648_section_10() {
        for (text, octets) in [
            ("MY======", "f"),
            ("MZXQ====", "fo"),
            ("MZXW6===", "foo"),
            ("MZXW6YQ=", "foob"),
            ("mzxw 6ytb", "fooba"),
            ("MZXW-6YTB-OI", "foobar"),
        ] {
            assert_eq!(base32(text).unwrap(), octets.as_bytes(), "{text}");
        }
        assert!(base32("").is_err() && base32("M1").unwrap_err().contains("base32"));
    }

    #[test]
    fn a_secret_alone_makes_six_digits_and_shows_nothing() {
        let totp = Totp::read("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        assert_eq!(totp.code(totp.period_of(59)), "287082");
        assert_eq!(totp.secret(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(Totp::read("MZXW6YTBOI").unwrap().secret(), "MZXW6YTBOI");
        assert!(!format!("{totp:?}").contains("GEZD"));
        for wrong in [
            "otpauth://hotp/x?secret=MY",
            "otpauth://totp/x",
            "otpauth://totp/x?secret=MY&digits=9",
        ] {
            assert!(Totp::read(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn base32_goes_round(octets in prop::collection::vec(any::<u8>(), 1..40)) {
            prop_assert_eq!(base32(&encoded(&octets)).unwrap(), octets);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}") {
            let _ = Totp::read(&text);
            let _ = Totp::read(&format!("otpauth://totp/a?secret={text}"));
        }
    }
}
