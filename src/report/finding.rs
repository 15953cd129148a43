//! What a report says against the target, one scenario at a time, and how it is told apart.

use std::cmp::Reverse;

use sha2::{Digest as _, Sha256};

use crate::model::report::{ExchangeReport, Report, RequirementReport, ScenarioReport};
use crate::model::verdict::{Status, Weight};

/// A scenario with deviations.
pub(super) struct Finding<'a> {
    /// The duty that it bears on.
    pub(super) requirement: &'a RequirementReport,
    /// What deviates, and the wire that shows it.
    pub(super) scenario: &'a ScenarioReport,
    /// What it counts, by its heaviest deviation.
    pub(super) weight: Weight,
    /// SHA-256 in hexadecimal of issuer, requirement and scenario. Run, time and order do not bear
    /// on it, so that the same finding is known again.
    pub(super) fingerprint: String,
}

impl<'a> Finding<'a> {
    /// What was expected and what came, on one line.
    pub(super) fn message(&self) -> String {
        let told =
            self.scenario.deviations.iter().map(|d| {
                format!("expected {}; got {}", one_line(&d.expected), one_line(&d.actual))
            });
        told.collect::<Vec<_>>().join(". ")
    }

    /// The exchange that shows it, or the last one where none is named.
    pub(super) fn exchange(&self) -> Option<&'a ExchangeReport> {
        let named = self.scenario.deviations.iter().find_map(|d| d.exchange);
        let by_number = |number| self.scenario.exchanges.iter().find(|e| e.number == number);
        named.and_then(by_number).or(self.scenario.exchanges.last())
    }
}

/// Every finding, the worst first.
pub(super) fn findings(report: &Report) -> Vec<Finding<'_>> {
    let mut found = Vec::new();
    for requirement in &report.requirements {
        for (at, scenario) in requirement.scenarios.iter().enumerate() {
            let Some(weight) = scenario.deviations.iter().map(|d| d.weight).max() else { continue };
            let before = &requirement.scenarios[..at];
            let twin = before.iter().filter(|s| s.name == scenario.name).count();
            let parts = [&report.target.issuer, &requirement.id, &scenario.name];
            found.push(Finding {
                requirement,
                scenario,
                weight,
                fingerprint: digest(parts.map(String::as_str), twin),
            });
        }
    }
    found.sort_by_key(|f| (Reverse(f.weight), Reverse(f.requirement.severity)));
    found
}

/// Scenarios without a verdict, ours or the circumstances' fault, with what they say about it.
pub(super) fn unjudged(
    report: &Report,
) -> impl Iterator<Item = (&RequirementReport, &ScenarioReport, String)> {
    report.requirements.iter().flat_map(|requirement| {
        let open = |s: &&ScenarioReport| matches!(s.status, Status::Inconclusive | Status::Error);
        let told = move |scenario| (requirement, scenario, reason(scenario));
        requirement.scenarios.iter().filter(open).map(told)
    })
}

/// Why a scenario has no verdict, on one line.
pub(super) fn reason(scenario: &ScenarioReport) -> String {
    match (&scenario.obstacle, &scenario.reason) {
        (Some(obstacle), _) => one_line(&obstacle.to_string()),
        (None, Some(reason)) => one_line(reason),
        (None, None) => String::new(),
    }
}

/// Why a requirement counts nothing, on one line.
pub(super) fn absence(requirement: &RequirementReport) -> String {
    match (&requirement.waiver, &requirement.reason) {
        (Some(waiver), _) => one_line(&format!(
            "waived until {} by {}: {}{}",
            waiver.expires,
            waiver.owner,
            waiver.reason,
            waiver.ticket.as_ref().map(|t| format!(" ({t})")).unwrap_or_default()
        )),
        (None, Some(reason)) => one_line(reason),
        (None, None) => {
            let told = requirement.scenarios.iter().map(reason).find(|r| !r.is_empty());
            told.unwrap_or_default()
        }
    }
}

/// The text with nothing in it that could steer what shows it: neither control characters nor those
/// that XML forbids or that turn the direction of writing. Line breaks and tabs stay.
pub(super) fn printable(text: &str) -> String {
    let keep = |c: char| match c {
        '\n' | '\t' => c,
        c if c.is_control() => '\u{fffd}',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c => c,
    };
    text.replace("\r\n", "\n").chars().map(keep).collect()
}

/// [`printable`] without line breaks and tabs.
pub(super) fn one_line(text: &str) -> String {
    printable(text).replace(['\n', '\t'], " ")
}

/// At most `most` characters; what was left out is said.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((at, _)) => format!("{} [cut, see run.json]", &text[..at]),
    }
}

fn digest(parts: [&str; 3], twin: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.update(twin.to_be_bytes());
    hash.finalize().iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_or_breaks_xml_stays() {
        assert_eq!(
            printable("a\u{1b}[31m\r\n\u{0}\u{202e}b\u{ffff}\t"),
            "a\u{fffd}[31m\n\u{fffd}\u{fffd}b\u{fffd}\t"
        );
        assert_eq!(one_line("a\nb\tc"), "a b c");
    }

    #[test]
    fn a_fingerprint_tells_its_parts_apart() {
        assert_ne!(digest(["a", "bc", ""], 0), digest(["ab", "c", ""], 0));
        assert_ne!(digest(["a", "b", "c"], 0), digest(["a", "b", "c"], 1));
        assert_eq!(digest(["a", "b", "c"], 0).len(), 64);
    }

    #[test]
    fn what_is_cut_is_said() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöü", 2), "äö [cut, see run.json]");
    }
}
