//! SD-JWT in compact form and what it discloses (RFC 9901).

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

type Object = Map<String, Value>;

/// More disclosures than any credential for a login has.
const MOST_DISCLOSURES: usize = 64;
/// Deeper than its claims nest, disclosures within disclosures included.
const DEEPEST: usize = 32;

/// base64url of the SHA-256 hash, the form of digests and of `sd_hash` (RFC 9901 §4.2.3, §4.3.1).
pub(crate) fn digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

/// The parts of an SD-JWT (§4): nothing is verified yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SdJwt<'a> {
    /// The JWT of the issuer.
    pub(crate) jwt: &'a str,
    disclosures: Vec<&'a str>,
    /// The JWT of the holder.
    pub(crate) key_binding: Option<&'a str>,
    /// What `sd_hash` is the hash of.
    pub(crate) hashed: &'a str,
}

impl<'a> SdJwt<'a> {
    /// `<JWT>~<disclosure>~..~<KB-JWT>`, where the last part may be empty.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let end = text.rfind('~')?;
        let (hashed, key_binding) = text.split_at_checked(end + 1)?;
        let mut parts = hashed.strip_suffix('~')?.split('~');
        let jwt = parts.next().filter(|jwt| !jwt.is_empty())?;
        let disclosures: Vec<_> = parts.take(MOST_DISCLOSURES + 1).collect();
        (disclosures.len() <= MOST_DISCLOSURES).then_some(Self {
            jwt,
            disclosures,
            key_binding: Some(key_binding).filter(|jwt| !jwt.is_empty()),
            hashed,
        })
    }

    /// The claims of the payload with what was disclosed (§7.1, §7.3); `None`, if a disclosure has
    /// no digest in the payload, or could stand for more than one claim.
    pub(crate) fn disclosed(&self, payload: &Value) -> Option<Value> {
        // §4.1.1: SHA-256 is the default, and all that is known here.
        if !matches!(payload.get("_sd_alg").map(Value::as_str), None | Some(Some("sha-256"))) {
            return None;
        }
        let by_digest = self.disclosures.iter().map(|text| Some((digest(text), decoded(text)?)));
        let mut open =
            Open { by_digest: by_digest.collect::<Option<_>>()?, seen: HashSet::new(), depth: 0 };
        let is_repeated = open.by_digest.len() != self.disclosures.len();
        let claims = open.fill(payload)?;
        // Step 5: nothing may be left over.
        (open.by_digest.is_empty() && !is_repeated).then_some(claims)
    }

    /// The same from whatever comes along, fitting or not; only a defect asks for it.
    pub(crate) fn disclosed_unchecked(&self, payload: &Value) -> Value {
        let mut claims = payload.clone();
        for disclosure in self.disclosures.iter().filter_map(|text| decoded(text)) {
            if let ([_, Value::String(name), value], Some(claims)) =
                (disclosure.as_slice(), claims.as_object_mut())
            {
                claims.insert(name.clone(), value.clone());
            }
        }
        claims
    }
}

fn decoded(disclosure: &str) -> Option<Vec<Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(disclosure).ok()?).ok()
}

/// The disclosures that have not found their place yet.
struct Open {
    by_digest: HashMap<String, Vec<Value>>,
    seen: HashSet<String>,
    depth: usize,
}

impl Open {
    fn fill(&mut self, value: &Value) -> Option<Value> {
        self.depth = Some(self.depth + 1).filter(|depth| *depth <= DEEPEST)?;
        let filled = match value {
            Value::Object(members) => self.fill_object(members).map(Value::Object),
            Value::Array(elements) => self.fill_array(elements).map(Value::Array),
            other => Some(other.clone()),
        };
        self.depth -= 1;
        filled
    }

    fn fill_object(&mut self, members: &Object) -> Option<Object> {
        let mut filled = Object::new();
        for (name, value) in
            members.iter().filter(|(n, _)| !matches!(n.as_str(), "_sd" | "_sd_alg"))
        {
            filled.insert(name.clone(), self.fill(value)?);
        }
        let none = Value::Array(Vec::new());
        for digest in members.get("_sd").unwrap_or(&none).as_array()? {
            let Some(disclosure) = self.take(digest.as_str()?)? else { continue };
            let [Value::String(_), Value::String(name), value] = disclosure.as_slice() else {
                return None;
            };
            // Step 3.2.2: a disclosure neither hides others nor overwrites what the issuer says.
            if matches!(name.as_str(), "_sd" | "...") || filled.contains_key(name) {
                return None;
            }
            filled.insert(name.clone(), self.fill(value)?);
        }
        Some(filled)
    }

    fn fill_array(&mut self, elements: &[Value]) -> Option<Vec<Value>> {
        let mut filled = Vec::new();
        for element in elements {
            let Some(digest) = element.get("...") else {
                filled.push(self.fill(element)?);
                continue;
            };
            let Some(disclosure) = self.take(digest.as_str()?)? else { continue };
            let [Value::String(_), value] = disclosure.as_slice() else { return None };
            filled.push(self.fill(value)?);
        }
        Some(filled)
    }

    /// The disclosure with this digest, if it was sent. Step 4: no digest occurs twice.
    fn take(&mut self, digest: &str) -> Option<Option<Vec<Value>>> {
        self.seen.insert(digest.to_owned()).then(|| self.by_digest.remove(digest))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn disclosure(value: &Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    fn disclosed(payload: &Value, disclosures: &[&str]) -> Option<Value> {
        let text: String = disclosures.iter().map(|d| format!("{d}~")).collect();
        SdJwt::parse(&format!("h.p.s~{text}"))?.disclosed(payload)
    }

    #[test]
    fn parts_are_told_apart() {
        let bound = SdJwt::parse("a.b.c~d1~d2~k.b.j").unwrap();
        assert_eq!((bound.jwt, bound.key_binding), ("a.b.c", Some("k.b.j")));
        assert_eq!(
            (bound.disclosures.as_slice(), bound.hashed),
            (["d1", "d2"].as_slice(), "a.b.c~d1~d2~")
        );
        let unbound = SdJwt::parse("a.b.c~").unwrap();
        assert_eq!((unbound.key_binding, unbound.disclosures.len()), (None, 0));
        assert_eq!(SdJwt::parse("a.b.c"), None);
        assert_eq!(SdJwt::parse("~k.b.j"), None);
        assert_eq!(SdJwt::parse(&format!("a.b.c~{}", "d~".repeat(65))), None);
    }

    #[test]
    fn the_digest_is_that_of_rfc_9901() {
        // RFC 9901 §4.2.3.
        let example = "WyI2cU1RdlJMNWhhaiIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0";
        assert_eq!(digest(example), "uutlBuYeMDyjLLTpf6Jxi7yNkEF35jdyWMn9U7b_RYY");
        let payload = json!({"_sd": [digest(example)], "_sd_alg": "sha-256"});
        assert_eq!(disclosed(&payload, &[example]), Some(json!({"family_name": "Möbius"})));
        assert_eq!(disclosed(&payload, &[]), Some(json!({})));
    }

    #[test]
    fn disclosures_nest() {
        let street = disclosure(&json!(["s1", "street", "Main"]));
        let address = disclosure(&json!(["s2", "address", {"_sd": [digest(&street)]}]));
        let first = disclosure(&json!(["s3", "one"]));
        let payload = json!({
            "_sd": [digest(&address), "decoy"],
            "list": [{"...": digest(&first)}, {"...": "withheld"}, "two"],
        });
        assert_eq!(
            disclosed(&payload, &[&street, &first, &address]),
            Some(json!({"list": ["one", "two"], "address": {"street": "Main"}}))
        );
        assert_eq!(disclosed(&payload, &[&street]), None, "its parent was withheld");
    }

    #[test]
    fn nesting_has_an_end() {
        let chain = |length: usize| {
            let mut disclosures = vec![disclosure(&json!(["s", "end"]))];
            for _ in 1..length {
                let inner = json!([{"...": digest(disclosures.last().unwrap())}]);
                disclosures.push(disclosure(&json!(["s", inner])));
            }
            let payload = json!({"list": [{"...": digest(disclosures.last().unwrap())}]});
            disclosed(&payload, &disclosures.iter().map(String::as_str).collect::<Vec<_>>())
        };
        assert!(chain(8).is_some());
        assert_eq!(chain(DEEPEST), None);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let email = disclosure(&json!(["s", "email", "alice@example.test"]));
        let payload = json!({"_sd": [digest(&email)]});
        let altered = disclosure(&json!(["s", "email", "bob@example.test"]));
        for disclosures in [vec![altered.as_str()], vec![&email, &altered], vec![&email, &email]] {
            assert_eq!(disclosed(&payload, &disclosures), None);
        }
        for payload in [
            json!({"_sd": [digest(&email)], "_sd_alg": "sha-512"}),
            json!({"_sd": [digest(&email), digest(&email)]}),
            json!({"_sd": [digest(&email)], "email": "bob@example.test"}),
            json!({"_sd": digest(&email)}),
        ] {
            assert_eq!(disclosed(&payload, &[&email]), None, "{payload}");
        }
        for value in [json!(["s", "_sd", []]), json!(["s", "value"]), json!([1, "email", "x"])] {
            let odd = disclosure(&value);
            assert_eq!(disclosed(&json!({"_sd": [digest(&odd)]}), &[&odd]), None, "{value}");
        }
        assert_eq!(disclosed(&payload, &["not base64!"]), None);
    }
}
