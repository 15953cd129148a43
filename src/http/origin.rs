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
        let parsed = Url::parse(url).map_err(|e| format!("not an absolute URL: {e}"))?;
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

#[cfg(test)]
mod tests {
    use super::*;

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
