//! Who may read answers across origins.

use super::Policy;
use crate::defect::Defect::{
    CorsChallengeNotExposed, CorsDpopNotAllowed, CorsMissingAtApi, CorsMissingAtRevocation,
    CorsMissingAtUserinfo, CorsMissingOnMetadata, CorsNonceNotExposed, CorsNullWithCredentials,
    CorsPreflightLacksAuthorization, CorsPreflightRefusedAtApi, CorsReflectsWithCredentials,
};
use crate::endpoints::cors::Asked;

impl Policy {
    /// The origin that may read the answer: what RFC 9700 §2.6 makes of it.
    pub(crate) fn readable_from(
        &self,
        asked: &Asked,
        conformant: Option<String>,
    ) -> Option<String> {
        let path = asked.path.as_str();
        let is_hidden = match self.defect {
            Some(CorsMissingOnMetadata) => path.starts_with("/.well-known/"),
            Some(CorsMissingAtRevocation) => path == "/revoke",
            Some(CorsMissingAtApi) => path.starts_with("/api/") && !asked.preflight,
            Some(CorsMissingAtUserinfo) => path == "/userinfo",
            _ => false,
        };
        conformant.filter(|_| !is_hidden)
    }

    /// Whether scripts of that origin may use the cookies of the user: of none.
    pub(crate) fn lets_in_with_credentials(&self, asked: &Asked) -> bool {
        match self.defect {
            Some(CorsReflectsWithCredentials) => {
                matches!(asked.path.as_str(), "/token" | "/userinfo")
            }
            Some(CorsNullWithCredentials) => asked.origin == "null" && asked.path == "/userinfo",
            _ => false,
        }
    }

    /// Whether preflights are answered where scripts call; they carry no token.
    pub(crate) fn answers_preflight(&self, path: &str) -> bool {
        !(self.has(CorsPreflightRefusedAtApi) && path.starts_with("/api/"))
    }

    /// The header fields that a script may send.
    pub(crate) fn fields_of_scripts(&self) -> &'static str {
        match self.defect {
            Some(CorsPreflightLacksAuthorization) => "content-type, dpop",
            Some(CorsDpopNotAllowed) => "authorization, content-type",
            _ => "authorization, content-type, dpop",
        }
    }

    /// The header fields that a script may read.
    pub(crate) fn fields_to_scripts(&self) -> &'static str {
        match self.defect {
            Some(CorsNonceNotExposed) => "www-authenticate, x-request-id",
            Some(CorsChallengeNotExposed) => "dpop-nonce, x-request-id",
            _ => "dpop-nonce, www-authenticate, x-request-id",
        }
    }
}
