//! Logins with a wallet that go another way than usual: what is presented has a fault, or somebody
//! else listens.

use std::sync::Arc;
use std::time::Duration;

use super::context::usable;
use super::interaction::AT_ONCE;
use super::{Step, World};
use crate::expect::wallet::Heard;
use crate::http::user_agent::UserAgent;
use crate::model::exchange::Exchange;
use crate::model::verdict::Obstacle;
use crate::oauth::authorization::Landing;
use crate::oauth::fault::Fault;
use crate::oauth::params::Params;
use crate::oauth::request_object::RequestObject;
use crate::target::login::driver::{Decision, Driver};
use crate::target::login::reason::Trouble;
use crate::target::login::wallet::channel::Channel;
use crate::target::login::wallet::invitation::Invitation;

/// Time that an event has after a presentation was accepted, and after one was refused: a server that
/// lets the browser in all the same does so at once.
const ACCEPTED: Duration = Duration::from_secs(3);
const REFUSED: Duration = Duration::from_secs(1);

/// What a wallet did in one login, and what became of it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The request object.
    pub request: RequestObject,
    /// What was presented last.
    pub fields: Params,
    /// The answers to the presentations, in order.
    pub answers: Vec<Arc<Exchange>>,
    /// What each browser heard.
    pub heard: Vec<Heard>,
}

/// Why nothing was presented.
enum Missed {
    Trouble(Trouble),
    /// The wallet cannot have that fault.
    Fault,
}

impl World {
    /// Begins a login in a new browser, which rests at the portal.
    pub async fn invite(&mut self) -> Step<Invitation> {
        let context = self.context()?;
        self.take_new_browser();
        let request = self.request()?;
        self.wait_at(request, AT_ONCE).await?;
        let landing = self.flow()?.landing;
        let Some(wallet) = context.target.login.wallet() else {
            return self.not_applicable("nobody signs in with a wallet");
        };
        let read = Invitation::of(&landing.exchange, wallet);
        let remedy = "see where the authorization request leads";
        self.need(read.map_err(|why| {
            Obstacle::new(
                "to begin a login with a wallet",
                format!("{why}: {}", landing.gist()),
                remedy,
            )
        }))
    }

    /// Fetches the request object of a login.
    pub async fn fetch(&mut self, invitation: &Invitation) -> Step<(RequestObject, Arc<Exchange>)> {
        let (context, recorder) = (self.context()?, self.recorder.clone());
        let driver = context.driver(&recorder, &|_| false, None, Decision::Approve);
        let fetched = driver.request_object(invitation).await;
        self.need(fetched.map_err(|(trouble, _)| trouble.obstacle()))
    }

    /// What a careful wallet objects to in the request object; an obstacle, where nobody can tell.
    pub fn flaws(&mut self, invitation: &Invitation, request: &RequestObject) -> Step<Vec<String>> {
        let now = self.context()?.clock.now();
        let flaws = request.flaws(&invitation.client_id, now);
        self.need(flaws.map_err(|why| {
            let remedy = "report the form of client_id, so that the harness learns it";
            Obstacle::new("to verify the request object", why, remedy)
        }))
    }

    /// Lets the browsers listen while the wallet presents its credential once for each of `faults`,
    /// `delay` after it has fetched the request. What became of it is kept in [`Self::shown`].
    pub async fn show(
        &mut self,
        invitation: &Invitation,
        browsers: &mut [UserAgent],
        faults: &[Option<Fault>],
        delay: Delay,
    ) -> Step {
        let (context, recorder) = (self.context()?, self.recorder.clone());
        let (Some(wallet), Some(user)) = (context.target.login.wallet(), &context.target.user)
        else {
            return self.missing("wallet");
        };
        let uris = [self.flow()?.redirect_uri().to_owned()];
        let leaves = |location: &str| context.is_client(location, &uris);
        let driver = context.driver(&recorder, &leaves, Some(user), Decision::Approve);
        self.need(driver.admit(user).map_err(|trouble| trouble.obstacle()))?;
        let acting = async {
            let fetched = driver.request_object(invitation).await;
            let (request, _) = fetched.map_err(|(trouble, _)| Missed::Trouble(trouble))?;
            let delay = delay.of(&request);
            if !delay.is_zero() {
                context.clock.pass(delay).await;
            }
            let late = i64::try_from(delay.as_secs()).unwrap_or(i64::MAX);
            let now = driver.time_for(&request).saturating_add(late);
            let (mut answers, mut fields) = (Vec::new(), Params::default());
            for fault in faults {
                let answer = wallet.answer(&request, user, now, *fault);
                let answer = answer.map_err(|why| Missed::Trouble(Trouble::unanswered(why)))?;
                fields = answer.ok_or(Missed::Fault)?;
                answers.push(driver.deliver(&request, &fields).await);
            }
            Ok((request, fields, answers))
        };
        let patience = |outcome: &Result<(_, _, Vec<Arc<Exchange>>), Missed>| match outcome {
            Ok((_, _, answers)) => patience(answers),
            Err(_) => Duration::ZERO,
        };
        let agents = browsers.iter_mut().collect();
        let (streams, outcome) = driver.listen_while(agents, invitation, acting, patience).await;
        match outcome {
            Ok((request, fields, answers)) => {
                for answer in &answers {
                    self.need(usable(answer.clone()))?;
                }
                let heard = heard(&driver, &invitation.events, browsers, streams).await;
                self.shown.push(Shown { request, fields, answers, heard });
                Ok(())
            }
            Err(Missed::Trouble(trouble)) => self.need(Err(trouble.obstacle())),
            Err(Missed::Fault) => self.not_applicable(
                "the wallet of the profile cannot present this: it needs another format, disclosures or issuer_key",
            ),
        }
    }

    /// Sends the last presentation once more while the browser listens anew.
    pub async fn show_again(&mut self, invitation: &Invitation) -> Step {
        let (context, recorder) = (self.context()?, self.recorder.clone());
        let first = self.last_shown()?;
        let user = context.target.user.as_ref();
        let uris = [self.flow()?.redirect_uri().to_owned()];
        let leaves = |location: &str| context.is_client(location, &uris);
        let driver = context.driver(&recorder, &leaves, user, Decision::Approve);
        let acting = async { vec![driver.deliver(&first.request, &first.fields).await] };
        let agents = vec![&mut self.agent];
        let (streams, answers) =
            driver.listen_while(agents, invitation, acting, |answers| patience(answers)).await;
        for answer in &answers {
            self.need(usable(answer.clone()))?;
        }
        let heard =
            heard(&driver, &invitation.events, std::slice::from_mut(&mut self.agent), streams)
                .await;
        self.shown.push(Shown { answers, heard, ..first });
        Ok(())
    }

    /// What the wallet did last.
    pub fn last_shown(&self) -> Step<Shown> {
        self.shown.last().cloned().map_or_else(|| self.missing("presentation"), Ok)
    }
}

/// When the wallet answers.
#[derive(Clone, Copy, Debug)]
pub enum Delay {
    /// At once.
    None,
    /// When the request object has expired, and so much later.
    Expired(Duration),
}

/// Seconds for which a login may wait where its request object does not say.
const LONGEST: i64 = 600;

impl Delay {
    fn of(self, request: &RequestObject) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Expired(margin) => {
                let times = (request.issued_at(), request.expires_at());
                let lifetime = match times {
                    (Some(iat), Some(exp)) if exp > iat => exp - iat,
                    _ => LONGEST,
                };
                Duration::from_secs(lifetime.unsigned_abs()) + margin
            }
        }
    }
}

fn patience(answers: &[Arc<Exchange>]) -> Duration {
    let is_accepted = |e: &Arc<Exchange>| e.response().is_some_and(|r| r.status < 400);
    if answers.last().is_some_and(is_accepted) { ACCEPTED } else { REFUSED }
}

/// What the browsers heard, and what became of those that were sent on and perhaps asked to approve: the
/// address in an event does not tell who receives a code.
async fn heard(
    driver: &Driver<'_>,
    events: &Channel,
    browsers: &mut [UserAgent],
    streams: Vec<Arc<Exchange>>,
) -> Vec<Heard> {
    let mut all = Vec::new();
    for (agent, stream) in browsers.iter_mut().zip(streams) {
        let told = stream.response().and_then(|response| events.redirect(&response.body));
        all.push(match told {
            Some(told) => {
                let navigation = driver.go(agent, stream, told).await;
                let Landing { exchange, response, .. } = driver.follow_up(agent, navigation).await;
                Heard { exchange, response }
            }
            None => Heard { exchange: stream, response: None },
        });
    }
    all
}
