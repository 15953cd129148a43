//! Credentials that sign users in: issued by the harness, or ready; and such as nobody should accept.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::fault::Fault;
use super::forge::altered;
use super::jose::Jws;
use super::key::{Key, Seal};
use super::{did_key, object};

/// Seconds that a credential of the harness lives.
pub(super) const LIFETIME: i64 = 600;
/// Seconds by which what is too old or too young is so.
pub(super) const DAY: i64 = 86_400;
/// A credential that signs its holder in.
#[derive(Clone)]
pub enum Credential {
    /// The harness issues it, with a key that the server trusts.
    Issued {
        /// The key.
        key: Arc<Key>,
        /// The issuer, `iss`.
        issuer: String,
        /// The type: `vct`, or the one beside `VerifiableCredential`; that of the query when absent.
        credential_type: Option<String>,
    },
    /// An SD-JWT VC, or a JWT VC, that somebody else issued.
    Ready(String),
}

/// A JWT that is not signed yet.
pub(super) struct Draft {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
}

impl Draft {
    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.claims.insert(name.to_owned(), value.into());
    }

    /// Its header brings along this key, which is to verify it.
    pub(super) fn bring(&mut self, key: &Key) {
        self.header.remove("kid");
        self.header.insert("jwk".into(), key.jwk.clone());
    }
}

impl Credential {
    /// Who issued it; `an unnamed issuer` where a ready one does not say.
    pub fn issuer(&self) -> String {
        match self {
            Self::Issued { issuer, .. } => issuer.clone(),
            Self::Ready(text) => {
                let jwt = text.split('~').next().unwrap_or_default();
                let named =
                    Jws::read(jwt.trim()).ok().and_then(|jws| jws.text("iss").map(str::to_owned));
                named.unwrap_or_else(|| "an unnamed issuer".to_owned())
            }
        }
    }

    /// What every credential of this issuer says.
    pub(super) fn begun(&self, typ: &str, now: i64) -> Draft {
        let issuer = self.issuer();
        Draft {
            header: object(json!({"typ": typ})),
            claims: object(json!({"iss": issuer, "iat": now, "exp": now + LIFETIME})),
        }
    }

    /// The draft with the issuer's signature, or with another one.
    pub(super) fn signed(
        &self,
        mut draft: Draft,
        now: i64,
        fault: Option<Fault>,
    ) -> Option<String> {
        let Self::Issued { key, issuer, .. } = self else { return None };
        // The DID URL of the only key of a did:key (The did:key Method v0.9).
        let kid = match issuer.strip_prefix("did:key:") {
            Some(id) => format!("{issuer}#{id}"),
            None => key.thumbprint.clone(),
        };
        draft.header.insert("kid".into(), kid.into());
        match fault {
            Some(Fault::Expired) => {
                draft.set("iat", now - 2 * DAY);
                draft.set("exp", now - DAY);
            }
            Some(Fault::NotYetValid) => draft.set("nbf", now + DAY),
            _ => {}
        }
        sealed(draft, key, fault)
    }
}

/// The draft as its issuer signs it, or as somebody else does.
fn sealed(mut draft: Draft, key: &Key, fault: Option<Fault>) -> Option<String> {
    let other = Key::generate()?;
    let issuer = draft.claims.get("iss").and_then(Value::as_str).unwrap_or_default().to_owned();
    match fault {
        Some(Fault::IssuerUnknown) => {
            let did = did_key::of(&other);
            let id = did.strip_prefix("did:key:").unwrap_or_default();
            draft.header.insert("kid".into(), format!("{did}#{id}").into());
            draft.set("iss", did);
        }
        Some(Fault::CredentialKeyOfHeader) => draft.bring(&other),
        _ => {}
    }
    let seal = match fault {
        Some(Fault::CredentialAltered) => Seal::Altered(key),
        Some(Fault::CredentialUnsigned) => Seal::Unsigned,
        Some(Fault::CredentialSymmetric) => Seal::Symmetric(issuer.as_bytes()),
        Some(Fault::IssuerUnknown | Fault::CredentialKeyOfHeader) => Seal::Signed(&other),
        _ => Seal::Signed(key),
    };
    Some(seal.compact(&draft.header, &draft.claims))
}

/// A credential that somebody else issued, with that fault; `None` where only the issuer could.
pub(super) fn resealed(jwt: &str, fault: Option<Fault>) -> Option<String> {
    match fault {
        Some(Fault::Expired | Fault::NotYetValid | Fault::OtherType) => None,
        Some(Fault::CredentialAltered) => {
            let (signed, signature) = jwt.rsplit_once('.')?;
            Some(format!("{signed}.{}", altered(signature, 1, 2)?))
        }
        Some(
            Fault::CredentialUnsigned
            | Fault::CredentialSymmetric
            | Fault::IssuerUnknown
            | Fault::CredentialKeyOfHeader,
        ) => {
            let Jws { header, claims, .. } = Jws::read(jwt).ok()?;
            sealed(Draft { header, claims }, &Key::generate()?, fault)
        }
        _ => Some(jwt.to_owned()),
    }
}
