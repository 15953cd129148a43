//! Whatever a target answers, each format stays what it is.

use authspec::model::report::{ExchangeReport, Report};
use authspec::model::verdict::Obstacle;
use authspec::report::Format;
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser};
use serde_json::Value;

use super::formats::full;
use super::schemas::{Schema, junit};

/// What servers have been seen to try, and a few more.
const TRICKS: &[&str] = &[
    "]]>",
    "<script>alert(1)</script>",
    "&lt;&#0;",
    "\u{0}",
    "\u{1b}[2J\u{7}",
    "\u{202e}txt.exe",
    "\u{ffff}",
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1:A9)",
    "\t=1",
    "\r\n=1",
    "\"\"\",=1",
    "|a|b|",
    "``` \n# x",
    "`",
    "\\`",
    "![x](https://evil.test/x.png)",
    "[x](1)",
    "<img src=x onerror=alert(1)>",
    "@everyone",
    "</details>",
    "\n\n## Passed\n",
    "$\\frac{1}{2}$",
    "{0}",
    "{\"a\":",
    "\u{2028}",
    "%00",
    "a\u{85}b",
    "https://evil.test",
    "<code#1>",
    "\n| a | b |\n|---|---|",
    "~~~",
    "    code",
    "* x",
    "1. x",
    "&",
    "'",
    "--",
    "-->",
    "<!--",
];

fn hostile() -> impl Strategy<Value = String> {
    let trick = prop::sample::select(TRICKS).prop_map(str::to_owned);
    prop::collection::vec(prop_oneof![trick, any::<String>()], 0..4)
        .prop_map(|parts| parts.concat())
}

/// The report with `text` wherever the target or the operator may have put it.
pub(crate) fn poisoned(text: &str) -> Report {
    let mut report = full();
    let exchange = |e: &mut ExchangeReport| {
        e.request_line = format!("GET https://as.example.test/{text}?{text}={text}");
        e.request_body = text.into();
        e.response_body = text.into();
        e.request_headers.push(("Cookie".into(), text.into()));
        for name in ["Location", "Set-Cookie", "Content-Type"] {
            e.response_headers.push((name.into(), text.into()));
        }
        e.curl = format!("curl {text}");
        e.failure = e.failure.as_ref().map(|_| text.into());
    };
    report.preflight.iter_mut().for_each(exchange);
    for requirement in &mut report.requirements {
        requirement.reason = requirement.reason.as_ref().map(|_| text.into());
        if let Some(waiver) = &mut requirement.waiver {
            (waiver.owner, waiver.reason) = (text.into(), text.into());
        }
        for scenario in &mut requirement.scenarios {
            scenario.reason = scenario.reason.as_ref().map(|_| text.into());
            scenario.obstacle = scenario.obstacle.as_ref().map(|_| Obstacle::new(text, text, text));
            scenario.observations = vec![text.into()];
            for deviation in &mut scenario.deviations {
                (deviation.expected, deviation.actual) = (text.into(), text.into());
            }
            scenario.exchanges.iter_mut().for_each(exchange);
        }
    }
    report
}

/// The structure of a Markdown text: its events without what text and code say.
fn structure(text: &str) -> Vec<String> {
    let events = Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH);
    let mut kinds: Vec<String> = events
        .map(|event| match event {
            Event::Text(_) => "text".into(),
            Event::Code(_) => "code".into(),
            other => format!("{other:?}"),
        })
        .collect();
    kinds.dedup_by(|a, b| a == b && a == "text");
    kinds
}

// To compile a schema takes longer than to read a report with it.
thread_local! {
    static SARIF: Schema = Schema::sarif();
    static HAR: Schema = Schema::har();
    static GITLAB: Schema = Schema::gitlab();
    static MESSAGES: Schema = Schema::messages();
}

fn json(format: Format, report: &Report) -> Value {
    serde_json::from_str(&format.render(report).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn junit_stays_junit(text in hostile()) {
        let found = junit(&Format::Junit.render(&poisoned(&text)).unwrap());
        let found = found.map_err(TestCaseError::fail)?;
        prop_assert_eq!(found.cases.len(), full().requirements.len());
        let kinds = |f: &super::schemas::Junit| f.cases.iter().map(|c| c.1.clone()).collect::<Vec<_>>();
        let plain = junit(&Format::Junit.render(&full()).unwrap()).unwrap();
        prop_assert_eq!(kinds(&found), kinds(&plain));
    }

    #[test]
    fn json_formats_hold_to_their_schemas(text in hostile()) {
        let report = poisoned(&text);
        for (format, schema) in [(Format::Sarif, &SARIF), (Format::Har, &HAR), (Format::GitlabDast, &GITLAB)] {
            let document = json(format, &report);
            schema.with(|schema| schema.check(&document)).map_err(TestCaseError::fail)?;
        }
    }

    #[test]
    fn messages_stay_one_a_line(text in hostile()) {
        let (hostile, plain) = (poisoned(&text), full());
        let lines = |r: &Report| Format::Messages.render(r).unwrap().lines().count();
        prop_assert_eq!(lines(&hostile) - attachments(&hostile), lines(&plain) - attachments(&plain));
        for line in Format::Messages.render(&hostile).unwrap().lines() {
            let envelope = serde_json::from_str(line).unwrap();
            MESSAGES.with(|schema| schema.check(&envelope)).map_err(TestCaseError::fail)?;
        }
    }

    #[test]
    fn no_cell_of_the_matrix_is_a_formula(text in hostile()) {
        let matrix = Format::Csv.render(&poisoned(&text)).unwrap();
        let mut reader = csv::Reader::from_reader(matrix.as_bytes());
        let mut count = 0;
        for row in reader.records() {
            let row = row.unwrap();
            count += 1;
            for cell in &row {
                prop_assert!(!cell.trim_start().starts_with(['=', '+', '-', '@']), "{cell:?}");
                prop_assert!(!cell.contains(['\n', '\r', '\t']));
            }
        }
        prop_assert_eq!(count, full().requirements.len());
    }

    #[test]
    fn markdown_keeps_its_structure(text in hostile()) {
        let summary = Format::Markdown.render(&poisoned(&text)).unwrap();
        prop_assert!(!summary.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        // A reason of white space alone leaves no text where there would be one.
        let plain = Format::Markdown.render(&poisoned("plain")).unwrap();
        if !text.trim().is_empty() {
            prop_assert_eq!(structure(&summary), structure(&plain));
        }
    }
}

fn attachments(report: &Report) -> usize {
    Format::Messages
        .render(report)
        .unwrap()
        .lines()
        .filter(|l| l.starts_with("{\"attachment\""))
        .count()
}
