//! A run in parts: which requirements each part judges, and how the parts become one run again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::str::FromStr;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::catalogue::Catalogue;
use crate::gate::strict;
use crate::model::report::{Part, Report};

/// Requests of each requirement on the embedded reference server: what it costs, as a part counts it.
const COSTS: &str = include_str!("../fixtures/costs.csv");

/// One part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which one, from 1.
    pub index: usize,
    /// Of how many.
    pub of: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(index, of)| {
            Some(Self { index: index.trim().parse().ok()?, of: of.trim().parse().ok()? })
        });
        parsed
            .filter(|shard| (1..=shard.of).contains(&shard.index))
            .ok_or_else(|| format!("{text} is no part of a run; write 2/5 for the second of five"))
    }
}

impl Shard {
    /// The requirements of this part: the dearest first, each goes to the part that has least to do.
    /// Every part that is given the same ids comes to the same end.
    pub fn select<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
        let costs = costs();
        let mut all: Vec<(usize, &str)> =
            ids.into_iter().map(|id| (costs.get(id).copied().unwrap_or(1), id)).collect();
        all.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let mut loads = vec![0_usize; self.of];
        let mut own = BTreeSet::new();
        for (cost, id) in all {
            let Some(least) = (0..self.of).min_by_key(|&at| (loads[at], at)) else { break };
            loads[least] += cost;
            if least + 1 == self.index {
                own.insert(id);
            }
        }
        own
    }
}

/// Requests by requirement.
pub fn costs() -> BTreeMap<&'static str, usize> {
    let rows = COSTS.lines().skip(1).filter_map(|line| line.split_once(','));
    rows.filter_map(|(id, requests)| Some((id, requests.parse().ok()?))).collect()
}

/// Digest (SHA-256, hexadecimal) of what all parts of a run have in common: the tool, the target, what
/// it is held to, the filter, the number of parts, and the ids of all requirements.
pub fn digest<'a>(report: &Report, of: usize, ids: impl IntoIterator<Item = &'a str>) -> String {
    let ids: BTreeSet<&str> = ids.into_iter().collect();
    let mut plan = format!(
        "{}\n{}\n{}\n{}\n{of}\n",
        report.tool,
        report.target.issuer,
        report.profile.as_str(),
        report.filter.as_deref().unwrap_or_default()
    );
    ids.iter().for_each(|id| {
        let _ = writeln!(plan, "{id}");
    });
    Sha256::digest(plan).iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The parts as one run, in the order of the catalogue, judged by the strict rule.
///
/// The error says which part is missing, doubled or foreign; `names` are shown in it.
pub fn merge(parts: Vec<(String, Report)>, catalogue: &Catalogue) -> Result<Report, String> {
    let mut seen: BTreeMap<usize, (String, Report)> = BTreeMap::new();
    let mut common: Option<(String, Part)> = None;
    for (name, report) in parts {
        let Some(part) = report.part.clone() else {
            return Err(format!("{name} is a whole run, not a part of one"));
        };
        match &common {
            None => common = Some((name.clone(), part.clone())),
            Some((first, known)) if (&known.plan, known.of) != (&part.plan, part.of) => {
                return Err(format!(
                    "{name} is a part of another run than {first}: tool, target, profile, filter or number of parts differ"
                ));
            }
            Some(_) => {}
        }
        if let Some((other, _)) = seen.get(&part.index) {
            return Err(format!(
                "part {} of {} is there twice: {other}, {name}",
                part.index, part.of
            ));
        }
        seen.insert(part.index, (name, report));
    }
    let Some((_, Part { of, plan, .. })) = common else { return Err("no parts are given".into()) };
    let missing: Vec<String> =
        (1..=of).filter(|index| !seen.contains_key(index)).map(|i| format!("{i}/{of}")).collect();
    if !missing.is_empty() {
        return Err(format!("missing parts: {}", missing.join(", ")));
    }
    let all: Vec<&str> = seen
        .values()
        .flat_map(|(_, report)| report.requirements.iter().map(|r| r.id.as_str()))
        .collect();
    let distinct: BTreeSet<&str> = all.iter().copied().collect();
    for (name, report) in seen.values() {
        let index = report.part.as_ref().map_or(0, |part| part.index);
        let own = Shard { index, of }.select(distinct.iter().copied());
        let found: BTreeSet<&str> = report.requirements.iter().map(|r| r.id.as_str()).collect();
        if own != found
            || found.len() != report.requirements.len()
            || digest(report, of, all.iter().copied()) != plan
        {
            return Err(format!("{name} does not hold what part {index} of {of} judges"));
        }
    }
    let parts: Vec<Report> = seen.into_values().map(|(_, report)| report).collect();
    Ok(join(parts, catalogue))
}

fn join(parts: Vec<Report>, catalogue: &Catalogue) -> Report {
    let start = |report: &Report| report.started.parse::<Timestamp>().ok();
    let first = parts.iter().min_by_key(|report| start(report)).map(start);
    let mut parts = parts.into_iter().map(|mut report| {
        // Exchanges are timed from the start of their part.
        let shift = start(&report).zip(first.flatten()).map_or(0, |(own, first)| {
            u64::try_from(own.duration_since(first).as_micros()).unwrap_or(0)
        });
        let scenarios = report.requirements.iter_mut().flat_map(|r| &mut r.scenarios);
        for scenario in scenarios {
            scenario.at_us += shift;
            scenario.exchanges.iter_mut().for_each(|e| e.at_us += shift);
        }
        report.preflight.iter_mut().for_each(|e| e.at_us += shift);
        (shift, report)
    });
    let Some((shift, mut whole)) = parts.next() else { unreachable!("there is a part") };
    let mut end = shift / 1000 + whole.duration_ms;
    for (shift, part) in parts {
        end = end.max(shift / 1000 + part.duration_ms);
        whole.requests += part.requests;
        whole.interrupted |= part.interrupted;
        if part.started < whole.started {
            (whole.started, whole.run) = (part.started, part.run);
        }
        let news: Vec<String> =
            part.facts.into_iter().filter(|fact| !whole.facts.contains(fact)).collect();
        whole.facts.extend(news);
        let others: Vec<_> =
            part.snapshots.into_iter().filter(|s| !whole.snapshots.contains(s)).collect();
        whole.snapshots.extend(others);
        whole.preflight.extend(part.preflight);
        whole.requirements.extend(part.requirements);
    }
    let order: BTreeMap<&str, usize> =
        catalogue.order().enumerate().map(|(at, id)| (id, at)).collect();
    whole.requirements.sort_by_key(|r| order.get(r.id.as_str()).copied().unwrap_or(usize::MAX));
    whole.duration_ms = end;
    whole.part = None;
    // Its parts may lie in the same folder.
    whole.run.push_str("-merged");
    whole.gate = strict(&whole.requirements);
    whole.counts = BTreeMap::new();
    for requirement in &whole.requirements {
        *whole.counts.entry(requirement.status).or_default() += 1;
    }
    whole
}
