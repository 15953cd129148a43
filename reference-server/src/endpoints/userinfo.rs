//! The UserInfo endpoint (OpenID Connect Core 1.0 §5.3).

use axum::extract::State;
use axum::http::header::{ALLOW, CACHE_CONTROL};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::access::{Resource, authorize, deny};
use crate::app::{App, Shared};
use crate::http::{respond, set};

pub(crate) async fn get(State(app): State<Shared>, headers: HeaderMap) -> Response {
    if app.policy.answers_userinfo_get() {
        return claims(&app, &headers);
    }
    let mut response = respond(StatusCode::METHOD_NOT_ALLOWED, "", "");
    set(&mut response, ALLOW, "POST");
    response
}

pub(crate) async fn post(State(app): State<Shared>, headers: HeaderMap) -> Response {
    claims(&app, &headers)
}

fn claims(app: &App, headers: &HeaderMap) -> Response {
    let bearer = match authorize(app, headers, Resource::Userinfo, "openid") {
        Ok(bearer) => bearer,
        Err(denial) => return deny(app, Resource::Userinfo, denial),
    };
    let user = bearer.user;
    let mut claims = Map::new();
    claims.extend(
        app.policy.userinfo_subject(user.subject).map(|sub| ("sub".to_owned(), Value::from(sub))),
    );
    // §5.4: each scope stands for a set of claims.
    if bearer.scope.contains("profile") {
        claims.extend([
            ("name".to_owned(), json!(user.name)),
            ("preferred_username".to_owned(), json!(user.username)),
        ]);
    }
    if bearer.scope.contains("email") {
        claims.extend([
            ("email".to_owned(), json!(user.email)),
            ("email_verified".to_owned(), json!(true)),
        ]);
    }
    let mut response =
        respond(StatusCode::OK, app.policy.userinfo_media_type(), Value::from(claims).to_string());
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}
