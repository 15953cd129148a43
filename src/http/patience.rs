//! What a target that stalls may cost: an endpoint that stays silent is asked no more, and neither
//! is a target whose slow answers took too long in all.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Limits;

/// Requests in a row to one endpoint without a complete answer in time; no more follow.
const MOST_STALLS: u32 = 3;

/// Keeps count of the time that the target made us wait for nothing.
pub(super) struct Patience {
    limits: Limits,
    lost: Mutex<Lost>,
}

#[derive(Default)]
struct Lost {
    /// Time that slow answers and missing ones took in all.
    time: Duration,
    /// Stalls in a row, by URL without query.
    stalls: HashMap<String, u32>,
}

impl Patience {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, lost: Mutex::default() }
    }

    /// Refuses a request that would most likely be waited for in vain.
    pub(super) fn permit(&self, url: &str) -> Result<(), String> {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        if lost.time >= self.limits.patience {
            return Err(format!(
                "slow answers took {} s in all: nothing more was sent",
                lost.time.as_secs()
            ));
        }
        let endpoint = endpoint(url);
        if lost.stalls.get(endpoint).is_some_and(|&count| count >= MOST_STALLS) {
            return Err(format!(
                "{MOST_STALLS} requests in a row to {endpoint} had no complete answer in time: nothing more was sent there"
            ));
        }
        Ok(())
    }

    /// Takes note of how long a request was waited for, and whether an answer was complete.
    pub(super) fn note(&self, url: &str, elapsed: Duration, is_complete: bool) {
        let bound = if is_complete { self.limits.total / 2 } else { self.limits.connect };
        let is_slow = elapsed >= bound.min(self.limits.total);
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        if is_slow {
            lost.time += elapsed;
        }
        if is_slow && !is_complete {
            *lost.stalls.entry(endpoint(url).to_owned()).or_default() += 1;
        } else {
            lost.stalls.remove(endpoint(url));
        }
    }
}

/// The URL without query and fragment.
fn endpoint(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "http://as.test/token";

    fn patience() -> Patience {
        let limits = Limits {
            connect: Duration::from_secs(5),
            total: Duration::from_secs(20),
            patience: Duration::from_secs(100),
            ..Limits::default()
        };
        Patience::new(limits)
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_silent_endpoint_is_asked_no_more_and_the_others_are() {
        let patience = patience();
        for _ in 0..MOST_STALLS {
            assert!(patience.permit(TOKEN).is_ok());
            patience.note("http://as.test/token?a=b", seconds(20), false);
        }
        assert!(patience.permit(TOKEN).unwrap_err().contains("in a row"));
        assert!(patience.permit("http://as.test/userinfo").is_ok());
    }

    #[test]
    fn an_answer_in_between_or_a_quick_failure_is_no_stall() {
        let patience = patience();
        for elapsed in [20, 20, 1, 20, 20] {
            patience.note(TOKEN, seconds(elapsed), elapsed == 1);
        }
        assert!(patience.permit(TOKEN).is_ok());
        for _ in 0..9 {
            patience.note(TOKEN, seconds(1), false);
        }
        assert!(patience.permit(TOKEN).is_ok());
    }

    #[test]
    fn slow_answers_use_up_the_patience_and_quick_ones_do_not() {
        let patience = patience();
        for _ in 0..99 {
            patience.note(TOKEN, seconds(9), true);
        }
        assert!(patience.permit(TOKEN).is_ok());
        for _ in 0..6 {
            patience.note(TOKEN, seconds(19), true);
        }
        assert!(patience.permit("http://as.test/").unwrap_err().contains("114 s in all"));
    }
}
