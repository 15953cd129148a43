//! TLS to the target, with the trust anchors of the operating system or those of the operator.

use std::sync::{Arc, OnceLock};

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, RootCertStore};

use crate::model::tls::{HandshakeFailure, TlsVersion};

/// Builds its configuration on first use: reading the trust anchors costs milliseconds that a
/// plain http target need not pay.
#[derive(Default)]
pub(super) struct Connector {
    /// PEM certificates to trust in place of the system's.
    authorities: Option<String>,
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl Connector {
    pub(super) fn trusting(authorities: Option<String>) -> Self {
        Self { authorities, config: OnceLock::new() }
    }

    pub(super) async fn connect(
        &self,
        host: &str,
        tcp: TcpStream,
    ) -> Result<TlsStream<TcpStream>, HandshakeFailure> {
        let config = self.config.get_or_init(|| configure(self.authorities.as_deref()));
        let config = config.clone().map_err(HandshakeFailure::Other)?;
        let name = ServerName::try_from(host.to_owned())
            .map_err(|e| HandshakeFailure::Other(format!("TLS: {host} is no server name: {e}")))?;
        TlsConnector::from(config).connect(name, tcp).await.map_err(|e| {
            match e.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
                Some(Error::InvalidCertificate(why)) => HandshakeFailure::Certificate(fault(why)),
                _ => HandshakeFailure::Other(format!("TLS handshake with {host} failed: {e}")),
            }
        })
    }
}

/// The version that was agreed on.
pub(super) fn version(stream: &TlsStream<TcpStream>) -> Option<TlsVersion> {
    stream.get_ref().1.protocol_version().map(|version| TlsVersion(u16::from(version)))
}

fn fault(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired".into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name".into()
        }
        CertificateError::UnknownIssuer => {
            "it does not chain to a trusted root, or the server leaves intermediate certificates out"
                .into()
        }
        CertificateError::Revoked => "it was revoked".into(),
        other => other.to_string(),
    }
}

fn configure(authorities: Option<&str>) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    let certificates = match authorities {
        Some(pem) => CertificateDer::pem_slice_iter(pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| format!("TLS: the file of authorities is not PEM: {e}"))?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let (_, _) = roots.add_parsable_certificates(certificates);
    match (roots.is_empty(), authorities) {
        (true, Some(_)) => {
            Err("TLS: the file of authorities holds no certificate; check ca_file".into())
        }
        (true, None) => Err(
            "TLS: this system has no trust anchors; install its ca-certificates package or set SSL_CERT_FILE"
                .into(),
        ),
        _ => Ok(Arc::new(
            ClientConfig::builder().with_root_certificates(roots).with_no_client_auth(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_named() {
        assert!(configure(Some("")).unwrap_err().contains("check ca_file"));
    }

    #[test]
    fn faults_are_told_apart() {
        assert_eq!(fault(&CertificateError::Expired), "it has expired");
        assert_eq!(fault(&CertificateError::NotValidForName), "it is for another name");
        assert!(fault(&CertificateError::UnknownIssuer).contains("trusted root"));
    }
}
