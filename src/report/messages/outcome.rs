//! How each scenario went, with its exchanges as attachments.

use serde_json::{Value, json};

use super::document::Case;
use super::{duration, timestamp};
use crate::model::report::{ExchangeReport, ScenarioReport};
use crate::model::verdict::{Status, StepOutcome};
use crate::report::finding::{absence, one_line, printable, reason};
use crate::report::moment::Moments;

/// How a step counts for Cucumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Passed,
    Skipped,
    Pending,
    Undefined,
    Failed,
}

impl Mark {
    fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::Skipped => "SKIPPED",
            Self::Pending => "PENDING",
            Self::Undefined => "UNDEFINED",
            Self::Failed => "FAILED",
        }
    }

    /// What the worst step of the scenario must be.
    fn of(case: &Case<'_>) -> Self {
        let Some(scenario) = case.scenario else { return Self::Skipped };
        match scenario.status {
            Status::Pass | Status::Note | Status::Warn => Self::Passed,
            Status::Fail if case.requirement.status == Status::Waived => Self::Skipped,
            Status::Untested | Status::NotApplicable | Status::Waived => Self::Skipped,
            Status::Inconclusive => Self::Pending,
            Status::Error if is_undefined(scenario) => Self::Undefined,
            Status::Fail | Status::Error => Self::Failed,
        }
    }
}

/// A step of the feature has no definition; the reason says so.
fn is_undefined(scenario: &ScenarioReport) -> bool {
    scenario.reason.as_ref().is_some_and(|reason| reason.starts_with("no definition for the step"))
}

/// The marks of its steps: one at least has the mark of the scenario.
fn marks(case: &Case<'_>) -> Vec<Mark> {
    let whole = Mark::of(case);
    let mut marks: Vec<Mark> = case
        .steps
        .iter()
        .map(|step| match step.report.map(|r| r.outcome) {
            Some(StepOutcome::Passed) => Mark::Passed,
            Some(StepOutcome::NotRun) => Mark::Skipped,
            Some(StepOutcome::Deviated | StepOutcome::Stopped) | None => whole,
        })
        .collect();
    if whole != Mark::Passed && !marks.contains(&whole) {
        marks.pop();
        marks.push(whole);
    }
    marks
}

/// From the start of the scenario to its end.
pub(super) fn envelopes(case: &Case<'_>, moments: Moments) -> Vec<Value> {
    let started = format!("{}-started", case.id);
    let begin = case.scenario.map_or(0, |s| s.at_us);
    let mut now = begin;
    let mut out = vec![json!({ "testCaseStarted": {
        "id": started,
        "testCaseId": case.test_case(),
        "attempt": 0,
        "timestamp": timestamp(moments.at(begin)),
    }})];
    let marks = marks(case);
    let telling = marks.iter().rposition(|m| *m == Mark::of(case)).unwrap_or_default();
    let exchanges = case.scenario.map(|s| s.exchanges.as_slice()).unwrap_or_default();
    let mut attached = 0;
    for (at, (step, mark)) in case.steps.iter().zip(&marks).enumerate() {
        let id = step.test_step();
        out.push(json!({ "testStepStarted": {
            "testCaseStartedId": started,
            "testStepId": id,
            "timestamp": timestamp(moments.at(now)),
        }}));
        let until = step.report.map_or(0, |r| r.exchanges).min(exchanges.len());
        // What came after the last step belongs to it.
        let until = if at + 1 == case.steps.len() { exchanges.len() } else { until };
        for exchange in exchanges.get(attached..until).unwrap_or_default() {
            let name = format!("exchange {}", exchange.number);
            out.push(attachment(&started, &id, &name, &wire(exchange)));
        }
        attached = attached.max(until);
        let told = if at == telling { told(case) } else { String::new() };
        if *mark == Mark::Passed && !told.is_empty() {
            out.push(attachment(&started, &id, "what was found", &told));
        }
        let elapsed = step.report.map_or(0, |r| r.elapsed_us);
        now = now.saturating_add(elapsed);
        let mut result = json!({ "status": mark.as_str(), "duration": duration(elapsed) });
        if *mark != Mark::Passed && !told.is_empty() {
            result["message"] = json!(told);
        }
        out.push(json!({ "testStepFinished": {
            "testCaseStartedId": started,
            "testStepId": id,
            "testStepResult": result,
            "timestamp": timestamp(moments.at(now)),
        }}));
    }
    let end = case.scenario.map_or(begin, |s| s.at_us.saturating_add(s.elapsed_us)).max(now);
    out.push(json!({ "testCaseFinished": {
        "testCaseStartedId": started,
        "timestamp": timestamp(moments.at(end)),
        "willBeRetried": false,
    }}));
    out
}

/// What is to be said about the scenario beside its steps.
fn told(case: &Case<'_>) -> String {
    let Some(scenario) = case.scenario else { return absence(case.requirement) };
    let mut lines = Vec::new();
    if scenario.status > Status::Pass || case.requirement.waiver.is_some() {
        lines.extend(case.requirement.waiver.as_ref().map(|_| absence(case.requirement)));
        for deviation in &scenario.deviations {
            let (expected, actual) = (one_line(&deviation.expected), one_line(&deviation.actual));
            lines.push(format!("expected {expected}\ngot      {actual}"));
        }
    }
    lines.push(reason(scenario));
    lines.extend(scenario.observations.iter().map(|o| format!("observed {}", one_line(o))));
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

fn attachment(started: &str, step: &str, name: &str, text: &str) -> Value {
    json!({ "attachment": {
        "testCaseStartedId": started,
        "testStepId": step,
        "body": text,
        "contentEncoding": "IDENTITY",
        "mediaType": "text/plain",
        "fileName": name,
    }})
}

/// The exchange as it would stand on the wire, without its secrets.
fn wire(exchange: &ExchangeReport) -> String {
    let fields = |list: &[(String, String)]| {
        list.iter().map(|(n, v)| format!("{}: {}\n", one_line(n), one_line(v))).collect::<String>()
    };
    let answer = match (exchange.status, &exchange.failure) {
        (Some(status), _) => status.to_string(),
        (None, failure) => format!("no answer: {}", failure.as_deref().unwrap_or_default()),
    };
    format!(
        "{}\n{}\n{}\n\n{}\n{}\n{}",
        one_line(&exchange.request_line),
        fields(&exchange.request_headers),
        printable(&exchange.request_body),
        one_line(&answer),
        fields(&exchange.response_headers),
        printable(&exchange.response_body),
    )
}
