//! The target profile as it is written, and the target that it describes.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Value;

use super::layers::Layers;
use super::login::memory::Memory;
use super::login::{LoginTable, User, UserTable};
use super::network::Network;
use super::profile::{
    Client, DEFAULT_LEEWAY, DEFAULT_PATIENCE, Introspection, Lifetimes, Target,
    default_concurrency, default_pace,
};
use super::resource::{OtherResource, Resource, ScopedOperation};
use super::safety::{Environment, Safety};
use super::secret::Secret;
use crate::http::Limits;
use crate::model::requirement::Impact;

/// A target profile of authspec: the authorization server under test, its clients, users and
/// resources. Secrets are references.
#[derive(Deserialize, JsonSchema)]
#[schemars(title = "authspec target profile")]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// Issuer identifier, http or https. May be left out where `endpoints` names the authorization
    /// endpoint and the token endpoint of a server without metadata.
    issuer: Option<String>,
    /// Public clients, registered without a secret; the first one drives most checks.
    clients: Vec<Client>,
    /// The user who signs in.
    user: Option<UserTable>,
    /// Another test account, who approves the first scope value of the first client and nothing else.
    second_user: Option<UserTable>,
    /// How the user signs in.
    #[serde(default)]
    login: LoginTable,
    /// Endpoint members that replace or complete the metadata, by their metadata names.
    #[serde(default)]
    endpoints: BTreeMap<String, String>,
    /// A protected resource that tokens of the first client open.
    resource: Option<Resource>,
    /// An operation that needs a scope which the first client may have and does not ask for.
    scoped_operation: Option<ScopedOperation>,
    /// How the first client gets a token for another resource.
    other_resource: Option<OtherResource>,
    /// Credentials of a resource server at the introspection endpoint (HTTP Basic).
    introspection: Option<FileIntrospection>,
    /// A scope value that no client here may get.
    forbidden_scope: Option<String>,
    /// Known resource identifiers (RFC 8707).
    #[serde(default)]
    resource_indicators: Vec<String>,
    /// What the operator expects of lifetimes.
    #[serde(default)]
    lifetimes: Lifetimes,
    /// Registered for the first client.
    post_logout_redirect_uri: Option<String>,
    /// A browser origin from which the first client may call. Default: the origin of its main redirect
    /// URI when its `kind` is `browser`.
    allowed_origin: Option<String>,
    /// How to reach the server, where the system does not know.
    #[serde(default)]
    network: Network,
    /// Seconds that the server may be behind in refusing what has expired. Default: 20.
    leeway_seconds: Option<u64>,
    /// Longest time in seconds that a run with --slow waits for one thing to expire. Default: 900.
    patience_seconds: Option<u64>,
    /// Least interval between the starts of two requests, in milliseconds. Default: 500, and 0 in
    /// development.
    pace_ms: Option<u64>,
    /// Scenarios that run at the same time, at least 1. Default: 2, and 4 in development.
    concurrency: Option<usize>,
    /// What the target is to others. Default: development when the host of the issuer is a loopback
    /// address or localhost, and else staging.
    environment: Option<Environment>,
    /// Impact classes that run although others may depend on the target: lockout-risk, load. Of no
    /// effect in production, where --accept-impact-on-production is the option.
    #[serde(default)]
    allow: Vec<Impact>,
    /// Most requests of a run, at least 100. Default: 5000, and no limit in development.
    request_budget: Option<u64>,
    /// Requests carry traceparent and a User-Agent with run and requirement, so that the operator
    /// finds them in the log of the server. Default: true.
    trace_headers: Option<bool>,
    /// At the end, what the run was issued is revoked (RFC 7009). Default: true, and false in
    /// development.
    cleanup: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FileIntrospection {
    /// Its identifier.
    client_id: String,
    /// A reference to its secret: `env:NAME`, `file:PATH` or `exec:COMMAND`.
    client_secret: String,
}

impl Target {
    /// Reads a profile file.
    ///
    /// `name` is shown in messages; `variable` looks environment variables up. Errors name file
    /// and line, what was found there and what is accepted.
    pub fn parse(
        name: &str,
        text: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        Self::load(&Layers::read(name, text)?, variable)
    }

    /// The target that these layers describe; references are resolved and files read.
    ///
    /// Errors name the origin of what is wrong, what was found there and what is accepted.
    pub fn load(
        layers: &Layers,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let file: File = layers.typed()?;
        let secret = |key: &str, reference: &str| {
            Secret::resolve(reference, variable)
                .map_err(|e| layers.wrong(key, &format!("{key}: {e}")))
        };
        let wrong = |sought: &str, why: String| layers.wrong(sought, &why);
        let types = file.login.needs_password();
        let known = |user: UserTable| user.resolve(types, &secret, &wrong);
        let unnamed = file.login.needs_no_user().then(User::unnamed);
        let user = file.user.map(known).transpose()?.or(unnamed);
        let second_user = file.second_user.map(known).transpose()?;
        let referred = |key: &str, reference: &str| {
            Secret::resolve(reference, variable)
                .map_err(|e| (key.to_owned(), format!("{key}: {e}")))
        };
        let mut login =
            file.login.load(&referred, variable).map_err(|(sought, why)| wrong(&sought, why))?;
        let checked = login.check(user.as_ref(), second_user.as_ref());
        checked.map_err(|(sought, why)| wrong(&sought, why))?;
        let introspection = match file.introspection {
            Some(server) => Some(Introspection {
                client_secret: secret("client_secret", &server.client_secret)?,
                client_id: server.client_id,
            }),
            None => None,
        };
        let network = file.network.load(variable).map_err(|(key, e)| wrong(key, e))?;
        login.route(&network).map_err(|(key, e)| wrong(key, e))?;
        let has_issuer = file.issuer.is_some();
        let issuer = match file.issuer {
            Some(issuer) => issuer,
            None => origin_of(file.endpoints.get("authorization_endpoint")).ok_or_else(|| {
                wrong("endpoints", "issuer is missing; a server without metadata needs authorization_endpoint and token_endpoint under [endpoints] instead".into())
            })?,
        };
        let environment = file.environment.unwrap_or_else(|| Environment::of(&issuer));
        let usual = Safety::of(environment);
        let safety = Safety {
            allow: file.allow,
            request_budget: file.request_budget.or(usual.request_budget),
            trace_headers: file.trace_headers.unwrap_or(usual.trace_headers),
            cleanup: file.cleanup.unwrap_or(usual.cleanup),
            ..usual
        };
        let own_origin = || file.clients.first().and_then(Client::browser_origin);
        let target = Self {
            allowed_origin: file.allowed_origin.or_else(own_origin),
            issuer,
            has_issuer,
            clients: file.clients,
            user,
            second_user,
            login,
            endpoints: file.endpoints,
            resource: file.resource,
            scoped_operation: file.scoped_operation,
            other_resource: file.other_resource,
            introspection,
            forbidden_scope: file.forbidden_scope,
            resource_indicators: file.resource_indicators,
            lifetimes: file.lifetimes,
            post_logout_redirect_uri: file.post_logout_redirect_uri,
            network,
            leeway: file.leeway_seconds.map_or(DEFAULT_LEEWAY, Duration::from_secs),
            patience: file.patience_seconds.map_or(DEFAULT_PATIENCE, Duration::from_secs),
            pace: file.pace_ms.map_or_else(|| default_pace(environment), Duration::from_millis),
            concurrency: file.concurrency.unwrap_or_else(|| default_concurrency(environment)),
            safety,
            stanza: ["issuer", "endpoints"].into_iter().find_map(|key| layers.place(key)),
            limits: Limits::default(),
        };
        target.check().map_err(|(key, e)| wrong(&key, e))?;
        Ok(target)
    }

    /// The values in force of keys that a profile may leave out, by path.
    pub fn defaults(&self) -> Vec<(String, Value)> {
        let number = |n: u128| Value::Integer(i64::try_from(n).unwrap_or(i64::MAX));
        let text = |t: &str| Value::String(t.to_owned());
        let mut all = vec![
            ("cleanup".to_owned(), Value::Boolean(self.safety.cleanup)),
            ("concurrency".to_owned(), number(self.concurrency as u128)),
            ("environment".to_owned(), text(self.safety.environment.as_str())),
            ("leeway_seconds".to_owned(), number(self.leeway.as_secs().into())),
            ("login.driver".to_owned(), text(self.login.driver())),
            ("pace_ms".to_owned(), number(self.pace.as_millis())),
            ("patience_seconds".to_owned(), number(self.patience.as_secs().into())),
            ("trace_headers".to_owned(), Value::Boolean(self.safety.trace_headers)),
        ];
        let budget = self.safety.request_budget;
        all.extend(budget.map(|most| ("request_budget".to_owned(), number(most.into()))));
        let memory = Memory::new(self.login.budget, !self.safety.environment.is_shared());
        all.push(("login.budget".to_owned(), number(memory.budget() as u128)));
        let scopes = self.clients.iter().enumerate();
        all.extend(scopes.map(|(at, c)| (format!("clients[{at}].scope"), text(&c.scope))));
        all.extend(self.allowed_origin.iter().map(|o| ("allowed_origin".to_owned(), text(o))));
        if let Some(resource) = &self.resource {
            all.push(("resource.method".into(), text(&resource.method)));
            all.push(("resource.status".into(), number(resource.status.into())));
        }
        if let Some(operation) = &self.scoped_operation {
            all.push(("scoped_operation.method".into(), text(&operation.method)));
            all.push(("scoped_operation.status".into(), number(operation.status.into())));
        }
        all
    }
}

fn origin_of(url: Option<&String>) -> Option<String> {
    let url = url::Url::parse(url?).ok()?;
    Some(url.origin().ascii_serialization()).filter(|origin| origin != "null")
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
        assert_eq!(target.pace, Duration::from_millis(500));
        assert_eq!(target.safety, Safety::of(Environment::Staging));
        assert!(!target.is_local());
    }

    #[test]
    fn the_example_profile_has_every_key_and_parses() {
        let text = include_str!("../../fixtures/targets/example.toml");
        let target =
            Target::parse("example.toml", text, &|_| Some("MZXW6YTBOI".to_owned())).unwrap();
        assert_eq!(target.clients.len(), 2);
        assert!(target.resource.is_some() && target.introspection.is_some());
        assert!(target.scoped_operation.is_some() && target.other_resource.is_some());
        assert!(target.second_user.is_some());
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_what_is_accepted() {
        let error = parse(&format!("{MINIMAL}redirect_url = 'x'\n")).unwrap_err();
        assert!(error.starts_with("staging.toml:6: unknown field `redirect_url`"), "{error}");
        assert!(error.contains("redirect_uris") && error.contains("did you mean"), "{error}");
    }

    #[test]
    fn a_key_below_a_table_that_belongs_above_it_is_explained() {
        let error = parse(&format!("{MINIMAL}pace_ms = 5\n")).unwrap_err();
        assert!(
            error.starts_with("staging.toml:6: ") && error.contains("top of the file"),
            "{error}"
        );
    }

    #[test]
    fn a_type_is_wrong_where_it_stands() {
        let error = parse(&format!("pace_ms = 'slow'\n{MINIMAL}")).unwrap_err();
        assert!(error.starts_with("staging.toml:1: invalid type"), "{error}");
        let error = parse(&MINIMAL.replace("id = \"web\"\n", "")).unwrap_err();
        assert!(error.starts_with("staging.toml:3: missing field `id`"), "{error}");
    }

    #[test]
    fn endpoints_stand_in_for_the_issuer() {
        let client = MINIMAL.replace("issuer = \"https://as.test\"\n", "");
        assert!(parse(&client).unwrap_err().contains("issuer is missing"));
        let endpoints = "[endpoints]\nauthorization_endpoint = 'https://as.test/a'\n";
        let error = parse(&format!("{client}{endpoints}")).unwrap_err();
        assert!(error.contains("token_endpoint"), "{error}");
        let both = format!("{client}{endpoints}token_endpoint = 'https://as.test/t'\n");
        let target = parse(&both).unwrap();
        assert!(!target.has_issuer && target.issuer == "https://as.test");
    }

    #[test]
    fn a_browser_client_calls_from_its_own_origin() {
        let target = parse(&format!("{MINIMAL}kind = 'browser'\n")).unwrap();
        assert_eq!(target.allowed_origin.as_deref(), Some("https://app.test"));
        assert_eq!(parse(MINIMAL).unwrap().allowed_origin, None);
        let error = parse(&format!("{MINIMAL}kind = 'spa'\n")).unwrap_err();
        assert!(
            error.starts_with("staging.toml:6: unknown variant `spa`, expected one of"),
            "{error}"
        );
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
