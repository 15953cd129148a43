//! What a certificate says of itself, whoever vouches for it.

use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::server::ParsedCertificate;

/// Whether the certificate, in DER, has this DNS name among its alternative names (RFC 5280 §4.2.1.6,
/// wildcards as in RFC 9525 §6.3). Neither its time nor its chain is judged.
pub fn names(der: &[u8], host: &str) -> bool {
    let der = CertificateDer::from(der);
    let (Ok(certificate), Ok(name)) =
        (ParsedCertificate::try_from(&der), ServerName::try_from(host))
    else {
        return false;
    };
    matches!(name, ServerName::DnsName(_)) && verify_server_name(&certificate, &name).is_ok()
}
