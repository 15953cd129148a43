//! The refresh token grant (OAuth 2.1 §4.3), with rotation.

use super::token::{TokenError, Tokens, anyone};
use crate::app::App;
use crate::clients::{ALICE, Client};
use crate::issue;
use crate::params::Params;
use crate::scope::Scope;

pub(crate) fn refresh(
    app: &App,
    client: &'static Client,
    params: &Params,
) -> Result<Tokens, TokenError> {
    let policy = &app.policy;
    let Some(token) = params.get("refresh_token") else {
        return match policy.refreshes_without_token() {
            true => anyone(app, client, &ALICE),
            false => Err(TokenError::new("invalid_request", "refresh_token is missing")),
        };
    };
    let invalid = |description| Err(TokenError::new("invalid_grant", description));
    if policy.refreshes_unknown_token() && !app.state().refresh_tokens.contains_key(token) {
        return anyone(app, client, &ALICE);
    }
    let mut state = app.state();
    let Some((grant, used, expires_at)) =
        state.refresh_tokens.get(token).map(|t| (t.grant, t.used, t.expires_at))
    else {
        return invalid("the refresh token is not known");
    };
    let Some(grant) = state.grants.get(&grant).filter(|g| g.client == client.id).cloned() else {
        return invalid("the refresh token belongs to another client");
    };
    if used {
        // OAuth 2.1 §4.3.1: one of two holders is a thief; end the whole family.
        state.revoke(grant.id);
        return invalid("the refresh token has been used");
    }
    if grant.refresh_revoked || expires_at <= app.now() || !policy.refresh_tokens_work() {
        return invalid("the refresh token has expired or been revoked");
    }
    let requested = params.get("scope").map_or_else(|| grant.scope.clone(), Scope::parse);
    if !grant.scope.covers(&requested) || requested.is_empty() {
        return Err(TokenError::new("invalid_scope", "the scope was not granted"));
    }
    if let Some(entry) = state.refresh_tokens.get_mut(token) {
        entry.used = true;
    }
    let access_token = issue::access_token(app, &mut state, &grant, &requested)?;
    let refresh_token = Some(issue::refresh_token(app, &mut state, &grant));
    Ok(Tokens { access_token, refresh_token, id_token: None, scope: requested.clone(), requested })
}
