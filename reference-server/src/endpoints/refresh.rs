//! The refresh token grant (OAuth 2.1 §4.3), with rotation.

use super::token::{TokenError, Tokens, anyone};
use crate::app::App;
use crate::clients::{ALICE, Client};
use crate::issue;
use crate::params::Params;
use crate::scope::Scope;
use crate::state::{Grant, RefreshToken, State};

/// What may be issued for a refresh token.
struct Allowed {
    /// The grant with the audience that was asked for.
    grant: Grant,
    scope: Scope,
}

fn invalid_grant(description: &'static str) -> TokenError {
    TokenError::new("invalid_grant", description)
}

pub(crate) async fn refresh(
    app: &App,
    client: &'static Client,
    params: &Params,
    key: Option<&str>,
) -> Result<Tokens, TokenError> {
    let policy = &app.policy;
    let Some(token) = params.get("refresh_token") else {
        return match policy.refreshes_without_token() {
            true => anyone(app, client, &ALICE),
            false => Err(TokenError::new("invalid_request", "refresh_token is missing")),
        };
    };
    if is_as_good(app, token) {
        return anyone(app, client, &ALICE);
    }
    app.check_and_use(
        policy.gap_between_check_and_rotation(),
        |state| check(app, state, client, token, params, key),
        |state, allowed| rotate(app, state, token, &allowed, key),
    )
    .await
}

/// Something else than a refresh token serves as one; under the conformant policy nothing does.
fn is_as_good(app: &App, token: &str) -> bool {
    let (policy, state) = (&app.policy, app.state());
    let is_known = state.refresh_tokens.contains_key(token);
    policy.refreshes_unknown_token() && !is_known
        || policy.access_token_refreshes() && state.access_tokens.contains_key(token)
        || policy.id_token_refreshes() && state.id_tokens.contains_key(token)
}

fn check(
    app: &App,
    state: &mut State,
    client: &Client,
    text: &str,
    params: &Params,
    key: Option<&str>,
) -> Result<Allowed, TokenError> {
    let (policy, now) = (&app.policy, app.now());
    let Some(token) = state.refresh_tokens.get(text).cloned() else {
        return Err(invalid_grant("the refresh token is not known"));
    };
    let is_own = |grant: &&Grant| grant.client == client.id || !policy.binds_refresh_to_client();
    let Some(mut grant) = state.grants.get(&token.grant).filter(is_own).cloned() else {
        return Err(invalid_grant("the refresh token belongs to another client"));
    };
    // RFC 9449 §5: a public client has nothing but its key to show.
    if !policy.refresh_key_fits(token.key.as_deref(), key) {
        return Err(invalid_grant("the refresh token is bound to another key"));
    }
    if token.used_at.is_some_and(|at| !policy.used_refresh_token_works(now.saturating_sub(at))) {
        end_family(app, state, &token);
        return Err(invalid_grant("the refresh token has been used"));
    }
    if grant.refresh_revoked || token.revoked || token.expires_at <= now {
        return Err(invalid_grant("the refresh token has expired or been revoked"));
    }
    if !policy.refresh_tokens_work() {
        return Err(invalid_grant("the refresh token is not known"));
    }
    let requested = params.get("scope").map_or_else(|| grant.scope.clone(), Scope::parse);
    let Some(scope) = policy.refreshed_scope(&grant.scope, requested, client.scopes) else {
        return Err(TokenError::new("invalid_scope", "the scope was not granted"));
    };
    let named: Vec<&str> = params.all("resource").filter(|r| !r.is_empty()).collect();
    let Some(audience) = policy.refreshed_audience(&grant.audience, &named) else {
        return Err(TokenError::new("invalid_target", "the resource was not granted"));
    };
    grant.audience = audience;
    Ok(Allowed { grant, scope })
}

/// OAuth 2.1 §4.3.1: one of two holders is a thief, so the whole family ends.
fn end_family(app: &App, state: &mut State, reused: &RefreshToken) {
    if let Some(grant) = state.grants.get_mut(&reused.grant) {
        grant.refresh_revoked |= app.policy.reuse_ends_refresh();
        grant.access_revoked |= app.policy.reuse_ends_access();
    }
    let successor = reused.successor.as_ref().and_then(|s| state.refresh_tokens.get_mut(s));
    if let Some(successor) = successor {
        successor.revoked |= app.policy.reuse_ends_successor();
    }
}

fn rotate(
    app: &App,
    state: &mut State,
    text: &str,
    allowed: &Allowed,
    key: Option<&str>,
) -> Result<Tokens, TokenError> {
    let Allowed { grant, scope } = allowed;
    let policy = &app.policy;
    let narrowed = policy.scope_of_refreshed_token(grant, scope);
    let access_token = issue::access_token(app, state, grant, &narrowed, key)?;
    let id_token = match scope.contains("openid") && policy.issues_id_token() {
        true => Some(id_token(app, state, grant, text, &access_token)?),
        false => None,
    };
    let presented = state.refresh_tokens.get(text);
    let expires_at = presented.map_or(0, |token| token.expires_at);
    let bound = presented.and_then(|token| token.key.clone()).or_else(|| key.map(str::to_owned));
    let refresh_token = if policy.rotates_refresh_tokens() {
        let successor = issue::next_refresh_token(app, state, grant, bound, expires_at);
        if let Some(used) = state.refresh_tokens.get_mut(text) {
            used.used_at.get_or_insert(app.now());
            used.successor = Some(successor.clone());
        }
        Some(successor)
    } else {
        policy.repeats_refresh_token().then(|| text.to_owned())
    };
    Ok(Tokens {
        is_bound: key.is_some(),
        access_token,
        refresh_token,
        id_token,
        scope: scope.clone(),
        requested: scope.clone(),
    })
}

/// An ID token about the original authentication (OpenID Connect Core 1.0 §12.2).
fn id_token(
    app: &App,
    state: &mut State,
    grant: &Grant,
    refresh_token: &str,
    access_token: &str,
) -> Result<String, TokenError> {
    let (policy, now) = (&app.policy, app.now());
    let about = Grant {
        user: policy.refreshed_user(grant.user),
        nonce: policy.refreshed_nonce(),
        auth_time: policy.refreshed_auth_time(grant.auth_time, now),
        ..grant.clone()
    };
    let token = state.refresh_tokens.get(refresh_token);
    let chain_began =
        token.map_or(now, |t| t.expires_at.saturating_sub(app.config.lifetimes.refresh_token));
    let issued_at = policy.refreshed_iat(chain_began, now);
    Ok(issue::id_token(app, state, &about, Some(access_token), issued_at)?)
}
