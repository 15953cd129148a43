//! The same features against the target that the environment names:
//! `AUTHSPEC_TARGET` (a profile file), or `AUTHSPEC_ISSUER` and friends.

use std::rc::Rc;

use authspec::cli::settings::{NO_TARGET, TargetOptions, environment};
use authspec::model::requirement::Profile;
use authspec::plan::Filter;
use authspec::report::terminal::{Colour, summary};
use authspec::run::{Failure, Options, Outcome, audit_blocking};
use authspec::world::context::Clock;

#[test]
fn the_live_target_passes_its_gate() {
    let environment = environment();
    let target = match TargetOptions::default().resolve(&environment) {
        Ok(Some(target)) => target,
        Ok(None) => panic!("{NO_TARGET}"),
        Err(message) => panic!("{message}"),
    };
    let filter = Filter { tags: environment.get("AUTHSPEC_TAGS").cloned(), ..Filter::default() };
    let options = Options { target, profile: Profile::Baseline, filter, clock: Clock::default() };
    match audit_blocking(options, Rc::new(())) {
        Ok(Outcome { report, .. }) => {
            println!("{}", summary(&report, &[], Colour::Off));
            assert!(report.gate.passed, "the gate failed with exit code {}", report.gate.exit_code);
        }
        Err(Failure::Preflight(obstacle, _)) => {
            panic!("the target cannot be audited yet: {obstacle}")
        }
        Err(
            Failure::NothingSelected(message) | Failure::Usage(message) | Failure::Own(message),
        ) => panic!("{message}"),
    }
}
