//! The clock of the run.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// The clock of the run. Time passes by itself, and at once where the target lets us advance it.
#[derive(Clone, Default)]
pub struct Clock {
    advance: Option<Arc<dyn Fn(Duration) + Send + Sync>>,
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// A clock for a target whose own clock `advance` moves forward.
    pub fn advanced_by(advance: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        Self { advance: Some(Arc::new(advance)), ahead: Arc::default() }
    }

    /// Seconds since the epoch.
    pub fn now(&self) -> i64 {
        Timestamp::now().as_second() + self.ahead.load(Ordering::Relaxed)
    }

    /// Puts the clock to that of the target, which is so many seconds ahead of ours.
    pub fn follow(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Lets time pass: on the target's own clock where that is possible, else by waiting.
    pub async fn pass(&self, duration: Duration) {
        match &self.advance {
            Some(advance) => {
                advance(duration);
                let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
                self.ahead.fetch_add(seconds, Ordering::Relaxed);
            }
            None => tokio::time::sleep(duration).await,
        }
    }

    /// Time can be advanced without waiting.
    pub fn is_virtual(&self) -> bool {
        self.advance.is_some()
    }
}
