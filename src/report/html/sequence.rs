//! Which rows a sequence diagram has: one an exchange, or one for a run of alike ones where a
//! scenario has too many.

use std::collections::BTreeMap;

use crate::model::report::{ExchangeReport, Party};

/// Exchanges up to which every one has a row of its own.
pub(super) const MOST_SINGLE: usize = 24;

/// Rows of a longer scenario; where alike ones in a row do not make it shorter, its middle is
/// left out.
pub(super) const MOST_ROWS: usize = 32;

/// A row of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Row<'a> {
    /// One exchange; whether a deviation names it.
    One(&'a ExchangeReport, bool),
    /// Alike requests in direct sequence, at least two.
    Run(&'a [ExchangeReport]),
    /// So many exchanges have no row.
    Gap(usize),
}

impl Row<'_> {
    /// Exchanges that the row stands for.
    pub(super) fn stands_for(&self) -> usize {
        match self {
            Self::One(..) => 1,
            Self::Run(run) => run.len(),
            Self::Gap(count) => *count,
        }
    }
}

/// The rows of a scenario, given the numbers of the exchanges that deviations name.
pub(super) fn rows<'a>(exchanges: &'a [ExchangeReport], marked: &[usize]) -> Vec<Row<'a>> {
    let is_marked = |e: &ExchangeReport| marked.contains(&e.number);
    if exchanges.len() <= MOST_SINGLE {
        return exchanges.iter().map(|e| Row::One(e, is_marked(e))).collect();
    }
    let alike = |a: &ExchangeReport, b: &ExchangeReport| {
        a.route == b.route && place(a) == place(b) && !is_marked(a) && !is_marked(b)
    };
    let grouped = exchanges.chunk_by(alike).map(|run| match run {
        [one] => Row::One(one, is_marked(one)),
        _ => Row::Run(run),
    });
    shorten(grouped.collect())
}

/// Leaves out rows of the middle, never one that is marked.
fn shorten(rows: Vec<Row<'_>>) -> Vec<Row<'_>> {
    if rows.len() <= MOST_ROWS {
        return rows;
    }
    let (first, last) = (MOST_ROWS / 2, rows.len() - MOST_ROWS / 4);
    let mut kept: Vec<Row<'_>> = Vec::new();
    for (at, row) in rows.into_iter().enumerate() {
        if at < first || at >= last || matches!(row, Row::One(_, true)) {
            kept.push(row);
        } else if let Some(Row::Gap(count)) = kept.last_mut() {
            *count += row.stands_for();
        } else {
            kept.push(Row::Gap(row.stands_for()));
        }
    }
    kept
}

/// The parties that take part, in the order of the flow.
pub(super) fn parties(exchanges: &[ExchangeReport]) -> Vec<Party> {
    let takes_part =
        |party: &Party| exchanges.iter().any(|e| e.route.from == *party || e.route.to == *party);
    Party::ALL.into_iter().filter(takes_part).collect()
}

/// Method and path of a request.
pub(super) fn place(exchange: &ExchangeReport) -> String {
    let (method, url) =
        exchange.request_line.split_once(' ').unwrap_or((&exchange.request_line, ""));
    format!("{method} {}", path(url))
}

/// The path of an address, as it is written.
fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    halves(path).0
}

/// What stands before the query or fragment, and what behind. The `#` of a pseudonym begins none.
fn halves(url: &str) -> (&str, &str) {
    let mut in_pseudonym = false;
    let end = url.find(|c: char| {
        in_pseudonym = c == '<' || in_pseudonym && c != '>';
        c == '?' || c == '#' && !in_pseudonym
    });
    end.map_or((url, ""), |at| (&url[..at], &url[at + 1..]))
}

/// What came back, in a few words: the status with the error code, the destination or the kind of
/// content.
pub(super) fn answer(exchange: &ExchangeReport) -> String {
    let Some(status) = exchange.status else {
        let why = exchange.failure.as_deref().unwrap_or("no reason was recorded");
        return format!("no answer: {why}");
    };
    match detail(exchange) {
        Some(detail) => format!("{status} {detail}"),
        None => status.to_string(),
    }
}

fn detail(exchange: &ExchangeReport) -> Option<String> {
    let field = |name: &str| {
        let mut fields = exchange.response_headers.iter();
        fields.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    };
    if let Some(location) = field("location") {
        let (place, query) = halves(location);
        let names = query.split('&').filter_map(|pair| pair.split('=').next());
        let telling = names.filter(|name| matches!(*name, "code" | "error"));
        let names: Vec<&str> = telling.collect();
        let shown = if names.is_empty() { String::new() } else { format!("?{}", names.join("&")) };
        let place = place.split_once("://").map_or(place, |(_, rest)| rest);
        return Some(format!("→ {place}{shown}"));
    }
    if exchange.status >= Some(400)
        && let Ok(body) = serde_json::from_str::<serde_json::Value>(&exchange.response_body)
        && let Some(error) = body["error"].as_str()
    {
        return Some(error.to_owned());
    }
    let kind = field("content-type")?;
    Some(kind.split(';').next().unwrap_or(kind).trim().to_owned())
}

/// How the exchanges of a run were answered: `1 × 200, 7 × 400`.
pub(super) fn answers(run: &[ExchangeReport]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for exchange in run {
        let answer = exchange.status.map_or("no answer".into(), |status| status.to_string());
        *counts.entry(answer).or_default() += 1;
    }
    counts.iter().map(|(answer, n)| format!("{n} × {answer}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::samples::exchange;
    use super::*;

    fn numbered(count: usize, path: impl Fn(usize) -> &'static str) -> Vec<ExchangeReport> {
        (1..=count)
            .map(|n| exchange(n, &format!("POST https://as.example.test{}", path(n))))
            .collect()
    }

    #[test]
    fn a_pseudonym_in_a_path_is_no_fragment() {
        let path = "/login/<cookie#3>/next";
        assert_eq!(halves(&format!("{path}?code=<code#1>#x")), (path, "code=<code#1>#x"));
        assert_eq!(halves(&format!("{path}#top")), (path, "top"));
        assert_eq!(halves(path), (path, ""));
    }

    fn total(rows: &[Row<'_>]) -> usize {
        rows.iter().map(Row::stands_for).sum()
    }

    #[test]
    fn a_short_scenario_has_a_row_for_each_exchange() {
        let all = numbered(24, |_| "/token");
        let rows = rows(&all, &[3]);
        assert_eq!(rows.len(), 24);
        assert_eq!(rows.iter().filter(|r| matches!(r, Row::One(_, true))).count(), 1);
    }

    #[test]
    fn a_race_becomes_one_row_and_what_deviates_keeps_its_own() {
        let all = numbered(40, |_| "/token");
        let found = rows(&all, &[17]);
        assert_eq!(found.len(), 3);
        assert!(matches!(found[1], Row::One(e, true) if e.number == 17));
        assert_eq!(total(&found), 40);
        let Row::Run(run) = &found[0] else { unreachable!() };
        assert_eq!(answers(run), "16 × 200");
    }

    #[test]
    fn the_middle_of_a_long_scenario_is_counted() {
        let all = numbered(100, |n| if n % 2 == 0 { "/token" } else { "/authorize" });
        let found = rows(&all, &[50]);
        assert_eq!(total(&found), 100);
        assert!(found.len() <= MOST_ROWS);
        assert_eq!(found.iter().filter(|r| matches!(r, Row::Gap(_))).count(), 2);
        assert!(found.iter().any(|r| matches!(r, Row::One(e, true) if e.number == 50)));
    }

    #[test]
    fn an_answer_is_told_in_a_few_words() {
        let mut seen = exchange(1, "POST https://as.example.test/token?x=1#y");
        assert_eq!(place(&seen), "POST /token");
        seen.response_headers = vec![("content-type".into(), "text/html; charset=utf-8".into())];
        assert_eq!(answer(&seen), "200 text/html");
        seen.status = Some(400);
        seen.response_body = r#"{"error":"invalid_grant"}"#.into();
        assert_eq!(answer(&seen), "400 invalid_grant");
        seen.response_headers =
            vec![("Location".into(), "https://app.test/cb?state=s&code=<code#1>".into())];
        seen.status = Some(303);
        assert_eq!(answer(&seen), "303 → app.test/cb?code");
        (seen.status, seen.failure) = (None, Some("connection reset".into()));
        assert_eq!(answer(&seen), "no answer: connection reset");
        seen.request_line = "CONNECT".into();
        assert_eq!(place(&seen), "CONNECT /");
    }
}
