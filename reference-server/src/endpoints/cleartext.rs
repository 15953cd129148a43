//! The cleartext port beside TLS: pages are sent on to https, everything else is refused.

use axum::extract::{Request, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::Shared;
use crate::http::{add, respond, set};

/// RFC 9325 §3.2: people are led to https; a client that sends secrets in cleartext must notice.
pub(crate) async fn upgrade(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if app.policy.serves_in_cleartext(path) {
        return without_secure(next.run(request).await);
    }
    let is_page = matches!(path, "/authorize" | "/login" | "/consent" | "/logout");
    if !is_page || request.method() != Method::GET {
        return respond(StatusCode::FORBIDDEN, "text/plain", "https only");
    }
    let mut response = respond(StatusCode::PERMANENT_REDIRECT, "", "");
    let target = request.uri().path_and_query().map_or(path, |target| target.as_str());
    set(&mut response, LOCATION, &app.url(target));
    response
}

/// Cookies that work in cleartext, as frameworks set them by the scheme of the request.
fn without_secure(mut response: Response) -> Response {
    let cookies: Vec<String> = response
        .headers()
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|cookie| Some(cookie.to_str().ok()?.replace("; Secure", "")))
        .collect();
    response.headers_mut().remove(SET_COOKIE);
    for cookie in cookies {
        add(&mut response, SET_COOKIE, &cookie);
    }
    response
}
