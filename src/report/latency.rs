//! How long the endpoints of the target took to answer.

use std::collections::BTreeMap;

use super::distinct::Distinct;

/// Upper bounds of the buckets in seconds: those that OpenTelemetry advises for HTTP requests.
pub(super) const BOUNDS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Answers by duration.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Histogram {
    /// Answers in each bucket, and at last those above all bounds. Not cumulative.
    pub(super) buckets: [u64; BOUNDS.len() + 1],
    /// All answers.
    pub(super) count: u64,
    /// Their durations together, in microseconds.
    pub(super) sum_us: u64,
}

impl Histogram {
    fn add(&mut self, micros: u64) {
        let value = seconds(micros);
        let at = BOUNDS.iter().position(|bound| value <= *bound).unwrap_or(BOUNDS.len());
        self.buckets[at] += 1;
        self.count += 1;
        self.sum_us = self.sum_us.saturating_add(micros);
    }
}

/// By the name of the endpoint; what got no answer is left out.
pub(super) fn by_endpoint<'a>(exchanges: &[Distinct<'a>]) -> BTreeMap<&'a str, Histogram> {
    let mut all: BTreeMap<&str, Histogram> = BTreeMap::new();
    for exchange in exchanges.iter().map(|one| one.exchange).filter(|e| e.status.is_some()) {
        all.entry(&exchange.route.endpoint).or_default().add(exchange.elapsed_us);
    }
    all
}

/// Microseconds as seconds.
pub(super) fn seconds(micros: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a run lasts far less than 2^52 microseconds")]
    let micros = micros as f64;
    micros / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket_and_what_is_slower_than_all_is_last() {
        let mut found = Histogram::default();
        [5_000, 5_001, 10_000_000, 10_000_001].into_iter().for_each(|micros| found.add(micros));
        assert_eq!((found.buckets[0], found.buckets[1]), (1, 1));
        assert_eq!((found.buckets[13], found.buckets[14]), (1, 1));
        assert_eq!((found.count, found.sum_us), (4, 20_010_002));
    }
}
