//! What a check may ask of a login, and which kinds of login cannot do it.
//!
//! | the check needs | `session` | `exec`, `manual`, `browser` |
//! |---|---|---|
//! | a sign-in in a new browser, or one that the request demands (`prompt=login`, `max_age`) | no | yes, in a browser of their own |
//! | to see what the user is asked, or to stop before he answers | where he is signed in | no |
//! | a form as one request, to send it changed or from elsewhere | where he is signed in | no |
//! | an authorization request by POST | where he is signed in | no |
//! | a user who denies | where he is signed in | `exec`, by `decision` |
//! | the response as a form (`response_mode=form_post`) | yes | `exec` by `form`, `manual` at a loopback redirect URI |
//!
//! A check that asks for what the login cannot do is *not applicable*, whatever the login, with
//! [`Reason::NotPossible`] at the beginning of its reason: nothing is wrong with the target and
//! nothing came in between. It is another matter where a login fails that should have worked, as
//! with the cookies of a session that has ended: that is inconclusive.

use super::driver::Driver;
use super::reason::{Reason, Trouble};
use crate::http::user_agent::UserAgent;
use crate::model::exchange::{Exchange, Request};
use crate::oauth::params::Params;

impl Driver<'_> {
    /// The same trouble, unless an imported session stands before a sign-in page because the check
    /// wants it there.
    pub(super) fn within_limits(
        &self,
        trouble: Trouble,
        agent: &UserAgent,
        first: &Request,
    ) -> Trouble {
        if trouble.reason != Reason::FreshLogin {
            return trouble;
        }
        match agent.is_tab() {
            true if demands_sign_in(&self.asked(first)) => Trouble::not_possible(
                "the request demands a new sign-in, and an imported session holds no password",
            ),
            true => trouble,
            false => Trouble::not_possible(
                "the user would have to sign in in a new browser, and an imported session holds no password",
            ),
        }
    }

    /// The push in which the reference of the request was made, if this scenario made it.
    pub(super) fn push_of(&self, request: &Request) -> Option<std::sync::Arc<Exchange>> {
        let params = Params::decode(request.url.split_once('?')?.1);
        let reference = params.value("request_uri")?;
        let is_push = |exchange: &Exchange| {
            let members = exchange.response().and_then(|r| r.json_object()).unwrap_or_default();
            members.get("request_uri").and_then(|v| v.as_str()) == Some(reference)
        };
        self.recorder.exchanges().into_iter().rev().find(|exchange| is_push(exchange))
    }

    /// The parameters of an authorization request, those that were pushed among them.
    pub(super) fn asked(&self, request: &Request) -> Params {
        if let Some(push) = self.push_of(request) {
            return Params::decode(&push.request.text());
        }
        if request.method == "POST" {
            return Params::decode(&request.text());
        }
        Params::decode(request.url.split_once('?').map_or("", |(_, query)| query))
    }
}

/// The server is right to ask a user who is signed in for his password (OpenID Connect Core
/// §3.1.2.1).
fn demands_sign_in(params: &Params) -> bool {
    let prompts = params.value("prompt").unwrap_or_default().split(' ');
    let by_prompt = prompts.into_iter().any(|p| matches!(p, "login" | "select_account" | "create"));
    by_prompt || params.value("max_age").is_some() || params.value("acr_values").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_some_requests_demand_a_sign_in() {
        let demands = |query: &str| demands_sign_in(&Params::decode(query));
        assert!(demands("prompt=login") && demands("prompt=login%20consent"));
        assert!(demands("max_age=4") && demands("prompt=select_account"));
        assert!(!demands("prompt=consent&scope=openid") && !demands("prompt=none"));
    }
}
