//! A login that happens somewhere else: a program or a person takes the authorization request and
//! brings the authorization response back. The harness opens the request first, so that what the
//! server refuses at once never bothers anybody.

use std::sync::Arc;

use super::Rung;
use super::driver::{Decision, Driver};
use super::program::Task;
use super::reason::{Reason, Trouble};
use super::script::Failed;
use super::user::User;
use crate::http::user_agent::{Navigation, UserAgent};
use crate::model::exchange::Request;
use crate::oauth::authorization::{AuthorizationResponse, Mode};
use crate::oauth::params::Params;
use crate::target::profile::Client;

impl Driver<'_> {
    /// Has somebody else sign in, and takes his answer for where the browser was sent.
    pub(super) async fn hand_over(
        &self,
        #[cfg_attr(not(feature = "browser"), expect(unused_variables, reason = "for browsers"))]
        agent: &mut UserAgent,
        first: &Request,
        resting: &Navigation,
        user: &User,
    ) -> Result<Navigation, Failed> {
        let fail = |trouble| (trouble, Arc::clone(&resting.exchange));
        let impossible = |why: &str| {
            fail(Trouble::new(Reason::NotPossible, why, "sign in with driver = \"form\""))
        };
        if first.method != "GET" {
            return Err(impossible("a request by POST cannot be handed to another browser"));
        }
        let query = first.url.split_once('?').map_or("", |(_, query)| query);
        let params = Params::decode(query);
        // A request that was pushed names the client alone; a page for signing out names nobody.
        let client =
            params.value("client_id").and_then(|id| self.clients.iter().find(|c| c.id == id));
        let redirect_uri = params.value("redirect_uri").or(client.map(Client::redirect_uri));
        let Some(redirect_uri) = redirect_uri else {
            return Err(impossible("only an authorization request can be handed over"));
        };
        let answer = match &self.login.rung {
            Rung::Exec(program) => {
                let task = Task {
                    authorization_url: &first.url,
                    redirect_uri,
                    issuer: self.issuer,
                    user,
                    decision: self.decision,
                };
                program.run(&task, self.memory).await
            }
            Rung::Manual(_) if self.decision == Decision::Deny => {
                return Err(impossible("nobody is asked to deny"));
            }
            Rung::Manual(manual) => {
                let _turn = self.memory.turn.lock().await;
                manual.ask(&first.url, redirect_uri, &user.username).await
            }
            #[cfg(feature = "browser")]
            Rung::Browser(browser) => {
                // A future that is large, for a way that few logins go.
                Box::pin(self.browse(browser, agent, &first.url, user)).await
            }
            _ => return Err(impossible("nobody else signs in")),
        };
        let callback = answer.map_err(fail)?;
        if let Some(code) = AuthorizationResponse::from_url(&callback, Mode::Redirect).code() {
            self.memory.learn("code", code);
        }
        let whom = match self.login.driver() {
            "browser" => "a browser signed in",
            _ => "signed in elsewhere, which nobody saw",
        };
        self.memory.note(resting.exchange.number, whom);
        if !(self.leaves)(&callback) {
            let address = callback.split(['?', '#']).next().unwrap_or_default();
            return Err(fail(Trouble::new(
                Reason::CallbackNotReached,
                format!("an answer at {address}, which is no redirect URI of the request"),
                "answer with the address to which the browser was sent with the code",
            )));
        }
        Ok(Navigation { departed: Some(callback), ..resting.clone() })
    }
}
