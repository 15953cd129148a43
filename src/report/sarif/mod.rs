//! SARIF 2.1.0 as GitHub's code scanning takes it.
//!
//! A rule a requirement, a result a scenario that deviates, each at the line where the profile names
//! the target. What could not be judged is no result: GitHub ignores `kind` and would raise an alert
//! for what nobody proved, so it becomes a notification of the invocation, with its rule.

mod result;
mod rule;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::finding::{findings, one_line, shortened, unjudged};
use super::moment::Moments;
use crate::model::report::Report;
use crate::model::verdict::Status;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Results that GitHub shows for one run; it takes 25,000 and rejects a file with more.
const RESULTS: usize = 5_000;

/// Characters of one message.
const MESSAGE: usize = 4_000;

/// The report as SARIF.
pub(super) fn render(report: &Report) -> Result<String, String> {
    let log = json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run(report)?] });
    serde_json::to_string_pretty(&log).map(|text| text + "\n").map_err(|e| e.to_string())
}

fn run(report: &Report) -> Result<Value, String> {
    let (name, version) = report.tool.split_once(' ').unwrap_or((&report.tool, ""));
    let cwe: BTreeSet<u32> = report.requirements.iter().flat_map(|r| &r.cwe).copied().collect();
    let rules: Vec<Value> = report.requirements.iter().map(|r| rule::rule(r, &cwe)).collect();
    let findings = findings(report);
    let results: Vec<Value> = findings
        .iter()
        .take(RESULTS)
        .map(|finding| {
            let id = &finding.requirement.id;
            let index = report.requirements.iter().position(|r| &r.id == id);
            result::result(report, finding, index.unwrap_or_default())
        })
        .collect();
    let mut driver = json!({
        "name": name,
        "informationUri": "https://datatracker.ietf.org/doc/draft-ietf-oauth-v2-1/",
        "rules": rules,
    });
    if !version.is_empty() {
        driver["version"] = json!(version);
    }
    let mut run = json!({
        "tool": { "driver": driver },
        "automationDetails": { "id": format!("authspec/{}/", report.target.issuer) },
        "invocations": [invocation(report, findings.len())?],
        "originalUriBaseIds": {
            result::ROOT: { "description": { "text": "the root of the repository with the profile" } },
        },
        "columnKind": "unicodeCodePoints",
        "properties": {
            "issuer": report.target.issuer,
            "profile": report.profile.as_str(),
            "run": report.run,
        },
        "results": results,
    });
    if !cwe.is_empty() {
        run["tool"]["driver"]["supportedTaxonomies"] = json!([{ "name": "CWE", "index": 0 }]);
        run["taxonomies"] = json!([rule::weaknesses(&cwe)]);
    }
    Ok(run)
}

fn invocation(report: &Report, found: usize) -> Result<Value, String> {
    let moments = Moments::of(report)?;
    let mut notifications: Vec<Value> = unjudged(report)
        .map(|(requirement, scenario, reason)| {
            let level = if scenario.status == Status::Error { "error" } else { "warning" };
            let text = format!(
                "{} has no verdict ({}), scenario {:?}: {reason}",
                requirement.id,
                scenario.status.as_str(),
                one_line(&scenario.name),
            );
            json!({
                "level": level,
                "message": { "text": shortened(&text, MESSAGE) },
                "associatedRule": { "id": requirement.id },
            })
        })
        .collect();
    if found > RESULTS {
        let text = format!(
            "{} more results are in run.json: code scanning shows {RESULTS} a run",
            found - RESULTS
        );
        notifications.push(json!({ "level": "warning", "message": { "text": text } }));
    }
    let is_own_error = report.counts.get(&Status::Error).is_some_and(|count| *count > 0);
    Ok(json!({
        "executionSuccessful": !is_own_error && !report.interrupted,
        "exitCode": report.gate.exit_code,
        "exitCodeDescription": report.gate.rule,
        "startTimeUtc": format!("{:.3}", moments.at(0)),
        "endTimeUtc": format!("{:.3}", moments.end(report)),
        "toolExecutionNotifications": notifications,
    }))
}
