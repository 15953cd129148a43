//! How fast requests follow each other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Waits that long. A timer of no length at all would still fire at the next millisecond only.
pub(super) async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// Leaves a minimum interval between the starts of two requests.
pub(super) struct Pace {
    interval: Duration,
    /// For the time being, in milliseconds; 0 for none.
    rest: AtomicU64,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    pub(super) fn of(interval: Duration) -> Self {
        Self { interval, rest: AtomicU64::new(0), next: Mutex::new(None) }
    }

    /// From now on at least that long an interval; none for the usual one.
    pub(super) fn rest(&self, interval: Duration) {
        let milliseconds = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
        self.rest.store(milliseconds, Ordering::Relaxed);
    }

    fn interval(&self) -> Duration {
        self.interval.max(Duration::from_millis(self.rest.load(Ordering::Relaxed)))
    }

    pub(super) async fn wait(&self) {
        self.wait_for(1).await;
    }

    /// Waits for the turn of so many requests at once; the next turn is as many intervals later.
    pub(super) async fn wait_for(&self, requests: usize) {
        let interval = self.interval();
        if interval.is_zero() {
            return;
        }
        let taken = interval * u32::try_from(requests).unwrap_or(u32::MAX);
        let start = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let start = next.map_or_else(Instant::now, |at| at.max(Instant::now()));
            *next = Some(start + taken);
            start
        };
        tokio::time::sleep_until(start.into()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_lasts_until_it_is_taken_back_and_hurries_nobody() {
        let (short, long) = (Duration::from_millis(100), Duration::from_secs(1));
        let pace = Pace::of(short);
        pace.rest(long);
        assert_eq!(pace.interval(), long);
        pace.rest(Duration::ZERO);
        assert_eq!(pace.interval(), short);
    }
}
