//! The server under test: its profile, what is known about it, and how a user signs in there.

pub mod capabilities;
mod file;
pub mod login;
pub mod network;
pub mod profile;
pub mod resource;
pub mod secret;
