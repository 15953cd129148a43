//! How fast requests follow each other.

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
    next: Mutex<Option<Instant>>,
}

impl Pace {
    pub(super) fn of(interval: Duration) -> Self {
        Self { interval, next: Mutex::new(None) }
    }

    pub(super) async fn wait(&self) {
        self.wait_for(1).await;
    }

    /// Waits for the turn of so many requests at once; the next turn is as many intervals later.
    pub(super) async fn wait_for(&self, requests: usize) {
        if self.interval.is_zero() {
            return;
        }
        let taken = self.interval * u32::try_from(requests).unwrap_or(u32::MAX);
        let start = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let start = next.map_or_else(Instant::now, |at| at.max(Instant::now()));
            *next = Some(start + taken);
            start
        };
        tokio::time::sleep_until(start.into()).await;
    }
}
