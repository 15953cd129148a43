//! Runs a plan and draws the report from what the scenarios recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;

use crate::catalogue::Catalogue;
use crate::cleanup::{Haste, clean_up};
use crate::draw::{ById, Ended, Pen, clean, draw, status_of};
use crate::execute::execute;
pub use crate::execute::{Glimpse, Observer};
use crate::model::exchange::Exchange;
use crate::model::redact::Canary;
use crate::model::report::{ExchangeReport, Report};
use crate::model::requirement::Profile;
use crate::model::verdict::{Deviation, Obstacle, Status, Verdict};
use crate::plan::{Filter, Plan};
use crate::preflight::preflight;
use crate::target::profile::Target;
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

/// A run that came to its end.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The report, redacted.
    pub report: Report,
    /// Knows the secrets of the run: it looks at whatever is to be written.
    pub canary: Canary,
}

/// Why there is no report.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The target or the login is not usable; with the exchanges that show it, redacted, and whether
    /// anybody was there.
    Preflight(Obstacle, Vec<ExchangeReport>, Presence),
    /// The filter selects nothing.
    NothingSelected(String),
    /// The filter or the profile does not make sense.
    Usage(String),
    /// The harness is at fault.
    Own(String),
}

/// Whether somebody answered at the address of a target that cannot be audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Something was answered, or nothing was asked yet.
    Up,
    /// There was no connection, or no answer to any request.
    Down,
}

/// [`audit`] on a runtime of its own, for callers without one.
pub fn audit_blocking(options: Options, observer: Rc<dyn Observer>) -> Result<Outcome, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Failure::Own(format!("cannot start the runtime: {e}")))?;
    runtime.block_on(audit(options, observer))
}

/// Audits the target. The report is complete; nothing was written anywhere.
///
/// Boxed, so that it is compiled here and not once more by everybody who awaits it.
pub fn audit(
    options: Options,
    observer: Rc<dyn Observer>,
) -> LocalBoxFuture<'static, Result<Outcome, Failure>> {
    Box::pin(async move {
        let (started, clock) = (Timestamp::now(), Instant::now());
        let catalogue = Catalogue::load().map_err(Failure::Own)?;
        let filter = options.filter.clone();
        let watcher = observer.clone();
        let (context, plan, ended) = conduct(catalogue, options, observer).await?;
        watcher.cleans_up();
        let haste = || match (watcher.is_hurried(), watcher.is_stopped()) {
            (true, _) => Haste::InterruptedAgain,
            (false, true) => Haste::Interrupted,
            (false, false) => Haste::None,
        };
        let cleanup = clean_up(&context, exchanges(&context, &ended), &haste).await;
        let times = (started, clock.elapsed());
        let (report, canary) = draw(catalogue, &plan, &context, ended, &filter, cleanup, times);
        let interrupted = watcher.is_stopped();
        let mut report = Report { interrupted, ..report };
        report.clean(&canary);
        Ok(Outcome { report, canary })
    })
}

/// Audits the target for the verdicts alone: no evidence is drawn, redacted or kept.
pub fn judge(options: Options) -> LocalBoxFuture<'static, Result<Verdicts, Failure>> {
    Box::pin(async move {
        let catalogue = Catalogue::load().map_err(Failure::Own)?;
        let (context, plan, ended) = conduct(catalogue, options, Rc::new(())).await?;
        Ok(Verdicts::of(catalogue, &plan, &ended, context.profile))
    })
}

/// Everything that a run exchanged; what several scenarios cite more than once.
pub(crate) fn exchanges(context: &Context, ended: &ById) -> Vec<Arc<Exchange>> {
    let own = ended.values().flatten().flat_map(|e| e.ledger.exchanges.iter().cloned());
    own.chain(context.shared.exchanges()).collect()
}

async fn conduct(
    catalogue: &'static Catalogue,
    options: Options,
    observer: Rc<dyn Observer>,
) -> Result<(Arc<Context>, Plan, ById), Failure> {
    let (context, plan) = prepare(catalogue, options, None).await?;
    let ended = execute(catalogue, &plan, &context, &*observer).await;
    context.http.end();
    if !observer.is_stopped() {
        context.http.settle(&context.shared).await;
    }
    let ended = check_twins(&context, ended).await;
    Ok((context, plan, ended))
}

/// The preflight and the plan; that of another target, where one is given, as far as it can be known
/// beforehand.
pub(crate) async fn prepare(
    catalogue: &Catalogue,
    options: Options,
    subject: Option<&Target>,
) -> Result<(Arc<Context>, Plan), Failure> {
    options.filter.check(catalogue).map_err(Failure::Usage)?;
    let context = match preflight(options.target, options.profile, options.clock).await {
        Ok(mut context) => {
            context.may_wait |= options.filter.slow;
            Arc::new(context)
        }
        Err((obstacle, context)) => return Err(stuck(obstacle, &context)),
    };
    let can_wait = context.clock.is_virtual() && subject.is_none();
    let target = subject.unwrap_or(&context.target);
    let plan = Plan::build(catalogue, target, &context.facts, &options.filter, can_wait);
    let plan = plan.map_err(Failure::Own)?;
    if plan.is_empty() {
        return Err(nothing_selected(&options.filter, &plan));
    }
    Ok((context, plan))
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
pub(crate) fn nothing_selected(filter: &Filter, plan: &Plan) -> Failure {
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
    let pen = Pen::new(context, exchanges.iter());
    let is_silent = !exchanges.is_empty() && exchanges.iter().all(|e| e.response().is_none());
    let presence = match is_silent || context.http.is_unreached() {
        true => Presence::Down,
        false => Presence::Up,
    };
    Failure::Preflight(clean(&obstacle, &pen.redactor), pen.exchanges(&exchanges), presence)
}

/// What a target does or refuses counts only beside a working twin: when a client's valid flow no
/// longer works at the end of the run, every pass that rests on answers to that client is withdrawn.
async fn check_twins(context: &Context, mut ended: ById) -> ById {
    // A client that never worked, as was said already, was no more than a guest of the first one.
    let failed = context.failed().await;
    let host = |client: usize| if failed.contains(&client) { 0 } else { client };
    let rests =
        |e: &Ended| e.ledger.rests_on_flow_of.filter(|_| e.verdict == Verdict::Pass).map(host);
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
