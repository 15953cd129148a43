//! Access with a bearer token (RFC 6750), validated as RFC 9068 §4 says.

use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

use crate::app::App;
use crate::clients::{ALICE, User};
use crate::http::{credentials, json, set};
use crate::jwt::Parts;
use crate::scope::Scope;

/// Which resource is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Api,
    Userinfo,
}

/// Who asks, and for what.
pub(crate) struct Bearer {
    pub(crate) user: &'static User,
    pub(crate) scope: Scope,
}

/// RFC 6750 §3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    NoToken,
    InvalidRequest,
    InvalidToken,
    InsufficientScope(&'static str),
}

/// Admits the request if its token is valid and covers `scope`.
pub(crate) fn authorize(
    app: &App,
    headers: &HeaderMap,
    resource: Resource,
    scope: &'static str,
) -> Result<Bearer, Denial> {
    let bearer = authenticate(app, headers, resource)?;
    if bearer.scope.contains(scope) && app.policy.admits_valid_token(resource) {
        Ok(bearer)
    } else {
        Err(Denial::InsufficientScope(scope))
    }
}

fn everyone() -> Bearer {
    Bearer { user: &ALICE, scope: Scope::parse("openid profile email api:read api:write") }
}

fn authenticate(app: &App, headers: &HeaderMap, resource: Resource) -> Result<Bearer, Denial> {
    let policy = &app.policy;
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let token = match (lines.next(), lines.next()) {
        (Some(_), Some(_)) => return Err(Denial::InvalidRequest),
        (line, _) => line.and_then(|l| l.to_str().ok()).and_then(|l| credentials(l, "Bearer")),
    };
    match token {
        None if policy.admits_without_token(resource) => Ok(everyone()),
        None => Err(Denial::NoToken),
        Some("") if policy.admits_empty_token(resource) => Ok(everyone()),
        Some(token) => match validate(app, token, resource) {
            Some(bearer) => Ok(bearer),
            None if policy.admits_invented_token(resource) && is_invented(app, token) => {
                Ok(everyone())
            }
            None => Err(Denial::InvalidToken),
        },
    }
}

fn is_invented(app: &App, token: &str) -> bool {
    let state = app.state();
    !token.is_empty()
        && !state.access_tokens.contains_key(token)
        && !state.id_tokens.contains_key(token)
}

/// Signature, type, issuer, audience and expiry from the token; revocation from the grant.
fn validate(app: &App, token: &str, resource: Resource) -> Option<Bearer> {
    let policy = &app.policy;
    let parts = Parts::of(policy.jwt_of_access_token(token))?;
    let is_id_token = || parts.header("typ") == "JWT" && policy.admits_id_token(resource);
    if parts.header("typ") != "at+jwt" && !is_id_token() {
        return None;
    }
    if policy.verifies_access_tokens() && !parts.is_signed_by(&app.keys) {
        return None;
    }
    if parts.claim("iss") != &json!(app.issuer) || parts.claim("exp").as_u64()? <= app.now() {
        return None;
    }
    if is_id_token() {
        return Some(everyone());
    }
    if resource == Resource::Api && !parts.is_for(&app.resource()) {
        return None;
    }
    let state = app.state();
    let (entry, grant) = state.live_access_token(token, app.now())?;
    Some(Bearer { user: grant.user, scope: entry.scope.clone() })
}

/// The refusal, with a challenge that says what is missing (RFC 6750 §3, RFC 9728 §5.1).
pub(crate) fn deny(app: &App, resource: Resource, denial: Denial) -> Response {
    let metadata = app.url("/.well-known/oauth-protected-resource/api");
    let mut challenge = "Bearer realm=\"example\"".to_owned();
    if resource == Resource::Api {
        challenge.push_str(&format!(", resource_metadata=\"{metadata}\""));
    }
    let (status, error) = match denial {
        Denial::NoToken => (StatusCode::UNAUTHORIZED, None),
        Denial::InvalidRequest => (StatusCode::BAD_REQUEST, Some("invalid_request")),
        Denial::InvalidToken => (StatusCode::UNAUTHORIZED, Some("invalid_token")),
        Denial::InsufficientScope(_) => (StatusCode::FORBIDDEN, Some("insufficient_scope")),
    };
    if let Some(error) = error.filter(|_| app.policy.challenge_names_error(resource)) {
        challenge.push_str(&format!(", error=\"{error}\""));
    }
    if let Denial::InsufficientScope(scope) = denial {
        challenge.push_str(&format!(", scope=\"{scope}\""));
    }
    let mut response = json(status, &json!({"error": error.unwrap_or("unauthorized")}));
    if let Some(challenge) = app.policy.challenge(resource, denial, challenge) {
        set(&mut response, WWW_AUTHENTICATE, &challenge);
    }
    response
}
