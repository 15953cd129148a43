//! The request object of a verifier (RFC 9101, OpenID for Verifiable Presentations 1.0 §5), as a
//! wallet reads and verifies it.

use serde_json::Value;

use super::jose::Jws;
use super::verifier;

/// Seconds that clocks may differ.
const SKEW: i64 = 300;

/// What a verifier asks for.
#[derive(Clone)]
pub struct RequestObject {
    jws: Jws,
}

impl RequestObject {
    /// Reads a compact JWS with the claims without which no wallet can answer; the error says what
    /// is missing.
    pub fn read(text: &str) -> Result<Self, String> {
        let jws = Jws::read(text.trim()).map_err(|why| format!("a request object with {why}"))?;
        for name in ["client_id", "nonce", "response_uri"] {
            if jws.text(name).is_none_or(str::is_empty) {
                return Err(format!("a request object without {name}"));
            }
        }
        match jws.text("response_mode") {
            Some("direct_post") => Ok(Self { jws }),
            Some(mode) => Err(format!("a request object with response_mode {mode}")),
            None => Err("a request object without response_mode".into()),
        }
    }

    fn text(&self, name: &str) -> &str {
        self.jws.text(name).unwrap_or_default()
    }

    /// The verifier, to whom a presentation is addressed.
    pub fn client_id(&self) -> &str {
        self.text("client_id")
    }

    /// What a presentation repeats.
    pub fn nonce(&self) -> &str {
        self.text("nonce")
    }

    /// Where a presentation goes (§8.2).
    pub fn response_uri(&self) -> &str {
        self.text("response_uri")
    }

    /// What is sent beside a presentation.
    pub fn state(&self) -> Option<&str> {
        self.jws.text("state")
    }

    /// A claim.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.jws.claims.get(name)
    }

    /// When it was made, in seconds since the epoch, by the clock of the verifier.
    pub fn issued_at(&self) -> Option<i64> {
        self.jws.seconds("iat")
    }

    /// When it ends.
    pub fn expires_at(&self) -> Option<i64> {
        self.jws.seconds("exp")
    }

    /// What a careful wallet objects to, given the `client_id` that invited it and the time. The
    /// error says why nobody can tell who signed.
    pub fn flaws(&self, client_id: &str, now: i64) -> Result<Vec<String>, String> {
        let mut flaws = Vec::new();
        // RFC 9101 §5: the same value in both places; OpenID4VP 1.0 §5.1 and §5.9: the key is its.
        if self.client_id() != client_id {
            flaws.push("client_id is not that of the authorization request".to_owned());
        }
        match self.jws.header.get("typ").and_then(Value::as_str) {
            Some("oauth-authz-req+jwt") => {}
            Some(typ) => flaws.push(format!("typ is {typ}")),
            None => flaws.push("no typ".into()),
        }
        if self.expires_at().is_some_and(|exp| exp + SKEW <= now) {
            flaws.push("it has expired".into());
        }
        if let Err(why) = verifier::signed(&self.jws, client_id)? {
            flaws.push(format!("its signature does not count: {why}"));
        }
        Ok(flaws)
    }
}

impl std::fmt::Debug for RequestObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RequestObject({:?})", self.jws)
    }
}

#[cfg(test)]
pub(crate) mod samples {
    //! Hand-made request objects.
    use serde_json::json;

    use super::*;
    use crate::oauth::key::Seal;
    use crate::oauth::object;

    /// A request object with these claims beside the needed ones.
    pub(crate) fn request(client_id: &str, seal: Seal<'_>, more: Value) -> RequestObject {
        let mut claims = object(json!({
            "client_id": client_id, "nonce": "n-1", "state": "s-1", "response_mode": "direct_post",
            "response_uri": "https://as.test/response", "iat": 1000, "exp": 1300,
        }));
        claims.extend(object(more));
        let header = object(json!({"typ": "oauth-authz-req+jwt"}));
        RequestObject::read(&seal.compact(&header, &claims)).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::samples::request;
    use super::*;
    use crate::oauth::key::{Key, Seal};
    use crate::oauth::{did_key, object};

    #[test]
    fn a_sound_request_has_no_flaws() {
        let key = Key::generate().unwrap();
        let did = did_key::of(&key);
        let of = |client_id: &str, seal| request(client_id, seal, json!({}));
        assert_eq!(of(&did, Seal::Signed(&key)).flaws(&did, 1100), Ok(vec![]));
        let prefixed = format!("decentralized_identifier:{did}");
        assert_eq!(of(&prefixed, Seal::Signed(&key)).flaws(&prefixed, 1100), Ok(vec![]));
    }

    #[test]
    fn each_flaw_is_named() {
        let (key, other) = (Key::generate().unwrap(), Key::generate().unwrap());
        let (did, foreign) = (did_key::of(&key), did_key::of(&other));
        for (client_id, seal, now, flaw) in [
            (&did, Seal::Altered(&key), 1100, "does not verify"),
            (&did, Seal::Unsigned, 1100, "alg is none"),
            (&did, Seal::Signed(&other), 1100, "does not verify"),
            (&did, Seal::Signed(&key), 1700, "expired"),
            (&foreign, Seal::Signed(&key), 1100, "not that of the authorization request"),
        ] {
            let flaws = request(client_id, seal, json!({})).flaws(&did, now).unwrap();
            assert!(flaws.len() == 1 && flaws[0].contains(flaw), "{flaw}: {flaws:?}");
        }
        let unknown = request("redirect_uri:https://x", Seal::Unsigned, json!({}));
        assert!(
            unknown.flaws("redirect_uri:https://x", 1100).unwrap_err().contains("none of did:key")
        );
    }

    #[test]
    fn what_no_wallet_can_answer_is_named() {
        let text = |claims: Value| Seal::Unsigned.compact(&object(json!({})), &object(claims));
        for (text, why) in [
            ("opaque".to_owned(), "1 parts"),
            (text(json!({"client_id": "c"})), "without nonce"),
            (
                text(
                    json!({"client_id": "c", "nonce": "n", "response_uri": "u", "response_mode": "direct_post.jwt"}),
                ),
                "response_mode direct_post.jwt",
            ),
        ] {
            assert!(RequestObject::read(&text).unwrap_err().contains(why), "{why}");
        }
    }
}
