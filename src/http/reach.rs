//! Can the target be reached at all: its name, a connection, the version of TLS.

use std::net::IpAddr;

use tokio::net::lookup_host;
use tokio::time::timeout;

use super::{Http, Origin};
use crate::model::tls::TlsVersion;

/// How the host of a URL is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// By the resolver of the system, at these addresses.
    Resolved(Vec<IpAddr>),
    /// The operator gave the address.
    Given(IpAddr),
    /// The proxy will look it up.
    LeftToProxy,
}

impl Http {
    /// Looks the host of that URL up. The error says what the resolver said.
    pub async fn look_up(&self, url: &str) -> Result<Found, String> {
        let origin = Origin::of(url)?;
        if let Some(address) = self.route.resolve.get(&origin.host) {
            return Ok(Found::Given(*address));
        }
        if self.route.goes_by_proxy(&origin.host) {
            return Ok(Found::LeftToProxy);
        }
        let found = timeout(self.limits.connect, lookup_host((origin.host.as_str(), origin.port)))
            .await
            .map_err(|_| "the resolver did not answer in time".to_owned())?
            .map_err(|e| e.to_string())?;
        let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
        addresses.dedup();
        Ok(Found::Resolved(addresses))
    }

    /// Opens a connection to the origin of that URL, and keeps it for the first request. The error
    /// says what failed.
    pub async fn connect_to(&self, url: &str) -> Result<Option<TlsVersion>, String> {
        let origin = self.permit(url)?;
        let connection = self.connect(&origin).await?;
        let version = connection.version;
        self.keep(&origin, connection);
        Ok(version)
    }
}
