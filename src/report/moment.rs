//! Points in time of a run.

use jiff::{SignedDuration, Timestamp};

use crate::model::report::Report;

/// The start of a run.
#[derive(Clone, Copy)]
pub(super) struct Moments(Timestamp);

impl Moments {
    /// Those of the run.
    ///
    /// The error says that its start is no time.
    pub(super) fn of(report: &Report) -> Result<Self, String> {
        let start = report.started.parse();
        start.map(Self).map_err(|e| format!("the start of the run, {:?}: {e}", report.started))
    }

    /// The time that many microseconds after the start.
    pub(super) fn at(self, micros: u64) -> Timestamp {
        let offset = SignedDuration::from_micros(i64::try_from(micros).unwrap_or(i64::MAX));
        self.0.saturating_add(offset).unwrap_or(self.0)
    }

    /// The end of the run.
    pub(super) fn end(self, report: &Report) -> Timestamp {
        self.at(report.duration_ms.saturating_mul(1000))
    }
}

/// Microseconds as seconds with three decimals, `1.250`.
pub(super) fn seconds(micros: u64) -> String {
    let millis = micros.saturating_add(500) / 1000;
    format!("{}.{:03}", millis / 1000, millis % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_counted_from_the_start() {
        let start = Moments("2026-11-23T23:59:59.999Z".parse().unwrap());
        assert_eq!(format!("{:.6}", start.at(1_500)), "2026-11-24T00:00:00.000500Z");
        assert_eq!(start.at(u64::MAX), Timestamp::MAX);
        assert_eq!(seconds(1_250_400), "1.250");
    }
}
