//! Discovery: metadata (RFC 8414, OpenID Connect Discovery 1.0, RFC 9728) and keys.

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};

use crate::app::{App, Shared};
use crate::http::{respond, set};
use crate::seeds;

fn scopes_supported() -> Vec<&'static str> {
    seeds::CLIENT_SCOPES.iter().copied().chain([seeds::FORBIDDEN_SCOPE]).collect()
}

fn document(app: &App, base: &str) -> Value {
    let url = |path: &str| format!("{base}{path}");
    let mut document = json!({
        "issuer": base,
        "authorization_endpoint": url("/authorize"),
        "token_endpoint": url("/token"),
        "jwks_uri": url("/jwks"),
        "userinfo_endpoint": url("/userinfo"),
        "revocation_endpoint": url("/revoke"),
        "introspection_endpoint": url("/introspect"),
        "end_session_endpoint": url("/logout"),
        "scopes_supported": scopes_supported(),
        "response_types_supported": ["code"],
        "response_modes_supported": app.config.login.response_modes(),
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": app.keys.algorithms(),
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "name", "preferred_username", "email", "email_verified"],
        "prompt_values_supported": ["none", "login", "consent"],
        "authorization_response_iss_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "claims_parameter_supported": false,
        "protected_resources": [app.resource(), app.other_resource()],
        "require_pushed_authorization_requests": app.config.par_required,
    });
    if app.policy.publishes_par_endpoint() {
        document["pushed_authorization_request_endpoint"] = json!(url("/par"));
    }
    if let Some(algs) = app.policy.dpop_algs() {
        document["dpop_signing_alg_values_supported"] = algs;
    }
    document
}

fn cacheable(media_type: &str, value: &Value) -> Response {
    let mut response = respond(StatusCode::OK, media_type, value.to_string());
    set(&mut response, CACHE_CONTROL, "public, max-age=60");
    response
}

pub(crate) async fn metadata(State(app): State<Shared>, uri: Uri, headers: HeaderMap) -> Response {
    let base = app.policy.base_of_addresses(&app.issuer, &headers);
    let is_openid = uri.path().ends_with("/openid-configuration");
    match app.policy.metadata(document(&app, &base), &base) {
        Some(document) => cacheable(
            app.policy.metadata_media_type(),
            &app.policy.openid_metadata(document, is_openid, &base),
        ),
        None => respond(StatusCode::NOT_FOUND, "", ""),
    }
}

pub(crate) async fn jwks(State(app): State<Shared>) -> Response {
    let keys = app.policy.published_keys(app.keys.published(), || app.keys.retired_private_part());
    cacheable(app.policy.jwks_media_type(), &json!({"keys": keys}))
}

pub(crate) async fn protected_resource(State(app): State<Shared>) -> Response {
    let document = json!({
        "resource": app.resource(),
        "authorization_servers": [app.issuer],
        "jwks_uri": app.url("/jwks"),
        "scopes_supported": ["api:read", "api:write", seeds::FORBIDDEN_SCOPE],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "resource_name": "Example API",
    });
    match app.policy.resource_metadata(document, &app.resource()) {
        Some(document) => cacheable(app.policy.resource_metadata_media_type(), &document),
        None => respond(StatusCode::NOT_FOUND, "", ""),
    }
}
