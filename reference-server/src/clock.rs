//! The clock of the server, which a test can put forward.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// System time plus an offset; clones share the offset.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    offset: Arc<AtomicU64>,
}

impl Clock {
    /// Seconds since the epoch.
    pub fn now(&self) -> u64 {
        Self::system() + self.offset.load(Ordering::Relaxed)
    }

    /// The same without the offset.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub(crate) fn system() -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
    }

    /// Puts the clock forward by whole seconds.
    pub fn advance(&self, by: Duration) {
        self.offset.fetch_add(by.as_secs(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_advance_together() {
        let clock = Clock::default();
        let before = clock.clone().now();
        clock.clone().advance(Duration::from_secs(1000));
        assert!((before + 1000..before + 1005).contains(&clock.now()));
    }
}
