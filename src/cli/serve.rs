//! `authspec serve`: the reference server for people.

use reference_server::{Config, Defect, Policy, seeds};

use super::{ServeArgs, complain, exit, say};
use crate::embedded;

/// Serves until the process ends, or lists the seeded defects.
pub(super) fn serve(args: &ServeArgs) -> u8 {
    if args.list_defects {
        for defect in Defect::ALL {
            let violated = defect.violates().join(" ");
            let known = match defect.known_as() {
                [] => String::new(),
                flaws => format!("\n{:<34} known as {}", "", flaws.join(" ")),
            };
            say(format!(
                "{:<34} {}\n{:<34} violates {violated}{known}",
                defect.name(),
                defect.description(),
                ""
            ));
        }
        return exit::PASSED;
    }
    let policy = match args.defect.as_deref().map(str::parse::<Defect>) {
        None => Policy::conformant(),
        Some(Ok(defect)) => Policy::with(defect),
        Some(Err(e)) => {
            complain(format!("{e}; authspec serve --list-defects shows them all"));
            return exit::USAGE;
        }
    };
    let bind = std::net::SocketAddr::from(([127, 0, 0, 1], args.port));
    match embedded::start(Config { policy, bind, logging: true, ..Config::default() }) {
        Ok(server) => {
            let (issuer, client, uri) = (server.issuer(), seeds::WEB, seeds::WEB_REDIRECT_URI);
            say(issuer);
            say(format!(
                "user {}; the password stands in README.md under \"The reference server\"",
                seeds::ALICE
            ));
            say(format!(
                "authspec run {issuer} --client-id {client} --redirect-uri {uri} --username {} --password-env AUTHSPEC_PASSWORD",
                seeds::ALICE
            ));
            say("stop with Ctrl-C");
            server.wait();
            exit::PASSED
        }
        Err(e) => {
            complain(format!("cannot listen on {bind}: {e}; choose another --port"));
            exit::USAGE
        }
    }
}
