//! Small pieces of HTTP: answers, cookies, credentials.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

/// 32 random octets in base64url.
pub(crate) fn random() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

pub(crate) fn respond(status: StatusCode, content_type: &str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    if !content_type.is_empty() {
        set(&mut response, CONTENT_TYPE, content_type);
    }
    response
}

pub(crate) fn json(status: StatusCode, value: &Value) -> Response {
    respond(status, "application/json", value.to_string())
}

/// Sends the browser on with GET, whatever the method of the request was (RFC 9700 §4.12).
pub(crate) fn see_other(location: &str) -> Response {
    let mut response = respond(StatusCode::SEE_OTHER, "", Body::empty());
    set(&mut response, LOCATION, location);
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}

/// Sets a header; a value that no header can carry is left out.
pub(crate) fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        response.headers_mut().insert(name, value);
    }
}

/// Adds a header beside others of the same name.
pub(crate) fn add(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        response.headers_mut().append(name, value);
    }
}

pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let essence = header(headers, &CONTENT_TYPE)
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(n, v)| (n == name).then_some(v))
}

/// The credentials of an authorization scheme, compared without regard to case (RFC 9110 §11.1).
pub(crate) fn credentials<'a>(authorization: &'a str, scheme: &str) -> Option<&'a str> {
    let (presented, rest) = authorization.split_once(' ').unwrap_or((authorization, ""));
    presented.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// User name and password of HTTP Basic authentication (RFC 7617).
pub(crate) fn basic(authorization: &str) -> Option<(String, String)> {
    let decoded =
        String::from_utf8(STANDARD.decode(credentials(authorization, "Basic")?).ok()?).ok()?;
    decoded.split_once(':').map(|(name, password)| (name.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_and_credentials() {
        let headers =
            HeaderMap::from_iter([(COOKIE, HeaderValue::from_static("a=1; browser=xyz"))]);
        assert_eq!(cookie(&headers, "browser"), Some("xyz"));
        assert_eq!(credentials("bearer abc", "Bearer"), Some("abc"));
        assert_eq!(credentials("Bearer", "Bearer"), Some(""));
        assert_eq!(basic("Basic YXBpOmFwaS1zZWNyZXQ="), Some(("api".into(), "api-secret".into())));
    }
}
