//! Runs the reference server for people: `reference-server [--port N] [--login HOW] [--defect NAME]
//! [--list-defects]`.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use reference_server::{Config, Defect, Login, Policy, serve};

const USAGE: &str =
    "usage: reference-server [--port N] [--login password|wallet] [--defect NAME] [--list-defects]";

fn configured(mut arguments: impl Iterator<Item = String>) -> Result<Option<Config>, String> {
    let mut config = Config { logging: true, ..Config::default() };
    while let Some(argument) = arguments.next() {
        let mut value =
            || arguments.next().ok_or_else(|| format!("{argument} needs a value\n{USAGE}"));
        match argument.as_str() {
            "--port" => {
                let port = value()?.parse().map_err(|e| format!("--port: {e}"))?;
                config.bind = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            }
            "--login" => {
                config.login = match value()?.as_str() {
                    "password" => Login::Password,
                    "wallet" => Login::Wallet,
                    other => {
                        return Err(format!("--login: {other} is neither password nor wallet"));
                    }
                };
            }
            "--defect" => {
                let defect: Defect = value()?.parse().map_err(|e| format!("--defect: {e}"))?;
                config.policy = Policy::with(defect);
            }
            "--list-defects" => return Ok(None),
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(Some(config))
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the shell talks to people")]
fn main() -> ExitCode {
    let config = match configured(std::env::args().skip(1)) {
        Ok(Some(config)) => config,
        Ok(None) => {
            for defect in Defect::ALL {
                println!("{defect}: {} ({})", defect.description(), defect.violates().join(", "));
            }
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    match serve(config) {
        Ok(server) => {
            println!("{}", server.issuer());
            server.wait();
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("the server did not start: {error}");
            ExitCode::from(4)
        }
    }
}
