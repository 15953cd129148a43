//! Signs in with the wallet, once.

use std::time::Duration;

use super::Wallet;
use super::invitation::Invitation;
use crate::http::user_agent::{Navigation, UserAgent};
use crate::target::login::User;
use crate::target::login::driver::{Decision, Driver};
use crate::target::login::reason::{Reason, Trouble};
use crate::target::login::script::Failed;

/// Time that the event has after the presentation was accepted.
const EVENT: Duration = Duration::from_secs(20);

impl Driver<'_> {
    /// Presents the user's credential, and takes the event for where the browser was sent.
    pub(in crate::target::login) async fn show_credential(
        &self,
        wallet: &Wallet,
        agent: &mut UserAgent,
        user: &User,
        resting: &Navigation,
    ) -> Result<Navigation, Failed> {
        let fail = |trouble| (trouble, resting.exchange.clone());
        let invitation = Invitation::read(resting, wallet).map_err(|why| {
            let remedy = "see the address of the portal: it carries authRequest and state";
            fail(Trouble::new(Reason::FieldNotFound, why, remedy))
        })?;
        let patience = |outcome: &Result<(), Failed>| match outcome {
            Ok(()) => EVENT,
            Err(_) => Duration::ZERO,
        };
        let acting = self.act(wallet, user, &invitation);
        let (streams, outcome) =
            self.listen_while(vec![&mut *agent], &invitation, acting, patience).await;
        let stream = streams.into_iter().next().unwrap_or_else(|| resting.exchange.clone());
        // What the wallet met rests on it: a server may refuse a presentation of which no browser
        // would hear.
        if stream.response().is_some_and(|response| response.status >= 400) {
            let detail = format!("nobody may listen to the events of the login: {}", stream.gist());
            let remedy = "check channel and events under [login.wallet]: the address to which the portal's page subscribes";
            return Err((Trouble::new(Reason::CallbackNotReached, detail, remedy), stream));
        }
        outcome?;
        let heard = stream.response().map_or(&[][..], |response| &response.body);
        let Some(told) = invitation.events.redirect(heard) else {
            let why = invitation.events.complaint(heard).unwrap_or_else(|| stream.gist());
            let detail = format!("the events of the login redirect nowhere: {why}");
            let remedy = "check channel and events under [login.wallet], and that the server knows the user whom the credential names";
            let trouble = Trouble::new(Reason::CallbackNotReached, detail, remedy);
            return Err((trouble, stream));
        };
        let next = self.go(agent, stream, told).await;
        if self.decision == Decision::Deny && next.departed.is_some() {
            let why = "no message of a wallet says that the user refuses, and no page asks him";
            let remedy = "see what the server offers on its portal";
            return Err((Trouble::new(Reason::NotPossible, why, remedy), next.exchange));
        }
        Ok(next)
    }

    /// The part of the wallet: to fetch the request, to verify it and to answer.
    async fn act(
        &self,
        wallet: &Wallet,
        user: &User,
        invitation: &Invitation,
    ) -> Result<(), Failed> {
        let (request, exchange) = self.request_object(invitation).await?;
        let flaws = self.flaws(&request, invitation);
        self.memory.note(
            exchange.number,
            match flaws.is_empty() {
                true => "the request object is signed by its client_id".to_owned(),
                // The harness goes on: wallet.request-signed judges it.
                false => format!("a careful wallet would stop here: {}", flaws.join("; ")),
            },
        );
        let answer = wallet.answer(&request, user, self.time_for(&request), None);
        let fields =
            answer.and_then(|fields| fields.ok_or("a credential that cannot be shown".into()));
        let fields = fields.map_err(|why| (Trouble::unanswered(why), exchange))?;
        let answer = self.deliver(&request, &fields).await;
        if answer.response().is_some_and(|r| r.status < 400) {
            return Ok(());
        }
        if !answer.is_disturbed() {
            self.memory.refused(user);
        }
        let issuer = wallet.holding.credential.issuer();
        let detail = format!("a credential of {issuer} was refused: {}", answer.gist());
        let remedy = "check that the server trusts the issuer by that name and its key, knows the user whom the claims name, and takes vp_token as written (\"object\" is the form of OpenID4VP 1.0); and both clocks";
        Err((Trouble::new(Reason::Refused, detail, remedy), answer))
    }
}
