//! TLS to the target, with the trust anchors of the operating system or those of the operator.

use std::fmt;
use std::sync::{Arc, OnceLock};

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::model::tls::{HandshakeFailure, TlsVersion};

/// A client certificate with its key.
#[derive(Clone)]
pub struct Identity {
    /// The certificate and those between it and its root, in PEM.
    pub certificates: String,
    /// The private key in PEM.
    pub key: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}

/// Whom to trust, and as whom to appear.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// PEM certificates to trust in place of the system's.
    pub authorities: Option<String>,
    /// What to present to a server that asks for a certificate.
    pub identity: Option<Identity>,
    /// Certificates are not verified.
    pub insecure: bool,
}

/// Builds its configuration on first use: reading the trust anchors costs milliseconds that a
/// plain http target need not pay.
#[derive(Default)]
pub(super) struct Connector {
    pub(super) trust: Trust,
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl Connector {
    pub(super) fn trusting(trust: Trust) -> Self {
        Self { trust, config: OnceLock::new() }
    }

    /// The same trust, except that certificates are verified.
    pub(super) fn strict(&self) -> Self {
        Self::trusting(Trust { insecure: false, ..self.trust.clone() })
    }

    pub(super) async fn connect(
        &self,
        host: &str,
        tcp: TcpStream,
    ) -> Result<TlsStream<TcpStream>, HandshakeFailure> {
        let config = self.config.get_or_init(|| configure(&self.trust));
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

fn configure(trust: &Trust) -> Result<Arc<ClientConfig>, String> {
    let authorities = trust.authorities.as_deref();
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
            return Err("TLS: the file of authorities holds no certificate; check ca_file".into());
        }
        (true, None) => return Err(
            "TLS: this system has no trust anchors; install its ca-certificates package or set SSL_CERT_FILE"
                .into(),
        ),
        _ => {}
    }
    let verified = ClientConfig::builder().with_root_certificates(roots);
    let mut config = match &trust.identity {
        None => verified.with_no_client_auth(),
        Some(identity) => {
            let wrong = |what: &str, e: String| format!("TLS: {what}: {e}");
            let chain = CertificateDer::pem_slice_iter(identity.certificates.as_bytes())
                .collect::<Result<Vec<_>, _>>()
                .map_err(|e| wrong("client_certificate is not PEM", e.to_string()))?;
            let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes())
                .map_err(|e| wrong("client_key is not PEM", e.to_string()))?;
            verified
                .with_client_auth_cert(chain, key)
                .map_err(|e| wrong("client_certificate and client_key", e.to_string()))?
        }
    };
    if trust.insecure {
        let algorithms = config.crypto_provider().signature_verification_algorithms;
        config.dangerous().set_certificate_verifier(Arc::new(Credulous(algorithms)));
    }
    Ok(Arc::new(config))
}

/// Takes any certificate; the handshake itself is verified.
#[derive(Debug)]
struct Credulous(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_named() {
        let trust = Trust { authorities: Some(String::new()), ..Trust::default() };
        assert!(configure(&trust).unwrap_err().contains("check ca_file"));
    }

    #[test]
    fn faults_are_told_apart() {
        assert_eq!(fault(&CertificateError::Expired), "it has expired");
        assert_eq!(fault(&CertificateError::NotValidForName), "it is for another name");
        assert!(fault(&CertificateError::UnknownIssuer).contains("trusted root"));
    }
}
