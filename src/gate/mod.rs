//! The verdict on a run: which findings stop a release, and who answers for those that do not.

pub mod waivers;

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::model::report::{Gate, Report, RequirementReport};
use crate::model::requirement::{Level, Severity};
use crate::model::verdict::Status;
use waivers::Waivers;

/// What stops a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The least severity that counts.
    pub fail_on: Severity,
    /// The least binding level whose violation counts.
    pub level: Binding,
    /// What counts when it could not be judged.
    pub inconclusive: Inconclusive,
    /// The least share of applicable requirements that must be judged, in percent.
    pub least_coverage: u8,
}

/// How binding a requirement must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binding {
    /// MUST and MUST NOT.
    Must,
    /// Also SHOULD and SHOULD NOT.
    Should,
    /// Also MAY.
    May,
}

/// What becomes of a requirement that could not be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inconclusive {
    /// It stops the release where its violation would.
    Fail,
    /// It does not count.
    Allow,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            fail_on: Severity::Info,
            level: Binding::Must,
            inconclusive: Inconclusive::Fail,
            least_coverage: 0,
        }
    }
}

impl Policy {
    /// The rule in words.
    pub fn describe(&self) -> String {
        let level = match self.level {
            Binding::Must => "a violated MUST",
            Binding::Should => "a violated MUST or SHOULD",
            Binding::May => "a violated MUST or SHOULD, on what a MAY deserves a note for",
        };
        let severity = match self.fail_on {
            Severity::Info => String::new(),
            least => format!(" of severity {} or higher", least.as_str()),
        };
        let unjudged = match self.inconclusive {
            Inconclusive::Fail => ", on one that could not be judged",
            Inconclusive::Allow => "",
        };
        let coverage = match self.least_coverage {
            0 => String::new(),
            least => format!(", on less than {least} % of what applies judged"),
        };
        format!("fails on {level}{severity}{unjudged}{coverage}, and on an error of authspec's own")
    }

    fn counts(&self, requirement: &RequirementReport) -> bool {
        requirement.severity >= self.fail_on && Binding::of(requirement.level) <= self.level
    }

    fn is_violated(&self, requirement: &RequirementReport) -> bool {
        let least = match self.level {
            Binding::Must => Status::Fail,
            Binding::Should => Status::Warn,
            Binding::May => Status::Note,
        };
        let is_violation = matches!(requirement.status, Status::Note | Status::Warn | Status::Fail);
        is_violation && requirement.status >= least && self.counts(requirement)
    }

    fn is_unjudged(&self, requirement: &RequirementReport) -> bool {
        requirement.status == Status::Inconclusive
            && self.inconclusive == Inconclusive::Fail
            && self.counts(requirement)
    }

    /// Whether the requirement alone stops a release.
    pub fn stops(&self, requirement: &RequirementReport) -> bool {
        requirement.status == Status::Error
            || self.is_violated(requirement)
            || self.is_unjudged(requirement)
    }

    /// The verdict on these requirements. Faults of waivers stop a release too.
    fn judge(&self, requirements: &[RequirementReport], faults: Vec<String>) -> Gate {
        let ids = |holds: &dyn Fn(&RequirementReport) -> bool| -> Vec<&str> {
            requirements.iter().filter(|r| holds(r)).map(|r| r.id.as_str()).collect()
        };
        let errors = ids(&|r| r.status == Status::Error);
        let violated = ids(&|r| self.is_violated(r));
        let unjudged = ids(&|r| self.is_unjudged(r));
        let (judged, applicable) = coverage(requirements);
        let is_thin = judged * 100 < applicable * usize::from(self.least_coverage);
        let exit_code = if !errors.is_empty() {
            4
        } else if !violated.is_empty() || !faults.is_empty() || is_thin {
            1
        } else if !unjudged.is_empty() || judged == 0 {
            5
        } else {
            0
        };
        let findings = [
            named("an error of authspec's own", &errors),
            named("violated", &violated),
            is_thin.then(|| format!("{judged} of {applicable} that apply were judged")),
            named("could not be judged", &unjudged),
            (judged == 0).then(|| "nothing was judged".to_owned()),
        ];
        let reasons = findings.into_iter().flatten().chain(faults).collect();
        Gate { passed: exit_code == 0, exit_code, rule: self.describe(), reasons, remarks: vec![] }
    }
}

impl Binding {
    fn of(level: Level) -> Self {
        match level {
            Level::Must | Level::MustNot => Self::Must,
            Level::Should | Level::ShouldNot => Self::Should,
            Level::May => Self::May,
        }
    }
}

/// The most ids that a reason names.
const MOST_NAMED: usize = 5;

fn named(what: &str, ids: &[&str]) -> Option<String> {
    let shown = ids.iter().take(MOST_NAMED).copied().collect::<Vec<_>>().join(", ");
    match ids.len() {
        0 => None,
        count if count > MOST_NAMED => {
            Some(format!("{what}: {shown} and {} more", count - MOST_NAMED))
        }
        _ => Some(format!("{what}: {shown}")),
    }
}

/// How many requirements were judged, and how many apply.
pub fn coverage(requirements: &[RequirementReport]) -> (usize, usize) {
    let count = |holds: fn(Status) -> bool| requirements.iter().filter(|r| holds(r.status)).count();
    let is_judged =
        |s| matches!(s, Status::Pass | Status::Note | Status::Warn | Status::Waived | Status::Fail);
    (count(is_judged), count(|s| s != Status::NotApplicable))
}

/// The verdict by the rule that holds where nobody sets another.
pub fn strict(requirements: &[RequirementReport]) -> Gate {
    Policy::default().judge(requirements, vec![])
}

/// Lays waivers over the findings, counts anew and judges the run by `policy`, as of `today`.
pub fn settle(report: &mut Report, policy: &Policy, waivers: &Waivers, today: Date) {
    let (faults, remarks) = waivers.apply(&mut report.requirements, today);
    let mut counts = BTreeMap::new();
    for requirement in &report.requirements {
        *counts.entry(requirement.status).or_default() += 1;
    }
    report.counts = counts;
    report.gate = Gate { remarks, ..policy.judge(&report.requirements, faults) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::report::samples::requirement;

    fn judge(policy: Policy, statuses: &[(Level, Severity, Status)]) -> Gate {
        let all: Vec<_> = statuses
            .iter()
            .enumerate()
            .map(|(at, (level, severity, status))| {
                let mut one = requirement(&format!("group.duty-{at}"), *status);
                (one.level, one.severity) = (*level, *severity);
                one
            })
            .collect();
        policy.judge(&all, vec![])
    }

    const PASSED: (Level, Severity, Status) = (Level::Must, Severity::High, Status::Pass);

    #[test]
    fn the_default_fails_on_a_must_and_not_on_a_should() {
        let default = Policy::default();
        for (status, code) in [
            (Status::Fail, 1),
            (Status::Inconclusive, 5),
            (Status::Error, 4),
            (Status::Waived, 0),
            (Status::Untested, 0),
            (Status::NotApplicable, 0),
        ] {
            let gate = judge(default, &[PASSED, (Level::Must, Severity::Info, status)]);
            assert_eq!((gate.exit_code, gate.passed), (code, code == 0), "{status:?}");
        }
        let should = [(Level::Should, Severity::Critical, Status::Warn)];
        assert!(judge(default, &should).passed);
        let unjudged = [PASSED, (Level::Should, Severity::Critical, Status::Inconclusive)];
        assert!(judge(default, &unjudged).passed);
    }

    #[test]
    fn a_severity_and_a_level_move_the_line() {
        let high = Policy { fail_on: Severity::High, ..Policy::default() };
        let of = |severity| [PASSED, (Level::Must, severity, Status::Fail)];
        assert!(judge(high, &of(Severity::Medium)).passed);
        assert!(!judge(high, &of(Severity::High)).passed);
        let should = Policy { level: Binding::Should, ..Policy::default() };
        let warn = [PASSED, (Level::Should, Severity::Low, Status::Warn)];
        assert_eq!(judge(should, &warn).reasons, ["violated: group.duty-1"]);
        let note = [PASSED, (Level::May, Severity::Low, Status::Note)];
        assert!(judge(should, &note).passed);
        assert!(!judge(Policy { level: Binding::May, ..should }, &note).passed);
    }

    #[test]
    fn where_nothing_was_judged_the_gate_is_not_green() {
        for status in [Status::NotApplicable, Status::Untested, Status::Inconclusive] {
            let allow = Policy { inconclusive: Inconclusive::Allow, ..Policy::default() };
            let gate = judge(allow, &[(Level::Must, Severity::High, status)]);
            assert_eq!(gate.exit_code, 5, "{status:?}");
        }
        assert_eq!(judge(Policy::default(), &[]).exit_code, 5);
    }

    #[test]
    fn a_coverage_below_the_least_is_a_finding() {
        let half = [PASSED, (Level::May, Severity::Info, Status::Untested)];
        let least = |percent| Policy { least_coverage: percent, ..Policy::default() };
        assert!(judge(least(50), &half).passed);
        let gate = judge(least(51), &half);
        assert_eq!(
            (gate.exit_code, gate.reasons.as_slice()),
            (1, &["1 of 2 that apply were judged".to_owned()][..])
        );
        assert!(gate.rule.contains("less than 51 %"));
    }

    #[test]
    fn what_does_not_apply_is_no_gap() {
        let idle = [PASSED, (Level::Must, Severity::High, Status::NotApplicable)];
        assert!(judge(Policy { least_coverage: 100, ..Policy::default() }, &idle).passed);
    }
}
