//! A login with a wallet (OpenID for Verifiable Presentations 1.0, response mode `direct_post`): the
//! browser is led to a portal, subscribes to the events of the login and waits; the wallet fetches
//! the request object and presents a credential; an event tells the browser where to go.

pub mod channel;
pub mod conversation;
pub mod events;
pub mod invitation;
mod rung;
mod stomp;
mod table;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::User;
use crate::oauth::credential::Credential;
use crate::oauth::dcql::{Asked, Format, Offer, evaluate};
use crate::oauth::fault::Fault;
use crate::oauth::jose::Jws;
use crate::oauth::params::Params;
use crate::oauth::presentation::{Holding, Presentation};
use crate::oauth::request_object::RequestObject;
use crate::oauth::sd_jwt::SdJwt;
use channel::Channel;
pub use table::WalletTable;

/// A wallet that signs users in.
#[derive(Clone)]
pub struct Wallet {
    /// What it holds.
    pub holding: Holding,
    /// The claims of the credential that is issued for the user, where he has none of his own.
    pub claims: Map<String, Value>,
    /// How `vp_token` is written.
    pub vp_token: VpToken,
    /// How the browser hears where a login sends it.
    pub events: Channel,
}

// Holds a credential and a private key.
impl std::fmt::Debug for Wallet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Wallet({:?}, {:?})", self.holding.format, self.vp_token)
    }
}

/// How `vp_token` is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VpToken {
    /// base64, with padding, of what the next two are: the object where a query is answered.
    #[default]
    Base64,
    /// base64 of the presentation.
    Base64Bare,
    /// A JSON object from the id of each query to the list of its presentations (OpenID4VP 1.0 §8.1).
    Object,
    /// The presentation itself, as it was before OpenID4VP 1.0.
    Bare,
}

impl Wallet {
    /// A wallet that signs in as the Verifier wants it, unless told otherwise.
    pub fn new(holding: Holding, claims: Map<String, Value>) -> Self {
        Self { holding, claims, vp_token: VpToken::default(), events: Channel::default() }
    }

    /// Checks the users: each needs a credential of his own.
    pub(super) fn check(
        &self,
        user: Option<&User>,
        second_user: Option<&User>,
    ) -> Result<(), (String, String)> {
        let wrong = |why: &str| Err(("claims".to_owned(), format!("claims: {why}")));
        let issues = matches!(self.holding.credential, Credential::Issued { .. });
        match (user, second_user) {
            (_, Some(second)) if !issues || second.claims.is_none() => Err((
                "second_user".into(),
                "second_user: with driver = wallet another user needs issuer_key, and claims of his own".into(),
            )),
            (Some(user), _) if !issues && user.claims.is_some() => {
                wrong("the credential says them; they belong to issuer_key")
            }
            _ => Ok(()),
        }
    }

    /// The claims of the credential that signs the user in.
    pub fn claims_of<'a>(&'a self, user: &'a User) -> &'a Map<String, Value> {
        user.claims.as_ref().unwrap_or(&self.claims)
    }

    /// The fields with which the wallet answers the request, with that fault in the presentation.
    ///
    /// The error says what the request asks for and the wallet cannot show; `Ok(None)` that the fault
    /// is none which this wallet could have.
    pub fn answer(
        &self,
        request: &RequestObject,
        user: &User,
        now: i64,
        fault: Option<Fault>,
    ) -> Result<Option<Params>, String> {
        let (credential_type, claims) = self.shown(user);
        let offer = Offer {
            format: self.holding.format,
            credential_type: credential_type.as_deref(),
            claims: &claims,
        };
        let asked = evaluate(request, &offer)?;
        let present = |asked: &Asked| {
            let presentation = Presentation {
                holding: &self.holding,
                asked,
                claims: self.claims_of(user),
                audience: request.client_id(),
                nonce: request.nonce(),
                now,
            };
            presentation.text(fault)
        };
        let presentations: Option<Vec<String>> = asked.iter().map(present).collect();
        let Some(presentations) = presentations else { return Ok(None) };
        let mut fields = Params::default();
        if let Some(state) = request.state() {
            fields.set("state", state);
        }
        fields.set("vp_token", self.vp_token.write(&asked, &presentations)?);
        if let [Asked { definition: Some((definition, place)), .. }] = &asked[..] {
            // DIF Presentation Exchange 2.0 §6.
            let submission =
                json!({"id": "login", "definition_id": definition, "descriptor_map": [place]});
            fields.set("presentation_submission", submission.to_string());
        }
        Ok(Some(fields))
    }

    /// Type and claims of what can be shown.
    fn shown(&self, user: &User) -> (Option<String>, Map<String, Value>) {
        match &self.holding.credential {
            Credential::Issued { credential_type, .. } => {
                (credential_type.clone(), self.claims_of(user).clone())
            }
            Credential::Ready(text) => shown(text, self.holding.format),
        }
    }
}

/// Type and claims of a credential.
fn shown(text: &str, format: Format) -> (Option<String>, Map<String, Value>) {
    let text_of = |value: &Value| value.as_str().map(str::to_owned);
    match format {
        Format::SdJwtVc => {
            let claims = SdJwt::read(text).map(|read| read.claims()).unwrap_or_default();
            (claims.get("vct").and_then(text_of), claims)
        }
        Format::JwtVp => {
            let mut claims = Jws::read(text.trim()).map(|jws| jws.claims).unwrap_or_default();
            let vc = claims.remove("vc").unwrap_or_default();
            let types = vc.get("type").and_then(Value::as_array).into_iter().flatten();
            let own = types.filter_map(text_of).find(|name| name != "VerifiableCredential");
            let subject = vc.get("credentialSubject").and_then(Value::as_object);
            (own, subject.cloned().unwrap_or_default())
        }
    }
}

impl VpToken {
    /// The value, with the presentation of each of those that were asked for.
    fn write(self, asked: &[Asked], presentations: &[String]) -> Result<String, String> {
        let is_query = asked.iter().all(|one| one.id.is_some() && one.definition.is_none());
        let object = || {
            let ids = asked.iter().filter_map(|one| one.id.clone());
            let lists = presentations.iter().map(|one| json!([one]));
            Value::Object(ids.zip(lists).collect()).to_string()
        };
        let bare = || match presentations {
            [one] => Ok(one.clone()),
            _ => Err("more than one credential, for which vp_token must be an object".to_owned()),
        };
        Ok(match self {
            Self::Object if is_query => object(),
            Self::Base64 if is_query => STANDARD.encode(object()),
            Self::Base64 | Self::Base64Bare => STANDARD.encode(bare()?),
            Self::Object | Self::Bare => bare()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vp_token_is_written_in_each_form() {
        let query =
            |id: &str| Asked { id: Some(id.into()), types: vec![], claims: None, definition: None };
        let by_scope = [Asked { id: None, ..query("") }];
        let (queries, one) = ([query("q")], ["a.b.c~".to_owned()]);
        let object = r#"{"q":["a.b.c~"]}"#;
        for (form, of_query, of_scope) in [
            (VpToken::Object, object.to_owned(), "a.b.c~".to_owned()),
            (VpToken::Bare, "a.b.c~".into(), "a.b.c~".into()),
            (VpToken::Base64, STANDARD.encode(object), "YS5iLmN+".into()),
            (VpToken::Base64Bare, "YS5iLmN+".into(), "YS5iLmN+".into()),
        ] {
            assert_eq!(form.write(&queries, &one), Ok(of_query), "{form:?}");
            assert_eq!(form.write(&by_scope, &one), Ok(of_scope), "{form:?}");
        }
        let (two, both) = ([query("q"), query("r")], ["a~".to_owned(), "b~".to_owned()]);
        assert_eq!(VpToken::Object.write(&two, &both).unwrap(), r#"{"q":["a~"],"r":["b~"]}"#);
        assert!(VpToken::Bare.write(&two, &both).is_err());
    }
}
