//! Walks through the pages of a login in a browser.

use std::time::Duration;

use tokio::time::Instant;

use super::guard::Departure;
use super::page::Sight;
use super::rest::{Idleness, unreached};
use super::tab::Tab;
use super::visit::broken;
use crate::target::login::User;
use crate::target::login::choice::{denies, is_password, otp_field, username_field};
use crate::target::login::driver::{Decision, Driver};
use crate::target::login::form::{Choice, MOST_DECISIONS};
use crate::target::login::html::{Button, Field, Form, Page};
use crate::target::login::intent::Act;
use crate::target::login::reason::{Reason, Trouble};

/// Time between two looks at a page.
pub(super) const TICK: Duration = Duration::from_millis(100);
/// Time after which a page that waits for nothing and has not changed is taken for the answer.
const QUIET: Duration = Duration::from_secs(3);

/// What the user does on a page.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Deed {
    Identify(usize),
    SignIn(usize),
    Code(usize),
    Press(Option<usize>, usize),
    Follow(usize),
}

/// How a walk ended.
pub(super) enum End {
    /// With the authorization response.
    Left(Departure),
    /// On the page of that address, before an act at which the scenario stops, if it does.
    Rests(String, Option<Act>),
}

/// Where a walk stands.
pub(super) struct Walk<'s> {
    /// The acts that the user does not do.
    is_stop: &'s dyn Fn(Act) -> bool,
    /// What was done last, in which document, and since when nothing has happened.
    last: Option<(Deed, f64, Instant)>,
    /// The password was sent.
    pub(super) has_signed_in: bool,
    has_identified: bool,
    /// Pages of consent that were answered.
    pub(super) decisions: usize,
    /// Steps of the profile decided.
    pub(super) has_decided: bool,
    /// A code was sent; whether it had been sent before in this run.
    pub(super) coded: Option<bool>,
    /// Steps did what there was to type.
    is_scripted: bool,
    /// The document in which a step of the profile was taken last, and since when nothing has
    /// happened.
    stepped: Option<(f64, Instant)>,
    pub(super) idleness: Idleness,
}

impl Driver<'_> {
    /// Acts page by page until the browser is about to leave for the client, or rests on a page that
    /// offers nothing where a refusal may be what the request deserves.
    pub(super) async fn walk(
        &self,
        tab: &mut Tab<'_>,
        walk: &mut Walk<'_>,
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
                if self.is_over(&sight, &mut walk.idleness) {
                    return self.at_rest(tab, &sight, walk);
                }
                continue;
            };
            walk.idleness = Idleness::default();
            let act = deed.act();
            if (walk.is_stop)(act) {
                return Ok(End::Rests(sight.url, Some(act)));
            }
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
    pub(super) fn deed(&self, sight: &Sight, page: &Page) -> Option<Deed> {
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
        // What an error page offers leads somewhere else.
        if self.is_error(sight) {
            return None;
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
    fn admit_deed(&self, deed: &Deed, walk: &mut Walk<'_>, user: &User) -> Result<(), Trouble> {
        if deed.is_typed() && walk.is_scripted && !walk.has_signed_in {
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
        walk: &mut Walk<'_>,
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
        walk: &mut Walk<'_>,
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
}

impl<'s> Walk<'s> {
    pub(super) fn new(is_scripted: bool, is_stop: &'s dyn Fn(Act) -> bool) -> Self {
        Self {
            is_stop,
            last: None,
            has_signed_in: false,
            has_identified: false,
            decisions: 0,
            has_decided: false,
            coded: None,
            is_scripted,
            stepped: None,
            idleness: Idleness::default(),
        }
    }

    /// Something happens: whatever is waited for may come of it.
    pub(super) fn stir(&mut self) {
        self.idleness = Idleness::default();
        let times = self.last.iter_mut().map(|(_, _, since)| since);
        for since in times.chain(self.stepped.iter_mut().map(|(_, since)| since)) {
            *since = Instant::now();
        }
    }

    /// A step of the profile was taken in that document.
    pub(super) fn stepped(&mut self, document: f64) {
        self.stepped = Some((document, Instant::now()));
    }

    /// A step of the profile was taken in that document, and in none since.
    pub(super) fn has_stepped(&self, document: f64) -> bool {
        self.stepped.is_some_and(|(at, _)| at == document)
    }

    /// What was done in the same document, by the user or by the steps of the profile, is done again
    /// only when nothing has happened for a while: the page may be about to change.
    fn may_do(&self, deed: &Deed, document: f64) -> bool {
        let acted = match (&self.last, self.stepped) {
            (Some((last, at, when)), _) if last == deed && *at == document => Some(*when),
            (_, Some((at, when))) if deed.is_typed() && at == document => Some(when),
            _ => None,
        };
        acted.is_none_or(|when| when.elapsed() > QUIET)
    }
}

impl Deed {
    fn is_typed(&self) -> bool {
        self.act() != Act::Decide
    }

    /// What it is about.
    fn act(&self) -> Act {
        match self {
            Self::Identify(_) => Act::Identify,
            Self::SignIn(_) | Self::Code(_) => Act::SignIn,
            Self::Press(..) | Self::Follow(_) => Act::Decide,
        }
    }
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
