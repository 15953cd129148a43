//! Redirect URIs that look like the registered one and are not (RFC 9700 §4.1).

use serde::Deserialize;
use url::Url;

use crate::model::address::is_loopback;

/// A host that can never resolve (RFC 2606), so that no request and no user ever gets there.
pub const FOREIGN_HOST: &str = "probe.invalid";

/// One row of `fixtures/vectors/redirect_uri.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// Name used in the features.
    pub name: String,
    /// The URI under test with the parts of the registered one in braces: `{scheme}`, `{host}`,
    /// `{port}` (with its colon, or empty), `{path}`, `{query}` (with its question mark, or empty),
    /// `{uri}`, `{path.flipped}` (one letter in the other case), `{path.encoded}` (one letter
    /// percent-encoded), `{path.toggled}` (trailing slash added or removed), `{host.upper}`.
    pub uri: String,
    /// What the row is about.
    pub note: String,
}

/// The attack rows of the table that comes with the crate.
pub fn vectors() -> Result<Vec<Vector>, String> {
    #[derive(Deserialize)]
    struct Table {
        vector: Vec<Vector>,
    }
    let table: Table = toml::from_str(include_str!("../../fixtures/vectors/redirect_uri.toml"))
        .map_err(|e| e.to_string())?;
    Ok(table.vector)
}

/// The URI under test that a row makes of the registered one.
pub fn instantiate(template: &str, registered: &str) -> String {
    let (rest, _) = registered.split_once('#').unwrap_or((registered, ""));
    let (address, query) =
        rest.split_once('?').map_or((rest, String::new()), |(a, q)| (a, format!("?{q}")));
    let (scheme, after) = address.split_once(':').unwrap_or(("https", address));
    let (authority, path) = match after.strip_prefix("//") {
        Some(rest) => rest.find('/').map_or((rest, ""), |at| rest.split_at(at)),
        None => ("", after),
    };
    let (host, port) = split_port(authority);
    let separator = if query.is_empty() { "?" } else { "&" };
    template
        .replace("{uri}", rest)
        .replace("{scheme}", scheme)
        .replace("{host.upper}", &host.to_uppercase())
        .replace("{host}", host)
        .replace("{port}", port)
        .replace("{path.flipped}", &flip_last_letter(path))
        .replace("{path.encoded}", &encode_last_letter(path))
        .replace("{path.toggled}", &toggle_slash(path))
        .replace("{path}", path)
        .replace("{query}", &query)
        .replace("{&}", separator)
}

fn split_port(authority: &str) -> (&str, &str) {
    match authority.rfind(':') {
        Some(at) if authority[at + 1..].bytes().all(|b| b.is_ascii_digit()) => {
            authority.split_at(at)
        }
        _ => (authority, ""),
    }
}

fn last_letter(path: &str) -> Option<usize> {
    path.rfind(|c: char| c.is_ascii_alphabetic())
}

fn flip_last_letter(path: &str) -> String {
    let Some(at) = last_letter(path) else { return path.to_owned() };
    let letter = path[at..=at].chars().map(|c| {
        if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
    });
    format!("{}{}{}", &path[..at], letter.collect::<String>(), &path[at + 1..])
}

fn encode_last_letter(path: &str) -> String {
    let Some(at) = last_letter(path) else { return path.to_owned() };
    format!("{}%{:02X}{}", &path[..at], path.as_bytes()[at], &path[at + 1..])
}

fn toggle_slash(path: &str) -> String {
    path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned)
}

/// What kind of place a redirect URI names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `https` on any host.
    Https,
    /// `http` on a loopback IP literal or `localhost`.
    Loopback,
    /// `http` elsewhere.
    Cleartext,
    /// Any other scheme, for example `com.example.app`.
    PrivateUse,
}

impl Kind {
    /// The kind of `uri`.
    pub fn of(uri: &str) -> Self {
        let scheme = uri.split(':').next().unwrap_or_default().to_ascii_lowercase();
        match scheme.as_str() {
            "https" => Self::Https,
            "http" if Url::parse(uri).is_ok_and(|u| u.host_str().is_some_and(is_loopback)) => {
                Self::Loopback
            }
            "http" => Self::Cleartext,
            _ => Self::PrivateUse,
        }
    }
}

/// The host is a loopback IP literal, to which RFC 8252 §7.3 grants any port.
pub fn is_loopback_literal(uri: &str) -> bool {
    Kind::of(uri) == Kind::Loopback && !uri.to_ascii_lowercase().starts_with("http://localhost")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_row_differs_from_every_registered_uri_and_names_are_unique() {
        let rows = vectors().unwrap();
        let names: HashSet<_> = rows.iter().map(|v| v.name.as_str()).collect();
        assert_eq!(names.len(), rows.len());
        for registered in ["https://app.test/cb", "https://app.test/cb/", "https://app.test/cb?t=1"]
        {
            for row in &rows {
                let uri = instantiate(&row.uri, registered);
                assert_ne!(uri, registered, "{}", row.name);
                assert!(!uri.contains(['{', '}']), "{}: {uri}", row.name);
            }
        }
    }

    #[test]
    fn parts_are_put_in_place() {
        let registered = "https://app.test:8443/a/cb?t=1";
        for (template, uri) in [
            ("{scheme}://evil.{host}{port}{path}", "https://evil.app.test:8443/a/cb"),
            ("{uri}{&}x=1", "https://app.test:8443/a/cb?t=1&x=1"),
            ("{path.flipped}", "/a/cB"),
            ("{path.encoded}", "/a/c%62"),
            ("{path.toggled}", "/a/cb/"),
        ] {
            assert_eq!(instantiate(template, registered), uri);
        }
        assert_eq!(
            instantiate("{scheme}:{path}/x", "com.example.app:/cb"),
            "com.example.app:/cb/x"
        );
    }

    #[test]
    fn kinds_are_told_apart() {
        for (uri, kind) in [
            ("https://app.test/cb", Kind::Https),
            ("http://127.0.0.1/cb", Kind::Loopback),
            ("http://[::1]:8/cb", Kind::Loopback),
            ("http://localhost:3000/cb", Kind::Loopback),
            ("http://app.test/cb", Kind::Cleartext),
            ("http://127.0.0.1.probe.invalid/cb", Kind::Cleartext),
            ("com.example.app:/cb", Kind::PrivateUse),
        ] {
            assert_eq!(Kind::of(uri), kind, "{uri}");
        }
        assert!(
            is_loopback_literal("http://[::1]/cb") && !is_loopback_literal("http://localhost/cb")
        );
    }

    proptest! {
        #[test]
        fn instantiation_never_panics(registered in "\\PC{0,40}", template in "\\PC{0,20}") {
            let _ = instantiate(&template, &registered);
            let _ = Kind::of(&registered);
        }
    }
}
