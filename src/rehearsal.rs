//! What a run would do, found out without the target: its plan is played against a stand-in, and what
//! that takes is counted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::catalogue::{Catalogue, id_of};
use crate::cleanup::Issued;
use crate::execute::execute;
use crate::model::exchange::Exchange;
use crate::model::requirement::{Impact, Requirement};
use crate::notes::of_plan;
use crate::plan::{Omitted, Plan, impact_of};
use crate::run::{Failure, Options, exchanges, nothing_selected, prepare};
use crate::target::login::{Login, Rung};
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
    let all = exchanges(&context, &ended);
    let one = outside(&subject.login);
    let sign_ins = match one {
        Some(_) => opened(&all, context.endpoint("authorization_endpoint").unwrap_or_default()),
        None => context.memory.spent(),
    };
    let grants = Issued::by(all, None).grants();
    let revocations = if subject.safety.cleanup { grants } else { 0 };
    let ends = if subject.safety.cleanup { revocations + context.memory.spent() } else { 0 };
    let requests = context.http.requests() + u64::try_from(ends).unwrap_or(u64::MAX);
    Ok(Rehearsal {
        planned: planned(catalogue, &plan),
        notes: of_plan(&plan, &subject.safety),
        omitted: plan.omitted,
        requests,
        sign_ins,
        grants,
        revocations,
        time: time(requests, sign_ins, one.unwrap_or_default(), subject),
    })
}

/// What one sign-in takes that happens somewhere else, where it is no part of the requests. A session
/// that was begun there is of little use to others: most authorization requests need a sign-in, or a
/// look at the consent page, of their own.
fn outside(login: &Login) -> Option<Duration> {
    let seconds = match login.rung {
        Rung::Exec(_) => 2,
        Rung::Manual(_) => 20,
        #[cfg(feature = "browser")]
        Rung::Browser(_) => 2,
        Rung::Form | Rung::Http(_) | Rung::Session(_) | Rung::Wallet(_) => return None,
    };
    Some(Duration::from_secs(seconds))
}

/// Authorization requests that the server did not refuse at once: only these reach somebody else.
fn opened(all: &[Arc<Exchange>], endpoint: &str) -> usize {
    let is_open = |exchange: &&Arc<Exchange>| {
        let request = &exchange.request;
        let is_there = request.url.split('?').next() == Some(endpoint);
        let refusal = |to: &str| to.contains("error=");
        let is_refused = exchange
            .response()
            .is_none_or(|r| r.status >= 400 || r.location().is_some_and(refusal));
        request.method == "GET" && is_there && !is_refused
    };
    all.iter().filter(is_open).count()
}

/// The pace bounds a run, or what answers take where several are under way, and the sign-ins that
/// take `one` each.
fn time(requests: u64, sign_ins: usize, one: Duration, subject: &Target) -> Duration {
    let many = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    let lanes = u32::try_from(subject.login.lanes(subject.concurrency)).unwrap_or(1).max(1);
    let waiting = subject.pace.max(ANSWER / lanes).saturating_mul(many(requests));
    // Browsers take turns at the processors of this machine.
    let lanes = match (subject.login.is_browser(), std::thread::available_parallelism()) {
        (true, Ok(cores)) => lanes.min(u32::try_from(cores.get()).unwrap_or(lanes)),
        _ => lanes,
    };
    waiting + (one / lanes).saturating_mul(many(u64::try_from(sign_ins).unwrap_or(u64::MAX)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::answered;
    use crate::target::login::person::Manual;
    use crate::target::profile::Client;

    #[test]
    fn what_no_session_answers_costs_a_sign_in() {
        let to = |url: &str, status: u16, location: &str| {
            let mut exchange = answered(status, &[("Location", location)], "");
            exchange.request.url = url.into();
            Arc::new(exchange)
        };
        let all = [
            to("https://as.test/authorize?a=b", 302, "/login"),
            to("https://as.test/authorize?a=b", 302, "https://app.test/cb?code=c"),
            to("https://as.test/authorize?a=b", 302, "https://app.test/cb?error=invalid_scope"),
            to("https://as.test/authorize?a=b", 400, ""),
            to("https://as.test/token", 200, ""),
        ];
        assert_eq!(opened(&all, "https://as.test/authorize"), 2);
    }

    #[test]
    fn sign_ins_elsewhere_take_their_time() {
        let client = Client::new("spa", &["https://app.test/cb"], "openid");
        let mut target = Target::new("http://127.0.0.1:1", client);
        assert!(outside(&target.login).is_none());
        let manual = Manual { console: None, timeout: Duration::ZERO, most: None };
        target.login.rung = Rung::Manual(manual);
        let one = outside(&target.login).unwrap_or_default();
        let [short, long] = [1, 11].map(|count| time(100, count, one, &target));
        assert_eq!(long - short, one * 10, "one after the other");
    }
}
