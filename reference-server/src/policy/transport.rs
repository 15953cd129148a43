//! TLS, cleartext, and what every answer says about transport.

use tokio_rustls::rustls::SupportedProtocolVersion;
use tokio_rustls::rustls::version::{TLS12, TLS13};

use super::Policy;
use crate::defect::Defect::{
    AllowMissing, AllowMissingAtRevocation, CertificateExpired, CertificateOfAnotherName,
    CertificateOfUnknownAuthority, CleartextApi, CleartextAuthorization, CleartextToken,
    ConsentRedirectInCleartext, HstsMissing, HstsMissingOnLogin, HstsShort,
    LoginRedirectInCleartext, Tls10Accepted, Tls11Accepted, Tls12Only,
};
use crate::tls::Flaw;

static CURRENT: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
static LAST: [&SupportedProtocolVersion; 1] = [&TLS12];

const YEAR: &str = "max-age=31536000; includeSubDomains";

impl Policy {
    /// RFC 9325 §3.1.1: TLS 1.2 and 1.3.
    pub(crate) fn tls_versions(&self) -> &'static [&'static SupportedProtocolVersion] {
        if self.has(Tls12Only) { &LAST } else { &CURRENT }
    }

    /// RFC 8996: TLS 1.0 (0x0301) and 1.1 (0x0302) are dead.
    pub(crate) fn answers_obsolete_hello(&self, version: u16) -> bool {
        match self.defect {
            Some(Tls10Accepted) => version == 0x0301,
            Some(Tls11Accepted) => version == 0x0302,
            _ => false,
        }
    }

    /// What is wrong with the certificate of the device endpoint's host: nothing.
    pub(crate) fn certificate_flaw(&self) -> Option<Flaw> {
        match self.defect {
            Some(CertificateExpired) => Some(Flaw::Expired),
            Some(CertificateOfAnotherName) => Some(Flaw::OtherName),
            Some(CertificateOfUnknownAuthority) => Some(Flaw::UnknownAuthority),
            _ => None,
        }
    }

    /// OAuth 2.1 §1.5: nothing works in cleartext.
    pub(crate) fn serves_in_cleartext(&self, path: &str) -> bool {
        match self.defect {
            Some(CleartextAuthorization) => matches!(path, "/authorize" | "/login"),
            Some(CleartextToken) => path == "/token",
            Some(CleartextApi) => path.starts_with("/api/"),
            _ => false,
        }
    }

    /// RFC 6797: for a year, on every answer.
    pub(crate) fn strict_transport_security(&self, path: &str) -> Option<&'static str> {
        match self.defect {
            Some(HstsMissing) => None,
            Some(HstsMissingOnLogin) if path == "/login" => None,
            Some(HstsShort) => Some("max-age=86400"),
            _ => Some(YEAR),
        }
    }

    /// Where the browser goes next within the server; never to `cleartext`, its http origin.
    pub(crate) fn next_page(&self, location: &str, cleartext: &str) -> String {
        let page = match self.defect {
            Some(LoginRedirectInCleartext) => "/login?",
            Some(ConsentRedirectInCleartext) => "/consent?",
            _ => return location.to_owned(),
        };
        let is_page = location.starts_with(page);
        if is_page { format!("{cleartext}{location}") } else { location.to_owned() }
    }

    /// RFC 9110 §15.5.6: a 405 says which methods are allowed.
    pub(crate) fn lists_allowed_methods(&self, path: &str) -> bool {
        match self.defect {
            Some(AllowMissing) => false,
            Some(AllowMissingAtRevocation) => path != "/revoke",
            _ => true,
        }
    }
}
