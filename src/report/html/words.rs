//! Words and signs for what the report says in types. Colour never stands alone.

use maud::{Markup, html};

use crate::model::report::RequirementReport;
use crate::model::requirement::Severity;
use crate::model::verdict::{Status, StepOutcome, Weight};

/// The sign of a status.
pub(super) fn sign(status: Status) -> &'static str {
    match status {
        Status::Pass => "✓",
        Status::Note => "i",
        Status::Warn => "!",
        Status::Waived => "~",
        Status::Inconclusive => "?",
        Status::Fail => "✕",
        Status::Error => "‼",
        Status::Untested => "○",
        Status::NotApplicable => "∅",
    }
}

/// The class that gives a status its colour.
pub(super) fn tone(status: Status) -> &'static str {
    match status {
        Status::Pass => "ok",
        Status::Fail | Status::Error => "bad",
        Status::Warn | Status::Waived => "warn",
        Status::Inconclusive => "unsure",
        Status::Note => "info",
        Status::Untested | Status::NotApplicable => "idle",
    }
}

/// A status as a word with its sign.
pub(super) fn badge(status: Status) -> Markup {
    html! {
        span class={ "badge " (tone(status)) } {
            span aria-hidden="true" { (sign(status)) } " " (status.as_str())
        }
    }
}

/// A severity as a word with a bar of its height.
pub(super) fn severity(severity: Severity) -> Markup {
    let bars = match severity {
        Severity::Info => "▁",
        Severity::Low => "▂",
        Severity::Medium => "▄",
        Severity::High => "▆",
        Severity::Critical => "█",
    };
    html! {
        span class={ "severity " (severity.as_str()) } {
            span aria-hidden="true" { (bars) } " " (severity.as_str())
        }
    }
}

/// Sign, word and class of how a step went.
pub(super) fn outcome(outcome: StepOutcome) -> (&'static str, &'static str, &'static str) {
    match outcome {
        StepOutcome::Passed => ("✓", "passed", "ok"),
        StepOutcome::Deviated => ("✕", "deviated", "bad"),
        StepOutcome::Stopped => ("?", "stopped here", "unsure"),
        StepOutcome::NotRun => ("–", "not run", "idle"),
    }
}

/// What a deviation counts, where that is less than a failure.
pub(super) fn weight(weight: Weight) -> &'static str {
    match weight {
        Weight::Note => "note",
        Weight::Warning => "warning",
        Weight::Draft | Weight::Failure => "",
    }
}

/// The specification of a source: `RFC 6749 §4.1.2` is in `RFC 6749`.
pub(super) fn specification(source: &str) -> &str {
    source.split('§').next().unwrap_or(source).trim()
}

/// The specifications in which a duty is written, each once.
pub(super) fn specifications(requirement: &RequirementReport) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for source in &requirement.sources {
        let name = specification(source);
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// The topic of a requirement, which is the group of its id.
pub(super) fn topic(id: &str) -> &str {
    id.split('.').next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_status_has_a_sign_of_its_own() {
        let signs: HashSet<&str> = Status::ALL.iter().map(|s| sign(*s)).collect();
        assert_eq!(signs.len(), Status::ALL.len());
    }

    #[test]
    fn a_source_names_its_specification() {
        assert_eq!(specification("OIDC Core 1.0 §3.1.2.1"), "OIDC Core 1.0");
        assert_eq!(specification("house rule"), "house rule");
        assert_eq!(topic("token.code-single-use"), "token");
    }
}
