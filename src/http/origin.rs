//! Where a connection goes.

use url::{Host, Url};

/// Scheme, host and port to connect to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) tls: bool,
    /// Lower case, IPv6 without brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

impl Origin {
    pub(super) fn of(url: &str) -> Result<Self, String> {
        let parsed =
            Url::parse(without_path(url)).map_err(|e| format!("not an absolute URL: {e}"))?;
        let tls = match parsed.scheme() {
            "https" => true,
            "http" => false,
            other => return Err(format!("scheme {other} is not http or https")),
        };
        let host = match parsed.host() {
            Some(Host::Domain(name)) => name.to_ascii_lowercase(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err("the URL names no host".into()),
        };
        Ok(Self {
            tls,
            host,
            port: parsed.port_or_known_default().unwrap_or(if tls { 443 } else { 80 }),
        })
    }
}

/// The URL up to its path, which may be long and does not count here; all of it where that part does
/// not stand alone.
fn without_path(url: &str) -> &str {
    let Some(begin) = url.find("://").map(|at| at + 3) else { return url };
    match url[begin..].find(['/', '?', '#', '\\']) {
        None | Some(0) => url,
        // A blank at the end would be trimmed, where it makes the whole no URL.
        Some(length) if url[..begin + length].ends_with(|c: char| c <= ' ') => url,
        Some(length) => &url[..begin + length],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_path_does_not_count(
            before in "(http|https|HTTP|ftp):/{0,4}[a-z@:.\\[\\]\\t%41 -]{0,9}",
            after in "[/?#\\\\:@a. ]{0,8}",
        ) {
            let url = format!("{before}{after}");
            let whole = Url::parse(&url).ok().map(|u| (u.host_str().map(str::to_owned), u.port()));
            let part = Url::parse(without_path(&url)).ok();
            let part = part.map(|u| (u.host_str().map(str::to_owned), u.port()));
            prop_assert_eq!(part, whole, "{}", url);
        }
    }

    #[test]
    fn a_blank_before_the_path_is_in_no_host() {
        for url in ["http://a \\", "http://a\t/x", "http://a /"] {
            let whole = Url::parse(url).ok().and_then(|u| u.host_str().map(str::to_owned));
            assert_eq!(Origin::of(url).ok().map(|origin| origin.host), whole, "{url:?}");
        }
    }

    #[test]
    fn an_origin_has_the_default_port_of_its_scheme() {
        assert_eq!(
            Origin::of("https://As.test/x").unwrap(),
            Origin { tls: true, host: "as.test".into(), port: 443 }
        );
        assert_eq!(
            Origin::of("http://[::1]:8/").unwrap(),
            Origin { tls: false, host: "::1".into(), port: 8 }
        );
        assert!(Origin::of("javascript:alert(1)").is_err());
        assert!(Origin::of("/relative").is_err());
    }
}
