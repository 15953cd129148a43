//! The picture of a scenario: a lifeline for every party, two arrows for every exchange.

use maud::{Markup, html};

use super::sequence::{Row, answer, answers, parties, place, rows};
use super::text::{Shown, count, cut};
use crate::model::report::{ExchangeReport, Party};

/// Left of the first lifeline: half a party's box and the numbers of the exchanges.
const LEFT: usize = 124;
/// Right of the last one.
const RIGHT: usize = 92;
/// From one lifeline to the next.
const GAP: usize = 268;
/// Width of a party's box.
const BOX: usize = 156;
/// Height of the boxes, with the space below.
const HEAD: usize = 44;
/// Height of an exchange.
const EXCHANGE: usize = 54;
/// Height of exchanges that are left out.
const LEFT_OUT: usize = 30;
/// Width of a character in a label, in tenths.
const CHARACTER: usize = 68;

/// Where things are, in pixels.
pub(super) struct Layout<'a> {
    parties: Vec<Party>,
    rows: Vec<(usize, Row<'a>)>,
    width: usize,
    height: usize,
}

impl<'a> Layout<'a> {
    pub(super) fn of(exchanges: &'a [ExchangeReport], marked: &[usize]) -> Self {
        let parties = parties(exchanges);
        let mut y = HEAD;
        let mut placed = Vec::new();
        for row in rows(exchanges, marked) {
            let height = if matches!(row, Row::Gap(_)) { LEFT_OUT } else { EXCHANGE };
            placed.push((y, row));
            y += height;
        }
        let width = LEFT + parties.len().saturating_sub(1) * GAP + RIGHT;
        Self { parties, rows: placed, width, height: y + 8 }
    }

    /// The lifeline of a party.
    fn x(&self, party: Party) -> usize {
        LEFT + self.parties.iter().position(|p| *p == party).unwrap_or_default() * GAP
    }
}

/// The diagram of a scenario with exchanges.
pub(super) fn picture(exchanges: &[ExchangeReport], marked: &[usize]) -> Markup {
    let layout = Layout::of(exchanges, marked);
    let (width, height) = (layout.width, layout.height);
    let names: Vec<&str> = layout.parties.iter().map(|p| p.as_str()).collect();
    let told = format!(
        "Sequence diagram: {} between {}. The list below has the same exchanges as text.",
        count(exchanges.len(), "exchange"),
        names.join(", ")
    );
    html! {
        div class="scroll" tabindex="0" role="group" aria-label="Sequence diagram" {
            svg class="seq" role="img" aria-label=(told) width=(width) height=(height)
                viewBox={ "0 0 " (width) " " (height) } {
                @for party in &layout.parties {
                    @let x = layout.x(*party);
                    path class="life" d={ "M" (x) " 30V" (height) } {}
                    rect class="party" x=(x - BOX / 2) y="1" width=(BOX) height="28" rx="5" {}
                    text class="who" x=(x) y="20" { (party.as_str()) }
                }
                @for (y, row) in &layout.rows { (self::row(&layout, *y, row)) }
            }
        }
    }
}

fn row(layout: &Layout<'_>, y: usize, row: &Row<'_>) -> Markup {
    match row {
        Row::One(exchange, is_marked) => html! {
            @if *is_marked {
                rect class="mark" x="1" y=(y + 1) width=(layout.width - 2) height=(EXCHANGE - 4) rx="5" {}
                text class="flag" x="10" y=(y + 40) { "✕" }
            }
            text class="no" x="10" y=(y + 20) { (exchange.number) }
            (arrows(layout, y, exchange, &place(exchange), &answer(exchange), exchange.status.is_some()))
        },
        Row::Run(run) => match run.first() {
            None => html! {},
            Some(first) => html! {
                text class="no" x="10" y=(y + 20) {
                    (first.number) "–" (run.last().unwrap_or(first).number)
                }
                (arrows(layout, y, first, &format!("{} × {}", run.len(), place(first)), &answers(run), true))
            },
        },
        Row::Gap(left_out) => html! {
            text class="gap" x=(layout.width / 2) y=(y + 20) {
                "⋮ " (count(*left_out, "exchange")) " not drawn; all are listed below"
            }
        },
    }
}

fn arrows(
    layout: &Layout<'_>,
    y: usize,
    exchange: &ExchangeReport,
    request: &str,
    response: &str,
    is_answered: bool,
) -> Markup {
    let (from, to) = (layout.x(exchange.route.from), layout.x(exchange.route.to));
    let most = room(from, to);
    let request = cut(request, most);
    let endpoint = &exchange.route.endpoint;
    // The path says more than `page`; the endpoint's name more than a path of the target's taste.
    let used = request.chars().count() + endpoint.len() + 1;
    let middle = usize::midpoint(from, to).max(LEFT);
    html! {
        text x=(middle) y=(y + 14) {
            (request) @if used <= most { " " tspan { (Shown(endpoint)) } }
        }
        path d=(arrow(from, to, y + 20)) {}
        text class=[(!is_answered).then_some("lost")] x=(middle) y=(y + 36) { (cut(response, most)) }
        path class=(if is_answered { "back" } else { "back lost" }) d=(arrow(to, from, y + 42)) {}
    }
}

/// Characters that fit between two lifelines.
fn room(from: usize, to: usize) -> usize {
    let distance = from.abs_diff(to).max(GAP);
    (distance - 20) * 10 / CHARACTER
}

/// A line with a head at its end; from a party to itself, a loop.
fn arrow(from: usize, to: usize, y: usize) -> String {
    if from == to {
        return format!("M{from} {}h40v4h-38m6-3-6 3 6 3", y - 4);
    }
    let (end, back) = if to > from { (to - 1, "-7-4 7 4-7 4") } else { (to + 1, "7-4-7 4 7 4") };
    format!("M{from} {y}H{end}m{back}")
}

#[cfg(test)]
mod tests {
    use super::super::samples::{exchange, routed};
    use super::*;

    #[test]
    fn lifelines_stand_apart_and_within_the_picture() {
        let all = [
            routed(1, Party::UserAgent, Party::AuthorizationServer),
            routed(2, Party::Client, Party::ResourceServer),
        ];
        let layout = Layout::of(&all, &[]);
        let lanes: Vec<usize> = layout.parties.iter().map(|p| layout.x(*p)).collect();
        assert_eq!(lanes.len(), 4);
        assert!(lanes.windows(2).all(|pair| pair[1] - pair[0] > BOX));
        assert!(lanes[0] >= BOX / 2 && lanes[3] + BOX / 2 <= layout.width);
    }

    #[test]
    fn rows_do_not_overlap_and_end_within_the_picture() {
        let all: Vec<_> = (1..=60)
            .map(|n| {
                exchange(
                    n,
                    if n % 3 == 0 { "GET https://a.test/x" } else { "GET https://a.test/y" },
                )
            })
            .collect();
        let layout = Layout::of(&all, &[30]);
        for pair in layout.rows.windows(2) {
            let height = if matches!(pair[0].1, Row::Gap(_)) { LEFT_OUT } else { EXCHANGE };
            assert_eq!(pair[1].0 - pair[0].0, height);
        }
        assert!(layout.rows.last().unwrap().0 + EXCHANGE <= layout.height);
        assert_eq!(layout.rows.iter().map(|(_, row)| row.stands_for()).sum::<usize>(), 60);
    }

    #[test]
    fn arrows_end_at_the_other_lifeline() {
        assert_eq!(arrow(100, 300, 20), "M100 20H299m-7-4 7 4-7 4");
        assert_eq!(arrow(300, 100, 20), "M300 20H101m7-4-7 4 7 4");
        assert!(arrow(100, 100, 20).starts_with("M100 16h40"));
    }

    #[test]
    fn labels_fit_between_lifelines() {
        assert!(room(100, 100 + GAP) * CHARACTER / 10 < GAP);
        let long = exchange(1, &format!("GET https://a.test/{}", "x".repeat(400)));
        let svg = picture(&[long], &[]).into_string();
        assert!(svg.contains('…') && !svg.contains(&"x".repeat(80)));
    }

    #[test]
    fn what_deviates_is_marked_once_and_by_more_than_colour() {
        let all = [exchange(1, "GET https://a.test/"), exchange(2, "GET https://a.test/")];
        let svg = picture(&all, &[2]).into_string();
        assert_eq!(svg.matches("class=\"mark\"").count(), 1);
        assert_eq!(svg.matches('✕').count(), 1);
    }
}
