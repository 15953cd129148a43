//! The scenarios of a run in their order, and each exchange once.

use std::collections::HashMap;

use crate::model::report::{ExchangeReport, Report, RequirementReport, ScenarioReport};

/// A scenario with its place in the run.
pub(super) struct Numbered<'a> {
    /// Its position among all, from 1.
    pub(super) number: usize,
    /// The duty that it bears on.
    pub(super) requirement: &'a RequirementReport,
    /// What was found.
    pub(super) found: &'a ScenarioReport,
}

/// Every scenario, in the order of the report.
pub(super) fn scenarios(report: &Report) -> impl Iterator<Item = Numbered<'_>> {
    let all = report.requirements.iter().flat_map(|r| r.scenarios.iter().map(move |s| (r, s)));
    all.enumerate().map(|(at, (requirement, found))| Numbered {
        number: at + 1,
        requirement,
        found,
    })
}

/// An exchange with those who cite it.
pub(super) struct Distinct<'a> {
    /// What was sent and came back.
    pub(super) exchange: &'a ExchangeReport,
    /// The number of the first scenario that cites it; none where it was before all of them.
    pub(super) scenario: Option<usize>,
    /// Ids of all requirements that cite it.
    pub(super) requirements: Vec<&'a str>,
}

/// An exchange without its number: scenarios that share one number it each for itself.
type Key<'a> = (u64, u64, &'a str, &'a str, Option<u16>, &'a str);

/// Every exchange of the run once, in the order in which they were sent.
pub(super) fn distinct(report: &Report) -> Vec<Distinct<'_>> {
    let mut index: HashMap<Key<'_>, usize> = HashMap::new();
    let mut list: Vec<Distinct<'_>> = Vec::new();
    let shared = report.preflight.iter().map(|exchange| (exchange, None));
    let own = scenarios(report).flat_map(|scenario| {
        let of = Some((scenario.number, scenario.requirement.id.as_str()));
        scenario.found.exchanges.iter().map(move |exchange| (exchange, of))
    });
    for (exchange, of) in shared.chain(own) {
        let key = (
            exchange.at_us,
            exchange.elapsed_us,
            exchange.request_line.as_str(),
            exchange.request_body.as_str(),
            exchange.status,
            exchange.response_body.as_str(),
        );
        let next = list.len();
        let at = *index.entry(key).or_insert(next);
        if at == next {
            let scenario = of.map(|(number, _)| number);
            list.push(Distinct { exchange, scenario, requirements: Vec::new() });
        }
        let requirements = &mut list[at].requirements;
        requirements.extend(of.map(|(_, id)| id).filter(|id| !requirements.contains(id)));
    }
    list.sort_by_key(|one| one.exchange.at_us);
    list
}
