//! `authspec replay`: one finding of a recorded run, once more.

use std::path::Path;
use std::rc::Rc;

use super::arguments::ReplayArgs;
use super::console::colour;
use super::run::explain;
use super::settings::{NO_TARGET, environment};
use super::{complain, exit, say};
use crate::model::report::{Report, RequirementReport, ScenarioReport};
use crate::model::verdict::Status;
use crate::plan::Filter;
use crate::report::{store, terminal};
use crate::run::{Options, audit};
use crate::target::profile::Target;
use crate::world::context::Clock;

/// Nothing could be judged.
const UNJUDGED: u8 = 5;

/// Repeats what the arguments name and says how it went.
pub(super) async fn replay(args: ReplayArgs) -> u8 {
    let recorded = match recorded(args.run.as_deref(), &args.reports) {
        Ok(report) => report,
        Err(message) => {
            complain(message);
            return exit::USAGE;
        }
    };
    let (id, scenarios) = match find(&recorded, &args.finding) {
        Ok(found) => found,
        Err(message) => {
            complain(message);
            return exit::USAGE;
        }
    };
    let target = match target(args, &recorded) {
        Ok(target) => target,
        Err(message) => {
            complain(message);
            return exit::USAGE;
        }
    };
    if target.issuer != recorded.target.issuer {
        complain(format!(
            "the finding is one of {}; it is repeated against {}",
            recorded.target.issuer, target.issuer
        ));
    }
    let variant = match scenarios.as_slice() {
        [one] => Some(one.name.clone()),
        _ => None,
    };
    let filter = Filter { ids: vec![id.clone()], variant, slow: true, ..Filter::default() };
    let options = Options { target, profile: recorded.profile, filter, clock: Clock::default() };
    match audit(options, Rc::new(())).await {
        Ok(outcome) => conclude(&scenarios, &outcome.report),
        Err(failure) => explain(&failure),
    }
}

/// The run that is named, or the last one in the folder.
pub(super) fn recorded(run: Option<&Path>, reports: &Path) -> Result<Report, String> {
    match run {
        Some(path) if path != Path::new("last") => store::read(path),
        _ => store::read(&store::last(reports)?),
    }
}

/// The requirement of that id, and the scenarios that are meant: that of the number, or all.
fn find<'a>(
    report: &'a Report,
    finding: &str,
) -> Result<(String, Vec<&'a ScenarioReport>), String> {
    let (id, number) = match finding.trim_start_matches(['#', '@']).split_once('/') {
        Some((id, number)) => (id, Some(number)),
        None => (finding.trim_start_matches(['#', '@']), None),
    };
    let is_it = |r: &&RequirementReport| r.id == id;
    let requirement = report.requirements.iter().find(is_it).ok_or_else(|| unknown(report, id))?;
    let all: Vec<&ScenarioReport> = match number {
        None => requirement.scenarios.iter().collect(),
        Some(number) => {
            let at = number.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
            at.and_then(|at| requirement.scenarios.get(at)).into_iter().collect()
        }
    };
    if all.is_empty() {
        return Err(format!(
            "{finding} was not run in {}: {id} has {} scenarios there",
            report.run,
            requirement.scenarios.len()
        ));
    }
    Ok((requirement.id.clone(), all))
}

/// Says that there is no such requirement, and which there are to repeat.
fn unknown(report: &Report, id: &str) -> String {
    let deviating: Vec<&str> = report.deviating().into_iter().take(8).collect();
    let told = match deviating.is_empty() {
        true => "nothing deviates in it".to_owned(),
        false => format!("in it deviate {}", deviating.join(", ")),
    };
    format!("{} judged no requirement {id}; {told}", report.run)
}

/// The target that the arguments name; else the one of the profile that the run names.
fn target(args: ReplayArgs, recorded: &Report) -> Result<Target, String> {
    let mut options = args.target;
    let stanza = recorded.target.stanza.as_ref().map(|place| place.file.clone().into());
    if options.issuer.is_none() && options.target.is_none() {
        options.target = stanza;
    }
    options.resolve(&environment())?.ok_or_else(|| {
        format!(
            "{} was a run on {} without a profile; {NO_TARGET}",
            recorded.run, recorded.target.issuer
        )
    })
}

/// Says of each scenario how it went, with the evidence where it still deviates.
fn conclude(before: &[&ScenarioReport], report: &Report) -> u8 {
    let mut code = exit::PASSED;
    for requirement in &report.requirements {
        if requirement.scenarios.is_empty() {
            let reason = requirement.reason.as_deref().unwrap_or("it was not run");
            say(format!("cannot judge   {}: {reason}", requirement.id));
            return UNJUDGED;
        }
        for now in &requirement.scenarios {
            let Some(then) = before.iter().find(|s| s.name == now.name) else { continue };
            let (word, own) = change(then.status, now.status);
            say(format!(
                "{word:<14} {}, {}: {} then, {} now",
                requirement.id,
                now.name,
                then.status.as_str(),
                now.status.as_str()
            ));
            if code != exit::FAILED && own != exit::PASSED {
                code = own;
            }
        }
        if code != exit::PASSED {
            let mut text = String::new();
            terminal::finding(&mut text, requirement, colour());
            say(text.trim_end());
        }
    }
    code
}

/// What became of a scenario, and the exit code that says so.
fn change(then: Status, now: Status) -> (&'static str, u8) {
    let deviates = |s: Status| matches!(s, Status::Fail | Status::Warn | Status::Waived);
    match now {
        Status::Fail | Status::Warn | Status::Waived if deviates(then) => {
            ("still failing", exit::FAILED)
        }
        Status::Fail | Status::Warn | Status::Waived => ("fails now", exit::FAILED),
        Status::Pass | Status::Note if deviates(then) => ("fixed", exit::PASSED),
        Status::Pass | Status::Note => ("passes", exit::PASSED),
        Status::Inconclusive | Status::NotApplicable | Status::Untested => {
            ("cannot judge", UNJUDGED)
        }
        Status::Error => ("own error", exit::OWN_ERROR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_says_fixed_still_failing_or_cannot_judge() {
        for (then, now, word, code) in [
            (Status::Fail, Status::Pass, "fixed", 0),
            (Status::Fail, Status::Fail, "still failing", 1),
            (Status::Waived, Status::Warn, "still failing", 1),
            (Status::Pass, Status::Fail, "fails now", 1),
            (Status::Pass, Status::Note, "passes", 0),
            (Status::Fail, Status::Inconclusive, "cannot judge", 5),
            (Status::Fail, Status::Error, "own error", 4),
        ] {
            assert_eq!(change(then, now), (word, code), "{then:?} {now:?}");
        }
    }
}
