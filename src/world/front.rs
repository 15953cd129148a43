//! Authorization requests on their way to the browser.

use std::sync::Arc;

use super::context::{Context, usable};
use super::{Flow, Step, World};
use crate::expect::par::reference;
use crate::http::Recorder;
use crate::model::exchange::{Exchange, Request};
use crate::model::verdict::Obstacle;
use crate::oauth::authorization::{AuthorizationRequest, Landing};
use crate::oauth::params::Params;
use crate::oauth::token;
use crate::target::login::driver::{Decision, Way};
use crate::target::login::reason::{Reason, Trouble};

/// What a request becomes before a browser takes it.
pub enum Front {
    /// What the browser sends.
    Request(AuthorizationRequest),
    /// The server refused it when it was pushed, and no browser gets to see anything.
    Refused(Landing),
}

impl Context {
    /// The request as a browser sends it: pushed before, where the server accepts nothing else
    /// (RFC 9126 §5).
    pub async fn front_channel(
        &self,
        recorder: &Recorder,
        request: &AuthorizationRequest,
    ) -> Result<Front, Obstacle> {
        if !self.facts.metadata.is_true("require_pushed_authorization_requests") {
            return Ok(Front::Request(request.clone()));
        }
        let exchange = self.push(recorder, &request.params).await?;
        let Some(reference) = reference(&exchange) else {
            let page = Landing {
                exchange,
                response: None,
                asks_to_sign_in: false,
                endless: false,
                shown: None,
            };
            return Ok(Front::Refused(page));
        };
        let client_id = request.params.value("client_id").unwrap_or_default();
        let params = Params::new([("client_id", client_id), ("request_uri", &reference)]);
        Ok(Front::Request(AuthorizationRequest { params, ..request.clone() }))
    }

    /// [`Self::front_channel`] of a valid request.
    pub(super) async fn valid_front(
        &self,
        recorder: &Recorder,
        request: &AuthorizationRequest,
    ) -> Result<AuthorizationRequest, Obstacle> {
        match self.front_channel(recorder, request).await? {
            Front::Request(sent) => Ok(sent),
            Front::Refused(landing) => {
                let remedy = "check client, redirect_uri and scope in the profile";
                Err(Obstacle::new("to push a valid request", landing.gist(), remedy))
            }
        }
    }

    /// Pushes an authorization request; an answer that came back is no obstacle.
    pub async fn push(
        &self,
        recorder: &Recorder,
        params: &Params,
    ) -> Result<Arc<Exchange>, Obstacle> {
        let endpoint = self.endpoint("pushed_authorization_request_endpoint")?;
        usable(self.http.send(recorder, token::post(endpoint, params)).await)
    }
}

impl World {
    /// What a browser sends for a valid request.
    pub async fn wire(&mut self, request: &AuthorizationRequest) -> Step<Request> {
        let context = self.context()?;
        let endpoint = self.need(context.endpoint("authorization_endpoint"))?;
        let sent = context.valid_front(&self.recorder, request).await;
        Ok(self.need(sent)?.by_get(endpoint))
    }

    /// [`Self::wire`] by POST.
    pub async fn posted(&mut self, request: &AuthorizationRequest) -> Step<Request> {
        let context = self.context()?;
        let endpoint = self.need(context.endpoint("authorization_endpoint"))?;
        let sent = context.valid_front(&self.recorder, request).await;
        Ok(self.need(sent)?.by_post(endpoint))
    }

    /// What a browser sends; `None` with one more flow, where the push was refused.
    pub(super) async fn departure(
        &mut self,
        request: &AuthorizationRequest,
    ) -> Step<Option<Request>> {
        let context = self.context()?;
        let endpoint = self.need(context.endpoint("authorization_endpoint"))?;
        let front = context.front_channel(&self.recorder, request).await;
        match self.need(front)? {
            Front::Request(sent) => Ok(Some(sent.by_get(endpoint))),
            Front::Refused(landing) => {
                let (request, way) = (request.clone(), Way::default());
                self.flows.push(Flow { client: self.client, request, landing, way });
                Ok(None)
            }
        }
    }

    /// Sends an authorization request; the user does what is asked if `is_driven`.
    pub(super) async fn depart(&mut self, request: AuthorizationRequest, is_driven: bool) -> Step {
        match self.departure(&request).await? {
            Some(get) => self.navigate(request, get, is_driven, Decision::Approve).await,
            None => Ok(()),
        }
    }
}

/// The response is not that to another request of this run. What merely changes the state is judged
/// elsewhere.
pub(super) fn belongs_to(landing: &Landing, sent: &AuthorizationRequest) -> bool {
    let came = landing.response.as_ref().and_then(|response| response.value("state"));
    match (came, sent.params.value("state")) {
        (Some(came), Some(sent)) => came.len() != sent.len() || came.eq_ignore_ascii_case(sent),
        _ => true,
    }
}

pub(super) fn another_answer(landing: &Landing) -> Trouble {
    let remedy = "the server answers an earlier request of this browser; set concurrency to 1 in the profile";
    let detail = format!("{} with the state of another request", landing.gist());
    Trouble::new(Reason::CallbackNotReached, detail, remedy)
}
