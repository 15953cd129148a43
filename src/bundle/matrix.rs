//! One row a requirement, for spreadsheets.

use crate::model::report::Report;

/// Comma-separated values (RFC 4180) with a header.
///
/// The error says what cannot be written; it is our own fault.
pub(super) fn write(report: &Report) -> Result<Vec<u8>, String> {
    let fault = |e: csv::Error| format!("matrix: {e}");
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record([
        "requirement",
        "level",
        "severity",
        "status",
        "source",
        "duty",
        "scenarios",
        "exchanges",
        "deviations",
        "reason",
        "waived by",
        "waived until",
    ])
    .map_err(fault)?;
    for requirement in &report.requirements {
        let scenarios = &requirement.scenarios;
        let exchanges: usize = scenarios.iter().map(|s| s.exchanges.len()).sum();
        let deviations = scenarios.iter().flat_map(|s| &s.deviations);
        let deviations: Vec<String> =
            deviations.map(|d| format!("expected {}; got {}", d.expected, d.actual)).collect();
        let waiver = requirement.waiver.as_ref();
        let row = [
            requirement.id.clone(),
            requirement.level.as_str().to_owned(),
            requirement.severity.as_str().to_owned(),
            requirement.status.as_str().to_owned(),
            requirement.sources.join("; "),
            requirement.duty.clone(),
            scenarios.len().to_string(),
            exchanges.to_string(),
            deviations.join(" | "),
            requirement.reason.clone().unwrap_or_default(),
            waiver.map(|w| w.owner.clone()).unwrap_or_default(),
            waiver.map(|w| w.expires.clone()).unwrap_or_default(),
        ];
        out.write_record(row.map(|cell| inert(&cell))).map_err(fault)?;
    }
    out.into_inner().map_err(|e| format!("matrix: {e}"))
}

/// A cell that no spreadsheet takes for a formula.
fn inert(cell: &str) -> String {
    match cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_no_formula() {
        assert_eq!(inert("=1+1"), "'=1+1");
        assert_eq!(inert("token.code-missing"), "token.code-missing");
    }
}
