//! The flow's own picture, each step with how its requirements fared.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::text::{Shown, visible};
use super::{anchor, words};
use crate::model::report::Report;
use crate::model::verdict::Status;

/// Lifelines: client, user agent, authorization server, API.
const LANES: [(&str, usize); 4] =
    [("client", 110), ("user agent", 360), ("authorization server", 640), ("API", 890)];
const WIDTH: usize = 1000;
const HEAD: usize = 52;
const ROW: usize = 44;
/// Boxes of steps that belong to no place, in a line of so many.
const ABREAST: usize = 3;

const CLIENT: usize = 0;
const AGENT: usize = 1;
const SERVER: usize = 2;
const API: usize = 3;

/// A step: its name in the catalogue, its name in the picture, and the lifelines it goes between.
struct Arrow {
    step: &'static str,
    label: &'static str,
    from: usize,
    to: usize,
    /// It goes both ways.
    is_both: bool,
}

const fn arrow(step: &'static str, label: &'static str, from: usize, to: usize) -> Arrow {
    Arrow { step, label, from, to, is_both: false }
}

const fn both(step: &'static str, label: &'static str, from: usize, to: usize) -> Arrow {
    Arrow { step, label, from, to, is_both: true }
}

const FLOW: [Arrow; 15] = [
    arrow("discovery", "discovery and keys", CLIENT, SERVER),
    arrow("authorization", "authorization request", CLIENT, SERVER),
    both("authentication", "login", AGENT, SERVER),
    both("consent", "consent", AGENT, SERVER),
    arrow("authorization-response", "authorization response", SERVER, CLIENT),
    arrow("token", "token request", CLIENT, SERVER),
    arrow("token-response", "token response", SERVER, CLIENT),
    arrow("id-token", "ID Token", SERVER, CLIENT),
    arrow("access-token", "access token", SERVER, CLIENT),
    arrow("resource", "request with the access token", CLIENT, API),
    arrow("introspection", "introspection", API, SERVER),
    arrow("userinfo", "userinfo", CLIENT, SERVER),
    arrow("refresh", "refresh", CLIENT, SERVER),
    arrow("revocation", "revocation", CLIENT, SERVER),
    arrow("logout", "logout", AGENT, SERVER),
];

/// Requirements of a step by status.
type Tally = BTreeMap<Status, usize>;

/// Steps in the order of the flow, those that belong to no place of it last, with their
/// requirements by position.
pub(super) fn steps(report: &Report) -> Vec<(&str, Vec<usize>)> {
    let mut found: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, requirement) in report.requirements.iter().enumerate() {
        found.entry(&requirement.step).or_default().push(at);
    }
    let mut sorted: Vec<(&str, Vec<usize>)> = found.into_iter().collect();
    sorted.sort_by_key(|(step, _)| {
        FLOW.iter().position(|arrow| arrow.step == *step).unwrap_or(FLOW.len())
    });
    sorted
}

/// The name of a step as people read it.
pub(super) fn label(step: &str) -> &str {
    FLOW.iter().find(|arrow| arrow.step == step).map_or(step, |arrow| arrow.label)
}

fn tallies(report: &Report) -> Vec<(&str, Tally)> {
    let tally = |of: Vec<usize>| {
        let mut tally = Tally::new();
        for at in of {
            *tally.entry(report.requirements[at].status).or_default() += 1;
        }
        tally
    };
    steps(report).into_iter().map(|(step, of)| (step, tally(of))).collect()
}

/// The section with the picture and the same as a table.
pub(super) fn coverage(report: &Report) -> Markup {
    let tallies = tallies(report);
    let aside: Vec<_> =
        tallies.iter().filter(|(step, _)| !FLOW.iter().any(|a| a.step == *step)).collect();
    let end = HEAD + FLOW.len() * ROW + 14;
    let height = end + aside.len().div_ceil(ABREAST) * 46 + 28;
    html! {
        section id="coverage" aria-labelledby="coverage-title" {
            h2 id="coverage-title" { "Coverage by step of the flow" }
            p class="soft" { "Requirements of each step by status. A step leads to its requirements." }
            div class="scroll" tabindex="0" role="group" aria-label="Flow of the protocol" {
                svg class="flow" role="group" aria-labelledby="flow-title flow-told" width=(WIDTH) height=(height)
                    viewBox={ "0 0 " (WIDTH) " " (height) } {
                    title id="flow-title" { "The authorization code flow with the requirements of its steps" }
                    desc id="flow-told" {
                        "Client, user agent, authorization server and API as lifelines; an arrow for each step. "
                        "The table below has the same numbers."
                    }
                    @for (name, x) in LANES {
                        path class="life" d={ "M" (x) " 34V" (end) } {}
                        rect class="party" x=(x - 84) y="1" width="168" height="32" rx="6" {}
                        text class="who" x=(x) y="22" { (name) }
                    }
                    @for (index, arrow) in FLOW.iter().enumerate() {
                        (step(arrow, HEAD + index * ROW, tallies.iter().find(|(step, _)| *step == arrow.step)))
                    }
                    text class="who start" x="26" y=(end + 20) { "At every step" }
                    @for (index, (step, tally)) in aside.iter().enumerate() {
                        (beside(step, tally, index, end + 30))
                    }
                }
            }
            (table(&tallies))
        }
    }
}

fn step(arrow: &Arrow, y: usize, found: Option<&(&str, Tally)>) -> Markup {
    let (from, to) = (LANES[arrow.from].1, LANES[arrow.to].1);
    let (left, right) = (from.min(to), from.max(to));
    let drawing = |tone: &str, tally: Option<&Tally>| {
        html! {
            rect class="touch" x=(left + 4) y=(y) width=(right - left - 8) height=(ROW - 4) rx="4" {}
            text x=(usize::midpoint(from, to)) y=(y + 20) {
                tspan class="step" { (arrow.label) }
                @match tally { Some(tally) => (numbers(tally)), None => " not in this run" }
            }
            path class={ "arrow " (tone) } d=(line(from, to, arrow.is_both, y + 31)) {}
        }
    };
    match found {
        None => html! { g class="none" { (drawing("idle", None)) } },
        Some((name, tally)) => html! {
            a href={ "#" (anchor::step(name)) } { title { (told(arrow.label, tally)) } (drawing(tone(tally), Some(tally))) }
        },
    }
}

/// A step that belongs to no place of the flow, as a box below.
fn beside(step: &str, tally: &Tally, index: usize, y: usize) -> Markup {
    let width = (WIDTH - 52 - 16 * (ABREAST - 1)) / ABREAST;
    let (x, y) = (26 + index % ABREAST * (width + 16), y + index / ABREAST * 46);
    html! {
        a href={ "#" (anchor::step(step)) } {
            title { (told(&visible(step), tally)) }
            rect class={ "aside " (tone(tally)) } x=(x) y=(y) width=(width) height="36" rx="6" {}
            text x=(x + width / 2) y=(y + 23) { tspan class="step" { (Shown(step)) } (numbers(tally)) }
        }
    }
}

/// A line between two lifelines with a head at its end, or at both.
fn line(from: usize, to: usize, is_both: bool, y: usize) -> String {
    let (end, head, tail) = match to > from {
        true => (to - 1, "-8-4 8 4-8 4", "8-4-8 4 8 4"),
        false => (to + 1, "8-4-8 4 8 4", "-8-4 8 4-8 4"),
    };
    let back = if is_both { format!("M{from} {y}m{tail}") } else { String::new() };
    format!("M{from} {y}H{end}m{head}{back}")
}

fn numbers(tally: &Tally) -> Markup {
    html! {
        @for (status, number) in tally.iter().rev() {
            " " tspan class=(words::tone(*status)) dx="5" { (words::sign(*status)) " " (number) }
        }
    }
}

/// The same as a screen reader says it.
fn told(label: &str, tally: &Tally) -> String {
    let numbers =
        tally.iter().rev().map(|(status, number)| format!("{number} {}", status.as_str()));
    format!("{label}: {}", numbers.collect::<Vec<_>>().join(", "))
}

/// The colour of the worst status.
fn tone(tally: &Tally) -> &'static str {
    tally.keys().next_back().map_or("idle", |status| words::tone(*status))
}

fn table(tallies: &[(&str, Tally)]) -> Markup {
    let used: Vec<Status> = Status::ALL
        .into_iter()
        .rev()
        .filter(|status| tallies.iter().any(|(_, tally)| tally.contains_key(status)))
        .collect();
    html! {
        details class="more" {
            summary { "The same as a table" }
            div class="scroll" tabindex="0" role="group" aria-label="Coverage by step" {
                table {
                    caption { "Requirements by step and status" }
                    thead { tr {
                        th scope="col" { "Step" }
                        @for status in &used { th scope="col" class="num" { (status.as_str()) } }
                    } }
                    tbody { @for (step, tally) in tallies { tr {
                        th scope="row" { a href={ "#" (anchor::step(step)) } { (Shown(label(step))) } }
                        @for status in &used { td class="num" { (tally.get(status).copied().unwrap_or_default()) } }
                    } } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_step_of_the_picture_has_a_place_of_its_own() {
        let names: HashSet<&str> = FLOW.iter().map(|arrow| arrow.step).collect();
        assert_eq!(names.len(), FLOW.len());
        assert!(FLOW.iter().all(|arrow| arrow.from != arrow.to));
    }

    #[test]
    fn lifelines_and_their_boxes_stay_apart_within_the_picture() {
        assert!(LANES.windows(2).all(|pair| pair[1].1 - pair[0].1 > 168));
        assert!(LANES[0].1 >= 84 && LANES[3].1 + 84 <= WIDTH);
    }

    #[test]
    fn arrows_end_where_they_lead() {
        assert_eq!(line(110, 640, false, 9), "M110 9H639m-8-4 8 4-8 4");
        assert_eq!(line(640, 110, false, 9), "M640 9H111m8-4-8 4 8 4");
        assert!(line(360, 640, true, 9).ends_with("M360 9m8-4-8 4 8 4"));
    }
}
