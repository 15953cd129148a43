//! The authorization code grant (OAuth 2.1 §4.1.3).

use axum::http::StatusCode;

use super::token::{TokenError, Tokens, anyone, issue_all};
use crate::app::App;
use crate::clients::{ALICE, Client};
use crate::params::Params;
use crate::pkce::Challenge;
use crate::state::{Code, State};

fn invalid_grant(description: &'static str) -> TokenError {
    TokenError::new("invalid_grant", description)
}

pub(crate) async fn redeem(
    app: &App,
    client: &'static Client,
    params: &Params,
    key: Option<&str>,
) -> Result<Tokens, TokenError> {
    let policy = &app.policy;
    if let Some(error) = policy.refuses_exchange_of(client.id) {
        return Err(error);
    }
    let Some(presented) = params.get("code") else {
        if policy.grants_without_code() {
            return anyone(app, client, &ALICE);
        }
        return Err(TokenError::new(policy.missing_code_error(), "code is missing"));
    };
    let stored = policy.stored_code(&app.state(), presented);
    let code = stored.as_deref().unwrap_or(presented);
    let verifier = params.get("code_verifier");
    if policy.redeems_unknown_code(verifier) && !app.state().codes.contains_key(code) {
        return anyone(app, client, &ALICE);
    }
    app.check_and_use(
        policy.gap_between_check_and_use(),
        |state| check(app, state, client, code, params, key),
        |state, ()| spend(app, state, code, key),
    )
    .await
}

/// Everything that must hold before the code is used up. A failed attempt leaves the code alone,
/// so that an eavesdropper cannot destroy it, unless the server is configured to play safe.
fn check(
    app: &App,
    state: &mut State,
    client: &Client,
    text: &str,
    params: &Params,
    key: Option<&str>,
) -> Result<(), TokenError> {
    let policy = &app.policy;
    let Some(code) = state.codes.get(text).cloned() else {
        return Err(invalid_grant("the code is not known"));
    };
    let presented = params.get("code").unwrap_or_default();
    if code.client != client.id && policy.binds_code_to_client(presented, client.id) {
        return Err(invalid_grant("the code belongs to another client"));
    }
    if !policy.code_key_fits(code.key.as_deref(), key, code.was_pushed) {
        return Err(invalid_grant("the code is bound to another key"));
    }
    match params.get("redirect_uri") {
        Some(uri)
            if !policy.redirect_uri_repeated_correctly(
                &code.redirect_uri,
                uri,
                client.redirect_uris,
            ) =>
        {
            return Err(invalid_grant("redirect_uri differs from the authorization request"));
        }
        Some(_) => {}
        // OAuth 2.1 §10.2: no longer required.
        None => policy.omitted_redirect_uri()?,
    }
    if let Err(error) = verify(app, state, &code, params) {
        if code.used && policy.bad_replay_revokes() {
            state.revoke(code.grant);
        }
        if app.config.wrong_verifier_burns_code && !code.used {
            state.codes.remove(text);
        }
        return Err(error);
    }
    if code.used && policy.code_is_single_use(params.get("code_verifier")) {
        // RFC 6749 §4.1.2: somebody has stolen the code and the verifier.
        if let Some(grant) = state.grants.get_mut(&code.grant) {
            grant.access_revoked |= policy.replay_revokes_access();
            grant.refresh_revoked |= policy.replay_revokes_refresh();
        }
        return Err(invalid_grant("the code has been used"));
    }
    if code.expires_at <= app.now() {
        return Err(invalid_grant("the code has expired"));
    }
    // RFC 8707 §2.2: resources of the authorization request or a part of them.
    let granted = state.grants.get(&code.grant).map(|g| g.audience.as_slice()).unwrap_or_default();
    let is_foreign = |r: &str| !r.is_empty() && !granted.iter().any(|g| g == r);
    if policy.restricts_audience() && params.all("resource").any(is_foreign) {
        return Err(TokenError::new("invalid_target", "the resource was not granted"));
    }
    Ok(())
}

/// RFC 7636 §4.6.
fn verify(app: &App, state: &State, code: &Code, params: &Params) -> Result<(), TokenError> {
    let policy = &app.policy;
    let Some(challenge) = &code.challenge else {
        return match policy.redeems_without_challenge(params.get("code_verifier")) {
            true => Ok(()),
            false => Err(invalid_grant("the code was issued without code_challenge")),
        };
    };
    let Some(verifier) = params.get("code_verifier") else {
        return match policy.verifier_may_be(params.raw("code_verifier"), code.used) {
            true => Ok(()),
            false => Err(invalid_grant("code_verifier is missing")),
        };
    };
    let method = policy.method_at_redemption(challenge.method, params.get("code_challenge_method"));
    let challenge = Challenge { value: challenge.value.clone(), method };
    let of_other_flows = || {
        state
            .codes
            .values()
            .filter(|c| c.client == code.client)
            .filter_map(|c| c.challenge.as_ref())
    };
    let is_met = policy.verifier_well_formed(verifier)
        && (policy.verifier_matches(&challenge, verifier)
            || policy.verifier_of_any_flow_counts()
                && of_other_flows().any(|other| other.is_met_by(verifier)));
    match is_met {
        true => Ok(()),
        false => {
            Err(TokenError::new(policy.wrong_verifier_error(), "code_verifier does not match"))
        }
    }
}

fn spend(
    app: &App,
    state: &mut State,
    text: &str,
    key: Option<&str>,
) -> Result<Tokens, TokenError> {
    let grant = state.codes.get_mut(text).map(|code| {
        code.used = true;
        code.grant
    });
    match grant.and_then(|id| state.grants.get(&id)).cloned() {
        Some(grant) => issue_all(app, state, &grant, key),
        None => Err(TokenError {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            ..invalid_grant("the grant is lost")
        }),
    }
}
