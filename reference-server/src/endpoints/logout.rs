//! RP-Initiated Logout 1.0.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::interaction::{browser, expired, set_browser};
use crate::app::{App, Shared};
use crate::clients::client;
use crate::http::{random, see_other};
use crate::pages::{Page, error_page, escape, page};
use crate::params::{Params, Repeated};
use crate::redirect_uri::with_query;

pub(crate) async fn get(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    start(&app, &headers, &Params::parse(query.unwrap_or_default().as_bytes()))
}

pub(crate) async fn post(State(app): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    start(&app, &headers, &Params::parse(&body))
}

fn start(app: &App, headers: &HeaderMap, params: &Params) -> Response {
    let refused = |message| error_page(app, message, &Params::default());
    let Ok(params) = params.single(|_| Repeated::Refused) else {
        return refused("A parameter is repeated.");
    };
    let hint = params.get("id_token_hint");
    // Only a token that was issued here counts; an expired one does as well (§2).
    let issued = hint.and_then(|token| {
        let state = app.state();
        let unsigned = |token: &str| token.rsplit_once('.').map(|(signed, _)| signed.to_owned());
        let same = |known: &String| unsigned(known) == unsigned(token);
        let found = state.id_tokens.get(token).or_else(|| {
            let like = state.id_tokens.iter().find(|(known, _)| same(known));
            like.map(|(_, issued)| issued).filter(|_| app.policy.trusts_unverified_hint())
        });
        found.cloned()
    });
    let back = params.get("post_logout_redirect_uri");
    let Some(issued) = issued else {
        return if hint.is_some() {
            refused("The request does not name a valid login.")
        } else if let Some(uri) = back.filter(|_| app.policy.returns_without_hint()) {
            see_other(uri)
        } else if app.policy.logs_out_unasked() {
            end_session(app, headers);
            signed_out(app)
        } else {
            confirmation(app, headers)
        };
    };
    let is_other = params.get("client_id").is_some_and(|id| id != issued.client);
    if is_other && app.policy.compares_client_of_hint() {
        return refused("The request names two applications.");
    }
    if back.is_some_and(|uri| {
        !client(issued.client)
            .is_some_and(|c| app.policy.returns_to(c.post_logout_redirect_uris, uri))
    }) {
        return refused("The address to return to is not registered for this application.");
    }
    {
        let mut state = app.state();
        if app.policy.logout_ends_refresh() {
            state.end_session(&issued.sid);
        }
        let session = browser(headers, &state)
            .and_then(|id| state.browsers.get_mut(&id))
            .map(|b| &mut b.session);
        match session {
            // Another user is signed in by now: ask.
            Some(Some(session)) if session.sid != issued.sid => {
                drop(state);
                return confirmation(app, headers);
            }
            _ if app.policy.logout_forgets_cookie_only() => {
                drop(state);
                return forgotten(app);
            }
            Some(session) if app.policy.logout_ends_session() => *session = None,
            _ => {}
        }
    }
    match back.filter(|_| app.policy.returns_after_logout()) {
        Some(uri) => {
            see_other(&match params.get("state").filter(|_| app.policy.logout_keeps_state()) {
                Some(state) => {
                    let mut encoded = url::form_urlencoded::Serializer::new(String::new());
                    with_query(uri, &encoded.append_pair("state", state).finish())
                }
                None => uri.to_owned(),
            })
        }
        None => signed_out(app),
    }
}

fn end_session(app: &App, headers: &HeaderMap) {
    let mut state = app.state();
    if let Some(browser) = browser(headers, &state).and_then(|id| state.browsers.get_mut(&id)) {
        browser.session = None;
    }
}

/// The browser loses its cookie, and the server nothing.
fn forgotten(app: &App) -> Response {
    let mut response = signed_out(app);
    set_browser(app, &mut response, &random());
    response
}

fn confirmation(app: &App, headers: &HeaderMap) -> Response {
    let mut state = app.state();
    let csrf = random();
    match browser(headers, &state).and_then(|id| state.browsers.get_mut(&id)) {
        Some(browser) => browser.csrf.clone_from(&csrf),
        None => return signed_out(app),
    }
    let body = format!(
        "<p>Do you want to sign out here?</p><form method=\"post\" action=\"/logout/confirm\">\
         <input type=\"hidden\" name=\"csrf\" value=\"{}\"><button type=\"submit\">Sign out</button></form>",
        escape(&csrf)
    );
    page(app, Page::Other, StatusCode::OK, "Sign out", &body)
}

pub(crate) async fn confirm(
    State(app): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let params = Params::parse(&body);
    let mut state = app.state();
    match browser(&headers, &state).and_then(|id| state.browsers.get_mut(&id)) {
        Some(browser) if params.get("csrf").is_some_and(|csrf| csrf == browser.csrf) => {
            let ended = browser.session.take();
            if let Some(session) = ended.filter(|_| app.policy.logout_ends_refresh()) {
                state.end_session(&session.sid);
            }
        }
        _ => {
            drop(state);
            return expired(&app);
        }
    }
    drop(state);
    signed_out(&app)
}

fn signed_out(app: &App) -> Response {
    page(app, Page::Other, StatusCode::OK, "Signed out", "<p>You are signed out.</p>")
}
