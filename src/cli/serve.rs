//! `authspec serve`: the reference server for people.

use reference_server::{Config, Defect, Login, Policy, seeds};

use super::arguments::{ServeArgs, ServeLogin};
use super::{complain, exit, say};
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
    let login = match args.login {
        ServeLogin::Password => Login::Password,
        ServeLogin::Wallet => Login::Wallet,
    };
    match embedded::start(Config { policy, login, bind, logging: true, ..Config::default() }) {
        Ok(server) => {
            say(server.issuer());
            match login {
                Login::Password => introduce_password(server.issuer()),
                Login::Wallet => introduce_wallet(server.issuer()),
            }
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

/// How to audit the server where users sign in with a password.
fn introduce_password(issuer: &str) {
    let (user, client, uri) = (seeds::ALICE, seeds::WEB, seeds::WEB_REDIRECT_URI);
    say(format!("user {user}; the password stands in README.md under \"The reference server\""));
    say(format!(
        "authspec run {issuer} --client-id {client} --redirect-uri {uri} --username {user} --password-env AUTHSPEC_PASSWORD"
    ));
}

/// The same with a wallet: a profile, and the key of the issuer, which everybody knows.
fn introduce_wallet(issuer: &str) {
    let (client, uri, email) = (seeds::WEB, seeds::WEB_REDIRECT_URI, seeds::ALICE_EMAIL);
    say(format!(
        "issuer.pem, the key of the one issuer of credentials:\n{}",
        seeds::CREDENTIAL_ISSUER_KEY
    ));
    say(format!(
        "target.toml, for authspec run --target target.toml:\n\
         issuer = \"{issuer}\"\n\
         [[clients]]\nid = \"{client}\"\nredirect_uris = [\"{uri}\"]\nscope = \"openid profile\"\n\
         [login]\ndriver = \"wallet\"\n\
         [login.wallet]\nissuer_key = \"file:issuer.pem\"\nclaims = {{ email = \"{email}\" }}\n\
         # Or over a web socket:\n\
         # channel = \"web_socket\"\n# events = \"/api/login/socket?state={{state}}\"\n"
    ));
}
