//! The login with a wallet: what a presentation must prove, and whom it signs in where.

use serde_json::Value;

use super::Policy;
use crate::defect::Defect::{
    WalletAnswerCarriesCode, WalletAudienceUnchecked, WalletClaimsOfHolder,
    WalletCredentialExpired, WalletCredentialKeyOfHeader, WalletCredentialNotYetValid,
    WalletCredentialSymmetric, WalletCredentialTypeUnchecked, WalletCredentialUnsigned,
    WalletCredentialUnverified, WalletDisclosureUnchecked, WalletFailedLoginOpen,
    WalletHashUnchecked, WalletHolderUnchecked, WalletIssuerUntrusted, WalletKeyBindingOptional,
    WalletKeyBindingTypeUnchecked, WalletKeyBindingUnsigned, WalletKeyBindingUnverified,
    WalletLoginUnlimited, WalletNonceConstant, WalletNonceUnchecked, WalletPresentationOld,
    WalletPresentationReplayable, WalletRequestObjectReusable, WalletRequestObjectUnsigned,
    WalletStreamOfAnyBrowser, WalletStreamShared,
};
use crate::jwt::{Parts, Sealing};
use crate::wallet::did_key::PublicKey;
use crate::wallet::presentation::Check;

impl Policy {
    /// RFC 9901 §7.1 and §7.3, OpenID for Verifiable Presentations 1.0 §8.6: whether this property of
    /// a presentation is verified.
    pub(crate) fn verifies_presentation(&self, check: Check) -> bool {
        let skipped = match self.defect {
            Some(WalletIssuerUntrusted) => Check::Issuer,
            Some(WalletCredentialExpired) => Check::Expiry,
            Some(WalletCredentialNotYetValid) => Check::Start,
            Some(WalletCredentialTypeUnchecked) => Check::Type,
            Some(WalletDisclosureUnchecked) => Check::Disclosures,
            Some(WalletKeyBindingOptional) => Check::KeyBinding,
            Some(WalletKeyBindingTypeUnchecked) => Check::KeyBindingType,
            Some(WalletHolderUnchecked) => Check::Holder,
            Some(WalletAudienceUnchecked) => Check::Audience,
            Some(WalletNonceUnchecked) => Check::Nonce,
            Some(WalletPresentationOld) => Check::Age,
            Some(WalletHashUnchecked) => Check::Hash,
            _ => return true,
        };
        check != skipped
    }

    /// RFC 9901 §7.1: a credential counts with the signature of its issuer, whose did:key is the
    /// key. `right` says whether it has it.
    pub(crate) fn issuer_has_signed(
        &self,
        right: bool,
        credential: &Parts<'_>,
        issuer: &str,
    ) -> bool {
        right
            || match self.defect {
                Some(WalletCredentialUnverified) => !credential.is_unsigned(),
                Some(WalletCredentialUnsigned) => is_unsecured(credential),
                Some(WalletCredentialSymmetric) => credential.is_keyed_with(issuer.as_bytes()),
                Some(WalletCredentialKeyOfHeader) => is_signed_by_itself(credential),
                _ => false,
            }
    }

    /// RFC 9901 §7.3: a presentation counts with the signature of the holder's key. `right` says
    /// whether it has it.
    pub(crate) fn holder_has_signed(&self, right: bool, presentation: &Parts<'_>) -> bool {
        right
            || match self.defect {
                Some(WalletKeyBindingUnverified) => !presentation.is_unsigned(),
                Some(WalletKeyBindingUnsigned) => is_unsecured(presentation),
                Some(WalletHolderUnchecked) => is_signed_by_itself(presentation),
                _ => false,
            }
    }

    /// The claims that count: those which the issuer vouches for, whatever the holder states.
    pub(crate) fn claims_of_presentation(&self, mut issued: Value, stated: &Value) -> Value {
        if let (Some(WalletClaimsOfHolder), Some(issued), Some(stated)) =
            (self.defect, issued.as_object_mut(), stated.as_object())
        {
            issued.extend(stated.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        issued
    }

    /// RFC 9101 §4: the request object is signed.
    pub(crate) fn request_object_sealing(&self) -> Sealing {
        if self.has(WalletRequestObjectUnsigned) { Sealing::Unsigned } else { Sealing::Signed }
    }

    /// OpenID for Verifiable Presentations 1.0 §5.2: a fresh nonce for every request.
    pub(crate) fn presentation_nonce(&self, fresh: String) -> String {
        if self.has(WalletNonceConstant) { "n-0S6_WzA2Mj".to_owned() } else { fresh }
    }

    /// Whether a request object can be fetched that was fetched before.
    pub(crate) fn serves_request_object_again(&self) -> bool {
        self.has(WalletRequestObjectReusable)
    }

    /// OpenID for Verifiable Presentations 1.0 §14.2: whether a browser learns of the outcome, given
    /// whether it began the login.
    pub(crate) fn streams_login_to(&self, own: bool) -> bool {
        own || self.has(WalletStreamOfAnyBrowser)
    }

    /// Whether a second stream of a login is served.
    pub(crate) fn shares_login_stream(&self) -> bool {
        self.has(WalletStreamShared)
    }

    /// Whether a login is not over yet.
    pub(crate) fn login_lasts(&self, expires_at: u64, now: u64) -> bool {
        expires_at > now || self.has(WalletLoginUnlimited)
    }

    /// Whether a login waits for another presentation after one that was refused.
    pub(crate) fn keeps_login_after_failure(&self) -> bool {
        self.has(WalletFailedLoginOpen)
    }

    /// The same after one that was accepted.
    pub(crate) fn keeps_login_after_success(&self) -> bool {
        self.has(WalletPresentationReplayable)
    }

    /// Whether the wallet is told the address for the browser.
    pub(crate) fn hands_response_to_wallet(&self) -> bool {
        self.has(WalletAnswerCarriesCode)
    }
}

/// RFC 7515 Appendix A.5.
fn is_unsecured(token: &Parts<'_>) -> bool {
    token.header("alg").eq_ignore_ascii_case("none") && token.is_unsigned()
}

fn is_signed_by_itself(token: &Parts<'_>) -> bool {
    PublicKey::of_header(token).is_some_and(|key| key.has_signed(token))
}
