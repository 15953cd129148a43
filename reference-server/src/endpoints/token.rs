//! The token endpoint (OAuth 2.1 §3.2).

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, PRAGMA, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::{redeem, refresh};
use crate::app::{App, LoggedClient, Shared};
use crate::clients::{ALICE, Client, User, client};
use crate::dpop::{self, Place, ProofError};
use crate::http::{add, basic, header, is_form, json, respond, set};
use crate::issue;
use crate::keys::SigningFailed;
use crate::params::Params;
use crate::policy::Policy;
use crate::scope::Scope;
use crate::state::{Grant, State as Store};

/// What is granted: the answer of the endpoint.
pub(crate) struct Tokens {
    /// To the key of the proof.
    pub(crate) is_bound: bool,
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    pub(crate) id_token: Option<String>,
    pub(crate) scope: Scope,
    pub(crate) requested: Scope,
}

/// RFC 6749 §5.2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenError {
    pub(crate) status: StatusCode,
    pub(crate) error: &'static str,
    pub(crate) description: &'static str,
}

impl TokenError {
    pub(crate) fn new(error: &'static str, description: &'static str) -> Self {
        let status = if error == "invalid_client" {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::BAD_REQUEST
        };
        Self { status, error, description }
    }
}

impl From<ProofError> for TokenError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Invalid(description) => Self::new("invalid_dpop_proof", description),
            ProofError::UseNonce => Self::new("use_dpop_nonce", "the proof needs a nonce"),
        }
    }
}

impl From<SigningFailed> for TokenError {
    fn from(_: SigningFailed) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self { status, error: "server_error", description: "the token could not be signed" }
    }
}

/// Which grant a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrantType {
    AuthorizationCode,
    RefreshToken,
    /// Offered by no conformant policy.
    Password,
    /// Offered by no conformant policy.
    ClientCredentials,
}

pub(crate) async fn get(State(app): State<Shared>, RawQuery(query): RawQuery) -> Response {
    if app.policy.answers_token_get() {
        let params = Params::parse(query.unwrap_or_default().as_bytes());
        return answer(&app, &params, &HeaderMap::new()).await;
    }
    let mut response = respond(StatusCode::METHOD_NOT_ALLOWED, "", "");
    set(&mut response, ALLOW, "POST");
    response
}

pub(crate) async fn post(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let query = query.unwrap_or_default();
    if body.is_empty() && app.policy.reads_token_query() {
        return answer(&app, &Params::parse(query.as_bytes()), &headers).await;
    }
    if !is_form(&headers) {
        return refuse(&app, TokenError::new("invalid_request", "the request is not a form"));
    }
    if let Some(authorization) = header(&headers, &AUTHORIZATION) {
        // Every client is public: one that authenticates is mistaken (RFC 6749 §5.2).
        let mut response =
            refuse(&app, TokenError::new("invalid_client", "the client has no credentials"));
        if basic(authorization).is_some() {
            set(&mut response, WWW_AUTHENTICATE, "Basic realm=\"token\"");
        }
        return response;
    }
    let params = Params::parse(&body);
    let params = match app.policy.completes_body_by_query() {
        true => params.completed_by(Params::parse(query.as_bytes())),
        false => params,
    };
    answer(&app, &params, &headers).await
}

async fn answer(app: &App, params: &Params, headers: &HeaderMap) -> Response {
    let (mut response, grant_type) =
        match params.single(|name| app.policy.repeated_token_parameter(name)) {
            Err(_) => {
                (refuse(app, TokenError::new("invalid_request", "a parameter is repeated")), None)
            }
            Ok(params) => match tokens(app, &params, headers).await {
                Ok(tokens) => (
                    success(app, tokens, params.get("grant_type") == Some("refresh_token")),
                    params.get("grant_type").map(str::to_owned),
                ),
                Err(error) => {
                    let description = app.policy.token_error_description(error, &params);
                    (describe(app, error, &description), None)
                }
            },
        };
    let is_refresh = grant_type.as_deref() == Some("refresh_token");
    let is_success = response.status().is_success();
    if let Some(value) = app.policy.token_cache_control(is_success, is_refresh) {
        set(&mut response, CACHE_CONTROL, value);
    }
    if let Some(detail) = app.policy.token_error_detail(params).filter(|_| !is_success) {
        set(&mut response, HeaderName::from_static("x-error-detail"), &detail);
    }
    if app.policy.sends_pragma() {
        set(&mut response, PRAGMA, "no-cache");
    }
    if let Some(id) = params.get("client_id") {
        response.extensions_mut().insert(LoggedClient(id.to_owned()));
    }
    response
}

async fn tokens(app: &App, params: &Params, headers: &HeaderMap) -> Result<Tokens, TokenError> {
    let policy = &app.policy;
    if policy.refuses_token_parameters(params) {
        return Err(TokenError::new("invalid_request", "a parameter is not known"));
    }
    let Some(grant_type) = policy.grant_type(params.get("grant_type")) else {
        return Err(match params.get("grant_type") {
            None => TokenError::new(policy.missing_grant_type_error(), "grant_type is missing"),
            Some(_) => policy.unknown_grant_type(
                params.get("grant_type"),
                TokenError::new("unsupported_grant_type", "grant_type is not supported"),
            ),
        });
    };
    if params.get("client_secret").is_some() {
        return Err(TokenError::new("invalid_client", "the client has no secret"));
    }
    let client = requesting_client(policy, app, grant_type, params)?;
    if params.all("resource").any(|r| !r.is_empty() && !app.resources().iter().any(|k| k == r)) {
        return Err(TokenError::new("invalid_target", "the resource is not known"));
    }
    let request =
        dpop::Request { place: Place::Token, method: "POST", path: "/token", access_token: None };
    let key = dpop::proven(app, headers, &request)?;
    match grant_type {
        GrantType::AuthorizationCode => redeem::redeem(app, client, params, key.as_deref()).await,
        GrantType::RefreshToken => refresh::refresh(app, client, params, key.as_deref()).await,
        GrantType::Password => password(app, client, params),
        GrantType::ClientCredentials
            if policy.client_credentials_suffice(params.raw("client_secret")) =>
        {
            anyone(app, client, &ALICE)
        }
        GrantType::ClientCredentials => {
            Err(TokenError::new("unauthorized_client", "the client is public"))
        }
    }
}

/// Public clients identify themselves by `client_id` (OAuth 2.1 §4.1.3).
fn requesting_client(
    policy: &Policy,
    app: &App,
    grant_type: GrantType,
    params: &Params,
) -> Result<&'static Client, TokenError> {
    let (infers, replaces) = match grant_type {
        GrantType::RefreshToken => {
            (policy.infers_missing_client_of_refresh(), policy.replaces_unknown_client_of_refresh())
        }
        _ => (policy.infers_missing_client(), policy.replaces_unknown_client()),
    };
    match params.get("client_id") {
        None => {
            let inferred = if infers { owner(&app.state(), params) } else { None };
            inferred.ok_or_else(|| TokenError::new("invalid_request", "client_id is missing"))
        }
        Some(id) => {
            let replaced = || if replaces { owner(&app.state(), params) } else { None };
            let known = client(id).or_else(replaced);
            known.ok_or_else(|| TokenError::new("invalid_client", "the client is not known"))
        }
    }
}

/// The client that the code or the refresh token was issued to.
fn owner(store: &Store, params: &Params) -> Option<&'static Client> {
    if let Some(code) = params.get("code").and_then(|code| store.codes.get(code)) {
        return client(code.client);
    }
    let token = store.refresh_tokens.get(params.get("refresh_token")?)?;
    client(store.grants.get(&token.grant)?.client)
}

/// Access token, and what else belongs to a fresh grant.
pub(crate) fn issue_all(
    app: &App,
    store: &mut Store,
    grant: &Grant,
    key: Option<&str>,
) -> Result<Tokens, TokenError> {
    let access_token = issue::access_token(app, store, grant, &grant.scope, key)?;
    let id_token = match grant.scope.contains("openid") && app.policy.issues_id_token() {
        true => Some(issue::id_token(app, store, grant, Some(&access_token), app.now())?),
        false => None,
    };
    let refresh_token = Some(issue::refresh_token(app, store, grant, key));
    Ok(Tokens {
        is_bound: key.is_some(),
        access_token,
        refresh_token,
        id_token,
        scope: grant.scope.clone(),
        requested: grant.requested.clone(),
    })
}

/// An access token without any authorization; no conformant policy leads here.
pub(crate) fn anyone(
    app: &App,
    client: &'static Client,
    user: &'static User,
) -> Result<Tokens, TokenError> {
    let mut store = app.state();
    let scope = Scope::parse("openid api:read");
    let grant = Grant {
        id: 0,
        client: client.id,
        user,
        scope: scope.clone(),
        requested: scope,
        audience: vec![app.resource()],
        nonce: None,
        auth_time: app.now(),
        sid: String::new(),
        access_revoked: false,
        refresh_revoked: false,
    };
    let grant = store.add_grant(grant);
    issue_all(app, &mut store, &grant, None)
}

fn password(app: &App, client: &'static Client, params: &Params) -> Result<Tokens, TokenError> {
    let user = params.get("username").and_then(User::named);
    match user.filter(|user| user.has_password(params.get("password").unwrap_or_default())) {
        Some(user) => anyone(app, client, user),
        None => Err(TokenError::new("invalid_grant", "user name or password is wrong")),
    }
}

fn success(app: &App, tokens: Tokens, is_refresh: bool) -> Response {
    let policy = &app.policy;
    let mut members = Map::new();
    members.insert("access_token".into(), json!(tokens.access_token));
    members.insert("token_type".into(), json!(policy.token_type(tokens.is_bound)));
    let lifetime = policy.access_token_lifetime(app.config.lifetimes.access_token);
    members.extend(policy.expires_in(lifetime).map(|value| ("expires_in".to_owned(), value)));
    members
        .extend(tokens.refresh_token.map(|token| ("refresh_token".to_owned(), Value::from(token))));
    members.extend(
        policy
            .reported_scope(&tokens.requested, &tokens.scope)
            .map(|scope| ("scope".to_owned(), Value::from(scope))),
    );
    members.extend(tokens.id_token.map(|token| ("id_token".to_owned(), Value::from(token))));
    let (status, media_type) = policy.token_response_form(is_refresh);
    respond(status, media_type, Value::from(members).to_string())
}

pub(crate) fn refuse(app: &App, error: TokenError) -> Response {
    describe(app, error, error.description)
}

fn describe(app: &App, error: TokenError, description: &str) -> Response {
    let body = json!({"error": error.error, "error_description": description});
    let mut response = match app.policy.token_error_page(error) {
        Some(page) => respond(error.status, "text/html; charset=utf-8", page),
        None => json(error.status, &body),
    };
    set(&mut response, CACHE_CONTROL, "no-store");
    if error.error == "use_dpop_nonce" {
        demand_nonce(app, &mut response);
    }
    response
}

/// RFC 9449 §8: the nonce for the next attempt.
pub(crate) fn demand_nonce(app: &App, response: &mut Response) {
    for _ in 0..app.policy.nonces_per_answer() {
        add(response, dpop::DPOP_NONCE, &dpop::nonce(app));
    }
}
