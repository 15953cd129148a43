//! The authorization request (OAuth 2.1 §4.1.1, OpenID Connect Core 1.0 §3.1.2.1).

use crate::app::App;
use crate::clients::{Client, client, is_registered_anywhere};
use crate::params::Params;
use crate::pkce::Challenge;
use crate::scope::Scope;
use crate::seeds;

/// How the response travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ResponseMode {
    #[default]
    Query,
    FormPost,
    Fragment,
}

/// Where the response goes.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) client: &'static Client,
    pub(crate) redirect_uri: String,
    pub(crate) mode: ResponseMode,
    pub(crate) state: Option<String>,
}

/// A request without a trustworthy place to report to.
pub(crate) struct Unanswerable {
    pub(crate) message: &'static str,
    /// The unverified place to report to nevertheless; the conformant policy never names one.
    pub(crate) redirect_uri: Option<String>,
}

/// An error that the client learns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestError {
    pub(crate) error: &'static str,
    pub(crate) description: &'static str,
}

/// A request that is in order.
#[derive(Clone, Debug)]
pub(crate) struct AuthorizationRequest {
    pub(crate) target: Target,
    pub(crate) response_type: String,
    pub(crate) requested: Scope,
    pub(crate) scope: Scope,
    pub(crate) challenge: Option<Challenge>,
    /// Thumbprint of the key that is to redeem the code (RFC 9449 §10).
    pub(crate) key: Option<String>,
    pub(crate) was_pushed: bool,
    pub(crate) nonce: Option<String>,
    pub(crate) audience: Vec<String>,
    pub(crate) prompt: Scope,
    pub(crate) max_age: Option<u64>,
    pub(crate) login_hint: Option<String>,
}

fn error(error: &'static str, description: &'static str) -> RequestError {
    RequestError { error, description }
}

/// Establishes client and redirect URI before anything else, since every other error is reported
/// there (RFC 6749 §4.1.2.1).
pub(crate) fn target(app: &App, params: &Params) -> Result<Target, Unanswerable> {
    checked_target(app, params, false)
}

/// [`target`] of a request whose `redirect_uri` the policy may trust without any check.
pub(crate) fn checked_target(
    app: &App,
    params: &Params,
    trusts_redirect_uri: bool,
) -> Result<Target, Unanswerable> {
    let policy = &app.policy;
    let presented = || params.all("redirect_uri").next().map(str::to_owned);
    let unanswerable = |message, redirects: bool| Unanswerable {
        message,
        redirect_uri: presented().filter(|_| redirects),
    };

    let mut ids = params.all("client_id");
    let client =
        match (ids.next().filter(|id| !id.is_empty()).or(policy.default_client()), ids.next()) {
            (None, _) => {
                return Err(unanswerable(
                    "The application did not say who it is.",
                    policy.reports_missing_client_to_redirect_uri(),
                ));
            }
            (Some(_), Some(_)) => {
                return Err(unanswerable("The application named itself twice.", false));
            }
            (Some(id), None) => client(id).ok_or_else(|| {
                let registered = presented().is_some_and(|uri| is_registered_anywhere(&uri));
                unanswerable(
                    "The application is not known here.",
                    policy.reports_unknown_client_to_redirect_uri(registered),
                )
            })?,
        };

    let presented_uris: Vec<&str> = policy
        .redirect_uri_names()
        .iter()
        .flat_map(|name| params.all(name))
        .filter(|uri| !uri.is_empty())
        .collect();
    let Some((checked, used)) = policy.redirect_uri_of(client, &presented_uris) else {
        return Err(unanswerable(
            "The application did not name exactly one address to return to.",
            false,
        ));
    };
    let is_registered = client
        .redirect_uris
        .iter()
        .any(|registered| policy.redirect_uri_matches(registered, checked));
    if !(trusts_redirect_uri || is_registered && policy.may_redirect_to(checked)) {
        let message = "The address to return to is not registered for this application.";
        return Err(unanswerable(
            message,
            policy.reports_unregistered_redirect_uri_there(client, checked, params),
        ));
    }
    let redirect_uri = policy.redirect_uri_as_used(used);
    Ok(Target { client, redirect_uri, mode: mode(app, params), state: None })
}

fn mode(app: &App, params: &Params) -> ResponseMode {
    match params.get("response_mode") {
        Some("form_post") if offers_mode(app, "form_post") => ResponseMode::FormPost,
        _ => ResponseMode::Query,
    }
}

fn offers_mode(app: &App, mode: &str) -> bool {
    app.config.login.response_modes().contains(&mode)
}

impl AuthorizationRequest {
    /// Checks the request and fills in the state of `target`, for the answer in either case.
    pub(crate) fn read(
        app: &App,
        target: &mut Target,
        presented: &Params,
    ) -> Result<Self, RequestError> {
        let policy = &app.policy;
        let presented = &presented.renamed(|name| policy.authorization_parameter_name(name));
        let rule = |name: &str| policy.repeated_authorization_parameter(name);
        // A state that occurs twice, or that could break out of a header, is not echoed.
        if presented
            .single(
                |name| {
                    if name == "state" { rule(name) } else { crate::params::Repeated::FirstWins }
                },
            )
            .is_err()
        {
            return Err(error("invalid_request", "a parameter is repeated"));
        }
        let in_order = |state: &&str| !state.chars().any(char::is_control);
        let state = presented.single(|name| {
            if name == "state" { rule(name) } else { crate::params::Repeated::FirstWins }
        });
        let state = state.ok().and_then(|p| p.get("state").map(str::to_owned));
        target.state = state.as_deref().filter(in_order).map(str::to_owned);
        if presented.get("scope").is_none() && !policy.keeps_state_without_scope() {
            target.state = None;
        }
        if state.as_deref().is_some_and(|s| !in_order(&s)) {
            return Err(error("invalid_request", "state contains control characters"));
        }
        let params = &presented
            .single(rule)
            .map_err(|_| error("invalid_request", "a parameter is repeated"))?;

        if params.get("request").is_some() {
            return Err(error("request_not_supported", "request objects are not supported"));
        }
        if params.get("request_uri").is_some() {
            return Err(error("request_uri_not_supported", "request_uri is not supported"));
        }
        if let Some(description) = policy.refuses_parameters(params) {
            return Err(error("invalid_request", description));
        }
        let Some(response_type) = policy.response_type(params.get("response_type")) else {
            return Err(error("invalid_request", "response_type is missing"));
        };
        let front_channel = policy.front_channel(response_type);
        if !front_channel.is_offered() {
            return Err(error(
                policy.response_type_error(response_type),
                "only the response type code is supported",
            ));
        }
        if front_channel.in_fragment {
            target.mode = ResponseMode::Fragment;
        }
        if params.get("response_mode").is_some_and(|mode| !offers_mode(app, mode)) {
            return Err(error("invalid_request", "response_mode is not among those offered"));
        }
        let challenge = if front_channel.code { code_challenge(app, params)? } else { None };
        let prompt = prompt(app, params)?;
        let max_age = match params.get("max_age").map(str::parse) {
            None => None,
            Some(Ok(seconds)) => Some(seconds),
            Some(Err(_)) => {
                return Err(error("invalid_request", "max_age is not a number of seconds"));
            }
        };
        let (requested, scope) = scope(app, target.client, params)?;
        Ok(Self {
            target: target.clone(),
            response_type: response_type.to_owned(),
            requested,
            scope,
            challenge,
            key: params.get("dpop_jkt").map(str::to_owned),
            was_pushed: false,
            nonce: params.get("nonce").map(str::to_owned),
            audience: audience(app, params)?,
            prompt,
            max_age,
            login_hint: params.get("login_hint").map(str::to_owned),
        })
    }
}

/// RFC 7636 §4.3, §4.4.1; OAuth 2.1 §4.1.1: S256 only, and always for public clients.
fn code_challenge(app: &App, params: &Params) -> Result<Option<Challenge>, RequestError> {
    let policy = &app.policy;
    let Some(value) = params.get("code_challenge") else {
        if app.config.pkce_required && policy.challenge_required(params.raw("code_challenge")) {
            return Err(error("invalid_request", "code_challenge is missing"));
        }
        return Ok(None);
    };
    let Some(method) = policy.challenge_method(params.get("code_challenge_method")) else {
        return Err(error("invalid_request", "code_challenge_method is not S256"));
    };
    if !policy.challenge_well_formed(value) {
        return Err(error("invalid_request", "code_challenge is not a SHA-256 hash in base64url"));
    }
    Ok(Some(Challenge { value: value.to_owned(), method }))
}

/// OpenID Connect Core 1.0 §3.1.2.1: `none` stands alone.
fn prompt(app: &App, params: &Params) -> Result<Scope, RequestError> {
    let prompt = Scope::parse(params.get("prompt").unwrap_or_default());
    if prompt.contains("none") && prompt.iter().count() > 1 {
        if let Some(rest) = app.policy.contradictory_prompt(&prompt) {
            return Ok(rest);
        }
        return Err(error("invalid_request", "prompt=none is combined with another value"));
    }
    Ok(prompt)
}

/// What was asked for, and the part of it that the client may have (RFC 6749 §3.3).
fn scope(app: &App, client: &Client, params: &Params) -> Result<(Scope, Scope), RequestError> {
    let text = match params.get("scope") {
        Some(text) => text,
        None if app.policy.scope_may_be_omitted() => seeds::DEFAULT_SCOPE,
        None => return Err(error("server_error", "no scope was found")),
    };
    let requested = Scope::parse(text);
    let granted = app.policy.granted_scope(client.scopes, &requested);
    if granted.is_empty() {
        return Err(error("invalid_scope", "none of the scopes is available to the client"));
    }
    Ok((requested, granted))
}

/// RFC 8707 §2.1: every named resource must be known; the API is the default.
fn audience(app: &App, params: &Params) -> Result<Vec<String>, RequestError> {
    let known = app.resources();
    let mut audience: Vec<String> = Vec::new();
    for resource in params.all("resource").filter(|r| !r.is_empty()) {
        match app.policy.is_known_resource(&known, resource) {
            true if audience.iter().any(|named| named == resource) => {}
            true => audience.push(resource.to_owned()),
            false => return Err(error("invalid_target", "the resource is not known")),
        }
    }
    if audience.is_empty() || !app.policy.restricts_audience() {
        audience = vec![app.resource()];
    }
    Ok(audience)
}
