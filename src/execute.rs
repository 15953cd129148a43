//! Runs the scenarios of a plan.
//!
//! Features, steps and their matching are cucumber's. The loop is ours: it keeps no events.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use gherkin::{Feature, Rule, Scenario, Step};

use crate::catalogue::{Catalogue, id_of};
use crate::doubt::{excuse, is_doubtful, lost_answer, met_disturbance};
use crate::draw::{ById, Ended, status_of};
use crate::model::exchange::Exchange;
use crate::model::requirement::Requirement;
use crate::model::verdict::{Ending, Obstacle, Status, Verdict, conclude};
use crate::places::Places;
use crate::plan::Plan;
use crate::play::play;
use crate::world::World;
use crate::world::context::Context;

/// Learns of each requirement as soon as all its scenarios have ended.
pub trait Observer {
    /// The run begins with that many requirements.
    fn begins(&self, requirements: usize);
    /// A requirement has its status.
    fn concluded(&self, requirement: &Requirement, status: Status);
    /// Exchanges are to be shown.
    fn wants_exchanges(&self) -> bool {
        false
    }
    /// An exchange of a requirement that is about to be concluded.
    fn exchanged(&self, _: &Requirement, _: &Glimpse) {}
    /// Somebody wants the run to end: no further scenario begins.
    fn is_stopped(&self) -> bool {
        false
    }
    /// The scenarios are over, and what the run was issued is about to be revoked.
    fn cleans_up(&self) {}
    /// Somebody does not wait for the clean-up either.
    fn is_hurried(&self) -> bool {
        false
    }
}

/// What a line says of an exchange; nothing of it is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glimpse {
    /// Position in the scenario, from 1.
    pub number: usize,
    /// Method of the request.
    pub method: String,
    /// The name of the endpoint, as in the report.
    pub endpoint: String,
    /// Status code, absent when no answer came.
    pub status: Option<u16>,
    /// Time until the answer was complete.
    pub elapsed: Duration,
}

impl fmt::Display for Glimpse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, method, endpoint, status, elapsed } = self;
        let status = status.map_or("no answer".into(), |status| status.to_string());
        write!(f, "{number:>4} {method} {endpoint} {status} {} ms", elapsed.as_millis())
    }
}

/// Watches nothing.
impl Observer for () {
    fn begins(&self, _: usize) {}
    fn concluded(&self, _: &Requirement, _: Status) {}
}

/// A scenario in its place.
#[derive(Clone, Copy)]
struct Job<'a> {
    feature: &'a Feature,
    rule: &'a Rule,
    scenario: &'a Scenario,
}

impl<'a> Job<'a> {
    fn is(&self, wanted: &str) -> bool {
        let tags = [&self.feature.tags, &self.rule.tags, &self.scenario.tags];
        tags.into_iter().flatten().any(|tag| tag == wanted)
    }

    fn id(&self) -> &'a str {
        id_of(&self.rule.tags).unwrap_or_default()
    }

    fn steps(&self) -> impl Iterator<Item = &'a Step> + use<'a> {
        let backgrounds = [&self.feature.background, &self.rule.background];
        let backgrounds = backgrounds.into_iter().flatten().flat_map(|b| &b.steps);
        backgrounds.chain(&self.scenario.steps)
    }
}

/// What has ended, and how many scenarios each requirement still waits for.
struct Tally<'a> {
    catalogue: &'static Catalogue,
    context: &'a Context,
    observer: &'a dyn Observer,
    left: BTreeMap<&'a str, usize>,
    ended: ById,
}

impl<'a> Tally<'a> {
    fn add(&mut self, id: &'a str, ended: Ended) {
        let of_rule = self.ended.entry(id.to_owned()).or_default();
        of_rule.push(ended);
        let Some(count) = self.left.get_mut(id) else { return };
        *count -= 1;
        if let (0, Some(requirement)) = (*count, self.catalogue.requirement(id)) {
            if self.observer.wants_exchanges() {
                show(requirement, of_rule, self.context, self.observer);
            }
            self.observer
                .concluded(requirement, status_of(requirement, of_rule, self.context.profile));
        }
    }
}

fn show(requirement: &Requirement, ended: &[Ended], context: &Context, observer: &dyn Observer) {
    let places = Places::of(context);
    for exchange in ended.iter().flat_map(|e| &e.ledger.exchanges) {
        let glimpse = Glimpse {
            number: exchange.number,
            method: exchange.request.method.clone(),
            endpoint: places.route(exchange).endpoint,
            status: exchange.response().map(|r| r.status),
            elapsed: exchange.elapsed,
        };
        observer.exchanged(requirement, &glimpse);
    }
}

/// Runs every scenario of the plan: those tagged `@serial` first and alone, then the others side by
/// side, and at last those tagged `@last`, which look at what the run exchanged.
pub(crate) async fn execute(
    catalogue: &'static Catalogue,
    plan: &Plan,
    context: &Arc<Context>,
    observer: &dyn Observer,
) -> ById {
    let jobs: Vec<Job<'_>> = plan
        .features
        .iter()
        .flat_map(|feature| feature.rules.iter().map(move |rule| (feature, rule)))
        .flat_map(|(feature, rule)| {
            rule.scenarios.iter().map(move |scenario| Job { feature, rule, scenario })
        })
        .collect();
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    jobs.iter().for_each(|job| *left.entry(job.id()).or_default() += 1);
    observer.begins(left.len());
    let tally = RefCell::new(Tally { catalogue, context, observer, left, ended: BTreeMap::new() });
    let (last, first): (Vec<Job<'_>>, Vec<Job<'_>>) = jobs.into_iter().partition(|j| j.is("last"));
    for part in [first, last] {
        let (serial, others): (Vec<Job<'_>>, Vec<Job<'_>>) =
            part.into_iter().partition(|job| job.is("serial"));
        for job in serial {
            let ended = scenario(job, context, observer).await;
            tally.borrow_mut().add(job.id(), ended);
        }
        let mut doubtful = Vec::new();
        let mut ended = stream::iter(others)
            .map(async |job| (job, scenario(job, context, observer).await))
            .buffer_unordered(context.target.login.lanes(context.target.concurrency));
        while let Some((job, ended)) = ended.next().await {
            match !job.is("last") && is_doubtful(&ended) && doubtful.len() < MOST_REPEATED {
                true => doubtful.push((job, ended)),
                false => tally.borrow_mut().add(job.id(), ended),
            }
        }
        // A network in between may lose an answer; on loopback, one that does not come never does.
        let is_lossy = context.target.safety.environment.is_shared();
        let is_disturbed = doubtful
            .iter()
            .any(|(_, ended)| met_disturbance(ended) || is_lossy && lost_answer(ended))
            || !doubtful.is_empty()
                && context.shared.exchanges().iter().any(|exchange| exchange.is_disturbed());
        if is_disturbed {
            context.forget_failures().await;
        }
        let mut slow = Duration::ZERO;
        for (job, mut ended) in doubtful {
            if is_disturbed {
                ended = again(job, context, observer, &ended, "alone").await;
            }
            // A server of one's own may have no rest between two requests, and need it.
            let is_still = is_doubtful(&ended) && met_disturbance(&ended);
            if is_disturbed && is_still && slow < MOST_SLOW && !context.clock.is_virtual() {
                let started = Instant::now();
                context.http.rest(REST);
                ended = again(job, context, observer, &ended, "alone and slowly").await;
                context.http.rest(Duration::ZERO);
                slow += started.elapsed();
            }
            tally.borrow_mut().add(job.id(), ended);
        }
        let all = tally.borrow();
        // What the first part exchanged is what the last one looks at, copies aside.
        let mut seen = HashSet::new();
        let mut so_far: Vec<Arc<Exchange>> =
            all.ended.values().flatten().flat_map(|e| e.ledger.exchanges.clone()).collect();
        so_far.retain(|exchange| seen.insert(Arc::as_ptr(exchange)));
        let _ = context.whole.set(so_far);
    }
    let mut ended = tally.into_inner().ended;
    for scenarios in ended.values_mut() {
        scenarios.sort_by(|a, b| (&a.feature, a.line).cmp(&(&b.feature, b.line)));
    }
    ended
}

/// Scenarios that are repeated in one run; a server that fails more often is ill.
const MOST_REPEATED: usize = 64;

/// Time between two requests of a scenario that failed alone too: more than a second, by whose number
/// servers name what must be unique.
const REST: Duration = Duration::from_millis(1_100);

/// Time in one run after which no further scenario is repeated slowly.
const MOST_SLOW: Duration = Duration::from_secs(60);

/// Repeats a scenario while no other runs; a fault that shows only under load is none of this duty.
/// What was exchanged the first time stays in the record of the run.
async fn again(
    job: Job<'_>,
    context: &Arc<Context>,
    observer: &dyn Observer,
    first: &Ended,
    how: &str,
) -> Ended {
    for exchange in &first.ledger.exchanges {
        context.shared.cite(exchange);
    }
    let mut ended = scenario(job, context, observer).await;
    let was = if first.verdict == Verdict::Fail { "fail" } else { "inconclusive" };
    let then = if observer.is_stopped() { "not repeated to its end" } else { "repeated" };
    ended
        .ledger
        .observations
        .push(format!("{was} before, when the target failed or was busy: {then} {how}"));
    ended
}

async fn scenario(job: Job<'_>, context: &Arc<Context>, observer: &dyn Observer) -> Ended {
    let is_stopped = observer.is_stopped();
    if !is_stopped {
        context.http.settle(&context.shared).await;
    }
    let (started, at) = (Instant::now(), context.http.since(Duration::ZERO));
    let mut world = World::default();
    world.enter(context, job.id());
    let (steps, ending) = match is_stopped {
        true => (vec![], Ending::Completed),
        false => play(job.steps(), &mut world).await,
    };
    let mut ledger = world.ledger();
    world.end();
    if is_stopped {
        let remedy = "run it again";
        let obstacle = Obstacle::new("to run the scenario", "the run was interrupted", remedy);
        ledger.obstacle = Some(obstacle);
    }
    let verdict = conclude(&ledger, ending);
    let ended = Ended {
        feature: job.feature.path.as_ref().map(|p| p.display().to_string()).unwrap_or_default(),
        line: job.scenario.position.line,
        name: job.scenario.name.clone(),
        at,
        elapsed: started.elapsed(),
        steps,
        verdict,
        ledger,
    };
    excuse(ended, context.http.is_ill())
}
