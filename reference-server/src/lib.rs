//! A conformant OAuth 2.1 authorization server, OpenID provider and protected API for one host,
//! with state in memory and seeded users and clients, and with defects to switch on one at a time.
//!
//! [`serve`] starts it on a free port, [`bind`] on the runtime of the caller; [`Policy::with`] picks a [`Defect`]. The handlers know no
//! defects: each decision is one question on [`Policy`].

#![warn(missing_docs)]

mod app;
mod clients;
mod clock;
mod config;
mod defect;
mod dpop;
mod endpoints;
mod http;
mod issue;
mod jwt;
mod keys;
mod pages;
mod params;
mod pkce;
mod policy;
mod redirect_uri;
mod scope;
pub mod seeds;
mod server;
mod state;
mod tls;
mod wallet;

pub use clock::Clock;
pub use config::{Config, Lifetimes, Login, SigningAlgorithm};
pub use defect::{Defect, UnknownDefect};
pub use policy::Policy;
pub use server::{Secured, Server, Serving, bind, serve};
