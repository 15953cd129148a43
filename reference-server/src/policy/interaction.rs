//! Pages, login, consent, logout, and what every answer gets.

use axum::http::StatusCode;

use super::Policy;
use crate::defect::Defect::{
    ClientIdEchoedRaw, ConsentPageFramable, ConsentSkipped, CorsAtAuthorizationEndpoint,
    CorsMissingAtTokenEndpoint, CorsMissingOnTokenError, CorsOtherOriginAtTokenEndpoint,
    CorsPreflightAtAuthorizationEndpoint, DenialIgnored, ErrorPageFramable, FrameAncestorsWildcard,
    LoginHintEchoedRaw, LoginHintEvaluated, LoginPageForbidden, LoginPageFramable,
    LogoutStateDropped, LogoutStays, PagesFramable, PromptNoneErrorPage, PromptNoneShowsLogin,
    PromptNoneSkipsLogin, RedirectUriEchoedRaw, RedirectUriSplitsHeaders, RequestIdMissing,
    ResponseTypeEvaluated, ScopeEchoedRaw, ScopeEvaluated, ScopeSplitsHeaders, StateEchoedRaw,
    StateSplitsHeaders, UnsafeSchemeLinked, WrongPasswordAccepted,
};
use crate::endpoints::cors::Asked;
use crate::endpoints::interaction::Unattended;
use crate::pages::{Field, Framing, Page, escape};
use crate::params::Params;
use crate::scope::Scope;

impl Policy {
    /// RFC 9700 §4.16: no page may be framed.
    pub(crate) fn framing(&self, page: Page) -> Framing {
        match (self.defect, page) {
            (Some(PagesFramable), _)
            | (Some(LoginPageFramable), Page::Login)
            | (Some(ConsentPageFramable), Page::Consent)
            | (Some(ErrorPageFramable), Page::Error) => Framing::Anybody,
            (Some(FrameAncestorsWildcard), _) => Framing::Wildcard,
            _ => Framing::Nobody,
        }
    }

    /// A request value as markup; the address is not repeated at all, lest somebody follows it.
    pub(crate) fn shown_on_error_page(&self, field: Field, value: &str) -> Option<String> {
        let is_web = value.starts_with("http://") || value.starts_with("https://");
        match (self.defect, field) {
            (Some(ClientIdEchoedRaw), Field::ClientId)
            | (Some(RedirectUriEchoedRaw), Field::RedirectUri) => Some(value.to_owned()),
            (Some(UnsafeSchemeLinked), Field::RedirectUri) if !is_web => {
                Some(format!("<a href=\"{}\">go back</a>", escape(value)))
            }
            (Some(ResponseTypeEvaluated), Field::ResponseType) => {
                Some(escape(&evaluated(value, "${", "}")))
            }
            (_, Field::RedirectUri) => None,
            (_, Field::ClientId | Field::ResponseType | Field::State) => Some(escape(value)),
        }
    }

    /// The value of the user name field, as markup.
    pub(crate) fn login_hint_on_page(&self, hint: &str) -> String {
        match self.defect {
            Some(LoginHintEchoedRaw) => hint.to_owned(),
            Some(LoginHintEvaluated) => escape(&evaluated(hint, "{{", "}}")),
            _ => escape(hint),
        }
    }

    /// What the login page tells about the request: nothing, that is for the consent page.
    pub(crate) fn request_on_login_page(&self, scope: &Scope, state: Option<&str>) -> String {
        match (self.defect, state) {
            (Some(ScopeEchoedRaw), _) => format!("<p>Access to {scope}</p>"),
            (Some(ScopeEvaluated), _) => {
                let shown = evaluated(&scope.to_string(), "${", "}");
                format!("<p>Access to {}</p>", escape(&shown))
            }
            (Some(StateEchoedRaw), Some(state)) => format!("<p>Reference {state}</p>"),
            _ => String::new(),
        }
    }

    /// The status of the login page.
    pub(crate) fn login_page_status(&self) -> StatusCode {
        if self.has(LoginPageForbidden) { StatusCode::FORBIDDEN } else { StatusCode::OK }
    }

    /// Headers made of request values: none. A line break would start a header.
    pub(crate) fn headers_from_parameters(&self, path: &str, query: &str) -> Vec<(String, String)> {
        let name = match self.defect {
            Some(StateSplitsHeaders) => "state",
            Some(ScopeSplitsHeaders) => "scope",
            Some(RedirectUriSplitsHeaders) => "redirect_uri",
            _ => return Vec::new(),
        };
        let params = Params::parse(query.as_bytes());
        let value = params.get(name).filter(|_| path == "/authorize").unwrap_or_default();
        let lines = value.split(['\r', '\n']).skip(1).filter_map(|line| line.split_once(':'));
        lines.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
    }

    /// Whether a known user may enter, given whether the password is right.
    pub(crate) fn password_matches(&self, right: bool) -> bool {
        right || self.has(WrongPasswordAccepted)
    }

    /// OpenID Connect Core 1.0 §3.1.2.1: `prompt=none` without a session is an error.
    pub(crate) fn unattended_without_session(&self) -> Unattended {
        match self.defect {
            Some(PromptNoneSkipsLogin) => Unattended::Proceed,
            Some(PromptNoneShowsLogin) => Unattended::ShowLogin,
            Some(PromptNoneErrorPage) => Unattended::ErrorPage,
            _ => Unattended::LoginRequired,
        }
    }

    /// OpenID Connect Core 1.0 §3.1.2.4: the user decides, once or every time.
    pub(crate) fn asks_for_consent(&self, remembered: bool) -> bool {
        !remembered && !self.has(ConsentSkipped)
    }

    /// Whether a denial is a denial.
    pub(crate) fn heeds_denial(&self) -> bool {
        !self.has(DenialIgnored)
    }

    /// RP-Initiated Logout 1.0 §3: back to the registered address.
    pub(crate) fn returns_after_logout(&self) -> bool {
        !self.has(LogoutStays)
    }

    /// RP-Initiated Logout 1.0 §3: with the state of the request.
    pub(crate) fn logout_keeps_state(&self) -> bool {
        !self.has(LogoutStateDropped)
    }

    /// The origin that may read the answer; `conformant` is the one of RFC 9700 §2.6.
    pub(crate) fn allowed_origin(
        &self,
        asked: &Asked,
        status: StatusCode,
        conformant: Option<String>,
    ) -> Option<String> {
        let at_token = asked.path == "/token";
        match self.defect {
            Some(CorsAtAuthorizationEndpoint) if asked.path == "/authorize" => {
                Some(asked.origin.clone())
            }
            Some(CorsPreflightAtAuthorizationEndpoint)
                if asked.path == "/authorize" && asked.preflight =>
            {
                Some("*".to_owned())
            }
            Some(CorsMissingAtTokenEndpoint) if at_token => None,
            Some(CorsMissingOnTokenError) if at_token && !status.is_success() => None,
            Some(CorsOtherOriginAtTokenEndpoint) if at_token => {
                conformant.map(|_| "https://other.example.test".to_owned())
            }
            _ => conformant,
        }
    }

    /// Whether preflights are answered where no script has any business.
    pub(crate) fn answers_other_preflight(&self, path: &str) -> bool {
        matches!(
            self.defect,
            Some(CorsAtAuthorizationEndpoint | CorsPreflightAtAuthorizationEndpoint)
        ) && path == "/authorize"
    }

    /// Whether answers can be found again in the log.
    pub(crate) fn sends_request_id(&self) -> bool {
        !self.has(RequestIdMissing)
    }
}

/// The text with every product of two numbers between `open` and `close` worked out.
fn evaluated(text: &str, open: &str, close: &str) -> String {
    let mut pieces = text.split(open);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let product = piece.split_once(close).and_then(|(expression, rest)| {
            let (a, b) = expression.split_once('*')?;
            Some((a.parse::<u64>().ok()?.checked_mul(b.parse().ok()?)?, rest))
        });
        match product {
            Some((product, rest)) => out.push_str(&format!("{product}{rest}")),
            None => out.push_str(&format!("{open}{piece}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_worked_out_where_the_notation_is_theirs() {
        assert_eq!(evaluated("a ${6*7} {{6*7}} ${x}", "${", "}"), "a 42 {{6*7}} ${x}");
        assert_eq!(evaluated("a ${6*7} {{6*7}}", "{{", "}}"), "a ${6*7} 42");
    }
}
