//! Scenarios that stop between two pages: the user hesitates, somebody else acts.

use super::context::usable;
use super::{Flow, Resting, Step, World};
use crate::http::cookies::Initiator;
use crate::http::user_agent::UserAgent;
use crate::model::exchange::Request;
use crate::oauth::authorization::{AuthorizationRequest, Landing};
use crate::target::login::driver::{Decision, Way};
use crate::target::login::intent::{Act, Intent};
use crate::target::login::reason::Trouble;
use crate::target::profile::User;

/// Where the user stops.
pub type Stop = fn(Act) -> bool;

/// Before he does anything at all.
pub const AT_ONCE: Stop = |act| act != Act::Follow;
/// Before he sends his password.
pub const BEFORE_SIGN_IN: Stop = |act| act == Act::SignIn;
/// Before he approves.
pub const BEFORE_APPROVAL: Stop = |act| act == Act::Decide;
/// Nowhere.
pub const NOWHERE: Stop = |_| false;

impl World {
    /// Sends `request` in the browser; the user goes on until he stops. Where he does, his intent
    /// is kept. The outcome is one more flow.
    pub async fn wait_at(&mut self, request: AuthorizationRequest, stop: Stop) -> Step {
        let context = self.context()?;
        self.intent = None;
        let Some(wire) = self.departure(&request).await? else { return Ok(()) };
        let user = context.target.user.clone();
        self.walk(request, wire, Initiator::CrossSite, user.as_ref(), stop).await
    }

    /// The same for any `wire` that serves `request`, whoever the user is.
    pub async fn walk(
        &mut self,
        request: AuthorizationRequest,
        wire: Request,
        initiator: Initiator,
        user: Option<&User>,
        stop: Stop,
    ) -> Step {
        let mut agent = std::mem::take(&mut self.agent);
        let outcome = self.walk_in(&mut agent, &request, wire, initiator, user, stop).await;
        self.agent = agent;
        let (landing, way, intent) = outcome?;
        self.intent = intent;
        self.flows.push(Flow { client: self.client, request, landing, way });
        Ok(())
    }

    /// [`Self::walk`] in another browser, of which nothing is kept.
    pub async fn walk_in(
        &mut self,
        agent: &mut UserAgent,
        request: &AuthorizationRequest,
        wire: Request,
        initiator: Initiator,
        user: Option<&User>,
        stop: Stop,
    ) -> Step<(Landing, Way, Option<Intent>)> {
        let context = self.context()?;
        if user.is_some()
            && !context.target.login.is_seen()
            && stop(Act::Decide)
            && !stop(Act::SignIn)
        {
            return self.beyond_the_login("the user decides elsewhere, where nobody can stop him");
        }
        let uris = [request.params.value("redirect_uri").unwrap_or_default().to_owned()];
        let leaves = |location: &str| context.is_client(location, &uris);
        let driver = context.driver(&self.recorder, &leaves, user, Decision::Approve);
        let (landing, way, intent) = driver.drive_until(agent, wire, initiator, stop).await;
        agent.has_signed_in |= way.signed_in || way.presented;
        context.remember(self.client, &way);
        self.need(usable(landing.exchange.clone()))?;
        self.need_no_trouble(&way)?;
        Ok((landing, way, intent))
    }

    /// [`Context::confirm_logout`] where the flow stands.
    pub async fn confirm_logout(&mut self) -> Step {
        let (context, flow) = (self.context()?, self.flow()?);
        let (Ok(landing) | Err(landing)) =
            context.confirm_logout(&mut self.agent, &self.recorder, flow.landing.clone()).await;
        self.need(usable(landing.exchange.clone()))?;
        self.flows.pop();
        self.flows.push(Flow { landing, ..flow });
        Ok(())
    }

    /// Puts the browser aside, where it rests, and takes a new one.
    pub fn put_aside(&mut self) -> Step {
        let request = self.flow()?.request;
        let agent = std::mem::take(&mut self.agent);
        self.others.push(Resting { agent, request, intent: self.intent.take() });
        self.flows.clear();
        Ok(())
    }

    /// What the user left undone in the browser.
    pub fn intent(&self) -> Step<Intent> {
        self.intent.clone().map_or_else(|| self.missing("page that waits for the user"), Ok)
    }

    /// The one request that an intent sends. A script and somebody elsewhere send more than one, or
    /// none that anybody sees: what rests on a form is not applicable there.
    pub fn form_of(&mut self, intent: Intent) -> Step<Request> {
        match intent.request {
            Some(request) => Ok(request),
            None => {
                self.beyond_the_login("the user acts by other means than a form that could be sent")
            }
        }
    }

    /// Ends the scenario where a login ended early.
    pub(super) fn need_no_trouble(&mut self, way: &Way) -> Step {
        self.need(way.trouble.as_ref().map_or(Ok(()), |trouble| Err(trouble.obstacle())))
    }

    /// Ends the scenario: the login that is configured cannot do what it asks.
    fn beyond_the_login<T>(&mut self, what: &str) -> Step<T> {
        self.need(Err(Trouble::not_possible(what).obstacle()))
    }

    /// Ends the scenario where nobody saw what the user met.
    pub fn need_sight(&mut self, flow: &Flow) -> Step {
        match flow.way.unseen {
            true => {
                self.beyond_the_login("the user signs in elsewhere: nobody sees what he is asked")
            }
            false => Ok(()),
        }
    }

    /// Ends the scenario where the session that is missed is in a browser of somebody else.
    pub fn need_own_browser(&mut self) -> Step {
        match self.context()?.target.login.is_elsewhere() {
            true => self.beyond_the_login("the session stays in the browser of whoever signs in"),
            false => Ok(()),
        }
    }

    /// Ends the scenario where nobody saw whether the user was asked to decide.
    pub fn need_sight_of_decision(&mut self, flow: &Flow) -> Step {
        self.need_sight(flow)?;
        match flow.way.undecided {
            true => self.beyond_the_login(
                "the steps of the login may decide as well: nobody sees whether the user was asked",
            ),
            false => Ok(()),
        }
    }

    /// The browser that was put aside last.
    pub fn other(&self) -> Step<Resting> {
        self.others.last().cloned().map_or_else(|| self.missing("other browser"), Ok)
    }
}
