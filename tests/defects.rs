//! Every check is proven: the conformant server passes, and each seeded defect fails exactly the
//! requirements that it violates.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail at any line")]

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use authspec::catalogue::Catalogue;
use authspec::embedded;
use authspec::model::report::Report;
use authspec::model::requirement::Profile;
use authspec::model::verdict::Status;
use authspec::plan::Filter;
use authspec::run::{Options, audit_blocking};
use reference_server::{Config, Defect, Policy, SigningAlgorithm};

/// Requirements that may rest on one broken twin.
const MOST_INCONCLUSIVE: usize = 3;

/// Audits a reference server with that configuration.
fn audit_with(config: Config) -> Report {
    let server = embedded::start(config).unwrap();
    let mut target = embedded::target(&server);
    // A server without metadata is audited with endpoints from the profile.
    let paths = [
        ("authorization_endpoint", "/authorize"),
        ("token_endpoint", "/token"),
        ("jwks_uri", "/jwks"),
    ];
    for (name, path) in paths {
        target.endpoints.insert(name.into(), format!("{}{path}", server.issuer()));
    }
    let clock = embedded::clock(&server);
    let options = Options { target, profile: Profile::Baseline, filter: Filter::default(), clock };
    match audit_blocking(options, Rc::new(())) {
        Ok(report) => report,
        Err(failure) => panic!("no report: {failure:?}"),
    }
}

#[test]
fn the_conformant_server_passes_everything() {
    let report = audit_with(Config::default());
    assert_eq!(report.deviating(), BTreeSet::new());
    for status in [Status::Inconclusive, Status::Error, Status::Fail, Status::Warn, Status::Note] {
        assert_eq!(report.with_status(status), Vec::<&str>::new(), "{status:?}");
    }
    // Codes without a challenge cannot be had from a server that demands one.
    assert_eq!(
        report.with_status(Status::NotApplicable),
        ["pkce.verifier-without-challenge", "pkce.no-challenge-no-token"]
    );
    assert!(report.gate.passed);
}

#[test]
fn the_conformant_server_passes_with_rsa_signatures_too() {
    let report = audit_with(Config { signing: SigningAlgorithm::Rs256, ..Config::default() });
    assert_eq!(report.deviating(), BTreeSet::new());
    assert!(report.gate.passed);
}

#[test]
fn a_server_that_leaves_pkce_to_the_token_endpoint_conforms_to_the_baseline() {
    let report = audit_with(Config { pkce_required: false, ..Config::default() });
    assert!(report.gate.passed, "{:?}", report.deviating());
    let worthless = ["pkce.verifier-without-challenge", "pkce.no-challenge-no-token"];
    let passed = report.with_status(Status::Pass);
    assert!(worthless.iter().all(|id| passed.contains(id)));
}

#[test]
fn every_defect_fails_exactly_the_requirements_that_it_violates() {
    let next = AtomicUsize::new(0);
    let wrong: Mutex<BTreeMap<&str, String>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(&defect) = Defect::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(difference) = difference(defect) {
                        wrong.lock().unwrap().insert(defect.name(), difference);
                    }
                }
            });
        }
    });
    // Runs that overlap leave the silent panic hook of the runner behind.
    drop(std::panic::take_hook());
    let wrong = wrong.into_inner().unwrap();
    let listed: Vec<String> =
        wrong.iter().map(|(name, difference)| format!("{name}: {difference}")).collect();
    assert!(
        wrong.is_empty(),
        "{} of {} defects:\n{}",
        wrong.len(),
        Defect::ALL.len(),
        listed.join("\n")
    );
}

/// How the audit of a server with that defect differs from what the defect declares.
fn difference(defect: Defect) -> Option<String> {
    let report = match std::panic::catch_unwind(|| {
        audit_with(Config { policy: Policy::with(defect), ..Config::default() })
    }) {
        Ok(report) => report,
        Err(_) => return Some("no report".into()),
    };
    let declared: BTreeSet<&str> = defect.violates().iter().copied().collect();
    let caught = report.deviating();
    let missed: Vec<_> = declared.difference(&caught).collect();
    let extra: Vec<_> = caught.difference(&declared).collect();
    let errors = report.with_status(Status::Error);
    // A defect that breaks a working twin leaves what rests on the twin inconclusive, as it should.
    let unclear = report.with_status(Status::Inconclusive);
    if missed.is_empty()
        && extra.is_empty()
        && errors.is_empty()
        && unclear.len() <= MOST_INCONCLUSIVE
    {
        return None;
    }
    Some(format!("missed {missed:?}, extra {extra:?}, errors {errors:?}, inconclusive {unclear:?}"))
}

#[test]
fn every_automated_requirement_has_a_defect_that_violates_it() {
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
