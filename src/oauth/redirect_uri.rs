//! Redirect URIs that look like the registered one and are not (RFC 9700 §4.1).

use serde::Deserialize;
use url::Url;

use super::vectors::fill;
use crate::model::address::is_loopback;

/// A host that can never resolve (RFC 2606), so that no request and no user ever gets there.
pub const FOREIGN_HOST: &str = "probe.invalid";

/// The URI that a row makes of the registered one, whose parts stand in braces: `{uri}` without its
/// fragment; `{scheme}`, also `.upper`; `{host}`, also `.upper`, `.wide` (full-width), `.homograph`
/// (one letter is Cyrillic), `.regex` (one dot is a letter) and `.parent` (the first label is gone);
/// `{port}` with its colon, or empty; `{path}`, also `.upper`, `.flipped` (one letter in the other
/// case), `.encoded` and `.twice` (one letter percent-encoded), `.toggled` (trailing slash added or
/// removed) and `.parent` (up to the last slash); `{query}` with its question mark, or empty; `{&}`
/// what separates one more parameter.
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
    fill(template, |part| {
        Some(match part {
            "uri" => rest.to_owned(),
            "scheme" => scheme.to_owned(),
            "scheme.upper" => scheme.to_uppercase(),
            "host" => host.to_owned(),
            "host.upper" => host.to_uppercase(),
            "host.wide" => host.chars().map(full_width).collect(),
            "host.homograph" => homograph(host),
            "host.regex" => host.replacen('.', "x", 1),
            "host.parent" => host.split_once('.').map_or(host, |(_, parent)| parent).to_owned(),
            "port" => port.to_owned(),
            "path" => path.to_owned(),
            "path.upper" => path.to_uppercase(),
            "path.flipped" => flip_last_letter(path),
            "path.encoded" => encode_last_letter(path),
            "path.twice" => encode_last_letter(path).replace('%', "%25"),
            "path.toggled" => toggle_slash(path),
            "path.parent" => path.rfind('/').map_or("", |at| &path[..=at]).to_owned(),
            "query" => query.clone(),
            "&" => if query.is_empty() { "?" } else { "&" }.to_owned(),
            _ => return None,
        })
    })
}

/// The registered URI in another spelling, for all who read addresses as browsers do; the port of a
/// loopback literal does not matter (RFC 8252 §7.3).
pub fn is_same_place(registered: &str, uri: &str) -> bool {
    let read = |text: &str| {
        let mut url = Url::parse(text).ok()?;
        if is_loopback_literal(registered) {
            url.set_port(None).ok()?;
        }
        Some(url)
    };
    read(registered).is_some_and(|registered| read(uri) == Some(registered))
}

fn full_width(c: char) -> char {
    match c {
        '!'..='~' if c != '.' && c != '[' && c != ']' && c != ':' => {
            char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(c)
        }
        _ => c,
    }
}

fn homograph(host: &str) -> String {
    let twins = [('a', "\u{430}"), ('e', "\u{435}"), ('o', "\u{43e}"), ('c', "\u{441}")];
    let found = twins.into_iter().find(|(latin, _)| host.contains(*latin));
    found.map_or_else(|| host.to_owned(), |(latin, twin)| host.replacen(latin, twin, 1))
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    use proptest::prelude::*;

    use super::*;
    use crate::oauth::vectors::{Class, tables};

    #[test]
    fn every_row_makes_a_uri_and_none_to_refuse_is_the_registered_one() {
        for row in &tables().unwrap()["redirect_uri"].rows {
            let registered = match row.on {
                Some(Kind::Loopback) => "http://127.0.0.1:8080/cb",
                Some(Kind::PrivateUse) => "com.example.app:/cb",
                _ => "https://app.test/cb",
            };
            let uri = instantiate(&row.value, registered);
            assert!(uri == "{other}" || !uri.contains(['{', '}']), "{}: {uri}", row.name);
            assert!(row.class == Class::Valid || uri != registered, "{}", row.name);
            // A row that names the registered place must not be one that servers have to refuse.
            let is_other = row.class != Class::Invalid || !is_same_place(registered, &uri);
            let leads_back = row.has("dot-segments") || row.has("userinfo");
            assert!(is_other || leads_back, "{}: {uri}", row.name);
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
            ("{path.twice}", "/a/c%2562"),
            ("{path.parent}", "/a/"),
            ("{host.regex}", "appxtest"),
            ("{host.parent}", "test"),
            ("{host.homograph}", "\u{430}pp.test"),
            ("{host.wide}", "\u{ff41}\u{ff50}\u{ff50}.\u{ff54}\u{ff45}\u{ff53}\u{ff54}"),
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

    #[test]
    fn spellings_of_one_place() {
        let (web, loopback) = ("https://app.test/cb", "http://127.0.0.1/cb");
        for (registered, uri, same) in [
            (web, "https://app.test:443/cb", true),
            (web, "HTTPS://APP.test/x/../cb", true),
            (web, "https://app.test/cb?", false),
            (web, "https://app.test:444/cb", false),
            (loopback, "http://127.1:9/cb", true),
            (loopback, "http://2130706433/cb", true),
            (loopback, "http://127.0.0.2/cb", false),
            (loopback, "http://127.0.0.1/cb?x", false),
        ] {
            assert_eq!(is_same_place(registered, uri), same, "{uri}");
        }
    }

    proptest! {
        #[test]
        fn instantiation_never_panics(registered in "\\PC{0,40}", template in "\\PC{0,20}") {
            let _ = instantiate(&template, &registered);
            let _ = Kind::of(&registered);
        }
    }
}
