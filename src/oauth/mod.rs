//! The protocol: requests as ordered pairs that a tester can bend, responses parsed once.

pub mod authorization;
pub mod challenge;
pub mod dpop;
pub mod forge;
pub mod jose;
pub mod metadata;
pub mod params;
pub mod pkce;
pub mod public_key;
pub mod redirect_uri;
pub mod token;
pub mod vectors;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A random value of `octets` octets in base64url without padding.
pub fn random(octets: usize) -> String {
    let mut bytes = vec![0; octets];
    rand::fill(&mut bytes[..]);
    URL_SAFE_NO_PAD.encode(bytes)
}
