//! How to reach a target that the system's resolver or trust store does not know.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;
use url::Url;

use crate::http::Shortcut;
use crate::model::address::is_loopback;

/// The `[network]` table of a profile.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// File with PEM certificates of authorities to trust in place of the system's.
    #[serde(default)]
    pub ca_file: Option<String>,
    /// Content of that file.
    #[serde(skip)]
    pub authorities: Option<String>,
    /// Addresses of hosts, where the resolver does not know them.
    #[serde(default)]
    pub resolve: BTreeMap<String, IpAddr>,
    /// Port on which the target's hosts might answer in cleartext.
    #[serde(default)]
    pub cleartext_port: Option<u16>,
    /// The way to a target within this process.
    #[serde(skip)]
    pub shortcut: Option<Shortcut>,
}

impl Network {
    /// Reads the file of authorities, and brings host names into lower case.
    ///
    /// The error names the file and says why it cannot be read.
    pub fn load(mut self) -> Result<Self, String> {
        if let Some(path) = &self.ca_file {
            let pem = std::fs::read_to_string(path).map_err(|e| format!("ca_file: {path}: {e}"))?;
            self.authorities = Some(pem);
        }
        self.resolve = self.resolve.into_iter().map(|(h, a)| (h.to_ascii_lowercase(), a)).collect();
        Ok(self)
    }

    /// The host of that URL is this machine, by itself or by what `resolve` says.
    pub fn is_local(&self, url: &str) -> bool {
        let url = Url::parse(url).ok();
        url.as_ref().and_then(Url::host_str).is_some_and(|host| {
            is_loopback(host) || self.resolve.get(host).is_some_and(IpAddr::is_loopback)
        })
    }

    /// The cleartext form of an https URL: on the configured port, or on 80 where the URL is on 443.
    pub fn in_cleartext(&self, url: &str) -> Option<String> {
        let parsed = Url::parse(url).ok().filter(|u| u.scheme() == "https")?;
        let is_default = parsed.port_or_known_default() == Some(443);
        let port = self.cleartext_port.or(is_default.then_some(80))?;
        let after_host = url.split_once("://")?.1;
        let rest = after_host.find(['/', '?', '#']).map_or("", |at| &after_host[at..]);
        let port = if port == 80 { String::new() } else { format!(":{port}") };
        Some(format!("http://{}{port}{rest}", parsed.host_str()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cleartext_form_keeps_everything_behind_the_host() {
        let network = Network::default();
        assert_eq!(
            network.in_cleartext("https://as.test/a/../b?x=%41").as_deref(),
            Some("http://as.test/a/../b?x=%41")
        );
        assert_eq!(network.in_cleartext("https://as.test:8443/a"), None);
        assert_eq!(network.in_cleartext("http://as.test/a"), None);
        let network = Network { cleartext_port: Some(8080), ..network };
        let form = network.in_cleartext("https://as.test:8443?x");
        assert_eq!(form.as_deref(), Some("http://as.test:8080?x"));
    }

    #[test]
    fn a_name_that_resolves_to_loopback_is_local() {
        let resolve = BTreeMap::from([("As.test".to_owned(), IpAddr::from([127, 0, 0, 1]))]);
        let network = Network { resolve, ..Network::default() }.load().unwrap();
        assert!(network.is_local("https://as.test:8443/x"));
        assert!(network.is_local("http://[::1]/"));
        assert!(!network.is_local("https://other.test/"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let network = Network { ca_file: Some("/nonexistent.pem".into()), ..Network::default() };
        assert!(network.load().unwrap_err().starts_with("ca_file: /nonexistent.pem"));
    }
}
