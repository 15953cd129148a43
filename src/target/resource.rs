//! Protected resources of the profile.

use schemars::JsonSchema;
use serde::Deserialize;

/// A protected resource.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// Absolute URL.
    pub url: String,
    /// Method, `GET` unless given.
    #[serde(default = "default_method")]
    pub method: String,
    /// Status of success, 200 unless given.
    #[serde(default = "default_status")]
    pub status: u16,
}

/// An operation that tokens with the usual scope of the first client must not open.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopedOperation {
    /// Absolute URL.
    pub url: String,
    /// Method, `GET` unless given.
    #[serde(default = "default_method")]
    pub method: String,
    /// Status of success, 200 unless given.
    #[serde(default = "default_status")]
    pub status: u16,
    /// Scope value that opens it, asked for beside the client's own.
    pub scope: String,
}

/// How the first client gets a token that is meant for another resource.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherResource {
    /// Value of the `resource` parameter (RFC 8707).
    pub indicator: Option<String>,
    /// Scope to ask for instead of the client's own.
    pub scope: Option<String>,
}

impl OtherResource {
    /// Something must tell its tokens from those of the first resource.
    pub fn check(&self) -> Result<(), String> {
        match (&self.indicator, &self.scope) {
            (None, None) => Err("other_resource needs indicator, scope or both".into()),
            _ => Ok(()),
        }
    }
}

fn default_method() -> String {
    "GET".into()
}

fn default_status() -> u16 {
    200
}
