//! The user acts page by page, or stops before an act and leaves it to the scenario.

use super::choice::{denies, is_about_logout, is_form_without_questions};
use super::driver::{Decision, Driver, Way};
use super::form::read;
use super::html::Page;
use super::plain::is_plain;
use super::reason::{Reason, Trouble};
use super::step::{Script, Step, When};
use super::wallet::Wallet;
use super::{Rung, User, answer};
use crate::http::cookies::Initiator;
use crate::http::user_agent::{Navigation, UserAgent};
use crate::model::exchange::Request;
use crate::oauth::authorization::{AuthorizationResponse, Landing, Mode};

/// Pages that one sign-in may take, consent included.
const MOST_PAGES: usize = 10;

/// What an act of the user is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The page goes on by itself.
    Follow,
    /// To say who he is, on a page that does not ask for the password.
    Identify,
    /// To send the password.
    SignIn,
    /// To approve or to deny.
    Decide,
}

/// An act that the user has not done yet.
#[derive(Clone, Debug)]
pub struct Intent {
    /// What it is about.
    pub act: Act,
    /// What it sends, where it is one request.
    pub request: Option<Request>,
}

/// What the user does next.
enum Turn<'a> {
    /// One request.
    Send(Request),
    /// The steps of a script.
    Play(Vec<&'a Step>),
    /// To sign in somewhere else.
    HandOver,
    /// To present a credential.
    Show(&'a Wallet),
}

impl Driver<'_> {
    /// Sends `request` and goes on, page by page, until the user agent leaves for the client or
    /// rests on a page that offers nothing more.
    pub async fn drive(&self, agent: &mut UserAgent, request: Request) -> (Landing, Way) {
        let (landing, way, _) =
            self.drive_until(agent, request, Initiator::CrossSite, |_| false).await;
        (landing, way)
    }

    /// [`Self::drive`], except that the user does not do the first act which `is_stop` names; it is
    /// returned with the page on which he rests.
    pub async fn drive_until(
        &self,
        agent: &mut UserAgent,
        request: Request,
        initiator: Initiator,
        is_stop: impl Fn(Act) -> bool,
    ) -> (Landing, Way, Option<Intent>) {
        let way = Way::default();
        let first = request.clone();
        if let (Some(user), Some(push)) = (self.user, self.unopened(&first, &is_stop)) {
            if let Err(trouble) = self.memory.admit(user) {
                let (landing, _) = self.land(&push);
                return (landing, Way { trouble: Some(trouble), ..way }, None);
            }
            return self.outside(agent, &first, &push, (user, &is_stop), way).await;
        }
        let navigation = self.navigate(agent, request, initiator).await;
        self.proceed(agent, &first, navigation, way, is_stop).await
    }

    /// Where a user comes to from a page to which his credential let him in.
    pub async fn follow_up(&self, agent: &mut UserAgent, navigation: Navigation) -> Landing {
        let first = navigation.exchange.request.clone();
        let way = Way { signed_in: true, presented: true, ..Way::default() };
        self.proceed(agent, &first, navigation, way, |_| false).await.0
    }

    /// Goes on from where the browser is, page by page, having come so far by `first`.
    async fn proceed(
        &self,
        agent: &mut UserAgent,
        first: &Request,
        mut navigation: Navigation,
        mut way: Way,
        is_stop: impl Fn(Act) -> bool,
    ) -> (Landing, Way, Option<Intent>) {
        for _ in 0..MOST_PAGES {
            let (landing, page) = self.land(&navigation);
            let Some(user) = self.user else { return (landing, way, None) };
            self.take_note(&landing, &way, user);
            let is_over = landing.response.is_some() && !self.is_elsewhere(&navigation);
            if is_over || landing.endless {
                return (landing, way, None);
            }
            let before = way.clone();
            let turn = self.turn(first, &navigation, &landing, &page, user, &mut way).await;
            let Some((act, turn)) = turn else {
                way.trouble = way.trouble.map(|t| self.within_limits(t, agent, first));
                return (landing, way, None);
            };
            // Where nobody can tell what a page asks for, a browser finds out and stops by itself.
            let is_open = matches!(turn, Turn::HandOver)
                && way.unseen
                && self.login.walks_by_itself()
                && !is_stop(Act::Follow);
            if is_stop(act) && !is_open {
                let request = if let Turn::Send(request) = turn { Some(request) } else { None };
                let way = Way { unseen: way.unseen, ..before };
                return (landing, way, Some(Intent { act, request }));
            }
            let is_sign_in = act == Act::SignIn || matches!(turn, Turn::HandOver);
            let admitted = if is_sign_in { self.memory.admit(user) } else { Ok(()) };
            if let Err(trouble) = admitted {
                return (landing, Way { trouble: Some(trouble), ..before }, None);
            }
            let outcome = match turn {
                Turn::Send(request) => Ok(self.navigate(agent, request, Initiator::SameSite).await),
                Turn::Play(steps) => self.play(agent, &steps, user, first, &navigation).await,
                Turn::HandOver => {
                    return self.outside(agent, first, &navigation, (user, &is_stop), way).await;
                }
                Turn::Show(wallet) => self.show_credential(wallet, agent, user, &navigation).await,
            };
            navigation = match outcome {
                Ok(navigation) => navigation,
                Err((trouble, exchange)) => {
                    let landing = Landing { exchange, response: None, ..landing };
                    return (landing, Way { trouble: Some(trouble), ..way }, None);
                }
            };
        }
        let detail = format!("no end after {MOST_PAGES} pages: {}", navigation.exchange.gist());
        let remedy = "see where the pages lead: authorization_endpoint may be wrong";
        way.trouble = Some(Trouble::new(Reason::CallbackNotReached, detail, remedy));
        (self.land(&navigation).0, way, None)
    }

    /// What the user does next, by the rung of the ladder, and what it is about.
    async fn turn<'s>(
        &'s self,
        first: &Request,
        navigation: &Navigation,
        landing: &Landing,
        page: &Page,
        user: &User,
        way: &mut Way,
    ) -> Option<(Act, Turn<'s>)> {
        let before = way.clone();
        let has_acted = way.signed_in || way.consented;
        if has_acted && answer::is_json(&navigation.exchange) {
            let request = self.onward(navigation, first, way)?;
            return Some((Act::Follow, Turn::Send(request)));
        }
        let typist = match &self.login.rung {
            Rung::Form => Some(user),
            Rung::Session(_) => None,
            Rung::Http(script) => match self.due(script, navigation, way) {
                Some(due) => return Some(due),
                None => None,
            },
            Rung::Wallet(wallet) if landing.asks_to_sign_in => {
                let is_due = self.is_portal(navigation) && !way.signed_in;
                way.signed_in |= is_due;
                way.presented |= is_due;
                return is_due.then_some((Act::SignIn, Turn::Show(wallet)));
            }
            // Some servers ask whom a wallet signed in what he approves.
            Rung::Wallet(_) => None,
            // A page for signing out, say: the session is that of the harness as well.
            _ if self.login.is_browser() && !self.is_authorization(first) => None,
            _ => return self.hand_over_at(navigation, landing, page, way),
        };
        let request = self.next(navigation, page, typist, way).await?;
        let act = match (before.signed_in, way.signed_in) {
            (false, true) => Act::SignIn,
            _ if landing.asks_to_sign_in => Act::Identify,
            _ if page.refresh.is_some() => Act::Follow,
            _ => Act::Decide,
        };
        Some((act, Turn::Send(request)))
    }

    /// Whether somebody else goes on from the page, and with what, as far as a page tells that
    /// nothing could change.
    fn hand_over_at<'s>(
        &self,
        navigation: &Navigation,
        landing: &Landing,
        page: &Page,
        way: &mut Way,
    ) -> Option<(Act, Turn<'s>)> {
        if !self.is_open(navigation) {
            way.unseen = false;
            return None;
        }
        let is_plain = navigation.departed.is_none()
            && landing.exchange.response().is_some_and(is_plain)
            && page.refresh.is_none();
        let act = match (landing.asks_to_sign_in, self.choose(page).is_some()) {
            (true, _) => Act::SignIn,
            (false, true) if is_plain => Act::Decide,
            (false, false) if is_plain => Act::Follow,
            _ => Act::SignIn,
        };
        way.unseen = !is_plain || act == Act::Follow;
        // A browser would find nothing that the harness does not see.
        if act == Act::Follow && !self.demands_code && self.login.walks_by_itself() {
            way.unseen = false;
            return None;
        }
        Some((act, Turn::HandOver))
    }

    /// The request is an authorization request, or one that lacks something.
    fn is_authorization(&self, request: &Request) -> bool {
        let params = self.asked(request);
        let names =
            ["response_type", "redirect_uri", "scope", "code_challenge", "request_uri", "request"];
        names.iter().any(|name| params.value(name).is_some())
    }

    /// The steps that are due on the page: first those that sign in, then those that decide.
    fn due<'s>(
        &self,
        script: &'s Script,
        navigation: &Navigation,
        way: &mut Way,
    ) -> Option<(Act, Turn<'s>)> {
        let decision = match self.decision {
            Decision::Approve => When::Consent,
            Decision::Deny => When::Deny,
        };
        let (login, decide) = (script.of(When::Login), script.of(decision));
        let asks_consent = self.login.is_consent_page(&navigation.url);
        let may_sign_in = self.is_open(navigation) && asks_consent != Some(true);
        if !way.signed_in && may_sign_in && !login.is_empty() {
            way.signed_in = true;
            return Some((Act::SignIn, Turn::Play(login)));
        }
        let is_page = navigation.exchange.response().is_some_and(|r| r.status < 400);
        let may_decide = is_page && asks_consent.unwrap_or(way.signed_in);
        if way.consented || !may_decide || decide.is_empty() {
            return None;
        }
        way.consented = true;
        Some((Act::Decide, Turn::Play(decide)))
    }

    /// The user may sign in where the navigation rests, as far as status and address tell.
    fn is_open(&self, navigation: &Navigation) -> bool {
        self.is_elsewhere(navigation)
            || self.login.is_sign_in_page(&navigation.url)
                && navigation.exchange.response().is_some_and(|r| r.status < 400)
    }

    /// The browser left for a login that is not ours to follow, and whoever signs in for us may.
    fn is_elsewhere(&self, navigation: &Navigation) -> bool {
        self.login.is_elsewhere()
            && navigation.departed.as_ref().is_some_and(|to| {
                let carried = AuthorizationResponse::from_url(to, Mode::Redirect);
                let is_response = carried.code().or(carried.error()).is_some();
                !(self.leaves)(to) && to.starts_with("http") && !is_response
            })
    }

    /// Credentials after which the browser got past the sign-in are good.
    fn take_note(&self, landing: &Landing, way: &Way, user: &User) {
        let has_gone_on = landing.exchange.response().is_some_and(|r| r.status < 400);
        if way.signed_in && has_gone_on && !landing.asks_to_sign_in && landing.error().is_none() {
            self.memory.accepted(user);
        }
    }

    /// The request by which the user confirms that he wants to sign out, if the page asks for it.
    pub fn confirmation(&self, landing: &Landing) -> Option<Request> {
        let page = read(&landing.exchange);
        let asked = || page.forms.iter().filter(|form| is_form_without_questions(form));
        let form = asked().find(|form| is_about_logout(&form.action)).or_else(|| asked().next())?;
        let button = form.buttons.iter().find(|b| !denies(b));
        self.submit(&landing.exchange.request.url, form, button, None)
    }
}
