//! `authspec run`: the audit.

use std::path::Path;
use std::rc::Rc;

use reference_server::Config;
use serde_json::json;

use super::arguments::RunArgs;
use super::console::{Console, colour};
use super::gate::Rules;
use super::log::{self, Weight};
use super::output::{OutputArgs, VoiceArgs};
use super::replay::recorded;
use super::settings::environment;
use super::stop::Stop;
use super::{complain, dry_run, exit, person, say, targets, watch};
use crate::embedded;
use crate::gate::waivers::to_paste;
use crate::model::report::Report;
use crate::model::requirement::Profile;
use crate::model::verdict::Status;
use crate::plan::Filter;
use crate::report::terminal;
use crate::run::{Failure, Options, Outcome, audit};
use crate::target::profile::Target;
use crate::world::context::Clock;

/// Exchanges shown when the preflight fails: the last ones tell what went wrong.
const SHOWN_EXCHANGES: usize = 3;

/// Audits what the arguments name and writes the report.
pub(super) async fn run(args: RunArgs, stop: Stop) -> u8 {
    if let Err(message) = args.many.check(args.repeat.is_some()) {
        complain(message);
        return exit::USAGE;
    }
    if args.dry_run {
        return match &args.many.targets {
            Some(folder) => targets::rehearse(&args, folder).await,
            None => dry_run::run(args).await,
        };
    }
    if let Err(code) = args.output.prepare() {
        return code;
    }
    let rules = match args.gate.load() {
        Ok(rules) => rules,
        Err(message) => {
            complain(message);
            return exit::USAGE;
        }
    };
    let RunArgs { target, filter, profile, many, repeat, output, voice, .. } = args;
    let session = Session { rules, profile: profile.into(), output, voice, stop };
    let mut filter: Filter = filter.into();
    if let Some(run) = &repeat {
        match unfinished(run, &session.output.reports) {
            Ok(ids) => filter.ids.extend(ids),
            Err((code, message)) => {
                complain(message);
                return code;
            }
        }
    }
    if let Some(folder) = &many.targets {
        return targets::run(&session, folder, &target, &filter).await;
    }
    let target = match target.resolve(&environment()) {
        Ok(target) => target,
        Err(message) => {
            complain(message);
            return exit::USAGE;
        }
    };
    match (target, many.watch.is_empty()) {
        (Some(target), true) => session.once(target, filter).await,
        (Some(target), false) => watch::run(&session, &target, &filter, &many.watch).await,
        (None, true) => session.embedded(filter).await,
        (None, false) => {
            complain("--watch needs an issuer or --target: the embedded server does not change");
            exit::USAGE
        }
    }
}

/// What all audits of one command have in common.
pub(super) struct Session {
    pub(super) rules: Rules,
    pub(super) profile: Profile,
    pub(super) output: OutputArgs,
    pub(super) voice: VoiceArgs,
    pub(super) stop: Stop,
}

impl Session {
    async fn once(&self, target: Target, filter: Filter) -> u8 {
        let issuer = target.issuer.clone();
        let outcome = self.audit(target, filter, None).await;
        self.conclude(&issuer, outcome)
    }

    /// Audits the target and judges by the rules; one of several by its name.
    pub(super) async fn audit(
        &self,
        mut target: Target,
        filter: Filter,
        name: Option<String>,
    ) -> Result<Outcome, Failure> {
        target.login.keep_in(&self.output.reports);
        if person::introduce(&mut target) {
            announce(&filter, &mut target).await;
        }
        let console = match name {
            Some(name) => Console::of(name, self.voice, self.stop.clone()),
            None => Console::new(None, self.voice, self.stop.clone()),
        };
        let (profile, clock) = (self.profile, Clock::default());
        let outcome = audit(Options { target, profile, filter, clock }, Rc::new(console)).await;
        outcome.map(|outcome| self.judged(outcome))
    }

    async fn embedded(&self, filter: Filter) -> u8 {
        let server = match embedded::start(Config { tls: true, ..Config::default() }) {
            Ok(server) => server,
            Err(e) => {
                complain(format!("cannot start the reference server: {e}"));
                return exit::OWN_ERROR;
            }
        };
        let issuer = server.issuer();
        let banner =
            format!("no issuer is given: auditing the embedded reference server at {issuer}");
        let console = Console::new(Some(banner), self.voice, self.stop.clone());
        let (target, clock) = (embedded::target(&server), embedded::clock(&server));
        let options = Options { target, profile: self.profile, filter, clock };
        let outcome = audit(options, Rc::new(console)).await.map(|outcome| self.judged(outcome));
        self.conclude(issuer, outcome)
    }

    fn judged(&self, mut outcome: Outcome) -> Outcome {
        self.rules.settle(&mut outcome.report);
        // What the waivers say is in the report now, too.
        outcome.report.clean(&outcome.canary);
        outcome
    }

    /// Writes the report, or says why there is none, and returns the exit code.
    pub(super) fn conclude(&self, issuer: &str, outcome: Result<Outcome, Failure>) -> u8 {
        match outcome {
            Ok(outcome) => finish(&outcome, &self.output, self.voice.quiet),
            Err(failure) => {
                let code = explain(&failure);
                self.output.write_failure(issuer, self.profile, code);
                log::event(
                    Weight::Error,
                    "run_failed",
                    json!({ "issuer": issuer, "exit_code": code }),
                );
                code
            }
        }
    }
}

/// Says beforehand how often the person is needed.
async fn announce(filter: &Filter, target: &mut Target) {
    let most = person::most_logins(filter).await;
    person::expect(target, most);
    let count = most.map_or("many".into(), |count| count.to_string());
    complain(format!(
        "you sign in yourself, one login at a time: at most {count} of them (an upper bound, counted on \
         the embedded reference server; --id and --tags choose fewer checks)"
    ));
}

/// The requirements that failed or could not be judged in that run.
fn unfinished(run: &Path, folder: &Path) -> Result<Vec<String>, (u8, String)> {
    let report = recorded(Some(run), folder).map_err(|message| (exit::USAGE, message))?;
    let ids = left_to_do(&report);
    if ids.is_empty() {
        let message = format!("nothing failed in {} and all was judged", report.run);
        return Err((exit::NOTHING_SELECTED, message));
    }
    Ok(ids)
}

/// What failed in a run or could not be judged.
pub(super) fn left_to_do(report: &Report) -> Vec<String> {
    let bad = [Status::Fail, Status::Error, Status::Inconclusive, Status::Warn];
    bad.iter().flat_map(|s| report.with_status(*s)).map(str::to_owned).collect()
}

/// The exit code of a run that has a report.
pub(super) fn code_of(report: &Report) -> u8 {
    if report.interrupted { exit::INTERRUPTED } else { report.gate.exit_code }
}

/// Writes the report, prints its summary, and returns its exit code.
pub(super) fn finish(outcome: &Outcome, output: &OutputArgs, is_quiet: bool) -> u8 {
    let Outcome { report, canary } = outcome;
    let (paths, code) = match output.write(outcome) {
        Ok(paths) => {
            let shown = paths.iter().map(|path| path.display().to_string());
            (shown.collect(), code_of(report))
        }
        Err(message) => {
            complain(message);
            (vec![], exit::OWN_ERROR)
        }
    };
    log_end(report, &paths, code);
    let summary = match is_quiet {
        true => terminal::summary_alone(report, &paths, colour()).trim_start().to_owned(),
        false => in_full(report, &paths),
    };
    match canary.scan(summary.as_bytes()) {
        Ok(()) => {
            say(summary.trim_end());
            code
        }
        Err(leak) => {
            complain(format!(
                "the summary is withheld, since {leak}; this is a defect of authspec, please report it"
            ));
            exit::OWN_ERROR
        }
    }
}

/// The summary with its evidence, and how to answer for a finding.
fn in_full(report: &Report, paths: &[String]) -> String {
    let mut summary = terminal::summary(report, paths, colour()).trim_end().to_owned();
    let failed = report.requirements.iter().filter(|r| r.status == Status::Fail);
    let waivers: Vec<String> = failed.map(to_paste).collect();
    if !waivers.is_empty() {
        summary.push_str(&format!(
            "\n\nto answer for a finding until a day, complete its lines in a file for --waivers:\n\n{}",
            waivers.join("\n").trim_end()
        ));
    }
    summary
}

fn log_end(report: &Report, paths: &[String], code: u8) {
    log::event(
        Weight::Info,
        "run_finished",
        json!({
            "run": report.run,
            "issuer": report.target.issuer,
            "trace_id": report.trace_id,
            "exit_code": code,
            "gate_passed": report.gate.passed,
            "interrupted": report.interrupted,
            "counts": report.counts,
            "requests": report.requests,
            "duration_ms": report.duration_ms,
            "files": paths,
        }),
    );
}

/// Prints why there is no report.
pub(super) fn explain(failure: &Failure) -> u8 {
    match failure {
        Failure::Preflight(obstacle, exchanges, _) => {
            let mut text = format!(
                "the target cannot be audited yet\n  tried     {}\n  came back {}\n  to change {}\n",
                obstacle.tried, obstacle.came_back, obstacle.remedy
            );
            let last = exchanges.len().saturating_sub(SHOWN_EXCHANGES);
            exchanges[last..]
                .iter()
                .for_each(|exchange| terminal::of_exchange(&mut text, exchange));
            complain(text.trim_end());
            exit::PREFLIGHT
        }
        Failure::NothingSelected(message) => {
            complain(message);
            exit::NOTHING_SELECTED
        }
        Failure::Usage(message) => {
            complain(message);
            exit::USAGE
        }
        Failure::Own(message) => {
            complain(format!("{message}; this is a defect of authspec, please report it"));
            exit::OWN_ERROR
        }
    }
}
