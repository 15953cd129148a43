//! Signs in and consents through HTML forms over plain HTTP.

use std::borrow::Cow;
use std::sync::Arc;

use super::choice::{
    announces_username, denies, is_decision, is_denial_word, is_password, is_visible,
    username_field,
};
use super::html::{self, Button, Form, Page};
use crate::http::cookies::Initiator;
use crate::http::user_agent::{Home, Navigation, UserAgent, resolve};
use crate::http::{Http, Recorder};
use crate::model::exchange::{Exchange, Request};
use crate::model::verdict::Obstacle;
use crate::oauth::authorization::{AuthorizationResponse, Landing, Mode, form_post};
use crate::oauth::params::Params;
use crate::target::profile::{LoginHints, User};

/// What the user answers on the consent page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Approve.
    Approve,
    /// Deny.
    Deny,
}

/// A user in front of a user agent.
pub struct Driver<'a> {
    /// The wire.
    pub http: &'a Http,
    /// Where the exchanges go.
    pub recorder: &'a Recorder,
    /// The origins of the authorization server.
    pub home: &'a Home,
    /// Whether an address is the client's, even on an origin of the server.
    pub leaves: &'a (dyn Fn(&str) -> bool + Sync),
    /// Who signs in; nobody does when absent: forms are then recognised and left alone.
    pub user: Option<&'a User>,
    /// What is answered on the consent page.
    pub decision: Decision,
    /// Names of fields and buttons.
    pub hints: &'a LoginHints,
}

/// What the user met on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// A sign-in form was submitted.
    pub signed_in: bool,
    /// A consent form was answered.
    pub consented: bool,
    /// Sign-in forms that came back after they had been submitted.
    pub refused: bool,
}

impl Driver<'_> {
    pub(super) async fn navigate(
        &self,
        agent: &mut UserAgent,
        request: Request,
        initiator: Initiator,
    ) -> Navigation {
        agent.navigate(self.http, self.recorder, request, initiator, self.home, self.leaves).await
    }

    /// Signs in as [`Self::drive`] does and demands an authorization code; what kept the user from
    /// it is told apart.
    pub async fn code(
        &self,
        agent: &mut UserAgent,
        request: Request,
    ) -> Result<(Landing, Way), Obstacle> {
        let (landing, way) = self.drive(agent, request).await;
        if landing.code().is_some() {
            return Ok((landing, way));
        }
        Err(self.obstacle(&landing, way))
    }

    fn obstacle(&self, landing: &Landing, way: Way) -> Obstacle {
        let tried = "to sign in and obtain an authorization code";
        let came_back = landing.gist();
        let remedy = match (&landing.response, landing.exchange.response()) {
            (Some(response), _) => match response.error() {
                Some("invalid_scope") => "set a scope that the client may ask for",
                Some("access_denied") => "check that the user may approve this client",
                Some("unauthorized_client") => {
                    "check that the client may use the authorization code grant"
                }
                _ => "check client_id, redirect_uri and scope against the registration",
            },
            (None, None) => "check that the authorization endpoint is reachable from here",
            (None, Some(_)) if way.refused => {
                "check user name and password: the sign-in form came back"
            }
            (None, Some(_)) if landing.asks_to_sign_in && self.user.is_none() => {
                "give the harness a user: --username and --password-env, or [user] in the profile"
            }
            (None, Some(r)) if r.status >= 400 && !way.signed_in => {
                "check that client_id is known and redirect_uri registered exactly as given"
            }
            (None, Some(r)) if r.is_html() => {
                "no form on the page could be filled in: name its fields and buttons under [login] in the profile"
            }
            (None, Some(_)) => {
                "check that authorization_endpoint is the one of the authorization server"
            }
        };
        Obstacle::new(tried, came_back, remedy)
    }

    /// What the navigation came to, with the page that it rests on.
    pub(super) fn land(&self, navigation: &Navigation) -> (Landing, Page) {
        let exchange = &navigation.exchange;
        let mut landing = Landing {
            exchange: exchange.clone(),
            response: None,
            asks_to_sign_in: false,
            endless: navigation.endless,
        };
        if let Some(location) = &navigation.departed {
            landing.response = Some(AuthorizationResponse::from_url(location, Mode::Redirect));
            return (landing, Page::default());
        }
        let page = read(exchange);
        landing.response = self.departure(&navigation.url, &page);
        landing.asks_to_sign_in = page.forms.iter().any(|form| self.asks_to_sign_in(form));
        (landing, page)
    }

    /// The response that a page sends off by itself: a posted form or a meta refresh.
    fn departure(&self, base: &str, page: &Page) -> Option<AuthorizationResponse> {
        let away = |reference: &str| {
            (self.leaves)(reference)
                || !resolve(base, reference).is_some_and(|url| self.home.contains(&url))
        };
        let is_response = |form: &&Form| {
            form.method == "POST"
                && form.fields.iter().any(|f| {
                    matches!(
                        f.name.as_str(),
                        "code" | "error" | "access_token" | "id_token" | "response"
                    )
                })
        };
        if let Some(form) = page.forms.iter().filter(is_response).find(|form| away(&form.action)) {
            let fields = Params::new(form.fields.iter().map(|f| (f.name.clone(), f.value.clone())));
            return Some(AuthorizationResponse::from_form(&form.action, fields));
        }
        let refresh = page.refresh.as_deref().filter(|address| away(address))?;
        Some(AuthorizationResponse::from_url(refresh, Mode::Page))
    }

    /// The request that the user's next action on the page sends, if there is one to take.
    pub(super) fn next(
        &self,
        navigation: &Navigation,
        page: &Page,
        user: &User,
        way: &mut Way,
    ) -> Option<Request> {
        let status = navigation.exchange.response().map_or(0, |r| r.status);
        if let Some(form) = page.forms.iter().find(|form| self.asks_to_sign_in(form)) {
            // Credentials are never repeated against a refusal: the account could be locked.
            if form.field_of("password").is_some() && way.signed_in {
                way.refused = true;
                return None;
            }
            way.signed_in |= form.field_of("password").is_some();
            return self.submit(&navigation.url, form, form.buttons.first(), Some(user));
        }
        if let Some(refresh) = &page.refresh {
            let url = resolve(&navigation.url, refresh)?;
            return Some(Request::get(url));
        }
        if status >= 400 {
            return None;
        }
        let request = self.decide(&navigation.url, page)?;
        way.consented = true;
        Some(request)
    }

    /// The request that approves or denies on a consent page, if the page offers it.
    fn decide(&self, base: &str, page: &Page) -> Option<Request> {
        let asked = page.forms.iter().find(|form| is_decision(form))?;
        let is = |hint: &Option<String>, b: &Button| {
            hint.as_ref().map(|h| b.name == *h || b.value == *h)
        };
        if self.decision == Decision::Approve {
            let hinted = asked.buttons.iter().find(|b| is(&self.hints.approve, b) == Some(true));
            let button = hinted.or_else(|| asked.buttons.iter().find(|b| !denies(b)));
            return self.submit(base, asked, button, None);
        }
        let is_denial = |b: &&Button| is(&self.hints.deny, b).unwrap_or_else(|| denies(b));
        let on_page = page.forms.iter().find_map(|f| Some((f, f.buttons.iter().find(is_denial)?)));
        if let Some((form, button)) = on_page {
            return self.submit(base, form, Some(button), None);
        }
        let is_way_out =
            |(href, text): &&(String, String)| is_denial_word(text) || is_denial_word(href);
        let (href, _) = page.links.iter().find(is_way_out)?;
        resolve(base, href).map(Request::get)
    }

    fn asks_to_sign_in(&self, form: &Form) -> bool {
        form.field_of("password").is_some()
            && form.fields.iter().filter(|f| f.kind == "password").count() == 1
            || form.fields.iter().any(|f| announces_username(f) && is_visible(&f.kind))
            || self
                .hints
                .username_field
                .as_deref()
                .is_some_and(|n| form.fields.iter().any(|f| f.name == n && is_visible(&f.kind)))
    }

    pub(super) fn submit(
        &self,
        base: &str,
        form: &Form,
        button: Option<&Button>,
        user: Option<&User>,
    ) -> Option<Request> {
        let mut fields = Params::default();
        let username_field = username_field(form, self.hints);
        for field in form.fields.iter().filter(|f| !f.name.is_empty()) {
            let value = match user {
                Some(user) if is_password(form, self.hints, &field.name, &field.kind) => {
                    user.password.expose()
                }
                Some(user) if Some(&field.name) == username_field.as_ref() => &user.username,
                _ => &field.value,
            };
            let is_off = match field.kind.as_str() {
                "radio" => !field.checked,
                // Whoever approves ticks every box; whoever denies leaves the page as it is.
                "checkbox" => !field.checked && self.decision == Decision::Deny,
                _ => false,
            };
            if !is_off {
                let is_bare_box = field.kind == "checkbox" && value.is_empty();
                fields.repeat(&field.name, &*line_breaks(if is_bare_box { "on" } else { value }));
            }
        }
        let mut action = form.action.as_str();
        if let Some(button) = button {
            if !button.name.is_empty() {
                fields.repeat(&button.name, button.value.as_str());
            }
            if !button.action.is_empty() {
                action = &button.action;
            }
        }
        let url = if action.is_empty() { base.to_owned() } else { resolve(base, action)? };
        Some(match form.method.as_str() {
            "POST" => form_post(&url, &fields),
            _ => {
                let bare = url.split('?').next().unwrap_or(&url);
                Request::get(fields.on(bare))
            }
        })
    }
}

/// The value as browsers submit it: every line break is CR LF (HTML §4.10.21.8).
fn line_breaks(value: &str) -> Cow<'_, str> {
    match value.contains(['\r', '\n']) {
        true => value.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n").into(),
        false => value.into(),
    }
}

pub(super) fn read(exchange: &Arc<Exchange>) -> Page {
    match exchange.response() {
        Some(response) if response.is_html() => html::parse(&response.text()),
        _ => Page::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::answered;
    use crate::target::secret::Secret;

    const BASE: &str = "http://127.0.0.1:1/login";

    #[test]
    fn every_line_break_is_submitted_as_two_characters() {
        assert_eq!(line_breaks("a\rb\nc\r\nd\n\r"), "a\r\nb\r\nc\r\nd\r\n\r\n");
        assert_eq!(line_breaks("plain"), "plain");
    }

    fn navigation(body: &str) -> Navigation {
        let exchange = Arc::new(answered(200, &[("content-type", "text/html")], body));
        Navigation { exchange, url: BASE.into(), departed: None, endless: false }
    }

    /// What the user does on the page, as method, URL and body.
    fn act(body: &str, decision: Decision) -> Option<(String, String, String)> {
        let http = Http::new([], crate::http::Limits::default(), std::time::Duration::ZERO);
        let user = User { username: "alice".into(), password: Secret::new("pw") };
        let (recorder, home, hints) =
            (Recorder::default(), Home::of([BASE]), LoginHints::default());
        let driver = Driver {
            http: &http,
            recorder: &recorder,
            home: &home,
            leaves: &|_| false,
            user: Some(&user),
            decision,
            hints: &hints,
        };
        let navigation = navigation(body);
        let page = read(&navigation.exchange);
        let request = driver.next(&navigation, &page, &user, &mut Way::default())?;
        Some((request.method.clone(), request.url.clone(), request.text()))
    }

    fn body_of(page: &str, decision: Decision) -> String {
        act(page, decision).unwrap().2
    }

    #[test]
    fn the_sign_in_form_is_chosen_among_two_and_filled() {
        let page = "<form action=/search><input name=q><button>go</button></form>
            <form method=post action='/do'><input type=hidden name=csrf value=t><input name=email><input type=password name=pass>
            <button name=a value=b>Sign in</button></form>";
        let (method, url, body) = act(page, Decision::Approve).unwrap();
        assert_eq!((method.as_str(), url.as_str()), ("POST", "http://127.0.0.1:1/do"));
        assert_eq!(body, "csrf=t&email=alice&pass=pw&a=b");
    }

    #[test]
    fn a_page_with_the_user_name_alone_is_filled() {
        for autocomplete in ["username", "section-login username", "Username webauthn"] {
            let page = format!(
                "<form method=post><input name=id autocomplete='{autocomplete}'><button>Next</button></form>"
            );
            assert_eq!(
                act(&page, Decision::Approve).unwrap(),
                ("POST".into(), BASE.into(), "id=alice".into())
            );
        }
    }

    #[test]
    fn consent_is_given_or_denied_by_the_right_button() {
        let page = "<form method=post action=/c><input type=hidden name=t value=1><input type=checkbox name=s value=openid>
            <button name=d value=deny>No</button><button name=d value=allow>Allow</button></form>";
        assert_eq!(body_of(page, Decision::Approve), "t=1&s=openid&d=allow");
        assert_eq!(body_of(page, Decision::Deny), "t=1&d=deny");
    }

    #[test]
    fn denial_may_be_a_link() {
        let page = "<form method=post action=/c><button>Continue</button></form><a href=/i/abort>[ Cancel ]</a>";
        assert_eq!(act(page, Decision::Deny).unwrap().1, "http://127.0.0.1:1/i/abort");
    }

    #[test]
    fn forms_that_lead_elsewhere_are_left_alone() {
        assert!(
            act("<form method=post action=/logout><button>Bye</button></form>", Decision::Approve)
                .is_none()
        );
        assert!(act("<h1>Error</h1>", Decision::Approve).is_none());
    }
}
