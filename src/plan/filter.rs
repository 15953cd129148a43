//! What the user asked for.

use std::collections::{BTreeMap, BTreeSet};

use cucumber::tag::Ext as _;
use gherkin::tagexpr::TagOperation;
use gherkin::{Feature, Rule, Scenario};

use crate::catalogue::{Catalogue, id_of};
use crate::model::requirement::{Impact, Requirement};
use crate::shard::Shard;

/// What the user asked for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// A tag expression as written, for example `@must and not @slow`.
    pub tags: Option<String>,
    /// Requirement ids.
    pub ids: Vec<String>,
    /// The name of a scenario.
    pub variant: Option<String>,
    /// Wait in real time for checks that need it.
    pub slow: bool,
    /// The part of the run.
    pub shard: Option<Shard>,
}

impl Filter {
    /// The filter in words, if it narrows anything.
    pub fn describe(&self) -> Option<String> {
        let ids = self.ids.iter().map(|id| format!("--id {id}"));
        let tags = self.tags.iter().map(|tags| format!("--tags '{tags}'"));
        let variant = self.variant.iter().map(|name| format!("scenario '{name}'"));
        let parts: Vec<String> = tags.chain(ids).chain(variant).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    /// Checks the filter against the catalogue: an expression that does not parse, or an id that
    /// does not exist, is the user's mistake and named.
    pub fn check(&self, catalogue: &Catalogue) -> Result<Option<TagOperation>, String> {
        for id in &self.ids {
            if catalogue.requirement(id).is_none() {
                return Err(catalogue.unknown(id));
            }
        }
        let Some(text) = &self.tags else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            format!("the tag expression does not parse: {text}; write for example '@must and not (@slow or @pkce)'")
        })
    }
}

/// A requirement that a filter selects, with those of its scenarios that it selects.
pub struct Selected<'a> {
    /// The requirement.
    pub requirement: &'a Requirement,
    /// Feature file and scenario; none where the requirement is untested.
    pub scenarios: Vec<(String, &'a Scenario)>,
}

impl Filter {
    pub(super) fn admits(
        &self,
        expression: Option<&TagOperation>,
        id: &str,
        tags: &[String],
    ) -> bool {
        let by_id = self.ids.is_empty() || self.ids.iter().any(|wanted| wanted == id);
        by_id && expression.is_none_or(|e| e.eval(tags.iter()))
    }

    pub(super) fn names(&self, scenario: &Scenario) -> bool {
        self.variant.as_ref().is_none_or(|variant| *variant == scenario.name)
    }

    /// The requirements of this part of the run; all that are selected where it has no parts.
    pub fn own<'a>(&self, catalogue: &'a Catalogue) -> Result<BTreeSet<&'a str>, String> {
        let selected = self.select(catalogue)?;
        let ids = selected.iter().map(|s| s.requirement.id.as_str());
        Ok(match self.shard {
            Some(shard) => shard.select(ids),
            None => ids.collect(),
        })
    }

    /// What the filter selects of the catalogue, whatever the target and the part of the run, in the
    /// catalogue's order.
    pub fn select<'a>(&self, catalogue: &'a Catalogue) -> Result<Vec<Selected<'a>>, String> {
        let expression = self.check(catalogue)?;
        let mut all: BTreeMap<&str, Vec<(String, &Scenario)>> = BTreeMap::new();
        for feature in &catalogue.features {
            let path = feature.path.as_ref().map(|p| p.display().to_string()).unwrap_or_default();
            for rule in &feature.rules {
                let Some(requirement) = id_of(&rule.tags).and_then(|id| catalogue.requirement(id))
                else {
                    continue;
                };
                let chosen = rule.scenarios.iter().filter(|scenario| {
                    let tags = tags_of(feature, rule, scenario, requirement);
                    self.names(scenario) && self.admits(expression.as_ref(), &requirement.id, &tags)
                });
                all.insert(&requirement.id, chosen.map(|s| (path.clone(), s)).collect());
            }
        }
        let selected = catalogue.requirements.iter().filter_map(|requirement| {
            let scenarios = all.remove(requirement.id.as_str()).unwrap_or_default();
            let tags = derived_tags(requirement);
            let is_listed = requirement.untested.is_some()
                && self.admits(expression.as_ref(), &requirement.id, &tags);
            (is_listed || !scenarios.is_empty()).then_some(Selected { requirement, scenarios })
        });
        Ok(selected.collect())
    }
}

/// All tags of a scenario: those written at feature, rule and scenario, and the derived ones.
pub(super) fn tags_of(
    feature: &Feature,
    rule: &Rule,
    scenario: &Scenario,
    requirement: &Requirement,
) -> Vec<String> {
    let own = [&feature.tags, &rule.tags, &scenario.tags].into_iter().flatten().cloned();
    let impact = impact_of(scenario, requirement);
    let derived = derived_tags(requirement).into_iter();
    // The scenario says its own class.
    let derived =
        derived.filter(|tag| impact == requirement.impact || Impact::named(tag).is_none());
    own.chain(derived).collect()
}

/// What a scenario does to the target: what its requirement does, or more, where a tag says so.
pub fn impact_of(scenario: &Scenario, requirement: &Requirement) -> Impact {
    let own = scenario.tags.iter().filter_map(|tag| Impact::named(tag));
    own.fold(requirement.impact, Impact::max)
}

/// Tags that every scenario of a requirement has without being written: id, group, level,
/// severity, step and impact.
pub(super) fn derived_tags(requirement: &Requirement) -> Vec<String> {
    [
        requirement.id.as_str(),
        requirement.group(),
        requirement.level.tag(),
        requirement.severity.as_str(),
        requirement.step.as_str(),
        requirement.impact.as_str(),
    ]
    .map(str::to_owned)
    .to_vec()
}
