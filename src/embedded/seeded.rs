//! Reference servers with a seeded defect, each configured so that the defect shows itself.

use reference_server::{Config, Defect, Login, Policy, Server};

use super::{by_wallet, target};
use crate::http::Shortcut;
use crate::oauth::dcql::Format;
use crate::target::profile::Target;

/// What is not applicable to a server over http on loopback.
pub const NEED_TLS: [&str; 7] = [
    "transport.authorization-plaintext",
    "transport.token-plaintext",
    "transport.certificate",
    "transport.tls-legacy",
    "transport.tls-modern",
    "transport.hsts",
    "transport.no-downgrade-redirect",
];

/// What is not applicable to a server that also takes requests that were not pushed.
pub const NEED_PAR_REQUIRED: [&str; 2] = ["par.metadata-consistent", "par.required-enforced"];

/// What is not applicable to a server that sends no nonces for DPoP proofs.
pub const NEED_NONCES: [&str; 2] = ["cors.exposed-headers", "dpop.nonce-challenge"];

/// What is not applicable to a server that issues no code without a challenge.
pub const NEED_OPTIONAL_PKCE: [&str; 2] =
    ["pkce.verifier-without-challenge", "pkce.no-challenge-no-token"];

/// Whether the defect violates one of these duties.
fn shows_in(defect: Defect, ids: &[&str]) -> bool {
    defect.violates().iter().any(|id| ids.contains(id))
}

/// A server with that defect, to which what the defect violates applies. TLS is spoken only where
/// it must be: without it an audit is faster.
pub fn config(defect: Defect) -> Config {
    let is_wallet = defect.violates().iter().all(|id| id.starts_with("wallet."));
    Config {
        policy: Policy::with(defect),
        login: if is_wallet { Login::Wallet } else { Login::Password },
        tls: shows_in(defect, &NEED_TLS),
        par_required: shows_in(defect, &NEED_PAR_REQUIRED),
        dpop_nonce: shows_in(defect, &NEED_NONCES),
        ..Config::default()
    }
}

/// The same server without its defect.
pub fn conformant(config: &Config) -> Config {
    Config { policy: Policy::conformant(), ..config.clone() }
}

/// A running server as a target of an audit in this process. With `shortcut` no socket lies between
/// them, unless the server speaks TLS. Users sign in with a wallet that holds a credential of the
/// format, where one is given.
///
/// The error says why there is no wallet.
pub fn audited(server: &Server, wallet: Option<Format>, shortcut: bool) -> Result<Target, String> {
    let mut target = target(server);
    if let Some(format) = wallet {
        target = by_wallet(target, format)?;
    }
    if shortcut && server.secured().is_none() {
        target.network.shortcut = Shortcut::to(server.issuer(), server.visits()).ok();
        // Without a network every round goes the same way, and nobody looks for a request in a log.
        target.limits.rounds = 2;
        target.safety.trace_headers = false;
    }
    // A server without metadata is audited with endpoints from the profile.
    let paths = [
        ("authorization_endpoint", "/authorize"),
        ("token_endpoint", "/token"),
        ("jwks_uri", "/jwks"),
        ("pushed_authorization_request_endpoint", "/par"),
    ];
    for (name, path) in paths {
        target.endpoints.insert(name.into(), format!("{}{path}", server.issuer()));
    }
    Ok(target)
}
