//! Pushed authorization requests.

use serde_json::{Value, json};

use super::Policy;
use crate::clients::client;
use crate::defect::Defect::{
    FrontChannelChallengeWins, FrontChannelRedirectUriWins, FrontChannelScopeAdds,
    NestedRequestUriAccepted, ParEndpointNotPublished, ParExpiryAsString, ParNotEnforced,
    PushedParametersInCookie, PushedRedirectUriUnchecked, RequestUriForAnyClient,
    RequestUriForItsBearer,
};
use crate::params::Params;

impl Policy {
    /// RFC 9126 §2.2: the reference and how many seconds it lives.
    pub(crate) fn pushed_response(&self, request_uri: &str, lifetime: u64) -> Value {
        match self.defect {
            Some(ParExpiryAsString) => {
                json!({"request_uri": request_uri, "expires_in": lifetime.to_string()})
            }
            _ => json!({"request_uri": request_uri, "expires_in": lifetime}),
        }
    }

    /// RFC 9126 §2.1: `request_uri` cannot be pushed.
    pub(crate) fn refuses_nested_request_uri(&self) -> bool {
        !self.has(NestedRequestUriAccepted)
    }

    /// RFC 9126 §2.4: only for clients that authenticate, and all are public.
    pub(crate) fn pushes_any_redirect_uri(&self) -> bool {
        self.has(PushedRedirectUriUnchecked)
    }

    /// RFC 9126 §2.2: a reference is for the client that pushed it.
    pub(crate) fn may_use_pushed(&self, owner: &str, presented: Option<&str>) -> bool {
        match self.defect {
            Some(RequestUriForAnyClient | RequestUriForItsBearer) => true,
            _ => presented == Some(owner),
        }
    }

    /// RFC 9101 §6.3: what was pushed counts, and nothing beside it.
    pub(crate) fn beside_request_uri(&self, pushed: &Params, query: &Params) -> Params {
        let (name, value) = match self.defect {
            Some(FrontChannelRedirectUriWins) => ("redirect_uri", query.get("redirect_uri")),
            Some(FrontChannelChallengeWins) => ("code_challenge", query.get("code_challenge")),
            Some(FrontChannelScopeAdds) => ("scope", query.get("scope")),
            // The code goes to whoever presents the reference.
            Some(RequestUriForItsBearer) => {
                let bearer =
                    query.get("client_id").filter(|id| pushed.get("client_id") != Some(id));
                let Some(bearer) = bearer.and_then(client) else { return pushed.clone() };
                let others = pushed.without(&["client_id", "redirect_uri"]);
                let others = others.with("client_id", bearer.id);
                return others.with("redirect_uri", bearer.redirect_uris[0]);
            }
            _ => return pushed.clone(),
        };
        match value {
            Some(value) => pushed.without(&[name]).with(name, value),
            None => pushed.clone(),
        }
    }

    /// Whether `redirect_uri` is used as the pushed request has it, without any check.
    pub(crate) fn trusts_redirect_uri_of_pushed(&self) -> bool {
        matches!(self.defect, Some(PushedRedirectUriUnchecked | FrontChannelRedirectUriWins))
    }

    /// RFC 9126 §5: where pushing is mandatory, nothing else is accepted.
    pub(crate) fn demands_pushed_requests(&self) -> bool {
        !self.has(ParNotEnforced)
    }

    /// RFC 9126 §5: the endpoint is published.
    pub(crate) fn publishes_par_endpoint(&self) -> bool {
        !self.has(ParEndpointNotPublished)
    }

    /// A cookie that lets the server start the pushed request again; the conformant policy keeps
    /// what was pushed to itself.
    pub(crate) fn restart_cookie(&self, resolved: &Params) -> Option<String> {
        self.has(PushedParametersInCookie).then(|| resolved.encode())
    }
}
