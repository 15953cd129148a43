//! A broken, absent or refuse-everything server never passes: no MUST rests on its answers, and the
//! run against it ends.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail at any line")]

mod servers;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use self::servers::{CALLBACK, MARK, Manner, degenerate, relay};
use authspec::catalogue::Catalogue;
use authspec::embedded;
use authspec::http::Limits;
use authspec::model::report::{ExchangeReport, Report, RequirementReport};
use authspec::model::requirement::{Level, Profile, Requirement};
use authspec::model::verdict::{Obstacle, Status, Weight};
use authspec::plan::Filter;
use authspec::run::{Failure, Observer, Options, audit_blocking};
use authspec::target::profile::{Client, Resource, Target, User};
use authspec::target::secret::Secret;
use authspec::world::context::Clock;
use reference_server::{Config, Server};

/// Manners whose every answer is a success.
const SUCCESS: &[Manner] = &[
    Manner::Empty,
    Manner::Page,
    Manner::SignInPage,
    Manner::EchoHtml,
    Manner::EchoJson,
    Manner::EndlessBody,
    Manner::EndlessChunks,
    Manner::GrantsEverything,
];

/// Manners that answer each request, and do not ask for patience.
const ANSWERS: &[Manner] = &[
    Manner::NotFound,
    Manner::InternalError,
    Manner::Empty,
    Manner::Page,
    Manner::SignInPage,
    Manner::CodeToClient,
    Manner::NothingToClient,
    Manner::ErrorToClient,
    Manner::ToItself,
    Manner::EchoHtml,
    Manner::EchoJson,
    Manner::OAuthError,
    Manner::BearerError,
    Manner::GrantsEverything,
    Manner::EndlessBody,
    Manner::EndlessChunks,
];

/// Where the degenerate server stands in for the endpoints around a working flow.
const AROUND: &str = "around the flow";

/// Duties that such servers around a working flow really meet, exactly.
const MET_AROUND: &[(&str, &[Manner])] = &[
    // A valid token, or a revocation, is answered with 200, and nothing more is asked.
    ("rs.valid-token", SUCCESS),
    ("revocation.refresh-token", SUCCESS),
    // The answer happens to have the members that are asked for.
    ("introspection.active", &[Manner::GrantsEverything]),
    ("userinfo.get", &[Manner::GrantsEverything]),
    ("userinfo.post", &[Manner::GrantsEverything]),
    ("userinfo.media-type", &[Manner::GrantsEverything]),
    ("rs.scheme-case-insensitive", SUCCESS),
    // 200 is all that an unknown token asks.
    ("revocation.unknown-token", SUCCESS),
    // The operation that demands the scope is another one than the degenerate resource.
    ("rs.scope-enforced", SUCCESS),
    // Where no key is published, no private one is.
    (
        "jwks.no-private-keys",
        &[Manner::EchoJson, Manner::OAuthError, Manner::BearerError, Manner::GrantsEverything],
    ),
    // The token endpoint, which works, answers for these; what the others say is for the record.
    ("refresh.reuse-revokes-family", ANSWERS),
    ("refresh.rotated-token-dead", ANSWERS),
    (
        "refresh.rotated-token-dead",
        &[Manner::Unavailable, Manner::HangsUp, Manner::EndlessHead, Manner::NotHttp],
    ),
];

/// The duties that a server of that manner at that place really meets.
fn really_met(manner: Manner, place: &str) -> BTreeSet<&'static str> {
    let around = MET_AROUND.iter().filter(|_| place == AROUND);
    around.filter(|(_, manners)| manners.contains(&manner)).map(|(id, _)| *id).collect()
}

fn audit(
    target: Target,
    clock: Clock,
    observer: Rc<dyn Observer>,
    tags: Option<&str>,
) -> Result<Report, Failure> {
    let filter = Filter { tags: tags.map(str::to_owned), ..Filter::default() };
    audit_blocking(Options { target, profile: Profile::Baseline, filter, clock }, observer)
        .map(|outcome| outcome.report)
}

/// Bounds under which a run against that server ends soon; an answer that ends has `total`.
fn limits(manner: Manner, total: Duration) -> Limits {
    let bounded = Limits { head: 16 * 1024, body: 64 * 1024, redirects: 5, ..Limits::default() };
    if manner.never_ends() {
        return Limits { total, connect: total, patience: total * 4, ..bounded };
    }
    bounded
}

/// Long enough for every honest answer.
const HONEST: Duration = Duration::from_secs(1);

fn target(issuer: &str, limits: Limits) -> Target {
    let client = Client::new("web", &[CALLBACK], "openid");
    let mut target = Target::new(issuer, client);
    for name in ["authorization_endpoint", "token_endpoint"] {
        target.endpoints.insert(name.into(), format!("{issuer}/{name}"));
    }
    target.user = Some(User::new("alice", Secret::new("wonderland-7")));
    target.limits = limits;
    target
}

fn gives_no_report(issuer: &str, limits: Limits) -> (Obstacle, Vec<ExchangeReport>) {
    let outcome = audit(target(issuer, limits), Clock::default(), Rc::new(()), None);
    let Err(Failure::Preflight(obstacle, exchanges, _)) = outcome else {
        panic!("{issuer}: {outcome:?}")
    };
    (obstacle, exchanges)
}

/// The requirement counts as met, and an answer of the degenerate server is among the evidence.
fn rests_on_degenerate_answers(requirement: &RequirementReport) -> bool {
    let catalogue = Catalogue::load().unwrap();
    let cap = catalogue.requirement(&requirement.id).unwrap().cap(Profile::Baseline);
    // A note is no violation, except where nothing weighs more.
    let is_met = |status| status == Status::Pass || status == Status::Note && cap > Weight::Note;
    let is_useless = |exchange: &ExchangeReport| {
        exchange.failure.is_some() || exchange.response_headers.iter().any(|(n, _)| n == MARK)
    };
    let passed = requirement.scenarios.iter().filter(|s| is_met(s.status));
    is_met(requirement.status)
        && matches!(requirement.level, Level::Must | Level::MustNot)
        && passed.flat_map(|s| &s.exchanges).any(is_useless)
}

/// What is wrong with that report of a degenerate target.
fn accidents(report: &Report, manner: Manner, place: &str) -> Vec<String> {
    let case = format!("{manner:?} {place}");
    let met = report.requirements.iter().filter(|r| rests_on_degenerate_answers(r));
    let met: BTreeSet<&str> = met.map(|r| r.id.as_str()).collect();
    let really_met = really_met(manner, place);
    let too_many = met.difference(&really_met).map(|id| format!("{case}: {id} is met"));
    let too_few = really_met.difference(&met).map(|id| format!("{case}: {id} is not met"));
    let errors = report.with_status(Status::Error);
    let errors = errors.into_iter().map(|id| format!("{case}: {id} is an error of ours"));
    let gate = &report.gate;
    let is_wrong = gate.passed || !matches!(gate.exit_code, 1 | 5);
    let gate = is_wrong.then(|| format!("{case}: exit code {}", gate.exit_code));
    too_many.chain(too_few).chain(errors).chain(gate).collect()
}

#[expect(clippy::print_stderr, reason = "the runner of another test may hold the panic hook")]
fn none(accidents: &[String]) {
    accidents.iter().for_each(|accident| eprintln!("{accident}"));
    assert!(accidents.is_empty());
}

#[test]
fn a_dead_target_gives_no_report() {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let (obstacle, _) = gives_no_report(&format!("http://127.0.0.1:{port}"), Limits::default());
    assert!(obstacle.came_back.contains("no connection"), "{obstacle}");
}

#[test]
fn a_degenerate_target_gives_no_report() {
    for manner in Manner::ALL {
        let limits = limits(manner, Duration::from_millis(20));
        let (_, exchanges) = gives_no_report(&degenerate(manner), limits);
        assert!(!exchanges.is_empty(), "{manner:?}");
    }
}

/// The reference server, with these of its endpoints elsewhere.
fn with_endpoints_at(server: &Server, elsewhere: &str, names: &[&str]) -> Target {
    let mut target = embedded::target(server);
    for name in names {
        let path = match *name {
            "authorization_endpoint" => "authorize",
            "token_endpoint" => "token",
            "userinfo_endpoint" => "userinfo",
            "revocation_endpoint" => "revoke",
            "introspection_endpoint" => "introspect",
            "end_session_endpoint" => "logout",
            "jwks_uri" => "jwks",
            other => panic!("no such endpoint: {other}"),
        };
        target.endpoints.insert((*name).into(), format!("{elsewhere}/{path}"));
    }
    target
}

#[test]
fn a_working_flow_does_not_vouch_for_degenerate_endpoints_around_it() {
    let names = [
        "userinfo_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "end_session_endpoint",
        "jwks_uri",
    ];
    let around = |manner| {
        let server = embedded::start(Config::default()).unwrap();
        let elsewhere = degenerate(manner);
        let mut target = with_endpoints_at(&server, &elsewhere, &names);
        target.limits = limits(manner, HONEST);
        target.resource =
            Some(Resource { url: format!("{elsewhere}/api"), method: "GET".into(), status: 200 });
        let groups =
            "@userinfo or @rs or @revocation or @introspection or @logout or @jwks or @refresh";
        match audit(target, embedded::clock(&server), Rc::new(()), Some(groups)) {
            Ok(report) => accidents(&report, manner, AROUND),
            // A resource that cannot be called at all is a mistake of the profile.
            Err(Failure::Preflight(obstacle, ..)) => {
                assert!(obstacle.tried.contains("/api"), "{manner:?}: {obstacle}");
                vec![]
            }
            Err(failure) => panic!("{manner:?}: {failure:?}"),
        }
    };
    none(&Manner::ALL.into_iter().flat_map(around).collect::<Vec<_>>());
}

/// Breaks the target at the moment at which the preflight is over.
struct Saboteur(Arc<AtomicBool>);

impl Observer for Saboteur {
    fn begins(&self, _: usize) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn concluded(&self, _: &Requirement, _: Status) {}
}

/// The audit of a target whose endpoints of these names degenerate after the preflight.
fn after_the_preflight(manner: Manner, names: &[&str]) -> Vec<String> {
    let server = embedded::start(Config::default()).unwrap();
    let upstream = server.issuer().trim_start_matches("http://").to_owned();
    let broken = Arc::new(AtomicBool::new(false));
    let relay = relay(upstream, manner, broken.clone());
    let mut target = with_endpoints_at(&server, &relay, names);
    target.limits = limits(manner, HONEST);
    let saboteur = Rc::new(Saboteur(broken));
    let report = audit(target, embedded::clock(&server), saboteur, None).unwrap();
    accidents(&report, manner, &format!("at {}", names.join(", ")))
}

#[test]
fn a_target_that_goes_bad_after_the_preflight_passes_nothing_more() {
    let names = ["authorization_endpoint", "token_endpoint", "userinfo_endpoint"];
    let every_other = |first| Manner::ALL.into_iter().skip(first).step_by(2);
    let judged = |first| every_other(first).flat_map(|m| after_the_preflight(m, &names)).collect();
    let found: Vec<Vec<String>> = std::thread::scope(|scope| {
        let halves = [0, 1].map(|first| scope.spawn(move || judged(first)));
        halves.into_iter().map(|half| half.join().unwrap()).collect()
    });
    none(&found.concat());
}

#[test]
fn a_token_endpoint_that_goes_bad_passes_nothing_more() {
    let manners = [Manner::OAuthError, Manner::BearerError, Manner::EchoJson];
    let names = ["token_endpoint"];
    none(&manners.into_iter().flat_map(|m| after_the_preflight(m, &names)).collect::<Vec<_>>());
}

#[test]
fn an_authorization_endpoint_that_goes_bad_passes_nothing_more() {
    let manners = [
        Manner::NotFound,
        Manner::Page,
        Manner::SignInPage,
        Manner::CodeToClient,
        Manner::ErrorToClient,
    ];
    let names = ["authorization_endpoint"];
    none(&manners.into_iter().flat_map(|m| after_the_preflight(m, &names)).collect::<Vec<_>>());
}
