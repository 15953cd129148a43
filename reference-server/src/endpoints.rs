//! The endpoints; they read like the specifications.

pub(crate) mod access;
pub(crate) mod api;
pub(crate) mod authorization_request;
pub(crate) mod authorization_response;
pub(crate) mod authorize;
pub(crate) mod cleartext;
pub(crate) mod consent;
pub(crate) mod cors;
pub(crate) mod interaction;
pub(crate) mod introspect;
pub(crate) mod login;
pub(crate) mod login_events;
pub(crate) mod logout;
pub(crate) mod metadata;
pub(crate) mod par;
pub(crate) mod possession;
pub(crate) mod redeem;
pub(crate) mod refresh;
pub(crate) mod revoke;
pub(crate) mod token;
pub(crate) mod userinfo;
pub(crate) mod wallet;
