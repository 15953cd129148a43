//! Between two scenarios: waiting for a target that is ill or asked to be left alone.

use std::time::{Duration, Instant};

use super::care::Next;
use super::request::complete;
use super::{Http, Origin, Recorder};
use crate::model::exchange::Request;

impl Http {
    /// Waits as long as a server of the target asked for or is ill; after the cool-down, one request
    /// that was answered before shows whether it has recovered. Bounded by [`super::Limits`].
    pub async fn settle(&self, recorder: &Recorder) {
        let _turn = self.settling.lock().await;
        loop {
            match self.guard.next(Instant::now()) {
                Next::Go => return,
                Next::Wait(time) => tokio::time::sleep(time).await,
                Next::Probe(origin, url) => self.probe(recorder, &origin, url).await,
            }
        }
    }

    async fn probe(&self, recorder: &Recorder, origin: &Origin, url: String) {
        let mut request = Request::get(url);
        request.headers.push(("Accept".into(), "*/*".into()));
        complete(origin, &mut request);
        self.mark(recorder, &mut request);
        self.pace.wait().await;
        let started = Instant::now();
        let outcome = self.exchange(origin, &request).await;
        self.guard.probed(origin, &outcome, Instant::now());
        self.record(recorder, started, request, outcome, None);
    }

    /// What is sent from now on belongs to the end of the run, for which a part of the budget is kept.
    pub fn end(&self) {
        self.guard.end();
    }

    /// A server of the target is ill now: nothing is sent to it.
    pub fn is_ill(&self) -> bool {
        self.guard.is_ill()
    }

    /// How often servers of the target fell ill, and the time that they asked for by `Retry-After`.
    pub fn disturbances(&self) -> (u32, Duration) {
        self.guard.summary()
    }
}
