//! What a TLS handshake tells, before anything is sent over it.

use std::fmt;

use super::exchange::Withheld;

/// A version by its number on the wire, for example 0x0303.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TlsVersion(pub u16);

impl TlsVersion {
    /// TLS 1.0.
    pub const V1_0: Self = Self(0x0301);
    /// TLS 1.1.
    pub const V1_1: Self = Self(0x0302);
    /// TLS 1.2.
    pub const V1_2: Self = Self(0x0303);
    /// TLS 1.3.
    pub const V1_3: Self = Self(0x0304);
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0x0300 => f.write_str("SSL 3.0"),
            version @ 0x0301..=0x0304 => write!(f, "TLS 1.{}", version - 0x0301),
            version => write!(f, "TLS version {version:#06x}"),
        }
    }
}

/// Why a handshake did not complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandshakeFailure {
    /// The certificate is at fault: how.
    Certificate(String),
    /// It was not tried, for the sake of the target; why, in words.
    Withheld(Withheld, String),
    /// There is no connection, in words.
    Unreached(String),
    /// Anything else, in words.
    Other(String),
}

impl HandshakeFailure {
    /// What to change.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Certificate(_) => "see transport.certificate",
            Self::Withheld(withheld, _) => withheld.remedy(),
            Self::Unreached(_) | Self::Other(_) => "check that it is reachable and speaks TLS",
        }
    }
}

impl fmt::Display for HandshakeFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(how) => write!(f, "TLS: the certificate is not valid: {how}"),
            Self::Withheld(_, reason) | Self::Unreached(reason) | Self::Other(reason) => {
                f.write_str(reason)
            }
        }
    }
}

/// The first thing that a server says to a ClientHello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelloReply {
    /// It goes on, with this version.
    ServerHello(TlsVersion),
    /// It refuses, with this alert description (RFC 8446 §6).
    Alert(u8),
    /// It closes the connection, or says nothing.
    Nothing,
    /// It does not speak TLS.
    NotTls,
}

impl HelloReply {
    /// `protocol_version`: none of the offered versions is spoken.
    pub const PROTOCOL_VERSION: Self = Self::Alert(70);

    /// Reads the first octets that came back; 11 of them suffice.
    pub fn read(octets: &[u8]) -> Self {
        match octets {
            [] => Self::Nothing,
            [21, _, _, _, _, _, description, ..] => Self::Alert(*description),
            [22, _, _, _, _, 2, _, _, _, major, minor, ..] => {
                Self::ServerHello(TlsVersion(u16::from_be_bytes([*major, *minor])))
            }
            _ => Self::NotTls,
        }
    }
}

impl fmt::Display for HelloReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServerHello(version) => write!(f, "a ServerHello with {version}"),
            Self::Alert(description) => write!(f, "alert {description}"),
            Self::Nothing => f.write_str("no reply"),
            Self::NotTls => f.write_str("a reply that is not TLS"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_names() {
        assert_eq!(TlsVersion::V1_1.to_string(), "TLS 1.1");
        assert_eq!(TlsVersion::V1_3.to_string(), "TLS 1.3");
        assert_eq!(TlsVersion(0x0300).to_string(), "SSL 3.0");
    }

    #[test]
    fn the_first_octets_tell_the_reply() {
        let hello = [22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2, 9];
        assert_eq!(HelloReply::read(&hello), HelloReply::ServerHello(TlsVersion::V1_1));
        assert_eq!(HelloReply::read(&[21, 3, 1, 0, 2, 2, 70]), HelloReply::PROTOCOL_VERSION);
        assert_eq!(HelloReply::read(&[]), HelloReply::Nothing);
        assert_eq!(HelloReply::read(b"HTTP/1.1 400 "), HelloReply::NotTls);
        assert_eq!(HelloReply::read(&[22, 3, 1]), HelloReply::NotTls);
    }
}
