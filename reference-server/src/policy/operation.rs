//! How errors look, what breaks the server, and what its clock says.

use super::Policy;
use crate::defect::Defect::{
    ClockBehind, CodeInErrorDescription, LargeFormServerError, LongStateServerError,
    NulInStateServerError, RefreshTokenInErrorHeader, SqlInErrorDescription, StackTraceOnErrorPage,
    TokenClockAhead,
};
use crate::endpoints::token::TokenError;
use crate::params::Params;

impl Policy {
    /// Whether a request is more than the server can take: none is.
    pub(crate) fn breaks_on(&self, path: &str, query: &str, length: usize) -> bool {
        let state = |fits: fn(&str) -> bool| {
            let params = Params::parse(query.as_bytes());
            path == "/authorize" && params.get("state").is_some_and(fits)
        };
        match self.defect {
            Some(NulInStateServerError) => state(|state| state.contains('\0')),
            Some(LongStateServerError) => state(|state| state.len() > 4096),
            Some(LargeFormServerError) => path == "/token" && length > 512 * 1024,
            _ => false,
        }
    }

    /// What an error of the token endpoint tells: nothing of the request or of the server.
    pub(crate) fn token_error_description(&self, error: TokenError, params: &Params) -> String {
        let is_of_grant = error.error == "invalid_grant";
        match (self.defect, params.get("code")) {
            (Some(CodeInErrorDescription), Some(code)) if is_of_grant => {
                format!("{}: {code}", error.description)
            }
            (Some(SqlInErrorDescription), _) if is_of_grant => {
                "SQLSTATE[42P01]: undefined table codes".to_owned()
            }
            _ => error.description.to_owned(),
        }
    }

    /// What a header field of such an error tells.
    pub(crate) fn token_error_detail(&self, params: &Params) -> Option<String> {
        let token = params.get("refresh_token").filter(|_| self.has(RefreshTokenInErrorHeader))?;
        Some(format!("no grant for {token}"))
    }

    /// Markup on error pages for those who run the server.
    pub(crate) fn error_page_details(&self) -> &'static str {
        if self.has(StackTraceOnErrorPage) {
            "<pre>at org.example.oauth.AuthorizeServlet.doGet(AuthorizeServlet.java:117)</pre>"
        } else {
            ""
        }
    }

    /// Seconds by which the clock is wrong.
    pub(crate) fn clock_error(&self) -> i64 {
        if self.has(ClockBehind) { -600 } else { 0 }
    }

    /// Seconds by which `Date` is wrong, if it is.
    pub(crate) fn date_error(&self, path: &str) -> Option<i64> {
        match self.defect {
            Some(ClockBehind) => Some(-600),
            Some(TokenClockAhead) if path == "/token" => Some(120),
            _ => None,
        }
    }
}
