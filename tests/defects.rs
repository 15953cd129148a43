//! Every check is proven: the conformant server passes, and each seeded defect fails exactly the
//! requirements that it violates. One test a defect: `cargo test --test defects CodeReusable` runs
//! those whose name contains that word.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail at any line")]

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::rc::Rc;

use authspec::catalogue::Catalogue;
use authspec::embedded;
use authspec::model::report::Report;
use authspec::model::requirement::Profile;
use authspec::model::verdict::Status;
use authspec::plan::Filter;
use authspec::run::{Options, audit_blocking};
use libtest_mimic::{Arguments, Failed, Trial};
use reference_server::{Config, Defect, Policy, SigningAlgorithm};

/// Requirements that may rest on one broken twin.
const MOST_INCONCLUSIVE: usize = 3;

fn main() -> ExitCode {
    let mut trials = vec![
        Trial::test("the_conformant_server_passes_everything", passing(conformant)),
        Trial::test("the_conformant_server_passes_with_rsa_signatures_too", passing(rsa)),
        Trial::test("a_server_that_leaves_pkce_to_the_token_endpoint_conforms", passing(no_pkce)),
        Trial::test("every_automated_requirement_has_a_defect", passing(all_proven)),
    ];
    trials.extend(Defect::ALL.iter().map(|&defect| {
        Trial::test(format!("defect::{defect}"), move || match difference(defect) {
            None => Ok(()),
            Some(difference) => Err(Failed::from(difference)),
        })
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A test that fails by panic.
fn passing(test: fn()) -> impl FnOnce() -> Result<(), Failed> {
    move || {
        test();
        Ok(())
    }
}

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

fn conformant() {
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

fn rsa() {
    let report = audit_with(Config { signing: SigningAlgorithm::Rs256, ..Config::default() });
    assert_eq!(report.deviating(), BTreeSet::new());
    assert!(report.gate.passed);
}

fn no_pkce() {
    let report = audit_with(Config { pkce_required: false, ..Config::default() });
    assert!(report.gate.passed, "{:?}", report.deviating());
    let worthless = ["pkce.verifier-without-challenge", "pkce.no-challenge-no-token"];
    let passed = report.with_status(Status::Pass);
    assert!(worthless.iter().all(|id| passed.contains(id)));
}

/// How the audit of a server with that defect differs from what the defect declares.
fn difference(defect: Defect) -> Option<String> {
    let report = audit_with(Config { policy: Policy::with(defect), ..Config::default() });
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
