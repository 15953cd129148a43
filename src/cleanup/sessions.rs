//! The sessions of the users who signed in: ended by RP-initiated logout where the target has it.

use super::{MOST_FAILURES, Work};
use crate::http::user_agent::UserAgent;
use crate::model::exchange::Request;
use crate::oauth::authorization::Landing;
use crate::oauth::params::Params;

impl Work<'_> {
    /// Signs every browser out in which somebody signed in and which is still at hand.
    pub(super) async fn end_sessions(&self) {
        let context = self.context;
        let hint = context.baseline.as_ref().and_then(|grant| grant.tokens.id_token());
        let (endpoint, hint) = match (context.facts.endpoint("end_session_endpoint"), hint) {
            (Some(endpoint), Some(hint)) => (endpoint, hint),
            (None, _) => return self.leave("the target has no end_session_endpoint"),
            (_, None) => return self.leave("no ID Token was issued that could be the hint"),
        };
        let mut params = Params::new([("id_token_hint", hint)]);
        params.set("client_id", context.client(0).id.as_str());
        if let Some(uri) = &context.target.post_logout_redirect_uri {
            params.set("post_logout_redirect_uri", uri.as_str());
        }
        let request = Request::get(params.on(endpoint));
        let mut failures = 0;
        for mut browser in context.take_signed_in() {
            match self.sign_out(&mut browser, request.clone()).await {
                Ok(()) => {
                    failures = 0;
                    self.done.borrow_mut().sessions += 1;
                }
                Err(why) => {
                    failures += 1;
                    self.leave(&why);
                    if failures >= MOST_FAILURES {
                        return;
                    }
                }
            }
        }
        self.leave("their cookies went with the scenarios that failed or lost them");
    }

    /// The first reason counts.
    fn leave(&self, why: &str) {
        self.done.borrow_mut().session_obstacle.get_or_insert_with(|| why.to_owned());
    }

    /// The error says what came back.
    async fn sign_out(&self, browser: &mut UserAgent, request: Request) -> Result<(), String> {
        let (context, recorder) = (self.context, &self.recorder);
        let landing = context.visit(browser, recorder, request).await;
        match context.confirm_logout(browser, recorder, landing).await {
            Ok(landing) => is_over(&landing),
            Err(_) => Err("the end_session_endpoint asks the user again and again".into()),
        }
    }
}

/// The browser was sent on, or shown a page that is no error and asks nothing.
fn is_over(landing: &Landing) -> Result<(), String> {
    match landing.exchange.response().map(|response| response.status) {
        Some(200..400) if !landing.endless => Ok(()),
        Some(status) => Err(format!("the end_session_endpoint answers {status}")),
        None => Err(landing.exchange.outcome.as_ref().err().cloned().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::exchange::samples::answered;

    fn landing(status: u16) -> Landing {
        let exchange = Arc::new(answered(status, &[], ""));
        Landing { exchange, response: None, endless: false, asks_to_sign_in: false, shown: None }
    }

    #[test]
    fn an_error_ends_no_session() {
        assert_eq!(
            [200, 204, 302, 303].map(|status| is_over(&landing(status))),
            [const { Ok(()) }; 4]
        );
        for status in [400, 403, 500] {
            assert!(is_over(&landing(status)).unwrap_err().contains(&status.to_string()));
        }
        assert!(is_over(&Landing { endless: true, ..landing(302) }).is_err());
    }
}
