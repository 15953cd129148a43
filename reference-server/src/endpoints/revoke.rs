//! Token revocation (RFC 7009).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::token::{TokenError, refuse};
use crate::app::{App, Shared};
use crate::clients::client;
use crate::http::{is_form, respond};
use crate::params::{Params, Repeated};
use crate::policy::revocation::Foreign;
use crate::state::State as Store;

pub(crate) async fn post(State(app): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    if !is_form(&headers) {
        return refuse(&app, TokenError::new("invalid_request", "the request is not a form"));
    }
    match revoke(&app, &Params::parse(&body)) {
        Ok(()) => respond(app.policy.revocation_status(), "", ""),
        Err(error) => refuse(&app, error),
    }
}

fn revoke(app: &App, params: &Params) -> Result<(), TokenError> {
    let invalid_request = |description| TokenError::new("invalid_request", description);
    let params = params
        .single(|_| Repeated::Refused)
        .map_err(|_| invalid_request("a parameter is repeated"))?;
    let id = params.get("client_id").ok_or_else(|| invalid_request("client_id is missing"))?;
    let client = client(id).filter(|_| params.get("client_secret").is_none());
    let client = client.ok_or_else(|| {
        TokenError::new("invalid_client", "the client is not known or has no secret")
    })?;
    let token = params.get("token").ok_or_else(|| invalid_request("token is missing"))?;

    let hint = params.get("token_type_hint");
    app.policy.hint_accepted(hint)?;

    let mut state = app.state();
    let is_refresh_token = state.refresh_tokens.contains_key(token);
    let grant = state
        .refresh_tokens
        .get(token)
        .map(|t| t.grant)
        .or_else(|| state.access_tokens.get(token).map(|t| t.grant))
        .filter(|_| app.policy.finds_despite_hint(hint, is_refresh_token));
    let Some(owner) = grant.and_then(|id| state.grants.get(&id)).map(|grant| grant.client) else {
        return if is_refresh_token { Ok(()) } else { app.policy.unknown_token_revocation() };
    };
    let foreign = (owner != client.id).then(|| app.policy.foreign_revocation(is_refresh_token));
    if foreign != Some(Foreign::Refused) {
        end(app, &mut state, token)?;
    }
    match foreign {
        None | Some(Foreign::Revoked) => Ok(()),
        Some(_) => Err(TokenError::new("invalid_grant", "the token belongs to another client")),
    }
}

fn end(app: &App, state: &mut Store, token: &str) -> Result<(), TokenError> {
    let policy = &app.policy;
    if let Some(entry) = state.refresh_tokens.get(token) {
        policy.refresh_token_revocable()?;
        let grant = entry.grant;
        if let Some(grant) = state.grants.get_mut(&grant) {
            // The access tokens of the grant go as well (§2.1).
            grant.access_revoked |= policy.revocation_ends_access();
            grant.refresh_revoked |= policy.revocation_ends_refresh();
        }
    } else if let Some(entry) = state.access_tokens.get_mut(token) {
        policy.access_token_revocable()?;
        entry.revoked |= policy.revocation_ends_access_token();
    }
    Ok(())
}
