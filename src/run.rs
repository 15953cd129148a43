//! Runs a plan and draws the report from what the scenarios recorded.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cucumber::event::ScenarioFinished;
use cucumber::{Cucumber, Parser, Writer, cli, event, parser, runner};
use futures_util::future::ready;
use futures_util::{FutureExt as _, stream};
use gherkin::Feature;
use jiff::Timestamp;

use crate::catalogue::{Catalogue, id_of};
use crate::model::exchange::Exchange;
use crate::model::redact::Redactor;
use crate::model::report::{
    DeviationReport, ExchangeReport, Gate, REPORT_VERSION, Report, RequirementReport, ScenarioReport, TargetSummary,
};
use crate::model::requirement::{Level, Profile, Requirement};
use crate::model::verdict::{Deviation, Ending, Ledger, Obstacle, Status, Verdict, Weight, conclude};
use crate::plan::{Filter, Omitted, Plan};
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
}

/// Learns of each requirement as soon as all its scenarios have ended.
pub trait Observer {
    /// The run begins with that many requirements.
    fn begins(&self, requirements: usize);
    /// A requirement has its status.
    fn concluded(&self, requirement: &Requirement, status: Status);
}

/// A scenario that ended.
struct Ended {
    feature: String,
    line: usize,
    name: String,
    duration: Duration,
    ledger: Ledger,
    verdict: Verdict,
}

/// Audits the target. The report is complete; nothing was written anywhere.
pub async fn audit(options: Options, observer: Rc<dyn Observer>) -> Result<Report, Failure> {
    let started = Timestamp::now();
    let clock = Instant::now();
    let catalogue = Catalogue::load().map_err(Failure::Usage)?;
    options.filter.check(&catalogue).map_err(Failure::Usage)?;
    let context = match preflight(options.target, options.profile, options.clock).await {
        Ok(context) => Arc::new(context),
        Err((obstacle, context)) => return Err(stuck(obstacle, &context)),
    };
    let can_wait = context.clock.is_virtual();
    let plan = Plan::build(&catalogue, &context.target, &context.facts, &options.filter, can_wait);
    let plan = plan.map_err(Failure::Usage)?;
    if plan.is_empty() {
        let asked = options.filter.describe().unwrap_or_else(|| "the filter".into());
        return Err(Failure::NothingSelected(format!("{asked} selects no scenario; authspec list shows what there is")));
    }
    let catalogue = Rc::new(catalogue);
    let ended = execute(&catalogue, &plan, &context, observer).await;
    let ended = check_twins(&context, ended).await;
    let times = (started, clock.elapsed());
    Ok(draw(&catalogue, &plan, &context, ended, &options.filter, times))
}

/// The failure of the preflight with its evidence.
fn stuck(obstacle: Obstacle, context: &Context) -> Failure {
    let exchanges = context.shared.exchanges();
    let redactor = redactor(context, exchanges.iter());
    let shown = exchanges.iter().map(|e| ExchangeReport::new(e, &redactor)).collect();
    Failure::Preflight(clean(&obstacle, &redactor), shown)
}

/// A redactor that knows the secrets of the profile and of these exchanges.
fn redactor<'a>(context: &Context, exchanges: impl Iterator<Item = &'a Arc<Exchange>>) -> Redactor {
    let mut redactor = Redactor::new();
    if let Some(user) = &context.target.user {
        redactor.learn_password(user.password.expose());
    }
    if let Some(server) = &context.target.introspection {
        redactor.learn_password(server.client_secret.expose());
    }
    exchanges.for_each(|exchange| redactor.learn_from(exchange));
    redactor.seal();
    redactor
}

fn clean(obstacle: &Obstacle, redactor: &Redactor) -> Obstacle {
    Obstacle {
        tried: redactor.redact(&obstacle.tried),
        came_back: redactor.redact(&obstacle.came_back),
        remedy: redactor.redact(&obstacle.remedy),
    }
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

    async fn handle_event(&mut self, _: parser::Result<cucumber::Event<event::Cucumber<World>>>, _: &cli::Empty) {}
}

// It keeps no order, so there is none to restore.
impl cucumber::writer::Normalized for Silent {}

type ById = BTreeMap<String, Vec<Ended>>;

async fn execute(catalogue: &Rc<Catalogue>, plan: &Plan, context: &Arc<Context>, observer: Rc<dyn Observer>) -> ById {
    let rules = || plan.features.iter().flat_map(|f| &f.rules);
    let mut left: BTreeMap<String, usize> = BTreeMap::new();
    for rule in rules() {
        *left.entry(id_of(&rule.tags).unwrap_or_default().to_owned()).or_default() += rule.scenarios.len();
    }
    observer.begins(left.len());
    let left = RefCell::new(left);
    let ended: Rc<RefCell<ById>> = Rc::default();
    let starts: Rc<RefCell<BTreeMap<(String, usize), Instant>>> = Rc::default();

    let runner = runner::Basic::default()
        .steps(crate::world::registered_steps())
        .max_concurrent_scenarios(context.target.concurrency)
        .before({
            let (context, starts) = (context.clone(), starts.clone());
            move |feature, _, scenario, world: &mut World| {
                world.enter(&context);
                starts.borrow_mut().insert((path_of(feature), scenario.position.line), Instant::now());
                ready(()).boxed_local()
            }
        })
        .after({
            let (catalogue, context, ended) = (catalogue.clone(), context.clone(), ended.clone());
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
                of_rule.push(Ended { feature, line, name: scenario.name.clone(), duration, ledger, verdict });
                if let Some(count) = left.borrow_mut().get_mut(&id) {
                    *count -= 1;
                    if let (0, Some(requirement)) = (*count, catalogue.requirement(&id)) {
                        observer.concluded(requirement, status_of(requirement, of_rule, context.profile));
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
    Cucumber::<World, _, _, _, _, cli::Empty>::custom(Planned, runner, Silent).with_cli(options).run(plan.features.clone()).await;
    let mut ended = std::mem::take(&mut *ended.borrow_mut());
    for scenarios in ended.values_mut() {
        scenarios.sort_by(|a, b| (&a.feature, a.line).cmp(&(&b.feature, b.line)));
    }
    ended
}

fn path_of(feature: &Feature) -> String {
    feature.path.as_ref().map(|p| p.display().to_string()).unwrap_or_default()
}

fn ending(finished: &ScenarioFinished) -> Ending {
    match finished {
        ScenarioFinished::StepPassed => Ending::Completed,
        ScenarioFinished::StepSkipped => Ending::Undefined("see authspec's own tests".into()),
        ScenarioFinished::BeforeHookFailed(_) => Ending::Stopped("the hook before it failed".into()),
        ScenarioFinished::StepFailed(_, _, error) => Ending::Stopped(error.to_string()),
    }
}

fn status_of(requirement: &Requirement, scenarios: &[Ended], profile: Profile) -> Status {
    let cap = requirement.cap(profile);
    let of = |ended: &Ended| Status::of(&ended.verdict, &ended.ledger.deviations, cap, profile);
    scenarios.iter().map(of).max().unwrap_or(Status::Error)
}

/// A refusal counts only beside a working twin: when the valid flow no longer works at the end of
/// the run, whatever rested on refusals is withdrawn.
async fn check_twins(context: &Context, mut ended: ById) -> ById {
    if !ended.values().flatten().any(|e| e.ledger.rests_on_refusal && e.verdict == Verdict::Pass) {
        return ended;
    }
    let Err(obstacle) = context.prove(0).await else { return ended };
    for scenario in ended.values_mut().flatten().filter(|e| e.ledger.rests_on_refusal && e.verdict == Verdict::Pass) {
        scenario.verdict = Verdict::Inconclusive(Obstacle {
            tried: format!("{} once more after the last scenario", obstacle.tried),
            ..obstacle.clone()
        });
    }
    ended
}

fn draw(
    catalogue: &Catalogue,
    plan: &Plan,
    context: &Context,
    ended: ById,
    filter: &Filter,
    (started, elapsed): (Timestamp, Duration),
) -> Report {
    let shared = context.shared.exchanges();
    let redactor = redactor(context, shared.iter().chain(ended.values().flatten().flat_map(|e| &e.ledger.exchanges)));
    let mut requirements: Vec<RequirementReport> = Vec::new();
    for rule in catalogue.features.iter().flat_map(|f| &f.rules) {
        let Some(requirement) = id_of(&rule.tags).and_then(|id| catalogue.requirement(id)) else { continue };
        if let Some(scenarios) = ended.get(&requirement.id) {
            requirements.push(judged(requirement, scenarios, context.profile, &redactor));
        } else if let Some(omitted) = plan.omitted.get(&requirement.id) {
            requirements.push(unjudged(requirement, omitted));
        }
    }
    for requirement in catalogue.requirements.iter().filter(|r| r.untested.is_some()) {
        if let Some(omitted) = plan.omitted.get(&requirement.id) {
            requirements.push(unjudged(requirement, omitted));
        }
    }
    let mut counts = BTreeMap::new();
    for requirement in &requirements {
        *counts.entry(requirement.status).or_default() += 1;
    }
    Report {
        version: REPORT_VERSION,
        tool: format!("authspec {}", env!("CARGO_PKG_VERSION")),
        target: TargetSummary {
            issuer: context.target.issuer.clone(),
            clients: context.target.clients.iter().map(|c| c.id.clone()).collect(),
        },
        started: format!("{started:.3}"),
        duration_ms: millis(elapsed),
        requests: context.http.requests(),
        profile: context.profile,
        filter: filter.describe(),
        gate: gate(&requirements),
        counts,
        facts: describe(context),
        preflight: shared.iter().map(|e| ExchangeReport::new(e, &redactor)).collect(),
        requirements,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn describe(context: &Context) -> Vec<String> {
    let facts = &context.facts;
    let yes_no = |what: &str, holds: bool| format!("{what}: {}", if holds { "yes" } else { "no" });
    let mut all: Vec<String> = facts.documents.iter().map(|d| format!("metadata: {}", d.location)).collect();
    all.push(yes_no("OpenID provider", facts.oidc));
    all.push(yes_no("consent page in the first flow", facts.consent_shown));
    all.push(yes_no("refresh token issued", facts.refresh_token));
    all.push(yes_no("access token is a JWT", facts.jwt_access_token));
    all
}

fn unjudged(requirement: &Requirement, omitted: &Omitted) -> RequirementReport {
    let (status, reason) = match omitted {
        Omitted::NotApplicable(reason) => (Status::NotApplicable, reason),
        Omitted::Untested(reason) => (Status::Untested, reason),
    };
    RequirementReport { status, reason: Some(reason.clone()), ..frame(requirement) }
}

fn frame(requirement: &Requirement) -> RequirementReport {
    RequirementReport {
        id: requirement.id.clone(),
        level: requirement.level,
        severity: requirement.severity,
        step: requirement.step.clone(),
        duty: requirement.duty.clone(),
        sources: requirement.sources.clone(),
        url: requirement.url.clone(),
        accepts: requirement.accepts.clone(),
        status: Status::Error,
        reason: None,
        scenarios: vec![],
    }
}

fn judged(requirement: &Requirement, scenarios: &[Ended], profile: Profile, redactor: &Redactor) -> RequirementReport {
    let cap = requirement.cap(profile);
    let status = status_of(requirement, scenarios, profile);
    let scenarios: Vec<ScenarioReport> =
        scenarios.iter().map(|ended| scenario_report(ended, cap, profile, redactor)).collect();
    let reason = scenarios.iter().filter(|s| s.status == status).find_map(|s| s.reason.clone());
    RequirementReport { status, reason, scenarios, ..frame(requirement) }
}

fn scenario_report(ended: &Ended, cap: Weight, profile: Profile, redactor: &Redactor) -> ScenarioReport {
    let (reason, obstacle) = match &ended.verdict {
        Verdict::NotApplicable(reason) | Verdict::Error(reason) => (Some(redactor.redact(reason)), None),
        Verdict::Inconclusive(obstacle) => {
            let clean = clean(obstacle, redactor);
            (Some(clean.to_string()), Some(clean))
        }
        Verdict::Pass | Verdict::Fail => (None, None),
    };
    let weigh = |deviation: &Deviation| DeviationReport::new(deviation, cap, profile, redactor);
    ScenarioReport {
        feature: ended.feature.clone(),
        line: ended.line,
        name: ended.name.clone(),
        status: Status::of(&ended.verdict, &ended.ledger.deviations, cap, profile),
        reason,
        obstacle,
        deviations: ended.ledger.deviations.iter().map(weigh).collect(),
        duration_ms: millis(ended.duration),
        exchanges: ended.ledger.exchanges.iter().map(|e| ExchangeReport::new(e, redactor)).collect(),
    }
}

/// No failure, no error of ours, and every MUST judged.
fn gate(requirements: &[RequirementReport]) -> Gate {
    let any = |status: Status| requirements.iter().any(|r| r.status == status);
    let is_must = |r: &RequirementReport| matches!(r.level, Level::Must | Level::MustNot);
    let exit_code = if any(Status::Error) {
        4
    } else if any(Status::Fail) {
        1
    } else if requirements.iter().any(|r| r.status == Status::Inconclusive && is_must(r)) {
        5
    } else {
        0
    };
    let rule = "fails on a violated MUST, on a MUST that could not be judged, and on an error of authspec's own".into();
    Gate { passed: exit_code == 0, exit_code, rule }
}
