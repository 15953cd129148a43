//! One scenario: its steps as they went, its picture, its exchanges.

use maud::{Markup, html};

use super::pool::Pool;
use super::text::{Shown, count, duration};
use super::{anchor, diagram, exchange, words};
use crate::model::report::{DeviationReport, ScenarioReport, StepReport};
use crate::model::verdict::{Obstacle, Status};

/// A scenario that can be opened, and is where it deviates. `is_told`: what came out of it stands
/// above it already.
pub(super) fn scenario<'a>(
    scenario: &'a ScenarioReport,
    anchor: &str,
    is_told: bool,
    pool: &mut Pool<'a>,
) -> Markup {
    let marked: Vec<usize> = scenario.deviations.iter().filter_map(|d| d.exchange).collect();
    html! {
        details class="sc" id=(anchor) open[!scenario.deviations.is_empty()] {
            summary {
                (words::badge(scenario.status)) " "
                span class="name" { (Shown(&scenario.name)) } " "
                span class="t" { (duration(scenario.elapsed_us)) }
            }
            p class="where" {
                (Shown(&scenario.feature)) ":" (scenario.line) " "
                a class="link" href={ "#" (anchor) } aria-label={ "link to " (anchor) } { "link" }
            }
            @if !is_told { (result(scenario, anchor)) }
            @if !scenario.observations.is_empty() {
                ul class="seen" { @for seen in &scenario.observations { li { "Observed: " (Shown(seen)) } } }
            }
            @if !scenario.steps.is_empty() { (steps(&scenario.steps)) }
            @if scenario.exchanges.is_empty() {
                p class="soft" { "Nothing was sent." }
            } @else {
                (diagram::picture(&scenario.exchanges, &marked))
                (exchange::list(&scenario.exchanges, &marked, anchor, pool))
            }
        }
    }
}

/// What came out of a scenario: its deviations, or why it has no verdict.
pub(super) fn result(scenario: &ScenarioReport, anchor: &str) -> Markup {
    html! {
        @if !scenario.deviations.is_empty() { (deviations(&scenario.deviations, anchor)) }
        @if let Some(obstacle) = &scenario.obstacle { (self::obstacle(obstacle)) }
        @else if let Some(reason) = &scenario.reason { p { (Shown(reason)) } }
    }
}

/// What was expected beside what came.
fn deviations(deviations: &[DeviationReport], scenario: &str) -> Markup {
    html! {
        @for deviation in deviations {
            div class="versus" {
                div { p class="k" { "Expected" } p { (Shown(&deviation.expected)) } }
                div class="actual" {
                    p class="k" { "Actual"
                        @let weight = words::weight(deviation.weight);
                        @if !weight.is_empty() { " (" (weight) ")" }
                    }
                    p {
                        (Shown(without_number(deviation)))
                        @if let Some(number) = deviation.exchange {
                            " (" a href={ "#" (anchor::exchange(scenario, number)) } { "exchange " (number) } ")"
                        }
                    }
                }
            }
        }
    }
}

/// What came, without the number of the exchange, which becomes a link.
fn without_number(deviation: &DeviationReport) -> &str {
    let actual = deviation.actual.as_str();
    let Some(number) = deviation.exchange else { return actual };
    actual.strip_suffix(&format!(" (exchange {number})")).unwrap_or(actual)
}

/// Why there is no verdict.
pub(super) fn obstacle(obstacle: &Obstacle) -> Markup {
    html! {
        dl class="obstacle" {
            @for (name, text) in [
                ("Tried", &obstacle.tried), ("Came back", &obstacle.came_back), ("To change", &obstacle.remedy),
            ] { div { dt { (name) } dd { (Shown(text)) } } }
        }
    }
}

fn steps(steps: &[StepReport]) -> Markup {
    let mut before = 0;
    html! {
        ol class="steps" {
            @for step in steps {
                @let (sign, word, tone) = words::outcome(step.outcome);
                @let sent = step.exchanges.saturating_sub(std::mem::replace(&mut before, step.exchanges));
                li {
                    span class=(tone) role="img" aria-label=(word) { (sign) }
                    b { (Shown(&step.keyword)) } " " (Shown(&step.text)) " "
                    // What took no time and sent nothing needs no figure.
                    @if sent > 0 || step.elapsed_us >= 1000 {
                        span class="t" {
                            @if sent > 0 { (count(sent, "exchange")) ", " }
                            (duration(step.elapsed_us))
                        }
                    }
                }
            }
        }
    }
}

/// Scenarios by status, the worst first: `1 fail, 3 pass`.
pub(super) fn tally(scenarios: &[ScenarioReport]) -> String {
    let of = |status: Status| scenarios.iter().filter(|s| s.status == status).count();
    let all = Status::ALL.iter().rev().map(|status| (of(*status), status.as_str()));
    all.filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect::<Vec<_>>()
        .join(", ")
}
