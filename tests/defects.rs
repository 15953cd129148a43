//! Every check is proven: the conformant server passes, and each seeded defect fails exactly the
//! requirements that it violates. One test a defect: `cargo test --test defects CodeReusable` runs
//! those whose name contains that word.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail at any line")]

use std::collections::BTreeSet;
use std::num::NonZero;
use std::process::ExitCode;

use authspec::catalogue::Catalogue;
use authspec::embedded;
use authspec::http::Shortcut;
use authspec::model::requirement::Profile;
use authspec::model::verdict::Status;
use authspec::plan::Filter;
use authspec::run::{Options, Verdicts, judge};
use libtest_mimic::{Arguments, Failed, Trial};
use reference_server::{Config, Defect, Policy, Server, SigningAlgorithm};

/// An audit without sockets spends much of its time on small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Requirements of other groups that may rest on one broken twin.
const MOST_INCONCLUSIVE: usize = 4;

fn main() -> ExitCode {
    let mut trials = vec![
        Trial::test("the_conformant_server_passes_everything", passing(conformant)),
        Trial::test("the_conformant_server_passes_over_http_too", passing(conformant_over_http)),
        Trial::test("the_conformant_server_passes_with_rsa_signatures_too", passing(rsa)),
        Trial::test("a_server_that_leaves_pkce_to_the_token_endpoint_conforms", passing(no_pkce)),
        Trial::test("a_server_that_burns_codes_conforms", passing(burns_codes)),
        Trial::test("a_server_that_demands_pushed_requests_conforms", passing(pushed_only)),
        Trial::test("a_server_that_demands_nonces_conforms", passing(nonces)),
        Trial::test("every_automated_requirement_has_a_defect", passing(all_proven)),
    ];
    trials.extend(Defect::ALL.iter().map(|&defect| {
        Trial::test(format!("defect::{defect}"), move || match difference(defect) {
            None => Ok(()),
            Some(difference) => Err(Failed::from(difference)),
        })
    }));
    let (filters, arguments) = several_filters(std::env::args().collect());
    if !filters.is_empty() {
        trials.retain(|trial| filters.iter().any(|filter| trial.name().contains(filter)));
    }
    let mut arguments = Arguments::from_iter(arguments);
    // Some audits wait, for a server that does: one more than there are cores keeps them all busy.
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    arguments.test_threads.get_or_insert(cores + 1);
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The filters, where there are several, and all other arguments: `cargo test` passes on as many
/// as it gets, and libtest-mimic takes one.
fn several_filters(mut arguments: Vec<String>) -> (Vec<String>, Vec<String>) {
    let last_option = arguments.iter().rposition(|a| a.starts_with('-')).unwrap_or(0);
    let filters = arguments.split_off(last_option + 1);
    if filters.len() > 1 {
        return (filters, arguments);
    }
    arguments.extend(filters);
    (vec![], arguments)
}

/// A test that fails by panic.
fn passing(test: fn()) -> impl FnOnce() -> Result<(), Failed> {
    move || {
        test();
        Ok(())
    }
}

/// What is not applicable to the reference server over http on loopback.
const NEED_TLS: [&str; 7] = [
    "transport.authorization-plaintext",
    "transport.token-plaintext",
    "transport.certificate",
    "transport.tls-legacy",
    "transport.tls-modern",
    "transport.hsts",
    "transport.no-downgrade-redirect",
];

/// Whether the defect shows itself over TLS only. All others are audited over http, which is faster.
fn needs_tls(defect: Defect) -> bool {
    defect.violates().iter().any(|id| NEED_TLS.contains(id))
}

/// What is not applicable to a server that also takes requests that were not pushed.
const NEED_PAR_REQUIRED: [&str; 2] = ["par.metadata-consistent", "par.required-enforced"];

/// What is not applicable to a server that sends no nonces for DPoP proofs.
const NEED_NONCES: [&str; 2] = ["cors.exposed-headers", "dpop.nonce-challenge"];

/// Whether the defect shows itself in those duties, hence only where they apply.
fn shows_in(defect: Defect, ids: &[&str]) -> bool {
    defect.violates().iter().any(|id| ids.contains(id))
}

/// Audits a reference server with that configuration.
///
/// Client and server share one thread, and without TLS no socket lies between them.
fn audit_with(config: Config) -> Verdicts {
    audit_by(config, true)
}

fn audit_by(config: Config, shortcut: bool) -> Verdicts {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (server, serving) = embedded::bind(config).unwrap();
        let serving = tokio::spawn(serving);
        let verdicts = judge(options(&server, shortcut)).await;
        serving.abort();
        verdicts.unwrap_or_else(|failure| panic!("no verdicts: {failure:?}"))
    })
}

fn options(server: &Server, shortcut: bool) -> Options {
    let mut target = embedded::target(server);
    if shortcut && server.secured().is_none() {
        target.network.shortcut = Shortcut::to(server.issuer(), server.visits()).ok();
    }
    // A server without metadata is audited with endpoints from the profile.
    let paths = [
        ("authorization_endpoint", "/authorize"),
        ("token_endpoint", "/token"),
        ("jwks_uri", "/jwks"),
        ("pushed_authorization_request_endpoint", "/par"),
    ];
    for (name, path) in paths {
        target.endpoints.insert(name.into(), format!("{}{path}", server.issuer()));
    }
    let clock = embedded::clock(server);
    Options { target, profile: Profile::Baseline, filter: Filter::default(), clock }
}

/// Statuses that a conforming server never has.
const BAD: [Status; 3] = [Status::Inconclusive, Status::Fail, Status::Error];

/// Fails, saying which duties have a status that a conforming server never has and why.
fn demand_good(verdicts: &Verdicts) {
    let bad: Vec<&str> = BAD.iter().flat_map(|status| verdicts.with_status(*status)).collect();
    assert!(bad.is_empty(), "{bad:?}{}", reasons(verdicts, bad.iter()));
}

/// [`demand_good`], without the least deviation, and with a pass for these duties.
fn demand_spotless(verdicts: &Verdicts, passes: &[&str]) {
    demand_good(verdicts);
    let deviating = verdicts.deviating();
    assert!(deviating.is_empty(), "{}", reasons(verdicts, deviating.iter()));
    let passed = verdicts.with_status(Status::Pass);
    assert!(passes.iter().all(|id| passed.contains(id)), "{passes:?}");
}

/// What the judges said of these requirements, a line each.
fn reasons<'a>(verdicts: &Verdicts, ids: impl Iterator<Item = &'a &'a str>) -> String {
    let said = ids.filter_map(|id| Some((*id, verdicts.deviations.get(*id)?)));
    said.flat_map(|(id, all)| all.iter().map(move |d| format!("\n  {id}: {d}"))).collect()
}

fn conformant() {
    let verdicts = audit_with(Config { tls: true, ..Config::default() });
    demand_spotless(&verdicts, &NEED_TLS);
    // Codes without a challenge cannot be had from a server that demands one.
    assert_eq!(
        verdicts.with_status(Status::NotApplicable),
        [
            "cors.exposed-headers",
            "dpop.nonce-challenge",
            "par.metadata-consistent",
            "par.required-enforced",
            "pkce.no-challenge-no-token",
            "pkce.verifier-without-challenge"
        ]
    );
}

fn conformant_over_http() {
    let verdicts = audit_by(Config::default(), false);
    demand_good(&verdicts);
    let not_applicable = verdicts.with_status(Status::NotApplicable);
    assert!(NEED_TLS.iter().all(|id| not_applicable.contains(id)), "{not_applicable:?}");
}

fn rsa() {
    let verdicts = audit_with(Config { signing: SigningAlgorithm::Rs256, ..Config::default() });
    demand_good(&verdicts);
}

fn no_pkce() {
    let verdicts = audit_with(Config { pkce_required: false, ..Config::default() });
    demand_good(&verdicts);
    let passed = verdicts.with_status(Status::Pass);
    let worthless = ["pkce.verifier-without-challenge", "pkce.no-challenge-no-token"];
    assert!(worthless.iter().all(|id| passed.contains(id)));
}

fn burns_codes() {
    let verdicts = audit_with(Config { wrong_verifier_burns_code: true, ..Config::default() });
    demand_good(&verdicts);
}

fn pushed_only() {
    let verdicts = audit_with(Config { par_required: true, ..Config::default() });
    demand_spotless(&verdicts, &NEED_PAR_REQUIRED);
}

fn nonces() {
    let verdicts = audit_with(Config { dpop_nonce: true, ..Config::default() });
    demand_spotless(&verdicts, &NEED_NONCES);
}

/// How the audit of a server with that defect differs from what the defect declares.
fn difference(defect: Defect) -> Option<String> {
    let verdicts = audit_with(Config {
        policy: Policy::with(defect),
        tls: needs_tls(defect),
        par_required: shows_in(defect, &NEED_PAR_REQUIRED),
        dpop_nonce: shows_in(defect, &NEED_NONCES),
        ..Config::default()
    });
    let declared: BTreeSet<&str> = defect.violates().iter().copied().collect();
    let caught = verdicts.deviating();
    let missed: Vec<_> = declared.difference(&caught).collect();
    let extra: Vec<_> = caught.difference(&declared).collect();
    let errors = verdicts.with_status(Status::Error);
    // A defect that breaks a working twin leaves what rests on the twin inconclusive, as it should.
    let group = |id: &str| id.split('.').next().unwrap_or_default().to_owned();
    let groups: BTreeSet<String> = declared.iter().map(|id| group(id)).collect();
    let mut unclear = verdicts.with_status(Status::Inconclusive);
    unclear.retain(|id| !groups.contains(&group(id)));
    if missed.is_empty()
        && extra.is_empty()
        && errors.is_empty()
        && unclear.len() <= MOST_INCONCLUSIVE
    {
        return None;
    }
    let said = reasons(&verdicts, extra.iter().copied());
    Some(format!(
        "missed {missed:?}, extra {extra:?}, errors {errors:?}, inconclusive {unclear:?}{said}"
    ))
}

fn all_proven() {
    let catalogue = Catalogue::load().unwrap();
    let violated: BTreeSet<&str> = Defect::ALL.iter().flat_map(|d| d.violates()).copied().collect();
    let automated = catalogue.requirements.iter().filter(|r| r.untested.is_none());
    let unproven: Vec<&str> =
        automated.map(|r| r.id.as_str()).filter(|id| !violated.contains(id)).collect();
    assert_eq!(unproven, Vec::<&str>::new());
    let unknown: Vec<&&str> =
        violated.iter().filter(|id| catalogue.requirement(id).is_none()).collect();
    assert_eq!(unknown, Vec::<&&str>::new());
}
