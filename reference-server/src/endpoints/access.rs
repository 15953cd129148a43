//! Access with a bearer token (RFC 6750), validated as RFC 9068 §4 says.

use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

use crate::app::App;
use crate::clients::{ALICE, User};
use crate::http::{basic, json, set};
use crate::jwt::Parts;
use crate::params::Params;
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

/// Where a token stands in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Header,
    Query,
    Form,
    Basic,
}

/// A call of a resource, as far as it can carry a token.
pub(crate) struct Call<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) query: &'a str,
    pub(crate) body: &'a [u8],
}

/// Admits the request if its token is valid and covers `scope`.
pub(crate) async fn authorize(
    app: &App,
    call: &Call<'_>,
    resource: Resource,
    scope: &'static str,
) -> Result<Bearer, Denial> {
    let (bearer, place) = authenticate(app, call, resource).await?;
    let is_covered = bearer.scope.contains(scope) || !app.policy.enforces_scope(resource, place);
    if is_covered && app.policy.admits_valid_token(resource) {
        Ok(bearer)
    } else {
        Err(Denial::InsufficientScope(scope))
    }
}

fn everyone() -> Bearer {
    Bearer { user: &ALICE, scope: Scope::parse("openid profile email api:read api:write") }
}

async fn authenticate(
    app: &App,
    call: &Call<'_>,
    resource: Resource,
) -> Result<(Bearer, Place), Denial> {
    let policy = &app.policy;
    let Some((place, token)) = presented(app, call, resource)? else {
        return match policy.admits_without_token(resource) {
            true => Ok((everyone(), Place::Header)),
            false => Err(Denial::NoToken),
        };
    };
    let admits_unseen = token.is_empty() && policy.admits_empty_token(resource)
        || policy.admits_invented_token(resource) && is_invented(app, &token);
    match validate(app, &token, resource).await {
        Some(bearer) => Ok((bearer, place)),
        None if admits_unseen => Ok((everyone(), place)),
        None => Err(Denial::InvalidToken),
    }
}

/// The token of the request and where it stands: the header field alone counts (OAuth 2.1 §5.1.1), of the two
/// ways that §5.1 leaves.
fn presented(
    app: &App,
    call: &Call<'_>,
    resource: Resource,
) -> Result<Option<(Place, String)>, Denial> {
    let mut lines = call.headers.get_all(AUTHORIZATION).iter();
    let line = match (lines.next(), lines.next()) {
        (Some(_), Some(_)) => return Err(Denial::InvalidRequest),
        (line, _) => line.and_then(|line| line.to_str().ok()),
    };
    let (scheme, rest) = line.map(|l| l.split_once(' ').unwrap_or((l, ""))).unwrap_or_default();
    if app.policy.is_bearer_scheme(scheme) {
        return Ok(Some((Place::Header, rest.trim().to_owned())));
    }
    let parameter = |encoded: &[u8]| Params::parse(encoded).get("access_token").map(str::to_owned);
    let elsewhere = [
        (Place::Query, parameter(call.query.as_bytes())),
        (Place::Form, parameter(call.body)),
        (Place::Basic, line.and_then(basic).map(|(_, password)| password)),
    ];
    let read = |(place, token): (Place, Option<String>)| {
        token.filter(|_| app.policy.reads_token_from(resource, place)).map(|token| (place, token))
    };
    Ok(elsewhere.into_iter().find_map(read))
}

/// Nobody issued it, and it is not made of anything that was issued.
fn is_invented(app: &App, token: &str) -> bool {
    let state = app.state();
    !token.is_empty()
        && !token.contains('.')
        && !state.refresh_tokens.contains_key(token)
        && !state.codes.contains_key(token)
}

/// Whether the token is of another kind and serves all the same.
fn is_other_credential(app: &App, token: &str, resource: Resource) -> bool {
    let state = app.state();
    app.policy.admits_refresh_token(resource) && state.refresh_tokens.contains_key(token)
        || app.policy.admits_code(resource) && state.codes.contains_key(token)
}

/// Signature, type, issuer, audience and expiry from the token; revocation from the grant.
async fn validate(app: &App, token: &str, resource: Resource) -> Option<Bearer> {
    let policy = &app.policy;
    if is_other_credential(app, token, resource) {
        return Some(everyone());
    }
    let completed = match policy.completes_tokens(resource, token) {
        true => app.state().access_tokens.keys().find(|known| known.starts_with(token)).cloned(),
        false => None,
    };
    let token = completed.as_deref().unwrap_or(token);
    let stands_for = app.state().access_tokens.get(token).and_then(|entry| entry.jwt.clone());
    let jwt = stands_for.as_deref().unwrap_or(token);
    let parts = Parts::of(policy.jwt_of_access_token(jwt))?;
    let is_id_token = || parts.header("typ") == "JWT" && policy.admits_id_token(resource);
    if parts.header("typ") != policy.access_token_typ() && !is_id_token() {
        return None;
    }
    if policy.verifies_access_tokens() && !policy.is_genuine(resource, &parts, &app.keys).await {
        return None;
    }
    let now = policy.time_of_expiry(resource, app.now());
    if parts.claim("iss") != &json!(app.issuer) || parts.claim("exp").as_u64()? <= now {
        return None;
    }
    if is_id_token() {
        return Some(everyone());
    }
    let is_meant = || policy.is_meant_for(&parts, &app.resource(), &app.issuer);
    let compares_audience = resource == Resource::Api && policy.names_audience();
    if compares_audience && !is_meant() {
        return None;
    }
    let state = app.state();
    if policy.trusts_claims_alone(resource) && !state.access_tokens.contains_key(token) {
        return Some(everyone());
    }
    let (entry, grant) = if policy.notices_revocation(resource) {
        state.live_access_token(token, now)?
    } else {
        let entry = state.access_tokens.get(token)?;
        (entry, state.grants.get(&entry.grant)?)
    };
    Some(Bearer { user: grant.user, scope: entry.scope.clone() })
}

/// The refusal, with a challenge that says what is missing (RFC 6750 §3, RFC 9728 §5.1).
pub(crate) fn deny(app: &App, resource: Resource, denial: Denial) -> Response {
    let metadata = app.url("/.well-known/oauth-protected-resource/api");
    let mut challenge = "Bearer realm=\"example\"".to_owned();
    if resource == Resource::Api {
        challenge.push_str(&format!(", resource_metadata=\"{metadata}\""));
    }
    let denial = app.policy.denial(resource, denial);
    let (status, error) = match denial {
        Denial::NoToken => (StatusCode::UNAUTHORIZED, None),
        Denial::InvalidRequest => (StatusCode::BAD_REQUEST, Some("invalid_request")),
        Denial::InvalidToken => (StatusCode::UNAUTHORIZED, Some("invalid_token")),
        Denial::InsufficientScope(_) => (StatusCode::FORBIDDEN, Some("insufficient_scope")),
    };
    if let Some(error) = error.filter(|_| app.policy.challenge_names_error(resource, denial)) {
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
