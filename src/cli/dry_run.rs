//! `authspec run --dry-run`: what a run would do.

use std::fmt::Write as _;
use std::time::Duration;

use reference_server::Config;

use super::arguments::RunArgs;
use super::run::explain;
use super::settings::environment;
use super::{complain, exit, say};
use crate::embedded;
use crate::model::requirement::{Impact, Profile};
use crate::plan::{Filter, Omitted};
use crate::rehearsal::{Rehearsal, rehearse};
use crate::run::Options;
use crate::target::login::memory::Memory;
use crate::target::profile::Target;
use crate::target::safety::consequence;
use crate::world::context::Clock;

/// Prints the plan. Nothing is sent to the target: the embedded reference server stands in for it.
pub(super) async fn run(args: RunArgs) -> u8 {
    let subject = match args.target.resolve(&environment()) {
        Ok(subject) => subject,
        Err(message) => {
            complain(message);
            return exit::USAGE;
        }
    };
    of(subject, args.profile.into(), args.filter.into()).await
}

/// Prints the plan for that target, or for the embedded server. Returns the exit code.
pub(super) async fn of(subject: Option<Target>, profile: Profile, filter: Filter) -> u8 {
    let server = match embedded::start(Config { tls: true, ..Config::default() }) {
        Ok(server) => server,
        Err(e) => {
            complain(format!("cannot start the reference server: {e}"));
            return exit::OWN_ERROR;
        }
    };
    let target = embedded::target(&server);
    let subject = subject.unwrap_or_else(|| target.clone());
    let clock: Clock = embedded::clock(&server);
    let stand_in = Options { target, profile, filter, clock };
    match rehearse(stand_in, &subject).await {
        Ok(rehearsal) => {
            say(text(&rehearsal, &subject).trim_end());
            exit::PASSED
        }
        Err(failure) => explain(&failure),
    }
}

fn text(rehearsal: &Rehearsal, subject: &Target) -> String {
    let mut out = String::new();
    let safety = &subject.safety;
    let _ = writeln!(
        out,
        "dry run: nothing was sent to {}\n\
         An estimate: metadata and tokens of the target are unknown beforehand, so conditions and numbers are\n\
         those of the embedded reference server, on which the plan was played just now.\n",
        subject.issuer
    );
    for impact in Impact::ALL {
        of_class(&mut out, rehearsal, impact);
    }
    left_out(&mut out, rehearsal);
    for note in &rehearsal.notes {
        let _ = writeln!(out, "safety     {note}");
    }
    let of_budget =
        |budget: Option<u64>| budget.map_or("no budget".into(), |b| format!("budget {b}"));
    let requests = of_budget(safety.request_budget);
    let _ = writeln!(out, "requests   about {} ({requests})", rehearsal.requests);
    let most = Memory::new(subject.login.budget, !safety.environment.is_shared()).budget();
    let _ = writeln!(out, "sign-ins   about {} (budget {most})", rehearsal.sign_ins);
    let _ = writeln!(
        out,
        "time       about {}, at least {} ms between two requests, {} scenarios at a time",
        duration(rehearsal.time),
        subject.pace.as_millis(),
        subject.login.lanes(subject.concurrency)
    );
    let end = match rehearsal.revocations {
        0 => "left to expire (--cleanup revokes them)".to_owned(),
        count => {
            format!("revoked at the end, {count} requests, where there is a revocation endpoint")
        }
    };
    let _ = writeln!(
        out,
        "leaves     about {} sessions of the test users and {} grants; grants are {end}{}",
        rehearsal.sign_ins,
        rehearsal.grants,
        match rehearsal.revocations {
            0 => "",
            _ => "; sessions are signed out of where there is an end_session_endpoint",
        }
    );
    let trace = if safety.trace_headers {
        "traceparent and User-Agent name run and requirement"
    } else {
        "nothing marks the requests"
    };
    let _ = writeln!(out, "in the log {trace}");
    out
}

fn of_class(out: &mut String, rehearsal: &Rehearsal, impact: Impact) {
    let of_class = || rehearsal.planned.iter().filter(move |planned| planned.impact == impact);
    let (requirements, scenarios) =
        (of_class().count(), of_class().map(|planned| planned.scenarios.len()).sum::<usize>());
    if requirements == 0 {
        return;
    }
    let (class, what) = (impact.as_str(), consequence(impact));
    let _ = writeln!(out, "{class}: {requirements} requirements, {scenarios} scenarios; {what}");
    for planned in of_class() {
        let _ = writeln!(out, "  {}", planned.id);
        for scenario in &planned.scenarios {
            let _ = writeln!(out, "    {scenario}");
        }
    }
    out.push('\n');
}

fn left_out(out: &mut String, rehearsal: &Rehearsal) {
    if rehearsal.omitted.is_empty() {
        return;
    }
    let _ = writeln!(out, "left out: {} requirements", rehearsal.omitted.len());
    for (id, omitted) in &rehearsal.omitted {
        let kind = match omitted {
            Omitted::Unsafe(..) => "",
            Omitted::NotApplicable(_) => "not applicable: ",
            Omitted::Untested(_) => "untested: ",
        };
        let _ = writeln!(out, "  {id}\n    {kind}{}", omitted.reason());
    }
    out.push('\n');
}

/// In words: seconds below two minutes, and else minutes.
fn duration(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{} s", seconds.max(1)),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_round() {
        let shown = |seconds| duration(Duration::from_secs(seconds));
        assert_eq!(
            [0, 1, 119, 120, 121, 3600].map(shown),
            ["1 s", "1 s", "119 s", "2 min", "3 min", "60 min"]
        );
    }
}
