//! The context of one scenario and its ledger.

pub mod access;
mod browsers;
mod clock;
pub mod context;
pub mod front;
pub mod interaction;
pub mod shared;
pub mod wallet;
mod whole;

use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use cucumber::World as _;

use crate::expect::Findings;
use crate::expect::race::Round;
use crate::expect::transport::{Handshake, Offer};
use crate::http::Recorder;
use crate::http::user_agent::UserAgent;
use crate::model::exchange::{Exchange, Request};
use crate::model::verdict::{Deviation, Ledger, Obstacle, Weight};
use crate::oauth::authorization::{AuthorizationRequest, Landing};
use crate::oauth::key::Key;
use crate::oauth::params::Params;
use crate::oauth::vectors::Row;
use crate::target::login::driver::{Decision, Way};
use crate::target::login::intent::Intent;
use context::{Context, Grant, usable};
use wallet::Shown;

/// An authorization request with what became of it.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Index of the client.
    pub client: usize,
    /// The request as sent.
    pub request: AuthorizationRequest,
    /// Where the user agent came to rest.
    pub landing: Landing,
    /// What the user met on the way.
    pub way: Way,
}

impl Flow {
    /// The redirect URI of the request.
    pub fn redirect_uri(&self) -> &str {
        self.request.params.value("redirect_uri").unwrap_or_default()
    }
}

/// A browser that rests on a page of the authorization server.
#[derive(Clone, Debug)]
pub struct Resting {
    /// The browser.
    pub agent: UserAgent,
    /// The authorization request that brought it there.
    pub request: AuthorizationRequest,
    /// What its user would do next, if the page offers anything.
    pub intent: Option<Intent>,
}

/// A row of an attack table with what became of its request.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The row.
    pub row: Row,
    /// The authorization request.
    pub flow: Flow,
    /// The answer of the token endpoint, where it was asked.
    pub answer: Option<Arc<Exchange>>,
}

/// One scenario: what it holds in its hands, and what it recorded.
#[derive(Default, cucumber::World)]
pub struct World {
    context: Option<Arc<Context>>,
    /// Where the exchanges go.
    pub recorder: Recorder,
    /// The browser.
    pub agent: UserAgent,
    /// The browser was lent by the run and goes back to it.
    is_lent: bool,
    /// Index of the client that acts.
    pub client: usize,
    /// Authorization requests, in order.
    pub flows: Vec<Flow>,
    /// Grants, in order.
    pub grants: Vec<Grant>,
    /// Rows of an attack table, in order.
    pub tried: Vec<Tried>,
    /// Answers under judgement, in order.
    pub answers: Vec<Arc<Exchange>>,
    /// Handshakes with the hosts of the target.
    pub handshakes: Vec<Handshake>,
    /// What hosts did with an offer of one version of TLS.
    pub offers: Vec<Offer>,
    /// Races, round by round.
    pub rounds: Vec<Round>,
    /// Browsers beside [`Self::agent`], in order.
    pub others: Vec<Resting>,
    /// What the user left undone in [`Self::agent`].
    pub intent: Option<Intent>,
    /// A value that a later step compares with.
    pub noted: String,
    /// The key with which the client proves possession.
    pub proof_key: Option<Arc<Key>>,
    /// What the wallet presented, in order.
    pub shown: Vec<Shown>,
    ledger: Ledger,
    /// What a step looked for in vain.
    lack: OnceLock<String>,
}

// The derive macro demands it; a world full of tokens must not print itself.
impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World(..)")
    }
}

/// A step ends the scenario; why stands in the ledger.
#[derive(Clone, Debug)]
pub struct Stop(String);

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a step returns.
pub type Step<T = ()> = Result<T, Stop>;

impl World {
    /// Hands the shared context over, with a browser that is signed in where one is free. The
    /// requests of this scenario serve `subject`, a requirement or what several share.
    pub fn enter(&mut self, context: &Arc<Context>, subject: &str) {
        self.recorder = Recorder::of(subject);
        self.agent = context.borrow_session();
        self.is_lent = true;
        self.context = Some(context.clone());
    }

    /// How many deviations were found so far.
    pub fn deviations(&self) -> usize {
        self.ledger.deviations.len()
    }

    /// How many exchanges there are so far.
    pub fn exchanges(&self) -> usize {
        self.recorder.len()
    }

    /// What the scenario recorded, with its exchanges.
    pub fn ledger(&self) -> Ledger {
        let mut ledger = Ledger { exchanges: self.recorder.exchanges(), ..self.ledger.clone() };
        if let (None, Some(what), Some(last)) =
            (&ledger.obstacle, self.lack.get(), ledger.exchanges.last())
        {
            let remedy = "see the exchanges: a valid request was not answered as it should be";
            ledger.obstacle =
                Some(Obstacle::new(format!("to go on from the {what}"), last.gist(), remedy));
        }
        let preflight = self.context.as_ref().and_then(|c| c.baseline.as_ref());
        let is_since = |e: &Arc<Exchange>| preflight.is_none_or(|grant| e.at > grant.exchange.at);
        if ledger.exchanges.iter().any(is_since) {
            ledger.rests_on_flow_of.get_or_insert(self.client);
        }
        ledger
    }

    /// The shared context.
    pub fn context(&mut self) -> Step<Arc<Context>> {
        let missing = || Stop("the scenario was started without a context".into());
        self.context.clone().ok_or_else(missing)
    }

    /// Takes note of a judgement; a deviation of full weight ends the scenario.
    pub fn judge(&mut self, findings: Findings) -> Step {
        self.ledger.judgements += 1;
        let stop = findings.iter().find(|d| d.weight >= Weight::Draft).map(ToString::to_string);
        self.ledger.deviations.extend(findings);
        stop.map_or(Ok(()), |text| Err(Stop(text)))
    }

    /// [`Self::judge`] where the finding is that the target refused: it counts only as long as the
    /// working twin still works at the end of the run.
    pub fn judge_refusal(&mut self, findings: Findings) -> Step {
        self.ledger.rests_on_flow_of = Some(self.client);
        self.judge(findings)
    }

    /// Takes note of what is worth knowing whatever the verdict; no secret may be in it.
    pub fn observe(&mut self, what: impl Into<String>) {
        self.ledger.observations.push(what.into());
    }

    /// The value, or the end of the scenario with the obstacle on record: as not applicable, if the
    /// login that is configured cannot do it.
    pub fn need<T>(&mut self, result: Result<T, Obstacle>) -> Step<T> {
        let obstacle = match result {
            Ok(value) => return Ok(value),
            Err(obstacle) => obstacle,
        };
        if obstacle.is_beyond_the_login {
            return self.not_applicable(format!("{}; {}", obstacle.came_back, obstacle.remedy));
        }
        let stop = Stop(obstacle.to_string());
        self.ledger.obstacle = Some(obstacle);
        Err(stop)
    }

    /// Whether an obstacle is on record.
    pub fn met_obstacle(&self) -> bool {
        self.ledger.obstacle.is_some()
    }

    /// Ends the scenario: the probe showed that the duty does not apply.
    pub fn not_applicable<T>(&mut self, reason: impl Into<String>) -> Step<T> {
        let reason = reason.into();
        self.ledger.not_applicable = Some(reason.clone());
        Err(Stop(reason))
    }

    /// Ends the scenario: a step needs what no earlier step provided. It is the target's doing if
    /// the scenario sent anything, and a mistake of the scenario if not.
    pub fn missing<T>(&self, what: &str) -> Step<T> {
        self.lack.get_or_init(|| what.to_owned());
        Err(Stop(format!("the scenario has no {what}: an earlier step must provide it")))
    }

    /// Lets another client act, whose flow must work too.
    pub async fn choose(&mut self, client: usize) -> Step {
        let context = self.context()?;
        self.client = client;
        let twin = context.twin(client).await;
        self.need(twin)
    }

    /// A valid request of the acting client.
    pub fn request(&mut self) -> Step<AuthorizationRequest> {
        Ok(self.context()?.request(self.client))
    }

    /// Sends an authorization request by GET; the user signs in and approves where asked.
    pub async fn authorize(&mut self, request: AuthorizationRequest) -> Step {
        self.depart(request, true).await
    }

    /// Opens an authorization request; the user does nothing.
    pub async fn open(&mut self, request: AuthorizationRequest) -> Step {
        self.depart(request, false).await
    }

    /// Drives `wire`, the form in which `request` is sent, to its end.
    pub async fn navigate(
        &mut self,
        request: AuthorizationRequest,
        wire: Request,
        is_driven: bool,
        decision: Decision,
    ) -> Step {
        let context = self.context()?;
        let user = context.target.user.as_ref().filter(|_| is_driven);
        let uris: Vec<String> = request
            .params
            .iter()
            .filter(|(n, _)| *n == "redirect_uri")
            .map(|(_, v)| v.to_owned())
            .collect();
        let (landing, way) =
            context.drive(&mut self.agent, &self.recorder, wire, &uris, user, decision).await;
        context.remember(self.client, &way);
        self.need(usable(landing.exchange.clone()))?;
        self.need_no_trouble(&way)?;
        if is_driven && landing.asks_to_sign_in && landing.response.is_none() {
            // What comes after the sign-in is unknown: the page is neither a refusal nor a way on.
            let remedy = "see whether the account is locked, or raise pace_ms in the profile";
            return self.need(Err(Obstacle::new("to sign in", landing.gist(), remedy)));
        }
        self.flows.push(Flow { client: self.client, request, landing, way });
        Ok(())
    }

    /// The last authorization request with its outcome.
    pub fn flow(&self) -> Step<Flow> {
        self.flows.last().cloned().map_or_else(|| self.missing("authorization request"), Ok)
    }

    /// A fresh code by a valid request of the acting client, or the obstacle.
    pub async fn obtain_code(&mut self, request: AuthorizationRequest) -> Step {
        let context = self.context()?;
        let outcome = context.code(&mut self.agent, &self.recorder, &request).await;
        let (landing, way) = self.need(outcome)?;
        context.remember(self.client, &way);
        self.flows.push(Flow { client: self.client, request, landing, way });
        Ok(())
    }

    /// The conformant token request for the code of a flow.
    pub fn redemption(&mut self, flow: &Flow) -> Step<Params> {
        let context = self.context()?;
        match flow.landing.code() {
            Some(code) => Ok(context.redemption(flow.client, &flow.request, code)),
            None => self.missing("authorization code"),
        }
    }

    /// Sends a token request and keeps the answer for judgement.
    pub async fn token_request(&mut self, params: &Params) -> Step {
        let context = self.context()?;
        let answer = context.token_request(&self.recorder, params).await;
        let answer = self.need(answer)?;
        self.answers.push(answer);
        Ok(())
    }

    /// Sends any request and keeps the answer for judgement.
    pub async fn send(&mut self, request: Request) -> Step {
        let context = self.context()?;
        let answer = usable(context.http.send(&self.recorder, request).await);
        let answer = self.need(answer)?;
        self.answers.push(answer);
        Ok(())
    }

    /// The last answer.
    pub fn answer(&self) -> Step<Arc<Exchange>> {
        self.answers.last().cloned().map_or_else(|| self.missing("answer"), Ok)
    }

    /// Runs the whole flow of a client and keeps the grant.
    pub async fn grant(&mut self, client: usize, request: AuthorizationRequest) -> Step {
        let context = self.context()?;
        let outcome = context.flow(&mut self.agent, &self.recorder, client, request).await;
        let (grant, _) = self.need(outcome)?;
        self.grants.push(grant);
        Ok(())
    }

    /// The last grant.
    pub fn granted(&self) -> Step<Grant> {
        self.grants.last().cloned().map_or_else(|| self.missing("grant"), Ok)
    }

    /// Judges every grant of the scenario; what deviates is shown by its token response.
    pub fn judge_grants(&mut self, judge: impl Fn(&Grant) -> Findings) -> Step {
        if self.grants.is_empty() {
            return self.missing("grant");
        }
        for grant in self.grants.clone() {
            let shown: Findings = judge(&grant)
                .into_iter()
                .map(|d: Deviation| Deviation {
                    exchange: d.exchange.or(Some(grant.exchange.number)),
                    ..d
                })
                .collect();
            self.judge(shown)?;
        }
        Ok(())
    }

    /// Judges every authorization request of the scenario.
    pub fn judge_flows(&mut self, judge: impl Fn(&Flow) -> Findings) -> Step {
        if self.flows.is_empty() {
            return self.missing("authorization request");
        }
        for flow in self.flows.clone() {
            self.judge(judge(&flow))?;
        }
        Ok(())
    }

    /// Puts an exchange that the run shares among the evidence of this scenario.
    pub fn cite(&mut self, exchange: &Arc<Exchange>) -> Arc<Exchange> {
        self.recorder.cite(exchange)
    }
}

/// The step definitions, compiled once in the life of the process.
pub fn registered_steps() -> &'static cucumber::step::Collection<World> {
    static COMPILED: LazyLock<cucumber::step::Collection<World>> = LazyLock::new(World::collection);
    &COMPILED
}
