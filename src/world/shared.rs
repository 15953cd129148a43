//! What scenarios share: facts that are found out once, and parts that several scenarios judge and
//! none of them changes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::context::{Context, Grant};
use super::{Flow, Step, World};
use crate::model::exchange::Exchange;
use crate::model::verdict::Obstacle;

/// What is found out once, by whoever asks first.
pub(super) struct Known<T>(tokio::sync::Mutex<Option<Result<T, Obstacle>>>);

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(tokio::sync::Mutex::new(None))
    }
}

impl<T: Clone> Known<T> {
    pub(super) async fn or_find(
        &self,
        find: impl Future<Output = Result<T, Obstacle>>,
    ) -> Result<T, Obstacle> {
        let mut known = self.0.lock().await;
        match &*known {
            Some(found) => found.clone(),
            None => known.insert(find.await).clone(),
        }
    }

    pub(super) async fn is_failure(&self) -> bool {
        self.0.lock().await.as_ref().is_some_and(Result::is_err)
    }

    pub(super) async fn forget_failure(&self) {
        let mut known = self.0.lock().await;
        known.take_if(|found| found.is_err());
    }
}

/// What a part left behind. A part gets ready what others judge: what it observes or judges itself
/// stays with it.
#[derive(Clone, Default)]
struct Played {
    client: usize,
    exchanges: Vec<Arc<Exchange>>,
    flows: Vec<Flow>,
    answers: Vec<Arc<Exchange>>,
    grants: Vec<Grant>,
    /// What kept it from its end.
    obstacle: Option<Obstacle>,
    /// Why nothing that rests on it applies.
    not_applicable: Option<String>,
}

/// The parts of a run, by name.
#[derive(Default)]
pub struct Parts(Mutex<BTreeMap<&'static str, Arc<OnceCell<Played>>>>);

impl Parts {
    /// Lets a part that came to no good end be played once more.
    pub fn forget_failures(&self) {
        let is_good = |played: &Played| {
            played.obstacle.is_none() && !played.exchanges.iter().any(|e| e.is_disturbed())
        };
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts.retain(|_, cell| cell.get().is_none_or(is_good));
    }

    fn named(&self, name: &'static str) -> Arc<OnceCell<Played>> {
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts.entry(name).or_default().clone()
    }
}

impl World {
    /// Brings what `part` leaves behind into this scenario, its exchanges as evidence. It is played
    /// by the first scenario that asks for it, in a world of its own.
    pub async fn share(
        &mut self,
        name: &'static str,
        part: impl AsyncFnOnce(&mut World) -> Step,
    ) -> Step {
        let context = self.context()?;
        let cell = context.parts.named(name);
        let played = cell.get_or_init(|| play(&context, part)).await.clone();
        self.adopt(played)
    }

    fn adopt(&mut self, played: Played) -> Step {
        // A judge names an exchange by its number, which is another one here.
        let cited: BTreeMap<usize, Arc<Exchange>> =
            played.exchanges.iter().map(|e| (e.number, self.recorder.cite(e))).collect();
        let here = |exchange: &Arc<Exchange>| {
            cited.get(&exchange.number).cloned().unwrap_or_else(|| exchange.clone())
        };
        self.client = played.client;
        self.answers.extend(played.answers.iter().map(here));
        for mut flow in played.flows {
            flow.landing.exchange = here(&flow.landing.exchange);
            self.flows.push(flow);
        }
        for mut grant in played.grants {
            grant.exchange = here(&grant.exchange);
            self.grants.push(grant);
        }
        match played.not_applicable {
            Some(reason) => self.not_applicable(reason),
            None => self.need(played.obstacle.map_or(Ok(()), Err)),
        }
    }
}

async fn play(context: &Arc<Context>, part: impl AsyncFnOnce(&mut World) -> Step) -> Played {
    let mut world = World::default();
    world.enter(context, "shared");
    let outcome = part(&mut world).await;
    world.leave();
    let ledger = world.ledger();
    let unknown = |stop| {
        let remedy = "see the exchanges of this scenario";
        Obstacle::new("to play a part that scenarios share", format!("{stop}"), remedy)
    };
    Played {
        client: world.client,
        exchanges: ledger.exchanges,
        flows: world.flows,
        answers: world.answers,
        grants: world.grants,
        obstacle: outcome.err().map(|stop| ledger.obstacle.unwrap_or_else(|| unknown(stop))),
        not_applicable: ledger.not_applicable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failure_is_found_out_once_more_after_it_was_forgotten() {
        let known = Known::default();
        let obstacle = || Obstacle::new("to sign in", "500", "see the log");
        assert!(known.or_find(async { Err(obstacle()) }).await.is_err());
        assert!(known.or_find(async { Ok(1) }).await.is_err() && known.is_failure().await);
        known.forget_failure().await;
        assert_eq!(known.or_find(async { Ok(2) }).await.ok(), Some(2));
        known.forget_failure().await;
        assert_eq!(known.or_find(async { Ok(3) }).await.ok(), Some(2));
    }

    #[test]
    fn a_part_is_forgotten_when_it_came_to_no_good_end() {
        let parts = Parts::default();
        let obstacle = Some(Obstacle::new("to sign in", "500", "see the log"));
        assert!(parts.named("good").set(Played::default()).is_ok());
        assert!(parts.named("bad").set(Played { obstacle, ..Played::default() }).is_ok());
        parts.forget_failures();
        assert!(parts.named("good").get().is_some() && parts.named("bad").get().is_none());
    }
}
