//! Runs the scenarios of a plan.
//!
//! Features, steps and their matching are cucumber's. The loop is ours: it keeps no events, matches
//! each text once in the life of the process, and lets a step end a scenario in silence.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use cucumber::step::{CaptureName, Context as StepContext, Step as StepFunction};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use gherkin::{Feature, Rule, Scenario, Step, StepType};

use crate::catalogue::{Catalogue, id_of};
use crate::draw::{ById, Ended, status_of};
use crate::model::exchange::{Exchange, Withheld};
use crate::model::report::StepReport;
use crate::model::requirement::Requirement;
use crate::model::verdict::{
    Deviation, Ending, Ledger, Obstacle, Status, StepOutcome, Verdict, Weight, conclude,
};
use crate::plan::Plan;
use crate::world::context::Context;
use crate::world::{World, registered_steps};

/// Learns of each requirement as soon as all its scenarios have ended.
pub trait Observer {
    /// The run begins with that many requirements.
    fn begins(&self, requirements: usize);
    /// A requirement has its status.
    fn concluded(&self, requirement: &Requirement, status: Status);
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
            self.observer
                .concluded(requirement, status_of(requirement, of_rule, self.context.profile));
        }
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
            let ended = scenario(job, context).await;
            tally.borrow_mut().add(job.id(), ended);
        }
        let mut doubtful = Vec::new();
        let mut ended = stream::iter(others)
            .map(async |job| (job, scenario(job, context).await))
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
        for (job, mut ended) in doubtful {
            if is_disturbed {
                ended = again(job, context, &ended).await;
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

/// The target failed or was busy in the course of the scenario.
fn met_disturbance(ended: &Ended) -> bool {
    ended.ledger.exchanges.iter().any(|exchange| exchange.is_disturbed())
}

/// An answer did not come.
fn lost_answer(ended: &Ended) -> bool {
    ended.ledger.exchanges.iter().any(|exchange| exchange.outcome.is_err())
}

/// The verdict may be that of a target that could not keep up: what an obstacle rests on may lie
/// outside the scenario.
fn is_doubtful(ended: &Ended) -> bool {
    let is_spent = |e: &Arc<Exchange>| e.withheld == Some(Withheld::BudgetSpent);
    match ended.verdict {
        Verdict::Inconclusive(_) if ended.ledger.exchanges.iter().any(is_spent) => false,
        Verdict::Inconclusive(_) => true,
        Verdict::Fail => met_disturbance(ended) && !has_other_grounds(&ended.ledger),
        _ => false,
    }
}

/// A deviation of full weight that another answer than a failure of the server shows.
fn has_other_grounds(ledger: &Ledger) -> bool {
    let shown_by = |number: usize| ledger.exchanges.iter().find(|e| e.number == number);
    let is_ground = |d: &Deviation| {
        d.weight >= Weight::Draft
            && d.exchange.and_then(shown_by).is_some_and(|e| !e.is_disturbed())
    };
    ledger.deviations.iter().any(is_ground)
}

/// Repeats a scenario while no other runs; a fault that shows only under load is none of this duty.
/// What was exchanged the first time stays in the record of the run.
async fn again(job: Job<'_>, context: &Arc<Context>, first: &Ended) -> Ended {
    for exchange in &first.ledger.exchanges {
        context.shared.cite(exchange);
    }
    let mut ended = scenario(job, context).await;
    let was = if first.verdict == Verdict::Fail { "fail" } else { "inconclusive" };
    ended.ledger.observations.push(format!(
        "{was} at first, when the target failed or was busy while other scenarios ran: repeated alone"
    ));
    ended
}

async fn scenario(job: Job<'_>, context: &Arc<Context>) -> Ended {
    context.http.settle(&context.shared).await;
    let (started, at) = (Instant::now(), context.http.since(Duration::ZERO));
    let mut world = World::default();
    world.enter(context, job.id());
    let (steps, ending) = play(job, &mut world).await;
    world.leave();
    let ledger = world.ledger();
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

/// Sets aside what deviates where the verdict does not rest on it: a request was not sent, or nothing
/// but the failures of a server that is ill show it.
fn excuse(mut ended: Ended, is_ill: bool) -> Ended {
    if is_ill && ended.verdict == Verdict::Fail && is_doubtful(&ended) {
        let came_back = "failures of a target that fails or is busy whatever it is asked";
        let obstacle = Obstacle::new("to judge what came back", came_back, Withheld::Ill.remedy());
        ended.verdict = Verdict::Inconclusive(obstacle);
    }
    if matches!(ended.verdict, Verdict::Inconclusive(_)) {
        let all = std::mem::take(&mut ended.ledger.deviations);
        let (heavy, light) = all.into_iter().partition(|d| d.weight >= Weight::Draft);
        ended.ledger.deviations = light;
        let heavy: Vec<Deviation> = heavy;
        ended.ledger.observations.extend(heavy.iter().map(|d| format!("set aside: {d}")));
    }
    ended
}

/// Step by step, until one of them ends the scenario.
async fn play(job: Job<'_>, world: &mut World) -> (Vec<StepReport>, Ending) {
    let mut ending = Ending::Completed;
    let mut steps = Vec::new();
    for step in job.steps() {
        let (started, before) = (Instant::now(), world.deviations());
        let mut outcome = StepOutcome::NotRun;
        if ending == Ending::Completed {
            ending = one(step, world).await;
            outcome = match ending {
                _ if world.deviations() > before => StepOutcome::Deviated,
                Ending::Completed => StepOutcome::Passed,
                Ending::Stopped(_) | Ending::Undefined(_) => StepOutcome::Stopped,
            };
        }
        steps.push(StepReport {
            keyword: step.keyword.trim().to_owned(),
            text: step.value.clone(),
            line: step.position.line,
            outcome,
            elapsed_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            exchanges: world.exchanges(),
        });
    }
    (steps, ending)
}

async fn one(step: &Step, world: &mut World) -> Ending {
    let (function, matches) = match &*definition(step) {
        Definition::Found(function, matches) => (*function, matches.clone()),
        Definition::Missing(why) => return Ending::Undefined(why.clone()),
    };
    let given = StepContext { step: step.clone(), matches };
    match quietly(function(world, given)).await {
        Ok(()) => Ending::Completed,
        Err(text) => Ending::Stopped(text),
    }
}

/// What a text stands for.
enum Definition {
    Found(StepFunction<World>, Vec<(CaptureName, String)>),
    Missing(String),
}

/// The definition of a step. Matching tries every expression, so each text is matched once.
fn definition(step: &Step) -> Arc<Definition> {
    type Known = HashMap<StepType, HashMap<String, Arc<Definition>>>;
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let of_type = known.entry(step.ty).or_default();
    if let Some(definition) = of_type.get(&step.value) {
        return definition.clone();
    }
    let definition = Arc::new(match registered_steps().find(step) {
        Ok(Some((function, _, _, given))) => Definition::Found(*function, given.matches),
        Ok(None) => Definition::Missing(format!("no definition of \"{}\"", step.value)),
        Err(e) => Definition::Missing(format!("\"{}\" is ambiguous: {e}", step.value)),
    });
    of_type.insert(step.value.clone(), definition.clone());
    definition
}

thread_local! {
    /// A step runs on this thread: its panic is how it ends the scenario.
    static IN_STEP: Cell<bool> = const { Cell::new(false) };
}

/// Awaits a step. A step that returns an error panics, by the macros of cucumber; the text is
/// returned and nothing is printed.
async fn quietly(step: impl Future<Output = ()>) -> Result<(), String> {
    static HUSH: Once = Once::new();
    HUSH.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !IN_STEP.get() {
                loud(info);
            }
        }));
    });
    let mut step = std::pin::pin!(AssertUnwindSafe(step).catch_unwind());
    let outcome = poll_fn(|cx| {
        IN_STEP.set(true);
        let outcome = step.poll_unpin(cx);
        IN_STEP.set(false);
        outcome
    });
    outcome.await.map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::answered;

    #[tokio::test]
    async fn a_step_that_panics_ends_with_its_text() {
        assert_eq!(quietly(async {}).await, Ok(()));
        let stopped = quietly(async { panic!("{}", "no code") }).await;
        assert_eq!(stopped, Err("no code".to_owned()));
    }

    fn ended(verdict: Verdict, status: u16) -> Ended {
        let exchanges = vec![Arc::new(answered(status, &[], ""))];
        Ended {
            feature: String::new(),
            line: 1,
            name: String::new(),
            at: Duration::ZERO,
            elapsed: Duration::ZERO,
            steps: vec![],
            verdict,
            ledger: Ledger { exchanges, ..Ledger::default() },
        }
    }

    #[test]
    fn a_failure_is_doubtful_beside_a_server_error_and_an_obstacle_always() {
        let obstacle = Verdict::Inconclusive(Obstacle::new("to do", "500", "see the log"));
        assert!(is_doubtful(&ended(obstacle, 200)));
        assert!(is_doubtful(&ended(Verdict::Fail, 500)));
        assert!(is_doubtful(&ended(Verdict::Fail, 429)));
        assert!(!is_doubtful(&ended(Verdict::Pass, 500)));
        assert!(!is_doubtful(&ended(Verdict::Fail, 400)));
        assert!(!is_doubtful(&ended(Verdict::Fail, 501)));
    }

    #[test]
    fn failures_of_an_ill_server_are_no_violation() {
        let of = |ended: Ended, is_ill| {
            let mut ended = ended;
            ended.ledger.deviations = vec![Deviation::new("a refusal", "500")];
            excuse(ended, is_ill)
        };
        let excused = of(ended(Verdict::Fail, 500), true);
        assert!(matches!(excused.verdict, Verdict::Inconclusive(_)));
        assert!(excused.ledger.deviations.is_empty());
        assert!(excused.ledger.observations[0].contains("set aside: expected a refusal"));
        assert_eq!(of(ended(Verdict::Fail, 500), false).verdict, Verdict::Fail);
        assert_eq!(of(ended(Verdict::Fail, 400), true).verdict, Verdict::Fail);
    }

    #[test]
    fn a_violation_that_another_answer_shows_is_beyond_doubt() {
        let mut race = ended(Verdict::Fail, 500);
        let winner = Exchange { number: 2, ..answered(200, &[], "") };
        let deviation = Deviation::new("one winner", "two").seen_in(&winner);
        race.ledger.exchanges.push(Arc::new(winner));
        race.ledger.deviations.push(deviation);
        assert!(!is_doubtful(&race));
        race.ledger.deviations[0].exchange = None;
        assert!(is_doubtful(&race));
    }

    #[test]
    fn a_text_without_definition_is_missing() {
        let step = Step {
            keyword: "When".into(),
            ty: StepType::When,
            value: "nobody defined this".into(),
            docstring: None,
            table: None,
            span: gherkin::Span { start: 0, end: 0 },
            position: gherkin::LineCol { line: 1, col: 1 },
        };
        assert!(matches!(&*definition(&step), Definition::Missing(why) if why.contains("nobody")));
    }
}
