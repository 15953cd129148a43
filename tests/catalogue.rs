//! The catalogue against the features: nothing without a rule or a reason, no rule without a duty,
//! no step without exactly one definition.
#![expect(clippy::unwrap_used, reason = "a test may fail at any line")]

use std::collections::BTreeSet;

use authspec::catalogue::{Catalogue, id_of};
use authspec::model::requirement::Level;
use authspec::target::capabilities::{Facts, applies};
use authspec::target::profile::{Client, Target};
use authspec::world::registered_steps;

fn catalogue() -> &'static Catalogue {
    Catalogue::load().unwrap()
}

#[test]
fn every_requirement_has_a_rule_or_a_reason_and_never_both() {
    let catalogue = catalogue();
    let rules: Vec<&str> =
        catalogue.features.iter().flat_map(|f| &f.rules).filter_map(|r| id_of(&r.tags)).collect();
    let unique: BTreeSet<&str> = rules.iter().copied().collect();
    assert_eq!(unique.len(), rules.len(), "an id has two rules");
    for requirement in &catalogue.requirements {
        let has_rule = unique.contains(requirement.id.as_str());
        assert_eq!(has_rule, requirement.untested.is_none(), "{}", requirement.id);
    }
    for id in unique {
        assert!(catalogue.requirement(id).is_some(), "{id} is in no catalogue file");
    }
}

#[test]
fn the_groups_of_this_step_are_complete() {
    let complete = ["pkce", "authz", "authzresp", "token", "tokenresp"];
    let catalogue = catalogue();
    let left: Vec<&str> = catalogue
        .requirements
        .iter()
        .filter(|r| complete.contains(&r.group()) && r.untested.is_some())
        .map(|r| r.id.as_str())
        .collect();
    assert_eq!(left, Vec::<&str>::new());
}

#[test]
fn the_title_of_a_rule_says_how_binding_it_is() {
    let catalogue = catalogue();
    for rule in catalogue.features.iter().flat_map(|f| &f.rules) {
        let requirement = catalogue.requirement(id_of(&rule.tags).unwrap()).unwrap();
        let word = match requirement.level {
            Level::Must | Level::MustNot => "MUST",
            Level::Should | Level::ShouldNot => "SHOULD",
            Level::May => "MAY",
        };
        assert!(rule.name.contains(word), "{}: \"{}\" lacks {word}", requirement.id, rule.name);
    }
}

#[test]
fn every_step_has_exactly_one_definition() {
    let steps = registered_steps();
    for feature in &catalogue().features {
        let backgrounds = feature.background.iter().flat_map(|b| &b.steps);
        let scenarios = feature.rules.iter().flat_map(|r| &r.scenarios).flat_map(|s| &s.steps);
        for step in backgrounds.chain(scenarios) {
            let found = steps.find(step);
            let place = format!("{}:{} {}", feature.name, step.position.line, step.value);
            assert!(matches!(found, Ok(Some(_))), "undefined or ambiguous: {place}");
        }
    }
}

#[test]
fn every_rule_runs_something_and_every_scenario_judges_something() {
    for feature in &catalogue().features {
        assert!(
            feature.scenarios.is_empty(),
            "{}: a scenario outside a rule judges no duty",
            feature.name
        );
        for rule in &feature.rules {
            assert!(!rule.scenarios.is_empty(), "{}", rule.name);
            for scenario in &rule.scenarios {
                let judges = |s: &gherkin::Step| s.ty == gherkin::StepType::Then;
                assert!(scenario.steps.iter().any(judges), "{}: {}", rule.name, scenario.name);
            }
        }
    }
}

#[test]
fn names_are_unique_within_a_rule() {
    for rule in catalogue().features.iter().flat_map(|f| &f.rules) {
        let names: BTreeSet<&str> = rule.scenarios.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names.len(), rule.scenarios.len(), "{}", rule.name);
    }
}

#[test]
fn every_condition_is_known() {
    let client = Client::new("web", &["https://app.test/cb"], "openid");
    let target = Target::new("https://as.test", client);
    for requirement in &catalogue().requirements {
        assert!(
            applies(&requirement.applies, &target, &Facts::default()).is_ok(),
            "{}",
            requirement.id
        );
    }
}

#[test]
fn ids_and_sources_are_well_formed() {
    for requirement in &catalogue().requirements {
        let is_kebab = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        assert!(
            requirement.id.split('.').count() >= 2 && requirement.id.split('.').all(is_kebab),
            "{}",
            requirement.id
        );
        assert!(requirement.sources.first().is_some_and(|s| s.contains('§')), "{}", requirement.id);
        assert!(
            requirement.url.as_deref().is_none_or(|u| u.starts_with("https://")),
            "{}",
            requirement.id
        );
    }
}
