//! The report as one page: no network, no script needed, and nothing that a target said is markup.
//!
//! Every text goes through [`text::Shown`] and the template's escaping; style and script are ours,
//! constant, and named to the browser by their digests.

mod anchor;
mod diagram;
mod exchange;
mod filters;
mod flow;
mod head;
mod latency;
mod pool;
mod requirement;
#[cfg(test)]
mod samples;
mod scenario;
mod sequence;
mod tables;
mod text;
mod timing;
mod words;

use std::cmp::Reverse;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use self::anchor::Anchors;
use self::pool::Pool;
use self::text::Shown;
use crate::model::report::Report;
use crate::model::verdict::Status;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// A report with the anchors of its parts.
struct Page<'a> {
    report: &'a Report,
    anchors: Anchors,
}

/// The report as a page.
pub(super) fn render(report: &Report) -> String {
    let page = Page { report, anchors: Anchors::new(report) };
    // Exchanges that several scenarios cite are written where they are first met: with a finding.
    let mut pool = Pool::default();
    let text = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(Shown(&report.tool));
                title { "authspec: " (Shown(&report.target.issuer)) ", gate " (head::gate(report)) }
                style { (PreEscaped(STYLE)) }
            }
            body id="top" {
                a class="skip" href="#findings" { "Skip to the findings" }
                (head::header(report))
                main {
                    (findings(&page, &mut pool))
                    (flow::coverage(report))
                    (requirements(&page, &mut pool))
                    (tables::matrix(&page))
                    (tables::unjudged(&page))
                    (latency::table(report))
                    (tables::target(report, &mut pool))
                }
                footer {
                    p { "Written by " (Shown(&report.tool)) ". Secrets are replaced by placeholders that are \
                        the same wherever the value is the same. " a href="#top" { "Back to the top" } }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    text.into_string()
}

/// What the browser may do with the page: show it, with our style and our script.
fn policy() -> String {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        digest(STYLE),
        digest(SCRIPT)
    )
}

fn digest(asset: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(asset)))
}

/// What has to be looked at: failures first, the heaviest of them first.
fn findings<'a>(page: &Page<'a>, pool: &mut Pool<'a>) -> Markup {
    let requirements = page.report.requirements.iter().enumerate();
    let mut found: Vec<_> = requirements.filter(|(_, r)| requirement::is_finding(r)).collect();
    // A stable sort: what weighs the same stays in the order of the features.
    found.sort_by_key(|(_, r)| (urgency(r.status), Reverse(r.severity)));
    html! {
        section id="findings" aria-labelledby="findings-title" {
            h2 id="findings-title" { "Findings" }
            @if found.is_empty() {
                p { "No requirement failed, warned or stayed without a verdict." }
            }
            @for (at, _) in found { (requirement::finding(page, at, pool)) }
        }
    }
}

fn urgency(status: Status) -> usize {
    let order = [Status::Fail, Status::Error, Status::Warn, Status::Inconclusive];
    order.iter().position(|s| *s == status).unwrap_or(order.len())
}

/// All requirements by step, with the means to choose among them.
fn requirements<'a>(page: &Page<'a>, pool: &mut Pool<'a>) -> Markup {
    html! {
        section id="requirements" aria-labelledby="requirements-title" {
            h2 id="requirements-title" { "Requirements" }
            (filters::toolbar(page.report))
            @for (step, members) in flow::steps(page.report) {
                section class="step" id=(anchor::step(step)) {
                    h3 { (Shown(flow::label(step))) " " span class="soft" { (members.len()) } }
                    @for at in members { (requirement::entry(page, at, pool)) }
                }
            }
        }
    }
}
