//! `authspec run`: the audit.

use std::path::Path;
use std::rc::Rc;

use reference_server::Config;

use super::arguments::{OutputArgs, RunArgs};
use super::console::{Console, colour};
use super::replay::recorded;
use super::settings::environment;
use super::{complain, dry_run, exit, person, say};
use crate::embedded;
use crate::gate::waivers::to_paste;
use crate::model::requirement::Profile;
use crate::model::verdict::Status;
use crate::plan::Filter;
use crate::report::{Format, store, terminal};
use crate::run::{Failure, Options, Outcome, audit};
use crate::world::context::Clock;

/// Exchanges shown when the preflight fails: the last ones tell what went wrong.
const SHOWN_EXCHANGES: usize = 3;

/// Audits what the arguments name and writes the report.
pub(super) async fn run(args: RunArgs) -> u8 {
    if args.dry_run {
        return dry_run::run(args).await;
    }
    let folder = &args.output.reports;
    if let Err(e) = store::prepare(folder) {
        let folder = folder.display();
        complain(format!(
            "cannot write to the report folder {folder}: {e}; choose another one with --reports"
        ));
        return exit::USAGE;
    }
    let target = match args.target.resolve(&environment()) {
        Ok(target) => target,
        Err(message) => {
            complain(message);
            return exit::USAGE;
        }
    };
    let rules = match args.gate.load() {
        Ok(rules) => rules,
        Err(message) => {
            complain(message);
            return exit::USAGE;
        }
    };
    let (profile, mut filter): (Profile, Filter) = (args.profile.into(), args.filter.into());
    if let Some(run) = &args.repeat {
        match unfinished(run, folder) {
            Ok(ids) => filter.ids.extend(ids),
            Err((code, message)) => {
                complain(message);
                return code;
            }
        }
    }
    let outcome = match target {
        Some(mut target) => {
            target.login.keep_in(folder);
            if person::introduce(&mut target) {
                announce(&filter).await;
            }
            let options = Options { target, profile, filter, clock: Clock::default() };
            audit(options, Rc::new(Console::new(None))).await
        }
        None => {
            let server = match embedded::start(Config { tls: true, ..Config::default() }) {
                Ok(server) => server,
                Err(e) => {
                    complain(format!("cannot start the reference server: {e}"));
                    return exit::OWN_ERROR;
                }
            };
            let banner = format!(
                "no issuer is given: auditing the embedded reference server at {}",
                server.issuer()
            );
            let (target, clock) = (embedded::target(&server), embedded::clock(&server));
            audit(Options { target, profile, filter, clock }, Rc::new(Console::new(Some(banner))))
                .await
        }
    };
    match outcome {
        Ok(mut outcome) => {
            rules.settle(&mut outcome.report);
            let code = finish(&outcome, &args.output);
            if outcome.report.interrupted { exit::INTERRUPTED } else { code }
        }
        Err(failure) => explain(&failure),
    }
}

/// Says beforehand how often the person is needed.
async fn announce(filter: &Filter) {
    let count = person::most_logins(filter).await.map_or("many".into(), |count| count.to_string());
    complain(format!(
        "you sign in yourself, one login at a time: at most {count} of them (an upper bound, counted on \
         the embedded reference server; --id and --tags choose fewer checks)"
    ));
}

/// The requirements that failed or could not be judged in that run.
fn unfinished(run: &Path, folder: &Path) -> Result<Vec<String>, (u8, String)> {
    let report = recorded(Some(run), folder).map_err(|message| (exit::USAGE, message))?;
    let bad = [Status::Fail, Status::Error, Status::Inconclusive, Status::Warn];
    let ids: Vec<String> =
        bad.iter().flat_map(|s| report.with_status(*s)).map(str::to_owned).collect();
    if ids.is_empty() {
        let message = format!("nothing failed in {} and all was judged", report.run);
        return Err((exit::NOTHING_SELECTED, message));
    }
    Ok(ids)
}

/// Writes the report, prints its summary, and returns the exit code of its gate.
pub(super) fn finish(Outcome { report, canary }: &Outcome, output: &OutputArgs) -> u8 {
    let folder = &output.reports;
    let formats = if output.formats.is_empty() { Format::USUAL } else { &output.formats };
    let (paths, code) = match store::write(report, canary, formats, folder) {
        Ok(paths) => {
            let shown = paths.iter().map(|path| path.display().to_string());
            (shown.collect(), report.gate.exit_code)
        }
        Err(e) => {
            complain(format!("the report could not be written to {}: {e}", folder.display()));
            (vec![], exit::OWN_ERROR)
        }
    };
    let mut summary = terminal::summary(report, &paths, colour()).trim_end().to_owned();
    let failed = report.requirements.iter().filter(|r| r.status == Status::Fail);
    let waivers: Vec<String> = failed.map(to_paste).collect();
    if !waivers.is_empty() {
        summary.push_str(&format!(
            "\n\nto answer for a finding until a day, complete its lines in a file for --waivers:\n\n{}",
            waivers.join("\n").trim_end()
        ));
    }
    match canary.scan(summary.as_bytes()) {
        Ok(()) => {
            say(summary);
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

/// Prints why there is no report.
pub(super) fn explain(failure: &Failure) -> u8 {
    match failure {
        Failure::Preflight(obstacle, exchanges) => {
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
