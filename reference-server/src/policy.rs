//! The decisions of the server. Each is one question; the last arm is the answer of the
//! specifications, the others are the seeded defects.

mod authorization;
mod bearer;
mod claims;
mod cors;
mod discovery;
mod dpop;
mod interaction;
mod introspection;
mod look_alike;
mod loopback;
mod operation;
mod pages;
mod par;
mod pkce;
mod published;
mod redirect_uri;
mod refresh;
mod resource;
mod response;
pub(crate) mod revocation;
pub(crate) mod session;
mod token_request;
mod token_response;
mod tokens;
mod transport;
mod unverified;
mod wallet;

use crate::defect::Defect;

/// How the server decides: as the specifications say, or with one defect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    defect: Option<Defect>,
}

impl Policy {
    /// The policy of a conformant server.
    pub const fn conformant() -> Self {
        Self { defect: None }
    }

    /// The policy with exactly this defect.
    pub const fn with(defect: Defect) -> Self {
        Self { defect: Some(defect) }
    }

    /// The defect, if there is one.
    pub const fn defect(&self) -> Option<Defect> {
        self.defect
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }
}
