//! Who signs in.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::otp::Totp;
use crate::target::secret::Secret;

/// The user who signs in.
#[derive(Clone, Debug)]
pub struct User {
    /// What is typed as user name; empty where nobody types it.
    pub username: String,
    /// What is typed as password; empty where nobody types it.
    pub password: Secret,
    /// What makes his one-time codes.
    pub totp: Option<Totp>,
    /// What a credential says of him, where the harness issues it; else what it says by default.
    pub claims: Option<Map<String, Value>>,
}

impl User {
    /// A user without a second factor.
    pub fn new(username: impl Into<String>, password: Secret) -> Self {
        Self { username: username.into(), password, totp: None, claims: None }
    }

    /// The user of a session that was imported, or one who signs in elsewhere, unnamed.
    pub fn unnamed() -> Self {
        Self::new("", Secret::new(""))
    }
}

/// The `[user]` table of a profile.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserTable {
    /// What is typed as user name.
    #[serde(default)]
    username: String,
    /// A reference to the password: `env:NAME`, `file:PATH` or `exec:COMMAND`.
    #[serde(default)]
    password: Option<String>,
    /// A reference to the secret of one-time codes (RFC 6238), in base32 or as otpauth URI.
    #[serde(default)]
    totp: Option<String>,
    /// What the credential of this user's wallet says.
    #[serde(default)]
    claims: Option<Map<String, Value>>,
}

impl UserTable {
    /// Resolves the references; `secret` takes a key and its reference. The password may be left
    /// out where nobody types it.
    ///
    /// The error is that of `secret`.
    pub fn resolve(
        self,
        needs_password: bool,
        secret: &dyn Fn(&str, &str) -> Result<Secret, String>,
        wrong: &dyn Fn(&str, String) -> String,
    ) -> Result<User, String> {
        if self.username.is_empty() && self.claims.is_none() {
            return Err(wrong("user", "the user needs a username".into()));
        }
        let password = match &self.password {
            Some(reference) => secret("password", reference)?,
            None if needs_password => {
                let why = "the user needs a password, env:NAME, file:PATH or exec:COMMAND";
                return Err(wrong("username", why.into()));
            }
            None => Secret::new(""),
        };
        let read = |reference: &String| {
            Totp::read(secret("totp", reference)?.expose())
                .map_err(|e| wrong("totp", format!("totp: {e}")))
        };
        let totp = self.totp.as_ref().map(read).transpose()?;
        Ok(User { totp, claims: self.claims, ..User::new(self.username, password) })
    }
}
