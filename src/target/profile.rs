//! The target profile: one TOML file, or options, that say what to audit.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::network::Network;
pub use super::resource::{OtherResource, Resource, ScopedOperation};
use super::secret::Secret;
use crate::http::Limits;
use crate::oauth::redirect_uri::{self, Kind};

/// Everything the harness is told about the server under test.
#[derive(Clone, Debug)]
pub struct Target {
    /// Issuer identifier as configured.
    pub issuer: String,
    /// Public clients; the first one drives most checks.
    pub clients: Vec<Client>,
    /// The user who signs in.
    pub user: Option<User>,
    /// Another user. He approves the first scope value of the first client and nothing else, so
    /// that the harness knows what he did not approve.
    pub second_user: Option<User>,
    /// Names of form fields and buttons, where the automatic choice is wrong.
    pub login: LoginHints,
    /// Endpoint members that replace or complete the metadata.
    pub endpoints: BTreeMap<String, String>,
    /// A protected resource that tokens of the first client open.
    pub resource: Option<Resource>,
    /// An operation of the resource that needs a scope of its own.
    pub scoped_operation: Option<ScopedOperation>,
    /// Another resource, whose tokens are worthless at the first.
    pub other_resource: Option<OtherResource>,
    /// Credentials of a resource server at the introspection endpoint.
    pub introspection: Option<Introspection>,
    /// A scope value that no client here may get.
    pub forbidden_scope: Option<String>,
    /// Known resource identifiers (RFC 8707).
    pub resource_indicators: Vec<String>,
    /// How long a chain of refresh tokens lives, counted from its first.
    pub refresh_lifetime: Option<Duration>,
    /// Registered for the first client.
    pub post_logout_redirect_uri: Option<String>,
    /// A browser origin from which the first client may call.
    pub allowed_origin: Option<String>,
    /// How to reach it, where the system does not know.
    pub network: Network,
    /// Seconds that the server may be behind in accepting what has expired.
    pub leeway: Duration,
    /// Longest time that a run which waits in real time spends on one expiry.
    pub patience: Duration,
    /// Least interval between the starts of two requests.
    pub pace: Duration,
    /// Scenarios that run at the same time, at least 1.
    pub concurrency: usize,
    /// What answers may cost; no profile sets it.
    pub limits: Limits,
}

/// A public client.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// Every registered redirect URI, the main one first.
    pub redirect_uris: Vec<String>,
    /// Scope that its requests ask for.
    #[serde(default = "default_scope")]
    pub scope: String,
}

impl Client {
    /// The main redirect URI.
    pub fn redirect_uri(&self) -> &str {
        self.redirect_uris.first().map_or("", String::as_str)
    }

    /// Registered redirect URIs that a conforming server must accept: all but cleartext ones.
    pub fn usable_redirect_uris(&self) -> impl Iterator<Item = &str> {
        self.redirect_uris.iter().map(String::as_str).filter(|uri| Kind::of(uri) != Kind::Cleartext)
    }
}

/// The user who signs in.
#[derive(Clone, Debug)]
pub struct User {
    /// What is typed as user name.
    pub username: String,
    /// What is typed as password.
    pub password: Secret,
}

/// Names of form fields and buttons, where the automatic choice is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginHints {
    /// Name of the user name field.
    #[serde(default)]
    pub username_field: Option<String>,
    /// Name of the password field.
    #[serde(default)]
    pub password_field: Option<String>,
    /// Name or value of the button that approves.
    #[serde(default)]
    pub approve: Option<String>,
    /// Name or value of the button that denies.
    #[serde(default)]
    pub deny: Option<String>,
}

/// Credentials of a resource server at the introspection endpoint (HTTP Basic).
#[derive(Clone, Debug)]
pub struct Introspection {
    /// Its identifier.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
}

const DEFAULT_PATIENCE: Duration = Duration::from_secs(900);

fn default_scope() -> String {
    "openid".into()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    issuer: String,
    clients: Vec<Client>,
    user: Option<FileUser>,
    second_user: Option<FileUser>,
    #[serde(default)]
    login: LoginHints,
    #[serde(default)]
    endpoints: BTreeMap<String, String>,
    resource: Option<Resource>,
    scoped_operation: Option<ScopedOperation>,
    other_resource: Option<OtherResource>,
    introspection: Option<FileIntrospection>,
    forbidden_scope: Option<String>,
    #[serde(default)]
    resource_indicators: Vec<String>,
    refresh_lifetime_seconds: Option<u64>,
    post_logout_redirect_uri: Option<String>,
    allowed_origin: Option<String>,
    #[serde(default)]
    network: Network,
    leeway_seconds: Option<u64>,
    patience_seconds: Option<u64>,
    pace_ms: Option<u64>,
    concurrency: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileUser {
    username: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileIntrospection {
    client_id: String,
    client_secret: String,
}

impl Target {
    /// A target with one client and nothing else configured.
    pub fn new(issuer: impl Into<String>, client: Client) -> Self {
        let issuer = issuer.into();
        let network = Network::default();
        let is_local = network.is_local(&issuer);
        Self {
            issuer,
            clients: vec![client],
            user: None,
            second_user: None,
            login: LoginHints::default(),
            endpoints: BTreeMap::new(),
            resource: None,
            scoped_operation: None,
            other_resource: None,
            introspection: None,
            forbidden_scope: None,
            resource_indicators: vec![],
            refresh_lifetime: None,
            post_logout_redirect_uri: None,
            allowed_origin: None,
            network,
            leeway: Duration::from_secs(20),
            patience: DEFAULT_PATIENCE,
            pace: default_pace(is_local),
            concurrency: default_concurrency(is_local),
            limits: Limits::default(),
        }
    }

    /// Reads a profile file.
    ///
    /// `name` is shown in messages; `variable` looks environment variables up. Errors name file
    /// and line, what was found there and what is accepted.
    pub fn parse(
        name: &str,
        text: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|e| locate(name, text, &e))?;
        let secret = |key: &str, reference: &str| {
            Secret::resolve(reference, variable)
                .map_err(|e| format!("{name}:{}: {key}: {e}", line_of(text, key)))
        };
        let known = |user: FileUser| -> Result<User, String> {
            Ok(User { password: secret("password", &user.password)?, username: user.username })
        };
        let user = file.user.map(known).transpose()?;
        let second_user = file.second_user.map(known).transpose()?;
        let introspection = match file.introspection {
            Some(server) => Some(Introspection {
                client_secret: secret("client_secret", &server.client_secret)?,
                client_id: server.client_id,
            }),
            None => None,
        };
        let network =
            file.network.load().map_err(|e| format!("{name}:{}: {e}", line_of(text, "ca_file")))?;
        let is_local = network.is_local(&file.issuer);
        let target = Self {
            issuer: file.issuer,
            clients: file.clients,
            user,
            second_user,
            login: file.login,
            endpoints: file.endpoints,
            resource: file.resource,
            scoped_operation: file.scoped_operation,
            other_resource: file.other_resource,
            introspection,
            forbidden_scope: file.forbidden_scope,
            resource_indicators: file.resource_indicators,
            refresh_lifetime: file.refresh_lifetime_seconds.map(Duration::from_secs),
            post_logout_redirect_uri: file.post_logout_redirect_uri,
            allowed_origin: file.allowed_origin,
            network,
            leeway: Duration::from_secs(file.leeway_seconds.unwrap_or(20)),
            patience: file.patience_seconds.map_or(DEFAULT_PATIENCE, Duration::from_secs),
            pace: file.pace_ms.map_or_else(|| default_pace(is_local), Duration::from_millis),
            concurrency: file.concurrency.unwrap_or_else(|| default_concurrency(is_local)),
            limits: Limits::default(),
        };
        target.check().map_err(|(key, e)| format!("{name}:{}: {e}", line_of(text, key)))?;
        Ok(target)
    }

    /// Checks values that types cannot express; names the key at fault.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let is_http = |u: url::Url| matches!(u.scheme(), "http" | "https") && u.has_host();
        if !url::Url::parse(&self.issuer).is_ok_and(is_http) {
            return Err((
                "issuer",
                format!("issuer must be an http or https URL; got {}", self.issuer),
            ));
        }
        if self.clients.is_empty() {
            return Err(("clients", "at least one client is needed".into()));
        }
        for client in &self.clients {
            if client.redirect_uris.is_empty() {
                return Err((
                    "redirect_uris",
                    format!("client {} needs at least one redirect URI", client.id),
                ));
            }
            if client.usable_redirect_uris().next() != Some(client.redirect_uri()) {
                let why = "must not be http on a host that is not loopback";
                return Err((
                    "redirect_uris",
                    format!("the first redirect URI of client {} {why}", client.id),
                ));
            }
        }
        if let Some(other) = &self.other_resource {
            other.check().map_err(|e| ("other_resource", e))?;
        }
        if self.concurrency == 0 {
            return Err(("concurrency", "concurrency must be at least 1".into()));
        }
        Ok(())
    }

    /// The issuer names this machine, so the target is a development server.
    pub fn is_local(&self) -> bool {
        self.network.is_local(&self.issuer)
    }

    /// The main redirect URI of the first client and of all others, each with its client's index.
    pub fn redirect_uris(&self) -> impl Iterator<Item = (usize, &str)> {
        self.clients
            .iter()
            .enumerate()
            .flat_map(|(i, c)| c.redirect_uris.iter().map(move |uri| (i, uri.as_str())))
    }

    /// The first usable redirect URI of that kind, with the index of its client.
    pub fn redirect_uri_of_kind(&self, kind: Kind) -> Option<(usize, &str)> {
        self.redirect_uris().find(|(_, uri)| Kind::of(uri) == kind)
    }

    /// A registered URI on a loopback IP literal, with the index of its client.
    pub fn loopback_literal(&self) -> Option<(usize, &str)> {
        self.redirect_uris().find(|(_, uri)| redirect_uri::is_loopback_literal(uri))
    }
}

fn default_pace(is_local: bool) -> Duration {
    // Gentle by default: about 4 requests a second where others may depend on the server.
    if is_local { Duration::ZERO } else { Duration::from_millis(250) }
}

fn default_concurrency(is_local: bool) -> usize {
    if is_local { 16 } else { 2 }
}

/// The first line on which `key` is assigned or opens a table, counted from 1.
fn line_of(text: &str, key: &str) -> usize {
    let opens = |line: &str| {
        let line = line.trim_start().trim_start_matches('[');
        line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(['=', ']']))
    };
    text.lines().position(opens).map_or(1, |at| at + 1)
}

fn locate(name: &str, text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start);
    let line = text[..at.min(text.len())].matches('\n').count() + 1;
    format!("{name}:{line}: {}", error.message().replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = r#"
issuer = "https://as.test"
[[clients]]
id = "web"
redirect_uris = ["https://app.test/cb"]
"#;

    fn parse(text: &str) -> Result<Target, String> {
        Target::parse("staging.toml", text, &|name| (name == "PW").then(|| "x".to_owned()))
    }

    #[test]
    fn a_minimal_profile_has_gentle_defaults() {
        let target = parse(MINIMAL).unwrap();
        assert_eq!((target.clients[0].scope.as_str(), target.concurrency), ("openid", 2));
        assert_eq!(target.pace, Duration::from_millis(250));
        assert!(!target.is_local());
    }

    #[test]
    fn the_example_profile_has_every_key_and_parses() {
        let text = include_str!("../../fixtures/targets/example.toml");
        let target = Target::parse("example.toml", text, &|_| Some("x".to_owned())).unwrap();
        assert_eq!(target.clients.len(), 2);
        assert!(target.resource.is_some() && target.introspection.is_some());
        assert!(target.scoped_operation.is_some() && target.other_resource.is_some());
        assert!(target.second_user.is_some());
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_what_is_accepted() {
        let error = parse(&format!("{MINIMAL}redirect_url = 'x'\n")).unwrap_err();
        assert!(error.starts_with("staging.toml:6: unknown field `redirect_url`"), "{error}");
        assert!(error.contains("redirect_uris"), "{error}");
    }

    #[test]
    fn a_literal_password_is_refused_with_its_line() {
        let error = parse(&format!("{MINIMAL}[user]\nusername = 'alice'\npassword = 'hunter2'\n"))
            .unwrap_err();
        assert!(
            error.starts_with("staging.toml:8: password: a secret must be a reference"),
            "{error}"
        );
        assert!(!error.contains("hunter2"));
        assert!(
            parse(&format!("{MINIMAL}[user]\nusername = 'alice'\npassword = 'env:PW'\n")).is_ok()
        );
    }

    #[test]
    fn values_without_sense_are_refused() {
        for (from, to, why) in [
            ("https://as.test", "as.test", "issuer must be an http or https URL"),
            (r#"["https://app.test/cb"]"#, "[]", "at least one redirect URI"),
            ("https://app.test/cb", "http://app.test/cb", "must not be http"),
            ("issuer =", "concurrency = 0\nissuer =", "concurrency must be at least 1"),
        ] {
            let error = parse(&MINIMAL.replace(from, to)).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
