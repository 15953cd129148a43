//! Introspection.

use serde_json::{Value, json};

use super::Policy;
use crate::defect::Defect::{
    InactiveReasonTold, InactiveScopeTold, IntrospectionActiveString,
    IntrospectionAnonymousInactive, IntrospectionByAnyClientId, IntrospectionByOwnClientId,
    IntrospectionExpiredActive, IntrospectionInactive, IntrospectionOpen,
    IntrospectionRevokedActive, IntrospectionTimesAsStrings, UnknownTokenActive, UnknownTokenError,
};

impl Policy {
    /// RFC 7662 §2.1: only the resource server may ask.
    pub(crate) fn introspection_needs_credentials(&self) -> bool {
        !self.has(IntrospectionOpen)
    }

    /// Whether strangers get an answer, yet an empty one.
    pub(crate) fn hides_tokens_from_strangers(&self) -> bool {
        self.has(IntrospectionAnonymousInactive)
    }

    /// RFC 7662 §2.2: the answer, with its types.
    pub(crate) fn introspection(&self, mut answer: Value, is_known: bool) -> Value {
        let is_inactive = answer["active"] == false;
        match self.defect {
            Some(UnknownTokenActive) if !is_known => json!({"active": true}),
            Some(InactiveReasonTold) if is_inactive => {
                json!({"active": false, "reason": "the token is not valid"})
            }
            Some(InactiveScopeTold) if is_inactive && is_known => {
                json!({"active": false, "scope": "openid"})
            }
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

    /// RFC 7662 §4: a public `client_id` proves nothing.
    pub(crate) fn client_may_introspect(&self, is_its_own: bool) -> bool {
        match self.defect {
            Some(IntrospectionByAnyClientId) => true,
            Some(IntrospectionByOwnClientId) => is_its_own,
            _ => false,
        }
    }

    /// RFC 7662 §2.2: an unknown token is no error.
    pub(crate) fn refuses_unknown_tokens(&self) -> bool {
        self.has(UnknownTokenError)
    }

    /// RFC 7662 §4: neither expired nor revoked.
    pub(crate) fn introspection_sees_as_live(&self, is_expired: bool, is_revoked: bool) -> bool {
        match self.defect {
            Some(IntrospectionExpiredActive) => !is_revoked,
            Some(IntrospectionRevokedActive) => !is_expired,
            _ => !is_expired && !is_revoked,
        }
    }
}
