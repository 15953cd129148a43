//! The `[login.wallet]` table of a profile.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::channel::{Channel, Kind};
use super::{VpToken, Wallet};
use crate::oauth::credential::Credential;
use crate::oauth::dcql::Format;
use crate::oauth::did_key;
use crate::oauth::jose::Jws;
use crate::oauth::key::Key;
use crate::oauth::presentation::Holding;
use crate::oauth::sd_jwt::SdJwt;
use crate::target::login::Wrong;
use crate::target::secret::Secret;

/// The `[login.wallet]` table of a profile.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WalletTable {
    /// A reference to the key of a test issuer that the server trusts, PKCS#8 PEM or JWK.
    #[serde(default)]
    issuer_key: Option<String>,
    /// The name of that issuer. Default: the did:key of its key.
    #[serde(default)]
    issuer: Option<String>,
    /// The type of the credential. Default: the one that the server asks for.
    #[serde(default)]
    vct: Option<String>,
    /// What the issued credential says of the user.
    #[serde(default)]
    claims: Option<Map<String, Value>>,
    /// A reference to a ready credential, in place of an issuer's key.
    #[serde(default)]
    credential: Option<String>,
    /// A reference to the key of its holder.
    #[serde(default)]
    holder_key: Option<String>,
    /// The format of the credential.
    #[serde(default)]
    format: Format,
    /// How `vp_token` is written.
    #[serde(default)]
    vp_token: VpToken,
    /// How the browser hears where the login sends it.
    #[serde(default)]
    channel: Kind,
    /// Where the events of a login are, with `{state}` in it.
    #[serde(default)]
    events: Option<String>,
    /// The destination to which `channel = "stomp"` subscribes, with `{state}` in it.
    #[serde(default)]
    destination: Option<String>,
}

impl WalletTable {
    /// The wallet that the table describes; `secret` takes a key and its reference.
    ///
    /// The error has what to look for in the profile, and why.
    pub fn load(
        self,
        secret: &dyn Fn(&str, &str) -> Result<Secret, Wrong>,
    ) -> Result<Wallet, Wrong> {
        let wrong = |key: &str, why: &str| (key.to_owned(), format!("{key}: {why}"));
        let key = |name: &str, reference: &Option<String>| -> Result<Option<Arc<Key>>, Wrong> {
            let Some(reference) = reference else { return Ok(None) };
            let key = Key::read(secret(name, reference)?.expose()).map_err(|e| wrong(name, &e))?;
            Ok(Some(Arc::new(key)))
        };
        let holder = key("holder_key", &self.holder_key)?;
        let credential = match (key("issuer_key", &self.issuer_key)?, &self.credential) {
            (Some(_), Some(_)) => {
                return Err(wrong("credential", "there is an issuer_key, which makes credentials"));
            }
            (None, None) => {
                let why =
                    "the driver wallet needs issuer_key with claims, or credential with holder_key";
                return Err(("[login.wallet]".into(), why.into()));
            }
            (Some(key), None) => {
                if self.claims.as_ref().is_none_or(Map::is_empty) {
                    return Err(wrong("issuer_key", "the credential that it issues needs claims"));
                }
                let issuer = self.issuer.clone().unwrap_or_else(|| did_key::of(&key));
                Credential::Issued { key, issuer, credential_type: self.vct.clone() }
            }
            (None, Some(reference)) => {
                for (name, is_given) in [
                    ("issuer", self.issuer.is_some()),
                    ("vct", self.vct.is_some()),
                    ("claims", self.claims.is_some()),
                ] {
                    if is_given {
                        return Err(wrong(
                            name,
                            "the credential says it; it belongs to issuer_key",
                        ));
                    }
                }
                let text = secret("credential", reference)?.expose().trim().to_owned();
                check(&text, self.format, holder.as_deref()).map_err(|(n, why)| wrong(n, &why))?;
                Credential::Ready(text)
            }
        };
        let holder = match holder {
            Some(holder) => holder,
            None => {
                Arc::new(Key::generate().ok_or_else(|| wrong("issuer_key", "no key can be made"))?)
            }
        };
        let holding = Holding { credential, holder, format: self.format };
        let events = Channel::read(self.channel, self.events, self.destination);
        let events = events.map_err(|(key, why)| wrong(key, why))?;
        Ok(Wallet {
            holding,
            claims: self.claims.unwrap_or_default(),
            vp_token: self.vp_token,
            events,
        })
    }
}

/// A credential that can be read, of that form, and bound to that key where it says to which.
fn check(text: &str, format: Format, holder: Option<&Key>) -> Result<(), (&'static str, String)> {
    let Some(holder) = holder else {
        return Err((
            "credential",
            "it needs holder_key, the private key that it is bound to".into(),
        ));
    };
    let jwt = match format {
        Format::SdJwtVc => SdJwt::read(text).map(|read| read.jwt).ok_or((
            "credential",
            "no SD-JWT, which has a ~ behind its first part; a JWT VC needs format = \"jwt_vp\""
                .into(),
        ))?,
        Format::JwtVp => text.to_owned(),
    };
    let jws = Jws::read(&jwt).map_err(|why| ("credential", format!("no JWT: {why}")))?;
    let bound = jws.claims.get("cnf").and_then(|cnf| cnf.get("jwk"));
    let is_other = bound.is_some_and(|jwk| jwk["x"] != holder.jwk["x"]);
    match is_other {
        true => Err(("holder_key", "the credential is bound to another key".into())),
        false => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod samples {
    //! Hand-made wallets.
    use super::*;

    /// A wallet whose credential a fresh key issues.
    pub(crate) fn wallet() -> Wallet {
        let (issuer, holder) = (Key::generate().unwrap(), Key::generate().unwrap());
        let credential = Credential::Issued {
            issuer: did_key::of(&issuer),
            key: Arc::new(issuer),
            credential_type: Some("https://as.test/login".into()),
        };
        Wallet {
            holding: Holding { credential, holder: Arc::new(holder), format: Format::SdJwtVc },
            claims: Map::from_iter([("email".to_owned(), "alice@as.test".into())]),
            vp_token: VpToken::default(),
            events: Channel::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = include_str!("../../../../fixtures/keys/attacker-ec.pem");

    fn load(text: &str) -> Result<Wallet, Wrong> {
        let table: WalletTable =
            toml::from_str(text).map_err(|e| (String::new(), e.to_string()))?;
        table.load(&|_, reference| {
            Ok(Secret::new(match reference {
                "env:KEY" => KEY.to_owned(),
                "env:OTHER" => {
                    let jwk = r#"{"cnf":{"jwk":{"x":"other"}}}"#;
                    let part = |text: &str| {
                        use base64::Engine as _;
                        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
                    };
                    format!("{}.{}.c2ln~", part(r#"{"alg":"ES256"}"#), part(jwk))
                }
                text => text.to_owned(),
            }))
        })
    }

    #[test]
    fn an_issuer_key_names_its_issuer_unless_another_is_given() {
        let issuer = |text: &str| match load(text).unwrap().holding.credential {
            Credential::Issued { issuer, .. } => issuer,
            Credential::Ready(_) => String::new(),
        };
        let own = "issuer_key = 'env:KEY'\nclaims = { email = 'a', roles = ['x'] }\n";
        assert!(issuer(own).starts_with("did:key:zDn"));
        assert_eq!(issuer(&format!("{own}issuer = 'https://i.test'")), "https://i.test");
    }

    #[test]
    fn mistakes_name_their_key_and_repeat_nothing() {
        for (text, key, part) in [
            ("", "[login.wallet]", "needs issuer_key with claims, or credential with holder_key"),
            ("issuer_key = 'env:KEY'", "issuer_key", "needs claims"),
            ("issuer_key = 'secret'\nclaims = { a = 1 }", "issuer_key", "no private P-256 key"),
            ("credential = 'a~'", "credential", "needs holder_key"),
            ("credential = 'secret'\nholder_key = 'env:KEY'", "credential", "no SD-JWT"),
            ("credential = 'secret~'\nholder_key = 'env:KEY'", "credential", "no JWT"),
            ("credential = 'env:OTHER'\nholder_key = 'env:KEY'", "holder_key", "another key"),
            (
                "credential = 'a~'\nholder_key = 'env:KEY'\nvct = 'x'",
                "vct",
                "the credential says it",
            ),
            ("format = 'mdoc'", "", "expected `sd_jwt_vc` or `jwt_vp`"),
            (
                "issuer_key = 'env:KEY'\nclaims = { a = 1 }\nchannel = 'web_socket'",
                "channel",
                "needs events",
            ),
        ] {
            let (sought, why) = load(text).unwrap_err();
            assert!(sought == key && why.contains(part), "{text}: {sought}: {why}");
            assert!(!why.contains("secret"), "{why}");
        }
    }
}
