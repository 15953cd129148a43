//! The embedded features and the catalogue of requirements that they judge.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use cucumber::feature::Ext as _;
use gherkin::{Feature, GherkinEnv};
use serde::Deserialize;

use crate::model::explanation::Gherkin;
use crate::model::hint::{Flaw, Hint};
use crate::model::requirement::Requirement;

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

const SERVERS: &str = include_str!("../features/servers.toml");
const FLAWS: &str = include_str!("../fixtures/flaws.toml");

/// Ids shown where several begin alike.
const MOST_NAMED: usize = 8;

/// Requirements and features, parsed once.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Every requirement, in the order of the files.
    pub requirements: Vec<Requirement>,
    /// Every feature with its outlines expanded, in the order of the files.
    pub features: Vec<Feature>,
    /// What to change at common servers.
    pub hints: Vec<Hint>,
    /// The register of known flaws.
    pub flaws: Vec<Flaw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    requirement: Vec<Requirement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Servers {
    hint: Vec<Hint>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Register {
    flaw: Vec<Flaw>,
}

impl Catalogue {
    /// What is embedded, parsed once in the life of the process. Fails, naming the file, on text
    /// that does not parse and on an id that occurs twice.
    pub fn load() -> Result<&'static Self, String> {
        static PARSED: LazyLock<Result<Catalogue, String>> = LazyLock::new(Catalogue::parse);
        PARSED.as_ref().map_err(Clone::clone)
    }

    fn parse() -> Result<Self, String> {
        let mut requirements = Vec::new();
        for (path, text) in CATALOGUE {
            let file: File = toml::from_str(text).map_err(|e| format!("{path}: {e}"))?;
            requirements.extend(file.requirement);
        }
        let mut seen = HashSet::new();
        if let Some(twice) = requirements.iter().find(|r| !seen.insert(r.id.as_str())) {
            return Err(format!("{} occurs twice in the catalogue", twice.id));
        }
        let mut features = Vec::new();
        for (path, text) in FEATURES {
            let mut feature =
                Feature::parse(*text, GherkinEnv::default()).map_err(|e| format!("{path}: {e}"))?;
            feature.path = Some(path.into());
            features.push(feature.expand_examples().map_err(|e| format!("{path}: {e}"))?);
        }
        let servers: Servers =
            toml::from_str(SERVERS).map_err(|e| format!("features/servers.toml: {e}"))?;
        let register: Register =
            toml::from_str(FLAWS).map_err(|e| format!("fixtures/flaws.toml: {e}"))?;
        Ok(Self { requirements, features, hints: servers.hint, flaws: register.flaw })
    }

    /// The files that are embedded.
    pub(crate) fn texts() -> impl Iterator<Item = &'static str> {
        CATALOGUE.iter().chain(FEATURES).map(|(_, text)| *text)
    }

    /// The requirement of that id.
    pub fn requirement(&self, id: &str) -> Option<&Requirement> {
        self.requirements.iter().find(|r| r.id == id)
    }

    /// The rule of that requirement as its feature file has it; none for an untested one.
    pub fn gherkin(&self, id: &str) -> Option<Gherkin> {
        let rule_of = |feature: &Feature| {
            let rule = feature.rules.iter().find(|rule| id_of(&rule.tags) == Some(id))?;
            let path = feature.path.as_ref()?.display().to_string();
            Some((path, rule.position.line))
        };
        let (feature, line) = self.features.iter().find_map(rule_of)?;
        let (_, source) = FEATURES.iter().find(|(path, _)| *path == feature)?;
        let mut lines: Vec<&str> = source.lines().skip(line - 1).collect();
        let is_rule = |line: &&str| line.trim_start().starts_with("Rule:");
        lines.truncate(1 + lines.iter().skip(1).take_while(|line| !is_rule(line)).count());
        // What stands last belongs to the next rule: its tags.
        let is_between = |line: &&str| line.trim().is_empty() || line.trim().starts_with('@');
        while lines.last().is_some_and(is_between) {
            lines.pop();
        }
        let indent = lines.first().map_or(0, |first| first.len() - first.trim_start().len());
        let text: Vec<&str> = lines.iter().map(|line| line.get(indent..).unwrap_or("")).collect();
        Some(Gherkin { feature, line, text: text.join("\n") })
    }

    /// The complaint about an id that no requirement has, with the one that was meant perhaps.
    pub fn unknown(&self, wanted: &str) -> String {
        let near = nearest(wanted, self.requirements.iter().map(|r| r.id.as_str()));
        let hint = near.map(|near| format!("; did you mean {near}?"));
        let hint = hint.unwrap_or_else(|| "; authspec list shows them all".into());
        format!("no requirement has the id {wanted}{hint}")
    }

    /// The requirement that `wanted` names: an id, or the beginning of one alone.
    ///
    /// The error says what may have been meant.
    pub fn named(&self, wanted: &str) -> Result<&Requirement, String> {
        if let Some(exact) = self.requirement(wanted) {
            return Ok(exact);
        }
        let begins = |r: &&Requirement| !wanted.is_empty() && r.id.starts_with(wanted);
        let all: Vec<&Requirement> = self.requirements.iter().filter(begins).collect();
        match all.as_slice() {
            [] => Err(self.unknown(wanted)),
            [alone] => Ok(alone),
            several => {
                let ids: Vec<&str> =
                    several.iter().take(MOST_NAMED).map(|r| r.id.as_str()).collect();
                let more = if several.len() > MOST_NAMED { ", .." } else { "" };
                let count = several.len();
                Err(format!("{count} requirements begin with {wanted}: {}{more}", ids.join(", ")))
            }
        }
    }

    /// Names of the scenarios that judge the requirement; `None` where there is no such one.
    pub fn scenarios_of(&self, id: &str) -> Option<Vec<&str>> {
        self.requirement(id)?;
        let rules = self.features.iter().flat_map(|f| &f.rules);
        let own = rules.filter(|rule| id_of(&rule.tags) == Some(id));
        Some(own.flat_map(|rule| &rule.scenarios).map(|s| s.name.as_str()).collect())
    }

    /// The ids in the order of a report: that of the features, untested ones last.
    pub fn order(&self) -> impl Iterator<Item = &str> {
        let judged = self.features.iter().flat_map(|f| &f.rules).filter_map(|r| id_of(&r.tags));
        let untested = self.requirements.iter().filter(|r| r.untested.is_some());
        judged.chain(untested.map(|r| r.id.as_str()))
    }

    /// The ids with their position, for lookups.
    pub fn index(&self) -> BTreeMap<&str, &Requirement> {
        self.requirements.iter().map(|r| (r.id.as_str(), r)).collect()
    }
}

/// The requirement id among the tags of a rule: the one with a dot.
pub fn id_of(tags: &[String]) -> Option<&str> {
    tags.iter().map(String::as_str).find(|tag| tag.contains('.'))
}

/// The candidate that resembles `wanted` most, if it resembles it at all.
fn nearest<'a>(wanted: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let pairs = |text: &str| text.as_bytes().windows(2).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let own = pairs(wanted);
    let likeness = |other: &str| {
        let theirs = pairs(other);
        let shared = own.iter().filter(|pair| theirs.contains(pair)).count();
        200 * shared / (own.len() + theirs.len()).max(1)
    };
    let best = candidates.max_by_key(|other| likeness(other))?;
    (likeness(best) >= 50).then_some(best)
}
