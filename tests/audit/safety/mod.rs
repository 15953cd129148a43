//! What a run does for the sake of the target, end to end and on loopback: it waits where it is asked
//! to, leaves an ill server alone, keeps to its budget, marks its requests and cleans up; and none of
//! that makes up a verdict.
#![expect(clippy::unwrap_used, reason = "a test may fail at any line")]

mod relay;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::process::Command;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use self::relay::{Fault, Relay};
use authspec::catalogue::Catalogue;
use authspec::embedded;
use authspec::http::Limits;
use authspec::model::report::Report;
use authspec::model::requirement::{Impact, Profile, Requirement};
use authspec::model::verdict::Status;
use authspec::plan::Filter;
use authspec::run::{Failure, Observer, Options, audit_blocking};
use authspec::target::profile::Target;
use authspec::target::safety::{Environment, Safety};
use authspec::world::context::Clock;
use reference_server::{Config, Server};

/// Endpoints that stand behind a relay.
const RELAYED: [(&str, &str); 4] = [
    ("authorization_endpoint", "authorize"),
    ("token_endpoint", "token"),
    ("revocation_endpoint", "revoke"),
    ("introspection_endpoint", "introspect"),
];

/// Sets off the faults at the moment at which the preflight is over.
struct Saboteur(Arc<AtomicBool>);

impl Observer for Saboteur {
    fn begins(&self, _: usize) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn concluded(&self, _: &Requirement, _: Status) {}
}

/// The reference server behind a relay, as a target on which others depend; without any pace.
fn staging(server: &Server, relay: &Relay) -> Target {
    let mut target = embedded::target(server);
    for (name, path) in RELAYED {
        target.endpoints.insert(name.into(), format!("{}/{path}", relay.url));
    }
    target.safety = Safety { cleanup: false, ..Safety::of(Environment::Staging) };
    target.concurrency = 2;
    target.limits.cool_down = Duration::from_millis(20);
    target
}

fn audit(target: Target, relay: &Relay, tags: &str) -> Result<Report, Failure> {
    let filter = Filter { tags: Some(tags.into()), ..Filter::default() };
    let (profile, clock) = (Profile::Baseline, Clock::default());
    let saboteur = Rc::new(Saboteur(relay.on.clone()));
    audit_blocking(Options { target, profile, filter, clock }, saboteur)
        .map(|outcome| outcome.report)
}

/// The audit of a conformant server whose relay injects that fault so many times.
fn with_faults(fault: Fault, count: usize, tags: &str) -> (Report, Relay) {
    let server = embedded::start(Config::default()).unwrap();
    let relay = Relay::to(server.issuer(), fault, count);
    let mut target = staging(&server, &relay);
    if fault == Fault::Slow {
        let total = Duration::from_millis(300);
        target.limits = Limits { total, connect: total, ..target.limits };
    }
    let report = audit(target, &relay, tags).unwrap();
    (report, relay)
}

fn told(report: &Report, status: Status) -> Vec<String> {
    let of = |id: &str| {
        let requirement = report.requirements.iter().find(|r| r.id == id).unwrap();
        format!("{id}: {}", requirement.reason.clone().unwrap_or_default())
    };
    report.with_status(status).into_iter().map(of).collect()
}

/// No verdict was made up: nothing failed, nothing is an error of ours.
fn none_failed(report: &Report, case: &str) {
    for status in [Status::Fail, Status::Error, Status::Warn] {
        assert!(told(report, status).is_empty(), "{case}: {:#?}", told(report, status));
    }
}

#[test]
fn a_target_that_is_ill_for_good_passes_and_fails_nothing_more() {
    for fault in [Fault::Unavailable, Fault::Broken, Fault::Reset, Fault::Slow] {
        let (report, relay) = with_faults(fault, usize::MAX, "@token or @refresh");
        let case = format!("{fault:?}");
        none_failed(&report, &case);
        assert!(
            told(&report, Status::Pass).is_empty(),
            "{case}: {:#?}",
            told(&report, Status::Pass)
        );
        assert_eq!(report.gate.exit_code, 5, "{case}");
        let reasons = told(&report, Status::Inconclusive);
        // An endpoint that stalls is left alone after three requests, which may come first.
        let is_spared = |why: &&String| why.contains("nothing more was sent there");
        let is_ill = |why: &&String| {
            why.contains("the target is ill") || fault == Fault::Slow && is_spared(why)
        };
        assert!(reasons.iter().any(|why| is_ill(&why)), "{case}: {reasons:#?}");
        let is_told = report.safety.iter().any(|line| line.contains("fell ill"));
        assert!(is_told || fault == Fault::Slow, "{case}: {:?}", report.safety);
        // Without the breaker there would be hundreds of them.
        assert!(relay.faults() < 60, "{case}: {} requests to an ill server", relay.faults());
    }
}

#[test]
fn a_target_that_recovers_is_judged_as_if_nothing_had_happened() {
    for fault in [Fault::Unavailable, Fault::Reset] {
        let (report, relay) = with_faults(fault, 11, "@pkce");
        let case = format!("{fault:?}");
        none_failed(&report, &case);
        let reasons = told(&report, Status::Inconclusive);
        assert!(reasons.is_empty(), "{case}: {reasons:#?}");
        assert!(report.safety.iter().any(|line| line.contains("fell ill")), "{case}");
        assert_eq!(relay.faults(), 11, "{case}");
    }
}

#[test]
fn a_target_that_asks_for_time_gets_it() {
    let (report, relay) = with_faults(Fault::TooMany(2), 1, "@pkce");
    none_failed(&report, "429");
    assert!(told(&report, Status::Inconclusive).is_empty());
    assert!(report.safety.iter().any(|line| line.contains("Retry-After")), "{:?}", report.safety);
    let seen = relay.seen.lock().unwrap();
    let busy = seen.iter().find(|seen| seen.fault.is_some()).unwrap().at;
    // One more request may have been under way.
    let early = |at: Duration| at > Duration::from_millis(300) && at < Duration::from_millis(1900);
    let too_early = seen.iter().filter(|seen| seen.at > busy && early(seen.at - busy)).count();
    assert_eq!(too_early, 0);
}

#[test]
fn a_target_that_asks_for_an_hour_is_not_asked_again() {
    let (report, relay) = with_faults(Fault::TooMany(3600), usize::MAX, "@token");
    none_failed(&report, "429");
    assert!(told(&report, Status::Pass).is_empty(), "{:#?}", told(&report, Status::Pass));
    let reasons = told(&report, Status::Inconclusive);
    assert!(reasons.iter().any(|why| why.contains("asked to be left alone")), "{reasons:#?}");
    assert!(relay.faults() <= 4, "{} requests", relay.faults());
}

#[test]
fn a_budget_that_is_spent_leaves_the_rest_inconclusive_and_names_the_key() {
    let server = embedded::start(Config::default()).unwrap();
    let relay = Relay::to(server.issuer(), Fault::Reset, 0);
    let mut target = staging(&server, &relay);
    target.safety.request_budget = Some(120);
    let report = audit(target, &relay, "(@pkce or @token) and not @dpop").unwrap();
    none_failed(&report, "budget");
    let reasons = told(&report, Status::Inconclusive);
    assert!(reasons.iter().any(|why| why.contains("raise request_budget")), "{reasons:#?}");
    assert!(!told(&report, Status::Pass).is_empty(), "the end of the run had its share");
    assert!(report.requests <= 120, "{} requests", report.requests);
    assert_eq!(report.gate.exit_code, 5);
}

#[test]
fn production_runs_passive_checks_alone_and_the_gate_does_not_mind() {
    let server = embedded::start(Config::default()).unwrap();
    let mut target = embedded::target(&server);
    target.safety = Safety { cleanup: false, ..Safety::of(Environment::Production) };
    let run = |target: Target| {
        let (profile, filter) = (Profile::Baseline, Filter::default());
        let clock = embedded::clock(&server);
        audit_blocking(Options { target, profile, filter, clock }, Rc::new(())).unwrap().report
    };
    let classes = |report: &Report| -> BTreeSet<Impact> {
        let judged = report.requirements.iter().filter(|r| !r.scenarios.is_empty());
        judged.map(|r| Catalogue::load().unwrap().requirement(&r.id).unwrap().impact).collect()
    };
    let report = run(target.clone());
    assert_eq!(classes(&report), BTreeSet::from([Impact::Passive]));
    assert!(report.gate.passed, "{:#?}", told(&report, Status::Fail));
    let left_out = told(&report, Status::Untested);
    assert!(left_out.iter().any(|why| {
        why.starts_with("token.code-single-use: left out for safety")
            && why.ends_with("--accept-impact-on-production state-changing includes it")
            || why.ends_with("--accept-impact-on-production active includes it")
    }));
    assert!(report.safety[0].contains("left out in production"), "{:?}", report.safety);

    target.safety.accept(&["active".into()]).unwrap();
    let report = run(target);
    assert_eq!(classes(&report), BTreeSet::from([Impact::Passive, Impact::Active]));
    assert!(report.safety.iter().any(|line| line.contains("accepted in production")));
}

#[test]
fn every_request_names_run_and_requirement_unless_that_is_switched_off() {
    let run = |trace_headers| {
        let server = embedded::start(Config::default()).unwrap();
        let relay = Relay::to(server.issuer(), Fault::Reset, 0);
        let mut target = staging(&server, &relay);
        target.safety.trace_headers = trace_headers;
        let report = audit(target, &relay, "@token.code-single-use or @token.code-race").unwrap();
        (report, relay)
    };
    let (report, relay) = run(true);
    let trace_id = report.trace_id.clone().unwrap();
    let seen = relay.seen.lock().unwrap();
    let parents: Vec<Vec<&str>> =
        seen.iter().map(|s| s.header("traceparent").unwrap().split('-').collect()).collect();
    assert!(parents.iter().all(|p| p.len() == 4 && p[0] == "00" && p[1] == trace_id));
    let spans: BTreeSet<&str> = parents.iter().map(|p| p[2]).collect();
    assert_eq!(spans.len(), seen.len());
    let agents: BTreeSet<&str> = seen.iter().map(|s| s.header("user-agent").unwrap()).collect();
    let run_id = format!("(run {}; ", &trace_id[..8]);
    assert!(agents.iter().all(|a| a.starts_with("authspec/") && a.contains(&run_id)), "{agents:?}");
    assert!(agents.iter().any(|a| a.ends_with("; token.code-single-use)")), "{agents:?}");

    let (report, relay) = run(false);
    assert_eq!(report.trace_id, None);
    let seen = relay.seen.lock().unwrap();
    assert!(seen.iter().all(|s| s.header("traceparent").is_none()));
    assert!(seen.iter().all(|s| s.header("user-agent").is_none()));
}

#[test]
fn what_the_run_was_issued_is_revoked_at_its_end() {
    let run = |cleanup, endpoint: bool| {
        let server = embedded::start(Config::default()).unwrap();
        let relay =
            Relay::to(server.issuer(), Fault::TooMany(0), if endpoint { 0 } else { usize::MAX });
        let mut target = embedded::target(&server);
        target.endpoints.insert("revocation_endpoint".into(), format!("{}/revoke", relay.url));
        target.safety = Safety { cleanup, ..Safety::of(Environment::Staging) };
        (target.pace, target.concurrency) = (Duration::ZERO, 4);
        (audit(target, &relay, "@pkce or @refresh").unwrap(), relay)
    };
    let (report, relay) = run(true, true);
    let cleanup = report.cleanup.clone().unwrap();
    assert!(cleanup.revoked > 10, "{cleanup:?}");
    assert_eq!((cleanup.grants_left, cleanup.obstacle.clone()), (0, None), "{cleanup:?}");
    assert!(cleanup.sessions_ended > 0, "{cleanup:?}");
    // A page that asks whether somebody else shall be signed out is answered, too.
    assert_eq!((cleanup.sessions_left, &cleanup.sessions_obstacle), (0, &None), "{cleanup:?}");
    let revocations = relay.seen.lock().unwrap();
    let at_the_end = revocations
        .iter()
        .filter(|s| s.header("user-agent").is_some_and(|agent| agent.ends_with("; cleanup)")));
    assert_eq!(at_the_end.count(), cleanup.revoked);

    let (without, _) = run(false, true);
    let left = without.cleanup.clone().unwrap();
    assert!(left.revoked == 0 && left.grants_left > 10, "{left:?}");
    assert!(left.sessions_ended == 0 && left.sessions_left > 0, "{left:?}");
    let statuses = |report: &Report| -> Vec<(String, Status)> {
        report.requirements.iter().map(|r| (r.id.clone(), r.status)).collect()
    };
    assert_eq!(statuses(&report), statuses(&without), "no verdict rests on it");

    let (refused, _) = run(true, false);
    let left = refused.cleanup.unwrap();
    assert!(left.revoked == 0 && left.grants_left > 10, "{left:?}");
    assert!(left.obstacle.unwrap().contains("429"));
}

#[test]
fn a_dry_run_opens_no_connection() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_authspec"))
        .current_dir(folder.path())
        .env_clear()
        .env("AUTHSPEC_PASSWORD", "wonderland-7")
        .args(["run", "--dry-run", &issuer, "--client-id", "web"])
        .args(["--redirect-uri", "https://app.test/cb", "--environment", "staging"])
        .args(["--username", "alice"])
        .args(["--tags", "@pkce or @authn"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing is written");
    for part in [
        &format!("dry run: nothing was sent to {issuer}"),
        "pkce.verifier-mismatch",
        "authn.wrong-credentials\n    left out for safety",
        "--allow lockout-risk includes it",
        "requests   about ",
        "sign-ins   about ",
        "time       about ",
        "leaves     about ",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}
