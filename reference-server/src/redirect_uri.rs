//! Comparison of redirect URIs (RFC 9700 §2.1, RFC 8252 §7.3).

/// Whether the presented URI is the registered one. Simple string comparison; only the port of a
/// loopback IP literal may differ.
pub(crate) fn matches(registered: &str, presented: &str) -> bool {
    registered == presented
        || loopback_without_port(presented)
            .is_some_and(|p| loopback_without_port(registered) == Some(p))
}

/// An http URI on a loopback IP literal, without its port: literal and the rest.
pub(crate) fn loopback_without_port(uri: &str) -> Option<(&str, &str)> {
    ["http://127.0.0.1", "http://[::1]"].into_iter().find_map(|start| {
        let rest = uri.strip_prefix(start)?;
        let (port, rest) = rest.split_at(rest.find('/')?);
        let is_port = match port.strip_prefix(':') {
            None => port.is_empty(),
            Some(digits) => digits.parse::<u16>().is_ok_and(|n| n > 0 && n.to_string() == digits),
        };
        is_port.then_some((start, rest))
    })
}

/// Whether a redirect to the URI would cross the network in cleartext (RFC 9700 §2.6).
pub(crate) fn is_cleartext(uri: &str) -> bool {
    uri.starts_with("http://") && loopback_without_port(uri).is_none()
}

/// The URI with parameters added to its query, the existing query being kept (RFC 6749 §3.1.2).
pub(crate) fn with_query(uri: &str, encoded: &str) -> String {
    let (address, fragment) = uri.split_once('#').map_or((uri, None), |(a, f)| (a, Some(f)));
    let separator = if address.contains('?') { '&' } else { '?' };
    match fragment {
        None => format!("{address}{separator}{encoded}"),
        Some(fragment) => format!("{address}{separator}{encoded}#{fragment}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_compared_exactly() {
        let registered = "https://app.example.test/callback";
        assert!(matches(registered, registered));
        for other in [
            "https://app.example.test/callback/",
            "https://APP.example.test/callback",
            "https://app.example.test:443/callback",
        ] {
            assert!(!matches(registered, other), "{other}");
        }
    }

    #[test]
    fn only_the_port_of_a_loopback_literal_may_differ() {
        let registered = "http://127.0.0.1/callback";
        assert!(matches(registered, "http://127.0.0.1:49152/callback"));
        for other in [
            "http://127.0.0.1:49152/other",
            "http://127.0.0.1:49152/callback?a=1",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:+80/callback",
            "http://127.0.0.1:99999/callback",
            "http://127.0.0.1.probe.invalid/callback",
            "http://127.0.0.1@probe.invalid/callback",
            "http://127.0.0.2/callback",
            "http://[::1]:49152/callback",
            "https://127.0.0.1/callback",
            "http://localhost/callback",
        ] {
            assert!(!matches(registered, other), "{other}");
        }
    }

    #[test]
    fn the_query_is_kept() {
        assert_eq!(with_query("https://a.test/?x=1", "code=2"), "https://a.test/?x=1&code=2");
        assert_eq!(with_query("app:/cb", "code=2"), "app:/cb?code=2");
    }
}
