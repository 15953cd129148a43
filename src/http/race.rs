//! Requests that arrive at the same moment.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;

use super::connection::Connection;
use super::pace::pause;
use super::request::complete;
use super::{Http, Origin, Recorder};
use crate::model::exchange::{Exchange, Request, Withheld};

impl Http {
    /// Sends every request at the same moment and records the answers in the order of the requests.
    ///
    /// Each goes out on a warm connection of its own, all but its last octet; when all of them have
    /// come that far, the last octets follow together.
    pub async fn race(
        &self,
        recorder: &Recorder,
        mut requests: Vec<Request>,
    ) -> Vec<Arc<Exchange>> {
        for request in &mut requests {
            if let Ok(origin) = Origin::of(&request.url) {
                complete(&origin, request);
                self.mark(recorder, request);
            }
        }
        self.pace.wait_for(requests.len()).await;
        let ready = join_all(requests.iter().map(|request| self.begin(request))).await;
        let started = Instant::now();
        let outcomes = join_all(ready.into_iter().zip(&requests).map(|(ready, request)| async {
            let (connection, origin) = ready?;
            self.on(connection, &origin, request).await.map_err(|(reason, _)| (None, reason))
        }))
        .await;
        let noted = requests.into_iter().zip(outcomes).map(|(request, outcome)| match outcome {
            Err((withheld @ Some(_), reason)) => {
                self.record(recorder, started, request, Err(reason), withheld)
            }
            outcome => self.note(recorder, started, request, outcome.map_err(|(_, reason)| reason)),
        });
        noted.collect()
    }

    /// A connection on which the request waits for its last octet.
    async fn begin(
        &self,
        request: &Request,
    ) -> Result<(Connection, Origin), (Option<Withheld>, String)> {
        let (origin, wait) = self.admit(&request.url)?;
        pause(wait).await;
        if let Some(mut connection) = self.take_idle(&origin)
            && connection.begin(request).await.is_ok()
        {
            return Ok((connection, origin));
        }
        let broken = |reason: String| (None, reason);
        let mut connection = self.connect(&origin).await.map_err(broken)?;
        connection.begin(request).await.map_err(broken)?;
        Ok((connection, origin))
    }
}
