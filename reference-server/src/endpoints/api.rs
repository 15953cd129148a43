//! The protected API.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::access::{Call, Resource, authorize, deny};
use crate::app::Shared;
use crate::http::{json, set};

fn answer(status: StatusCode, body: &Value) -> Response {
    let mut response = json(status, body);
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}

pub(crate) async fn profile(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let call = Call { headers: &headers, query: query.as_deref().unwrap_or_default(), body: &[] };
    match authorize(&app, &call, Resource::Api, "api:read").await {
        Ok(bearer) => answer(
            StatusCode::OK,
            &json!({"sub": bearer.user.subject, "name": bearer.user.name, "email": bearer.user.email}),
        ),
        Err(denial) => deny(&app, Resource::Api, denial),
    }
}

pub(crate) async fn add_note(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let call = Call { headers: &headers, query: query.as_deref().unwrap_or_default(), body: &body };
    match authorize(&app, &call, Resource::Api, "api:write").await {
        Ok(bearer) => answer(
            StatusCode::CREATED,
            &json!({"owner": bearer.user.subject, "octets": body.len()}),
        ),
        Err(denial) => deny(&app, Resource::Api, denial),
    }
}
