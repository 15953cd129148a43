//! SD-JWT (RFC 9901): disclosures, their digests, and the parts of a presentation.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::jose::Jws;

/// Objects within objects that are opened.
const DEEPEST: usize = 16;

/// The disclosure of a claim (§4.2.1).
pub fn disclosure(salt: &str, name: &str, value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json!([salt, name, value]).to_string())
}

/// The hash of a disclosure (§4.2.3) and of what a key binding covers (§4.3.1): SHA-256 in base64url.
pub fn digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

/// Salt, name and value of the disclosure of a claim.
pub fn disclosed(disclosure: &str) -> Option<(String, String, Value)> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(disclosure).ok()?).ok()
}

/// An SD-JWT without a key binding.
#[derive(Clone, PartialEq, Eq)]
pub struct SdJwt {
    /// The JWT of the issuer.
    pub jwt: String,
    /// The disclosures, in order.
    pub disclosures: Vec<String>,
}

impl SdJwt {
    /// Reads `<JWT>~<disclosure>~..~` (§4); a key binding behind the last tilde is left out.
    pub fn read(text: &str) -> Option<Self> {
        let (all, _binding) = text.trim().rsplit_once('~')?;
        let mut parts = all.split('~').map(str::to_owned);
        let jwt = parts.next().filter(|jwt| !jwt.is_empty())?;
        Some(Self { jwt, disclosures: parts.collect() })
    }

    /// What the credential says, as far as it is disclosed (§7.1, for honest credentials).
    pub fn claims(&self) -> Map<String, Value> {
        let payload = Jws::read(&self.jwt).map(|jws| jws.claims).unwrap_or_default();
        let known = self.disclosures.iter();
        let known: BTreeMap<String, (String, Value)> = known
            .filter_map(|text| {
                disclosed(text).map(|(_, name, value)| (digest(text), (name, value)))
            })
            .collect();
        opened(&payload, &known, DEEPEST)
    }

    /// The serialization up to and with the last tilde: what `sd_hash` is the hash of (§4.3.1).
    pub fn text(&self) -> String {
        let disclosures = self.disclosures.iter().map(|d| format!("{d}~"));
        std::iter::once(format!("{}~", self.jwt)).chain(disclosures).collect()
    }
}

/// The members with those that their `_sd` stands for.
fn opened(
    members: &Map<String, Value>,
    known: &BTreeMap<String, (String, Value)>,
    depth: usize,
) -> Map<String, Value> {
    let digests = members.get("_sd").and_then(Value::as_array).into_iter().flatten();
    let hidden = digests.filter_map(|d| known.get(d.as_str()?)).map(|(n, v)| (n, v));
    let all = members.iter().filter(|(name, _)| !name.starts_with("_sd")).chain(hidden);
    let open = |value: &Value| match value {
        Value::Object(inner) if depth > 0 => Value::Object(opened(inner, known, depth - 1)),
        other => other.clone(),
    };
    all.map(|(name, value)| (name.clone(), open(value))).collect()
}

// Carries a credential.
impl std::fmt::Debug for SdJwt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SdJwt({} disclosures)", self.disclosures.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_rfc() {
        // RFC 9901 §4.2.3, and §4.2.1 for what the disclosure says.
        let example = "WyI2cU1RdlJMNWhhaiIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0";
        assert_eq!(digest(example), "uutlBuYeMDyjLLTpf6Jxi7yNkEF35jdyWMn9U7b_RYY");
        let (salt, name, value) = disclosed(example).unwrap();
        assert_eq!((salt.as_str(), name.as_str()), ("6qMQvRL5haj", "family_name"));
        assert_eq!(value, "M\u{f6}bius");
        // Another encoding of the same array is another disclosure.
        assert_eq!(disclosed(&disclosure(&salt, &name, &value)).unwrap().2, value);
        assert_ne!(disclosure(&salt, &name, &value), example);
    }

    #[test]
    fn hidden_claims_are_opened() {
        use crate::oauth::{key::Seal, object};
        let street = disclosure("s1", "street", &json!("Main"));
        let address = disclosure("s2", "address", &json!({"_sd": [digest(&street), "decoy"]}));
        let payload = object(json!({"vct": "t", "_sd": [digest(&address)], "_sd_alg": "sha-256"}));
        let jwt = Seal::Unsigned.compact(&object(json!({})), &payload);
        let of = |disclosures| SdJwt { jwt: jwt.clone(), disclosures }.claims();
        let whole = of(vec![street, address]);
        assert_eq!(whole, object(json!({"vct": "t", "address": {"street": "Main"}})));
        assert_eq!(of(vec![]), object(json!({"vct": "t"})));
    }

    #[test]
    fn parts_are_read_and_written() {
        for text in ["a.b.c~", "a.b.c~d1~d2~"] {
            let read = SdJwt::read(text).unwrap();
            assert_eq!(read.text(), text);
            assert_eq!(SdJwt::read(&format!("{text}k.b.j\n")), Some(read));
        }
        assert_eq!(SdJwt::read("a.b.c"), None);
        assert_eq!(SdJwt::read("~d~"), None);
    }
}
