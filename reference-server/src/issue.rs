//! Issuing tokens: access tokens (RFC 9068), ID tokens (OpenID Connect Core 1.0 §2), refresh tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::clients::client;
use crate::http::random;
use crate::jwt;
use crate::keys::SigningFailed;
use crate::scope::Scope;
use crate::state::{AccessToken, Grant, IdToken, RefreshToken, State};

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// An access token for `scope`, which is the grant's or a part of it.
pub(crate) fn access_token(
    app: &App,
    state: &mut State,
    grant: &Grant,
    scope: &Scope,
    key: Option<&str>,
) -> Result<String, SigningFailed> {
    let now = app.now();
    let expires_at = now + app.policy.access_token_lifetime(app.config.lifetimes.access_token);
    let audience = match grant.audience.as_slice() {
        [one] => json!(one),
        all => json!(all),
    };
    let claims = object(json!({
        "iss": app.issuer,
        "sub": grant.user.subject,
        "aud": audience,
        "client_id": grant.client,
        "iat": now,
        "exp": expires_at,
        "jti": random(),
        "scope": scope.to_string(),
        "auth_time": grant.auth_time,
    }));
    let mut claims = app.policy.access_token_claims(claims);
    claims.extend(key.map(|jkt| app.policy.confirmation(jkt)).unwrap_or_default());
    let (signing, sealing) = (app.keys.active(), app.policy.access_token_sealing());
    let header = jwt::header(signing, app.policy.access_token_typ(), sealing);
    let token = jwt::compose(signing, header, claims, sealing)?;
    let jwt = app.policy.access_token_text(token);
    let token = if app.config.opaque_access_tokens { random() } else { jwt.clone() };
    state.access_tokens.insert(
        token.clone(),
        AccessToken {
            jwt: app.config.opaque_access_tokens.then_some(jwt),
            grant: grant.id,
            scope: scope.clone(),
            key: key.map(str::to_owned),
            expires_at,
            revoked: false,
        },
    );
    Ok(token)
}

/// An ID token of that time, with a hash of the access token that comes with it.
pub(crate) fn id_token(
    app: &App,
    state: &mut State,
    grant: &Grant,
    access_token: Option<&str>,
    issued_at: u64,
) -> Result<String, SigningFailed> {
    let mut claims = object(json!({
        "iss": app.issuer,
        "sub": grant.user.subject,
        "aud": grant.client,
        "iat": issued_at,
        "exp": issued_at + app.config.lifetimes.id_token,
        "sid": grant.sid,
    }));
    if let Some(auth_time) = app.policy.auth_time_claim(grant.auth_time) {
        claims.insert("auth_time".into(), auth_time);
    }
    if let Some(nonce) = &grant.nonce {
        claims.insert("nonce".into(), json!(nonce));
    }
    if let Some(token) = access_token {
        // OpenID Connect Core 1.0 §3.1.3.6: the left half of the hash.
        let hash = Sha256::digest(token.as_bytes());
        let half = app.policy.half_of_hash(&hash);
        claims.insert("at_hash".into(), json!(URL_SAFE_NO_PAD.encode(half)));
    }
    let claims = app.policy.id_token_claims(claims, &app.resource());
    let key = app.keys.of(client(grant.client).and_then(|c| c.id_token_signed_response_alg));
    let sealing = app.policy.id_token_sealing(grant.client);
    let header = app.policy.id_token_header(jwt::header(key, "JWT", sealing), key);
    let token = jwt::compose(key, header, claims, sealing)?;
    state
        .id_tokens
        .insert(token.clone(), IdToken { client: grant.client, sid: grant.sid.clone(), issued_at });
    Ok(token)
}

/// The first refresh token of a grant.
pub(crate) fn refresh_token(
    app: &App,
    state: &mut State,
    grant: &Grant,
    key: Option<&str>,
) -> String {
    let lifetime = app.policy.refresh_token_lifetime(app.config.lifetimes.refresh_token);
    store_refresh_token(app, state, grant, key.map(str::to_owned), app.now() + lifetime)
}

/// The refresh token that takes the place of one whose chain ends at `expires_at`.
pub(crate) fn next_refresh_token(
    app: &App,
    state: &mut State,
    grant: &Grant,
    key: Option<String>,
    expires_at: u64,
) -> String {
    let prolonged = app.now() + app.config.lifetimes.refresh_token;
    let expires_at = app.policy.rotated_token_expires_at(expires_at, prolonged);
    store_refresh_token(app, state, grant, key, expires_at)
}

fn store_refresh_token(
    app: &App,
    state: &mut State,
    grant: &Grant,
    key: Option<String>,
    expires_at: u64,
) -> String {
    let token = app.policy.refresh_token(state.refresh_tokens.len());
    let entry = RefreshToken {
        grant: grant.id,
        key,
        expires_at,
        used_at: None,
        successor: None,
        revoked: false,
    };
    state.refresh_tokens.insert(token.clone(), entry);
    token
}
