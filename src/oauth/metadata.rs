//! Authorization server metadata (RFC 8414, OpenID Connect Discovery 1.0).

use serde_json::{Map, Value};
use url::{Position, Url};

/// Where the metadata of an issuer may lie, in the order in which to ask.
///
/// RFC 8414 §3 inserts the suffix between host and path, OpenID Connect Discovery appends it.
pub fn locations(issuer: &str) -> Vec<String> {
    let trimmed = issuer.trim_end_matches('/');
    let Ok(url) = Url::parse(trimmed) else { return vec![] };
    let path = url.path().trim_end_matches('/');
    let base = trimmed.strip_suffix(path).unwrap_or(trimmed);
    let mut all = vec![
        format!("{base}/.well-known/oauth-authorization-server{path}"),
        format!("{base}/.well-known/openid-configuration{path}"),
    ];
    if !path.is_empty() {
        all.push(format!("{trimmed}/.well-known/openid-configuration"));
    }
    all
}

/// Where the metadata of a protected resource lies: RFC 9728 §3.1 inserts the suffix between host
/// and path or query. `None` for an identifier that is no http or https URL.
pub fn resource_location(identifier: &str) -> Option<String> {
    let url = Url::parse(identifier).ok().filter(|u| matches!(u.scheme(), "http" | "https"))?;
    let base = &url[..Position::BeforePath];
    let path = url.path().trim_end_matches('/');
    let query = &url[Position::AfterPath..Position::AfterQuery];
    Some(format!("{base}/.well-known/oauth-protected-resource{path}{query}"))
}

/// A metadata document, read with the types that the specifications give its members.
#[derive(Clone, Debug, Default)]
pub struct Metadata(Map<String, Value>);

impl Metadata {
    /// The document as parsed.
    pub fn new(document: Map<String, Value>) -> Self {
        Self(document)
    }

    /// A member as it stands.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Sets a member, for endpoints that the profile names.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// A member that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A member that is an array of strings; other elements are left out.
    pub fn list(&self, name: &str) -> Option<Vec<&str>> {
        Some(self.0.get(name)?.as_array()?.iter().filter_map(Value::as_str).collect())
    }

    /// A boolean member that is true.
    pub fn is_true(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Bool(true))
    }

    /// Every endpoint member (and `jwks_uri`) with its URL.
    pub fn endpoints(&self) -> Vec<(&str, &str)> {
        self.0
            .iter()
            .filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri")
            .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_without_path_has_two_locations() {
        for issuer in ["https://as.test", "https://as.test/"] {
            assert_eq!(
                locations(issuer),
                [
                    "https://as.test/.well-known/oauth-authorization-server",
                    "https://as.test/.well-known/openid-configuration"
                ]
            );
        }
    }

    #[test]
    fn an_issuer_with_path_has_three() {
        assert_eq!(
            locations("https://as.test:8443/tenant/one"),
            [
                "https://as.test:8443/.well-known/oauth-authorization-server/tenant/one",
                "https://as.test:8443/.well-known/openid-configuration/tenant/one",
                "https://as.test:8443/tenant/one/.well-known/openid-configuration"
            ]
        );
    }

    #[test]
    fn the_metadata_of_a_resource_lies_between_host_and_path() {
        let suffix = "/.well-known/oauth-protected-resource";
        for (identifier, rest) in [
            ("https://api.test", ""),
            ("https://api.test/", ""),
            ("https://api.test/v1", "/v1"),
            ("https://api.test/v1?t=1", "/v1?t=1"),
        ] {
            let location = format!("https://api.test{suffix}{rest}");
            assert_eq!(resource_location(identifier), Some(location));
        }
        assert_eq!(resource_location("urn:example:api"), None);
    }

    #[test]
    fn members_are_read_by_type() {
        let document = serde_json::from_str(
            r#"{"a":"x","b":["y",1],"token_endpoint":"https://as.test/t","c":true}"#,
        );
        let metadata = Metadata::new(document.unwrap());
        assert_eq!(metadata.text("a"), Some("x"));
        assert_eq!(metadata.list("b"), Some(vec!["y"]));
        assert_eq!(metadata.list("a"), None);
        assert!(metadata.is_true("c") && !metadata.is_true("a"));
        assert_eq!(metadata.endpoints(), [("token_endpoint", "https://as.test/t")]);
    }
}
