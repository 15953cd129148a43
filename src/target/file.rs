//! The target profile as a TOML file.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::login::{LoginTable, User, UserTable};
use super::network::Network;
use super::profile::{
    Client, DEFAULT_PATIENCE, Introspection, Target, default_concurrency, default_pace,
};
use super::resource::{OtherResource, Resource, ScopedOperation};
use super::secret::Secret;
use crate::http::Limits;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    issuer: String,
    clients: Vec<Client>,
    user: Option<UserTable>,
    second_user: Option<UserTable>,
    #[serde(default)]
    login: LoginTable,
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
struct FileIntrospection {
    client_id: String,
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
        let file: File = toml::from_str(text).map_err(|e| locate(name, text, &e))?;
        let secret = |key: &str, reference: &str| {
            Secret::resolve(reference, variable)
                .map_err(|e| format!("{name}:{}: {key}: {e}", line_of(text, key)))
        };
        let wrong = |sought: &str, why: String| format!("{name}:{}: {why}", line_of(text, sought));
        let types = file.login.needs_password();
        let known = |user: UserTable| user.resolve(types, &secret, &wrong);
        let unnamed = file.login.needs_no_user().then(User::unnamed);
        let user = file.user.map(known).transpose()?.or(unnamed);
        let second_user = file.second_user.map(known).transpose()?;
        let referred = |key: &str, reference: &str| {
            Secret::resolve(reference, variable)
                .map_err(|e| (key.to_owned(), format!("{key}: {e}")))
        };
        let login = file.login.load(&referred).map_err(|(sought, why)| wrong(&sought, why))?;
        let checked = login.check(user.as_ref(), second_user.as_ref());
        checked.map_err(|(sought, why)| wrong(&sought, why))?;
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
            login,
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
}

/// The first line on which `key` is assigned or opens a table, or which has a name in braces or a
/// header of a table in it, counted from 1.
fn line_of(text: &str, key: &str) -> usize {
    let opens = |line: &str| {
        let line = line.trim_start().trim_start_matches('[');
        line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(['=', ']']))
    };
    let has = |line: &str| key.starts_with(['{', '[']) && line.contains(key);
    text.lines().position(|line| opens(line) || has(line)).map_or(1, |at| at + 1)
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
