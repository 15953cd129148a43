//! Cucumber Messages, a line of JSON each, from which Cucumber's own HTML formatter draws a run.
//!
//! A report holds no text of features, only what ran: the documents are put together from it, a Rule
//! a requirement, and each row of an Examples table is a Scenario of its own, with the lines of the
//! real files. Duties without a scenario have one of their own with the reason as its only step.
//!
//! | report | step |
//! |---|---|
//! | met | `PASSED` |
//! | violates the duty; our own error | `FAILED` |
//! | no step of that text | `UNDEFINED` |
//! | warn, note | `PASSED`, what was found is attached |
//! | waived, not applicable, untested, not run | `SKIPPED` |
//! | inconclusive | `PENDING` |

mod document;
mod outcome;

use jiff::Timestamp;
use serde_json::{Value, json};

use self::document::{Case, Document, Ids, documents};
use super::moment::Moments;
use crate::model::report::Report;

/// Version of the messages' shapes.
const PROTOCOL: &str = "27.0.0";

const RUN: &str = "run";

/// The report as Cucumber Messages.
pub(super) fn render(report: &Report) -> Result<String, String> {
    let moments = Moments::of(report)?;
    let mut ids = Ids::default();
    let documents = documents(report, &mut ids);
    let mut lines = Lines(String::new());
    lines.push(meta(report));
    for document in &documents {
        lines.push(json!({ "gherkinDocument": document.gherkin() }));
        document
            .cases()
            .for_each(|case| lines.push(json!({ "pickle": case.pickle(&document.uri) })));
    }
    lines.push(json!({ "testRunStarted": { "id": RUN, "timestamp": timestamp(moments.at(0)) } }));
    let cases = || documents.iter().flat_map(Document::cases);
    cases().for_each(|case| lines.push(json!({ "testCase": test_case(case) })));
    for case in cases() {
        outcome::envelopes(case, moments).into_iter().for_each(|envelope| lines.push(envelope));
    }
    lines.push(json!({ "testRunFinished": {
        "testRunStartedId": RUN,
        "timestamp": timestamp(moments.end(report)),
        "success": report.gate.passed,
        "message": report.gate.rule,
    }}));
    Ok(lines.0)
}

struct Lines(String);

impl Lines {
    #[expect(clippy::needless_pass_by_value, reason = "an envelope ends here")]
    fn push(&mut self, envelope: Value) {
        self.0.push_str(&envelope.to_string());
        self.0.push('\n');
    }
}

fn meta(report: &Report) -> Value {
    let (name, version) = report.tool.split_once(' ').unwrap_or((&report.tool, ""));
    // Where the run took place is no business of the report's.
    let unknown = json!({ "name": "unknown" });
    json!({ "meta": {
        "protocolVersion": PROTOCOL,
        "implementation": { "name": name, "version": version },
        "runtime": { "name": "rust" },
        "os": unknown,
        "cpu": unknown,
    }})
}

fn test_case(case: &Case<'_>) -> Value {
    let steps = case.steps.iter().map(|step| {
        json!({ "id": step.test_step(), "pickleStepId": step.pickle_step(), "stepDefinitionIds": [] })
    });
    json!({
        "id": case.test_case(),
        "pickleId": case.id,
        "testRunStartedId": RUN,
        "testSteps": steps.collect::<Value>(),
    })
}

fn timestamp(at: Timestamp) -> Value {
    json!({ "seconds": at.as_second(), "nanos": at.subsec_nanosecond() })
}

fn duration(micros: u64) -> Value {
    json!({ "seconds": micros / 1_000_000, "nanos": micros % 1_000_000 * 1000 })
}
