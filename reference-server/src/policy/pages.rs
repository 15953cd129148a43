//! What pages and cookies say about themselves.

use super::Policy;
use crate::defect::Defect::{
    CookieSameSiteMissing, CookieScriptable, FrameAncestorsInMeta, FrameAncestorsMissing,
    FrameAncestorsReportOnly, ReferrerPolicyDowngrade, ReferrerPolicyMissing,
    ReferrerPolicyOverridden, ThirdPartyLogo, ThirdPartyScript,
};
use crate::pages::Page;

impl Policy {
    /// RFC 9700 §4.16: the header in which the content policy travels.
    pub(crate) fn content_policy_header(&self) -> &'static str {
        match self.defect {
            Some(FrameAncestorsReportOnly) => "content-security-policy-report-only",
            _ => "content-security-policy",
        }
    }

    /// Whether the content policy speaks of framing, beside `X-Frame-Options`.
    pub(crate) fn content_policy_names_ancestors(&self) -> bool {
        !matches!(self.defect, Some(FrameAncestorsMissing | FrameAncestorsInMeta))
    }

    /// RFC 9700 §4.2.4: what other sites learn of the address.
    pub(crate) fn referrer_policy(&self) -> Option<&'static str> {
        match self.defect {
            Some(ReferrerPolicyMissing) => None,
            Some(ReferrerPolicyDowngrade) => Some("no-referrer-when-downgrade"),
            _ => Some("no-referrer"),
        }
    }

    /// Markup in the head of a page: none.
    pub(crate) fn page_head(&self, page: Page) -> &'static str {
        match (self.defect, page) {
            (Some(ReferrerPolicyOverridden), Page::Consent) => {
                "<meta name=\"referrer\" content=\"unsafe-url\">"
            }
            (Some(FrameAncestorsInMeta), _) => {
                "<meta http-equiv=\"Content-Security-Policy\" content=\"frame-ancestors 'none'\">"
            }
            (Some(ThirdPartyScript), Page::Login) => {
                "<script src=\"https://cdn.example.net/metrics.js\"></script>"
            }
            (Some(ThirdPartyLogo), Page::Consent) => {
                "<link rel=\"icon\" href=\"//cdn.example.net/logo.png\">"
            }
            _ => "",
        }
    }

    /// OWASP ASVS 5.0.0 3.3: the attributes of the session cookie.
    pub(crate) fn cookie_attributes(&self) -> &'static str {
        match self.defect {
            Some(CookieScriptable) => "Path=/; SameSite=Lax",
            Some(CookieSameSiteMissing) => "Path=/; HttpOnly",
            _ => "Path=/; HttpOnly; SameSite=Lax",
        }
    }
}
