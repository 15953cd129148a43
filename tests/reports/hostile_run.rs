//! A run against a hostile server, read in every format: nothing of it became markup.

use std::collections::BTreeSet;

use authspec::model::report::Report;
use authspec::report::{Format, terminal};
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::Value;

use super::hostile_server::audited;
use super::page::{Page, parse};
use super::sample::sample;
use super::schemas::{Schema, junit};

/// Nothing that steers a terminal or turns the direction of writing.
fn assert_tame(what: &str, text: &str) {
    let steers = |c: char| {
        c.is_control() && c != '\n' && c != '\t'
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let found = text
        .find(steers)
        .map(|at| text[at.saturating_sub(60)..].chars().take(80).collect::<String>());
    assert_eq!(found, None, "{what}");
}

fn page(report: &Report) -> Page {
    parse(&Format::Html.render(report).unwrap())
}

fn json(format: Format, report: &Report) -> Value {
    serde_json::from_str(&format.render(report).unwrap()).unwrap()
}

fn html_is_ours(plain: &Report, hostile: &Report) {
    let shapes =
        |report: &Report| page(report).tags.iter().map(|t| t.shape()).collect::<BTreeSet<_>>();
    let known: BTreeSet<String> = shapes(plain).union(&shapes(&sample())).cloned().collect();
    let found = page(hostile);
    let urls: BTreeSet<&str> = plain.requirements.iter().filter_map(|r| r.url.as_deref()).collect();
    for tag in &found.tags {
        assert!(known.contains(&tag.shape()), "{tag:?}");
        let href = tag.attribute("href").unwrap_or("#");
        let is_catalogue = urls.contains(href) || href.starts_with("https://cwe.mitre.org/");
        let is_own = href.starts_with('#') || href.starts_with(&hostile.target.issuer);
        assert!(is_catalogue || is_own, "{tag:?}");
    }
    let own = page(plain);
    for name in ["script", "style", "title"] {
        let count = |page: &Page| page.tags.iter().filter(|tag| tag.name == name).count();
        assert_eq!(count(&found), count(&own), "{name}");
    }
    assert_eq!(found.comments, 0);
    assert!(found.text.matches("<x-evil evil=1>").count() > 100, "it is shown as text");
    assert_tame("the page", &Format::Html.render(hostile).unwrap());
}

fn markdown_is_ours(hostile: &Report) {
    let text = Format::Markdown.render(hostile).unwrap();
    assert_tame("the summary in Markdown", &text);
    let urls: BTreeSet<&str> =
        hostile.requirements.iter().filter_map(|r| r.url.as_deref()).collect();
    for event in Parser::new_ext(&text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        assert!(!matches!(event, Event::Start(Tag::Image { .. })), "{event:?}");
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                let own = ["<details><summary>", "</details>"];
                assert!(own.iter().any(|tag| html.starts_with(tag)), "{html}");
                assert!(!html.contains("evil"), "{html}");
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                assert!(urls.contains(&*dest_url), "{dest_url}")
            }
            _ => {}
        }
    }
}

fn tables_have_no_formula(hostile: &Report) {
    let matrix = Format::Csv.render(hostile).unwrap();
    let mut rows = 0;
    for row in csv::Reader::from_reader(matrix.as_bytes()).records() {
        rows += 1;
        for cell in &row.unwrap() {
            assert!(!cell.trim_start().starts_with(['=', '+', '-', '@']), "{cell:?}");
            assert_tame("a cell", cell);
        }
    }
    assert_eq!(rows, hostile.requirements.len());
}

fn documents_hold_to_their_schemas(hostile: &Report) {
    Schema::sarif().check(&json(Format::Sarif, hostile)).unwrap();
    Schema::har().check(&json(Format::Har, hostile)).unwrap();
    Schema::gitlab().check(&json(Format::GitlabDast, hostile)).unwrap();
    let messages = Schema::messages();
    for line in Format::Messages.render(hostile).unwrap().lines() {
        messages.check(&serde_json::from_str(line).unwrap()).unwrap();
    }
    for line in Format::Otlp.render(hostile).unwrap().lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
    for line in Format::Prometheus.render(hostile).unwrap().lines() {
        assert!(line.starts_with("authspec_") || line.starts_with("# "), "{line}");
        assert_tame("a metric", line);
    }
    // A message of SARIF has links, too.
    for result in json(Format::Sarif, hostile)["runs"][0]["results"].as_array().unwrap() {
        let text = result["message"]["text"].as_str().unwrap();
        assert!(!text.contains("]("), "{text}");
        assert_tame("a message", text);
    }
}

#[test]
fn what_a_hostile_server_says_stays_text_in_every_format() {
    let (plain, hostile) = audited();
    // The server did get through with it: into exchanges, snapshots, and what findings quote.
    let text = Format::Json.render(&hostile).unwrap();
    assert!(text.matches("x-evil").count() > 500);
    assert!(hostile.snapshots.iter().any(|s| s.content.contains("x-evil")));
    let deviations =
        hostile.requirements.iter().flat_map(|r| &r.scenarios).flat_map(|s| &s.deviations);
    assert!(deviations.filter(|d| d.actual.contains("evil")).count() > 3);
    assert_eq!(Report::parse(&text).unwrap(), hostile);

    html_is_ours(&plain, &hostile);
    markdown_is_ours(&hostile);
    tables_have_no_formula(&hostile);
    documents_hold_to_their_schemas(&hostile);
    let found = junit(&Format::Junit.render(&hostile).unwrap()).unwrap();
    assert_eq!(found.cases.len(), hostile.requirements.len());
    assert_tame("the XML", &Format::Junit.render(&hostile).unwrap());
    assert_tame("the terminal", &terminal::summary(&hostile, &[], terminal::Colour::Off));
}
