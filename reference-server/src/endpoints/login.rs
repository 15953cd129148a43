//! The login page.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::interaction::{Found, answer_form, expired, find, new_session, proceed, set_browser};
use crate::app::{App, Shared};
use crate::clients::User;
use crate::http::random;
use crate::pages::{Page, escape};
use crate::params::Params;
use crate::policy::session::{Reach, Renewal};
use crate::state::Browser;

fn form(app: &App, found: &Found, status: StatusCode, message: &str) -> Response {
    let request = &found.pending.request;
    let hint = request.login_hint.as_deref().unwrap_or_default();
    let body = format!(
        "{message}<p>{} asks you to sign in.</p>{}<form method=\"post\" action=\"/login\">\
         <input type=\"hidden\" name=\"request\" value=\"{}\"><input type=\"hidden\" name=\"csrf\" value=\"{}\">\
         <p><label>User name <input type=\"text\" name=\"username\" value=\"{}\" autocomplete=\"username\" required></label></p>\
         <p><label>Password <input type=\"password\" name=\"password\" autocomplete=\"current-password\" required></label></p>\
         <p><button type=\"submit\">Sign in</button></p></form>",
        escape(request.target.client.name),
        app.policy.request_on_login_page(&request.requested, request.target.state.as_deref()),
        escape(&found.id),
        escape(&found.pending.csrf),
        app.policy.login_hint_on_page(hint),
    );
    crate::pages::page(app, Page::Login, status, "Sign in", &body)
}

pub(crate) async fn page(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    let found = find(&app.state(), &headers, &params, Reach::Own);
    match found {
        Some(found) => form(&app, &found, app.policy.login_page_status(), ""),
        None => expired(&app),
    }
}

pub(crate) async fn submit(State(app): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let params = Params::parse(&body);
    let mut state = app.state();
    let Some(mut found) = find(&state, &headers, &params, app.policy.reach_of_sign_in())
        .filter(|f| params.get("csrf") == Some(&f.pending.csrf))
    else {
        drop(state);
        return expired(&app);
    };
    let named = params.get("username").and_then(User::named);
    let password = params.get("password").unwrap_or_default();
    let user = named.filter(|user| app.policy.password_matches(user.has_password(password)));
    let Some(user) = user else {
        if let (Some(user), Some(browser)) = (named, state.browsers.get_mut(&found.browser))
            && app.policy.keeps_failed_sign_in()
        {
            browser.session = Some(new_session(&app, user, None));
        }
        return form(
            &app,
            &found,
            StatusCode::UNAUTHORIZED,
            "<p role=\"alert\">User name or password is wrong.</p>",
        );
    };
    let mut browser = state.browsers.remove(&found.browser).unwrap_or_default();
    browser.session = Some(new_session(&app, user, browser.session.as_ref()));
    found.pending.signed_in = true;
    browser.pending.insert(found.id.clone(), found.pending.clone());
    let renewal = if found.own { app.policy.session_renewal() } else { Renewal::Same };
    if renewal == Renewal::Both {
        let kept = Browser { session: browser.session.clone(), ..Browser::default() };
        state.browsers.insert(found.browser.clone(), kept);
    }
    if renewal != Renewal::Same {
        found.browser = random();
    }
    state.browsers.insert(found.browser.clone(), browser);
    let id = found.browser.clone();
    let response = proceed(&app, &mut state, found, false);
    let mut response = answer_form(&app, Page::Login, response);
    if renewal != Renewal::Same {
        set_browser(&app, &mut response, &id);
    }
    response
}
