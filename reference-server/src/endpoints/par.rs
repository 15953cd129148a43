//! Pushed authorization requests (RFC 9126).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::authorization_request::{AuthorizationRequest, target};
use super::token::{TokenError, refuse};
use crate::app::{App, Shared};
use crate::clients::client;
use crate::dpop::{self, Place};
use crate::http::{is_form, json, random, set};
use crate::params::Params;
use crate::state::Pushed;

/// RFC 9126 §2.2: what stands before the random part.
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

pub(crate) async fn post(State(app): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    match push(&app, &headers, &Params::parse(&body)) {
        Ok(request_uri) => {
            let lifetime = app.config.lifetimes.pushed_request;
            let members = app.policy.pushed_response(&request_uri, lifetime);
            let mut response = json(StatusCode::CREATED, &members);
            set(&mut response, CACHE_CONTROL, "no-cache, no-store");
            response
        }
        Err(error) => refuse(&app, error),
    }
}

fn push(app: &App, headers: &HeaderMap, params: &Params) -> Result<String, TokenError> {
    if !is_form(headers) {
        return Err(TokenError::new("invalid_request", "the request is not a form"));
    }
    if headers.contains_key(AUTHORIZATION) || params.get("client_secret").is_some() {
        return Err(TokenError::new("invalid_client", "the client has no credentials"));
    }
    // §2.1: a reference to a reference is refused.
    if params.get("request_uri").is_some() && app.policy.refuses_nested_request_uri() {
        return Err(TokenError::new("invalid_request", "request_uri cannot be pushed"));
    }
    if params.get("client_id").is_some_and(|id| client(id).is_none()) {
        return Err(TokenError::new("invalid_client", "the client is not known"));
    }
    let mut params = params.without(&["request_uri"]);
    // RFC 9449 §10.1: a proof here binds the code like dpop_jkt.
    let request =
        dpop::Request { place: Place::Pushed, method: "POST", path: "/par", access_token: None };
    if let Some(jkt) = dpop::proven(app, headers, &request)? {
        if params.get("dpop_jkt").is_some_and(|named| named != jkt) {
            return Err(TokenError::new("invalid_dpop_proof", "dpop_jkt names another key"));
        }
        params = params.without(&["dpop_jkt"]).with("dpop_jkt", &jkt);
    }
    let client = match target(app, &params) {
        Ok(mut target) => {
            // §2.1: everything that would be refused at the authorization endpoint is refused here.
            AuthorizationRequest::read(app, &mut target, &params)
                .map_err(|e| TokenError::new(e.error, e.description))?;
            target.client.id
        }
        Err(refused) => match params.get("client_id").and_then(client) {
            Some(client) if app.policy.pushes_any_redirect_uri() => client.id,
            _ => return Err(TokenError::new("invalid_request", refused.message)),
        },
    };
    let request_uri = format!("{PREFIX}{}", random());
    let expires_at = app.now() + app.config.lifetimes.pushed_request;
    app.state().pushed.insert(request_uri.clone(), Pushed { client, params, expires_at });
    Ok(request_uri)
}

/// The parameters that count: those that were pushed, where the request refers to them, and its own
/// otherwise (§4). A reference works once.
///
/// # Errors
/// What to tell the user.
pub(crate) fn resolve(app: &App, params: &Params) -> Result<Params, &'static str> {
    let Some(request_uri) = params.get("request_uri").filter(|uri| uri.starts_with(PREFIX)) else {
        return match app.config.par_required && app.policy.demands_pushed_requests() {
            true => Err("The application has to push its request first."),
            false => Ok(params.clone()),
        };
    };
    let mut state = app.state();
    let pushed = state.pushed.get(request_uri).filter(|p| p.expires_at > app.now());
    let pushed = pushed.ok_or("The request of the application has expired.")?;
    if !app.policy.may_use_pushed(pushed.client, params.get("client_id")) {
        return Err("The request was made by another application.");
    }
    let resolved = app.policy.beside_request_uri(&pushed.params, params);
    state.pushed.remove(request_uri);
    Ok(resolved)
}
