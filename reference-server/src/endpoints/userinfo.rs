//! The UserInfo endpoint (OpenID Connect Core 1.0 §5.3).

use axum::extract::State;
use axum::http::header::{ALLOW, CACHE_CONTROL};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::access::{Call, Resource, authorize, deny};
use crate::app::{App, Shared};
use crate::http::{respond, set};
use crate::jwt::{Sealing, compose, header};

pub(crate) async fn get(State(app): State<Shared>, headers: HeaderMap) -> Response {
    answer(&app, &headers, &Method::GET).await
}

pub(crate) async fn post(State(app): State<Shared>, headers: HeaderMap) -> Response {
    answer(&app, &headers, &Method::POST).await
}

async fn answer(app: &App, headers: &HeaderMap, method: &Method) -> Response {
    if !app.policy.answers_userinfo(method) {
        let mut response = respond(StatusCode::METHOD_NOT_ALLOWED, "", "");
        set(&mut response, ALLOW, if method == Method::GET { "POST" } else { "GET" });
        return response;
    }
    let call = Call { headers, query: "", body: &[] };
    let bearer = match authorize(app, &call, Resource::Userinfo, "openid").await {
        Ok(bearer) => bearer,
        Err(denial) => return deny(app, Resource::Userinfo, denial),
    };
    let user = bearer.user;
    let mut claims = Map::new();
    claims.extend(
        app.policy
            .userinfo_subject(method, user.subject)
            .map(|sub| ("sub".to_owned(), Value::from(sub))),
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
    let (media_type, body) = match app.policy.userinfo_as_jwt() {
        None => (app.policy.userinfo_media_type(), Ok(Value::from(claims).to_string())),
        Some(media_type) => {
            let key = app.keys.active();
            let header = header(key, "JWT", Sealing::Signed);
            (media_type, compose(key, header, claims, Sealing::Signed))
        }
    };
    let mut response = match body {
        Ok(body) => respond(StatusCode::OK, media_type, body),
        Err(_) => respond(StatusCode::INTERNAL_SERVER_ERROR, "", ""),
    };
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}
