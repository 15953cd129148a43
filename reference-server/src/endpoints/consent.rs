//! The consent page.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::authorization_response;
use super::interaction::{answer_form, expired, find, proceed};
use crate::app::Shared;
use crate::pages::{Page, escape};
use crate::params::Params;
use crate::policy::session::Reach;

pub(crate) async fn page(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    let found = find(&app.state(), &headers, &params, Reach::Own);
    let Some(found) = found else { return expired(&app) };
    let request = &found.pending.request;
    let scopes: String =
        request.scope.iter().map(|token| format!("<li>{}</li>", escape(token))).collect();
    let body = format!(
        "<p>{} wants to use your account for:</p><ul>{scopes}</ul><form method=\"post\" action=\"/consent\">\
         <input type=\"hidden\" name=\"request\" value=\"{}\"><input type=\"hidden\" name=\"csrf\" value=\"{}\">\
         <p><button type=\"submit\" name=\"decision\" value=\"allow\">Allow</button> \
         <button type=\"submit\" name=\"decision\" value=\"deny\">Deny</button></p></form>",
        escape(request.target.client.name),
        escape(&found.id),
        escape(&found.pending.csrf),
    );
    crate::pages::page(&app, Page::Consent, StatusCode::OK, "Allow access", &body)
}

pub(crate) async fn submit(State(app): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let params = Params::parse(&body);
    let mut state = app.state();
    let found = find(&state, &headers, &params, app.policy.reach_of_consent())
        .filter(|f| app.policy.consent_token_matches(params.get("csrf"), &f.pending.csrf, f.own));
    let Some(mut found) = found else {
        drop(state);
        return expired(&app);
    };
    let browser = state.browsers.get_mut(&found.browser);
    if params.get("decision") != Some("allow") && app.policy.heeds_denial() {
        if let Some(browser) = browser {
            browser.pending.remove(&found.id);
        }
        return authorization_response::denied(&app, &found.pending.request.target);
    }
    let client = found.pending.request.target.client;
    if let Some(session) = browser.and_then(|b| b.session.clone())
        && app.policy.remembers_consent(client)
    {
        state.remember_consent(session.user, client.id, &found.pending.request.scope);
    }
    found.pending.request = app.policy.approved(found.pending.request, &params);
    let response = proceed(&app, &mut state, found, true);
    answer_form(&app, Page::Consent, response)
}
