//! What changed from one run to the next: findings, what the target publishes, and how it behaves
//! where it passes both times.

mod behaviour;
mod documents;
mod normal;
mod text;

use std::collections::BTreeSet;

use serde::Serialize;

pub use self::behaviour::Drift;
pub use self::documents::DocumentChange;
use self::normal::Normal;
pub use self::text::{markdown, text};
use crate::model::report::{Gate, Report, RequirementReport, ScenarioReport};
use crate::model::requirement::Severity;
use crate::model::verdict::{Status, Weight};

/// Two runs compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The earlier run.
    pub before: Side,
    /// The later one.
    pub after: Side,
    /// Requirements whose result changed, the gravest change first.
    pub changes: Vec<Change>,
    /// Ids of requirements that the later run alone has.
    pub added: Vec<String>,
    /// Ids of requirements that the earlier run alone has.
    pub removed: Vec<String>,
    /// Other behaviour where scenarios pass both times.
    pub drift: Vec<Drift>,
    /// What changed in the documents that the target publishes.
    pub documents: Vec<DocumentChange>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    /// Its name.
    pub run: String,
    /// Name and version of the tool.
    pub tool: String,
    /// The target's issuer identifier.
    pub issuer: String,
    /// The specifications the target was held to.
    pub profile: String,
    /// The filter, where one narrowed the run.
    pub filter: Option<String>,
    /// Its verdict.
    pub gate: Gate,
}

/// How a requirement's result changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A finding where there was none.
    New,
    /// A graver finding, one more scenario that deviates, or a verdict that is lost.
    Worse,
    /// As grave as before, but another one.
    Changed,
    /// A finding that could not be looked at again.
    NotJudged,
    /// A milder finding, or a verdict where there was none.
    Better,
    /// A finding that is gone: the scenarios pass.
    Fixed,
}

impl Kind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Worse => "worse",
            Self::Changed => "changed",
            Self::NotJudged => "not judged any more",
            Self::Better => "better",
            Self::Fixed => "fixed",
        }
    }
}

/// One requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// How its result changed.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// What a violation costs.
    pub severity: Severity,
    /// Its status in the earlier run, absent where that does not have it.
    pub before: Option<Status>,
    /// Its status in the later run.
    pub after: Status,
    /// What deviates in the earlier run, a line a deviation.
    pub told_before: Vec<String>,
    /// What deviates in the later run.
    pub told_after: Vec<String>,
}

impl Difference {
    /// A finding is new, or one is worse.
    pub fn has_regressed(&self) -> bool {
        self.changes.iter().any(|change| matches!(change.kind, Kind::New | Kind::Worse))
    }

    /// Nothing but the runs themselves differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
            && self.added.is_empty()
            && self.removed.is_empty()
            && self.drift.is_empty()
            && self.documents.is_empty()
    }
}

/// What changed from `before` to `after`.
pub fn compare(before: &Report, after: &Report) -> Difference {
    let find = |report: &'_ Report, id: &str| report.requirements.iter().position(|r| r.id == id);
    let lacking = |of: &Report, from: &Report| -> Vec<String> {
        let ids = of.requirements.iter().map(|r| r.id.clone());
        ids.filter(|id| find(from, id).is_none()).collect()
    };
    let (normal_before, normal_after) = (Normal::of(before), Normal::of(after));
    let told = |normal: &Normal, r: &RequirementReport| told(normal, r);
    let mut changes = Vec::new();
    for requirement in &after.requirements {
        let earlier = find(before, &requirement.id).map(|at| &before.requirements[at]);
        let told_before = earlier.map(|r| told(&normal_before, r)).unwrap_or_default();
        let told_after = told(&normal_after, requirement);
        let is_another = told_before != told_after;
        if let Some(kind) = kind(earlier, requirement, is_another) {
            changes.push(Change {
                kind,
                id: requirement.id.clone(),
                severity: requirement.severity,
                before: earlier.map(|r| r.status),
                after: requirement.status,
                told_before,
                told_after,
            });
        }
    }
    changes.sort_by_key(|c| (c.kind, std::cmp::Reverse(c.severity)));
    Difference {
        before: side(before),
        after: side(after),
        changes,
        added: lacking(after, before),
        removed: lacking(before, after),
        drift: behaviour::drift(before, after),
        documents: documents::changes(before, after),
    }
}

fn side(report: &Report) -> Side {
    Side {
        run: report.run.clone(),
        tool: report.tool.clone(),
        issuer: report.target.issuer.clone(),
        profile: report.profile.as_str().into(),
        filter: report.filter.clone(),
        gate: report.gate.clone(),
    }
}

/// A status that says something against the target.
fn is_finding(status: Status) -> bool {
    matches!(status, Status::Warn | Status::Waived | Status::Fail)
}

fn has_no_verdict(status: Status) -> bool {
    matches!(status, Status::Inconclusive | Status::Error)
}

fn kind(
    before: Option<&RequirementReport>,
    after: &RequirementReport,
    is_another: bool,
) -> Option<Kind> {
    let new = after.status;
    let Some(before) = before else { return is_finding(new).then_some(Kind::New) };
    let old = before.status;
    match (is_finding(old), is_finding(new)) {
        (false, true) => return Some(Kind::New),
        (true, true) if new > old => return Some(Kind::Worse),
        (true, true) if new < old => return Some(Kind::Better),
        (true, true) if spreads(before, after) => return Some(Kind::Worse),
        (true, true) => return is_another.then_some(Kind::Changed),
        (true, false) if matches!(new, Status::Pass | Status::Note) => return Some(Kind::Fixed),
        (true, false) => return Some(Kind::NotJudged),
        (false, false) => {}
    }
    match (has_no_verdict(old), has_no_verdict(new)) {
        (false, true) => Some(Kind::Worse),
        (true, true) if new > old => Some(Kind::Worse),
        (true, true) if new < old => Some(Kind::Better),
        (true, false) if matches!(new, Status::Pass | Status::Note) => Some(Kind::Better),
        (true, true) | (false, false) if old == new => is_another.then_some(Kind::Changed),
        _ => Some(Kind::Changed),
    }
}

/// A scenario deviates that did not before.
fn spreads(before: &RequirementReport, after: &RequirementReport) -> bool {
    let deviates = |s: &&ScenarioReport| s.deviations.iter().any(|d| d.weight >= Weight::Warning);
    let names = |r: &RequirementReport| -> BTreeSet<String> {
        r.scenarios.iter().filter(deviates).map(|s| s.name.clone()).collect()
    };
    !names(after).is_subset(&names(before))
}

/// What deviates, without what differs from run to run.
fn told(normal: &Normal, requirement: &RequirementReport) -> Vec<String> {
    let mut lines = Vec::new();
    for scenario in &requirement.scenarios {
        for deviation in &scenario.deviations {
            lines.push(format!(
                "{}: expected {}; got {}",
                scenario.name,
                normal.prose(&deviation.expected),
                normal.prose(&deviation.actual)
            ));
        }
    }
    lines.sort();
    lines.dedup();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::report::samples;

    #[test]
    fn a_finding_that_nobody_looked_at_again_is_not_fixed() {
        let requirement = |status| samples::requirement("a.b", status);
        for (old, new, expected) in [
            (Status::Fail, Status::Pass, Some(Kind::Fixed)),
            (Status::Fail, Status::Note, Some(Kind::Fixed)),
            (Status::Fail, Status::Untested, Some(Kind::NotJudged)),
            (Status::Fail, Status::Inconclusive, Some(Kind::NotJudged)),
            (Status::Fail, Status::Waived, Some(Kind::Better)),
            (Status::Waived, Status::Fail, Some(Kind::Worse)),
            (Status::Warn, Status::Fail, Some(Kind::Worse)),
            (Status::Pass, Status::Warn, Some(Kind::New)),
            (Status::Inconclusive, Status::Fail, Some(Kind::New)),
            (Status::Pass, Status::Inconclusive, Some(Kind::Worse)),
            (Status::Inconclusive, Status::Error, Some(Kind::Worse)),
            (Status::Inconclusive, Status::Pass, Some(Kind::Better)),
            (Status::Pass, Status::Note, Some(Kind::Changed)),
            (Status::Pass, Status::NotApplicable, Some(Kind::Changed)),
            (Status::Pass, Status::Pass, None),
            (Status::Untested, Status::Untested, None),
        ] {
            let found = kind(Some(&requirement(old)), &requirement(new), false);
            assert_eq!(found, expected, "{old:?} to {new:?}");
        }
        assert_eq!(kind(None, &requirement(Status::Fail), true), Some(Kind::New));
        assert_eq!(kind(None, &requirement(Status::Pass), false), None);
    }
}
