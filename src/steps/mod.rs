//! Step definitions, grouped by the noun they speak of. A step builds, sends or judges; it never
//! decides level or severity, and a Then never sends anything.

mod authorization;
mod expiry;
mod flow;
mod forgery;
mod headers;
mod introspection;
mod lifecycle;
mod metadata;
mod operation;
mod pkce;
mod race;
mod redemption;
mod redirect_uri;
mod refresh;
mod refresh_limits;
mod resource;
mod response;
mod revocation;
mod token;
mod token_response;
mod tokens;
mod transport;
mod userinfo;

/// Splits `a, b` as it stands in a step.
fn words(list: &str) -> Vec<&str> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty()).collect()
}
