//! How the browser learns that the wallet has answered: one server-sent event (HTML, Server-sent
//! events), or one message over a web socket (RFC 6455), for the one browser that began the login.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{RawQuery, State};
use axum::http::header::{CACHE_CONTROL, LOCATION, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{FutureExt as _, StreamExt as _, future, stream};
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::interaction::{grant, new_session, presented_browser, set_browser};
use crate::app::{App, Shared};
use crate::clients::User;
use crate::http::{header, random, respond, set};
use crate::params::Params;
use crate::policy::session::Renewal;
use crate::state;
use crate::wallet::WalletLogin;

/// How often a stream looks at the clock, which a test can put forward.
const TICK: Duration = Duration::from_millis(500);

/// A browser that waits.
struct Subscription {
    receiver: oneshot::Receiver<String>,
    /// When the login ends, in seconds.
    expires_at: u64,
    /// The browser's new identifier.
    renewed: Option<String>,
}

/// Subscribes the browser to the events of its login.
pub(crate) async fn get(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let subscription = match subscribe(&app, query, &headers) {
        Ok(subscription) => subscription,
        Err(refused) => return *refused,
    };
    let Subscription { receiver, expires_at, renewed } = subscription;
    let event = redirect(app.clone(), receiver, expires_at);
    let event = event.map(|told| told.map(|uri| Event::default().event("redirect").data(uri)));
    let events = stream::once(event).filter_map(future::ready).map(Ok::<_, Infallible>);
    let response = Sse::new(events).keep_alive(KeepAlive::default()).into_response();
    subscribed(&app, response, renewed)
}

/// The same over a web socket, for a page of the server alone: a page elsewhere could open one, too.
pub(crate) async fn socket(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if header(&headers, &ORIGIN).is_some_and(|origin| origin != app.issuer) {
        return refused(StatusCode::FORBIDDEN, "the page is none of this server");
    }
    let subscription = match subscribe(&app, query, &headers) {
        Ok(subscription) => subscription,
        Err(refused) => return *refused,
    };
    let Subscription { receiver, expires_at, renewed } = subscription;
    let told = redirect(app.clone(), receiver, expires_at);
    let response = upgrade.on_upgrade(|mut socket| async move {
        if let Some(uri) = told.await {
            let message = json!({"type": "authenticated", "redirectUrl": uri}).to_string();
            // A browser that has left misses it.
            let _ = socket.send(Message::Text(message.into())).await;
        }
        let _ = socket.send(Message::Close(None)).await;
    });
    subscribed(&app, response, renewed)
}

/// Others than the browser that began the login are told nothing, and a second stream is refused:
/// whoever holds the first one may be somebody else.
fn subscribe(
    app: &App,
    query: Option<String>,
    headers: &HeaderMap,
) -> Result<Subscription, Box<Response>> {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    let id = params.get("state").unwrap_or_default();
    let (sender, receiver) = oneshot::channel();
    let (mut state, now) = (app.state(), app.now());
    let cookie = presented_browser(headers);
    let login = state.logins.get_mut(id).filter(|l| app.policy.login_lasts(l.expires_at, now));
    let own = login.as_ref().is_some_and(|login| login.is_owned_by(cookie));
    let refused = |status, why| Err(Box::new(refused(status, why)));
    let Some(login) = login.filter(|_| app.policy.streams_login_to(own)) else {
        return refused(StatusCode::FORBIDDEN, "no login of this browser waits here");
    };
    if !login.streams.is_empty() && !app.policy.shares_login_stream() {
        return refused(StatusCode::CONFLICT, "the login has its subscriber");
    }
    let is_first = login.streams.is_empty();
    login.streams.push(sender);
    let expires_at = login.expires_at;
    let renewed = if own && is_first { renew(app, &mut state, id) } else { None };
    Ok(Subscription { receiver, expires_at, renewed })
}

fn subscribed(app: &App, mut response: Response, renewed: Option<String>) -> Response {
    set(&mut response, CACHE_CONTROL, "no-store");
    if let Some(id) = renewed {
        set_browser(app, &mut response, &id);
    }
    response
}

/// OWASP ASVS 5.0.0 7.2.4: a fresh identifier for the browser. This is the last answer to it before
/// the user is signed in, and only the subscriber gets to know it.
fn renew(app: &App, state: &mut state::State, id: &str) -> Option<String> {
    if app.policy.session_renewal() == Renewal::Same {
        return None;
    }
    let former = state.logins.get(id)?.browser.clone();
    let renewed = random();
    state.rename_browser(&former, &renewed);
    state.logins.get_mut(id)?.former = Some(former);
    Some(renewed)
}

/// Where the browser goes, once the wallet has answered; nowhere, if it fails to, or takes too long.
async fn redirect(
    app: Shared,
    mut receiver: oneshot::Receiver<String>,
    expires_at: u64,
) -> Option<String> {
    loop {
        match timeout(TICK, &mut receiver).await {
            Ok(redirect_uri) => return redirect_uri.ok(),
            Err(_) if app.policy.login_lasts(expires_at, app.now()) => {}
            Err(_) => return None,
        }
    }
}

/// The user has presented a credential, and thereby signed in and consented. Without a browser that
/// waits nobody is signed in: its identifier has not been renewed, and the response would be lost.
pub(crate) fn complete(
    app: &App,
    state: &mut state::State,
    login: &mut WalletLogin,
    user: &'static User,
) -> Option<String> {
    let browser = state.browsers.get_mut(&login.browser).filter(|_| login.is_awaited())?;
    let session = new_session(app, user, browser.session.as_ref());
    browser.session = Some(session.clone());
    if let Some(former) = login.former.clone()
        && app.policy.session_renewal() == Renewal::Both
    {
        state.browsers.entry(former).or_default().session = Some(session.clone());
    }
    let request = &login.pending.request;
    let client = request.target.client;
    if app.policy.remembers_consent(client) {
        state.remember_consent(user, client.id, &request.scope);
    }
    let response = grant(app, state, request, &session);
    let redirect_uri = header(response.headers(), &LOCATION)?.to_owned();
    for stream in login.streams.drain(..) {
        // A subscriber who has left misses the event.
        let _ = stream.send(redirect_uri.clone());
    }
    Some(redirect_uri)
}

fn refused(status: StatusCode, why: &'static str) -> Response {
    let mut response = respond(status, "text/plain", why);
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}
