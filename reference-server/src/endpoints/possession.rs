//! Access with a bound token: its own scheme, and a proof (RFC 9449 §7).

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::json;

use super::access::{Denial, Resource, deny};
use super::token::demand_nonce;
use crate::app::{App, Shared};
use crate::dpop::{self, Place, ProofError};
use crate::http::{header, json, set};

/// Lets a call with a bound token pass once its holder proved possession of the key; behind the
/// guard, the token is as good as a bearer token.
pub(crate) async fn guard(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    let presented = header(request.headers(), &AUTHORIZATION).and_then(|line| line.split_once(' '));
    let Some((scheme, token)) = presented.map(|(scheme, token)| (scheme, token.trim())) else {
        return next.run(request).await;
    };
    let bound = app.state().access_tokens.get(token).and_then(|entry| entry.key.clone());
    let Some(bound) = bound else { return next.run(request).await };
    let resource = match request.uri().path() {
        "/userinfo" => Resource::Userinfo,
        _ => Resource::Api,
    };
    if !scheme.eq_ignore_ascii_case("DPoP") {
        let has_proof = request.headers().contains_key(dpop::DPOP);
        return match app.policy.admits_bound_as_bearer(resource, has_proof) {
            true => next.run(request).await,
            false => deny(&app, resource, Denial::InvalidToken),
        };
    }
    let proof = dpop::Request {
        place: Place::Resource(resource),
        method: request.method().as_str(),
        path: request.uri().path(),
        access_token: Some(token),
    };
    let proven = match dpop::proven(&app, request.headers(), &proof) {
        Ok(proven) => proven,
        Err(error) => return refuse(&app, error),
    };
    if !app.policy.resource_key_fits(resource, &bound, proven.as_deref()) {
        return refuse(&app, ProofError::Invalid("the proof is missing or made with another key"));
    }
    if let Ok(bearer) = HeaderValue::try_from(format!("Bearer {token}")) {
        request.headers_mut().insert(AUTHORIZATION, bearer);
    }
    next.run(request).await
}

/// RFC 9449 §7.1: the challenge says what is wrong with the proof.
fn refuse(app: &App, error: ProofError) -> Response {
    let (error, description) = match error {
        ProofError::Invalid(description) => ("invalid_dpop_proof", description),
        ProofError::UseNonce => ("use_dpop_nonce", "the proof needs a nonce"),
    };
    let body = json!({"error": error, "error_description": description});
    let mut response = json(StatusCode::UNAUTHORIZED, &body);
    let challenge = format!("DPoP realm=\"example\", algs=\"ES256\", error=\"{error}\"");
    set(&mut response, WWW_AUTHENTICATE, &challenge);
    if error == "use_dpop_nonce" {
        demand_nonce(app, &mut response);
    }
    response
}
