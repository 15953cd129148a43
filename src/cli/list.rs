//! `authspec list`: what would run.

use std::rc::Rc;

use reference_server::Config;

use super::run::explain;
use super::{complain, exit, say};
use crate::embedded;
use crate::model::requirement::Profile;
use crate::model::verdict::Status;
use crate::plan::Filter;
use crate::run::{Options, audit};

/// Prints one line a requirement. The number of requests is not guessed: the selection is run
/// against the embedded reference server and counted.
pub(super) async fn list(filter: Filter) -> u8 {
    let server = match embedded::start(Config::default()) {
        Ok(server) => server,
        Err(e) => {
            complain(format!("cannot start the reference server: {e}"));
            return exit::OWN_ERROR;
        }
    };
    let options = Options {
        target: embedded::target(&server),
        profile: Profile::Baseline,
        filter,
        clock: embedded::clock(&server),
    };
    let report = match audit(options, Rc::new(())).await {
        Ok(outcome) => outcome.report,
        Err(failure) => return explain(&failure),
    };
    say(format!(
        "{:<42} {:<10} {:<9} {:>9} {:>8}  duty",
        "requirement", "level", "severity", "scenarios", "requests"
    ));
    for requirement in &report.requirements {
        let requests: usize = requirement.scenarios.iter().map(|s| s.exchanges.len()).sum();
        let (scenarios, requests) = match requirement.status {
            Status::Untested => ("-".to_owned(), "untested".to_owned()),
            _ => (requirement.scenarios.len().to_string(), requests.to_string()),
        };
        say(format!(
            "{:<42} {:<10} {:<9} {scenarios:>9} {requests:>8}  {}",
            requirement.id,
            requirement.level.as_str(),
            requirement.severity.as_str(),
            requirement.duty
        ));
    }
    say("\nrequests: as counted just now on the embedded reference server");
    exit::PASSED
}
