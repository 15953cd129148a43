//! Conformance and security test harness for the OAuth 2.1 authorization code flow with PKCE,
//! public clients.

pub mod bundle;
pub mod catalogue;
pub mod cli;
pub mod doctor;
mod draw;
pub mod embedded;
mod execute;
pub mod expect;
pub mod http;
pub mod model;
pub mod oauth;
mod places;
pub mod plan;
pub mod preflight;
pub mod report;
pub mod run;
mod steps;
mod taint;
pub mod target;
pub mod trial;
pub mod world;
