//! Signs in and consents through HTML forms over plain HTTP.

use std::borrow::Cow;
use std::sync::Arc;

use super::choice::{
    announces_username, denies, is_decision, is_denial_word, is_password, is_visible, otp_field,
    username_field,
};
use super::driver::{Decision, Driver, Way};
use super::html::{self, Button, Form, Page};
use super::reason::{Reason, Trouble, WRONG_CODE};
use super::{Rung, User};
use crate::http::user_agent::{Navigation, resolve};
use crate::model::exchange::{Exchange, Request};
use crate::oauth::authorization::form_post;
use crate::oauth::params::Params;

/// Decisions that one login may take: pages that only ask to go on among them.
pub(super) const MOST_DECISIONS: usize = 4;

/// What answers a consent page.
pub(super) enum Choice<'p> {
    /// A form, sent off by that button.
    Button(&'p Form, Option<&'p Button>),
    /// A link, by its `href`.
    Link(&'p str),
}

/// What is typed into a form.
pub(super) struct Typed<'a> {
    user: &'a User,
    /// A one-time code.
    code: Option<String>,
}

impl Driver<'_> {
    /// The request that the user's next action on the page sends, if there is one to take. He types
    /// nothing where `user` is absent.
    pub(super) async fn next(
        &self,
        navigation: &Navigation,
        page: &Page,
        user: Option<&User>,
        way: &mut Way,
    ) -> Option<Request> {
        let status = navigation.exchange.response().map_or(0, |r| r.status);
        let asks = |form: &&Form| self.asks_to_sign_in(form) || self.asks_for_code(form);
        if let Some(form) = page.forms.iter().find(asks) {
            return match self.fill_in(navigation, form, user, way).await {
                Ok(request) => request,
                Err(trouble) => {
                    way.trouble = Some(trouble);
                    None
                }
            };
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
        way.decisions += 1;
        if way.decisions > MOST_DECISIONS {
            let detail =
                format!("{MOST_DECISIONS} approvals led to {}", navigation.exchange.gist());
            let remedy = "name the button that approves as approve under [login] in the profile";
            way.trouble = Some(Trouble::new(Reason::ConsentLoop, detail, remedy));
            return None;
        }
        Some(request)
    }

    /// Types what a form of the sign-in asks for.
    async fn fill_in(
        &self,
        navigation: &Navigation,
        form: &Form,
        user: Option<&User>,
        way: &mut Way,
    ) -> Result<Option<Request>, Trouble> {
        let Some(user) = user else { return Err(self.nobody_types(navigation)) };
        let asks_password =
            form.fields.iter().any(|f| is_password(form, &self.login.hints, &f.name, &f.kind));
        let asks_code = otp_field(form, &self.login.hints).is_some();
        if asks_password && way.signed_in {
            return Err(self.refused(navigation, user));
        }
        if !asks_password && !asks_code && std::mem::replace(&mut way.identified, true) {
            return Err(Trouble::new(
                Reason::WrongPassword,
                "the page that asks for the user name came back",
                "check the user name",
            ));
        }
        way.signed_in |= asks_password;
        let code = if asks_code { Some(self.code_for(user, &mut way.coded).await?) } else { None };
        let typed = Typed { user, code };
        Ok(self.submit(&navigation.url, form, form.buttons.first(), Some(&typed)))
    }

    /// The sign-in form is there again. Credentials are never repeated against a refusal: the
    /// account could be locked.
    fn refused(&self, navigation: &Navigation, user: &User) -> Trouble {
        let exchange = &navigation.exchange;
        if exchange.is_disturbed() {
            let remedy = "lower concurrency or raise pace_ms in the profile";
            return Trouble::new(Reason::Refused, exchange.gist(), remedy);
        }
        self.memory.refused(user);
        Trouble::new(
            Reason::WrongPassword,
            exchange.gist(),
            "check user name and password: the sign-in form came back",
        )
    }

    /// A sign-in form in front of somebody who types nothing.
    fn nobody_types(&self, navigation: &Navigation) -> Trouble {
        let gist = navigation.exchange.gist();
        match self.login.rung {
            Rung::Session(_) => Trouble::new(
                Reason::FreshLogin,
                format!("a sign-in page, which an imported session does not get past: {gist}"),
                "export the cookies of a live session again (before each command, where the server renews them with each login), or let the harness sign in (driver = \"form\")",
            ),
            _ => Trouble::new(
                Reason::CallbackNotReached,
                format!("a sign-in form that the steps do not get past: {gist}"),
                "add the steps that sign in, and see sign_in_page under [login] in the profile",
            ),
        }
    }

    /// A one-time code for the form that asks for one. A code that was refused is not sent again,
    /// except that one which another sign-in had used up is followed by the next. `coded` remembers
    /// whether a code was sent, and whether it had been used before.
    pub(super) async fn code_for(
        &self,
        user: &User,
        coded: &mut Option<bool>,
    ) -> Result<String, Trouble> {
        let trouble = |detail, remedy: &str| Trouble::new(Reason::SecondFactor, detail, remedy);
        let Some(totp) = &user.totp else {
            let remedy = "give the user totp = \"env:NAME\" in the profile, or an account without a second factor";
            return Err(trouble("a page that asks for a one-time code", remedy));
        };
        match *coded {
            None => {}
            Some(true) => self.memory.codes_are_single_use(user),
            Some(false) => {
                return Err(trouble(
                    "the page that asks for a one-time code came back",
                    WRONG_CODE,
                ));
            }
        }
        let code = self.memory.code(user, totp).await;
        *coded = Some(code.is_used && coded.is_none());
        Ok(code.value)
    }

    pub(super) fn asks_for_code(&self, form: &Form) -> bool {
        let Some(field) = otp_field(form, &self.login.hints) else { return false };
        !form.fields.iter().any(|f| f.kind == "password" && f.name != field.name)
    }

    /// The request that approves or denies on a consent page, if the page offers it.
    fn decide(&self, base: &str, page: &Page) -> Option<Request> {
        match self.choose(page)? {
            Choice::Button(form, button) => self.submit(base, form, button, None),
            Choice::Link(href) => resolve(base, href).map(Request::get),
        }
    }

    /// What approves or denies on a consent page, if the page offers it.
    pub(super) fn choose<'p>(&self, page: &'p Page) -> Option<Choice<'p>> {
        let asked = page.forms.iter().find(|form| is_decision(form))?;
        let is = |hint: &Option<String>, b: &Button| {
            hint.as_ref().map(|h| b.name == *h || b.value == *h)
        };
        if self.decision == Decision::Approve {
            let hinted =
                asked.buttons.iter().find(|b| is(&self.login.hints.approve, b) == Some(true));
            let button = hinted.or_else(|| asked.buttons.iter().find(|b| !denies(b)));
            return Some(Choice::Button(asked, button));
        }
        let is_denial = |b: &&Button| is(&self.login.hints.deny, b).unwrap_or_else(|| denies(b));
        let on_page = page.forms.iter().find_map(|f| Some((f, f.buttons.iter().find(is_denial)?)));
        if let Some((form, button)) = on_page {
            return Some(Choice::Button(form, Some(button)));
        }
        let is_way_out =
            |(href, text): &&(String, String)| is_denial_word(text) || is_denial_word(href);
        let (href, _) = page.links.iter().find(is_way_out)?;
        Some(Choice::Link(href))
    }

    pub(super) fn asks_to_sign_in(&self, form: &Form) -> bool {
        form.field_of("password").is_some()
            && form.fields.iter().filter(|f| f.kind == "password").count() == 1
            || form.fields.iter().any(|f| announces_username(f) && is_visible(&f.kind))
            || self
                .login
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
        typed: Option<&Typed<'_>>,
    ) -> Option<Request> {
        let hints = &self.login.hints;
        let mut fields = Params::default();
        let otp_field = otp_field(form, hints).map(|f| &f.name);
        let username_field = username_field(form, hints);
        for field in form.fields.iter().filter(|f| !f.name.is_empty()) {
            let value = match typed {
                Some(Typed { code: Some(code), .. }) if Some(&field.name) == otp_field => code,
                Some(typed) if is_password(form, hints, &field.name, &field.kind) => {
                    typed.user.password.expose()
                }
                Some(typed) if Some(&field.name) == username_field.as_ref() => &typed.user.username,
                _ => &field.value,
            };
            let is_off = match field.kind.as_str() {
                "radio" => !field.checked,
                // Whoever approves ticks every box. Whoever denies leaves the page as it is, and so does
                // whoever signs in, but for what he must tick.
                "checkbox" if typed.is_some() => !field.checked && !field.required,
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

/// The value as browsers submit it: every line break is CR LF (HTML, Form submission).
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
    use futures_util::FutureExt as _;

    use super::*;
    use crate::http::user_agent::Home;
    use crate::http::{Http, Recorder};
    use crate::model::exchange::samples::answered;
    use crate::target::login::Login;
    use crate::target::login::memory::Memory;
    use crate::target::login::otp::Totp;
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
        let totp = Totp::read("MZXW6YTBOI").ok();
        let user = User { totp, ..User::new("alice", Secret::new("pw")) };
        let (recorder, home, login) = (Recorder::default(), Home::of([BASE]), Login::default());
        let driver = Driver {
            http: &http,
            recorder: &recorder,
            home: &home,
            leaves: &|_| false,
            user: Some(&user),
            decision,
            login: &login,
            memory: &Memory::new(None, true),
            clients: &[],
            issuer: BASE,
            now: 0,
            demands_code: false,
        };
        let navigation = navigation(body);
        let page = read(&navigation.exchange);
        let mut way = Way::default();
        let request = driver.next(&navigation, &page, Some(&user), &mut way).now_or_never()??;
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
