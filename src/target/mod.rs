//! The server under test: its profile, what is known about it, and how a user signs in there.

pub mod capabilities;
mod file;
pub mod layers;
pub mod login;
pub mod network;
pub mod path;
pub mod profile;
pub mod resource;
pub mod safety;
pub mod schema;
pub mod secret;
pub mod starter;
