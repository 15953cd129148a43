//! Errors beside a redirect URI that is not registered.

use super::Policy;
use super::redirect_uri::parts;
use crate::clients::Client;
use crate::defect::Defect::{
    FaultReportedToUnregistered, FormPostSkipsRedirectUri, HybridReportedToUnregistered,
    MissingChallengeReportedToUnregistered, PromptNoneReportedToUnregistered,
    RedirectUriErrorToUnregistered, RequestObjectReportedToUnregistered,
    ResponseModeReportedToUnregistered, ScopeReportedToUnregistered,
    ScopeReportedToUnregisteredPath, UnknownResponseTypeReportedToUnregistered,
};
use crate::params::Params;
use crate::seeds;

impl Policy {
    /// RFC 6749 §4.1.2.1: nothing is sent to a URI that is not registered, not even an error.
    pub(crate) fn reports_unregistered_redirect_uri_there(
        &self,
        client: &Client,
        presented: &str,
        params: &Params,
    ) -> bool {
        let value = |name: &str| params.get(name).unwrap_or_default();
        let asks = |scope: &str| value("scope").split(' ').any(|token| token == scope);
        let unknown_scope = || !seeds::CLIENT_SCOPES.iter().any(|scope| asks(scope));
        let mode = value("response_mode");
        let reports = match self.defect {
            Some(RedirectUriErrorToUnregistered) => true,
            Some(FaultReportedToUnregistered) => params.get("response_type").is_none(),
            Some(PromptNoneReportedToUnregistered) => value("prompt") == "none",
            Some(UnknownResponseTypeReportedToUnregistered) => {
                !value("response_type").contains("token")
                    && !matches!(value("response_type"), "" | "code")
            }
            Some(HybridReportedToUnregistered) => {
                value("response_type").contains("id_token") && !asks("openid")
            }
            Some(MissingChallengeReportedToUnregistered) => params.get("code_challenge").is_none(),
            Some(ScopeReportedToUnregistered | ScopeReportedToUnregisteredPath) => unknown_scope(),
            Some(RequestObjectReportedToUnregistered) => {
                params.get("request").is_some() || params.get("request_uri").is_some()
            }
            Some(ResponseModeReportedToUnregistered) => !matches!(mode, "" | "query" | "form_post"),
            Some(FormPostSkipsRedirectUri) => mode.starts_with("form_post"),
            _ => false,
        };
        let is_own_path = self.has(ScopeReportedToUnregisteredPath);
        reports
            && parts(presented)
                .is_some_and(|(authority, ..)| is_foreign(client, authority) != is_own_path)
    }
}

/// Whether the authority names none of the client's hosts, whatever port or userinfo it has.
fn is_foreign(client: &Client, authority: &str) -> bool {
    let host =
        authority.rsplit('@').next().unwrap_or_default().split(':').next().unwrap_or_default();
    let own = |uri: &&str| {
        parts(uri).is_some_and(|(registered, ..)| registered.eq_ignore_ascii_case(host))
    };
    !client.redirect_uris.iter().any(own)
}
