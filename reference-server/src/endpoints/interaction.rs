//! What stands between an authorization request and its response: login and consent.

use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::authorization_request::{AuthorizationRequest, RequestError};
use super::{authorization_response, wallet};
use crate::app::App;
use crate::clients::{ALICE, User};
use crate::config::Login;
use crate::http::{add, cookie, header, random, see_other};
use crate::issue;
use crate::pages::{Page, error_page};
use crate::params::Params;
use crate::policy::session::Reach;
use crate::state::{Code, Grant, Pending, Session, State};

const COOKIE: &str = "browser";

/// What has to happen next.
enum Step {
    SignIn,
    Consent(Session),
    Grant(Session),
}

/// How to answer `prompt=none` when nobody is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unattended {
    LoginRequired,
    ErrorPage,
    ShowLogin,
    Proceed,
}

/// A pending request and the browser that it belongs to.
pub(crate) struct Found {
    pub(crate) browser: String,
    pub(crate) id: String,
    pub(crate) pending: Pending,
    /// The browser that asks is the one it belongs to.
    pub(crate) own: bool,
}

/// The browser's cookie, whoever set it.
pub(crate) fn presented_browser(headers: &HeaderMap) -> Option<&str> {
    cookie(headers, COOKIE)
}

/// The browser's cookie, if the server set it.
pub(crate) fn browser(headers: &HeaderMap, state: &State) -> Option<String> {
    presented_browser(headers).filter(|id| state.browsers.contains_key(*id)).map(str::to_owned)
}

pub(crate) fn set_browser(app: &App, response: &mut Response, id: &str) {
    let secure = if app.issuer.starts_with("https:") { "; Secure" } else { "" };
    let attributes = app.policy.cookie_attributes();
    add(response, SET_COOKIE, &format!("{COOKIE}={id}; {attributes}{secure}"));
}

/// Takes a valid request up: answers at once where it can, or sends the user to the next page.
pub(crate) fn begin(
    app: &App,
    headers: &HeaderMap,
    request: AuthorizationRequest,
    params: &Params,
) -> Response {
    let mut state = app.state();
    let known = browser(headers, &state);
    let id = known.clone().unwrap_or_else(random);
    let pending = Pending { request, csrf: random(), signed_in: false };
    let required = |error| {
        authorization_response::error(
            app,
            &pending.request.target,
            RequestError { error, description: "the user must be asked" },
        )
    };
    let unattended = pending.request.prompt.contains("none");
    let mut response = match next_step(app, &state, &id, &pending) {
        Step::SignIn if unattended => match app.policy.unattended_without_session() {
            Unattended::LoginRequired => required("login_required"),
            Unattended::ErrorPage => error_page(app, "Nobody is signed in.", params),
            Unattended::ShowLogin => ask(app, &mut state, &id, pending, "login"),
            Unattended::Proceed => {
                grant(app, &mut state, &pending.request, &new_session(app, &ALICE, None))
            }
        },
        Step::Consent(session) if unattended && app.policy.approves_unattended() => {
            grant(app, &mut state, &pending.request, &session)
        }
        Step::Consent(_) if unattended => required("consent_required"),
        Step::SignIn => ask(app, &mut state, &id, pending, "login"),
        Step::Consent(_) => ask(app, &mut state, &id, pending, "consent"),
        Step::Grant(session) => grant(app, &mut state, &pending.request, &session),
    };
    if known.is_none() && state.browsers.contains_key(&id) {
        set_browser(app, &mut response, &id);
    }
    response
}

/// The user is signed in or has consented: on to the next page or to the client.
pub(crate) fn proceed(app: &App, state: &mut State, found: Found, consented: bool) -> Response {
    match next_step(app, state, &found.browser, &found.pending) {
        Step::SignIn => show(state, app.now(), &found.browser, found.pending, "login"),
        Step::Consent(_) if !consented => see_other(&format!("/consent?request={}", found.id)),
        Step::Consent(_) | Step::Grant(_) => {
            let session = state.browsers.get_mut(&found.browser).and_then(|b| {
                b.pending.remove(&found.id);
                b.session.clone()
            });
            match session {
                Some(session) => grant(app, state, &found.pending.request, &session),
                None => show(state, app.now(), &found.browser, found.pending, "login"),
            }
        }
    }
}

/// The answer to a form: where it sends the browser to the client, so that the form stays here.
pub(crate) fn answer_form(app: &App, page: Page, mut response: Response) -> Response {
    let leaves = header(response.headers(), &LOCATION).is_some_and(|to| !to.starts_with('/'));
    if leaves {
        *response.status_mut() = app.policy.form_redirect(page);
    }
    response
}

/// Answers a request of another method than GET and POST, as if all had been approved; the
/// conformant policy never comes here.
pub(crate) fn approve(app: &App, headers: &HeaderMap, request: &AuthorizationRequest) -> Response {
    let mut state = app.state();
    let session = browser(headers, &state)
        .and_then(|id| state.browsers.get(&id))
        .and_then(|browser| browser.session.clone());
    match session {
        Some(session) => grant(app, &mut state, request, &session),
        None => {
            drop(state);
            expired(app)
        }
    }
}

/// Asks the user: on that page, or for a presentation, which is login and consent in one.
fn ask(app: &App, state: &mut State, browser: &str, pending: Pending, page: &str) -> Response {
    match app.config.login {
        Login::Password => show(state, app.now(), browser, pending, page),
        Login::Wallet => wallet::begin(app, state, browser, pending),
    }
}

fn show(state: &mut State, now: u64, browser: &str, pending: Pending, page: &str) -> Response {
    let id = random();
    let browser = state.browsers.entry(browser.to_owned()).or_default();
    browser.seen_at = now;
    browser.pending.insert(id.clone(), pending);
    see_other(&format!("/{page}?request={id}"))
}

/// The request that a page or a form refers to, if it belongs to this browser.
pub(crate) fn find(
    state: &State,
    headers: &HeaderMap,
    params: &Params,
    reach: Reach,
) -> Option<Found> {
    let id = params.get("request")?;
    let own = browser(headers, state)
        .and_then(|own| Some((state.browsers.get(&own)?.pending.get(id)?.clone(), own)));
    if let Some((pending, browser)) = own {
        return Some(Found { browser, id: id.to_owned(), pending, own: true });
    }
    let anybody = || state.browsers.iter().find(|(_, b)| b.pending.contains_key(id));
    let (owner, found) = anybody().filter(|_| reach != Reach::Own)?;
    let sender = match reach {
        Reach::AnyAsSender => browser(headers, state)?,
        _ => owner.clone(),
    };
    Some(Found {
        browser: sender,
        id: id.to_owned(),
        pending: found.pending.get(id)?.clone(),
        own: false,
    })
}

pub(crate) fn expired(app: &App) -> Response {
    error_page(app, "This page has expired or belongs to another browser.", &Params::default())
}

pub(crate) fn new_session(app: &App, user: &'static User, before: Option<&Session>) -> Session {
    let now = app.now();
    let auth_time = app.policy.auth_time(before.map(|s| s.auth_time), now);
    Session { user, auth_time, sid: random(), expires_at: now + app.config.lifetimes.session }
}

fn next_step(app: &App, state: &State, browser: &str, pending: &Pending) -> Step {
    let (now, request) = (app.now(), &pending.request);
    let session =
        state.browsers.get(browser).and_then(|b| b.session.as_ref()).filter(|s| s.expires_at > now);
    let Some(session) = session else { return Step::SignIn };
    let too_old =
        request.max_age.is_some_and(|seconds| now.saturating_sub(session.auth_time) > seconds);
    if app.policy.asks_for_login(&request.prompt, too_old) && !pending.signed_in {
        return Step::SignIn;
    }
    let client = request.target.client;
    let covers = state.has_consent(session.user, client.id, &request.scope)
        || app.policy.approval_covers_any_scope() && state.has_any_consent(session.user, client.id);
    let remembered = app.policy.remembers_consent(client)
        && !app.policy.asks_for_consent_again(&request.prompt)
        && covers;
    if app.policy.asks_for_consent(remembered) {
        Step::Consent(session.clone())
    } else {
        Step::Grant(session.clone())
    }
}

/// Issues the code (OAuth 2.1 §4.1.2).
pub(crate) fn grant(
    app: &App,
    state: &mut State,
    request: &AuthorizationRequest,
    session: &Session,
) -> Response {
    let (now, client) = (app.now(), request.target.client.id);
    let grant = state.add_grant(Grant {
        id: 0,
        client,
        user: session.user,
        scope: request.scope.clone(),
        requested: request.requested.clone(),
        audience: request.audience.clone(),
        nonce: request.nonce.clone(),
        auth_time: session.auth_time,
        sid: session.sid.clone(),
        access_revoked: false,
        refresh_revoked: false,
    });
    state.tidy(now);
    let front_channel = app.policy.front_channel(&request.response_type);
    let mut parameters = Vec::new();
    if front_channel.code {
        let code = app.policy.authorization_code(state.count(), client);
        let expires_at = app
            .policy
            .code_lifetime(app.config.lifetimes.code)
            .map_or(u64::MAX, |seconds| now + seconds);
        let redirect_uri = request.target.redirect_uri.clone();
        let entry = Code {
            grant: grant.id,
            client,
            redirect_uri,
            challenge: request.challenge.clone(),
            key: request.key.clone(),
            was_pushed: request.was_pushed,
            expires_at,
            used: false,
        };
        state.codes.insert(code.clone(), entry);
        parameters.push(("code", code));
    }
    if front_channel.access_token {
        match issue::access_token(app, state, &grant, &grant.scope, None) {
            Ok(token) => {
                parameters.extend([("access_token", token), ("token_type", "Bearer".to_owned())])
            }
            Err(_) => return failed(app),
        }
    }
    if front_channel.id_token {
        match issue::id_token(app, state, &grant, None, app.now()) {
            Ok(token) => parameters.push(("id_token", token)),
            Err(_) => return failed(app),
        }
    }
    authorization_response::success(app, request, parameters)
}

fn failed(app: &App) -> Response {
    let mut response = error_page(app, "The server could not sign a token.", &Params::default());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
