//! The circuit breaker: when a server is ill, nothing more is sent to it until it had time to
//! recover and one request showed that it did.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::model::exchange::Response;

/// Bad answers in a row that make a server ill where they met several subjects.
const MOST_BAD: usize = 6;

/// Subjects that bad answers must have met. A server that fails at all that one or two requirements
/// ask, side by side, may have a weakness there and be well.
const LEAST_SUBJECTS: usize = 3;

/// Requests in a row that found the server busy or gone, whatever they were about.
const MOST_DEAF: usize = 8;

/// Times that the breaker opens in one run; then the server is given up.
const MOST_OPENINGS: u32 = 5;

/// The cool-down doubles with every opening, up to this multiple.
const LONGEST: u32 = 6;

/// What an answer says about the health of its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symptom {
    /// It answers as one that is up.
    Well,
    /// An error of its own: 5xx, except 501 and 503.
    Failing,
    /// 429 or 503.
    Busy,
    /// No answer.
    Gone,
}

impl Symptom {
    pub(super) fn of(outcome: &Result<Response, String>) -> Self {
        match outcome.as_ref().map(|response| response.status) {
            Err(_) => Self::Gone,
            Ok(429 | 503) => Self::Busy,
            Ok(501) => Self::Well,
            Ok(500..) => Self::Failing,
            Ok(_) => Self::Well,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Closed,
    /// Nothing is sent until then; one probe decides what follows.
    Open(Instant),
    GivenUp,
}

/// The breaker of one server.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: State,
    openings: u32,
    /// It answered in this run: one that never did cannot have fallen ill.
    has_answered: bool,
    bad: Vec<Symptom>,
    subjects: BTreeSet<String>,
}

impl Breaker {
    /// Takes note of an answer to a request for that subject, mostly a requirement id. `cool_down` is
    /// the first one.
    pub(super) fn note(
        &mut self,
        subject: &str,
        symptom: Symptom,
        now: Instant,
        cool_down: Duration,
    ) {
        if symptom == Symptom::Well {
            self.has_answered = true;
            self.forget();
        } else if self.has_answered && self.state == State::Closed {
            self.bad.push(symptom);
            self.subjects.insert(subject.to_owned());
            if self.is_illness() {
                self.open(now, cool_down);
            }
        }
    }

    fn is_illness(&self) -> bool {
        let is_deaf = self.bad.iter().all(|symptom| *symptom != Symptom::Failing);
        self.bad.len() >= MOST_BAD && self.subjects.len() >= LEAST_SUBJECTS
            || self.bad.len() >= MOST_DEAF && is_deaf
    }

    fn forget(&mut self) {
        self.bad.clear();
        self.subjects.clear();
    }

    fn open(&mut self, now: Instant, cool_down: Duration) {
        self.forget();
        self.openings += 1;
        self.state = match self.openings > MOST_OPENINGS {
            true => State::GivenUp,
            false => {
                let factor = 1_u32.checked_shl(self.openings - 1).unwrap_or(LONGEST).min(LONGEST);
                State::Open(now + cool_down * factor)
            }
        };
    }

    /// Takes note of what the probe after the cool-down found.
    pub(super) fn probed(&mut self, symptom: Symptom, now: Instant, cool_down: Duration) {
        match symptom {
            Symptom::Well => self.state = State::Closed,
            _ => self.open(now, cool_down),
        }
    }

    /// Requests may be sent.
    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// When the cool-down ends, if there is one.
    pub(super) fn opens_until(&self) -> Option<Instant> {
        match self.state {
            State::Open(until) => Some(until),
            State::Closed | State::GivenUp => None,
        }
    }

    /// How often it opened.
    pub(super) fn openings(&self) -> u32 {
        self.openings
    }
}

#[cfg(test)]
mod tests {
    use super::Symptom::{Busy, Failing, Gone, Well};
    use super::*;
    use crate::model::exchange::samples::answered;

    const COOL_DOWN: Duration = Duration::from_secs(10);

    /// A server that answered once.
    fn known() -> (Breaker, Instant) {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        breaker.note("shared", Well, now, COOL_DOWN);
        (breaker, now)
    }

    fn feed(breaker: &mut Breaker, now: Instant, symptoms: &[(&str, Symptom)]) {
        for (subject, symptom) in symptoms {
            breaker.note(subject, *symptom, now, COOL_DOWN);
        }
    }

    #[test]
    fn answers_are_read_for_symptoms() {
        let of = |status| Symptom::of(&answered(status, &[], "").outcome);
        assert_eq!([200, 302, 400, 401, 501].map(of), [Well; 5]);
        assert_eq!([500, 502, 504].map(of), [Failing; 3]);
        assert_eq!([429, 503].map(of), [Busy; 2]);
        assert_eq!(Symptom::of(&Err("reset".into())), Gone);
    }

    #[test]
    fn failures_in_a_row_over_several_subjects_open_it() {
        for symptom in [Failing, Busy, Gone] {
            let (mut breaker, now) = known();
            let two = [("pkce.a", symptom), ("token.b", symptom)];
            feed(&mut breaker, now, &[two, two].concat());
            feed(&mut breaker, now, &[("pkce.a", symptom)]);
            assert!(breaker.is_closed());
            feed(&mut breaker, now, &[("authz.c", symptom)]);
            assert!(!breaker.is_closed());
            assert_eq!(breaker.opens_until(), Some(now + COOL_DOWN));
        }
    }

    #[test]
    fn an_answer_in_between_keeps_it_closed() {
        let (mut breaker, now) = known();
        for _ in 0..20 {
            let round = [("a", Failing), ("b", Gone), ("c", Busy), ("d", Failing), ("a", Well)];
            feed(&mut breaker, now, &round);
        }
        assert!(breaker.is_closed());
    }

    #[test]
    fn what_fails_for_two_subjects_is_a_finding_and_one_that_is_deaf_an_illness() {
        let (mut breaker, now) = known();
        for _ in 0..50 {
            feed(&mut breaker, now, &[("obs.a", Failing), ("authz.b", Failing)]);
        }
        assert!(breaker.is_closed());
        for symptom in [Busy, Gone] {
            let (mut breaker, now) = known();
            feed(&mut breaker, now, &[("obs.a", symptom); MOST_DEAF]);
            assert!(!breaker.is_closed());
        }
    }

    #[test]
    fn a_server_that_never_answered_has_not_fallen_ill() {
        let mut breaker = Breaker::default();
        let cleartext = [("a", Gone), ("b", Gone), ("c", Gone)];
        for _ in 0..MOST_BAD {
            feed(&mut breaker, Instant::now(), &cleartext);
        }
        assert!(breaker.is_closed());
    }

    #[test]
    fn a_good_probe_closes_it_and_a_bad_one_waits_longer_and_at_last_gives_up() {
        let (mut breaker, now) = known();
        feed(&mut breaker, now, &[("a", Gone); MOST_DEAF]);
        breaker.probed(Gone, now, COOL_DOWN);
        assert_eq!(breaker.opens_until(), Some(now + COOL_DOWN * 2));
        breaker.probed(Well, now, COOL_DOWN);
        assert!(breaker.is_closed());
        feed(&mut breaker, now, &[("a", Gone); MOST_DEAF]);
        assert_eq!(breaker.opens_until(), Some(now + COOL_DOWN * 4));
        for _ in 0..MOST_OPENINGS {
            breaker.probed(Busy, now, COOL_DOWN);
        }
        assert!(!breaker.is_closed() && breaker.opens_until().is_none());
    }

    #[test]
    fn answers_of_requests_that_were_under_way_do_not_close_it() {
        let (mut breaker, now) = known();
        feed(&mut breaker, now, &[("a", Gone); MOST_DEAF]);
        feed(&mut breaker, now, &[("b", Well)]);
        assert!(!breaker.is_closed());
    }
}
