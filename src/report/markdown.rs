//! A summary for GitHub's job summaries and for notes on a merge request.
//!
//! What the target said stands in code spans and fenced blocks alone, where neither markup nor links,
//! images, mentions or formulas are read.

use std::fmt::Write as _;

use super::escape::{block, code, code_text, html, is_plain, prose};
use super::finding::{Finding, absence, findings, one_line, shortened, unjudged};
use super::moment::seconds;
use crate::model::report::Report;
use crate::model::verdict::{Status, Weight};

/// Octets of a summary: below GitHub's 1 MiB a step and GitLab's 1,000,000 characters a note.
const MOST: usize = 900_000;

/// Octets of the table of findings, so that details have room too.
const MOST_TABLE: usize = 300_000;

/// Octets kept for what follows the details.
const TAIL: usize = 4_000;

/// The report as Markdown.
pub(super) fn render(report: &Report) -> String {
    let findings = findings(report);
    let mut out = head(report, &findings);
    let mut told = 0;
    for finding in &findings {
        let entry = detail(finding);
        if out.len() + entry.len() > MOST - TAIL {
            break;
        }
        out.push_str(&entry);
        told += 1;
    }
    if told < findings.len() {
        let _ = writeln!(out, "\n{} more findings in run.json.", findings.len() - told);
    }
    out.push_str(&without_verdict(report, (MOST - TAIL).saturating_sub(out.len())));
    let _ = write!(
        out,
        "\n{} requests in {} s, run `{}`, {}. With the folder of the run, \
         `authspec replay FINDING --run RUN` repeats a finding and `authspec report render RUN --format FORMAT` draws another form.\n",
        report.requests,
        seconds(report.duration_ms.saturating_mul(1000)),
        code_text(&report.run),
        prose(&report.tool),
    );
    out
}

fn head(report: &Report, findings: &[Finding<'_>]) -> String {
    let word = if report.gate.passed { "passed" } else { "failed" };
    let counts: Vec<String> = Status::ALL
        .iter()
        .rev()
        .filter_map(|status| Some(format!("{} {}", report.counts.get(status)?, status.as_str())))
        .collect();
    let mut out = format!("## authspec: gate {word}\n\n");
    let _ = writeln!(
        out,
        "Target {}, profile {}.",
        code(&report.target.issuer),
        report.profile.as_str()
    );
    if let Some(filter) = &report.filter {
        let _ = writeln!(out, "Filter {}.", code(filter));
    }
    let _ = writeln!(
        out,
        "{}. Exit code {}: {}.",
        counts.join(", "),
        report.gate.exit_code,
        prose(&report.gate.rule)
    );
    if let Some(part) = &report.part {
        let _ = writeln!(out, "Part {} of {}: no verdict on the whole run.", part.index, part.of);
    }
    if report.interrupted {
        out.push_str("Interrupted: what had not begun is inconclusive.\n");
    }
    for (word, lines) in [("", &report.gate.reasons), ("Remark: ", &report.gate.remarks)] {
        lines.iter().for_each(|line| {
            let _ = write!(out, "\n- {word}{}", prose(line));
        });
    }
    if findings.is_empty() {
        out.push_str("\nNo findings.\n");
        return out;
    }
    out.push_str(
        "\n| result | severity | requirement | expected | actual |\n|---|---|---|---|---|\n",
    );
    for (at, finding) in findings.iter().enumerate() {
        let row = row(finding);
        if out.len() + row.len() > MOST_TABLE {
            let _ = writeln!(out, "\n{} more findings in run.json.", findings.len() - at);
            break;
        }
        out.push_str(&row);
    }
    out
}

fn row(finding: &Finding<'_>) -> String {
    let worst = finding.scenario.deviations.iter().find(|d| d.weight == finding.weight);
    let cell = |text: &str| code(&shortened(&one_line(text), 200)).replace('|', "\\|");
    format!(
        "| {} | {} | `{}` | {} | {} |\n",
        word(finding),
        finding.requirement.severity.as_str(),
        code_text(&finding.requirement.id).replace('|', "\\|"),
        worst.map(|d| cell(&d.expected)).unwrap_or_default(),
        worst.map(|d| cell(&d.actual)).unwrap_or_default(),
    )
}

fn word(finding: &Finding<'_>) -> &'static str {
    match (finding.requirement.status, finding.weight) {
        (Status::Waived, Weight::Failure | Weight::Draft) => "waived",
        (_, Weight::Failure | Weight::Draft) => "**fail**",
        (_, Weight::Warning) => "warn",
        (_, Weight::Note) => "note",
    }
}

fn detail(finding: &Finding<'_>) -> String {
    let (requirement, scenario) = (finding.requirement, finding.scenario);
    let mut out = format!(
        "\n<details><summary>{}: {} ({}, {})</summary>\n\n",
        word(finding).replace("**", ""),
        html(&requirement.id),
        requirement.level.as_str(),
        requirement.severity.as_str()
    );
    let _ = writeln!(out, "{}\n", prose(&requirement.duty));
    let _ = writeln!(
        out,
        "- scenario: {} ({}:{})",
        code(&scenario.name),
        prose(&scenario.feature),
        scenario.line
    );
    for deviation in &scenario.deviations {
        let _ = writeln!(out, "- expected: {}", code(&shortened(&deviation.expected, 1_000)));
        let _ = writeln!(out, "- actual: {}", code(&shortened(&deviation.actual, 1_000)));
    }
    for (name, text) in [
        ("what an attacker gains", &requirement.attack),
        ("to change", &requirement.fix),
        ("answers that conform", &requirement.accepts),
        (
            "waived",
            &if requirement.waiver.is_some() { absence(requirement) } else { String::new() },
        ),
        ("sources", &requirement.sources.join(", ")),
    ] {
        if !text.is_empty() {
            let _ = writeln!(out, "- {name}: {}", prose(text));
        }
    }
    if let Some(url) = requirement.url.as_deref().filter(|url| is_plain(url)) {
        let _ = writeln!(out, "- section: <{url}>");
    }
    if let Some(exchange) = finding.exchange() {
        let answer = match (exchange.status, &exchange.failure) {
            (Some(status), _) => status.to_string(),
            (None, failure) => format!("no answer: {}", failure.as_deref().unwrap_or_default()),
        };
        let shown =
            format!("{}\n\n{answer}\n{}", exchange.curl, shortened(&exchange.response_body, 1_500));
        let _ =
            write!(out, "\nExchange {}:\n\n{}", exchange.number, block(&shortened(&shown, 4_000)));
    }
    out.push_str("\n</details>\n");
    out
}

/// What could not be judged, within that many octets.
fn without_verdict(report: &Report, most: usize) -> String {
    let open: Vec<_> = unjudged(report).collect();
    let mut out = String::new();
    for (at, (requirement, scenario, reason)) in open.iter().enumerate() {
        let entry = format!(
            "- {} `{}`, scenario {}: {}\n",
            scenario.status.as_str(),
            code_text(&requirement.id),
            code(&scenario.name),
            code(&shortened(reason, 500))
        );
        let heading = if out.is_empty() { "\n### Without a verdict\n\n" } else { "" };
        if out.len() + heading.len() + entry.len() > most {
            let _ = writeln!(out, "\n{} more without a verdict in run.json.", open.len() - at);
            break;
        }
        out.push_str(heading);
        out.push_str(&entry);
    }
    out
}
