//! What a run would do, found out without the target: its plan is played against a stand-in, and what
//! that takes is counted.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::catalogue::{Catalogue, id_of};
use crate::cleanup::Issued;
use crate::execute::execute;
use crate::model::requirement::{Impact, Requirement};
use crate::notes::of_plan;
use crate::plan::{Omitted, Plan, impact_of};
use crate::run::{Failure, Options, exchanges, nothing_selected, prepare};
use crate::target::profile::Target;

/// Time that a server is taken to need for an answer.
const ANSWER: Duration = Duration::from_millis(50);

/// A requirement that would be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Its id.
    pub id: String,
    /// What its probe does to the target.
    pub impact: Impact,
    /// Its scenarios by name.
    pub scenarios: Vec<String>,
}

/// What a run would do. Numbers are those of the stand-in.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// What would be judged, in the order of the features.
    pub planned: Vec<Planned>,
    /// What would be left out, by id, with the reason.
    pub omitted: BTreeMap<String, Omitted>,
    /// What is left out and allowed for safety.
    pub notes: Vec<String>,
    /// Requests, those of the clean-up included.
    pub requests: u64,
    /// Sign-ins, failed ones included.
    pub sign_ins: usize,
    /// Grants that the target would issue.
    pub grants: usize,
    /// Requests that revoke them at the end.
    pub revocations: usize,
    /// How long it takes.
    pub time: Duration,
}

/// Plays the plan of `subject` against the target of `stand_in`.
pub async fn rehearse(mut stand_in: Options, subject: &Target) -> Result<Rehearsal, Failure> {
    let catalogue = Catalogue::load().map_err(Failure::Own)?;
    stand_in.target.concurrency = subject.login.lanes(subject.concurrency);
    let filter = stand_in.filter.clone();
    let (context, plan) = prepare(catalogue, stand_in, Some(subject)).await?;
    if plan.scenarios == 0 {
        return Err(nothing_selected(&filter, &plan));
    }
    let ended = execute(catalogue, &plan, &context, &()).await;
    let grants = Issued::by(exchanges(&context, &ended), None).grants();
    let revocations = if subject.safety.cleanup { grants } else { 0 };
    let ends = if subject.safety.cleanup { revocations + context.memory.spent() } else { 0 };
    let requests = context.http.requests() + u64::try_from(ends).unwrap_or(u64::MAX);
    Ok(Rehearsal {
        planned: planned(catalogue, &plan),
        notes: of_plan(&plan, &subject.safety),
        omitted: plan.omitted,
        requests,
        sign_ins: context.memory.spent(),
        grants,
        revocations,
        time: time(requests, subject),
    })
}

/// The pace bounds a run, or what answers take where several are under way.
fn time(requests: u64, subject: &Target) -> Duration {
    let requests = u32::try_from(requests).unwrap_or(u32::MAX);
    let lanes = u32::try_from(subject.login.lanes(subject.concurrency)).unwrap_or(1).max(1);
    subject.pace.max(ANSWER / lanes).saturating_mul(requests)
}

fn planned(catalogue: &Catalogue, plan: &Plan) -> Vec<Planned> {
    let rules = plan.features.iter().flat_map(|feature| &feature.rules);
    let of = |rule: &gherkin::Rule| {
        let requirement: &Requirement = catalogue.requirement(id_of(&rule.tags)?)?;
        let mut by_impact: BTreeMap<Impact, Vec<String>> = BTreeMap::new();
        for scenario in &rule.scenarios {
            let names = by_impact.entry(impact_of(scenario, requirement)).or_default();
            names.push(scenario.name.clone());
        }
        let id = requirement.id.clone();
        let of_class = move |(impact, scenarios)| Planned { id: id.clone(), impact, scenarios };
        Some(by_impact.into_iter().map(of_class))
    };
    rules.filter_map(of).flatten().collect()
}
