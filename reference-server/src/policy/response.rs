//! The authorization response.

use super::Policy;
use crate::defect::Defect::{
    CodeBesideError, DenialReportedAsConsentRequired, ErrorDescriptionIllegal, ErrorStateRepeated,
    FormPostByGet, FormPostCacheable, FormPostIgnored, FormPostUnescaped, IssForeign,
    IssMissingOnError, IssMissingOnSuccess, IssNeverSent, IssRepeated, IssTrailingSlash,
    IssUnsupported, IssWrongOnError, MobileRedirectUriRewritten, MobileResponseInCleartext,
    MobileStateDropped, RegisteredQueryDropped, RegisteredQueryOverwritten, StateDecodedTwice,
    StateDroppedOnDenial, StateHtmlEscaped, StateInFragment, StateMissingOnError, StatePlusAsSpace,
    StateReadAsNumber, StateRepeated, StateTrimmed, StateTruncated, StateUppercasedOnError,
};
use crate::endpoints::authorization_request::ResponseMode;
use crate::endpoints::authorization_response::Outcome;
use crate::http::random;
use crate::pages::escape;
use crate::seeds;

impl Policy {
    /// How the response travels: as asked for.
    pub(crate) fn response_mode(&self, asked: ResponseMode) -> ResponseMode {
        match (self.defect, asked) {
            (Some(FormPostIgnored), ResponseMode::FormPost) => ResponseMode::Query,
            (_, asked) => asked,
        }
    }

    /// RFC 6749 §4.1.2: the exact value received from the client.
    pub(crate) fn response_state(
        &self,
        client: &str,
        mode: ResponseMode,
        outcome: Outcome,
        state: &str,
    ) -> Option<String> {
        match (self.defect, outcome) {
            (Some(MobileStateDropped), Outcome::Success) if client == seeds::MOBILE => None,
            (Some(StateDroppedOnDenial), Outcome::Denial)
            | (Some(StateMissingOnError), Outcome::RequestError) => None,
            (Some(StateUppercasedOnError), Outcome::RequestError) => Some(state.to_uppercase()),
            (Some(StatePlusAsSpace), _) => Some(state.replace('+', " ")),
            (Some(StateDecodedTwice), _) => Some(super::redirect_uri::percent_decoded(state)),
            (Some(StateTrimmed), _) => Some(state.trim().to_owned()),
            (Some(StateReadAsNumber), _) => {
                let number = state.parse::<u64>().ok();
                Some(number.map_or_else(|| state.to_owned(), |n| n.to_string()))
            }
            (Some(StateTruncated), _) => Some(state.chars().take(80).collect()),
            (Some(StateHtmlEscaped), _) if mode == ResponseMode::Query => Some(escape(state)),
            _ => Some(state.to_owned()),
        }
    }

    /// RFC 9207 §2: the issuer, in every response.
    pub(crate) fn response_iss(&self, issuer: &str, outcome: Outcome) -> Option<String> {
        match (self.defect, outcome) {
            (Some(IssNeverSent | IssUnsupported), _)
            | (Some(IssMissingOnSuccess), Outcome::Success) => None,
            (Some(IssTrailingSlash), Outcome::Success) => Some(format!("{issuer}/")),
            (Some(IssForeign), Outcome::Success) => Some("https://as.example.test".to_owned()),
            (Some(IssMissingOnError), Outcome::RequestError | Outcome::Denial) => None,
            (Some(IssWrongOnError), Outcome::RequestError | Outcome::Denial) => {
                Some("https://as.example.test".to_owned())
            }
            _ => Some(issuer.to_owned()),
        }
    }

    /// RFC 6749 §3.1: each parameter once.
    pub(crate) fn response_parameters(
        &self,
        outcome: Outcome,
        mut parameters: Vec<(&'static str, String)>,
    ) -> Vec<(&'static str, String)> {
        if self.has(CodeBesideError) && parameters.iter().any(|(_, v)| v == "login_required") {
            parameters.push(("code", random()));
        }
        let repeated = match (self.defect, outcome) {
            (Some(StateRepeated), Outcome::Success)
            | (Some(ErrorStateRepeated), Outcome::RequestError | Outcome::Denial) => "state",
            (Some(IssRepeated), Outcome::Success) => "iss",
            _ => return parameters,
        };
        let again = parameters.iter().find(|(name, _)| *name == repeated).cloned();
        parameters.extend(again);
        parameters
    }

    /// The redirect URI of the request, to the letter.
    pub(crate) fn response_redirect_uri(
        &self,
        client: &str,
        outcome: Outcome,
        redirect_uri: &str,
    ) -> String {
        let tenant =
            redirect_uri == seeds::WEB_REDIRECT_URI_WITH_QUERY && outcome == Outcome::Success;
        match self.defect {
            Some(MobileRedirectUriRewritten) if client == seeds::MOBILE => {
                format!("{redirect_uri}/")
            }
            Some(RegisteredQueryDropped) if tenant => seeds::WEB_REDIRECT_URI.to_owned(),
            Some(RegisteredQueryOverwritten) if tenant => {
                redirect_uri.replace("tenant=one", "tenant=default")
            }
            Some(MobileResponseInCleartext)
                if client == seeds::MOBILE && outcome == Outcome::Success =>
            {
                seeds::WEB_REDIRECT_URI_CLEARTEXT.to_owned()
            }
            _ => redirect_uri.to_owned(),
        }
    }

    /// The complete address of a response in the query: nothing in the fragment.
    pub(crate) fn response_location(
        &self,
        outcome: Outcome,
        location: String,
        state: Option<&str>,
    ) -> String {
        match (self.defect, outcome, state) {
            (Some(StateInFragment), Outcome::Success, Some(state)) => {
                let mut encoded = url::form_urlencoded::Serializer::new(String::new());
                format!("{location}#{}", encoded.append_pair("state", state).finish())
            }
            _ => location,
        }
    }

    /// RFC 6749 §4.1.2.1: printable ASCII without quote and backslash.
    pub(crate) fn error_description(&self, description: &'static str) -> &'static str {
        if self.has(ErrorDescriptionIllegal) {
            "the \"request\" is \u{7} not \\ accepted"
        } else {
            description
        }
    }

    /// RFC 6749 §4.1.2.1: the user denied the request.
    pub(crate) fn denial_error(&self) -> &'static str {
        if self.has(DenialReportedAsConsentRequired) { "consent_required" } else { "access_denied" }
    }

    /// A value in the form of OAuth 2.0 Form Post Response Mode.
    pub(crate) fn form_post_value(&self, value: &str) -> String {
        if self.has(FormPostUnescaped) { value.to_owned() } else { escape(value) }
    }

    /// The method of that form.
    pub(crate) fn form_post_method(&self) -> &'static str {
        if self.has(FormPostByGet) { "get" } else { "post" }
    }

    /// The page contains the code, so no cache may keep it.
    pub(crate) fn form_post_cache_control(&self) -> &'static str {
        if self.has(FormPostCacheable) { "public, max-age=60" } else { "no-store" }
    }
}
