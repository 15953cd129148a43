//! The requirement matrix as comma-separated values (RFC 4180) with a header.

use super::finding::{absence, one_line};
use crate::model::report::{DeviationReport, Report, RequirementReport};
use crate::model::verdict::Weight;

const HEADER: [&str; 17] = [
    "id",
    "level",
    "severity",
    "impact",
    "step",
    "status",
    "weight",
    "source",
    "url",
    "expected",
    "actual",
    "reason",
    "waiver_owner",
    "waiver_expires",
    "scenarios",
    "exchanges",
    "cwe",
];

/// A line a requirement, the worst deviation of each.
pub(super) fn render(report: &Report) -> Result<String, String> {
    let fault = |e: csv::Error| e.to_string();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADER).map_err(fault)?;
    for requirement in &report.requirements {
        writer.write_record(row(requirement).iter().map(|cell| inert(cell))).map_err(fault)?;
    }
    let octets = writer.into_inner().map_err(|e| e.to_string())?;
    String::from_utf8(octets).map_err(|e| e.to_string())
}

fn row(requirement: &RequirementReport) -> [String; HEADER.len()] {
    let deviations = requirement.scenarios.iter().flat_map(|s| &s.deviations);
    // The first of the heaviest: `max_by_key` would take the last.
    let worst = deviations.rev().max_by_key(|d| d.weight);
    let of_worst = |part: fn(&DeviationReport) -> &str| worst.map(part).unwrap_or_default().into();
    let waiver = requirement.waiver.as_ref();
    let exchanges: usize = requirement.scenarios.iter().map(|s| s.exchanges.len()).sum();
    let cwe: Vec<String> = requirement.cwe.iter().map(|n| format!("CWE-{n}")).collect();
    [
        requirement.id.clone(),
        requirement.level.as_str().into(),
        requirement.severity.as_str().into(),
        requirement.impact.as_str().into(),
        requirement.step.clone(),
        requirement.status.as_str().into(),
        worst.map(|d| word(d.weight)).unwrap_or_default().into(),
        requirement.sources.join("; "),
        requirement.url.clone().unwrap_or_default(),
        of_worst(|d| &d.expected),
        of_worst(|d| &d.actual),
        absence(requirement),
        waiver.map(|w| w.owner.clone()).unwrap_or_default(),
        waiver.map(|w| w.expires.clone()).unwrap_or_default(),
        requirement.scenarios.len().to_string(),
        exchanges.to_string(),
        cwe.join(" "),
    ]
}

pub(super) fn word(weight: Weight) -> &'static str {
    match weight {
        Weight::Note => "note",
        Weight::Warning => "warning",
        Weight::Draft | Weight::Failure => "failure",
    }
}

/// The cell on one line, which no spreadsheet takes for a formula: an apostrophe before it makes it
/// text.
pub(super) fn inert(cell: &str) -> String {
    let cell = one_line(cell);
    match cell.trim_start().starts_with(['=', '+', '-', '@', '|', '%', '\u{ff1d}', '\u{ff0b}']) {
        true => format!("'{cell}"),
        false => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for hostile in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "|cmd", "\n@x"] {
            let cell = inert(hostile);
            assert!(cell.starts_with('\''), "{hostile:?}");
        }
        assert_eq!(inert("\r=1"), "\u{fffd}=1");
        assert_eq!(inert("200 (exchange 3)"), "200 (exchange 3)");
    }
}
