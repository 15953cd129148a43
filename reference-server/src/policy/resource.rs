//! The protected API and UserInfo.

use axum::http::Method;

use super::Policy;
use crate::defect::Defect::{
    ApiOpen, ChallengeAttributeRepeated, ChallengeBasic, ChallengeMissing, ChallengeQuoteEscaped,
    ChallengeUnquoted, EmptyTokenAccepted, GarbageTokenAccepted, GarbageTokenErrorMissing,
    IdTokenAsAccessToken, NoTokenErrorDescribed, NoTokenErrorNamed, ScopeErrorMissing,
    ScopeErrorUnauthorized, UserinfoAsText, UserinfoGarbageAccepted, UserinfoGetRefused,
    UserinfoIdTokenAccepted, UserinfoJwtAsJson, UserinfoJwtUnaddressed, UserinfoOpen,
    UserinfoPostRefused, UserinfoPostSubjectMissing, UserinfoSubjectDiffers,
    UserinfoSubjectMissing, ValidTokenRefused,
};
use crate::endpoints::access::{Denial, Resource};

impl Policy {
    /// Whether a valid token with the right scope is enough.
    pub(crate) fn admits_valid_token(&self, resource: Resource) -> bool {
        !(self.has(ValidTokenRefused) && resource == Resource::Api)
    }

    /// RFC 6750 §3.1: without a token nothing is served.
    pub(crate) fn admits_without_token(&self, resource: Resource) -> bool {
        self.defect == Some(if resource == Resource::Api { ApiOpen } else { UserinfoOpen })
    }

    /// The same for a scheme without a token.
    pub(crate) fn admits_empty_token(&self, resource: Resource) -> bool {
        self.has(EmptyTokenAccepted) && resource == Resource::Api
    }

    /// The same for a token that nobody issued.
    pub(crate) fn admits_invented_token(&self, resource: Resource) -> bool {
        self.defect
            == Some(if resource == Resource::Api {
                GarbageTokenAccepted
            } else {
                UserinfoGarbageAccepted
            })
    }

    /// RFC 9068 §4: an ID token is no access token.
    pub(crate) fn admits_id_token(&self, resource: Resource) -> bool {
        match resource {
            Resource::Api => self.has(IdTokenAsAccessToken),
            Resource::Userinfo => self.has(UserinfoIdTokenAccepted),
        }
    }

    /// RFC 6750 §3: the challenge of a refusal.
    pub(crate) fn challenge(
        &self,
        resource: Resource,
        denial: Denial,
        conformant: String,
    ) -> Option<String> {
        match (self.defect, resource, denial) {
            (Some(ChallengeMissing), Resource::Api, Denial::NoToken) => None,
            (Some(ChallengeBasic), Resource::Api, Denial::NoToken) => {
                Some("Basic realm=\"example\"".to_owned())
            }
            (Some(NoTokenErrorNamed), Resource::Api, Denial::NoToken) => {
                Some(format!("{conformant}, error=\"invalid_token\""))
            }
            (Some(NoTokenErrorDescribed), Resource::Api, Denial::NoToken) => {
                Some(format!("{conformant}, error_description=\"no token\""))
            }
            (Some(ChallengeAttributeRepeated), Resource::Api, _) => {
                Some(format!("{conformant}, Realm=\"example\""))
            }
            (Some(ChallengeUnquoted), _, Denial::InvalidToken) => {
                Some(format!("{conformant}, error_description=The token is not valid"))
            }
            (Some(ChallengeQuoteEscaped), _, Denial::InvalidToken) => {
                Some(format!("{conformant}, error_description=\"not \\\"valid\\\"\""))
            }
            _ => Some(conformant),
        }
    }

    /// RFC 6750 §3.1: the challenge says what is wrong with the token.
    pub(crate) fn challenge_names_error(&self, resource: Resource, denial: Denial) -> bool {
        match (self.defect, denial) {
            (Some(GarbageTokenErrorMissing), Denial::InvalidToken) => resource != Resource::Api,
            (Some(ScopeErrorMissing), Denial::InsufficientScope(_)) => resource != Resource::Api,
            _ => true,
        }
    }

    /// RFC 6750 §3.1: a missing scope is another matter than a bad token.
    pub(crate) fn denial(&self, resource: Resource, conformant: Denial) -> Denial {
        match (self.defect, resource, conformant) {
            (Some(ScopeErrorUnauthorized), Resource::Api, Denial::InsufficientScope(_)) => {
                Denial::InvalidToken
            }
            _ => conformant,
        }
    }

    /// OpenID Connect Core 1.0 §5.3.1: GET and POST.
    pub(crate) fn answers_userinfo(&self, method: &Method) -> bool {
        self.defect
            != Some(if method == Method::GET { UserinfoGetRefused } else { UserinfoPostRefused })
    }

    /// The media type of claims that travel as a JWT; the conformant server sends none.
    pub(crate) fn userinfo_as_jwt(&self) -> Option<&'static str> {
        match self.defect {
            Some(UserinfoJwtAsJson) => Some("application/json"),
            Some(UserinfoJwtUnaddressed) => Some("application/jwt"),
            _ => None,
        }
    }

    /// The media type of the claims.
    pub(crate) fn userinfo_media_type(&self) -> &'static str {
        if self.has(UserinfoAsText) { "text/plain" } else { "application/json" }
    }

    /// OpenID Connect Core 1.0 §5.3.2: the subject of the ID token.
    pub(crate) fn userinfo_subject(
        &self,
        method: &Method,
        subject: &'static str,
    ) -> Option<&'static str> {
        match self.defect {
            Some(UserinfoPostSubjectMissing) if method == Method::POST => None,
            Some(UserinfoSubjectMissing) => None,
            Some(UserinfoSubjectDiffers) => Some("0f0e0d0c-0b0a-4908-8706-050403020100"),
            _ => Some(subject),
        }
    }
}
