//! The target as options and environment name it; the command line and `cargo test --features live`
//! share this.

use std::path::PathBuf;

use clap::Args;

use crate::target::profile::{Client, Target, User};
use crate::target::secret::Secret;

/// Options that name the target.
#[derive(Args, Clone, Debug, Default)]
pub struct TargetOptions {
    /// Issuer of the server under test; the embedded reference server when left out.
    #[arg(value_name = "ISSUER", conflicts_with = "target")]
    pub issuer: Option<String>,
    /// Target profile (TOML).
    #[arg(long, value_name = "FILE")]
    pub target: Option<PathBuf>,
    /// Public client at the target.
    #[arg(long, value_name = "ID", requires = "issuer")]
    pub client_id: Option<String>,
    /// Registered redirect URI of the client, the main one first; may be repeated.
    #[arg(long = "redirect-uri", value_name = "URI", requires = "issuer")]
    pub redirect_uris: Vec<String>,
    /// Scope to ask for, `openid` when left out.
    #[arg(long, requires = "issuer")]
    pub scope: Option<String>,
    /// User who signs in.
    #[arg(long, value_name = "NAME", requires_all = ["issuer", "password_env"])]
    pub username: Option<String>,
    /// Environment variable that holds the user's password.
    #[arg(long, value_name = "VARIABLE", requires_all = ["issuer", "username"])]
    pub password_env: Option<String>,
}

impl TargetOptions {
    /// The target, or `None` when the options name none. Errors say what is missing or wrong.
    pub fn resolve(
        &self,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Target>, String> {
        if let Some(path) = &self.target {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path)
                .map_err(|e| format!("cannot read the target profile {name}: {e}"))?;
            return Target::parse(&name, &text, variable).map(Some);
        }
        let Some(issuer) = &self.issuer else { return Ok(None) };
        if !issuer.contains("://") {
            return Err(format!(
                "{issuer} is neither a command nor an issuer: an issuer is an http or https URL; \
                 authspec --help lists the commands"
            ));
        }
        let scope = self.scope.clone().unwrap_or_else(|| "openid".into());
        let id = self
            .client_id
            .clone()
            .ok_or("--client-id is needed to audit an issuer: a public client registered there")?;
        if self.redirect_uris.is_empty() {
            return Err(format!(
                "--redirect-uri is needed to audit an issuer: one that client {id} registered"
            ));
        }
        let client = Client { id, redirect_uris: self.redirect_uris.clone(), scope };
        let mut target = Target::new(issuer, client);
        if let (Some(username), Some(name)) = (&self.username, &self.password_env) {
            let password = Secret::resolve(&format!("env:{name}"), variable)?;
            target.user = Some(User::new(username, password));
        }
        target.check().map_err(|(_, message)| message)?;
        Ok(Some(target))
    }

    /// The options as `AUTHSPEC_TARGET`, or `AUTHSPEC_ISSUER` and friends, give them.
    pub fn from_environment(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        if let Some(path) = variable("AUTHSPEC_TARGET") {
            return Ok(Self { target: Some(path.into()), ..Self::default() });
        }
        let Some(issuer) = variable("AUTHSPEC_ISSUER") else {
            return Err("no live target: set AUTHSPEC_TARGET to a profile file, or AUTHSPEC_ISSUER, AUTHSPEC_CLIENT_ID, \
                        AUTHSPEC_REDIRECT_URI and, for a login, AUTHSPEC_USERNAME and AUTHSPEC_PASSWORD \
                        (optional: AUTHSPEC_SCOPE, AUTHSPEC_TAGS)"
                .into());
        };
        let has_password = variable("AUTHSPEC_PASSWORD").is_some();
        if has_password != variable("AUTHSPEC_USERNAME").is_some() {
            return Err(
                "AUTHSPEC_USERNAME and AUTHSPEC_PASSWORD belong together: set both or none".into(),
            );
        }
        Ok(Self {
            issuer: Some(issuer),
            target: None,
            client_id: variable("AUTHSPEC_CLIENT_ID"),
            redirect_uris: variable("AUTHSPEC_REDIRECT_URI")
                .map(|uris| uris.split_whitespace().map(str::to_owned).collect())
                .unwrap_or_default(),
            scope: variable("AUTHSPEC_SCOPE"),
            username: variable("AUTHSPEC_USERNAME"),
            password_env: has_password.then(|| "AUTHSPEC_PASSWORD".into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(issuer: &str) -> TargetOptions {
        TargetOptions {
            issuer: Some(issuer.into()),
            client_id: Some("web".into()),
            redirect_uris: vec!["https://app.test/cb".into()],
            ..TargetOptions::default()
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let none = |_: &str| None;
        assert!(TargetOptions::default().resolve(&none).unwrap().is_none());
        let without_client = TargetOptions { client_id: None, ..options("https://as.test") };
        assert!(without_client.resolve(&none).unwrap_err().contains("--client-id"));
        let without_uri = TargetOptions { redirect_uris: vec![], ..options("https://as.test") };
        assert!(without_uri.resolve(&none).unwrap_err().contains("--redirect-uri"));
        assert!(
            options("as.test")
                .resolve(&none)
                .unwrap_err()
                .contains("neither a command nor an issuer")
        );
        assert!(TargetOptions::from_environment(&none).unwrap_err().contains("AUTHSPEC_TARGET"));
    }

    #[test]
    fn the_environment_names_a_target() {
        let variable = |name: &str| {
            let value = match name {
                "AUTHSPEC_ISSUER" => "https://as.test",
                "AUTHSPEC_CLIENT_ID" => "web",
                "AUTHSPEC_REDIRECT_URI" => "https://app.test/cb",
                "AUTHSPEC_USERNAME" => "alice",
                "AUTHSPEC_PASSWORD" => "pw",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let target = TargetOptions::from_environment(&variable)
            .unwrap()
            .resolve(&variable)
            .unwrap()
            .unwrap();
        assert_eq!(target.user.unwrap().password.expose(), "pw");
    }
}
