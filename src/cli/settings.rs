//! The target as options and environment name it; the command line and `cargo test --features live`
//! share this.

use std::path::PathBuf;

use clap::Args;

use toml::Value;

use super::safety::SafetyOptions;
use crate::target::layers::{Environment, Layers, Origin};
use crate::target::path::Path;
use crate::target::profile::Target;

/// Options that name the target, laid over the environment, which is laid over the profile.
#[derive(Args, Clone, Debug, Default)]
pub struct TargetOptions {
    /// Issuer of the server under test; the embedded reference server when no target is named.
    #[arg(value_name = "ISSUER", conflicts_with = "target")]
    pub issuer: Option<String>,
    /// Target profile (TOML).
    #[arg(long, value_name = "FILE")]
    pub target: Option<PathBuf>,
    /// Public client at the target.
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Registered redirect URI of the client, the main one first; may be repeated.
    #[arg(long = "redirect-uri", value_name = "URI")]
    pub redirect_uris: Vec<String>,
    /// Scope to ask for, `openid` when left out.
    #[arg(long)]
    pub scope: Option<String>,
    /// User who signs in.
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
    /// Environment variable that holds the user's password.
    #[arg(long, value_name = "VARIABLE")]
    pub password_env: Option<String>,
    /// Do not verify certificates; the report says so.
    #[arg(long)]
    pub insecure: bool,
    /// What a run may do to it.
    #[command(flatten)]
    pub safety: SafetyOptions,
}

/// What to say where no target is named.
pub const NO_TARGET: &str = "no target is named: give a profile with --target or AUTHSPEC_TARGET, or an issuer \
     (AUTHSPEC_ISSUER) with AUTHSPEC_CLIENT_ID, AUTHSPEC_REDIRECT_URI and, for a login, AUTHSPEC_USERNAME and \
     AUTHSPEC_PASSWORD; authspec config keys lists every key with its variable";

/// The variables of this process that are text.
pub fn environment() -> Environment {
    #[expect(clippy::disallowed_methods, reason = "the shell reads the environment")]
    let all = std::env::vars_os();
    all.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

impl TargetOptions {
    /// The configuration of the target in its layers. Errors say what is wrong and where.
    pub fn layers(&self, environment: &Environment) -> Result<Layers, String> {
        let named = environment.get("AUTHSPEC_TARGET").filter(|path| !path.is_empty());
        // A profile from the environment is that of another server than an issuer on the line.
        let named = named.filter(|_| self.issuer.is_none()).map(PathBuf::from);
        let mut layers = match self.target.clone().or(named) {
            Some(path) => {
                let name = path.display().to_string();
                let text = std::fs::read_to_string(&path)
                    .map_err(|e| format!("cannot read the target profile {name}: {e}"))?;
                Layers::read(&name, &text)?
            }
            None => Layers::default(),
        };
        layers.overlay(environment)?;
        let password = self.password_env.as_ref().map(|name| format!("env:{name}"));
        let texts = [
            ("issuer", "ISSUER", &self.issuer),
            ("clients[0].id", "--client-id", &self.client_id),
            ("clients[0].scope", "--scope", &self.scope),
            ("user.username", "--username", &self.username),
            ("user.password", "--password-env", &password),
        ];
        for (path, option, value) in texts {
            if path == "user.password" {
                layers.take_password(environment)?;
            }
            if let Some(value) = value {
                let value = Value::String(value.clone());
                layers.set(&Path::parse(path), value, Origin::Option(option))?;
            }
        }
        if !self.redirect_uris.is_empty() {
            let uris = self.redirect_uris.iter().cloned().map(Value::String).collect();
            let path = Path::parse("clients[0].redirect_uris");
            layers.set(&path, Value::Array(uris), Origin::Option("--redirect-uri"))?;
        }
        if self.insecure {
            let path = Path::parse("network.insecure");
            layers.set(&path, Value::Boolean(true), Origin::Option("--insecure"))?;
        }
        self.safety.overlay(&mut layers)?;
        Ok(layers)
    }

    /// The target, or `None` when nothing names one. Errors say what is missing or wrong.
    pub fn resolve(&self, environment: &Environment) -> Result<Option<Target>, String> {
        if let Some(issuer) = self.issuer.as_ref().filter(|issuer| !issuer.contains("://")) {
            return Err(format!(
                "{issuer} is neither a command nor an issuer: an issuer is an http or https URL; \
                 authspec --help lists the commands"
            ));
        }
        let layers = self.layers(environment)?;
        if !layers.has("issuer") && !layers.has("endpoints") {
            let given = [
                ("--client-id", self.client_id.is_some()),
                ("--redirect-uri", !self.redirect_uris.is_empty()),
                ("--scope", self.scope.is_some()),
                ("--username", self.username.is_some()),
                ("--password-env", self.password_env.is_some()),
                ("--insecure", self.insecure),
            ];
            let given = given.into_iter().find(|(_, is_given)| *is_given).map(|(option, _)| option);
            return match given.or_else(|| self.safety.given()) {
                Some(option) => Err(format!("{option} needs an issuer or --target")),
                None => Ok(None),
            };
        }
        if let Some(option) = self.missing(&layers) {
            return Err(format!(
                "{option} is needed to audit an issuer; authspec init {} writes a profile to fill in",
                self.issuer.as_deref().unwrap_or("ISSUER")
            ));
        }
        let mut target = Target::load(&layers, &|name| environment.get(name).cloned())?;
        self.safety.accept(&mut target)?;
        Ok(Some(target))
    }

    /// What an issuer without a profile lacks.
    fn missing(&self, layers: &Layers) -> Option<&'static str> {
        self.issuer.as_ref()?;
        let has = |path: &str| layers.origin(&Path::parse(path)).is_some();
        match (has("clients[0].id"), has("clients[0].redirect_uris")) {
            (false, _) => Some("--client-id, a public client that is registered there,"),
            (_, false) => Some("--redirect-uri, one that the client registered,"),
            _ => None,
        }
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

    fn environment(variables: &[(&str, &str)]) -> Environment {
        variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn what_is_missing_is_named() {
        let none = Environment::new();
        assert!(TargetOptions::default().resolve(&none).unwrap().is_none());
        let without_client = TargetOptions { client_id: None, ..options("https://as.test") };
        assert!(without_client.resolve(&none).unwrap_err().contains("--client-id"));
        let without_uri = TargetOptions { redirect_uris: vec![], ..options("https://as.test") };
        assert!(without_uri.resolve(&none).unwrap_err().contains("--redirect-uri"));
        let without_issuer = TargetOptions { issuer: None, ..options("") };
        assert!(without_issuer.resolve(&none).unwrap_err().contains("needs an issuer"));
        let wrong = options("as.test").resolve(&none).unwrap_err();
        assert!(wrong.contains("neither a command nor an issuer"));
    }

    #[test]
    fn the_environment_names_a_target() {
        let environment = environment(&[
            ("AUTHSPEC_ISSUER", "https://as.test"),
            ("AUTHSPEC_CLIENT_ID", "web"),
            ("AUTHSPEC_REDIRECT_URI", "https://app.test/cb https://app.test/other"),
            ("AUTHSPEC_USERNAME", "alice"),
            ("AUTHSPEC_PASSWORD", "pw"),
            ("AUTHSPEC_CLIENTS__1__ID", "app"),
            ("AUTHSPEC_CLIENTS__1__REDIRECT_URIS", "['com.example:/cb']"),
            ("AUTHSPEC_PACE_MS", "7"),
            ("AUTHSPEC_NETWORK__RESOLVE", "{ 'as.test' = '127.0.0.1' }"),
            ("AUTHSPEC_TAGS", "@must"),
        ]);
        let target = TargetOptions::default().resolve(&environment).unwrap().unwrap();
        assert_eq!(target.user.as_ref().unwrap().password.expose(), "pw");
        assert_eq!(target.clients[0].redirect_uris.len(), 2);
        assert_eq!(target.clients[1].id, "app");
        assert_eq!(target.pace.as_millis(), 7);
        assert!(target.is_local());
    }

    #[test]
    fn options_go_before_the_environment() {
        let environment =
            environment(&[("AUTHSPEC_CLIENT_ID", "other"), ("AUTHSPEC_TARGET", "/nonexistent")]);
        let options = options("https://as.test");
        let target = options.resolve(&environment).unwrap().unwrap();
        assert_eq!(target.clients[0].id, "web");
        let layers = options.layers(&environment).unwrap();
        let origin = |path: &str| layers.origin(&Path::parse(path)).unwrap().to_string();
        assert_eq!(origin("clients[0].id"), "option --client-id");
    }

    #[test]
    fn a_variable_without_a_key_or_a_value_is_named() {
        let fault = |name, value| {
            options("https://as.test").resolve(&environment(&[(name, value)])).unwrap_err()
        };
        let error = fault("AUTHSPEC_NETWORK__CAFILE", "x");
        assert!(error.contains("did you mean AUTHSPEC_NETWORK__CA_FILE?"), "{error}");
        let error = fault("AUTHSPEC_PACE_MS", "slow");
        assert!(error.starts_with("environment AUTHSPEC_PACE_MS: "), "{error}");
        let error = fault("AUTHSPEC_CONCURRENCY", "0");
        assert!(error.starts_with("environment AUTHSPEC_CONCURRENCY: concurrency"), "{error}");
        let error = fault("AUTHSPEC_CLIENTS__2__ID", "x");
        assert!(error.contains("the entry before it is missing"), "{error}");
    }
}
