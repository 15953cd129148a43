//! How long the endpoints took.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::pool::same;
use super::text::{Shown, duration};
use crate::model::report::{ExchangeReport, Report};

/// Times of one endpoint in microseconds, ascending.
struct Times<'a> {
    endpoint: (&'a str, &'a str),
    sorted: Vec<u64>,
}

/// A table of endpoints with the number of answers and how long they took.
pub(super) fn table(report: &Report) -> Markup {
    let times = times(report);
    html! {
        section id="latency" aria-labelledby="latency-title" {
            h2 id="latency-title" { "Latency by endpoint" }
            @if times.is_empty() {
                p { "No endpoint answered." }
            } @else {
                div class="scroll" tabindex="0" role="group" aria-label="Latency by endpoint" {
                    table {
                        caption { "Answers that were complete. An exchange that several scenarios cite counts once." }
                        thead { tr {
                            th scope="col" { "Endpoint" } th scope="col" { "Answered by" }
                            @for head in ["Count", "p50", "p95", "Max"] { th scope="col" class="num" { (head) } }
                        } }
                        tbody { @for Times { endpoint: (name, party), sorted } in &times { tr {
                            th scope="row" { code { (Shown(name)) } }
                            td { (party) }
                            td class="num" { (sorted.len()) }
                            @for percent in [50, 95, 100] {
                                td class="num" { (duration(percentile(sorted, percent))) }
                            }
                        } } }
                    }
                }
            }
        }
    }
}

fn times(report: &Report) -> Vec<Times<'_>> {
    let scenarios = report.requirements.iter().flat_map(|r| &r.scenarios);
    let all = report.preflight.iter().chain(scenarios.flat_map(|s| &s.exchanges));
    let mut seen: BTreeMap<(u64, u64), Vec<&ExchangeReport>> = BTreeMap::new();
    let mut found: BTreeMap<(&str, &str), Vec<u64>> = BTreeMap::new();
    for exchange in all.filter(|e| e.status.is_some()) {
        let alike = seen.entry((exchange.at_us, exchange.elapsed_us)).or_default();
        if !alike.iter().any(|other| same(other, exchange)) {
            alike.push(exchange);
            let key = (exchange.route.endpoint.as_str(), exchange.route.to.as_str());
            found.entry(key).or_default().push(exchange.elapsed_us);
        }
    }
    let sort = |mut times: Vec<u64>| {
        times.sort_unstable();
        times
    };
    found.into_iter().map(|(endpoint, times)| Times { endpoint, sorted: sort(times) }).collect()
}

/// The smallest value that at least so many per cent do not exceed (nearest rank).
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values: Vec<u64> = (1..=20).collect();
        assert_eq!([50, 95, 100].map(|p| percentile(&values, p)), [10, 19, 20]);
        assert_eq!([50, 95, 100].map(|p| percentile(&[7], p)), [7, 7, 7]);
        assert_eq!(percentile(&[], 50), 0);
    }
}
