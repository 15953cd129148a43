//! What a presentation must fulfil to sign its holder in: an SD-JWT VC with key binding (RFC 9901
//! §7.3, draft-ietf-oauth-sd-jwt-vc) or a JWT VP with a JWT VC (Verifiable Credentials Data Model
//! 1.1 §6.3.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::LIFETIME;
use super::dcql::{CredentialQuery, Format};
use super::did_key::PublicKey;
use super::sd_jwt::{SdJwt, digest};
use crate::jwt::Parts;
use crate::policy::Policy;
use crate::seeds;

/// How far the clocks of issuers and wallets may be ahead, in seconds.
const LEEWAY: u64 = 60;
/// More octets than any `vp_token` needs.
const LONGEST: usize = 64 * 1024;

/// One property of a presentation that the server verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// The issuer is on the trust list.
    Issuer,
    /// `exp` of the credential.
    Expiry,
    /// `iat` and `nbf` of the credential.
    Start,
    /// `vct` or `type`.
    Type,
    /// The digests of what is disclosed.
    Disclosures,
    /// A key binding is there at all.
    KeyBinding,
    /// `typ` of the key binding.
    KeyBindingType,
    /// The holder of the credential has signed.
    Holder,
    Audience,
    Nonce,
    /// `iat` of the key binding.
    Age,
    /// `sd_hash`.
    Hash,
}

/// Why a presentation is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) &'static str);

/// The request that a presentation must answer.
pub(crate) struct Verification<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) client_id: &'a str,
    pub(crate) nonce: &'a str,
    /// Seconds since the epoch.
    pub(crate) now: u64,
}

/// A presentation on its own and the query that it answers. The `vp_token` is base64 of one, or of
/// a JSON object from the id of the query to a list of one (OpenID for Verifiable Presentations 1.0
/// §8.1), or that object itself.
fn unpacked(vp_token: &str) -> Option<(&'static CredentialQuery, String)> {
    let text = match vp_token.starts_with('{') {
        true => vp_token.to_owned(),
        false => String::from_utf8(STANDARD.decode(vp_token).ok()?).ok()?,
    };
    if !text.starts_with('{') {
        let format = if text.contains('~') { Format::SdJwtVc } else { Format::JwtVc };
        return Some((CredentialQuery::of_format(format)?, text));
    }
    let answers: serde_json::Map<String, Value> = serde_json::from_str(&text).ok()?;
    let mut answers = answers.iter();
    let ((id, presentations), None) = (answers.next()?, answers.next()) else { return None };
    let [Value::String(presentation)] = presentations.as_array()?.as_slice() else { return None };
    Some((CredentialQuery::named(id)?, presentation.clone()))
}

impl Verification<'_> {
    /// The email address of the holder, which trusted issuers vouch for.
    pub(crate) fn email(&self, vp_token: &str) -> Result<String, Refused> {
        let unpacked = Some(vp_token).filter(|t| t.len() <= LONGEST).and_then(unpacked);
        let (query, text) =
            unpacked.ok_or(Refused("vp_token answers no query with one credential"))?;
        let claims = match query.format {
            Format::SdJwtVc => self.sd_jwt_vc(query, &text)?,
            Format::JwtVc => self.jwt_vp(query, &text)?,
        };
        let email = query.email(&claims).map(str::to_owned);
        email.ok_or(Refused("the credential lacks a claim that was asked for"))
    }

    fn demand(&self, check: Check, holds: bool, why: &'static str) -> Result<(), Refused> {
        if holds || !self.policy.verifies_presentation(check) { Ok(()) } else { Err(Refused(why)) }
    }

    fn sd_jwt_vc(&self, query: &CredentialQuery, text: &str) -> Result<Value, Refused> {
        let presented = SdJwt::parse(text).ok_or(Refused("the presentation is no SD-JWT"))?;
        let credential = Parts::of(presented.jwt).ok_or(Refused("the credential is no JWT"))?;
        if !matches!(credential.header("typ"), "dc+sd-jwt" | "vc+sd-jwt") {
            return Err(Refused("typ of the credential is not dc+sd-jwt"));
        }
        self.issued(&credential)?;
        let is_type = query.is_type_of(credential.claims());
        self.demand(Check::Type, is_type, "vct is not the one that was asked for")?;
        self.demand(Check::KeyBinding, presented.key_binding.is_some(), "no key binding")?;
        let stated = match presented.key_binding {
            Some(jwt) => self.key_binding(jwt, &credential, presented.hashed)?,
            None => Value::Null,
        };
        let claims = match presented.disclosed(credential.claims()) {
            Some(claims) => claims,
            None => {
                self.demand(Check::Disclosures, false, "a disclosure has no digest")?;
                presented.disclosed_unchecked(credential.claims())
            }
        };
        Ok(self.policy.claims_of_presentation(claims, &stated))
    }

    /// RFC 9901 §4.3 and §7.3: the claims of the holder's JWT.
    fn key_binding(
        &self,
        jwt: &str,
        credential: &Parts<'_>,
        hashed: &str,
    ) -> Result<Value, Refused> {
        let binding = Parts::of(jwt).ok_or(Refused("the key binding is no JWT"))?;
        let key = PublicKey::of_jwk(&credential.claim("cnf")["jwk"]);
        let is_signed = key.is_some_and(|key| key.has_signed(&binding));
        if !self.policy.holder_has_signed(is_signed, &binding) {
            return Err(Refused("the key binding is not signed with cnf.jwk"));
        }
        let is_binding = binding.header("typ") == "kb+jwt";
        self.demand(Check::KeyBindingType, is_binding, "typ of the key binding is not kb+jwt")?;
        self.answers(&binding, binding.claim("aud") == self.client_id)?;
        let fits = binding.claim("sd_hash") == &digest(hashed);
        self.demand(Check::Hash, fits, "sd_hash is the hash of another presentation")?;
        Ok(binding.claims().clone())
    }

    fn jwt_vp(&self, query: &CredentialQuery, text: &str) -> Result<Value, Refused> {
        let presented = Parts::of(text).ok_or(Refused("the presentation is no JWT"))?;
        let signer = PublicKey::of_header(&presented);
        let is_signed = signer.as_ref().is_some_and(|key| key.has_signed(&presented));
        if !self.policy.holder_has_signed(is_signed, &presented) {
            return Err(Refused("the presentation is not signed with the key that it names"));
        }
        let credentials = &presented.claim("vp")["verifiableCredential"];
        let Some([Value::String(credential)]) = credentials.as_array().map(Vec::as_slice) else {
            return Err(Refused("vp.verifiableCredential is not one JWT"));
        };
        let credential = Parts::of(credential).ok_or(Refused("the credential is no JWT"))?;
        self.issued(&credential)?;
        let vc = credential.claim("vc");
        let is_type = query.is_type_of(vc);
        self.demand(Check::Type, is_type, "type is not the one that was asked for")?;
        let signer = signer.map(|key| Value::from(key.did())).unwrap_or_default();
        let subject = [credential.claim("sub"), &vc["credentialSubject"]["id"]];
        let is_bound = subject.iter().any(|id| !id.is_null());
        let mut named = subject.into_iter().chain([presented.claim("iss")]);
        let is_holder = is_bound && named.all(|id| id.is_null() || *id == signer);
        self.demand(Check::Holder, is_holder, "the signer is not the subject of the credential")?;
        self.answers(&presented, presented.is_for(self.client_id))?;
        let lasts = presented.claim("exp").as_u64().is_none_or(|exp| exp > self.now);
        self.demand(Check::Age, lasts, "the presentation has expired")?;
        Ok(self.policy.claims_of_presentation(vc.clone(), presented.claims()))
    }

    /// What the holder signs is for this server, for this login, and new.
    fn answers(&self, token: &Parts<'_>, is_for_us: bool) -> Result<(), Refused> {
        self.demand(Check::Audience, is_for_us, "aud is not the client_id of the request")?;
        let is_nonce = token.claim("nonce") == self.nonce;
        self.demand(Check::Nonce, is_nonce, "nonce is not that of the request")?;
        let fresh = self.now.saturating_sub(LIFETIME + LEEWAY)..=self.now + LEEWAY;
        let is_fresh = token.claim("iat").as_u64().is_some_and(|iat| fresh.contains(&iat));
        self.demand(Check::Age, is_fresh, "iat is not recent")
    }

    /// A trusted issuer vouches for the credential, now.
    fn issued(&self, credential: &Parts<'_>) -> Result<(), Refused> {
        let issuer = credential.claim("iss").as_str().unwrap_or_default();
        let is_trusted = issuer == seeds::CREDENTIAL_ISSUER;
        self.demand(Check::Issuer, is_trusted, "the issuer is not on the trust list")?;
        let key = PublicKey::of_did(issuer);
        let is_signed = key.is_some_and(|key| key.has_signed(credential));
        if !self.policy.issuer_has_signed(is_signed, credential, issuer) {
            return Err(Refused("the credential is not signed with the key of its issuer"));
        }
        let lasts = credential.claim("exp").as_u64().is_some_and(|exp| exp > self.now);
        self.demand(Check::Expiry, lasts, "the credential has expired, or never does")?;
        let has_begun = ["iat", "nbf"].iter().all(|name| match credential.claim(name) {
            Value::Null => true,
            time => time.as_u64().is_some_and(|time| time <= self.now + LEEWAY),
        });
        self.demand(Check::Start, has_begun, "the credential is not valid yet")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_vp_token_comes_in_three_forms() {
        let id = |vp_token: &str| unpacked(vp_token).map(|(query, text)| (query.id, text));
        let sd_jwt = Some(("login", "a.b.c~k.b.j".to_owned()));
        let object = json!({"login": ["a.b.c~k.b.j"]}).to_string();
        assert_eq!(id(&STANDARD.encode("a.b.c~k.b.j")), sd_jwt);
        assert_eq!(id(&STANDARD.encode(&object)), sd_jwt);
        assert_eq!(id(&object), sd_jwt);
        assert_eq!(id(&STANDARD.encode("a.b.c")), Some(("login_jwt_vc", "a.b.c".to_owned())));
        for refused in [
            "a.b.c~k.b.j",
            r#"{"other":["a.b.c~"]}"#,
            r#"{"login":"a.b.c~"}"#,
            r#"{"login":["a.b.c~","a.b.c~"]}"#,
            r#"{"login":["a.b.c~"],"login_jwt_vc":["a.b.c"]}"#,
            "{}",
            "",
        ] {
            assert!(id(refused).is_none_or(|(_, text)| text.is_empty()), "{refused}");
        }
    }
}
