//! One exchange: a line that tells it, and what went over the wire.

use std::collections::HashSet;

use maud::{Markup, html};

use super::anchor;
use super::pool::Pool;
use super::sequence::{answer, place};
use super::text::{Shown, count, cut, duration};
use crate::model::report::ExchangeReport;

/// Characters of a request or an answer on the line that tells it.
const ON_A_LINE: usize = 90;

/// A list of exchanges; `owner` is the anchor that they hang from. Where one of them is marked, each
/// can be opened by itself, and that one is; others are one transcript.
pub(super) fn list<'a>(
    exchanges: &'a [ExchangeReport],
    marked: &[usize],
    owner: &str,
    pool: &mut Pool<'a>,
) -> Markup {
    let mut taken = HashSet::new();
    let is_single = exchanges.iter().any(|e| marked.contains(&e.number));
    let items = html! {
        ol class="xs" {
            @for (index, exchange) in exchanges.iter().enumerate() {
                // Those before the scenarios are of several sequences, each counted from 1.
                @let anchor = match taken.insert(exchange.number) {
                    true => anchor::exchange(owner, exchange.number),
                    false => format!("{}~{index}", anchor::exchange(owner, exchange.number)),
                };
                @let is_marked = marked.contains(&exchange.number);
                li id=(anchor) class=[is_marked.then_some("hit")] {
                    @match (pool.place(exchange, &anchor), is_single) {
                        (Some(other), _) => p {
                            (line(exchange, is_marked)) " "
                            a href={ "#" (other) } { "shown at " (other) }
                        },
                        (None, true) => details open[is_marked] {
                            summary { (line(exchange, is_marked)) }
                            (wire(exchange))
                        },
                        (None, false) => { (in_words(exchange)) (transcript(exchange)) }
                    }
                }
            }
        }
    };
    // A browser takes its time for what can be opened: one for all of those that conform.
    html! {
        @if is_single { (items) } @else {
            details class="wire" {
                summary { (count(exchanges.len(), "exchange")) ": requests and responses" }
                (items)
            }
        }
    }
}

// Nodes are what a browser takes its time for, so that there are few.
fn line(exchange: &ExchangeReport, is_marked: bool) -> Markup {
    html! {
        (exchange.number) " " code { (cut(&place(exchange), ON_A_LINE)) }
        " " (cut(&answer(exchange), ON_A_LINE)) " "
        @if is_marked { strong class="bad" { "✕ deviation" } " " }
        span class="t" { (duration(exchange.elapsed_us)) }
    }
}

/// The line without any element.
fn in_words(exchange: &ExchangeReport) -> Markup {
    html! {
        (exchange.number) " " (cut(&place(exchange), ON_A_LINE)) " " (cut(&answer(exchange), ON_A_LINE))
        ", " (duration(exchange.elapsed_us))
    }
}

fn wire(exchange: &ExchangeReport) -> Markup {
    html! {
        pre class="q" { "\n" (request(exchange)) }
        pre class="a" { "\n" (response(exchange)) }
        (command(exchange))
    }
}

/// Request and response in one: of those that conform there are thousands.
fn transcript(exchange: &ExchangeReport) -> Markup {
    html! {
        pre class="w" { "\n→ " (request(exchange)) "\n\n← " (response(exchange)) }
        (command(exchange))
    }
}

fn request(exchange: &ExchangeReport) -> Markup {
    html! {
        (Shown(&exchange.request_line)) (fields(&exchange.request_headers)) (body(&exchange.request_body))
    }
}

fn response(exchange: &ExchangeReport) -> Markup {
    html! {
        @match (exchange.status, &exchange.failure) {
            (Some(status), _) => (status),
            (None, Some(failure)) => { "no answer: " (Shown(failure)) }
            (None, None) => "no answer",
        }
        (fields(&exchange.response_headers)) (body(&exchange.response_body))
    }
}

fn command(exchange: &ExchangeReport) -> Markup {
    html! { pre class="c" { "\n" (Shown(&exchange.curl)) } }
}

fn fields(fields: &[(String, String)]) -> Markup {
    html! { @for (name, value) in fields { "\n" (Shown(name)) ": " (Shown(value)) } }
}

fn body(body: &str) -> Markup {
    html! { @if !body.is_empty() { "\n\n" (Shown(body)) } }
}

#[cfg(test)]
mod tests {
    use super::super::samples::exchange;
    use super::*;

    #[test]
    fn an_exchange_that_was_shown_is_named_where_it_is() {
        let all = [exchange(1, "GET https://a.test/")];
        let mut pool = Pool::default();
        let first = list(&all, &[], "a.b/1", &mut pool).into_string();
        let again = list(&all, &[1], "c.d/1", &mut pool).into_string();
        assert!(first.contains("<li id=\"a.b/1/1\">") && first.contains("<pre"), "{first}");
        assert!(again.contains("href=\"#a.b/1/1\"") && !again.contains("<pre"), "{again}");
    }
}
