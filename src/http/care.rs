//! Care for the target: it is left alone while it is ill or asks for it, and gets no more requests
//! than a run may cost.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::breaker::{Breaker, Symptom};
use super::{Limits, Origin, retry_after};
use crate::model::exchange::{Request, Response, Withheld};

/// A wait that a request makes up for by itself; a longer one would let codes and tokens grow old
/// in the middle of a scenario.
const SHORT: Duration = Duration::from_secs(1);

/// The subject of connections without a request.
const HANDSHAKE: &str = "handshake";

/// What is done for the sake of the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Care {
    /// Most requests of the run; a tenth of them is kept for its end.
    pub budget: Option<u64>,
    /// A server that falls ill is left alone.
    pub has_breaker: bool,
    /// `Retry-After` is honoured.
    pub heeds_retry_after: bool,
    /// Requests say which run and which duty they belong to.
    pub is_traced: bool,
}

/// Why a request is not sent.
pub(super) type Refusal = (Withheld, String);

/// What is to be done before the next scenario.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Go,
    Wait(Duration),
    /// One request to that URL tells whether the server has recovered.
    Probe(Origin, String),
}

/// The care that is taken in one run.
pub(super) struct Guard {
    care: Care,
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    servers: HashMap<Origin, Server>,
    /// Time that servers asked for in all.
    held: Duration,
    is_ending: bool,
}

#[derive(Default)]
struct Server {
    breaker: Breaker,
    /// An address that was answered.
    known: Option<String>,
    hold: Option<Hold>,
}

/// A server asked to be left alone.
#[derive(Clone, Copy)]
struct Hold {
    until: Instant,
    /// It asks for more than a run waits.
    is_too_long: bool,
}

impl Guard {
    pub(super) fn new(care: Care, limits: Limits) -> Self {
        Self { care, limits, state: Mutex::default() }
    }

    pub(super) fn is_traced(&self) -> bool {
        self.care.is_traced
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long a request has to wait, or why it is not sent; `sent` were sent before.
    pub(super) fn permit(
        &self,
        origin: &Origin,
        sent: u64,
        now: Instant,
    ) -> Result<Duration, Refusal> {
        let state = self.state();
        if let Some(budget) = self.care.budget {
            let most = if state.is_ending { budget } else { budget - budget / 10 };
            if sent >= most {
                let kept = if state.is_ending {
                    ""
                } else {
                    ", but for a tenth that is kept for the end of the run"
                };
                let why =
                    format!("the budget of {budget} requests is spent{kept}: nothing was sent");
                return Err((Withheld::BudgetSpent, why));
            }
        }
        let Some(server) = state.servers.get(origin) else { return Ok(Duration::ZERO) };
        if !server.breaker.is_closed() {
            let why =
                "the target is ill, it fails or is busy whatever it is asked: nothing was sent";
            return Err((Withheld::Ill, why.into()));
        }
        let wait = server.hold.map_or(Duration::ZERO, |hold| hold.until.duration_since(now));
        if wait > SHORT {
            let why = format!(
                "the target asked to be left alone (Retry-After), for {} s more: nothing was sent",
                wait.as_secs()
            );
            return Err((Withheld::AskedToWait, why));
        }
        Ok(wait)
    }

    /// Takes note of what came back to a request for that subject.
    pub(super) fn note(
        &self,
        origin: &Origin,
        (subject, request): (&str, &Request),
        outcome: &Result<Response, String>,
        now: Instant,
    ) {
        let mut state = self.state();
        self.hold(&mut state, origin, outcome, now);
        if !self.care.has_breaker {
            return;
        }
        let symptom = Symptom::of(outcome);
        let server = state.servers.entry(origin.clone()).or_default();
        if symptom == Symptom::Well && request.method == "GET" && server.known.is_none() {
            server.known = Some(request.url.clone());
        }
        server.breaker.note(subject, symptom, now, self.limits.cool_down);
    }

    /// Takes note of a connection without a request that could not be had. One that could says nothing
    /// about the health of what is behind it.
    pub(super) fn broke(&self, origin: &Origin, reason: &str, now: Instant) {
        self.note(origin, (HANDSHAKE, &Request::get("")), &Err(reason.to_owned()), now);
    }

    /// Takes note of what the probe of a server that was ill found.
    pub(super) fn probed(&self, origin: &Origin, outcome: &Result<Response, String>, now: Instant) {
        let mut state = self.state();
        self.hold(&mut state, origin, outcome, now);
        let server = state.servers.entry(origin.clone()).or_default();
        server.breaker.probed(Symptom::of(outcome), now, self.limits.cool_down);
    }

    fn hold(
        &self,
        state: &mut State,
        origin: &Origin,
        outcome: &Result<Response, String>,
        now: Instant,
    ) {
        let asked = outcome.as_ref().ok().filter(|_| self.care.heeds_retry_after);
        let asked = asked.and_then(|response| retry_after::asked(response, Timestamp::now()));
        let Some(asked) = asked else { return };
        // An instant that cannot be represented is later than any run.
        let far = || now + Duration::from_secs(86_400);
        let until = now.checked_add(asked).unwrap_or_else(far);
        let held = state.servers.get(origin).and_then(|s| s.hold).map_or(now, |h| h.until.max(now));
        let more = until.duration_since(held);
        if more.is_zero() {
            return;
        }
        let is_too_long = asked > self.limits.longest_hold || state.held + more > self.limits.holds;
        if !is_too_long {
            state.held += more;
        }
        state.servers.entry(origin.clone()).or_default().hold = Some(Hold { until, is_too_long });
    }

    /// What is to be done before the next scenario begins.
    pub(super) fn next(&self, now: Instant) -> Next {
        let state = self.state();
        let mut wait = Duration::ZERO;
        let mut probe = None;
        for (origin, server) in &state.servers {
            let hold = server.hold.filter(|hold| !hold.is_too_long).map(|hold| hold.until);
            let opens = server.breaker.opens_until();
            let times = [hold, opens].into_iter().flatten();
            let longest = times.map(|until| until.duration_since(now)).max().unwrap_or_default();
            wait = wait.max(longest);
            if opens.is_some() && longest.is_zero() {
                probe = server.known.clone().map(|url| (origin.clone(), url)).or(probe);
            }
        }
        match (probe, wait.is_zero()) {
            (Some((origin, url)), _) => Next::Probe(origin, url),
            (None, true) => Next::Go,
            (None, false) => Next::Wait(wait),
        }
    }

    /// The rest of the budget is for the end of the run.
    pub(super) fn end(&self) {
        self.state().is_ending = true;
    }

    /// A server is ill now.
    pub(super) fn is_ill(&self) -> bool {
        self.state().servers.values().any(|server| !server.breaker.is_closed())
    }

    /// How often servers fell ill, and the time that they asked for in all.
    pub(super) fn summary(&self) -> (u32, Duration) {
        let state = self.state();
        (state.servers.values().map(|server| server.breaker.openings()).sum(), state.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::answered;

    const ALL: Care =
        Care { budget: Some(100), has_breaker: true, heeds_retry_after: true, is_traced: true };

    fn guard() -> (Guard, Origin, Instant) {
        let origin = Origin::of("http://as.test/").unwrap();
        (Guard::new(ALL, Limits::default()), origin, Instant::now())
    }

    fn get(path: &str) -> Request {
        Request::get(format!("http://as.test{path}"))
    }

    fn busy(seconds: &str) -> Result<Response, String> {
        answered(429, &[("Retry-After", seconds)], "").outcome
    }

    fn why(refused: Result<Duration, Refusal>) -> Withheld {
        refused.unwrap_err().0
    }

    #[test]
    fn the_last_tenth_of_the_budget_is_for_the_end() {
        let (guard, origin, now) = guard();
        assert!(guard.permit(&origin, 89, now).is_ok());
        assert_eq!(why(guard.permit(&origin, 90, now)), Withheld::BudgetSpent);
        guard.end();
        assert!(guard.permit(&origin, 99, now).is_ok());
        assert_eq!(why(guard.permit(&origin, 100, now)), Withheld::BudgetSpent);
    }

    #[test]
    fn a_server_that_asks_for_it_is_left_alone_for_that_time() {
        let (guard, origin, now) = guard();
        guard.note(&origin, ("a", &get("/token")), &busy("30"), now);
        assert_eq!(why(guard.permit(&origin, 1, now)), Withheld::AskedToWait);
        assert_eq!(guard.next(now), Next::Wait(Duration::from_secs(30)));
        let later = now + Duration::from_secs(30);
        assert_eq!(guard.permit(&origin, 1, later), Ok(Duration::ZERO));
        assert_eq!(guard.next(later), Next::Go);
        let other = Origin::of("http://api.test/").unwrap();
        assert!(guard.permit(&other, 1, now).is_ok());
    }

    #[test]
    fn a_moment_is_waited_for_by_the_request_itself() {
        let (guard, origin, now) = guard();
        guard.note(&origin, ("a", &get("/token")), &busy("1"), now);
        assert_eq!(guard.permit(&origin, 1, now), Ok(Duration::from_secs(1)));
    }

    #[test]
    fn nobody_waits_longer_than_a_minute_at_once_or_five_in_all() {
        let (guard, origin, now) = guard();
        guard.note(&origin, ("a", &get("/token")), &busy("61"), now);
        assert_eq!(guard.next(now), Next::Go, "nobody waits for it");
        assert_eq!(why(guard.permit(&origin, 1, now)), Withheld::AskedToWait);

        let (guard, origin, mut now) = self::guard();
        for _ in 0..5 {
            guard.note(&origin, ("a", &get("/token")), &busy("60"), now);
            assert_eq!(guard.next(now), Next::Wait(Duration::from_secs(60)));
            now += Duration::from_secs(60);
        }
        guard.note(&origin, ("a", &get("/token")), &busy("60"), now);
        assert_eq!(guard.next(now), Next::Go);
        assert_eq!(why(guard.permit(&origin, 1, now)), Withheld::AskedToWait);
        assert_eq!(guard.summary().1, Duration::from_secs(300));
    }

    #[test]
    fn requests_that_hear_the_same_are_one_wait() {
        let (guard, origin, now) = guard();
        for _ in 0..50 {
            guard.note(&origin, ("a", &get("/token")), &busy("60"), now);
        }
        assert_eq!(guard.summary().1, Duration::from_secs(60));
    }

    #[test]
    fn an_ill_server_is_probed_where_it_answered_before() {
        let (guard, origin, now) = guard();
        guard.note(&origin, ("a", &get("/metadata?x")), &answered(200, &[], "").outcome, now);
        for subject in ["a", "b", "c"].into_iter().cycle().take(6) {
            guard.note(&origin, (subject, &get("/token")), &Err("reset".into()), now);
        }
        assert!(guard.is_ill());
        assert_eq!(why(guard.permit(&origin, 1, now)), Withheld::Ill);
        let cool_down = Limits::default().cool_down;
        assert_eq!(guard.next(now), Next::Wait(cool_down));
        let later = now + cool_down;
        let probe = Next::Probe(origin.clone(), "http://as.test/metadata?x".into());
        assert_eq!(guard.next(later), probe);
        guard.probed(&origin, &answered(200, &[], "").outcome, later);
        assert!(!guard.is_ill() && guard.permit(&origin, 1, later).is_ok());
        assert_eq!(guard.summary().0, 1);
    }

    #[test]
    fn connections_that_cannot_be_had_make_a_server_ill() {
        let (guard, origin, now) = guard();
        guard.note(&origin, ("a", &get("/metadata")), &answered(200, &[], "").outcome, now);
        for _ in 0..8 {
            assert!(guard.permit(&origin, 1, now).is_ok());
            guard.broke(&origin, "refused", now);
        }
        assert_eq!(why(guard.permit(&origin, 1, now)), Withheld::Ill);
    }

    #[test]
    fn without_care_nothing_is_withheld() {
        let origin = Origin::of("http://as.test/").unwrap();
        let (guard, now) = (Guard::new(Care::default(), Limits::default()), Instant::now());
        guard.note(&origin, ("a", &get("/metadata")), &answered(200, &[], "").outcome, now);
        for subject in ["a", "b", "c"].into_iter().cycle().take(50) {
            guard.note(&origin, (subject, &get("/token")), &busy("60"), now);
        }
        assert_eq!(guard.permit(&origin, 1_000_000, now), Ok(Duration::ZERO));
        assert_eq!(guard.next(now), Next::Go);
    }
}
