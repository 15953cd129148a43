//! The protocol: requests as ordered pairs that a tester can bend, responses parsed once.

pub mod authorization;
pub mod challenge;
pub mod credential;
pub mod dcql;
pub mod did_key;
pub mod dpop;
pub mod fault;
pub mod forge;
pub mod jose;
pub mod key;
pub mod metadata;
pub mod params;
pub mod pkce;
pub mod presentation;
pub mod public_key;
pub mod redirect_uri;
pub mod request_object;
pub mod sd_jwt;
pub mod token;
pub mod vectors;
pub mod verifier;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// A random value of `octets` octets in base64url without padding.
pub fn random(octets: usize) -> String {
    let mut bytes = vec![0; octets];
    rand::fill(&mut bytes[..]);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The members of an object; none where it is another value.
pub(crate) fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(members) = value { members } else { Map::new() }
}
