//! The picture of a scenario: a lifeline for every party, two arrows for every exchange.

use std::cmp::Ordering;

use maud::{Markup, html};

use super::sequence::{Row, answer, answers, parties, place, rows};
use super::text::{Shown, count, cut};
use super::timing::Span;
use crate::model::report::{ExchangeReport, Party};

/// Left of the first lifeline: half a party's box and the numbers of the exchanges.
const LEFT: usize = 124;
/// Right of the last one: half a box, and the bars.
const RIGHT: usize = 92 + BARS + 16;
/// Width of all time that the scenario took on the wire.
const BARS: usize = 110;
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
    /// From one lifeline to the next.
    gap: usize,
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
        let gap = match parties.len() {
            0..=3 => 310,
            4 => 230,
            _ => 200,
        };
        let width = LEFT + parties.len().saturating_sub(1) * gap + RIGHT;
        Self { parties, rows: placed, gap, width, height: y + 8 }
    }

    /// The lifeline of a party.
    fn x(&self, party: Party) -> usize {
        LEFT + self.parties.iter().position(|p| *p == party).unwrap_or_default() * self.gap
    }
}

/// The diagram of a scenario with exchanges.
pub(super) fn picture(exchanges: &[ExchangeReport], marked: &[usize]) -> Markup {
    let layout = Layout::of(exchanges, marked);
    let (width, height) = (layout.width, layout.height);
    let (whole, dashed) = arrows(&layout);
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
                // Below the arrows, which they would hide.
                @for (y, row) in &layout.rows { @if matches!(row, Row::One(_, true)) {
                    rect class="mark" x="1" y=(y + 1) width=(width - 2) height=(EXCHANGE - 4) rx="5" {}
                } }
                text class="who" x=(width - BARS / 2) y="20" { "time" }
                path class="bars" d=(bars(&layout, &Span::of(exchanges))) {}
                path class="whole" d=(whole) {}
                path class="dashed" d=(dashed) {}
                @for (y, row) in &layout.rows { (self::row(&layout, *y, row)) }
            }
        }
    }
}

fn row(layout: &Layout<'_>, y: usize, row: &Row<'_>) -> Markup {
    match row {
        Row::One(exchange, is_marked) => html! {
            @if *is_marked { text class="flag" x="10" y=(y + 40) { "✕" } }
            text class="no" x="10" y=(y + 20) { (exchange.number) }
            (labels(layout, y, exchange, &place(exchange), &answer(exchange)))
        },
        Row::Run(run) => match run.first() {
            None => html! {},
            Some(first) => html! {
                text class="no" x="10" y=(y + 20) {
                    (first.number) "–" (run.last().unwrap_or(first).number)
                }
                (labels(layout, y, first, &format!("{} × {}", run.len(), place(first)), &answers(run)))
            },
        },
        Row::Gap(left_out) => html! {
            text class="gap" x=(layout.width / 2) y=(y + 20) {
                "⋮ " (count(*left_out, "exchange")) " not drawn; all are listed below"
            }
        },
    }
}

fn labels(
    layout: &Layout<'_>,
    y: usize,
    exchange: &ExchangeReport,
    request: &str,
    response: &str,
) -> Markup {
    let (from, to) = (layout.x(exchange.route.from), layout.x(exchange.route.to));
    let most = room(from.abs_diff(to).max(layout.gap));
    let request = cut(request, most);
    let endpoint = &exchange.route.endpoint;
    let used = request.chars().count() + endpoint.chars().count() + 1;
    let middle = usize::midpoint(from, to);
    html! {
        text x=(middle) y=(y + 14) {
            (request) @if used <= most { " " tspan { (Shown(endpoint)) } }
        }
        text x=(middle) y=(y + 36) { (cut(response, most)) }
    }
}

/// All arrows of a picture as two lines: what is whole, and what is dashed, which are answers.
fn arrows(layout: &Layout<'_>) -> (String, String) {
    let (mut whole, mut dashed) = (String::new(), String::new());
    for (y, row) in &layout.rows {
        let exchange = match row {
            Row::One(exchange, _) => *exchange,
            Row::Run([first, ..]) => first,
            Row::Run([]) | Row::Gap(_) => continue,
        };
        let (from, to) = (layout.x(exchange.route.from), layout.x(exchange.route.to));
        whole.push_str(&(line(from, to, y + 20) + &head(from, to, y + 20)));
        // A line without a head is an answer that never came; the label says why.
        if exchange.status.is_some() || matches!(row, Row::Run(_)) {
            whole.push_str(&head(to, from, y + 42));
        }
        dashed.push_str(&line(to, from, y + 42));
    }
    (whole, dashed)
}

/// When each row happened, from the first request to the last answer.
fn bars(layout: &Layout<'_>, span: &Span) -> String {
    let mut drawn = String::new();
    for (y, row) in &layout.rows {
        let (start, length) = match row {
            Row::One(exchange, _) => span.bar(std::slice::from_ref(*exchange)),
            Row::Run(run) => span.bar(run),
            Row::Gap(_) => continue,
        };
        let pixels =
            |percent: u64| usize::try_from(percent).unwrap_or_default() * (BARS - 10) / 100;
        let x = layout.width - BARS + pixels(start);
        drawn.push_str(&format!("M{x} {}h{}", y + 31, pixels(length)));
    }
    drawn
}

/// Characters that fit on so many pixels.
fn room(distance: usize) -> usize {
    (distance - 20) * 10 / CHARACTER
}

/// From one lifeline to another; from a party to itself, a loop.
fn line(from: usize, to: usize, y: usize) -> String {
    match from == to {
        true => format!("M{from} {}h40v8h-40", y - 4),
        false => format!("M{from} {y}H{to}"),
    }
}

/// The head of that line.
fn head(from: usize, to: usize, y: usize) -> String {
    match from.cmp(&to) {
        Ordering::Less => format!("M{} {}l7 4-7 4", to - 8, y - 4),
        Ordering::Greater => format!("M{} {}l-7 4 7 4", to + 8, y - 4),
        Ordering::Equal => format!("M{} {y}l-7 4 7 4", to + 8),
    }
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
    fn bars_stay_right_of_the_lifelines() {
        let all: Vec<_> = (1..=9).map(|n| exchange(n, "GET https://a.test/")).collect();
        let layout = Layout::of(&all, &[]);
        let last = layout.x(Party::AuthorizationServer) + BOX / 2;
        let drawn = bars(&layout, &Span::of(&all));
        for bar in drawn.split('M').skip(1) {
            let (x, rest) = bar.split_once(' ').unwrap();
            let (x, length): (usize, usize) =
                (x.parse().unwrap(), rest.split_once('h').unwrap().1.parse().unwrap());
            assert!(x > last && x + length <= layout.width && length > 0, "{bar}");
        }
        assert_eq!(drawn.matches('M').count(), 9);
    }

    #[test]
    fn arrows_end_at_the_other_lifeline() {
        assert_eq!(line(100, 300, 20) + &head(100, 300, 20), "M100 20H300M292 16l7 4-7 4");
        assert_eq!(line(300, 100, 20) + &head(300, 100, 20), "M300 20H100M108 16l-7 4 7 4");
        assert_eq!(line(100, 100, 20), "M100 16h40v8h-40");
    }

    #[test]
    fn an_answer_that_never_came_has_no_head() {
        let heads =
            |exchange: ExchangeReport| arrows(&Layout::of(&[exchange], &[])).0.matches('l').count();
        let answered = exchange(1, "GET https://a.test/");
        let lost =
            ExchangeReport { status: None, failure: Some("reset".into()), ..answered.clone() };
        assert_eq!((heads(answered), heads(lost)), (2, 1));
    }

    #[test]
    fn labels_fit_between_lifelines() {
        assert!([200, 230, 310].iter().all(|gap| room(*gap) * CHARACTER / 10 < *gap));
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
