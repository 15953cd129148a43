//! TLS to the target, with the trust anchors of the operating system.

use std::sync::{Arc, OnceLock};

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Builds its configuration on first use: reading the trust anchors costs milliseconds that a
/// plain http target need not pay.
#[derive(Default)]
pub(super) struct Connector(OnceLock<Result<Arc<ClientConfig>, String>>);

impl Connector {
    pub(super) async fn connect(
        &self,
        host: &str,
        tcp: TcpStream,
    ) -> Result<TlsStream<TcpStream>, String> {
        let config = self.0.get_or_init(configure).clone()?;
        let name = ServerName::try_from(host.to_owned())
            .map_err(|e| format!("TLS: {host} is no server name: {e}"))?;
        TlsConnector::from(config)
            .connect(name, tcp)
            .await
            .map_err(|e| format!("TLS handshake with {host} failed: {e}"))
    }
}

fn configure() -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    let (_, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err("TLS: this system has no trust anchors; install its ca-certificates package or set SSL_CERT_FILE"
            .into());
    }
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}
