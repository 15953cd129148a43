//! The authorization endpoint.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::header::{ALLOW, SET_COOKIE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;

use super::authorization_request::{AuthorizationRequest, RequestError, checked_target, target};
use super::{authorization_response, interaction, par};
use crate::app::{App, Shared};
use crate::http::{add, is_form, respond, set};
use crate::pages::error_page;
use crate::params::Params;

pub(crate) async fn get(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    start(&app, &Params::parse(query.unwrap_or_default().as_bytes()), &headers).await
}

/// OpenID Connect Core 1.0 §3.1.2.1: the same request as a form.
pub(crate) async fn post(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !app.policy.accepts_authorization_by_post() {
        let mut response = respond(StatusCode::METHOD_NOT_ALLOWED, "", "");
        set(&mut response, ALLOW, "GET");
        return response;
    }
    if !is_form(&headers) {
        return error_page(&app, "The request is not a form.", &Params::default());
    }
    let query = query.unwrap_or_default();
    let form: &[u8] = if app.policy.reads_authorization_body() { &body } else { query.as_bytes() };
    start(&app, &Params::parse(form), &headers).await
}

/// Any other method answers nothing: HEAD must not grant what GET would ask for.
pub(crate) async fn other(
    State(app): State<Shared>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    if app.policy.approves_by_method(method.as_str())
        && let Ok(mut target) = target(&app, &params)
        && let Ok(request) = AuthorizationRequest::read(&app, &mut target, &params)
    {
        return interaction::approve(&app, &headers, &request);
    }
    let mut response = respond(StatusCode::METHOD_NOT_ALLOWED, "", "");
    set(&mut response, ALLOW, "GET, POST");
    response
}

async fn start(app: &App, presented: &Params, headers: &HeaderMap) -> Response {
    let params = &match par::resolve(app, presented) {
        Ok(params) => params,
        Err(message) => return error_page(app, message, presented),
    };
    let was_pushed = is_reference(presented) && !is_reference(params);
    let trusts = was_pushed && app.policy.trusts_redirect_uri_of_pushed();
    let mut target = match checked_target(app, params, trusts) {
        Ok(target) => target,
        Err(refused) => {
            let invalid = RequestError {
                error: "invalid_request",
                description: "the request names no valid client and redirect_uri",
            };
            return match refused.redirect_uri {
                Some(uri) => authorization_response::unverified_error(
                    app,
                    &uri,
                    params.get("state"),
                    invalid,
                ),
                None => error_page(app, refused.message, params),
            };
        }
    };
    app.policy.follow_request_uri(params.get("request_uri")).await;
    match AuthorizationRequest::read(app, &mut target, params) {
        Ok(mut request) => {
            request.was_pushed = was_pushed;
            let mut response = interaction::begin(app, headers, request, params);
            if let Some(value) = app.policy.restart_cookie(params).filter(|_| was_pushed) {
                add(&mut response, SET_COOKIE, &format!("restart={value}; Path=/; HttpOnly"));
            }
            response
        }
        Err(error) => authorization_response::error(app, &target, error),
    }
}

fn is_reference(params: &Params) -> bool {
    params.get("request_uri").is_some()
}
