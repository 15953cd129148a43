//! How to reach a target that the system's resolver or trust store does not know.

use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::secret::Secret;
use crate::http::{Identity, Proxy, Shortcut, Trust};
use crate::model::address::is_loopback;

/// The `[network]` table of a profile.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// File with PEM certificates of authorities to trust in place of the system's.
    #[serde(default)]
    pub ca_file: Option<String>,
    /// File with the PEM certificate of the harness, for a server that asks for one.
    #[serde(default)]
    pub client_certificate: Option<String>,
    /// A reference to its private key in PEM: `file:PATH`, `env:NAME` or `exec:COMMAND`.
    #[serde(default)]
    pub client_key: Option<String>,
    /// Do not verify certificates; the report says so. The check of certificates does verify.
    #[serde(default)]
    pub insecure: bool,
    /// An HTTP proxy that opens tunnels, `http://HOST:PORT`. Loopback is reached without it.
    #[serde(default)]
    pub proxy: Option<String>,
    /// A reference to its credentials, `user:password`.
    #[serde(default)]
    pub proxy_credentials: Option<String>,
    /// Addresses of hosts, where the resolver does not know them.
    #[serde(default)]
    pub resolve: BTreeMap<String, IpAddr>,
    /// Port on which the target's hosts might answer in cleartext.
    #[serde(default)]
    pub cleartext_port: Option<u16>,
    /// What the files and references of the table hold.
    #[serde(skip)]
    pub trust: Trust,
    /// The proxy with its credentials.
    #[serde(skip)]
    pub tunnel: Option<Proxy>,
    /// The way to a target within this process.
    #[serde(skip)]
    pub shortcut: Option<Shortcut>,
}

impl Network {
    /// Reads the files, resolves the references by the environment `variable`, and brings host names
    /// into lower case.
    ///
    /// The error has the key at fault and says why.
    pub fn load(
        mut self,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, (&'static str, String)> {
        let read = |key: &'static str, path: &String| {
            std::fs::read_to_string(path).map_err(|e| (key, format!("{key}: {path}: {e}")))
        };
        let secret = |key: &'static str, reference: &String| {
            Secret::resolve(reference, variable).map_err(|e| (key, format!("{key}: {e}")))
        };
        let certificates = self.client_certificate.as_ref();
        let identity = match (certificates, &self.client_key) {
            (Some(path), Some(key)) => Some(Identity {
                certificates: read("client_certificate", path)?,
                key: secret("client_key", key)?.expose().to_owned(),
            }),
            (None, None) => None,
            (Some(_), None) => {
                return Err(("client_certificate", "client_certificate needs client_key".into()));
            }
            (None, Some(_)) => {
                return Err(("client_key", "client_key needs client_certificate".into()));
            }
        };
        let authorities = self.ca_file.as_ref().map(|path| read("ca_file", path)).transpose()?;
        self.trust = Trust { authorities, identity, insecure: self.insecure };
        let credentials = self.proxy_credentials.as_ref();
        let credentials = credentials.map(|r| secret("proxy_credentials", r)).transpose()?;
        let proxy = self.proxy.as_ref().map(|url| {
            Proxy::at(url, credentials.map(|c| c.expose().to_owned()))
                .map_err(|e| ("proxy", format!("proxy: {e}")))
        });
        self.tunnel = proxy.transpose()?;
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
        let network = Network { resolve, ..Network::default() }.load(&|_| None).unwrap();
        assert!(network.is_local("https://as.test:8443/x"));
        assert!(network.is_local("http://[::1]/"));
        assert!(!network.is_local("https://other.test/"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let network = Network { ca_file: Some("/nonexistent.pem".into()), ..Network::default() };
        let (key, why) = network.load(&|_| None).unwrap_err();
        assert!(key == "ca_file" && why.starts_with("ca_file: /nonexistent.pem"));
        let half = Network { client_key: Some("env:KEY".into()), ..Network::default() };
        assert_eq!(half.load(&|_| None).unwrap_err().0, "client_key");
        let proxy = Network { proxy: Some("proxy.test".into()), ..Network::default() };
        assert_eq!(proxy.load(&|_| None).unwrap_err().0, "proxy");
    }
}
