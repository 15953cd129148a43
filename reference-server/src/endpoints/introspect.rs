//! Token introspection for the resource server (RFC 7662).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::token::{TokenError, refuse};
use crate::app::{App, Shared};
use crate::clients::client;
use crate::http::{basic, header, is_form, json, set};
use crate::params::{Params, Repeated};
use crate::seeds;

pub(crate) async fn post(State(app): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let caller = header(&headers, &AUTHORIZATION).and_then(basic);
    let is_resource_server = caller.is_some_and(|(name, secret)| {
        let same = aws_lc_rs::constant_time::verify_slices_are_equal(
            secret.as_bytes(),
            seeds::RESOURCE_SERVER_SECRET.as_bytes(),
        );
        name == seeds::RESOURCE_SERVER && same.is_ok()
    });
    let params = Params::parse(&body).single(|_| Repeated::Refused);
    let may_ask = is_resource_server
        || params.as_ref().is_ok_and(|params| is_client_that_may_ask(&app, params));
    if !may_ask && app.policy.hides_tokens_from_strangers() {
        return uncached(json(StatusCode::OK, &json!({"active": false})));
    }
    if !may_ask && app.policy.introspection_needs_credentials() {
        let mut response =
            refuse(&app, TokenError::new("invalid_client", "only the resource server may ask"));
        set(&mut response, WWW_AUTHENTICATE, "Basic realm=\"introspection\"");
        return response;
    }
    let params = params.ok().filter(|_| is_form(&headers));
    let Some(token) = params.as_ref().and_then(|p| p.get("token")) else {
        return refuse(
            &app,
            TokenError::new("invalid_request", "the request is not a form with one token"),
        );
    };
    let is_known = is_known(&app, token);
    if !is_known && app.policy.refuses_unknown_tokens() {
        return refuse(&app, TokenError::new("invalid_request", "the token is not known"));
    }
    uncached(json(StatusCode::OK, &app.policy.introspection(describe(&app, token), is_known)))
}

/// Whether a public client asks that has an answer coming.
fn is_client_that_may_ask(app: &App, params: &Params) -> bool {
    let Some(client) = params.get("client_id").and_then(client) else { return false };
    let state = app.state();
    let grant = params.get("token").and_then(|token| state.access_tokens.get(token));
    let owner = grant.and_then(|token| state.grants.get(&token.grant)).map(|grant| grant.client);
    app.policy.client_may_introspect(owner == Some(client.id))
}

fn is_known(app: &App, token: &str) -> bool {
    let state = app.state();
    state.access_tokens.contains_key(token) || state.refresh_tokens.contains_key(token)
}

fn uncached(mut response: Response) -> Response {
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}

fn describe(app: &App, token: &str) -> Value {
    let (state, now) = (app.state(), app.now());
    let access = state.access_tokens.get(token).and_then(|entry| {
        let grant = state.grants.get(&entry.grant).filter(|grant| !grant.access_revoked)?;
        let is_expired = entry.expires_at <= now;
        let is_live = app.policy.introspection_sees_as_live(is_expired, entry.revoked);
        is_live.then_some((entry, grant))
    });
    if let Some((entry, grant)) = access {
        let lifetime = app.policy.access_token_lifetime(app.config.lifetimes.access_token);
        let mut answer = json!({
            "active": true, "scope": entry.scope.to_string(), "client_id": grant.client, "username": grant.user.username,
            "token_type": "Bearer", "exp": entry.expires_at, "iat": entry.expires_at - lifetime, "sub": grant.user.subject,
            "aud": grant.audience, "iss": app.issuer,
        });
        // RFC 9449 §6.2
        if let Some(jkt) = &entry.key {
            answer["token_type"] = json!("DPoP");
            answer["cnf"] = json!({"jkt": jkt});
        }
        return answer;
    }
    let refresh = state
        .refresh_tokens
        .get(token)
        .filter(|t| t.used_at.is_none() && !t.revoked && t.expires_at > now);
    match refresh
        .and_then(|t| Some((t, state.grants.get(&t.grant).filter(|g| !g.refresh_revoked)?)))
    {
        Some((entry, grant)) => json!({
            "active": true, "scope": grant.scope.to_string(), "client_id": grant.client, "exp": entry.expires_at,
            "sub": grant.user.subject, "iss": app.issuer,
        }),
        None => json!({"active": false}),
    }
}
