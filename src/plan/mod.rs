//! What a run will do: features × catalogue × facts about the target × the user's filter. The plan
//! itself is fed to the runner, so what is listed is what runs.

mod filter;

use std::collections::BTreeMap;

use gherkin::{Feature, Rule, Scenario};

use crate::catalogue::{Catalogue, id_of};
use crate::model::requirement::{Impact, Requirement};
use crate::model::verdict::Status;
use crate::target::capabilities::{Applies, Facts, applies};
use crate::target::profile::Target;
pub use filter::{Filter, Selected, impact_of};
use filter::{derived_tags, tags_of};

/// Why a requirement has no verdict in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Omitted {
    /// Its condition does not hold.
    NotApplicable(String),
    /// It is not automated, or not in this kind of run.
    Untested(String),
    /// Its probe does more to the target than the run may do.
    Unsafe(Impact, String),
}

impl Omitted {
    /// The status that says so.
    pub fn status(&self) -> Status {
        match self {
            Self::NotApplicable(_) => Status::NotApplicable,
            Self::Untested(_) | Self::Unsafe(..) => Status::Untested,
        }
    }

    /// The reason, in words.
    pub fn reason(&self) -> &str {
        match self {
            Self::NotApplicable(reason) | Self::Untested(reason) | Self::Unsafe(_, reason) => {
                reason
            }
        }
    }
}

/// The scenarios to run and the requirements left out, by id.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Features with the scenarios that run.
    pub features: Vec<Feature>,
    /// Requirements selected but without a scenario in this run.
    pub omitted: BTreeMap<String, Omitted>,
    /// Number of scenarios.
    pub scenarios: usize,
    /// Scenarios that do more to the target than the run may do, of requirements that others judge.
    pub lightened: BTreeMap<String, (Impact, usize)>,
}

impl Plan {
    /// Builds the plan. `can_wait` tells that waiting costs nothing, since the clock is virtual.
    pub fn build(
        catalogue: &Catalogue,
        target: &Target,
        facts: &Facts,
        filter: &Filter,
        can_wait: bool,
    ) -> Result<Self, String> {
        let expression = filter.check(catalogue)?;
        let index = catalogue.index();
        let own = filter.own(catalogue)?;
        let selects = |requirement: &Requirement, tags: &[String]| {
            own.contains(requirement.id.as_str())
                && filter.admits(expression.as_ref(), &requirement.id, tags)
        };
        let mut plan = Self::default();
        for requirement in &catalogue.requirements {
            if let Some(reason) = &requirement.untested
                && selects(requirement, &derived_tags(requirement))
            {
                plan.omitted.insert(requirement.id.clone(), Omitted::Untested(reason.clone()));
            }
        }
        for feature in &catalogue.features {
            let mut planned = Feature { rules: vec![], scenarios: vec![], ..feature.clone() };
            for rule in &feature.rules {
                let Some(requirement) = id_of(&rule.tags).and_then(|id| index.get(id)) else {
                    return Err(format!(
                        "the rule \"{}\" has no requirement of the catalogue among its tags",
                        rule.name
                    ));
                };
                let chosen: Vec<Scenario> = rule
                    .scenarios
                    .iter()
                    .filter(|s| {
                        filter.names(s)
                            && selects(requirement, &tags_of(feature, rule, s, requirement))
                    })
                    .cloned()
                    .collect();
                if chosen.is_empty() {
                    continue;
                }
                let waits = |scenario: &Scenario| {
                    scenario.tags.iter().chain(&rule.tags).any(|tag| tag == "slow")
                };
                let may_wait = can_wait || filter.slow;
                let chosen: Vec<Scenario> =
                    chosen.into_iter().filter(|scenario| may_wait || !waits(scenario)).collect();
                if chosen.is_empty() {
                    let reason = "it waits in real time: ask for it with --slow".to_owned();
                    plan.omitted.insert(requirement.id.clone(), Omitted::Untested(reason));
                    continue;
                }
                match applies(&requirement.applies, target, facts)? {
                    Applies::No(reason) => {
                        plan.omitted.insert(requirement.id.clone(), Omitted::NotApplicable(reason));
                    }
                    Applies::Yes | Applies::ByProbe => {
                        let heavy = |s: &Scenario| impact_of(s, requirement);
                        let (safe, left): (Vec<Scenario>, Vec<Scenario>) = chosen
                            .into_iter()
                            .partition(|s| target.safety.permits(heavy(s)).is_ok());
                        if let Some(impact) = left.iter().map(heavy).min() {
                            let id = requirement.id.clone();
                            if let (true, Err(reason)) =
                                (safe.is_empty(), target.safety.permits(impact))
                            {
                                plan.omitted.insert(id, Omitted::Unsafe(impact, reason));
                                continue;
                            }
                            plan.lightened.insert(id, (impact, left.len()));
                        }
                        plan.scenarios += safe.len();
                        planned.rules.push(Rule { scenarios: safe, ..rule.clone() });
                    }
                }
            }
            if !planned.rules.is_empty() {
                plan.features.push(planned);
            }
        }
        Ok(plan)
    }

    /// Nothing was selected at all.
    pub fn is_empty(&self) -> bool {
        self.scenarios == 0 && self.omitted.values().all(|o| o.status() == Status::Untested)
    }

    /// How many requirements were left out for safety, by class.
    pub fn left_out(&self) -> BTreeMap<Impact, usize> {
        let mut left_out = BTreeMap::new();
        for omitted in self.omitted.values() {
            if let Omitted::Unsafe(impact, _) = omitted {
                *left_out.entry(*impact).or_default() += 1;
            }
        }
        left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::profile::Client;
    use crate::target::safety::{Environment, Safety};

    fn plan(filter: &Filter) -> Result<Plan, String> {
        let client = Client::new("web", &["https://app.test/cb"], "openid");
        let target = Target::new("https://as.test", client);
        Plan::build(Catalogue::load().unwrap(), &target, &Facts::default(), filter, false)
    }

    fn tags(text: &str) -> Filter {
        Filter { tags: Some(text.into()), ..Filter::default() }
    }

    fn ids(plan: &Plan) -> Vec<String> {
        let rules = plan.features.iter().flat_map(|f| &f.rules);
        rules.filter_map(|rule| id_of(&rule.tags).map(str::to_owned)).collect()
    }

    #[test]
    fn everything_is_planned_or_omitted_with_a_reason() {
        let plan = plan(&Filter::default()).unwrap();
        assert_eq!(
            ids(&plan).len() + plan.omitted.len(),
            Catalogue::load().unwrap().requirements.len()
        );
    }

    #[test]
    fn one_id_selects_its_scenarios_alone() {
        let filter = Filter { ids: vec!["token.code-single-use".into()], ..Filter::default() };
        let plan = plan(&filter).unwrap();
        assert_eq!((ids(&plan), plan.scenarios), (vec!["token.code-single-use".to_owned()], 2));
    }

    #[test]
    fn levels_severities_and_groups_work_as_tags() {
        let plan = plan(&tags("@must and @critical and @pkce")).unwrap();
        assert!(ids(&plan).contains(&"pkce.verifier-missing".to_owned()));
        assert!(ids(&plan).iter().all(|id| id.starts_with("pkce.")));
    }

    #[test]
    fn what_a_probe_does_to_the_target_works_as_a_tag() {
        let ids_of = |text: &str| -> Vec<String> {
            let selected = tags(text).select(Catalogue::load().unwrap()).unwrap();
            selected.iter().map(|selected| selected.requirement.id.clone()).collect()
        };
        let passive = ids_of("@passive and @pkce");
        assert!(passive.contains(&"pkce.code-flow-s256".to_owned()));
        assert!(!passive.contains(&"pkce.verifier-missing".to_owned()));
        assert_eq!(
            ids_of("@lockout-risk"),
            ["authn.wrong-credentials", "authn.guessing-protection"]
        );
        assert_eq!(ids_of("@load and @token"), ["token.code-race"]);
    }

    #[test]
    fn mistakes_are_named() {
        let filter = Filter { ids: vec!["token.code-singel-use".into()], ..Filter::default() };
        assert!(plan(&filter).unwrap_err().contains("did you mean token.code-single-use?"));
        assert!(plan(&tags("@must and (")).unwrap_err().contains("does not parse"));
        assert!(plan(&tags("@nothing-has-this")).unwrap().is_empty());
    }

    #[test]
    fn slow_checks_wait_to_be_asked_for() {
        let omitted = plan(&Filter::default()).unwrap().omitted;
        assert!(matches!(omitted.get("token.code-lifetime"), Some(Omitted::Untested(_))));
        let asked = plan(&Filter { slow: true, ..Filter::default() }).unwrap();
        assert!(ids(&asked).contains(&"token.code-lifetime".to_owned()));
    }

    fn in_environment(environment: Environment, allow: &[Impact]) -> Plan {
        let client = Client::new("web", &["https://app.test/cb"], "openid");
        let mut target = Target::new("https://as.test", client);
        target.safety = Safety { allow: allow.to_vec(), ..Safety::of(environment) };
        let catalogue = Catalogue::load().unwrap();
        Plan::build(catalogue, &target, &Facts::default(), &Filter::default(), false).unwrap()
    }

    #[test]
    fn what_one_scenario_does_keeps_none_of_the_others_from_a_run() {
        let plan = in_environment(Environment::Production, &[]);
        let rules = || plan.features.iter().flat_map(|f| &f.rules);
        let framing = rules().find(|r| id_of(&r.tags) == Some("authn.clickjacking")).unwrap();
        let names: Vec<&str> = framing.scenarios.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["the pages on the way to a code"]);
        assert_eq!(plan.lightened.get("authn.clickjacking"), Some(&(Impact::Active, 1)));
        assert!(in_environment(Environment::Staging, &[]).lightened.is_empty());
        let catalogue = Catalogue::load().unwrap();
        for rule in rules() {
            let requirement = catalogue.requirement(id_of(&rule.tags).unwrap()).unwrap();
            let heavy = |s: &Scenario| impact_of(s, requirement) > Impact::Passive;
            assert!(!rule.scenarios.iter().any(heavy), "{}", requirement.id);
        }
    }

    #[test]
    fn a_tag_of_a_class_selects_the_scenarios_of_that_class() {
        let of = |text: &str| -> Vec<String> {
            let selected = tags(text).select(Catalogue::load().unwrap()).unwrap();
            selected.iter().flat_map(|s| s.scenarios.iter().map(|(_, s)| s.name.clone())).collect()
        };
        assert_eq!(of("@authn.clickjacking and @active"), ["an error page"]);
        assert_eq!(of("@authn.clickjacking and @passive"), ["the pages on the way to a code"]);
    }

    fn classes(plan: &Plan) -> Vec<Impact> {
        let catalogue = Catalogue::load().unwrap();
        let ids = ids(plan);
        let impacts = ids.iter().filter_map(|id| Some(catalogue.requirement(id)?.impact));
        let mut classes: Vec<Impact> = impacts.collect();
        classes.sort_unstable();
        classes.dedup();
        classes
    }

    #[test]
    fn production_selects_passive_checks_only() {
        let plan = in_environment(Environment::Production, &Impact::ALL);
        assert_eq!(classes(&plan), [Impact::Passive]);
        assert!(plan.left_out().contains_key(&Impact::Active));
    }

    #[test]
    fn what_is_left_out_for_safety_is_untested_with_the_option_that_includes_it() {
        let plan = in_environment(Environment::Staging, &[]);
        assert_eq!(classes(&plan), Impact::ALL[..3]);
        let race = &plan.omitted["token.code-race"];
        assert_eq!(race.status(), Status::Untested);
        assert!(race.reason().contains("--allow load"), "{}", race.reason());
        let all = ids(&plan).len() + plan.omitted.len();
        assert_eq!(all, Catalogue::load().unwrap().requirements.len());
        let allowed = in_environment(Environment::Staging, &[Impact::Load]);
        assert!(ids(&allowed).contains(&"token.code-race".to_owned()));
        assert!(!allowed.left_out().contains_key(&Impact::Load));
        assert!(in_environment(Environment::Development, &[]).left_out().is_empty());
    }

    #[test]
    fn the_other_scenarios_of_a_rule_do_not_wait() {
        let id = "introspection.ended-inactive";
        let client = Client::new("web", &["https://app.test/cb"], "openid");
        let mut target = Target::new("https://as.test", client);
        target.introspection = Some(crate::target::profile::Introspection {
            client_id: "api".into(),
            client_secret: crate::target::secret::Secret::new("secret"),
        });
        let mut facts = Facts::default();
        facts.metadata.set("introspection_endpoint", "https://as.test/introspect");
        let scenarios = |slow| {
            let filter = Filter { ids: vec![id.into()], slow, ..Filter::default() };
            let catalogue = Catalogue::load().unwrap();
            Plan::build(catalogue, &target, &facts, &filter, false).unwrap().scenarios
        };
        assert_eq!((scenarios(false), scenarios(true)), (1, 2));
    }
}
