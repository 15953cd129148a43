//! A login that happens somewhere else: a program or a person takes the authorization request and
//! brings back what the browser was sent, or that the server showed an error.
//!
//! The harness opens the request first, so that what the server refuses at once never bothers
//! anybody. A request that was pushed is handed over unopened: its reference may be good for one
//! look (RFC 9126 §7.3), and that one is the user's.

use std::sync::Arc;

use super::Rung;
use super::driver::{Decision, Driver, Way};
use super::intent::{Act, Intent};
use super::program::Task;
use super::reason::{Reason, Trouble};
use super::script::Failed;
use super::user::User;
use crate::http::user_agent::{Navigation, UserAgent};
#[cfg(feature = "browser")]
use crate::model::exchange::Exchange;
use crate::model::exchange::Request;
use crate::oauth::authorization::{AuthorizationResponse, Landing, Mode};
use crate::oauth::params::Params;
use crate::target::profile::Client;

/// What somebody else brings back.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Brought {
    /// The address to which the browser was sent, and the form that it posted there, if any.
    Response(String, Option<Params>),
    /// The server showed an error, in these words if any.
    ErrorPage(String),
    /// What a browser came to that the harness drove itself.
    #[cfg(feature = "browser")]
    Seen(Seen),
}

/// What a browser came to that the harness drove itself.
#[cfg(feature = "browser")]
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// The page on which it rests, or what sent it to the client.
    pub(super) exchange: Arc<Exchange>,
    /// The address to which it was sent, if any, and the form that it posts there, if any.
    pub(super) response: Option<(String, Option<Params>)>,
    /// The act before which the user stopped, as the scenario has it.
    pub(super) stopped: Option<Act>,
    /// What the user met.
    pub(super) met: Met,
}

/// What the user met in a browser that the harness drove itself.
#[cfg(feature = "browser")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Met {
    /// The password was sent.
    pub(super) signed_in: bool,
    /// A consent page was answered.
    pub(super) consented: bool,
    /// Steps of the profile may have answered one.
    pub(super) may_have_consented: bool,
}

impl Driver<'_> {
    /// Where the user begins whose request nobody must open before him: at the push.
    pub(super) fn unopened(
        &self,
        first: &Request,
        is_stop: impl Fn(Act) -> bool,
    ) -> Option<Navigation> {
        if !self.login.is_elsewhere()
            || self.user.is_none()
            || first.method != "GET"
            || is_stop(Act::SignIn)
        {
            return None;
        }
        let exchange = self.push_of(first)?;
        let url = exchange.request.url.clone();
        Some(Navigation { exchange, url, departed: None, endless: false })
    }

    /// Has somebody else sign in whose browser rests there; how that ended.
    pub(super) async fn outside(
        &self,
        agent: &mut UserAgent,
        first: &Request,
        resting: &Navigation,
        (user, is_stop): (&User, &dyn Fn(Act) -> bool),
        way: Way,
    ) -> (Landing, Way, Option<Intent>) {
        let mut way = Way { unseen: true, ..way };
        let mut landing = Landing {
            exchange: Arc::clone(&resting.exchange),
            response: None,
            asks_to_sign_in: false,
            endless: false,
            shown: None,
        };
        #[cfg_attr(not(feature = "browser"), expect(unused_mut, reason = "for browsers"))]
        let mut intent = None;
        match self.hand_over(agent, first, resting, (user, is_stop)).await {
            Ok(Brought::Response(url, None)) => {
                landing.response = Some(AuthorizationResponse::from_url(&url, Mode::Redirect));
            }
            Ok(Brought::Response(url, Some(form))) => {
                landing.response = Some(AuthorizationResponse::from_form(&url, form));
            }
            Ok(Brought::ErrorPage(text)) => landing.shown = Some(text),
            #[cfg(feature = "browser")]
            Ok(Brought::Seen(Seen { exchange, response, stopped, met })) => {
                landing.asks_to_sign_in = matches!(stopped, Some(Act::SignIn | Act::Identify));
                intent = stopped.map(|act| Intent { act, request: None });
                landing.exchange = exchange;
                landing.response = response.map(|(url, form)| match form {
                    Some(form) => AuthorizationResponse::from_form(&url, form),
                    None => AuthorizationResponse::from_url(&url, Mode::Redirect),
                });
                way.unseen = false;
                way.signed_in |= met.signed_in;
                way.consented |= met.consented;
                way.undecided = met.may_have_consented;
            }
            Err((trouble, exchange)) => {
                landing.exchange = exchange;
                way.trouble = Some(trouble);
            }
        }
        (landing, way, intent)
    }

    async fn hand_over(
        &self,
        #[cfg_attr(not(feature = "browser"), expect(unused_variables, reason = "for browsers"))]
        agent: &mut UserAgent,
        first: &Request,
        resting: &Navigation,
        #[cfg_attr(not(feature = "browser"), expect(unused_variables, reason = "for browsers"))]
        (user, is_stop): (&User, &dyn Fn(Act) -> bool),
    ) -> Result<Brought, Failed> {
        let fail = |trouble| (trouble, Arc::clone(&resting.exchange));
        let impossible = |why: &str| fail(Trouble::not_possible(why));
        // A browser of our own goes on where the request led.
        if first.method != "GET" && !self.login.walks_by_itself() {
            return Err(impossible("a request by POST cannot be handed to another browser"));
        }
        let params = self.asked(first);
        // A page for signing out names nobody.
        let client =
            params.value("client_id").and_then(|id| self.clients.iter().find(|c| c.id == id));
        let redirect_uri = params.value("redirect_uri").or(client.map(Client::redirect_uri));
        let Some(redirect_uri) = redirect_uri else {
            return Err(impossible("only an authorization request can be handed over"));
        };
        let response_mode = params.value("response_mode");
        let answer = match &self.login.rung {
            Rung::Exec(program) => {
                let task = Task {
                    authorization_url: &first.url,
                    redirect_uri,
                    response_mode,
                    issuer: self.issuer,
                    user,
                    decision: self.decision,
                };
                program.run(&task, self.memory).await
            }
            Rung::Manual(_) if self.decision == Decision::Deny => {
                return Err(impossible("nobody is asked to deny"));
            }
            Rung::Manual(manual) => {
                let _turn = self.memory.turn.lock().await;
                let is_posted = response_mode == Some("form_post");
                let number = self.memory.spent();
                let user = &user.username;
                manual.ask(&first.url, redirect_uri, is_posted, (number, user), self.leaves).await
            }
            #[cfg(feature = "browser")]
            Rung::Browser(browser) => {
                // A future that is large, for a way that few logins go.
                Box::pin(self.browse(browser, agent, &first.url, resting, (user, is_stop))).await
            }
            _ => return Err(impossible("nobody else signs in")),
        };
        let answer = answer.map_err(fail)?;
        // What a browser did stands in its exchanges, which came since.
        let (at, whom) = match self.login.driver() {
            "browser" => (self.recorder.len(), "a browser went through these pages"),
            _ => (resting.exchange.number, "signed in elsewhere, which nobody saw"),
        };
        self.memory.note(at, whom);
        let (callback, form) = match &answer {
            Brought::Response(callback, form) => (callback, form),
            #[cfg(feature = "browser")]
            Brought::Seen(Seen { response: Some((callback, form)), .. }) => (callback, form),
            _ => return Ok(answer),
        };
        let carried = AuthorizationResponse::from_url(callback, Mode::Redirect);
        let posted = form.as_ref().and_then(|form| form.value("code"));
        if let Some(code) = posted.or(carried.code()) {
            self.memory.learn("code", code);
        }
        if !(self.leaves)(callback) {
            return Err(fail(Trouble::new(
                Reason::CallbackNotReached,
                format!(
                    "an answer at {}, which is no redirect URI of the request",
                    carried.address
                ),
                "answer with the address to which the browser was sent with the code",
            )));
        }
        let is_bare = carried.code().or(carried.error()).is_none() && form.is_none();
        if is_bare && response_mode == Some("form_post") {
            return Err(impossible(
                "the response is a form that the browser posts, and the answer of the program holds no form",
            ));
        }
        Ok(answer)
    }
}
