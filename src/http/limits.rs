//! Bounds that the target cannot lift.

use std::time::Duration;

/// What one answer may cost, whatever the target sends.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time to connect, TLS included.
    pub connect: Duration,
    /// Time from the first octet sent to the last octet received.
    pub total: Duration,
    /// What slow answers may take in all, in time of waiting; then nothing more is sent.
    pub patience: Duration,
    /// Octets of status line and header fields.
    pub head: usize,
    /// Octets of the body; the rest is cut off and marked.
    pub body: usize,
    /// Redirects that a user agent follows in one navigation.
    pub redirects: usize,
    /// Rounds of a race.
    pub rounds: usize,
    /// How long a target that fell ill is left alone at first.
    pub cool_down: Duration,
    /// The longest time that `Retry-After` may ask for.
    pub longest_hold: Duration,
    /// What `Retry-After` may ask for in all; then nothing more is sent before its time.
    pub holds: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            total: Duration::from_secs(20),
            patience: Duration::from_secs(600),
            head: 64 * 1024,
            body: 1024 * 1024,
            redirects: 20,
            rounds: 10,
            cool_down: Duration::from_secs(10),
            longest_hold: Duration::from_secs(60),
            holds: Duration::from_secs(300),
        }
    }
}
