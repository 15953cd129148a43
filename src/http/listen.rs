//! Answers that may never end: streams of events, and the messages of a web socket.

use std::sync::Arc;
use std::time::Instant;

use super::connection::Enough;
use super::pace::pause;
use super::request::complete;
use super::web_socket::{self, Talk};
use super::{Http, Recorder};
use crate::model::exchange::{Exchange, Request, Response};

/// How somebody listens.
#[derive(Clone, Copy)]
pub enum Listening<'a> {
    /// To the body, until that is enough.
    Body(Enough<'a>),
    /// To a web socket of one of these subprotocols.
    Socket(Option<&'a str>, Talk<'a>),
}

impl Http {
    /// Sends `request` on a connection of its own and reads the answer until it ends, until enough
    /// was heard, or until `over` is done, whichever is first. What arrived until then is the
    /// answer, marked as truncated where more could have come.
    ///
    /// A stream that is silent is no server that stalls: nothing is counted against its patience.
    pub async fn listen(
        &self,
        recorder: &Recorder,
        mut request: Request,
        listening: Listening<'_>,
        over: impl Future<Output = ()>,
    ) -> Arc<Exchange> {
        let mut started = Instant::now();
        let (mut so_far, mut withheld) = (None, None);
        let reading = async {
            let (origin, wait) = self.admit(&request.url).map_err(|(why, reason)| {
                withheld = why;
                reason
            })?;
            if let Listening::Socket(protocols, _) = listening {
                web_socket::ask(&mut request, protocols);
            }
            complete(&origin, &mut request);
            self.mark(recorder, &mut request);
            pause(wait).await;
            self.pace.wait().await;
            started = Instant::now();
            let mut connection = self.connect(&origin).await?;
            self.count();
            let (limits, so_far) = (self.limits, &mut so_far);
            let read = match listening {
                Listening::Body(enough) => {
                    connection.listen(&request, limits, so_far, enough).await.map(|_| ())
                }
                Listening::Socket(_, talk) => {
                    connection.converse(&request, limits, so_far, talk).await
                }
            };
            read.map_err(|broken| broken.reason)
        };
        let is_over = tokio::select! {
            biased;
            ended = reading => ended.map(|_| false),
            () = over => Ok(true),
        };
        let outcome = match (is_over, so_far) {
            (Ok(true), Some(response)) => Ok(Response { truncated: true, ..response }),
            (_, Some(response)) => Ok(response),
            (Ok(_), None) => Err("no header fields until nobody waited any longer".into()),
            (Err(reason), None) => Err(reason),
        };
        self.record(recorder, started, request, outcome, withheld)
    }
}
