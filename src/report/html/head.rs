//! The head of the page: what was audited, and the verdict.

use maud::{Markup, html};

use super::text::{Shown, duration};
use super::words;
use crate::model::report::Report;
use crate::model::verdict::Status;
use crate::report::terminal::of_cleanup;

/// Sections that the navigation names.
const NAVIGATION: [(&str, &str); 7] = [
    ("findings", "Findings"),
    ("coverage", "Coverage"),
    ("requirements", "Requirements"),
    ("matrix", "Matrix"),
    ("unjudged", "Without a verdict"),
    ("latency", "Latency"),
    ("target", "Target"),
];

/// `passed` or `failed`.
pub(super) fn gate(report: &Report) -> &'static str {
    if report.gate.passed { "passed" } else { "failed" }
}

pub(super) fn header(report: &Report) -> Markup {
    let tone = if report.gate.passed { "ok" } else { "bad" };
    html! {
        header class="top" {
            div class="line" {
                p class="brand" { "authspec report" }
                // Works with script alone, which shows it.
                button type="button" id="theme" hidden { "Dark" }
            }
            h1 { (Shown(&report.target.issuer)) }
            div class={ "verdict " (tone) } {
                p class="gate" {
                    span aria-hidden="true" { (words::sign(if report.gate.passed { Status::Pass } else { Status::Fail })) }
                    " Gate " (gate(report))
                }
                p { "The gate " (Shown(&report.gate.rule)) ". Exit code " (report.gate.exit_code) "." }
                @if !report.gate.reasons.is_empty() {
                    ul { @for reason in &report.gate.reasons { li { (Shown(reason)) } } }
                }
            }
            @if report.interrupted {
                p class="remark" { "Interrupted: what had not begun is inconclusive." }
            }
            @if let Some(part) = &report.part {
                p class="remark" { "Part " (part.index) " of " (part.of) ": no verdict on the whole run." }
            }
            @for remark in &report.gate.remarks { p class="remark" { "Remark: " (Shown(remark)) } }
            (counts(report))
            dl class="facts" {
                @for (name, value) in facts(report) { div { dt { (name) } dd { (Shown(&value)) } } }
            }
            @if !report.safety.is_empty() || report.cleanup.is_some() {
                dl class="care" {
                    @if !report.safety.is_empty() {
                        div { dt { "Safety" } @for line in &report.safety { dd { (Shown(line)) } } }
                    }
                    @if let Some(cleanup) = &report.cleanup {
                        div { dt { "Left behind" } dd { (Shown(&of_cleanup(cleanup))) } }
                    }
                }
            }
            nav aria-label="Sections" {
                ul { @for (anchor, name) in NAVIGATION { li { a href={ "#" (anchor) } { (name) } } } }
            }
        }
    }
}

fn counts(report: &Report) -> Markup {
    html! {
        ul class="counts" aria-label="Requirements by status" {
            @for status in Status::ALL.iter().rev() {
                @if let Some(number) = report.counts.get(status) {
                    li class=(words::tone(*status)) {
                        b { (number) } " " span { span aria-hidden="true" { (words::sign(*status)) } " " (status.as_str()) }
                    }
                }
            }
        }
    }
}

fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("Clients", report.target.clients.join(", ")),
        ("Profile", report.profile.as_str().to_owned()),
        ("Started", report.started.clone()),
        ("Duration", duration(report.duration_ms.saturating_mul(1000))),
        ("Requests", report.requests.to_string()),
        ("Tool", report.tool.clone()),
        ("Run", report.run.clone()),
    ];
    if let Some(filter) = &report.filter {
        facts.push(("Filter", filter.clone()));
    }
    if let Some(place) = &report.target.stanza {
        facts.push(("Profile file", format!("{}:{}", place.file, place.line)));
    }
    if let Some(trace) = &report.trace_id {
        facts.push(("Trace id of its requests", trace.clone()));
    }
    facts
}
