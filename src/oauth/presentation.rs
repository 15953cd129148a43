//! Presentations of a credential to a verifier: conformant ones, and such as differ in one property.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::credential::{Credential, DAY, Draft, LIFETIME, resealed};
use super::dcql::{Asked, Format};
use super::fault::Fault;
use super::key::{Key, Seal};
use super::sd_jwt::{SdJwt, digest, disclosed, disclosure};
use super::{did_key, object, random};

/// The types that every JWT VC and VP has beside its own.
const CONTEXT: &str = "https://www.w3.org/2018/credentials/v1";

/// What a wallet holds.
#[derive(Clone)]
pub struct Holding {
    /// The credential.
    pub credential: Credential,
    /// The key of the holder.
    pub holder: Arc<Key>,
    /// Its form.
    pub format: Format,
}

/// A presentation in the making.
pub struct Presentation<'a> {
    /// What the wallet holds.
    pub holding: &'a Holding,
    /// What is asked for.
    pub asked: &'a Asked,
    /// The claims of a credential that is issued for it.
    pub claims: &'a Map<String, Value>,
    /// `client_id` of the verifier.
    pub audience: &'a str,
    /// Of the request.
    pub nonce: &'a str,
    /// Seconds since the epoch.
    pub now: i64,
}

impl Presentation<'_> {
    /// The presentation; `None` where this holding has no such property to differ in.
    pub fn text(&self, fault: Option<Fault>) -> Option<String> {
        match self.holding.format {
            Format::SdJwtVc => self.sd_jwt(fault),
            Format::JwtVp => self.jwt_vp(fault),
        }
    }

    fn sd_jwt(&self, fault: Option<Fault>) -> Option<String> {
        let mut shown = match &self.holding.credential {
            Credential::Issued { .. } => self.issued_sd_jwt(fault)?,
            Credential::Ready(text) => {
                let ready = SdJwt::read(text)?;
                SdJwt { jwt: resealed(&ready.jwt, fault)?, ..ready }
            }
        };
        let hidden: Vec<_> = shown.disclosures.iter().filter_map(|d| disclosed(d)).collect();
        let stated = match fault {
            Some(Fault::DisclosureAltered) => {
                let (_, name, value) = hidden.first()?;
                let at = shown.disclosures.iter().position(|d| disclosed(d).is_some())?;
                shown.disclosures[at] = disclosure(&random(16), name, value);
                None
            }
            Some(Fault::DisclosureAdded) => {
                shown.disclosures.push(disclosure(&random(16), "probe", &"probe".into()));
                None
            }
            Some(Fault::ClaimsWithheld | Fault::ClaimsOfHolder) if hidden.is_empty() => {
                return None;
            }
            // A key binding names nobody: whose it is follows from its key alone.
            Some(Fault::OtherHolder) => return None,
            Some(Fault::ClaimsWithheld | Fault::ClaimsOfHolder) => {
                shown.disclosures.clear();
                (fault == Some(Fault::ClaimsOfHolder)).then_some(hidden)
            }
            _ => None,
        };
        let text = shown.text();
        if fault == Some(Fault::Unbound) {
            return Some(text);
        }
        let mut binding = self.binding("kb+jwt", fault);
        binding.set("aud", self.audience);
        binding.set("sd_hash", digest(&text));
        for (_, name, value) in stated.into_iter().flatten() {
            binding.set(&name, value);
        }
        match fault {
            Some(Fault::HashOther) => binding.set("sd_hash", digest(&format!("{text}~"))),
            Some(Fault::HashMissing) => drop(binding.claims.remove("sd_hash")),
            Some(Fault::BindingType) => drop(binding.header.insert("typ".into(), "JWT".into())),
            _ => {}
        }
        Some(format!("{text}{}", self.bound(binding, fault)?))
    }

    /// What the holder signs in both forms.
    fn binding(&self, typ: &str, fault: Option<Fault>) -> Draft {
        let mut binding = Draft {
            header: object(json!({"typ": typ})),
            claims: object(json!({"iat": self.now, "nonce": self.nonce})),
        };
        match fault {
            Some(Fault::NonceOther) => binding.set("nonce", random(16)),
            Some(Fault::NonceMissing) => drop(binding.claims.remove("nonce")),
            Some(Fault::Old) => binding.set("iat", self.now - DAY),
            _ => {}
        }
        binding
    }

    /// The holder signs; the audience is bent here, where it is known in both forms.
    fn bound(&self, mut binding: Draft, fault: Option<Fault>) -> Option<String> {
        let (holder, other) = (&*self.holding.holder, Key::generate()?);
        match fault {
            Some(Fault::AudienceOther) => binding.set("aud", did_key::of(&other)),
            Some(Fault::AudienceMissing) => drop(binding.claims.remove("aud")),
            Some(Fault::BindingOfOtherKey) => binding.bring(&other),
            Some(Fault::OtherHolder) => {
                binding.bring(&other);
                binding.set("iss", did_key::of(&other));
            }
            _ => {}
        }
        let seal = match fault {
            Some(Fault::BindingAltered) => Seal::Altered(holder),
            Some(Fault::BindingUnsigned) => Seal::Unsigned,
            Some(Fault::BindingOfOtherKey | Fault::OtherHolder) => Seal::Signed(&other),
            _ => Seal::Signed(holder),
        };
        Some(seal.compact(&binding.header, &binding.claims))
    }

    fn issued_sd_jwt(&self, fault: Option<Fault>) -> Option<SdJwt> {
        let (names, is_asked) =
            (&self.asked.claims, |asked: &Vec<String>, name| asked.contains(name));
        let (mut digests, mut disclosures) = (Vec::new(), Vec::new());
        for (name, value) in self.claims {
            let text = disclosure(&random(16), name, value);
            digests.push(digest(&text));
            if names.as_ref().is_none_or(|asked| is_asked(asked, name)) {
                disclosures.push(text);
            }
        }
        // §4.2.4.1: their order must not tell which is which.
        digests.sort_unstable();
        let mut draft = self.holding.credential.begun("dc+sd-jwt", self.now);
        draft.set("vct", self.credential_type());
        draft.set("cnf", json!({"jwk": self.holding.holder.jwk}));
        draft.set("_sd", digests);
        draft.set("_sd_alg", "sha-256");
        if fault == Some(Fault::OtherType) {
            draft.set("vct", "https://probe.invalid/credential");
        }
        Some(SdJwt { jwt: self.holding.credential.signed(draft, self.now, fault)?, disclosures })
    }

    fn jwt_vp(&self, fault: Option<Fault>) -> Option<String> {
        let needs_sd_jwt = matches!(
            fault,
            Some(
                Fault::BindingType
                    | Fault::HashOther
                    | Fault::HashMissing
                    | Fault::DisclosureAltered
                    | Fault::DisclosureAdded
                    | Fault::ClaimsWithheld
                    | Fault::ClaimsOfHolder
            )
        );
        if needs_sd_jwt {
            return None;
        }
        let credential = match &self.holding.credential {
            Credential::Issued { .. } => self.issued_jwt_vc(fault)?,
            Credential::Ready(text) => resealed(text.trim(), fault)?,
        };
        if fault == Some(Fault::Unbound) {
            return Some(credential);
        }
        let did = did_key::of(&self.holding.holder);
        let mut presentation = self.binding("JWT", fault);
        presentation.bring(&self.holding.holder);
        presentation.set("iss", did);
        presentation.set("aud", self.audience);
        presentation.set("jti", format!("urn:authspec:{}", random(16)));
        presentation.set("exp", presentation.claims["iat"].as_i64()? + LIFETIME);
        let vp = json!({
            "@context": [CONTEXT], "type": ["VerifiablePresentation"],
            "verifiableCredential": [credential],
        });
        presentation.set("vp", vp);
        self.bound(presentation, fault)
    }

    fn issued_jwt_vc(&self, fault: Option<Fault>) -> Option<String> {
        let did = did_key::of(&self.holding.holder);
        let mut subject = self.claims.clone();
        subject.insert("id".into(), did.as_str().into());
        let mut types = vec!["VerifiableCredential".to_owned()];
        match fault {
            Some(Fault::OtherType) => types.push("ProbeCredential".into()),
            _ => types.extend(self.types().filter(|name| name != "VerifiableCredential")),
        }
        let mut draft = self.holding.credential.begun("JWT", self.now);
        draft.set("nbf", self.now);
        draft.set("sub", did);
        draft.set("jti", format!("urn:authspec:{}", random(16)));
        draft
            .set("vc", json!({"@context": [CONTEXT], "type": types, "credentialSubject": subject}));
        self.holding.credential.signed(draft, self.now, fault)
    }

    /// The types that are asked for, or that of the profile.
    fn types(&self) -> impl Iterator<Item = String> {
        let own = match &self.holding.credential {
            Credential::Issued { credential_type, .. } => credential_type.clone(),
            Credential::Ready(_) => None,
        };
        let asked = self.asked.types.iter().cloned();
        let own = own.filter(|_| self.asked.types.is_empty());
        asked.chain(own)
    }

    fn credential_type(&self) -> String {
        self.types().next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::jose::Jws;

    fn holding(format: Format) -> Holding {
        let (issuer, holder) = (Key::generate().unwrap(), Key::generate().unwrap());
        let credential = Credential::Issued {
            issuer: did_key::of(&issuer),
            key: Arc::new(issuer),
            credential_type: None,
        };
        Holding { credential, holder: Arc::new(holder), format }
    }

    /// The presentation of two claims, of which `email` alone is asked for.
    fn presented(holding: &Holding, fault: Option<Fault>) -> Option<String> {
        let asked = Asked {
            id: None,
            types: vec!["t".into()],
            claims: Some(vec!["email".into()]),
            definition: None,
        };
        let claims = object(json!({"email": "a@b", "phone": "1"}));
        let (audience, nonce, now) = ("did:key:zVerifier", "n-1", 1000);
        Presentation { holding, asked: &asked, claims: &claims, audience, nonce, now }.text(fault)
    }

    fn read(jwt: &str) -> Jws {
        Jws::read(jwt).unwrap()
    }

    fn issuer(holding: &Holding) -> String {
        match &holding.credential {
            Credential::Issued { issuer, .. } => issuer.clone(),
            Credential::Ready(_) => String::new(),
        }
    }

    #[test]
    fn an_sd_jwt_discloses_what_is_asked_for_and_is_bound() {
        let holding = holding(Format::SdJwtVc);
        let text = presented(&holding, None).unwrap();
        let (shown, binding) = (SdJwt::read(&text).unwrap(), text.rsplit('~').next().unwrap());
        let (credential, binding) = (read(&shown.jwt), read(binding));
        assert_eq!(did_key::verify(&credential, &issuer(&holding)), Ok(()));
        assert_eq!(did_key::verify(&binding, &did_key::of(&holding.holder)), Ok(()));
        assert_eq!(credential.claims["cnf"]["jwk"], holding.holder.jwk);
        assert_eq!(credential.claims["_sd"].as_array().map(Vec::len), Some(2));
        assert_eq!((shown.disclosures.len(), shown.claims()["email"].as_str()), (1, Some("a@b")));
        assert_eq!(binding.text("sd_hash"), Some(digest(&shown.text()).as_str()));
        assert_eq!(
            (binding.header["typ"].as_str(), binding.text("nonce")),
            (Some("kb+jwt"), Some("n-1"))
        );
        assert_eq!(binding.audience(), ["did:key:zVerifier"]);
    }

    #[test]
    fn a_jwt_vp_carries_one_credential_of_its_signer() {
        let holding = holding(Format::JwtVp);
        let presentation = read(&presented(&holding, None).unwrap());
        let did = did_key::of(&holding.holder);
        assert_eq!(did_key::verify(&presentation, &did), Ok(()));
        assert_eq!(presentation.header["jwk"], holding.holder.jwk);
        let credential = presentation.claims["vp"]["verifiableCredential"][0].as_str().unwrap();
        let credential = read(credential);
        assert_eq!(did_key::verify(&credential, &issuer(&holding)), Ok(()));
        assert_eq!(credential.text("sub"), Some(did.as_str()));
        assert_eq!(credential.claims["vc"]["type"], json!(["VerifiableCredential", "t"]));
        assert_eq!(presented(&holding, Some(Fault::HashOther)), None);
        assert_eq!(presented(&holding, Some(Fault::DisclosureAdded)), None);
    }

    #[test]
    fn another_holder_presents_what_is_not_his() {
        let holding = holding(Format::JwtVp);
        let own = did_key::of(&holding.holder);
        // Whether a verifier goes by the key in the header or by who says to be the holder.
        for (fault, is_by_name) in [(Fault::BindingOfOtherKey, false), (Fault::OtherHolder, true)] {
            let presentation = read(&presented(&holding, Some(fault)).unwrap());
            let name = presentation.text("iss").unwrap();
            assert_eq!(did_key::verify(&presentation, name).is_ok(), is_by_name, "{fault:?}");
            assert_eq!(name != own, is_by_name, "{fault:?}");
            assert_ne!(presentation.header["jwk"], holding.holder.jwk);
            let credential = presentation.claims["vp"]["verifiableCredential"][0].as_str().unwrap();
            let credential = read(credential);
            assert_eq!(did_key::verify(&credential, &issuer(&holding)), Ok(()));
            assert_eq!(credential.text("sub"), Some(own.as_str()), "{fault:?}");
        }
        // A credential without any presentation around it.
        let bare = read(&presented(&holding, Some(Fault::Unbound)).unwrap());
        assert_eq!(did_key::verify(&bare, &issuer(&holding)), Ok(()));
        assert!(bare.claims.contains_key("vc"));
        let sd_jwt = Holding { format: Format::SdJwtVc, ..holding };
        assert_eq!(presented(&sd_jwt, Some(Fault::OtherHolder)), None);
    }

    #[test]
    fn a_fault_changes_what_it_names_and_leaves_the_binding_whole() {
        let holding = holding(Format::SdJwtVc);
        let of = |fault| presented(&holding, Some(fault)).unwrap();
        let parts = |text: &str| {
            let binding = text.rsplit('~').next().unwrap().to_owned();
            (SdJwt::read(text).unwrap(), binding)
        };
        let is_whole = |text: &str| {
            let (shown, binding) = parts(text);
            let binding = read(&binding);
            binding.text("sd_hash") == Some(digest(&shown.text()).as_str())
                && did_key::verify(&binding, &did_key::of(&holding.holder)).is_ok()
        };
        let issued = |text: &str| did_key::verify(&read(&parts(text).0.jwt), &issuer(&holding));
        for fault in [
            Fault::CredentialAltered,
            Fault::CredentialUnsigned,
            Fault::CredentialSymmetric,
            Fault::CredentialKeyOfHeader,
            Fault::IssuerUnknown,
        ] {
            let text = of(fault);
            assert!(is_whole(&text) && issued(&text).is_err(), "{fault:?}");
        }
        for fault in
            [Fault::Expired, Fault::NotYetValid, Fault::OtherType, Fault::DisclosureAltered]
        {
            let text = of(fault);
            assert!(is_whole(&text) && issued(&text).is_ok(), "{fault:?}");
        }
        assert!(of(Fault::Unbound).ends_with('~'));
        assert!(!parts(&of(Fault::DisclosureAltered)).0.claims().contains_key("email"));
        let stated = read(&parts(&of(Fault::ClaimsOfHolder)).1);
        assert_eq!(stated.text("email"), Some("a@b"));
        let unknown = read(&parts(&of(Fault::IssuerUnknown)).0.jwt);
        let named = unknown.text("iss").unwrap();
        assert_eq!(did_key::verify(&unknown, named), Ok(()));
    }

    #[test]
    fn of_a_ready_credential_only_the_issuer_could_change_the_terms() {
        let issued = holding(Format::SdJwtVc);
        let text = presented(&issued, Some(Fault::Unbound)).unwrap();
        let ready = Holding { credential: Credential::Ready(text.clone()), ..issued };
        assert!(presented(&ready, None).unwrap().starts_with(&text));
        for fault in [Fault::Expired, Fault::NotYetValid, Fault::OtherType] {
            assert_eq!(presented(&ready, Some(fault)), None);
        }
        for fault in [Fault::CredentialAltered, Fault::CredentialUnsigned, Fault::IssuerUnknown] {
            assert!(!presented(&ready, Some(fault)).unwrap().starts_with(&text), "{fault:?}");
        }
    }
}
