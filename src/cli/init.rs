//! `authspec init`: a commented profile from what the server publishes.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};

use super::arguments::InitArgs;
use super::{complain, exit, say};
use crate::doctor::first_profile;
use crate::target::network::Network;
use crate::target::profile::{Client, Target};
use crate::target::starter;

/// Looks the issuer's metadata up and writes a profile to fill in.
pub(super) async fn init(args: InitArgs) -> u8 {
    let id = args.client_id.clone().unwrap_or_else(|| starter::PLACEHOLDER.to_owned());
    let uris: Vec<&str> = args.redirect_uris.iter().map(String::as_str).collect();
    let uris = if uris.is_empty() { vec![starter::REDIRECT_URI] } else { uris };
    let mut target = Target::new(&args.issuer, Client::new(id, &uris, "openid"));
    let network =
        Network { ca_file: args.ca_file.clone(), insecure: args.insecure, ..Network::default() };
    target.network = match network.load(&|_| None) {
        Ok(network) => network,
        Err((_, why)) => {
            complain(format!("{why}; name the file of authorities by --ca-file"));
            return exit::USAGE;
        }
    };
    if let Err((_, why)) = target.check() {
        complain(why);
        return exit::USAGE;
    }
    let text = match first_profile(target).await {
        Ok(text) => text,
        Err((obstacle, evidence)) => {
            let evidence: Vec<String> =
                evidence.iter().map(|line| format!("\n            {line}")).collect();
            complain(format!(
                "no profile was written\n  tried     {}\n  came back {}{}\n  to change {}",
                obstacle.tried,
                obstacle.came_back,
                evidence.concat(),
                obstacle.remedy
            ));
            return exit::PREFLIGHT;
        }
    };
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).create_new(!args.force);
    let written = options.open(&args.output).and_then(|mut file| file.write_all(text.as_bytes()));
    let path = args.output.display();
    match written {
        Ok(()) => {
            say(format!(
                "{path} is written; fill in what says CHANGE-ME, then\n\n    authspec doctor --target {path}\n    authspec run --target {path}"
            ));
            exit::PASSED
        }
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            complain(format!("{path} exists already; choose another --output, or --force"));
            exit::USAGE
        }
        Err(e) => {
            complain(format!("{path} cannot be written: {e}"));
            exit::USAGE
        }
    }
}
