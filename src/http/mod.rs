//! The wire: the only place that sends anything.
//!
//! A client of our own over `httparse` and `tokio-rustls`, since the requests that a tester must
//! send (raw spaces and quotes in a target, dot segments, header order) and the evidence that he
//! must keep (every header field as spelled, in order) are what typed clients take away. It never
//! follows a redirect, refuses hosts that are neither the target's nor loopback, and bounds time,
//! header size and body size whatever the target answers.

mod breaker;
mod care;
mod connection;
pub mod cookies;
mod handshake;
mod head;
mod limits;
mod listen;
mod origin;
mod pace;
mod patience;
mod race;
pub mod reach;
mod recorder;
mod request;
mod retry_after;
mod route;
mod settle;
mod tls;
mod trace;
pub mod user_agent;
mod web_socket;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::DuplexStream;

use crate::model::address::is_loopback;
use crate::model::exchange::{Exchange, Request, Response, Withheld};
use crate::model::tls::{HandshakeFailure, TlsVersion};
pub use care::Care;
use care::{Guard, Refusal};
use connection::Connection;
pub use limits::Limits;
pub use listen::Listening;
use origin::Origin;
use pace::{Pace, pause};
use patience::Patience;
pub use recorder::Recorder;
use request::complete;
pub use route::Proxy;
use route::Route;
pub use tls::{Identity, Trust};
pub use trace::Mark;
use trace::Trace;
pub use web_socket::Turn;

/// An idle connection older than this may be closed by the peer at any moment; a new one is made.
const IDLE: Duration = Duration::from_secs(2);

/// Opens connections to a server within this process that need no socket.
#[derive(Clone)]
pub struct Shortcut {
    origin: Origin,
    open: Arc<dyn Fn() -> DuplexStream + Send + Sync>,
}

impl Shortcut {
    /// A shortcut to the http origin of that URL.
    ///
    /// The error says what is wrong with the URL.
    pub fn to(
        url: &str,
        open: impl Fn() -> DuplexStream + Send + Sync + 'static,
    ) -> Result<Self, String> {
        Ok(Self { origin: Origin::of(url)?, open: Arc::new(open) })
    }
}

impl fmt::Debug for Shortcut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shortcut({:?})", self.origin)
    }
}

/// Sends requests to the target and to loopback, and to nobody else.
pub struct Http {
    hosts: Mutex<BTreeSet<String>>,
    limits: Limits,
    pace: Pace,
    patience: Patience,
    guard: Guard,
    trace: Trace,
    settling: tokio::sync::Mutex<()>,
    tls: tls::Connector,
    shortcut: Option<Shortcut>,
    route: Route,
    versions: Mutex<HashMap<Origin, TlsVersion>>,
    idle: Mutex<HashMap<Origin, Vec<Connection>>>,
    sent: AtomicU64,
    /// A connection could not be had.
    was_missed: AtomicBool,
    /// A connection could be had.
    was_reached: AtomicBool,
    every: Recorder,
    epoch: Instant,
}

impl Http {
    /// A client for `hosts` (names or addresses) that leaves at least `pace` between two requests.
    pub fn new(hosts: impl IntoIterator<Item = String>, limits: Limits, pace: Duration) -> Self {
        Self {
            hosts: Mutex::new(hosts.into_iter().map(|h| h.to_ascii_lowercase()).collect()),
            limits,
            patience: Patience::new(limits),
            pace: Pace::of(pace),
            guard: Guard::new(Care::default(), limits),
            trace: Trace::begin(),
            settling: tokio::sync::Mutex::default(),
            tls: tls::Connector::default(),
            shortcut: None,
            route: Route::default(),
            versions: Mutex::default(),
            idle: Mutex::default(),
            sent: AtomicU64::new(0),
            was_missed: AtomicBool::default(),
            was_reached: AtomicBool::default(),
            every: Recorder::default(),
            epoch: Instant::now(),
        }
    }

    /// The same client that finds these hosts, names in lower case, at these addresses, and all but
    /// this machine through the proxy.
    #[must_use]
    pub fn going(self, resolve: BTreeMap<String, IpAddr>, proxy: Option<Proxy>) -> Self {
        Self { route: Route { resolve, proxy }, ..self }
    }

    /// The same client with that trust.
    #[must_use]
    pub fn trusting(self, trust: Trust) -> Self {
        Self { tls: tls::Connector::trusting(trust), ..self }
    }

    /// The same client that reaches a server within the process without a socket.
    #[must_use]
    pub fn by(self, shortcut: Option<Shortcut>) -> Self {
        Self { shortcut, ..self }
    }

    /// The same client that takes that care of the target.
    #[must_use]
    pub fn caring(self, care: Care) -> Self {
        Self { guard: Guard::new(care, self.limits), ..self }
    }

    /// The trace id of the run (W3C Trace Context), where requests carry it.
    pub fn trace_id(&self) -> Option<String> {
        self.guard.is_traced().then(|| self.trace.id().to_owned())
    }

    /// The mark of one request more that somebody else sends for that recorder, where requests carry
    /// any.
    pub fn next_mark(&self, recorder: &Recorder) -> Option<Mark> {
        self.guard.is_traced().then(|| self.trace.next(recorder.subject()))
    }

    fn mark(&self, recorder: &Recorder, request: &mut Request) {
        if self.guard.is_traced() {
            self.trace.mark(request, recorder.subject());
        }
    }

    /// The time since that point of the run, as exchanges count it.
    pub fn since(&self, at: Duration) -> Duration {
        self.epoch.elapsed().saturating_sub(at)
    }

    /// From now on at least that long between two requests; nothing for the usual pace.
    pub fn rest(&self, interval: Duration) {
        self.pace.rest(interval);
    }

    /// The bounds in force.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Requests sent so far.
    pub fn requests(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Connections were tried, and none could be had.
    pub fn is_unreached(&self) -> bool {
        self.was_missed.load(Ordering::Relaxed) && !self.was_reached.load(Ordering::Relaxed)
    }

    /// Adds a host of the target, for example that of an endpoint which its metadata names.
    pub fn allow(&self, host: &str) {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_ascii_lowercase());
    }

    /// Whether requests may go to that URL.
    pub fn may_reach(&self, url: &str) -> bool {
        Origin::of(url).is_ok_and(|origin| self.allows(&origin))
    }

    fn allows(&self, origin: &Origin) -> bool {
        is_loopback(&origin.host)
            || self.route.resolve.contains_key(&origin.host)
            || self.hosts.lock().unwrap_or_else(PoisonError::into_inner).contains(&origin.host)
    }

    /// Sends `request` and records what happened. `Host`, `Content-Length` and what marks the run
    /// are added where the caller did not set them; nothing else is touched.
    pub async fn send(&self, recorder: &Recorder, mut request: Request) -> Arc<Exchange> {
        let (origin, wait) = match self.admit(&request.url) {
            Err((withheld, reason)) => {
                return self.record(recorder, Instant::now(), request, Err(reason), withheld);
            }
            Ok(admitted) => admitted,
        };
        complete(&origin, &mut request);
        self.mark(recorder, &mut request);
        pause(wait).await;
        self.pace.wait().await;
        let started = Instant::now();
        let outcome = self.exchange(&origin, &request).await;
        self.note(recorder, started, request, outcome)
    }

    /// Takes note of what came of a request that was sent.
    fn note(
        &self,
        recorder: &Recorder,
        started: Instant,
        request: Request,
        outcome: Result<Response, String>,
    ) -> Arc<Exchange> {
        self.patience.note(&request.url, started.elapsed(), outcome.is_ok());
        if let Ok(origin) = Origin::of(&request.url) {
            self.guard.note(&origin, (recorder.subject(), &request), &outcome, Instant::now());
        }
        self.record(recorder, started, request, outcome, None)
    }

    fn record(
        &self,
        recorder: &Recorder,
        started: Instant,
        request: Request,
        outcome: Result<Response, String>,
        withheld: Option<Withheld>,
    ) -> Arc<Exchange> {
        let elapsed = started.elapsed();
        let at = started.duration_since(self.epoch);
        let write = |number| Arc::new(Exchange { number, at, elapsed, request, outcome, withheld });
        let exchange = recorder.record(write);
        self.every.keep(&exchange);
        exchange
    }

    /// Every exchange of the run, also those that no scenario shows.
    pub fn exchanges(&self) -> Vec<Arc<Exchange>> {
        self.every.exchanges()
    }

    /// Where a request goes and how long it has to wait, or why it is not sent.
    fn admit(&self, url: &str) -> Result<(Origin, Duration), (Option<Withheld>, String)> {
        let origin = self.permit(url).map_err(|reason| (None, reason))?;
        let refused = |(withheld, reason): Refusal| (Some(withheld), reason);
        let wait = self.guard.permit(&origin, self.requests(), Instant::now()).map_err(refused)?;
        Ok((origin, wait))
    }

    fn permit(&self, url: &str) -> Result<Origin, String> {
        let origin = Origin::of(url)?;
        if !self.allows(&origin) {
            return Err(format!(
                "{} is neither a host of the target nor loopback: nothing was sent",
                origin.host
            ));
        }
        self.patience.permit(url)?;
        Ok(origin)
    }

    async fn exchange(&self, origin: &Origin, request: &Request) -> Result<Response, String> {
        if let Some(connection) = self.take_idle(origin) {
            match self.on(connection, origin, request).await {
                Ok(response) => return Ok(response),
                // The peer closed an idle connection just then: a request that is safe to repeat is
                // sent once more on a new one.
                Err((_, true)) if matches!(request.method.as_str(), "GET" | "HEAD") => {}
                Err((reason, _)) => return Err(reason),
            }
        }
        let connection = self.connect(origin).await?;
        self.on(connection, origin, request).await.map_err(|(reason, _)| reason)
    }

    async fn connect(&self, origin: &Origin) -> Result<Connection, String> {
        if let Some(shortcut) = self.shortcut.as_ref().filter(|s| s.origin == *origin) {
            return Ok(Connection::over((shortcut.open)(), None));
        }
        let open = Connection::open(origin, &self.route, &self.tls);
        let late = || format!("no connection within {} s", self.limits.connect.as_secs());
        let opened = tokio::time::timeout(self.limits.connect, open).await;
        let opened = opened.unwrap_or_else(|_| Err(HandshakeFailure::Unreached(late())));
        let is_missed = matches!(opened, Err(HandshakeFailure::Unreached(_)));
        let seen = if is_missed { &self.was_missed } else { &self.was_reached };
        seen.store(true, Ordering::Relaxed);
        let connection = opened.map_err(|failure| failure.to_string())?;
        if let Some(version) = connection.version {
            self.note_version(origin, version);
        }
        Ok(connection)
    }

    fn note_version(&self, origin: &Origin, version: TlsVersion) {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.insert(origin.clone(), version);
    }

    fn version_of(&self, origin: &Origin) -> Option<TlsVersion> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).get(origin).copied()
    }

    async fn on(
        &self,
        mut connection: Connection,
        origin: &Origin,
        request: &Request,
    ) -> Result<Response, (String, bool)> {
        self.count();
        let answer =
            tokio::time::timeout(self.limits.total, connection.exchange(request, self.limits));
        match answer.await {
            Err(_) => {
                Err((format!("no complete answer within {} s", self.limits.total.as_secs()), false))
            }
            Ok(Err(broken)) => Err((broken.reason, broken.before_answer)),
            Ok(Ok((response, reusable))) => {
                if reusable {
                    self.keep(origin, connection);
                }
                Ok(response)
            }
        }
    }

    fn keep(&self, origin: &Origin, mut connection: Connection) {
        connection.idle_since = Instant::now();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.entry(origin.clone()).or_default().push(connection);
    }

    /// One more request was sent.
    fn count(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    fn take_idle(&self, origin: &Origin) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = idle.get_mut(origin)?;
        while let Some(mut connection) = waiting.pop() {
            if connection.idle_since.elapsed() < IDLE && connection.is_silent() {
                return Some(connection);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_foreign_host_is_refused_before_anything_is_sent() {
        let http = Http::new(["as.test".to_owned()], Limits::default(), Duration::ZERO);
        let recorder = Recorder::default();
        let request = Request::get("http://probe.invalid/");
        let exchange = http.send(&recorder, request).await;
        assert!(
            exchange
                .outcome
                .as_ref()
                .unwrap_err()
                .contains("neither a host of the target nor loopback")
        );
        assert_eq!(http.requests(), 0);
        assert_eq!(recorder.exchanges().len(), 1);
    }
}
