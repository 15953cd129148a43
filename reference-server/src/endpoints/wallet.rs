//! The login with a wallet: from the authorization request to the presentation (OpenID for
//! Verifiable Presentations 1.0, response mode `direct_post`).

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};
use url::form_urlencoded::Serializer;

use super::authorization_request::RequestError;
use super::authorization_response;
use super::interaction::{expired, presented_browser};
use super::login_events::complete;
use crate::app::{App, Shared};
use crate::clients::User;
use crate::http::{is_form, json, random, respond, set};
use crate::jwt;
use crate::pages::{Page, escape, scripted_page};
use crate::params::{Params, Repeated};
use crate::state::{self, Pending};
use crate::wallet::dcql::dcql_query;
use crate::wallet::presentation::{Refused, Verification};
use crate::wallet::{LIFETIME, MOST_LOGINS, WalletLogin};

/// How long the request object is valid, in seconds.
const REQUEST_OBJECT_LIFETIME: u64 = 300;
/// Waits for the outcome on the portal page.
const FOLLOW: &str = "const events = new EventSource('/api/login/events' + location.search); \
    events.addEventListener('redirect', event => { events.close(); location.replace(event.data); });";

/// Sends the browser to the portal, where the user finds the request for his wallet.
pub(crate) fn begin(
    app: &App,
    state: &mut state::State,
    browser: &str,
    pending: Pending,
) -> Response {
    let now = app.now();
    state.logins.retain(|_, login| app.policy.login_lasts(login.expires_at, now));
    if state.logins.len() >= MOST_LOGINS {
        let busy = RequestError {
            error: "temporarily_unavailable",
            description: "too many logins are waiting",
        };
        return authorization_response::error(app, &pending.request.target, busy);
    }
    let login = WalletLogin {
        browser: browser.to_owned(),
        former: None,
        pending,
        reference: random(),
        nonce: app.policy.presentation_nonce(random()),
        fetched: false,
        streams: Vec::new(),
        expires_at: now + LIFETIME,
    };
    let id = random();
    let query = Serializer::new(String::new())
        .append_pair("authRequest", &authorization_request(app, &login))
        .append_pair("state", &id)
        .append_pair("homeUri", &app.issuer)
        .finish();
    state.browsers.entry(browser.to_owned()).or_default().seen_at = now;
    state.logins.insert(id, login);
    let mut response = respond(StatusCode::FOUND, "", "");
    set(&mut response, LOCATION, &app.url(&format!("/login?{query}")));
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}

/// What the wallet is invoked with (OpenID for Verifiable Presentations 1.0 §9).
fn authorization_request(app: &App, login: &WalletLogin) -> String {
    let request_uri = app.url(&format!("/oid4vp/auth-request/{}", login.reference));
    let query = Serializer::new(String::new())
        .append_pair("client_id", &app.verifier.client_id)
        .append_pair("request_uri", &request_uri)
        .finish();
    format!("openid4vp://?{query}")
}

/// The page that leads to the wallet; it repeats nothing of its own address.
pub(crate) async fn portal(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    let body = {
        let (state, now) = (app.state(), app.now());
        let login = params.get("state").and_then(|id| state.logins.get(id));
        login
            .filter(|login| login.is_owned_by(presented_browser(&headers)))
            .filter(|login| app.policy.login_lasts(login.expires_at, now))
            .map(|login| {
                format!(
                    "<p>{} asks you to sign in with a credential.</p>\
                     <p><a href=\"{}\">Open the wallet</a></p>",
                    escape(login.pending.request.target.client.name),
                    escape(&authorization_request(&app, login)),
                )
            })
    };
    let Some(body) = body else { return expired(&app) };
    let status = app.policy.login_page_status();
    scripted_page(&app, Page::Login, status, "Sign in", &body, Some(FOLLOW))
}

/// The request object (RFC 9101 §5.2), once.
pub(crate) async fn request_object(
    State(app): State<Shared>,
    Path(reference): Path<String>,
) -> Response {
    let claims = {
        let (mut state, now) = (app.state(), app.now());
        let found = state.logins.iter_mut().find(|(_, login)| login.reference == reference);
        found
            .filter(|(_, login)| app.policy.login_lasts(login.expires_at, now))
            .filter(|(_, login)| !login.fetched || app.policy.serves_request_object_again())
            .map(|(id, login)| {
                login.fetched = true;
                request_claims(&app, id, login)
            })
    };
    let Some(claims) = claims else {
        return respond(StatusCode::NOT_FOUND, "text/plain", "no such request, or no longer");
    };
    let (key, sealing) = (&app.verifier.key, app.policy.request_object_sealing());
    let header = jwt::header(key, "oauth-authz-req+jwt", sealing);
    let Ok(token) = jwt::compose(key, header, claims, sealing) else {
        return respond(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "nothing could be signed");
    };
    let mut response = respond(StatusCode::OK, "application/oauth-authz-req+jwt", token);
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}

/// OpenID for Verifiable Presentations 1.0 §5.
fn request_claims(app: &App, id: &str, login: &WalletLogin) -> Map<String, Value> {
    let now = app.now();
    let claims = json!({
        "iss": app.verifier.client_id,
        // §5.8: any wallet may answer.
        "aud": "https://self-issued.me/v2",
        "client_id": app.verifier.client_id,
        "response_type": "vp_token",
        "response_mode": "direct_post",
        "response_uri": app.url("/oid4vp/auth-response"),
        "scope": login.pending.request.scope.to_string(),
        "nonce": login.nonce,
        "state": id,
        "dcql_query": dcql_query(),
        "client_metadata": {"vp_formats_supported": {
            "dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"]},
            "jwt_vc_json": {"alg_values": ["ES256"]},
        }},
        "iat": now,
        "exp": now + REQUEST_OBJECT_LIFETIME,
    });
    match claims {
        Value::Object(claims) => claims,
        _ => Map::new(),
    }
}

/// The presentation (OpenID for Verifiable Presentations 1.0 §8.2). Whatever becomes of it, the
/// login is used up: a nonce is good for one attempt.
pub(crate) async fn present(
    State(app): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = Params::parse(&body).single(|_| Repeated::Refused);
    let Some(form) = form.ok().filter(|_| is_form(&headers)) else {
        return refused(Refused("the presentation is not a form, or repeats a parameter"));
    };
    let id = form.get("state").unwrap_or_default();
    let now = app.now();
    let waiting = app.state().logins.remove(id);
    let Some(mut login) = waiting.filter(|l| app.policy.login_lasts(l.expires_at, now)) else {
        return refused(Refused("no login waits under this state"));
    };
    let verified = user(&app, &login, form.get("vp_token").unwrap_or_default());
    let mut state = app.state();
    let (response, is_kept) = match verified {
        Ok(user) => {
            let redirect_uri = complete(&app, &mut state, &mut login, user);
            let told = redirect_uri.filter(|_| app.policy.hands_response_to_wallet());
            (accepted(told), app.policy.keeps_login_after_success())
        }
        Err(why) => (refused(why), app.policy.keeps_login_after_failure()),
    };
    if is_kept {
        state.logins.insert(id.to_owned(), login);
    }
    response
}

/// The user whom the presentation names.
fn user(app: &App, login: &WalletLogin, vp_token: &str) -> Result<&'static User, Refused> {
    let verification = Verification {
        policy: &app.policy,
        client_id: &app.verifier.client_id,
        nonce: &login.nonce,
        now: app.now(),
    };
    let email = verification.email(vp_token)?;
    User::with_email(&email).ok_or(Refused("the credential names nobody who has an account"))
}

fn accepted(redirect_uri: Option<String>) -> Response {
    let mut response = match redirect_uri {
        None => respond(StatusCode::OK, "", ""),
        Some(uri) => json(StatusCode::OK, &json!({"redirect_uri": uri})),
    };
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}

fn refused(Refused(why): Refused) -> Response {
    let error = json!({"error": "invalid_request", "error_description": why});
    let mut response = json(StatusCode::BAD_REQUEST, &error);
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}
