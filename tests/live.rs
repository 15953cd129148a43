//! The same audit against the target that the environment names, one test a requirement:
//! `AUTHSPEC_TARGET` (a profile file), or `AUTHSPEC_ISSUER` and friends; `AUTHSPEC_TAGS`,
//! `AUTHSPEC_FAIL_ON`, `AUTHSPEC_WAIVERS` and the other variables of the gate.
//!
//! `cargo test` audits once and draws all tests from it; cargo-nextest, which starts a process for
//! each test, audits one requirement in each.

#![expect(clippy::print_stdout, reason = "the output of a test tells why it judged nothing")]
#![expect(clippy::print_stderr, reason = "a run without a target is a mistake to be named")]

use std::process::ExitCode;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use authspec::catalogue::Catalogue;
use authspec::cli::gate::{GateOptions, Rules};
use authspec::cli::settings::{NO_TARGET, TargetOptions, environment};
use authspec::model::report::Report;
use authspec::model::requirement::Profile;
use authspec::model::verdict::Status;
use authspec::plan::Filter;
use authspec::report::terminal::{Colour, finding, summary};
use authspec::run::{Failure, Options, Outcome, audit_blocking};
use authspec::target::profile::Target;
use authspec::world::context::Clock;
use clap::Parser;
use libtest_mimic::{Arguments, Failed, Trial};

/// The options of the gate, of which only the environment is read.
#[derive(Parser)]
struct FromEnvironment {
    #[command(flatten)]
    gate: GateOptions,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    match trials(&arguments) {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(message) => {
            eprintln!("authspec: {message}");
            ExitCode::from(2)
        }
    }
}

fn trials(arguments: &Arguments) -> Result<Vec<Trial>, String> {
    let environment = environment();
    let catalogue = Catalogue::load()?;
    let mut filter =
        Filter { tags: environment.get("AUTHSPEC_TAGS").cloned(), ..Filter::default() };
    let selected = filter.select(catalogue)?;
    let ids: Vec<String> = selected.iter().map(|s| s.requirement.id.clone()).collect();
    let is_one = |id: &&String| arguments.exact && arguments.filter.as_ref() == Some(id);
    let one = ids.iter().find(is_one).cloned();
    let is_whole = one.is_none();
    filter.ids.extend(one);
    let run = Arc::new(Run { filter, outcome: OnceLock::new() });
    let mut trials: Vec<Trial> = ids
        .into_iter()
        .map(|id| {
            let run = run.clone();
            Trial::test(id.clone(), move || run.requirement(&id))
        })
        .collect();
    // A process for each test has no whole to judge.
    if is_whole && !environment.contains_key("NEXTEST") {
        trials.push(Trial::test("gate", move || run.gate()));
    }
    Ok(trials)
}

/// Why there is no report.
enum Fault {
    /// What was asked for has no scenario in this kind of run.
    NothingSelected(String),
    Other(String),
}

/// One audit, made by the first test that asks for it.
struct Run {
    filter: Filter,
    outcome: OnceLock<Result<(Report, Rules), Fault>>,
}

impl Run {
    fn outcome(&self) -> Result<&(Report, Rules), Failed> {
        let outcome = self.outcome.get_or_init(|| audit(&self.filter));
        outcome.as_ref().map_err(|fault| match fault {
            Fault::NothingSelected(message) | Fault::Other(message) => message.as_str().into(),
        })
    }

    fn requirement(&self, id: &str) -> Result<(), Failed> {
        let (report, rules) = match (self.outcome(), self.outcome.get()) {
            // A process of its own for a duty that this kind of run leaves out.
            (_, Some(Err(Fault::NothingSelected(message)))) if !self.filter.ids.is_empty() => {
                println!("{id}: untested: {message}");
                return Ok(());
            }
            (outcome, _) => outcome?,
        };
        let requirement = report.requirements.iter().find(|r| r.id == id);
        let requirement = requirement.ok_or_else(|| format!("{id} is not in the report"))?;
        if matches!(requirement.status, Status::NotApplicable | Status::Untested) {
            let reason = requirement.reason.as_deref().unwrap_or_default();
            println!("{id}: {}: {reason}", requirement.status.as_str());
        }
        let faults: Vec<&String> =
            report.gate.reasons.iter().filter(|r| r.contains(&format!("waiver of {id}"))).collect();
        if rules.stops(requirement) || !faults.is_empty() {
            let mut text = String::new();
            finding(&mut text, requirement, Colour::Off);
            faults.iter().for_each(|fault| text.push_str(&format!("  {fault}\n")));
            return Err(text.into());
        }
        Ok(())
    }

    fn gate(&self) -> Result<(), Failed> {
        let (report, _) = self.outcome()?;
        if report.gate.passed { Ok(()) } else { Err(summary(report, &[], Colour::Off).into()) }
    }
}

fn target() -> Result<Target, String> {
    TargetOptions::default().resolve(&environment())?.ok_or_else(|| NO_TARGET.to_owned())
}

fn audit(filter: &Filter) -> Result<(Report, Rules), Fault> {
    let options = FromEnvironment::try_parse_from(["live"]);
    let options = options.map_err(|e| Fault::Other(e.to_string()))?;
    let rules = options.gate.load().map_err(Fault::Other)?;
    let (profile, clock, filter) = (Profile::Baseline, Clock::default(), filter.clone());
    let target = target().map_err(Fault::Other)?;
    let options = Options { target, profile, filter, clock };
    match audit_blocking(options, Rc::new(())) {
        Ok(Outcome { mut report, .. }) => {
            rules.settle(&mut report);
            Ok((report, rules))
        }
        Err(Failure::Preflight(obstacle, ..)) => {
            Err(Fault::Other(format!("the target cannot be audited yet: {obstacle}")))
        }
        Err(Failure::NothingSelected(message)) => Err(Fault::NothingSelected(message)),
        Err(Failure::Usage(message) | Failure::Own(message)) => Err(Fault::Other(message)),
    }
}
