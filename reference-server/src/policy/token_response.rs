//! The token response.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Policy;
use crate::defect::Defect::{
    AccessTokenNotToken68, AccessTokenSevenDays, ExpiresInMissing, ExpiresInNegative,
    ExpiresInString, IdTokenMissing, PragmaMissing, RefreshAnswersCreated, RefreshAnswersText,
    RefreshResponseCacheable, ScopeNotReported, ScopeReportedAsRequested, TokenResponseCacheable,
    TokenResponsePrivate, TokenTypeUnknown,
};
use crate::scope::Scope;
use crate::seeds;

const FRAME: &str = "opaque:";

impl Policy {
    /// RFC 6749 §5.1: status and media type.
    pub(crate) fn token_response_form(&self, is_refresh: bool) -> (StatusCode, &'static str) {
        match self.defect {
            Some(RefreshAnswersCreated) if is_refresh => (StatusCode::CREATED, "application/json"),
            Some(RefreshAnswersText) if is_refresh => (StatusCode::OK, "text/plain"),
            _ => (StatusCode::OK, "application/json"),
        }
    }

    /// RFC 6749 §5.1: no cache may keep tokens.
    pub(crate) fn token_cache_control(
        &self,
        is_success: bool,
        is_refresh: bool,
    ) -> Option<&'static str> {
        match self.defect {
            Some(TokenResponseCacheable) if is_success => None,
            Some(RefreshResponseCacheable) if is_success && is_refresh => None,
            Some(TokenResponsePrivate) if is_success => Some("private, max-age=0"),
            _ => Some("no-store"),
        }
    }

    /// RFC 6749 §5.1, dropped by OAuth 2.1.
    pub(crate) fn sends_pragma(&self) -> bool {
        !self.has(PragmaMissing)
    }

    /// An access token as the client sees it (RFC 6750 §2.1).
    pub(crate) fn access_token_text(&self, jwt: String) -> String {
        if self.has(AccessTokenNotToken68) { format!("{FRAME}{jwt}") } else { jwt }
    }

    /// The JWT in an access token.
    pub(crate) fn jwt_of_access_token<'a>(&self, token: &'a str) -> &'a str {
        if self.has(AccessTokenNotToken68) {
            token.strip_prefix(FRAME).unwrap_or(token)
        } else {
            token
        }
    }

    /// How to use the access token.
    pub(crate) fn token_type(&self, is_bound: bool) -> &'static str {
        match self.defect {
            Some(TokenTypeUnknown) => "ticket",
            _ if is_bound => "DPoP",
            _ => "Bearer",
        }
    }

    /// The lifetime of access tokens in seconds.
    pub(crate) fn access_token_lifetime(&self, configured: u64) -> u64 {
        if self.has(AccessTokenSevenDays) { 7 * 86_400 } else { configured }
    }

    /// The lifetime as reported: a number of seconds.
    pub(crate) fn expires_in(&self, lifetime: u64) -> Option<Value> {
        match self.defect {
            Some(ExpiresInMissing) => None,
            Some(ExpiresInString) => Some(json!(lifetime.to_string())),
            Some(ExpiresInNegative) => Some(json!(-1)),
            _ => Some(json!(lifetime)),
        }
    }

    /// RFC 6749 §3.3: what was granted, above all when it is not what was requested.
    pub(crate) fn reported_scope(&self, requested: &Scope, granted: &Scope) -> Option<String> {
        let known =
            |token: &str| seeds::CLIENT_SCOPES.contains(&token) || token == seeds::FORBIDDEN_SCOPE;
        let unknown = requested.filter(|token| !known(token));
        match self.defect {
            Some(ScopeNotReported) if !unknown.is_empty() => None,
            Some(ScopeReportedAsRequested) => {
                Some(unknown.iter().fold(granted.clone(), Scope::with).to_string())
            }
            _ => Some(granted.to_string()),
        }
    }

    /// OpenID Connect Core 1.0 §3.1.3.3: scope openid yields an ID token.
    pub(crate) fn issues_id_token(&self) -> bool {
        !self.has(IdTokenMissing)
    }
}
