//! The target profile: what a file or options say about the server under test.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::login::Login;
pub use super::login::User;
use super::network::Network;
pub use super::resource::{OtherResource, Resource, ScopedOperation};
use super::safety::{Environment, Safety};
use super::secret::Secret;
use crate::http::Limits;
use crate::model::report::Place;
use crate::oauth::redirect_uri::{self, Kind};

/// Everything the harness is told about the server under test.
#[derive(Clone, Debug)]
pub struct Target {
    /// Issuer identifier as configured; the origin of its authorization endpoint where none is.
    pub issuer: String,
    /// An issuer identifier is configured, so that metadata can be looked up.
    pub has_issuer: bool,
    /// Public clients; the first one drives most checks.
    pub clients: Vec<Client>,
    /// The user who signs in.
    pub user: Option<User>,
    /// Another user. He approves the first scope value of the first client and nothing else, so
    /// that the harness knows what he did not approve.
    pub second_user: Option<User>,
    /// How a user signs in.
    pub login: Login,
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
    /// What the operator expects of lifetimes.
    pub lifetimes: Lifetimes,
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
    /// What a run may do to it.
    pub safety: Safety,
    /// Where a profile file names it.
    pub stanza: Option<Place>,
    /// What answers may cost; no profile sets it.
    pub limits: Limits,
}

/// A public client.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// Every registered redirect URI, the main one first.
    pub redirect_uris: Vec<String>,
    /// Scope that its requests ask for.
    #[serde(default = "default_scope")]
    pub scope: String,
    /// Where it runs.
    #[serde(default)]
    pub kind: Option<ClientKind>,
}

/// Where a public client runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClientKind {
    /// In a browser: it calls the token endpoint from its own origin.
    Browser,
    /// On a device (RFC 8252).
    Native,
    /// On a server that keeps no secret.
    Server,
}

/// What the operator expects of lifetimes, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lifetimes {
    /// Of an authorization code. A run with --slow waits no longer for its end.
    pub code_seconds: Option<u64>,
    /// Of an access token.
    pub access_token_seconds: Option<u64>,
    /// Of an ID Token.
    pub id_token_seconds: Option<u64>,
    /// Of a refresh token, counted from the first of its chain, however often it was replaced.
    pub refresh_token_seconds: Option<u64>,
}

impl Client {
    /// A client of no kind.
    pub fn new(id: impl Into<String>, redirect_uris: &[&str], scope: impl Into<String>) -> Self {
        let redirect_uris = redirect_uris.iter().map(|uri| (*uri).to_owned()).collect();
        Self { id: id.into(), redirect_uris, scope: scope.into(), kind: None }
    }

    /// The origin from which a client in a browser calls: that of its main redirect URI.
    pub fn browser_origin(&self) -> Option<String> {
        let url = url::Url::parse(self.redirect_uri()).ok();
        let own = url.filter(|_| self.kind == Some(ClientKind::Browser));
        own.map(|url| url.origin().ascii_serialization())
    }

    /// The main redirect URI.
    pub fn redirect_uri(&self) -> &str {
        self.redirect_uris.first().map_or("", String::as_str)
    }

    /// Registered redirect URIs that a conforming server must accept: all but cleartext ones.
    pub fn usable_redirect_uris(&self) -> impl Iterator<Item = &str> {
        self.redirect_uris.iter().map(String::as_str).filter(|uri| Kind::of(uri) != Kind::Cleartext)
    }
}

/// Credentials of a resource server at the introspection endpoint (HTTP Basic).
#[derive(Clone, Debug)]
pub struct Introspection {
    /// Its identifier.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
}

pub(super) const DEFAULT_LEEWAY: Duration = Duration::from_secs(20);

pub(super) const DEFAULT_PATIENCE: Duration = Duration::from_secs(900);

fn default_scope() -> String {
    "openid".into()
}

impl Target {
    /// A target with one client and nothing else configured.
    pub fn new(issuer: impl Into<String>, client: Client) -> Self {
        let issuer = issuer.into();
        let environment = Environment::of(&issuer);
        Self {
            issuer,
            has_issuer: true,
            clients: vec![client],
            user: None,
            second_user: None,
            login: Login::default(),
            endpoints: BTreeMap::new(),
            resource: None,
            scoped_operation: None,
            other_resource: None,
            introspection: None,
            forbidden_scope: None,
            resource_indicators: vec![],
            lifetimes: Lifetimes::default(),
            post_logout_redirect_uri: None,
            allowed_origin: None,
            network: Network::default(),
            leeway: DEFAULT_LEEWAY,
            patience: DEFAULT_PATIENCE,
            pace: default_pace(environment),
            concurrency: default_concurrency(environment),
            safety: Safety::of(environment),
            stanza: None,
            limits: Limits::default(),
        }
    }

    /// Checks values that types cannot express; names the key at fault.
    pub fn check(&self) -> Result<(), (String, String)> {
        self.check_server().and_then(|()| self.check_clients()).map_err(|(key, e)| (key.into(), e))
    }

    fn check_server(&self) -> Result<(), (&'static str, String)> {
        let is_http = |u: url::Url| matches!(u.scheme(), "http" | "https") && u.has_host();
        if !url::Url::parse(&self.issuer).is_ok_and(is_http) {
            return Err((
                "issuer",
                format!("issuer must be an http or https URL; got {}", self.issuer),
            ));
        }
        for name in ["authorization_endpoint", "token_endpoint"] {
            if !self.has_issuer && !self.endpoints.contains_key(name) {
                let why = format!("{name} is needed where issuer is left out");
                return Err(("endpoints", why));
            }
        }
        if let Some(other) = &self.other_resource {
            other.check().map_err(|e| ("other_resource", e))?;
        }
        if self.concurrency == 0 {
            return Err(("concurrency", "concurrency must be at least 1".into()));
        }
        self.safety.check()
    }

    fn check_clients(&self) -> Result<(), (&'static str, String)> {
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

pub(super) fn default_pace(environment: Environment) -> Duration {
    // Gentle by default: about 2 requests a second where others may depend on the server.
    if environment.is_shared() { Duration::from_millis(500) } else { Duration::ZERO }
}

pub(super) fn default_concurrency(environment: Environment) -> usize {
    // A development server on this machine may hold its data in one file.
    if environment.is_shared() { 2 } else { 4 }
}
