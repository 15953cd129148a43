//! Metrics in the text format of Prometheus, for the textfile collector of its node exporter.

use std::fmt::{Display, Write as _};

use super::distinct::distinct;
use super::latency::{BOUNDS, by_endpoint, seconds};
use super::moment::Moments;
use crate::model::report::Report;
use crate::model::requirement::Profile;
use crate::model::verdict::Status;

/// The exit code of a run that somebody ended, whatever its gate says.
const INTERRUPTED: u8 = 130;

/// The metrics of a run.
pub(super) fn render(report: &Report) -> Result<String, String> {
    let mut page = Page::of(&report.target.issuer, report.profile);
    page.family("authspec_requirements", "gauge", "Requirements by status.");
    for status in Status::ALL {
        let count = report.counts.get(&status).copied().unwrap_or(0);
        page.sample("authspec_requirements", &[("status", status.as_str())], count);
    }
    findings(&mut page, report);
    let started = Moments::of(report)?.at(0).as_millisecond();
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 stay below 2^52")]
    let started = started as f64 / 1000.0;
    verdict(&mut page, report.gate.passed && !report.interrupted, exit_code(report), started);
    let name = "authspec_run_duration_seconds";
    page.family(name, "gauge", "Length of the run.");
    page.sample(name, &[], seconds(report.duration_ms.saturating_mul(1000)));
    let name = "authspec_requests_total";
    page.family(name, "counter", "Requests sent by the run.");
    page.sample(name, &[], report.requests);
    latency(&mut page, report);
    Ok(page.text)
}

/// The exit code of the run.
pub(super) fn exit_code(report: &Report) -> u8 {
    if report.interrupted { INTERRUPTED } else { report.gate.exit_code }
}

/// What is left to say of a run without a report: it began at that time (seconds since 1970) and ended
/// with that exit code.
pub fn of_failure(issuer: &str, profile: Profile, exit_code: u8, started: f64) -> String {
    let mut page = Page::of(issuer, profile);
    verdict(&mut page, false, exit_code, started);
    page.text
}

fn verdict(page: &mut Page, has_passed: bool, exit_code: u8, started: f64) {
    let name = "authspec_gate_passed";
    page.family(name, "gauge", "1 where nothing stops a release, else 0.");
    page.sample(name, &[], u8::from(has_passed));
    let name = "authspec_exit_code";
    page.family(name, "gauge", "Exit code of the run.");
    page.sample(name, &[], exit_code);
    let name = "authspec_run_timestamp_seconds";
    page.family(name, "gauge", "Start of the run, in seconds since 1970.");
    page.sample(name, &[], started);
}

/// A series for each requirement that deviates: as many as the catalogue has at most.
fn findings(page: &mut Page, report: &Report) {
    let name = "authspec_findings";
    page.family(name, "gauge", "Scenarios that deviate, by requirement.");
    for requirement in &report.requirements {
        let count = requirement.scenarios.iter().filter(|s| !s.deviations.is_empty()).count();
        if count > 0 {
            let labels = [
                ("id", requirement.id.as_str()),
                ("severity", requirement.severity.as_str()),
                ("status", requirement.status.as_str()),
            ];
            page.sample(name, &labels, count);
        }
    }
}

fn latency(page: &mut Page, report: &Report) {
    let name = "authspec_endpoint_latency_seconds";
    page.family(name, "histogram", "Time until an answer was complete, by endpoint.");
    for (endpoint, found) in by_endpoint(&distinct(report)) {
        let mut so_far = 0;
        let bounds = BOUNDS.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
        for (bound, count) in bounds.zip(found.buckets) {
            so_far += count;
            let labels = [("endpoint", endpoint), ("le", bound.as_str())];
            page.sample(&format!("{name}_bucket"), &labels, so_far);
        }
        page.sample(&format!("{name}_sum"), &[("endpoint", endpoint)], seconds(found.sum_us));
        page.sample(&format!("{name}_count"), &[("endpoint", endpoint)], found.count);
    }
}

/// A page of metrics whose samples all name the target.
struct Page {
    text: String,
    common: String,
}

impl Page {
    fn of(issuer: &str, profile: Profile) -> Self {
        let common = format!("{},{}", label("issuer", issuer), label("profile", profile.as_str()));
        Self { text: String::new(), common }
    }

    /// Begins a metric; `help` holds neither backslash nor line break.
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ = write!(self.text, "{name}{{{}", self.common);
        for (name, value) in labels {
            let _ = write!(self.text, ",{}", label(name, value));
        }
        let _ = writeln!(self.text, "}} {value}");
    }
}

fn label(name: &str, value: &str) -> String {
    let escaped = value.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
    format!("{name}=\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_escaped() {
        assert_eq!(label("issuer", "a\\b\"c\nd"), r#"issuer="a\\b\"c\nd""#);
    }

    #[test]
    fn a_run_without_a_report_leaves_its_exit_code() {
        let text = of_failure("https://as.test", Profile::Baseline, 3, 1_800_000_000.5);
        let labels = r#"{issuer="https://as.test",profile="baseline"}"#;
        assert!(text.contains(&format!("\nauthspec_exit_code{labels} 3\n")), "{text}");
        assert!(text.contains(&format!("\nauthspec_gate_passed{labels} 0\n")), "{text}");
        let time = format!("\nauthspec_run_timestamp_seconds{labels} 1800000000.5\n");
        assert!(text.contains(&time), "{text}");
    }
}
