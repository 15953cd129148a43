//! Conformance and security test harness for the OAuth 2.1 authorization code flow with PKCE,
//! public clients.

pub mod bundle;
pub mod catalogue;
mod cleanup;
pub mod cli;
pub mod doctor;
mod doubt;
mod draw;
pub mod embedded;
mod execute;
pub mod expect;
pub mod explain;
pub mod gate;
pub mod http;
pub mod model;
mod notes;
pub mod oauth;
mod places;
pub mod plan;
mod play;
pub mod preflight;
pub mod rehearsal;
pub mod report;
pub mod run;
pub mod shard;
mod steps;
mod taint;
pub mod target;
pub mod trial;
pub mod world;
