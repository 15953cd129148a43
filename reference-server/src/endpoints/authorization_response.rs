//! The authorization response (OAuth 2.1 §4.1.2, RFC 9207, OAuth 2.0 Form Post Response Mode).

use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::Response;
use url::form_urlencoded::Serializer;

use super::authorization_request::{AuthorizationRequest, RequestError, ResponseMode, Target};
use crate::app::App;
use crate::http::{see_other, set};
use crate::pages::{Page, escape, scripted_page};
use crate::redirect_uri::with_query;

/// What the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    RequestError,
    Denial,
}

/// Runs on the form_post page; its hash is the only script source there.
const SUBMIT: &str = "document.forms[0].submit()";

/// The user allowed it: the code, and whatever else the response type is made of.
pub(crate) fn success(
    app: &App,
    request: &AuthorizationRequest,
    parameters: Vec<(&'static str, String)>,
) -> Response {
    answer(app, &request.target, Outcome::Success, parameters)
}

/// The user said no.
pub(crate) fn denied(app: &App, target: &Target) -> Response {
    answer(app, target, Outcome::Denial, vec![("error", app.policy.denial_error().to_owned())])
}

/// The request is faulty, or cannot be met without the user.
pub(crate) fn error(app: &App, target: &Target, error: RequestError) -> Response {
    let description = app.policy.error_description(error.description).to_owned();
    answer(
        app,
        target,
        Outcome::RequestError,
        vec![("error", error.error.to_owned()), ("error_description", description)],
    )
}

/// An error at a place that nobody registered; the conformant policy never comes here.
pub(crate) fn unverified_error(
    app: &App,
    redirect_uri: &str,
    state: Option<&str>,
    error: RequestError,
) -> Response {
    let mut encoded = Serializer::new(String::new());
    encoded.append_pair("error", error.error);
    if let Some(state) = state {
        encoded.append_pair("state", state);
    }
    encoded.append_pair("iss", &app.issuer);
    see_other(&with_query(redirect_uri, &encoded.finish()))
}

fn answer(
    app: &App,
    target: &Target,
    outcome: Outcome,
    mut parameters: Vec<(&'static str, String)>,
) -> Response {
    let policy = &app.policy;
    let mode = policy.response_mode(target.mode);
    let state = target
        .state
        .as_deref()
        .and_then(|state| policy.response_state(target.client.id, mode, outcome, state));
    parameters.extend(state.map(|state| ("state", state)));
    parameters.extend(policy.response_iss(&app.issuer, outcome).map(|iss| ("iss", iss)));
    let parameters = policy.response_parameters(outcome, parameters);
    let redirect_uri =
        policy.response_redirect_uri(target.client.id, outcome, &target.redirect_uri);
    match mode {
        ResponseMode::Query => {
            let location = with_query(&redirect_uri, &encode(&parameters));
            see_other(&policy.response_location(outcome, location, target.state.as_deref()))
        }
        ResponseMode::Fragment => see_other(&format!("{redirect_uri}#{}", encode(&parameters))),
        ResponseMode::FormPost => form_post(app, &redirect_uri, &parameters),
    }
}

fn encode(parameters: &[(&str, String)]) -> String {
    let mut encoded = Serializer::new(String::new());
    for (name, value) in parameters {
        encoded.append_pair(name, value);
    }
    encoded.finish()
}

fn form_post(app: &App, redirect_uri: &str, parameters: &[(&str, String)]) -> Response {
    let fields: String = parameters
        .iter()
        .map(|(name, value)| {
            format!(
                "<input type=\"hidden\" name=\"{name}\" value=\"{}\">",
                app.policy.form_post_value(value)
            )
        })
        .collect();
    let body = format!(
        "<form method=\"{}\" action=\"{}\">{fields}<button type=\"submit\">Continue</button></form>",
        app.policy.form_post_method(),
        escape(redirect_uri)
    );
    let mut response = scripted_page(
        app,
        Page::Other,
        StatusCode::OK,
        "Back to the application",
        &body,
        Some(SUBMIT),
    );
    set(&mut response, CACHE_CONTROL, app.policy.form_post_cache_control());
    response
}
