//! Signs in through the system's Chromium, which the harness drives over the Chrome DevTools
//! Protocol. The browser reaches the target and the origins that the profile names, and nobody
//! else; what it is about to send to the client is the authorization response, and is not sent.
//!
//! [`arguments`], [`frame`], [`guard`] and [`mark`] are pure and are compiled for tests without the feature.

pub mod arguments;
pub mod frame;
pub mod guard;
pub mod mark;

#[cfg(feature = "browser")]
mod cookies;
#[cfg(feature = "browser")]
mod evidence;
#[cfg(feature = "browser")]
mod page;
#[cfg(feature = "browser")]
mod play;
#[cfg(feature = "browser")]
mod pool;
#[cfg(feature = "browser")]
mod process;
#[cfg(feature = "browser")]
mod rest;
#[cfg(feature = "browser")]
mod tab;
#[cfg(feature = "browser")]
mod visit;
#[cfg(feature = "browser")]
mod walk;

#[cfg(feature = "browser")]
pub(super) use pool::Pool;
#[cfg(feature = "browser")]
pub use visit::Browser;
