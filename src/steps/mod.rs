//! Step definitions, grouped by the noun they speak of. A step builds, sends or judges; it never
//! decides level or severity, and a Then never sends anything.

mod access_token;
mod authorization;
mod code;
mod consent;
mod cors;
mod discovery;
mod dpop;
mod expiry;
mod flow;
mod forgery;
mod headers;
mod id_token;
mod introspection;
mod lifecycle;
mod logout;
mod metadata;
mod observability;
mod operation;
mod par;
mod pkce;
mod race;
mod redemption;
mod redirect_uri;
mod refresh;
mod refresh_limits;
mod resource;
mod resource_metadata;
mod response;
mod revocation;
mod session;
mod token;
mod token_response;
mod tokens;
mod transport;
mod userinfo;
mod vectors;
mod wallet;

/// Splits `a, b` as it stands in a step.
fn words(list: &str) -> Vec<&str> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty()).collect()
}
