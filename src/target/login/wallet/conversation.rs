//! What browser, wallet and server say to each other in a login.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::sleep;

use super::channel::Kind;
use super::invitation::Invitation;
use crate::http::cookies::Initiator;
use crate::http::user_agent::{Navigation, UserAgent, resolve};
use crate::http::{Listening, Turn};
use crate::model::exchange::{Exchange, Request};
use crate::oauth::authorization::{AuthorizationResponse, Mode, form_post};
use crate::oauth::params::Params;
use crate::oauth::request_object::RequestObject;
use crate::target::login::User;
use crate::target::login::driver::Driver;
use crate::target::login::reason::{Reason, Trouble};
use crate::target::login::script::Failed;

/// What a subscription gets to arrive before the wallet answers: its header fields may come no
/// sooner than the first event, so nobody waits for them any longer.
const HEAD_START: Duration = Duration::from_millis(500);

/// How the subscriptions of a login go.
#[derive(Default)]
struct Heard {
    /// How many have begun.
    begun: watch::Sender<usize>,
    /// How many have ended.
    ended: watch::Sender<usize>,
    /// All of them must end.
    over: watch::Sender<bool>,
}

async fn reaches(counter: &watch::Sender<usize>, all: usize) {
    drop(counter.subscribe().wait_for(|count| *count >= all).await);
}

impl Driver<'_> {
    /// Lets browsers listen to the events of a login from before the wallet acts until each has heard
    /// where to go, or until `patience` is over after the wallet has acted. Their exchanges are in
    /// the order of the browsers.
    pub async fn listen_while<T>(
        &self,
        agents: Vec<&mut UserAgent>,
        invitation: &Invitation,
        wallet: impl Future<Output = T>,
        patience: impl FnOnce(&T) -> Duration,
    ) -> (Vec<Arc<Exchange>>, T) {
        let (heard, all) = (Heard::default(), agents.len());
        let listening = agents.into_iter().map(|agent| self.hear(agent, invitation, &heard));
        let act = async {
            tokio::select! { () = reaches(&heard.begun, all) => {}, () = sleep(HEAD_START) => {} }
            let outcome = wallet.await;
            let patience = sleep(patience(&outcome));
            tokio::select! { () = reaches(&heard.ended, all) => {}, () = patience => {} }
            heard.over.send_replace(true);
            outcome
        };
        tokio::join!(join_all(listening), act)
    }

    async fn hear(
        &self,
        agent: &mut UserAgent,
        invitation: &Invitation,
        heard: &Heard,
    ) -> Arc<Exchange> {
        let channel = &invitation.events;
        let has_begun = AtomicBool::new(false);
        let begin = || {
            if !has_begun.swap(true, Ordering::Relaxed) {
                heard.begun.send_modify(|count| *count += 1);
            }
        };
        let talk = |body: &[u8], said| {
            if channel.is_subscribed(body) {
                begin();
            }
            channel.turn(body, said)
        };
        let enough = |body: &[u8]| talk(body, 0) == Turn::Enough;
        let mut over = heard.over.subscribe();
        let over = async move { drop(over.wait_for(|is_over| *is_over).await) };
        let mut request = Request::get(&channel.url);
        let listening = match channel.kind {
            Kind::EventStream => Listening::Body(&enough),
            Kind::WebSocket | Kind::Stomp => {
                // RFC 6455 §4.1: a browser says which page asks.
                request.headers.extend(invitation.origin().map(|origin| ("Origin".into(), origin)));
                Listening::Socket(channel.protocols(), &talk)
            }
        };
        let exchange = agent.listen(self.http, self.recorder, request, listening, over).await;
        begin();
        heard.ended.send_modify(|count| *count += 1);
        exchange
    }

    /// Goes where the events of a login send the browser: to the client, where it stops, or on
    /// within the server, where the verifier is a part of its own.
    pub async fn go(
        &self,
        agent: &mut UserAgent,
        stream: Arc<Exchange>,
        told: String,
    ) -> Navigation {
        let url = stream.request.url.clone();
        self.memory.note(stream.number, "an event redirects the browser");
        let next = resolve(&url, &told);
        if let Some(next) = next.filter(|next| !(self.leaves)(&told) && self.home.contains(next)) {
            return self.navigate(agent, Request::get(next), Initiator::SameSite).await;
        }
        if let Some(code) = AuthorizationResponse::from_url(&told, Mode::Redirect).code() {
            self.memory.learn("code", code);
        }
        Navigation { exchange: stream, url, departed: Some(told), endless: false }
    }

    /// Counts one more sign-in, unless it must not be tried.
    pub fn admit(&self, user: &User) -> Result<(), Trouble> {
        self.memory.admit(user)
    }

    /// Fetches the request object as a wallet does, which has none of the browser's cookies.
    pub async fn request_object(
        &self,
        invitation: &Invitation,
    ) -> Result<(RequestObject, Arc<Exchange>), Failed> {
        let mut request = Request::get(&invitation.request_uri);
        // OpenID4VP 1.0 §5.10 and RFC 9101 §5.2.3.
        let accept = "application/oauth-authz-req+jwt, application/jwt;q=0.9, */*;q=0.1";
        request.headers.push(("Accept".into(), accept.into()));
        let exchange = self.http.send(self.recorder, request).await;
        let fail = |detail: String| {
            let remedy = "see the answer to request_uri; its host must be one of the target, or of origins under [login]";
            (Trouble::new(Reason::PageNotFound, detail, remedy), exchange.clone())
        };
        let Some(response) = exchange.response().filter(|r| r.status == 200) else {
            return Err(fail(format!("no request object: {}", exchange.gist())));
        };
        let request = RequestObject::read(&response.text()).map_err(fail)?;
        self.memory.learn("nonce", request.nonce());
        Ok((request, exchange))
    }

    /// What a careful wallet objects to; it would not answer.
    pub fn flaws(&self, request: &RequestObject, invitation: &Invitation) -> Vec<String> {
        match request.flaws(&invitation.client_id, self.now) {
            Ok(flaws) => flaws,
            Err(why) => vec![format!("its signature cannot be verified: {why}")],
        }
    }

    /// The time that a presentation bears: the server's own where it dates the request, so that a
    /// clock which differs fails no login.
    pub fn time_for(&self, request: &RequestObject) -> i64 {
        request.issued_at().unwrap_or(self.now)
    }

    /// Sends the presentation (OpenID4VP 1.0 §8.2).
    pub async fn deliver(&self, request: &RequestObject, fields: &Params) -> Arc<Exchange> {
        for name in ["vp_token", "presentation_submission"] {
            if let Some(value) = fields.value(name) {
                self.memory.learn("vp_token", value);
            }
        }
        self.http.send(self.recorder, form_post(request.response_uri(), fields)).await
    }
}
