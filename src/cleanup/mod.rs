//! The end of a run: what it was issued is revoked, the sessions at hand are ended, and what is left is
//! counted.

mod issued;
mod sessions;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use crate::http::Recorder;
use crate::model::exchange::Exchange;
use crate::model::report::Cleanup;
use crate::oauth::params::Params;
use crate::oauth::token;
use crate::world::context::Context;
use issued::Grant;
pub(crate) use issued::Issued;

/// Attempts in a row that did not succeed; the others would not either.
const MOST_FAILURES: usize = 3;

/// How long the end of a run takes that somebody interrupted.
const SHORT: Duration = Duration::from_secs(5);

/// How often somebody may have lost his patience.
const LOOK: Duration = Duration::from_millis(50);

/// How much time there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Haste {
    /// As much as it takes.
    None,
    /// Somebody interrupted the run, and waits for its end.
    Interrupted,
    /// He does not wait.
    InterruptedAgain,
}

/// Revokes what the run was issued and ends its sessions, as far as that is asked for and possible, and
/// says what is left. Nothing where others do not depend on the target and nobody asked. No verdict
/// rests on it. The texts are not redacted yet.
pub(crate) async fn clean_up(
    context: &Context,
    exchanges: Vec<Arc<Exchange>>,
    haste: &dyn Fn() -> Haste,
) -> Option<Cleanup> {
    let safety = &context.target.safety;
    if !safety.cleanup && !safety.environment.is_shared() {
        return None;
    }
    let issued = Issued::by(exchanges, context.facts.endpoint("revocation_endpoint"));
    let work = Work {
        context,
        recorder: Recorder::of("cleanup"),
        now: context.http.since(Duration::ZERO),
        done: RefCell::default(),
    };
    let whole = async {
        context.http.settle(&work.recorder).await;
        work.revoke_all(&issued).await;
        work.end_sessions().await;
    };
    let given_up = match safety.cleanup {
        true => tokio::select! {
            () = whole => None,
            why = patience(haste, SHORT) => Some(why),
        },
        false => Some("cleanup is switched off"),
    };
    if let Some(why) = given_up {
        work.done.borrow_mut().give_up(why);
    }
    Some(work.account(&issued))
}

/// Ends when there is no time left, `most` after an interruption; says why.
async fn patience(haste: &dyn Fn() -> Haste, most: Duration) -> &'static str {
    let mut waited = Duration::ZERO;
    loop {
        match haste() {
            Haste::None => {}
            Haste::Interrupted if waited < most => waited += LOOK,
            Haste::Interrupted => {
                return "the run was interrupted, and its end had no more than a few seconds";
            }
            Haste::InterruptedAgain => return "the end of the run was interrupted, too",
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What was done so far.
#[derive(Default)]
struct Done {
    /// Tokens that were revoked.
    revoked: Vec<String>,
    /// Sessions that were ended.
    sessions: usize,
    /// Why not everything was revoked.
    obstacle: Option<String>,
    /// Why not every session was ended.
    session_obstacle: Option<String>,
}

impl Done {
    fn give_up(&mut self, why: &str) {
        self.obstacle.get_or_insert_with(|| why.to_owned());
        self.session_obstacle.get_or_insert_with(|| why.to_owned());
    }
}

struct Work<'a> {
    context: &'a Context,
    recorder: Recorder,
    /// When the clean-up began.
    now: Duration,
    done: RefCell<Done>,
}

impl Work<'_> {
    async fn revoke_all(&self, issued: &Issued) {
        let Some(endpoint) = self.context.facts.endpoint("revocation_endpoint") else {
            let why = "the target has no revocation endpoint".to_owned();
            self.done.borrow_mut().obstacle = Some(why);
            return;
        };
        let mut failures = 0;
        for grant in issued.living(self.now) {
            for (kind, token) in grant.keys(self.now) {
                match self.revoke(endpoint, grant, kind, token).await {
                    Ok(()) => {
                        failures = 0;
                        self.done.borrow_mut().revoked.push(token.to_owned());
                    }
                    Err(why) => {
                        failures += 1;
                        self.done.borrow_mut().obstacle = Some(why);
                        if failures >= MOST_FAILURES {
                            return;
                        }
                    }
                }
            }
        }
    }

    /// Revokes one token; the error says what came back.
    async fn revoke(
        &self,
        endpoint: &str,
        grant: &Grant,
        kind: &str,
        token: &str,
    ) -> Result<(), String> {
        let form = Params::new([
            ("token", token),
            ("token_type_hint", kind),
            ("client_id", grant.client_id.as_str()),
        ]);
        let request = token::post(endpoint, &form);
        let exchange = self.context.http.send(&self.recorder, request).await;
        match exchange.response().map(|response| response.status) {
            Some(200) => Ok(()),
            Some(status) => Err(format!("the revocation endpoint answers {status}")),
            None => Err(exchange.outcome.as_ref().err().cloned().unwrap_or_default()),
        }
    }

    /// What was done, and what is left.
    fn account(&self, issued: &Issued) -> Cleanup {
        let done = self.done.take();
        let mut cleanup = Cleanup { issued: issued.grants(), ..Cleanup::default() };
        for grant in issued.living(self.now) {
            let mut keys = grant.keys(self.now).into_iter();
            let is_ended = keys.all(|(_, key)| done.revoked.iter().any(|known| known == key));
            let count = match (is_ended, &grant.refresh) {
                (true, _) => &mut cleanup.revoked,
                (false, Some(_)) => &mut cleanup.grants_left,
                (false, None) => &mut cleanup.access_tokens_left,
            };
            *count += 1;
        }
        let is_left = cleanup.grants_left + cleanup.access_tokens_left > 0;
        cleanup.obstacle = done.obstacle.filter(|_| is_left);
        cleanup.sessions_ended = done.sessions;
        cleanup.sessions_left = self.context.memory.spent().saturating_sub(done.sessions);
        cleanup.sessions_obstacle = done.session_obstacle.filter(|_| cleanup.sessions_left > 0);
        cleanup
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn an_interrupted_run_has_a_few_seconds_for_its_end_and_one_interrupted_twice_none() {
        let looks = Cell::new(0_u32);
        let interrupted = || {
            looks.set(looks.get() + 1);
            Haste::Interrupted
        };
        assert!(patience(&interrupted, LOOK * 2).await.contains("a few seconds"));
        assert_eq!(looks.get(), 3);

        let looks = Cell::new(0);
        let impatient = || {
            looks.set(looks.get() + 1);
            if looks.get() > 3 { Haste::InterruptedAgain } else { Haste::None }
        };
        assert!(patience(&impatient, SHORT).await.ends_with("too"));
        assert_eq!(looks.get(), 4);
    }
}
