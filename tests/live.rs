//! The same features against the target that the environment names:
//! `AUTHSPEC_TARGET` (a profile file), or `AUTHSPEC_ISSUER` and friends.

#![expect(clippy::disallowed_methods, reason = "the target is named by the environment")]

use std::rc::Rc;

use authspec::cli::settings::TargetOptions;
use authspec::model::requirement::Profile;
use authspec::plan::Filter;
use authspec::report::terminal::{Colour, summary};
use authspec::run::{Failure, Options, audit_blocking};
use authspec::world::context::Clock;

#[test]
fn the_live_target_passes_its_gate() {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let target =
        TargetOptions::from_environment(&variable).and_then(|options| options.resolve(&variable));
    let target = match target {
        Ok(Some(target)) => target,
        Ok(None) => panic!("no live target is named"),
        Err(message) => panic!("{message}"),
    };
    let filter = Filter { tags: variable("AUTHSPEC_TAGS"), ..Filter::default() };
    let options = Options { target, profile: Profile::Baseline, filter, clock: Clock::default() };
    match audit_blocking(options, Rc::new(())) {
        Ok(report) => {
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
