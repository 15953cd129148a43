//! What helps beside the catalogue: hints for common servers, and the register of known flaws.

use serde::{Deserialize, Serialize};

/// What to change at a common server, one row of `features/servers.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hint {
    /// Name of the server, for example `Keycloak`.
    pub server: String,
    /// Requirement ids, or groups that stand for all of their ids.
    pub requirements: Vec<String>,
    /// What to set, in one or two sentences.
    pub hint: String,
    /// Where that is written: an https address, or a file of this repository.
    pub source: String,
}

impl Hint {
    /// Whether the hint helps with the requirement of that id.
    pub fn covers(&self, id: &str) -> bool {
        let group = id.split('.').next().unwrap_or(id);
        self.requirements.iter().any(|named| named == id || named == group)
    }
}

/// A way in which published flaws break the flow, one row of `fixtures/flaws.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flaw {
    /// Its number in the register, from 1.
    pub number: usize,
    /// The flaw in one line.
    pub title: String,
    /// CVE and GHSA ids.
    pub published: Vec<String>,
    /// Names of the seeded defects that break the reference server in the same way.
    #[serde(default)]
    pub defects: Vec<String>,
    /// Why ids without a defect have none.
    pub out_of_flow: Option<String>,
}
