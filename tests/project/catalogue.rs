//! The catalogue against the features: nothing without a rule or a reason, no rule without a duty,
//! no step without exactly one definition.

use std::collections::{BTreeMap, BTreeSet};

use authspec::catalogue::{Catalogue, id_of};
use authspec::model::requirement::{Impact, Level};
use authspec::plan::impact_of;
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

#[test]
fn every_requirement_says_what_an_attacker_gains_and_what_to_change() {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for requirement in &catalogue().requirements {
        for text in [&requirement.attack, &requirement.fix] {
            assert!(text.trim().len() >= 20, "{}: \"{text}\" tells too little", requirement.id);
            assert!(text.ends_with('.'), "{}: \"{text}\" is no sentence", requirement.id);
            *seen.entry(text).or_default() += 1;
        }
        assert_ne!(requirement.attack, requirement.fix, "{}", requirement.id);
        assert!(requirement.cwe.iter().all(|number| *number > 0), "{}", requirement.id);
        let unique: BTreeSet<u32> = requirement.cwe.iter().copied().collect();
        assert_eq!(unique.len(), requirement.cwe.len(), "{}", requirement.id);
    }
    let boilerplate: Vec<_> = seen.iter().filter(|(_, times)| **times > 3).collect();
    assert!(boilerplate.is_empty(), "{boilerplate:?}");
}

/// Steps that are heavier than a deviating request, and the least impact that they have.
#[test]
fn the_impact_of_a_requirement_covers_its_heaviest_step() {
    let heavy = [
        ("at the same moment", Impact::Load),
        ("runs the whole flow 8 times", Impact::Load),
        ("obtains 8 codes", Impact::Load),
        ("1 MiB", Impact::Load),
        ("wrong password", Impact::LockoutRisk),
        ("revokes its", Impact::StateChanging),
        ("signs out", Impact::StateChanging),
        ("after a logout that worked", Impact::StateChanging),
        ("refreshes its tokens", Impact::StateChanging),
        ("refreshes for", Impact::StateChanging),
        ("response of a refresh", Impact::StateChanging),
        ("redeems it again", Impact::StateChanging),
        ("that open the scope-protected operation", Impact::StateChanging),
        ("invented", Impact::Active),
        ("altered", Impact::Active),
        ("forged", Impact::Active),
        ("an unknown client", Impact::Active),
        ("methods of other endpoints", Impact::Active),
        ("no code_challenge", Impact::Active),
        ("an unknown response_type", Impact::Active),
        ("token to be revoked", Impact::Active),
        ("markup in", Impact::Active),
        ("foreign origin", Impact::Active),
        ("without code_verifier", Impact::Active),
    ];
    for rule in catalogue().features.iter().flat_map(|f| &f.rules) {
        let requirement = catalogue().requirement(id_of(&rule.tags).unwrap()).unwrap();
        let steps = rule.scenarios.iter().flat_map(|s| s.steps.iter().map(move |step| (s, step)));
        for (scenario, step) in steps {
            let impact = impact_of(scenario, requirement);
            for (words, least) in heavy {
                assert!(
                    !step.value.contains(words) || impact >= least,
                    "{} is {}, and \"{}\" is {}",
                    requirement.id,
                    impact.as_str(),
                    step.value,
                    least.as_str()
                );
            }
        }
    }
}

#[test]
fn the_classes_of_impact_are_ordered_and_named_as_in_the_files() {
    assert!(Impact::ALL.is_sorted());
    for impact in Impact::ALL {
        let of_it = catalogue().requirements.iter().filter(|r| r.impact == impact);
        assert!(of_it.count() > 0, "{}", impact.as_str());
    }
}
