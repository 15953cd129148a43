//! `authspec init`: a commented profile from what the server publishes.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};

use toml::Value;

use super::arguments::InitArgs;
use super::settings::environment;
use super::{complain, exit, say};
use crate::doctor::first_profile;
use crate::target::layers::{Environment, Layers, Origin};
use crate::target::network::Network;
use crate::target::path::Path;
use crate::target::profile::{Client, Target};
use crate::target::starter;

/// Looks the issuer's metadata up and writes a profile to fill in.
pub(super) async fn init(args: InitArgs) -> u8 {
    let id = args.client_id.clone().unwrap_or_else(|| starter::PLACEHOLDER.to_owned());
    let uris: Vec<&str> = args.redirect_uris.iter().map(String::as_str).collect();
    let uris = if uris.is_empty() { vec![starter::REDIRECT_URI] } else { uris };
    let mut target = Target::new(&args.issuer, Client::new(id, &uris, "openid"));
    target.network = match network(&args, &environment()) {
        Ok(network) => network,
        Err(why) => {
            complain(why);
            return exit::USAGE;
        }
    };
    if let Err((_, why)) = target.check() {
        complain(why);
        return exit::USAGE;
    }
    let profile = match first_profile(target).await {
        Ok(profile) => profile,
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
    let written =
        options.open(&args.output).and_then(|mut file| file.write_all(profile.text.as_bytes()));
    let path = args.output.display();
    match written {
        Ok(()) => {
            if let Some(other) = &profile.other_issuer {
                complain(format!(
                    "the metadata at {} name another issuer, {other}, and so does the profile: doctor and run will \
                     send their requests there. If {} is the server that you mean, correct its own issuer first",
                    args.issuer, args.issuer
                ));
            }
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

/// The way to the server: what the environment says of `[network]`, under the options.
///
/// The error names variable or option, and says why.
fn network(args: &InitArgs, environment: &Environment) -> Result<Network, String> {
    let mut layers = Layers::default();
    layers.overlay(environment)?;
    if let Some(file) = &args.ca_file {
        let path = Path::parse("network.ca_file");
        layers.set(&path, Value::String(file.clone()), Origin::Option("--ca-file"))?;
    }
    if args.insecure {
        let path = Path::parse("network.insecure");
        layers.set(&path, Value::Boolean(true), Origin::Option("--insecure"))?;
    }
    let Some(table) = layers.values().get("network") else { return Ok(Network::default()) };
    let network: Network =
        table.clone().try_into().map_err(|e| format!("network: {}", e.to_string().trim()))?;
    network.load(&|name| environment.get(name).cloned()).map_err(|(key, why)| {
        let path = Path::parse("network").child(key);
        let origin = layers.origin(&path).map_or_else(String::new, |origin| format!("{origin}: "));
        format!("{origin}{why}")
    })
}
