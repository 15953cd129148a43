//! Permanent names of places in the page: `token.code-single-use`, and for its scenarios
//! `token.code-single-use/3f2a91`, from the scenario's name. Neither moves with lines or runs.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use crate::model::report::Report;

/// Names that the page itself uses.
pub(super) const SECTIONS: [&str; 12] = [
    "top",
    "findings",
    "coverage",
    "requirements",
    "matrix",
    "unjudged",
    "latency",
    "target",
    "filter",
    "found",
    "search",
    "preflight",
];

/// The anchors of a report, each of them once.
pub(super) struct Anchors {
    requirements: Vec<Entry>,
}

struct Entry {
    id: String,
    scenarios: Vec<String>,
}

impl Anchors {
    pub(super) fn new(report: &Report) -> Self {
        let mut taken: HashSet<String> = SECTIONS.iter().map(|s| (*s).to_owned()).collect();
        let mut requirements = Vec::with_capacity(report.requirements.len());
        for requirement in &report.requirements {
            let id = unique(fragment(&requirement.id), &mut taken);
            let of_scenario = |name: &str| format!("{id}/{}", digest(name));
            let scenarios = requirement.scenarios.iter();
            let scenarios = scenarios.map(|s| unique(of_scenario(&s.name), &mut taken)).collect();
            requirements.push(Entry { id, scenarios });
        }
        Self { requirements }
    }

    /// The anchor of a requirement, by its position in the report.
    pub(super) fn requirement(&self, at: usize) -> &str {
        self.requirements.get(at).map_or("", |entry| &entry.id)
    }

    /// The anchor of one of its scenarios, by position.
    pub(super) fn scenario(&self, at: usize, scenario: usize) -> &str {
        let entry = self.requirements.get(at);
        entry.and_then(|entry| entry.scenarios.get(scenario)).map_or("", String::as_str)
    }
}

/// The anchor of a step of the flow.
pub(super) fn step(name: &str) -> String {
    format!("step-{}", fragment(name))
}

/// The anchor of an exchange of the scenario with that anchor.
pub(super) fn exchange(scenario: &str, number: usize) -> String {
    format!("{scenario}/{number}")
}

/// What needs no encoding in a fragment and no quotes in a shell.
fn fragment(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let plain: String = text.chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
    match plain.is_empty() {
        true => "-".into(),
        false => plain,
    }
}

fn digest(name: &str) -> String {
    Sha256::digest(name).iter().take(3).map(|octet| format!("{octet:02x}")).collect()
}

fn unique(wanted: String, taken: &mut HashSet<String>) -> String {
    let mut found = wanted.clone();
    let mut copy = 1;
    while !taken.insert(found.clone()) {
        copy += 1;
        found = format!("{wanted}~{copy}");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_plain_and_taken_once() {
        let mut taken = HashSet::from(["findings".to_owned()]);
        assert_eq!(unique("findings".into(), &mut taken), "findings~2");
        assert_eq!(unique("findings".into(), &mut taken), "findings~3");
        assert_eq!(fragment("token.code-single-use"), "token.code-single-use");
        assert_eq!(fragment("a b\"<é"), "a-b---");
        assert_eq!(step("id-token"), "step-id-token");
    }

    #[test]
    fn the_anchor_of_a_scenario_follows_from_its_name() {
        assert_eq!(digest("the same request again"), digest("the same request again"));
        assert_ne!(digest("the same request again"), digest("the same request, again"));
        assert_eq!(digest("x").len(), 6);
    }
}
