//! The lossless form of a report.

use crate::model::report::Report;

/// The report as indented JSON with a final line break.
pub(super) fn render(report: &Report) -> Result<String, String> {
    serde_json::to_string_pretty(report).map(|text| text + "\n").map_err(|e| e.to_string())
}
