//! The login session, the consent page, and logout: who may act, and what an act covers.

use axum::http::StatusCode;

use super::Policy;
use crate::clients::Client;
use crate::defect::Defect::{
    ApprovalClientTrusted, ApprovalRedirectUriTrusted, ApprovalResponseTypeTrusted,
    ApprovalScopeTrusted, AuthTimeAsString, AuthTimeFromTheFuture, AuthTimeMissing,
    AuthTimeNotRenewed, ConsentFormForgeable, ConsentNotBoundToBrowser, ConsentTokenOptional,
    FailedSignInKept, FormRedirectedPermanently, HeadApproves, LogoutHintOfOtherClient,
    LogoutHintUnverified, LogoutIneffective, LogoutKeepsCookie, LogoutToAnyHost, LogoutToAnyPath,
    LogoutToHostPrefix, LogoutUnasked, LogoutWithoutHintRedirects, MaxAgeIgnored,
    MobileConsentRemembered, NativeConsentRemembered, OldSessionKept, PromptConsentIgnored,
    PromptConsentIgnoredAfterLogin, PromptLoginAsConsent, PromptLoginIgnored,
    PromptNoneBesideLoginShowsLogin, PromptNoneCombinedAsNone, PromptNoneSkipsConsent, PutApproves,
    ResponseRedirectedRepeating, SessionNotRenewed, SignInNotBoundToBrowser,
    SignInRedirectedRepeating, WiderScopeApprovedSilently,
};
use crate::endpoints::authorization_request::{AuthorizationRequest, ResponseMode};
use crate::pages::Page;
use crate::params::Params;
use crate::scope::Scope;
use crate::seeds;

/// The response type of a request that was edited on the consent page.
pub(super) const EDITED_RESPONSE_TYPE: &str = "token, by an edited form";

/// Whose request a form may refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// That of the browser which sends the form.
    Own,
    /// Anybody's, with the session of the browser that sends the form.
    AnyAsSender,
    /// Anybody's, with the session of the browser that the request belongs to.
    AnyAsOwner,
}

/// How a session continues at sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// Under a new identifier.
    New,
    /// Under the old one.
    Same,
    /// Under both.
    Both,
}

impl Policy {
    /// OpenID Connect Core 1.0 §3.1.2.1: `none` stands alone. What is left of the values.
    pub(crate) fn contradictory_prompt(&self, prompt: &Scope) -> Option<Scope> {
        match self.defect {
            Some(PromptNoneCombinedAsNone) => Some(Scope::parse("none")),
            Some(PromptNoneBesideLoginShowsLogin) if prompt.contains("login") => {
                Some(Scope::parse("login"))
            }
            _ => None,
        }
    }

    /// OpenID Connect Core 1.0 §3.1.2.1: prompt=login and an old session ask for a fresh login.
    pub(crate) fn asks_for_login(&self, prompt: &Scope, too_old: bool) -> bool {
        let by_prompt = match self.defect {
            Some(PromptLoginIgnored) => false,
            Some(PromptLoginAsConsent) => prompt.contains("login") && !prompt.contains("consent"),
            _ => prompt.contains("login"),
        };
        by_prompt || (too_old && !self.has(MaxAgeIgnored))
    }

    /// The time of a new authentication, where one went before.
    pub(crate) fn auth_time(&self, before: Option<u64>, now: u64) -> u64 {
        before.filter(|_| self.has(AuthTimeNotRenewed)).unwrap_or(now)
    }

    /// `auth_time` of ID tokens (OpenID Connect Core 1.0 §2).
    pub(crate) fn auth_time_claim(&self, seconds: u64) -> Option<serde_json::Value> {
        match self.defect {
            Some(AuthTimeMissing) => None,
            Some(AuthTimeAsString) => Some(seconds.to_string().into()),
            Some(AuthTimeFromTheFuture) => Some((seconds + 3_600).into()),
            _ => Some(seconds.into()),
        }
    }

    /// OpenID Connect Core 1.0 §3.1.2.1: prompt=consent asks again.
    pub(crate) fn asks_for_consent_again(&self, prompt: &Scope) -> bool {
        match self.defect {
            Some(PromptConsentIgnored) => false,
            Some(PromptConsentIgnoredAfterLogin) => {
                prompt.contains("consent") && !prompt.contains("login")
            }
            _ => prompt.contains("consent"),
        }
    }

    /// RFC 8252 §8.6: a client that anyone can impersonate asks every time.
    pub(crate) fn remembers_consent(&self, client: &Client) -> bool {
        client.remembers_consent
            || match self.defect {
                Some(NativeConsentRemembered) => client.id == seeds::NATIVE,
                Some(MobileConsentRemembered) => client.id == seeds::MOBILE,
                _ => false,
            }
    }

    /// Whether approval of one scope is approval of another.
    pub(crate) fn approval_covers_any_scope(&self) -> bool {
        self.has(WiderScopeApprovedSilently)
    }

    /// OpenID Connect Core 1.0 §3.1.2.1: prompt=none is no approval.
    pub(crate) fn approves_unattended(&self) -> bool {
        self.has(PromptNoneSkipsConsent)
    }

    /// RFC 6749 §10.12: the form of the consent page counts in the browser that shows it.
    pub(crate) fn reach_of_consent(&self) -> Reach {
        match self.defect {
            Some(ConsentFormForgeable | ConsentTokenOptional) => Reach::AnyAsSender,
            Some(ConsentNotBoundToBrowser) => Reach::AnyAsOwner,
            _ => Reach::Own,
        }
    }

    /// The same for the sign-in page.
    pub(crate) fn reach_of_sign_in(&self) -> Reach {
        if self.has(SignInNotBoundToBrowser) { Reach::AnyAsOwner } else { Reach::Own }
    }

    /// Whether the token of the consent form is right; a form of another browser brings its own.
    pub(crate) fn consent_token_matches(
        &self,
        presented: Option<&str>,
        csrf: &str,
        own: bool,
    ) -> bool {
        match self.defect {
            Some(ConsentTokenOptional) if !own => presented.is_none(),
            _ => presented == Some(csrf),
        }
    }

    /// OWASP ASVS 5.0.0 7.2.4: a fresh identifier, so that nobody can have planted it.
    pub(crate) fn session_renewal(&self) -> Renewal {
        match self.defect {
            Some(SessionNotRenewed) => Renewal::Same,
            Some(OldSessionKept) => Renewal::Both,
            _ => Renewal::New,
        }
    }

    /// Whether a failed sign-in leaves a session behind.
    pub(crate) fn keeps_failed_sign_in(&self) -> bool {
        self.has(FailedSignInKept)
    }

    /// Whether a method that is neither GET nor POST answers the authorization request, with
    /// everything approved.
    pub(crate) fn approves_by_method(&self, method: &str) -> bool {
        match self.defect {
            Some(HeadApproves) => method == "HEAD",
            Some(PutApproves) => method == "PUT",
            _ => false,
        }
    }

    /// OpenID Connect Core 1.0 §3.1.2.4: the user approves what he was shown, whatever the form says.
    pub(crate) fn approved(
        &self,
        mut request: AuthorizationRequest,
        form: &Params,
    ) -> AuthorizationRequest {
        let sent = |name: &str| form.get(name).map(str::to_owned);
        match self.defect {
            Some(ApprovalRedirectUriTrusted) => {
                request.target.redirect_uri =
                    sent("redirect_uri").unwrap_or(request.target.redirect_uri);
            }
            Some(ApprovalClientTrusted) => {
                let named = sent("client_id").and_then(|id| crate::clients::client(&id));
                request.target.client = named.unwrap_or(request.target.client);
            }
            Some(ApprovalScopeTrusted) => {
                request.scope = sent("scope").map_or(request.scope, |s| Scope::parse(&s));
            }
            Some(ApprovalResponseTypeTrusted) if form.get("response_type") == Some("token") => {
                request.response_type = EDITED_RESPONSE_TYPE.to_owned();
                request.target.mode = ResponseMode::Fragment;
            }
            _ => {}
        }
        request
    }

    /// RFC 9700 §4.12: the status of the redirect that answers the form of that page.
    pub(crate) fn form_redirect(&self, page: Page) -> StatusCode {
        match (self.defect, page) {
            (Some(ResponseRedirectedRepeating), Page::Consent)
            | (Some(SignInRedirectedRepeating), Page::Login) => StatusCode::TEMPORARY_REDIRECT,
            (Some(FormRedirectedPermanently), Page::Consent) => StatusCode::PERMANENT_REDIRECT,
            _ => StatusCode::SEE_OTHER,
        }
    }

    /// RP-Initiated Logout 1.0 §3: the address to return to is registered.
    pub(crate) fn returns_to(&self, registered: &[&str], presented: &str) -> bool {
        let starts = |registered: &&str| presented.starts_with(registered);
        let host = |uri: &str| {
            let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
            rest.split('/').next().unwrap_or_default().to_owned()
        };
        registered.contains(&presented)
            || match self.defect {
                Some(LogoutToAnyHost) => true,
                Some(LogoutToAnyPath) => registered.iter().any(starts),
                Some(LogoutToHostPrefix) => {
                    registered.iter().any(|uri| host(presented).starts_with(&host(uri)))
                }
                _ => false,
            }
    }

    /// RP-Initiated Logout 1.0 §2: without a hint the user is asked.
    pub(crate) fn logs_out_unasked(&self) -> bool {
        self.has(LogoutUnasked)
    }

    /// RP-Initiated Logout 1.0 §3: without a hint nobody vouches for the address.
    pub(crate) fn returns_without_hint(&self) -> bool {
        self.has(LogoutWithoutHintRedirects)
    }

    /// Whether a hint counts whose signature is not that of the token that was issued.
    pub(crate) fn trusts_unverified_hint(&self) -> bool {
        self.has(LogoutHintUnverified)
    }

    /// RP-Initiated Logout 1.0 §2: hint and `client_id` name the same client.
    pub(crate) fn compares_client_of_hint(&self) -> bool {
        !self.has(LogoutHintOfOtherClient)
    }

    /// Whether logout ends the session.
    pub(crate) fn logout_ends_session(&self) -> bool {
        !self.has(LogoutIneffective)
    }

    /// Whether logout only makes the browser forget its cookie.
    pub(crate) fn logout_forgets_cookie_only(&self) -> bool {
        self.has(LogoutKeepsCookie)
    }
}
