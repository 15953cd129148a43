//! Token revocation (RFC 7009).

use axum::http::StatusCode;

use super::Policy;
use crate::defect::Defect::{
    AccessTokenRevocationIneffective, AccessTokenRevocationRefused,
    AccessTokenRevocationUnsupported, ApiIgnoresRevocation, ForeignAccessTokenRevoked,
    ForeignRevocationRefusedYetDone, ForeignTokenRevoked, RevocationHintDecides,
    RevocationIneffective, RevocationKeepsAccessToken, RevocationKeepsRefreshToken,
    RevocationNoContent, RevocationUnsupported, UnknownHintRefused, UnknownTokenNotRevoked,
    UnknownTokenUnsupported, UserinfoIgnoresRevocation,
};
use crate::endpoints::access::Resource;
use crate::endpoints::token::TokenError;

fn unsupported_token_type() -> TokenError {
    TokenError::new("unsupported_token_type", "tokens of this type are not revoked here")
}

/// What becomes of the tokens of another client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreign {
    Refused,
    RefusedYetRevoked,
    Revoked,
}

impl Policy {
    /// RFC 7009 §2.2: 200 once the token is dead.
    pub(crate) fn revocation_status(&self) -> StatusCode {
        if self.has(RevocationNoContent) { StatusCode::NO_CONTENT } else { StatusCode::OK }
    }

    /// RFC 7009 §2: refresh tokens can be revoked.
    pub(crate) fn refresh_token_revocable(&self) -> Result<(), TokenError> {
        if self.has(RevocationUnsupported) { Err(unsupported_token_type()) } else { Ok(()) }
    }

    /// RFC 7009 §2: access tokens can be revoked.
    pub(crate) fn access_token_revocable(&self) -> Result<(), TokenError> {
        match self.defect {
            Some(AccessTokenRevocationUnsupported) => Err(unsupported_token_type()),
            Some(AccessTokenRevocationRefused) => {
                Err(TokenError::new("invalid_request", "this is no refresh token"))
            }
            _ => Ok(()),
        }
    }

    /// RFC 7009 §2.2: an unknown token is as good as revoked.
    pub(crate) fn unknown_token_revocation(&self) -> Result<(), TokenError> {
        match self.defect {
            Some(UnknownTokenNotRevoked) => {
                Err(TokenError::new("invalid_grant", "the token is not known"))
            }
            Some(UnknownTokenUnsupported) => Err(unsupported_token_type()),
            _ => Ok(()),
        }
    }

    /// RFC 7009 §2.2: an unknown hint is ignored.
    pub(crate) fn hint_accepted(&self, hint: Option<&str>) -> Result<(), TokenError> {
        let is_known = hint.is_none_or(|h| matches!(h, "access_token" | "refresh_token"));
        if self.has(UnknownHintRefused) && !is_known {
            Err(unsupported_token_type())
        } else {
            Ok(())
        }
    }

    /// RFC 7009 §2.1: the search extends to all types of tokens, whatever the hint.
    pub(crate) fn finds_despite_hint(&self, hint: Option<&str>, is_refresh_token: bool) -> bool {
        let misleads = hint == Some("access_token") && is_refresh_token;
        !(self.has(RevocationHintDecides) && misleads)
    }

    /// RFC 7009 §2.1: a client revokes its own tokens only.
    pub(crate) fn foreign_revocation(&self, is_refresh_token: bool) -> Foreign {
        match self.defect {
            Some(ForeignTokenRevoked) => Foreign::Revoked,
            Some(ForeignAccessTokenRevoked) if !is_refresh_token => Foreign::Revoked,
            Some(ForeignRevocationRefusedYetDone) => Foreign::RefusedYetRevoked,
            _ => Foreign::Refused,
        }
    }

    /// RFC 7009 §2.1: with the refresh token its access tokens end.
    pub(crate) fn revocation_ends_access(&self) -> bool {
        !matches!(self.defect, Some(RevocationIneffective | RevocationKeepsAccessToken))
    }

    /// RFC 7009 §2.1: the refresh token ends.
    pub(crate) fn revocation_ends_refresh(&self) -> bool {
        !matches!(self.defect, Some(RevocationIneffective | RevocationKeepsRefreshToken))
    }

    /// RFC 7009 §2.1: a revoked access token ends.
    pub(crate) fn revocation_ends_access_token(&self) -> bool {
        !matches!(self.defect, Some(RevocationIneffective | AccessTokenRevocationIneffective))
    }

    /// RFC 7009 §2.1: whoever accepts access tokens notices that they were revoked.
    pub(crate) fn notices_revocation(&self, resource: Resource) -> bool {
        self.defect
            != Some(if resource == Resource::Api {
                ApiIgnoresRevocation
            } else {
                UserinfoIgnoresRevocation
            })
    }
}
