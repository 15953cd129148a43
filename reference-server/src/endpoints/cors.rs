//! Cross-origin access (RFC 9700 §2.6): where scripts call, and nowhere else.

use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;

use crate::app::App;
use crate::http::{add, header, respond, set};
use crate::seeds;

/// A request that names its origin.
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) origin: String,
    pub(crate) preflight: bool,
}

impl Asked {
    pub(crate) fn of(headers: &HeaderMap, method: &Method, path: &str) -> Option<Self> {
        let preflight =
            method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        Some(Self {
            path: path.to_owned(),
            origin: header(headers, &ORIGIN)?.to_owned(),
            preflight,
        })
    }
}

fn is_public(path: &str) -> bool {
    path.starts_with("/.well-known/") || path == "/jwks"
}

fn is_for_clients(path: &str) -> bool {
    let is_api = path.starts_with("/api/") && !path.starts_with("/api/login/");
    matches!(path, "/token" | "/par" | "/revoke" | "/userinfo") || is_api
}

pub(crate) fn answers_preflight(app: &App, path: &str) -> bool {
    let has_business = is_public(path) || is_for_clients(path);
    has_business && app.policy.answers_preflight(path) || app.policy.answers_other_preflight(path)
}

pub(crate) fn preflight(app: &App) -> Response {
    let mut response = respond(StatusCode::NO_CONTENT, "", Body::empty());
    set(&mut response, ACCESS_CONTROL_ALLOW_METHODS, "GET, POST");
    set(&mut response, ACCESS_CONTROL_ALLOW_HEADERS, app.policy.fields_of_scripts());
    set(&mut response, ACCESS_CONTROL_MAX_AGE, "600");
    response
}

pub(crate) fn allow(app: &App, asked: &Asked, response: &mut Response) {
    let conformant = match asked.path.as_str() {
        path if is_public(path) => Some("*".to_owned()),
        path if is_for_clients(path) => {
            add(response, VARY, "Origin");
            (asked.origin == seeds::ALLOWED_ORIGIN).then(|| asked.origin.clone())
        }
        _ => None,
    };
    let origin = app.policy.allowed_origin(asked, response.status(), conformant);
    if app.policy.lets_in_with_credentials(asked) {
        set(response, ACCESS_CONTROL_ALLOW_ORIGIN, &asked.origin);
        set(response, ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    } else if let Some(origin) = app.policy.readable_from(asked, origin) {
        set(response, ACCESS_CONTROL_ALLOW_ORIGIN, &origin);
        set(response, ACCESS_CONTROL_EXPOSE_HEADERS, app.policy.fields_to_scripts());
    }
}
