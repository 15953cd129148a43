//! Bars for when the exchanges of a scenario happened.

use crate::model::report::ExchangeReport;

/// The time in which the exchanges of a scenario happened.
pub(super) struct Span {
    from: u64,
    length: u64,
}

impl Span {
    pub(super) fn of(exchanges: &[ExchangeReport]) -> Self {
        let from = exchanges.iter().map(|e| e.at_us).min().unwrap_or_default();
        let to = exchanges.iter().map(|e| e.at_us.saturating_add(e.elapsed_us)).max();
        Self { from, length: to.unwrap_or_default().saturating_sub(from).max(1) }
    }

    /// Start and length of the bar of exchanges that happened together, in per cent of the whole.
    /// What is short is still seen.
    pub(super) fn bar(&self, exchanges: &[ExchangeReport]) -> (u64, u64) {
        let own = Self::of(exchanges);
        let percent = |us: u64| {
            let share = u128::from(us) * 100 / u128::from(self.length);
            u64::try_from(share).unwrap_or(u64::MAX)
        };
        let start = percent(own.from.saturating_sub(self.from)).min(97);
        (start, percent(own.length).clamp(3, 100 - start))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::exchange;
    use super::*;

    #[test]
    fn bars_stay_within_the_span_and_are_never_empty() {
        let mut all: Vec<_> = [1, 9, 5].map(|n| exchange(n, "GET https://a.test/")).into();
        all[1].elapsed_us = u64::MAX;
        all[2].elapsed_us = 0;
        let span = Span::of(&all);
        for one in all.chunks(1) {
            let (start, length) = span.bar(one);
            assert!(length >= 3 && start + length <= 100, "{start} {length}");
        }
        assert_eq!(span.bar(&all), (0, 100));
    }

    #[test]
    fn a_bar_is_where_its_exchange_was() {
        let mut all: Vec<_> = [1, 2].map(|n| exchange(n, "GET https://a.test/")).into();
        all[1].elapsed_us = 1000;
        let span = Span::of(&all);
        assert_eq!((span.bar(&all[..1]), span.bar(&all[1..])), ((0, 40), (50, 50)));
    }
}
