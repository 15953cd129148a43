//! What nobody but the server and the commands may know.

use std::collections::BTreeMap;

use rand::RngExt as _;
use rand::distr::{Alphanumeric, SampleString as _};

/// Letters and figures of base32 (RFC 4648 §6).
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Passwords of the users, the secret of the resource server and that of one-time codes, new in every
/// run.
pub(crate) struct Secrets(BTreeMap<&'static str, String>);

impl Secrets {
    pub(crate) fn new() -> Self {
        let random = &mut rand::rng();
        let names = ["INTEROP_PASSWORD", "INTEROP_SECOND_PASSWORD", "INTEROP_SECRET"];
        let mut secrets: BTreeMap<&'static str, String> =
            names.map(|name| (name, Alphanumeric.sample_string(random, 24))).into();
        let digits = (0..32).map(|_| char::from(BASE32[random.random_range(..BASE32.len())]));
        secrets.insert("INTEROP_TOTP", digits.collect());
        Self(secrets)
    }

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    /// Each by its variable.
    pub(crate) fn variables(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    /// The name of one that stands in these octets.
    pub(crate) fn found_in(&self, octets: &[u8]) -> Option<&'static str> {
        let stands = |value: &str| memchr::memmem::find(octets, value.as_bytes()).is_some();
        self.0.iter().find(|(_, value)| stands(value)).map(|(name, _)| *name)
    }

    /// The text with a name in the place of each.
    pub(crate) fn hide(&self, text: &str) -> String {
        let hide = |text: String, (name, value): (&&str, &String)| text.replace(value, name);
        self.0.iter().fold(text.to_owned(), hide)
    }
}
