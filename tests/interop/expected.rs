//! What is expected of a server, `expected.toml`, and the comparison with a report.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use authspec::model::report::{Report, RequirementReport};
use authspec::model::verdict::Status;
use serde::Deserialize;

/// The findings that a server is expected to give, by requirement id.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    /// Fewest requirements that pass. Without it, a server that nothing could be asked would be
    /// fine where few findings are expected.
    passes_at_least: usize,
    /// The tags of what is audited, where it is not everything.
    pub(crate) only: Option<String>,
    /// What the commands on the way to the audit say beside what is in order, by command and item.
    #[serde(default)]
    walk: BTreeMap<String, Remark>,
    #[serde(default)]
    pub(crate) findings: BTreeMap<String, Finding>,
}

/// One finding.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Finding {
    verdict: Status,
    /// Whether it shows is a matter of chance, as with races; a pass is as good.
    #[serde(default)]
    sometimes: bool,
    /// Why: the server or its configuration, and which section says so.
    reason: String,
}

/// What `init`, `doctor` or `login test` says of one thing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remark {
    says: String,
    /// Why, as with a finding.
    reason: String,
}

impl Expected {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let name = path.display();
        let text = fs::read_to_string(path).map_err(|e| format!("{name}: {e}"))?;
        let expected: Self = toml::from_str(&text).map_err(|e| format!("{name}: {e}"))?;
        let remarks = expected.walk.iter().map(|(key, remark)| (key, &remark.reason));
        let findings = expected.findings.iter().map(|(id, finding)| (id, &finding.reason));
        match remarks.chain(findings).find(|(_, reason)| reason.trim().is_empty()) {
            Some((key, _)) => Err(format!("{name}: {key} has no reason")),
            None => Ok(expected),
        }
    }

    /// The differences of what was said on the way, with rows to paste. Where the walk came to no end,
    /// what was not said counts for nothing.
    pub(crate) fn compare_walk(
        &self,
        said: &BTreeMap<String, String>,
        has_ended: bool,
    ) -> Result<(), String> {
        let mut text = String::new();
        for (key, says) in said {
            let known = self.walk.get(key);
            if known.is_none_or(|remark| remark.says != *says) {
                let what = if known.is_some() { "changed" } else { "new" };
                let row = format!("[walk.{key:?}]\nsays = {says:?}\nreason = \"\"");
                let _ = writeln!(text, "\n{what}: {key} says\n{row}");
            }
        }
        for (key, remark) in
            self.walk.iter().filter(|(key, _)| has_ended && !said.contains_key(*key))
        {
            let _ = writeln!(text, "\ngone: {key} said {}", remark.says);
        }
        if text.is_empty() { Ok(()) } else { Err(text) }
    }

    /// The findings that are not expected; what could not be judged is none.
    pub(crate) fn made_up(&self, report: &Report) -> Result<(), String> {
        let mut text = String::new();
        for requirement in &report.requirements {
            let is_known = self
                .findings
                .get(&requirement.id)
                .is_some_and(|finding| finding.verdict == requirement.status);
            let is_claim =
                is_finding(requirement.status) && requirement.status != Status::Inconclusive;
            if is_claim && !is_known {
                let _ = writeln!(text, "\nmade up: {}\n{}", requirement.id, row(requirement));
            }
        }
        if text.is_empty() { Ok(()) } else { Err(text) }
    }

    /// The differences, with rows to paste.
    pub(crate) fn compare(&self, report: &Report) -> Result<(), String> {
        let mut text = String::new();
        let found: BTreeMap<&str, &RequirementReport> = report
            .requirements
            .iter()
            .filter(|r| is_finding(r.status))
            .map(|r| (r.id.as_str(), r))
            .collect();
        for (id, requirement) in &found {
            match self.findings.get(*id) {
                Some(finding) if finding.verdict == requirement.status => {}
                Some(finding) => {
                    let (was, is) = (finding.verdict.as_str(), requirement.status.as_str());
                    let _ =
                        writeln!(text, "\nchanged: {id} was {was}, is {is}\n{}", row(requirement));
                }
                None => {
                    let _ = writeln!(text, "\nnew: {id}\n{}", row(requirement));
                }
            }
        }
        for (id, finding) in &self.findings {
            if !found.contains_key(id.as_str()) {
                let status = report.requirements.iter().find(|r| r.id == *id).map(|r| r.status);
                if finding.sometimes && status == Some(Status::Pass) {
                    continue;
                }
                let is = status.map_or("unknown", Status::as_str);
                let _ = writeln!(text, "\ngone: {id} was {}, is {is}", finding.verdict.as_str());
            }
        }
        let passes = report.with_status(Status::Pass).len();
        if passes < self.passes_at_least {
            let _ =
                writeln!(text, "\nonly {passes} requirements pass, not {}", self.passes_at_least);
        }
        if text.is_empty() { Ok(()) } else { Err(text) }
    }
}

/// Verdicts that need an explanation.
fn is_finding(status: Status) -> bool {
    !matches!(status, Status::Untested | Status::NotApplicable | Status::Pass)
}

/// A row for `expected.toml`, with what was seen as a draft of the reason.
fn row(requirement: &RequirementReport) -> String {
    let seen = requirement.scenarios.iter().find(|s| s.status == requirement.status).map(|s| {
        let deviation = s.deviations.first().map(|d| format!("{}, not {}", d.actual, d.expected));
        let obstacle = s.obstacle.as_ref().map(|o| o.came_back.clone());
        let what = deviation.or(obstacle).unwrap_or_default();
        format!("{}: {what}", s.name)
    });
    let verdict = serde_json::to_string(&requirement.status).unwrap_or_default();
    let draft = format!("{:?}", seen.unwrap_or_default());
    format!("[findings.\"{}\"]\nverdict = {verdict}\nreason = {draft}", requirement.id)
}
