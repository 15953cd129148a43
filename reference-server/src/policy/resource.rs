//! The protected API, UserInfo, revocation and introspection.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Policy;
use crate::defect::Defect::{
    ApiOpen, ChallengeBasic, ChallengeMissing, EmptyTokenAccepted, GarbageTokenAccepted,
    GarbageTokenErrorMissing, IntrospectionActiveString, IntrospectionAnonymousInactive,
    IntrospectionInactive, IntrospectionOpen, IntrospectionTimesAsStrings, RevocationIneffective,
    RevocationKeepsRefreshToken, RevocationNoContent, RevocationUnsupported, UserinfoAsText,
    UserinfoGarbageAccepted, UserinfoGetRefused, UserinfoIdTokenAccepted, UserinfoOpen,
    UserinfoSubjectDiffers, UserinfoSubjectMissing, ValidTokenRefused,
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
        self.has(UserinfoIdTokenAccepted) && resource == Resource::Userinfo
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
            _ => Some(conformant),
        }
    }

    /// RFC 6750 §3.1: the challenge says what is wrong with the token.
    pub(crate) fn challenge_names_error(&self, resource: Resource) -> bool {
        !(self.has(GarbageTokenErrorMissing) && resource == Resource::Api)
    }

    /// OpenID Connect Core 1.0 §5.3.1: GET and POST.
    pub(crate) fn answers_userinfo_get(&self) -> bool {
        !self.has(UserinfoGetRefused)
    }

    /// The media type of the claims.
    pub(crate) fn userinfo_media_type(&self) -> &'static str {
        if self.has(UserinfoAsText) { "text/plain" } else { "application/json" }
    }

    /// OpenID Connect Core 1.0 §5.3.2: the subject of the ID token.
    pub(crate) fn userinfo_subject(&self, subject: &'static str) -> Option<&'static str> {
        match self.defect {
            Some(UserinfoSubjectMissing) => None,
            Some(UserinfoSubjectDiffers) => Some("0f0e0d0c-0b0a-4908-8706-050403020100"),
            _ => Some(subject),
        }
    }

    /// RFC 7009 §2.2: 200 once the token is dead.
    pub(crate) fn revocation_status(&self) -> StatusCode {
        if self.has(RevocationNoContent) { StatusCode::NO_CONTENT } else { StatusCode::OK }
    }

    /// RFC 7009 §2: refresh tokens can be revoked.
    pub(crate) fn revokes_refresh_tokens(&self) -> bool {
        !self.has(RevocationUnsupported)
    }

    /// RFC 7009 §2.1: with the refresh token its access tokens end.
    pub(crate) fn revocation_ends_access(&self) -> bool {
        !self.has(RevocationIneffective)
    }

    /// RFC 7009 §2.1: the refresh token ends.
    pub(crate) fn revocation_ends_refresh(&self) -> bool {
        !matches!(self.defect, Some(RevocationIneffective | RevocationKeepsRefreshToken))
    }

    /// RFC 7662 §2.1: only the resource server may ask.
    pub(crate) fn introspection_needs_credentials(&self) -> bool {
        !self.has(IntrospectionOpen)
    }

    /// Whether strangers get an answer, yet an empty one.
    pub(crate) fn hides_tokens_from_strangers(&self) -> bool {
        self.has(IntrospectionAnonymousInactive)
    }

    /// RFC 7662 §2.2: the answer, with its types.
    pub(crate) fn introspection(&self, mut answer: Value) -> Value {
        match self.defect {
            Some(IntrospectionInactive) => json!({"active": false}),
            Some(IntrospectionActiveString) => {
                answer["active"] = json!(answer["active"].to_string());
                answer
            }
            Some(IntrospectionTimesAsStrings) => {
                for name in ["exp", "iat"] {
                    if let Some(value) = answer.get_mut(name) {
                        *value = json!(value.to_string());
                    }
                }
                answer
            }
            _ => answer,
        }
    }
}
