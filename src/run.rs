//! Runs a plan and draws the report from what the scenarios recorded.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use cucumber::event::ScenarioFinished;
use cucumber::{Cucumber, Parser, Writer, cli, event, parser, runner};
use futures_util::future::ready;
use futures_util::{FutureExt as _, stream};
use gherkin::Feature;
use jiff::Timestamp;

use crate::catalogue::{Catalogue, id_of};
use crate::draw::{ById, Ended, clean, draw, redactor, status_of};
use crate::model::report::{ExchangeReport, Report};
use crate::model::requirement::{Profile, Requirement};
use crate::model::verdict::{Deviation, Ending, Obstacle, Status, Verdict, conclude};
use crate::plan::{Filter, Plan};
use crate::preflight::preflight;
use crate::target::profile::Target;
use crate::world::World;
use crate::world::context::{Clock, Context};

/// What to audit and how.
pub struct Options {
    /// The target.
    pub target: Target,
    /// What it is held to.
    pub profile: Profile,
    /// What was asked for.
    pub filter: Filter,
    /// The clock of the target.
    pub clock: Clock,
}

/// Why there is no report.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The target or the login is not usable; with the exchanges that show it, redacted.
    Preflight(Obstacle, Vec<ExchangeReport>),
    /// The filter selects nothing.
    NothingSelected(String),
    /// The filter or the profile does not make sense.
    Usage(String),
    /// The harness is at fault.
    Own(String),
}

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

/// [`audit`] on a runtime of its own, for callers without one.
pub fn audit_blocking(options: Options, observer: Rc<dyn Observer>) -> Result<Report, Failure> {
    blocking(audit(options, observer))
}

/// [`judge`] on a runtime of its own, for callers without one.
pub fn judge_blocking(options: Options) -> Result<Verdicts, Failure> {
    blocking(judge(options))
}

fn blocking<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| Failure::Own(format!("cannot start the runtime: {e}")))?.block_on(work)
}

/// Audits the target. The report is complete; nothing was written anywhere.
pub async fn audit(options: Options, observer: Rc<dyn Observer>) -> Result<Report, Failure> {
    let started = Timestamp::now();
    let clock = Instant::now();
    let (catalogue, filter) = (Catalogue::load().map_err(Failure::Own)?, options.filter.clone());
    let (context, plan, ended) = conduct(catalogue, options, observer).await?;
    Ok(draw(catalogue, &plan, &context, ended, &filter, (started, clock.elapsed())))
}

/// Audits the target for the verdicts alone: no evidence is drawn, redacted or kept.
pub async fn judge(options: Options) -> Result<Verdicts, Failure> {
    let catalogue = Catalogue::load().map_err(Failure::Own)?;
    let (context, plan, ended) = conduct(catalogue, options, Rc::new(())).await?;
    Ok(Verdicts::of(catalogue, &plan, &ended, context.profile))
}

async fn conduct(
    catalogue: &'static Catalogue,
    options: Options,
    observer: Rc<dyn Observer>,
) -> Result<(Arc<Context>, Plan, ById), Failure> {
    options.filter.check(catalogue).map_err(Failure::Usage)?;
    let context = match preflight(options.target, options.profile, options.clock).await {
        Ok(mut context) => {
            context.may_wait |= options.filter.slow;
            Arc::new(context)
        }
        Err((obstacle, context)) => return Err(stuck(obstacle, &context)),
    };
    let can_wait = context.clock.is_virtual();
    let plan = Plan::build(catalogue, &context.target, &context.facts, &options.filter, can_wait);
    let plan = plan.map_err(Failure::Own)?;
    if plan.is_empty() {
        return Err(nothing_selected(&options.filter, &plan));
    }
    let ended = execute(catalogue, &plan, &context, observer).await;
    let ended = check_twins(&context, ended).await;
    Ok((context, plan, ended))
}

/// The status of every requirement of a run, without evidence.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {
    /// By requirement id.
    pub statuses: BTreeMap<String, Status>,
    /// What deviated, by requirement id; in the words of the judges, with secrets.
    pub deviations: BTreeMap<String, Vec<Deviation>>,
}

impl Verdicts {
    fn of(catalogue: &Catalogue, plan: &Plan, ended: &ById, profile: Profile) -> Self {
        let mut verdicts = Self::default();
        for (id, omitted) in &plan.omitted {
            verdicts.statuses.insert(id.clone(), omitted.status());
        }
        for (id, scenarios) in ended {
            let Some(requirement) = catalogue.requirement(id) else { continue };
            verdicts.statuses.insert(id.clone(), status_of(requirement, scenarios, profile));
            let deviations: Vec<_> =
                scenarios.iter().flat_map(|s| s.ledger.deviations.clone()).collect();
            if !deviations.is_empty() {
                verdicts.deviations.insert(id.clone(), deviations);
            }
        }
        verdicts
    }

    /// Ids of the requirements with a deviation of any weight.
    pub fn deviating(&self) -> BTreeSet<&str> {
        self.deviations.keys().map(String::as_str).collect()
    }

    /// Ids of the requirements with that status.
    pub fn with_status(&self, status: Status) -> Vec<&str> {
        let has = self.statuses.iter().filter(|(_, s)| **s == status);
        has.map(|(id, _)| id.as_str()).collect()
    }
}

/// Says what was asked for and, where it named untested duties, why they have no scenario.
fn nothing_selected(filter: &Filter, plan: &Plan) -> Failure {
    let asked = filter.describe().unwrap_or_else(|| "the filter".into());
    let untested = plan.omitted.iter().take(3).map(|(id, o)| format!("; {id}: {}", o.reason()));
    let reasons: String = untested.collect();
    Failure::NothingSelected(format!(
        "{asked} selects no scenario{reasons}; authspec list shows what there is"
    ))
}

/// The failure of the preflight with its evidence.
fn stuck(obstacle: Obstacle, context: &Context) -> Failure {
    let exchanges = context.shared.exchanges();
    let redactor = redactor(context, exchanges.iter());
    let shown = exchanges.iter().map(|e| ExchangeReport::new(e, &redactor)).collect();
    Failure::Preflight(clean(&obstacle, &redactor), shown)
}

/// Feeds the plan to the runner as it is.
struct Planned;

impl Parser<Vec<Feature>> for Planned {
    type Cli = cli::Empty;
    type Output = stream::Iter<std::vec::IntoIter<parser::Result<Feature>>>;

    fn parse(self, features: Vec<Feature>, _: cli::Empty) -> Self::Output {
        stream::iter(features.into_iter().map(Ok).collect::<Vec<_>>())
    }
}

/// The ledgers say all there is to say; the runner's own events are not needed.
struct Silent;

impl Writer<World> for Silent {
    type Cli = cli::Empty;

    async fn handle_event(
        &mut self,
        _: parser::Result<cucumber::Event<event::Cucumber<World>>>,
        _: &cli::Empty,
    ) {
    }
}

// It keeps no order, so there is none to restore.
impl cucumber::writer::Normalized for Silent {}

async fn execute(
    catalogue: &'static Catalogue,
    plan: &Plan,
    context: &Arc<Context>,
    observer: Rc<dyn Observer>,
) -> ById {
    let rules = || plan.features.iter().flat_map(|f| &f.rules);
    let mut left: BTreeMap<String, usize> = BTreeMap::new();
    for rule in rules() {
        *left.entry(id_of(&rule.tags).unwrap_or_default().to_owned()).or_default() +=
            rule.scenarios.len();
    }
    observer.begins(left.len());
    let left = Rc::new(RefCell::new(left));
    let ended: Rc<RefCell<ById>> = Rc::default();
    let starts: Rc<RefCell<BTreeMap<(String, usize), Instant>>> = Rc::default();

    for features in [select(&plan.features, false), select(&plan.features, true)] {
        if features.is_empty() {
            continue;
        }
        let runner = runner::Basic::default()
            .steps(crate::world::registered_steps())
            .max_concurrent_scenarios(context.target.concurrency)
            .before({
                let (context, starts) = (context.clone(), starts.clone());
                move |feature, _, scenario, world: &mut World| {
                    world.enter(&context);
                    starts
                        .borrow_mut()
                        .insert((path_of(feature), scenario.position.line), Instant::now());
                    ready(()).boxed_local()
                }
            })
            .after({
                let (context, ended) = (context.clone(), ended.clone());
                let (starts, left, observer) = (starts.clone(), left.clone(), observer.clone());
                move |feature, rule, scenario, finished, world: Option<&mut World>| {
                    let id = rule.and_then(|rule| id_of(&rule.tags)).unwrap_or_default().to_owned();
                    let ledger = world.map(|world| {
                        world.leave();
                        world.ledger()
                    });
                    let ledger = ledger.unwrap_or_default();
                    let verdict = conclude(&ledger, ending(finished));
                    let (feature, line) = (path_of(feature), scenario.position.line);
                    let start = starts.borrow_mut().remove(&(feature.clone(), line));
                    let duration = start.map(|at| at.elapsed()).unwrap_or_default();
                    let mut all = ended.borrow_mut();
                    let of_rule = all.entry(id.clone()).or_default();
                    of_rule.push(Ended {
                        feature,
                        line,
                        name: scenario.name.clone(),
                        duration,
                        ledger,
                        verdict,
                    });
                    if let Some(count) = left.borrow_mut().get_mut(&id) {
                        *count -= 1;
                        if let (0, Some(requirement)) = (*count, catalogue.requirement(&id)) {
                            observer.concluded(
                                requirement,
                                status_of(requirement, of_rule, context.profile),
                            );
                        }
                    }
                    ready(()).boxed_local()
                }
            });
        let options = cli::Opts::<cli::Empty, runner::basic::Cli, cli::Empty> {
            re_filter: None,
            tags_filter: None,
            parser: cli::Empty,
            runner: runner::basic::Cli::default(),
            writer: cli::Empty,
            custom: cli::Empty,
        };
        Cucumber::<World, _, _, _, _, cli::Empty>::custom(Planned, runner, Silent)
            .with_cli(options)
            .run(features)
            .await;
        let so_far =
            ended.borrow().values().flatten().flat_map(|e| e.ledger.exchanges.clone()).collect();
        // What the first pass exchanged is what the last one looks at.
        let _ = context.whole.set(so_far);
    }
    let mut ended = std::mem::take(&mut *ended.borrow_mut());
    for scenarios in ended.values_mut() {
        scenarios.sort_by(|a, b| (&a.feature, a.line).cmp(&(&b.feature, b.line)));
    }
    ended
}

/// The features with the rules that run last, or with all others.
fn select(features: &[Feature], last: bool) -> Vec<Feature> {
    let mut selected: Vec<Feature> = features.to_vec();
    for feature in &mut selected {
        feature.rules.retain(|rule| rule.tags.iter().any(|tag| tag == "last") == last);
    }
    selected.retain(|feature| !feature.rules.is_empty());
    selected
}

fn path_of(feature: &Feature) -> String {
    feature.path.as_ref().map(|p| p.display().to_string()).unwrap_or_default()
}

fn ending(finished: &ScenarioFinished) -> Ending {
    match finished {
        ScenarioFinished::StepPassed => Ending::Completed,
        ScenarioFinished::StepSkipped => Ending::Undefined("see authspec's own tests".into()),
        ScenarioFinished::BeforeHookFailed(_) => {
            Ending::Stopped("the hook before it failed".into())
        }
        ScenarioFinished::StepFailed(_, _, error) => Ending::Stopped(error.to_string()),
    }
}

/// What a target does or refuses counts only beside a working twin: when a client's valid flow no
/// longer works at the end of the run, every pass that rests on answers to that client is withdrawn.
async fn check_twins(context: &Context, mut ended: ById) -> ById {
    let rests = |e: &Ended| e.ledger.rests_on_flow_of.filter(|_| e.verdict == Verdict::Pass);
    for client in 0..context.target.clients.len() {
        if !ended.values().flatten().any(|e| rests(e) == Some(client)) {
            continue;
        }
        let Err(obstacle) = context.prove(client).await else { continue };
        let tried = format!("{} once more after the last scenario", obstacle.tried);
        for scenario in ended.values_mut().flatten().filter(|e| rests(e) == Some(client)) {
            let obstacle = Obstacle { tried: tried.clone(), ..obstacle.clone() };
            scenario.verdict = Verdict::Inconclusive(obstacle);
        }
    }
    ended
}
