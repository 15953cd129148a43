//! Walks through the pages of a login in a browser.

use std::time::Duration;

use tokio::time::Instant;

use super::page::Sight;
use super::tab::Tab;
use super::visit::broken;
use crate::target::login::User;
use crate::target::login::choice::{denies, is_password, otp_field, username_field};
use crate::target::login::driver::{Decision, Driver};
use crate::target::login::form::{Choice, MOST_DECISIONS};
use crate::target::login::html::{Button, Field, Form, Page};
use crate::target::login::reason::{Reason, Trouble};

/// Time between two looks at a page.
pub(super) const TICK: Duration = Duration::from_millis(100);
/// Time after which a page that waits for nothing and has not changed is taken for the answer.
const QUIET: Duration = Duration::from_secs(3);
/// Time that a page has to show something to do.
const SHOWS: Duration = Duration::from_secs(8);

/// What the user does on a page.
#[derive(Clone, Debug, PartialEq)]
enum Deed {
    Identify(usize),
    SignIn(usize),
    Code(usize),
    Press(Option<usize>, usize),
    Follow(usize),
}

/// How a walk ended.
pub(super) enum End {
    /// At the address that carries the authorization response.
    Left(String),
    /// On the page of that address.
    Rests(String),
}

/// Where a walk stands.
#[derive(Default)]
pub(super) struct Walk {
    /// What was done last, in which document, and since when nothing has happened.
    last: Option<(Deed, f64, Instant)>,
    /// The password was sent.
    pub(super) has_signed_in: bool,
    has_identified: bool,
    decisions: usize,
    /// A code was sent; whether it had been sent before in this run.
    coded: Option<bool>,
    /// Steps did what there was to type.
    is_scripted: bool,
    /// Since when there is nothing to do.
    idle: Option<Instant>,
}

impl Driver<'_> {
    /// Acts page by page until the browser is about to leave for the client, or rests on a page that
    /// offers nothing where a refusal may be what the request deserves.
    pub(super) async fn walk(
        &self,
        tab: &mut Tab<'_>,
        walk: &mut Walk,
        user: &User,
    ) -> Result<End, Trouble> {
        loop {
            tab.attend(TICK).await.map_err(broken)?;
            self.record(tab);
            if let Some(callback) = &tab.guard.callback {
                return Ok(End::Left(callback.clone()));
            }
            // A page that is being replaced cannot be read.
            let Ok(sight) = tab.look().await else { continue };
            if sight.url.starts_with("chrome-error:") {
                return Err(unreached(tab));
            }
            if !sight.is_ready || tab.guard.is_busy() {
                walk.stir();
                continue;
            }
            let page = self.offered(&sight);
            let Some(deed) = self.deed(&sight, &page) else {
                let since = *walk.idle.get_or_insert_with(Instant::now);
                if since.elapsed() > SHOWS {
                    return self.at_rest(tab, &sight, walk);
                }
                continue;
            };
            walk.idle = None;
            if !walk.may_do(&deed, sight.document) {
                continue;
            }
            self.admit_deed(&deed, walk, user)?;
            self.carry_out(tab, &sight, &page, &deed, walk, user).await?;
            walk.last = Some((deed, sight.document, Instant::now()));
        }
    }

    /// The page; controls outside every form count as a form of consent only where they look like
    /// one: one of them is the button that the profile names, or denies, or is alone.
    pub(super) fn offered(&self, sight: &Sight) -> Page {
        let mut page = sight.page();
        let hint = self.login.hints.approve.as_deref();
        let loose = page.forms.iter_mut().enumerate().filter(|(at, _)| sight.is_loose(*at));
        for (_, form) in loose {
            let is_named = form
                .buttons
                .iter()
                .any(|b| hint.is_some_and(|h| b.name == h || b.value == h || b.label == h));
            let asks = form.buttons.iter().any(denies) || form.buttons.len() == 1;
            if !is_named && !asks {
                form.method = "GET".into();
            }
        }
        page
    }

    /// What there is to do on the page.
    fn deed(&self, sight: &Sight, page: &Page) -> Option<Deed> {
        let hints = &self.login.hints;
        let asks = |f: &Form| self.asks_to_sign_in(f) || self.asks_for_code(f);
        if let Some(at) = page.forms.iter().position(asks) {
            let form = &page.forms[at];
            let has_password =
                form.fields.iter().any(|f| is_password(form, hints, &f.name, &f.kind));
            let deed = match (has_password, otp_field(form, hints).is_some()) {
                (true, _) => Deed::SignIn(at),
                (false, true) => Deed::Code(at),
                (false, false) => Deed::Identify(at),
            };
            return Some(deed);
        }
        match self.choose(page)? {
            Choice::Button(form, button) => {
                let at = page.forms.iter().position(|f| std::ptr::eq(f, form))?;
                let place = |b: &Button| form.buttons.iter().position(|own| std::ptr::eq(own, b));
                Some(Deed::Press(button.and_then(place), at))
            }
            Choice::Link(href) => sight.link(href).map(Deed::Follow),
        }
    }

    /// Refuses what was done before and led back.
    fn admit_deed(&self, deed: &Deed, walk: &mut Walk, user: &User) -> Result<(), Trouble> {
        let is_typed = !matches!(deed, Deed::Press(..) | Deed::Follow(_));
        if is_typed && walk.is_scripted && !walk.has_signed_in {
            return Err(Trouble::new(
                Reason::CallbackNotReached,
                "a sign-in form that the steps do not get past",
                "add the steps that fill it, under [login] in the profile",
            ));
        }
        match deed {
            Deed::SignIn(_) if walk.has_signed_in => Err(self.sent_back(user)),
            Deed::Identify(_) if std::mem::replace(&mut walk.has_identified, true) => {
                let detail = "the page that asks for the user name came back";
                Err(Trouble::new(Reason::WrongPassword, detail, "check the user name"))
            }
            Deed::Press(..) | Deed::Follow(_) => {
                walk.decisions += 1;
                if walk.decisions <= MOST_DECISIONS {
                    return Ok(());
                }
                let detail = format!("{MOST_DECISIONS} approvals led to another");
                let remedy = "name the button that approves as approve under [login]";
                Err(Trouble::new(Reason::ConsentLoop, detail, remedy))
            }
            _ => Ok(()),
        }
    }

    /// The sign-in form is there again. As with forms over plain HTTP, the password of a server that
    /// was busy is not the one at fault.
    fn sent_back(&self, user: &User) -> Trouble {
        let last = self.recorder.exchanges().pop();
        if let Some(exchange) = last.filter(|exchange| exchange.is_disturbed()) {
            let remedy = "lower concurrency or raise pace_ms in the profile";
            return Trouble::new(Reason::Refused, exchange.gist(), remedy);
        }
        self.memory.refused(user);
        let remedy = "check user name and password";
        Trouble::new(Reason::WrongPassword, "the sign-in form came back", remedy)
    }

    async fn carry_out(
        &self,
        tab: &mut Tab<'_>,
        sight: &Sight,
        page: &Page,
        deed: &Deed,
        walk: &mut Walk,
        user: &User,
    ) -> Result<(), Trouble> {
        match deed {
            Deed::Follow(at) => tab.click(*at).await.map(drop).map_err(broken),
            Deed::Press(button, form) => {
                if self.decision == Decision::Approve {
                    for at in sight.open_boxes(*form) {
                        tab.click(at).await.map_err(broken)?;
                    }
                }
                send_off(tab, button.and_then(|b| sight.button(*form, b))).await
            }
            Deed::Identify(at) | Deed::SignIn(at) | Deed::Code(at) => {
                let form = &page.forms[*at];
                let typed = self.typed(form, user, walk).await?;
                walk.has_signed_in |= matches!(deed, Deed::SignIn(_));
                let mut last = 0;
                for (field, text) in typed {
                    let place = sight.field(*at, field).unwrap_or(usize::MAX);
                    if tab.fill(place, &text).await.map_err(broken)? {
                        last = last.max(place);
                    }
                }
                send_off(tab, sight.sender(*at, last)).await
            }
        }
    }

    /// What is typed into the fields of a form.
    async fn typed<'f>(
        &self,
        form: &'f Form,
        user: &User,
        walk: &mut Walk,
    ) -> Result<Vec<(&'f Field, String)>, Trouble> {
        let hints = &self.login.hints;
        let mut typed = Vec::new();
        let code = otp_field(form, hints);
        let name = username_field(form, hints);
        for field in &form.fields {
            if code.is_some_and(|code| std::ptr::eq(code, field)) {
                typed.push((field, self.code_for(user, &mut walk.coded).await?));
            } else if is_password(form, hints, &field.name, &field.kind) {
                typed.push((field, user.password.expose().to_owned()));
            } else if Some(&field.name) == name.as_ref()
                && code.is_none_or(|c| c.name != field.name)
            {
                typed.push((field, user.username.clone()));
            }
        }
        Ok(typed)
    }

    /// The browser rests on a page that offers nothing. As with forms over plain HTTP, that is how
    /// the request ended, except where it should have brought a code.
    fn at_rest(&self, tab: &Tab<'_>, sight: &Sight, walk: &Walk) -> Result<End, Trouble> {
        if tab.guard.barred.is_some() {
            return Err(unreached(tab));
        }
        match self.demands_code {
            true => Err(self.stuck(sight, walk)),
            false => Ok(End::Rests(sight.url.clone())),
        }
    }

    /// Why a page that offers nothing is none to rest on.
    fn stuck(&self, sight: &Sight, walk: &Walk) -> Trouble {
        let page = sight.url.split(['?', '#']).next().unwrap_or_default();
        let exchanges = self.recorder.exchanges();
        let is_error = exchanges.last().and_then(|e| e.response()).is_some_and(|r| r.status >= 400);
        match (is_error, walk.has_signed_in) {
            (true, _) => {
                let gist = exchanges.last().map(|e| e.gist()).unwrap_or_default();
                let remedy = "see the page, and the log of the server";
                Trouble::new(Reason::Refused, format!("{gist} at {page}"), remedy)
            }
            (false, true) if walk.coded.is_some() && walk.decisions == 0 => {
                Trouble::code_refused(format!("the browser rests at {page}"))
            }
            (false, true) => {
                let remedy =
                    "see the page on which the user rests: something is left for him to do";
                Trouble::new(
                    Reason::CallbackNotReached,
                    format!("the browser rests at {page}"),
                    remedy,
                )
            }
            (false, false) => {
                let remedy = "name fields and buttons under [login], or list [[login.steps]]";
                let detail = format!("nothing to fill in or press at {page}");
                Trouble::new(Reason::FieldNotFound, detail, remedy)
            }
        }
    }
}

impl Walk {
    pub(super) fn new(is_scripted: bool) -> Self {
        Self { is_scripted, ..Self::default() }
    }

    /// Something happens: whatever is waited for may come of it.
    fn stir(&mut self) {
        self.idle = None;
        if let Some((_, _, since)) = &mut self.last {
            *since = Instant::now();
        }
    }

    /// A deed is done again in the same document only when nothing has happened for a while: the
    /// page may be about to change.
    fn may_do(&self, deed: &Deed, document: f64) -> bool {
        match &self.last {
            Some((last, at, when)) if last == deed && *at == document => when.elapsed() > QUIET,
            _ => true,
        }
    }
}

/// Why there is no page.
fn unreached(tab: &Tab<'_>) -> Trouble {
    if let Some(origin) = tab.guard.barred.as_ref().or(tab.guard.blocked.keys().next()) {
        let detail = format!("the browser was about to leave for {origin}");
        let remedy = "name its origin under origins in [login], if the user signs in there";
        return Trouble::new(Reason::CallbackNotReached, detail, remedy);
    }
    let failure = tab.guard.failure.as_deref().unwrap_or("nothing");
    let detail = format!("no page: the browser says {failure}");
    let remedy = "check that the browser reaches the target and trusts its certificate: it does not read ca_file, only its own trust store";
    Trouble::new(Reason::PageNotFound, detail, remedy)
}

/// Presses the button, as soon as the page lets it be pressed, or else the key that sends a form.
async fn send_off(tab: &mut Tab<'_>, button: Option<usize>) -> Result<(), Trouble> {
    let Some(at) = button else { return tab.press("Enter", 13).await.map_err(broken) };
    for _ in 0..20 {
        if tab.click(at).await.map_err(broken)? {
            return Ok(());
        }
        tab.attend(TICK).await.map_err(broken)?;
    }
    let detail = "the button that sends the form cannot be pressed";
    Err(Trouble::new(Reason::FieldNotFound, detail, "list [[login.steps]] in the profile"))
}
