//! HTML pages: escaping and the headers that protect them.

use axum::http::header::{CACHE_CONTROL, REFERRER_POLICY, X_FRAME_OPTIONS};
use axum::http::{HeaderName, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::http::{respond, set};
use crate::params::Params;

/// What a page is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    Login,
    Consent,
    Error,
    Other,
}

/// Who may put a page into a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Nobody,
    Anybody,
    /// Anybody, spelt out.
    Wildcard,
}

/// A request value that an error page may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    ClientId,
    RedirectUri,
    ResponseType,
    State,
}

/// Text for element content and quoted attribute values.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A page with `body` as its markup, not to be stored, framed or scripted.
pub(crate) fn page(app: &App, kind: Page, status: StatusCode, title: &str, body: &str) -> Response {
    scripted_page(app, kind, status, title, body, None)
}

/// The same with one inline script, allowed by its hash; that of the login page may call the server.
pub(crate) fn scripted_page(
    app: &App,
    kind: Page,
    status: StatusCode,
    title: &str,
    body: &str,
    script: Option<&str>,
) -> Response {
    let mut policy = "default-src 'none'; base-uri 'none'".to_owned();
    let mut tail = String::new();
    if let Some(script) = script {
        policy.push_str(&format!(
            "; script-src 'sha256-{}'",
            STANDARD.encode(Sha256::digest(script.as_bytes()))
        ));
        if kind == Page::Login {
            policy.push_str("; connect-src 'self'");
        }
        tail = format!("<script>{script}</script>");
    }
    let framing = app.policy.framing(kind);
    match framing {
        Framing::Nobody if !app.policy.content_policy_names_ancestors() => {}
        Framing::Nobody => policy.push_str("; frame-ancestors 'none'"),
        Framing::Wildcard => policy.push_str("; frame-ancestors *"),
        Framing::Anybody => {}
    }
    let title = escape(title);
    let head = app.policy.page_head(kind);
    let markup = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>{head}</head>\
         <body><h1>{title}</h1>{body}{tail}</body></html>\n"
    );
    let mut response = respond(status, "text/html; charset=utf-8", markup);
    set(&mut response, HeaderName::from_static(app.policy.content_policy_header()), &policy);
    if framing == Framing::Nobody {
        set(&mut response, X_FRAME_OPTIONS, "DENY");
    }
    if let Some(referrer) = app.policy.referrer_policy() {
        set(&mut response, REFERRER_POLICY, referrer);
    }
    set(&mut response, CACHE_CONTROL, "no-store");
    set(&mut response, HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    response
}

/// An error that cannot or must not go to the client (RFC 6749 §4.1.2.1).
pub(crate) fn error_page(app: &App, message: &str, params: &Params) -> Response {
    let mut body = format!(
        "<p>{}</p><p>Nothing was sent to the application. Go back and start again.</p>{}",
        escape(message),
        app.policy.error_page_details()
    );
    for (field, label, name) in [
        (Field::ClientId, "Application", "client_id"),
        (Field::RedirectUri, "Address", "redirect_uri"),
        (Field::ResponseType, "Response", "response_type"),
        (Field::State, "Reference", "state"),
    ] {
        if let Some(shown) =
            params.get(name).and_then(|value| app.policy.shown_on_error_page(field, value))
        {
            body.push_str(&format!("<p>{label}: {shown}</p>"));
        }
    }
    let mut response =
        page(app, Page::Error, app.policy.error_page_status(), "The request was refused", &body);
    if app.policy.error_page_is_blank() {
        *response.body_mut() = axum::body::Body::empty();
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped() {
        assert_eq!(
            escape(r#"<a href="x" id='y'>&"#),
            "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;"
        );
    }
}
