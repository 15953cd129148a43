//! Answers that may never end: streams of events.

use std::sync::Arc;
use std::time::Instant;

use super::connection::Enough;
use super::pace::pause;
use super::request::complete;
use super::{Http, Recorder};
use crate::model::exchange::{Exchange, Request, Response};

impl Http {
    /// Sends `request` on a connection of its own and reads the answer until it ends, until `enough`
    /// says so of the body so far, or until `over` is done, whichever is first. What arrived until
    /// then is the answer, marked as truncated where more could have come.
    ///
    /// A stream that is silent is no server that stalls: nothing is counted against its patience.
    pub async fn listen(
        &self,
        recorder: &Recorder,
        mut request: Request,
        enough: Enough<'_>,
        over: impl Future<Output = ()>,
    ) -> Arc<Exchange> {
        let mut started = Instant::now();
        let (mut so_far, mut withheld) = (None, None);
        let reading = async {
            let (origin, wait) = self.admit(&request.url).map_err(|(why, reason)| {
                withheld = why;
                reason
            })?;
            complete(&origin, &mut request);
            self.mark(recorder, &mut request);
            pause(wait).await;
            self.pace.wait().await;
            started = Instant::now();
            let mut connection = self.connect(&origin).await?;
            self.count();
            let read = connection.listen(&request, self.limits, &mut so_far, enough);
            read.await.map_err(|broken| broken.reason)
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
