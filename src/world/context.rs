//! What all scenarios of a run share: the target, what is known about it, the wire, one signed-in
//! session, and the working twins that give refusals their meaning.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::browsers::Browsers;
pub use super::clock::Clock;
use super::front;
use super::shared::{Known, Parts};
use crate::http::user_agent::{Home, SharedJar, UserAgent};
use crate::http::{Http, Recorder};
use crate::model::exchange::{Exchange, Request};
use crate::model::requirement::Profile;
use crate::model::verdict::{Obstacle, withheld};
use crate::oauth::authorization::{AuthorizationRequest, Landing};
use crate::oauth::params::Params;
use crate::oauth::token::{self, TokenResponse};
use crate::target::capabilities::Facts;
use crate::target::login::driver::{Decision, Driver, Way};
use crate::target::login::memory::Memory;
use crate::target::login::reason::Trouble;
use crate::target::profile::{Client, Target, User};

/// What a completed flow yielded.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Index of the client.
    pub client: usize,
    /// The authorization request.
    pub request: AuthorizationRequest,
    /// The token request.
    pub redemption: Params,
    /// The token endpoint's answer.
    pub exchange: Arc<Exchange>,
    /// Its members.
    pub tokens: TokenResponse,
    /// When it arrived, in seconds since the epoch.
    pub received: i64,
}

/// Everything that scenarios share.
pub struct Context {
    /// The target as configured.
    pub target: Target,
    /// What is known about it.
    pub facts: Facts,
    /// The wire.
    pub http: Http,
    /// What the target is held to.
    pub profile: Profile,
    /// The origins of the authorization server.
    pub home: Home,
    /// Those, and the origins of other servers on which the user signs in: followed, not judged.
    pub roam: Home,
    /// What the sign-ins of the run remember.
    pub memory: Memory,
    /// The user agents that nobody uses now.
    pub(super) browsers: Browsers,
    /// The clock of the run.
    pub clock: Clock,
    /// The flow of the preflight, by the first client.
    pub baseline: Option<Grant>,
    /// Exchanges that belong to no single scenario.
    pub shared: Recorder,
    /// Every exchange of the scenarios, for those that run last.
    pub whole: OnceLock<Vec<Arc<Exchange>>>,
    /// Grants that opened a place, by its name, or why none does. Scenarios share them.
    pub opened: tokio::sync::Mutex<BTreeMap<&'static str, Result<Grant, Obstacle>>>,
    /// What scenarios play once and share.
    pub parts: Parts,
    twins: Vec<Known<()>>,
    refresh_twins: Vec<Known<bool>>,
    /// A scenario may wait in real time, or need not.
    pub may_wait: bool,
    /// Whether each client met a consent page in this run.
    consents: Vec<AtomicBool>,
}

impl Context {
    /// A context that knows nothing about its target yet.
    pub fn new(target: Target, http: Http, profile: Profile, clock: Clock) -> Self {
        let twins = target.clients.iter().map(|_| Known::default()).collect();
        let refresh_twins = target.clients.iter().map(|_| Known::default()).collect();
        let may_wait = clock.is_virtual();
        let memory = Memory::new(target.login.budget, !target.safety.environment.is_shared());
        let consents = target.clients.iter().map(|_| AtomicBool::new(false)).collect();
        let imported = target.login.jar().map(SharedJar::new);
        Self {
            target,
            facts: Facts::default(),
            http,
            profile,
            home: Home::default(),
            roam: Home::default(),
            memory,
            browsers: Browsers::of(imported),
            clock,
            baseline: None,
            shared: Recorder::default(),
            whole: OnceLock::new(),
            opened: tokio::sync::Mutex::default(),
            parts: Parts::default(),
            twins,
            refresh_twins,
            may_wait,
            consents,
        }
    }

    /// The address is one of another server on which the user signs in, and not judged.
    pub fn is_elsewhere(&self, url: &str) -> bool {
        self.roam.contains(url) && !self.home.contains(url)
    }

    /// The client of that index.
    pub fn client(&self, index: usize) -> &Client {
        &self.target.clients[index]
    }

    /// The issuer identifier for comparisons.
    pub fn issuer(&self) -> &str {
        self.facts.issuer(&self.target)
    }

    /// An endpoint, or the obstacle that the target has none.
    pub fn endpoint(&self, name: &str) -> Result<&str, Obstacle> {
        self.facts.endpoint(name).ok_or_else(|| {
            let remedy = format!(
                "publish it in the metadata or set {name} under [endpoints] in the profile"
            );
            Obstacle::new(
                format!("to find the {name}"),
                "neither metadata nor profile names one",
                remedy,
            )
        })
    }

    /// A valid request of that client with its main redirect URI.
    pub fn request(&self, client: usize) -> AuthorizationRequest {
        let client = self.client(client);
        AuthorizationRequest::new(&client.id, client.redirect_uri(), &client.scope)
    }

    /// Brings a navigation to its end. `uris` are the redirect URIs of the request under test; a
    /// page is left alone where `user` is absent.
    pub async fn drive(
        &self,
        agent: &mut UserAgent,
        recorder: &Recorder,
        request: Request,
        uris: &[String],
        user: Option<&User>,
        decision: Decision,
    ) -> (Landing, Way) {
        let leaves = |location: &str| self.is_client(location, uris);
        let (landing, way) =
            self.driver(recorder, &leaves, user, decision).drive(agent, request).await;
        agent.has_signed_in |= way.signed_in || way.presented;
        (landing, way)
    }

    /// The address is a redirect URI, registered or one of `uris`, with or without a response.
    pub(super) fn is_client(&self, location: &str, uris: &[String]) -> bool {
        let is_at = |uri: &str| {
            location
                .strip_prefix(uri)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['?', '#', '&']))
        };
        self.target.redirect_uris().any(|(_, uri)| is_at(uri)) || uris.iter().any(|uri| is_at(uri))
    }

    pub(super) fn driver<'a>(
        &'a self,
        recorder: &'a Recorder,
        leaves: &'a (dyn Fn(&str) -> bool + Sync),
        user: Option<&'a User>,
        decision: Decision,
    ) -> Driver<'a> {
        Driver {
            http: &self.http,
            recorder,
            home: &self.roam,
            leaves,
            user,
            decision,
            login: &self.target.login,
            memory: &self.memory,
            clients: &self.target.clients,
            issuer: &self.target.issuer,
            now: self.clock.now(),
            demands_code: false,
        }
    }

    /// One code by the client's valid request, or the obstacle that kept the user from it.
    pub async fn code(
        &self,
        agent: &mut UserAgent,
        recorder: &Recorder,
        request: &AuthorizationRequest,
    ) -> Result<(Landing, Way), Obstacle> {
        let outcome = self.attempt(agent, recorder, request).await?;
        outcome.map_err(|trouble| trouble.obstacle())
    }

    /// [`Self::code`]; what kept the user from it is told by name.
    pub async fn attempt(
        &self,
        agent: &mut UserAgent,
        recorder: &Recorder,
        request: &AuthorizationRequest,
    ) -> Result<Result<(Landing, Way), Trouble>, Obstacle> {
        let sent = self.valid_front(recorder, request).await?;
        let get = sent.by_get(self.endpoint("authorization_endpoint")?);
        let is_client =
            |location: &str| self.target.redirect_uris().any(|(_, uri)| location.starts_with(uri));
        let user = self.target.user.as_ref();
        let driver = self.driver(recorder, &is_client, user, Decision::Approve);
        let outcome = driver.code(agent, get).await;
        let signs_in = |way: &Way| way.signed_in || way.presented;
        agent.has_signed_in |= outcome.as_ref().is_ok_and(|(_, way)| signs_in(way));
        Ok(outcome.and_then(|(landing, way)| match front::belongs_to(&landing, &sent) {
            true => Ok((landing, way)),
            false => Err(front::another_answer(&landing, &self.target)),
        }))
    }

    /// The whole flow of a client; its last exchange is the token response.
    pub async fn flow(
        &self,
        agent: &mut UserAgent,
        recorder: &Recorder,
        client: usize,
        request: AuthorizationRequest,
    ) -> Result<(Grant, Way), Obstacle> {
        let (landing, way) = self.code(agent, recorder, &request).await?;
        self.remember(client, &way);
        let redemption = self.redemption(client, &request, landing.code().unwrap_or_default());
        let grant = self.redeem(recorder, client, request, redemption).await?;
        Ok((grant, way))
    }

    /// Remembers whether the user was asked to consent on the way.
    pub fn remember(&self, client: usize, way: &Way) {
        self.consents[client].fetch_or(way.consented, Ordering::Relaxed);
    }

    /// A flow of that client in this run, hence its first one if any, showed a consent page.
    pub fn met_consent(&self, client: usize) -> bool {
        self.consents[client].load(Ordering::Relaxed)
    }

    /// The conformant token request for a code.
    pub fn redemption(&self, client: usize, request: &AuthorizationRequest, code: &str) -> Params {
        let redirect_uri = request.params.value("redirect_uri").unwrap_or_default();
        token::code_exchange(&self.client(client).id, code, redirect_uri, &request.code_verifier)
    }

    /// Redeems a code and demands tokens.
    pub async fn redeem(
        &self,
        recorder: &Recorder,
        client: usize,
        request: AuthorizationRequest,
        redemption: Params,
    ) -> Result<Grant, Obstacle> {
        let exchange = self.token_request(recorder, &redemption).await?;
        let tokens = exchange.response().and_then(TokenResponse::read).ok_or_else(|| {
            let is_ill = exchange.response().is_some_and(|r| r.status >= 500);
            let remedy = if is_ill {
                "see the log of the server; lower concurrency or raise pace_ms in the profile if it cannot keep up"
            } else {
                "check that the client is public (no secret), may use the code grant and registered this redirect_uri"
            };
            Obstacle::new("to redeem a fresh code with the right verifier", exchange.gist(), remedy)
        })?;
        Ok(Grant { client, request, redemption, exchange, tokens, received: self.clock.now() })
    }

    /// Sends a token request; an answer that came back is no obstacle, whatever it says.
    pub async fn token_request(
        &self,
        recorder: &Recorder,
        params: &Params,
    ) -> Result<Arc<Exchange>, Obstacle> {
        let request = token::post(self.endpoint("token_endpoint")?, params);
        usable(self.http.send(recorder, request).await)
    }

    /// Proves, once per run and client, that the client's flow works as long as nothing is mutated.
    pub async fn twin(&self, client: usize) -> Result<(), Obstacle> {
        if client == 0 && self.baseline.is_some() {
            return Ok(());
        }
        self.twins[client].or_find(self.prove(client)).await
    }

    /// Proves, once per run and client, that a fresh refresh token of the client works; `false`
    /// where the client gets none.
    pub async fn refresh_twin(&self, client: usize) -> Result<bool, Obstacle> {
        self.refresh_twins[client].or_find(self.prove_refresh(client)).await
    }

    async fn prove_refresh(&self, client: usize) -> Result<bool, Obstacle> {
        let mut agent = self.borrow_session();
        let outcome = self.flow(&mut agent, &self.shared, client, self.request(client)).await;
        self.return_session(agent);
        let (grant, _) = outcome?;
        let Some(refresh_token) = grant.tokens.refresh_token() else { return Ok(false) };
        let params = token::refresh(&self.client(client).id, refresh_token);
        let answer = self.token_request(&self.shared, &params).await?;
        if answer.response().and_then(TokenResponse::read).is_some() {
            return Ok(true);
        }
        let remedy =
            "see refresh.success: what is refused means nothing while every refresh is refused";
        Err(Obstacle::new("to refresh with a fresh refresh token", answer.gist(), remedy))
    }

    /// The clients whose flow was tried and did not work.
    pub async fn failed(&self) -> BTreeSet<usize> {
        let mut failed = BTreeSet::new();
        for (client, twin) in self.twins.iter().enumerate() {
            if twin.is_failure().await {
                failed.insert(client);
            }
        }
        failed
    }

    /// Lets everything that scenarios share and that failed be tried once more.
    pub async fn forget_failures(&self) {
        self.parts.forget_failures();
        self.opened.lock().await.retain(|_, outcome| outcome.is_ok());
        for twin in &self.twins {
            twin.forget_failure().await;
        }
        for twin in &self.refresh_twins {
            twin.forget_failure().await;
        }
    }

    /// Runs the client's whole flow anew.
    pub async fn prove(&self, client: usize) -> Result<(), Obstacle> {
        let mut agent = self.borrow_session();
        let outcome = self.flow(&mut agent, &self.shared, client, self.request(client)).await;
        self.return_session(agent);
        outcome.map(|_| ())
    }
}

/// The exchange, unless nothing came back or the target asked to be left alone.
pub fn usable(exchange: Arc<Exchange>) -> Result<Arc<Exchange>, Obstacle> {
    if let Some(obstacle) = withheld(&exchange) {
        return Err(obstacle);
    }
    let tried = format!(
        "{} {}",
        exchange.request.method,
        exchange.request.url.split('?').next().unwrap_or_default()
    );
    match &exchange.outcome {
        Err(reason) => {
            let remedy = match reason.contains("slow answers") {
                true => {
                    "see why the server is slow; lower concurrency or raise pace_ms in the profile"
                }
                false => "check that the target is up and reachable",
            };
            Err(Obstacle::new(tried, reason.clone(), remedy))
        }
        Ok(response) if matches!(response.status, 429 | 503) => Err(Obstacle::new(
            tried,
            exchange.gist(),
            "lower concurrency or raise pace_ms in the profile",
        )),
        Ok(_) => Ok(exchange),
    }
}
