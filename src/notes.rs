//! What a report says about safety.

use crate::model::requirement::Impact;
use crate::plan::Plan;
use crate::target::safety::{Environment, Safety};
use crate::world::context::Context;

/// What was left out, allowed and waited for, for the sake of the target.
pub(crate) fn notes(plan: &Plan, context: &Context) -> Vec<String> {
    let mut notes = of_plan(plan, &context.target.safety);
    let trace = context.http.trace_id().filter(|_| context.target.safety.environment.is_shared());
    notes.extend(trace.map(|id| {
        format!("in the log of the target: trace id {id}, User-Agent with run {}", &id[..8])
    }));
    let (illnesses, held) = context.http.disturbances();
    if illnesses > 0 {
        notes.push(format!(
            "the target fell ill {illnesses} times: nothing was sent to it meanwhile, and what could not be judged is inconclusive"
        ));
    }
    if !held.is_zero() {
        notes.push(format!("Retry-After of the target was honoured, {} s in all", held.as_secs()));
    }
    notes
}

/// What was left out and allowed by the plan.
pub(crate) fn of_plan(plan: &Plan, safety: &Safety) -> Vec<String> {
    let list = |all: &[Impact]| all.iter().map(|i| i.as_str()).collect::<Vec<_>>().join(",");
    let environment = safety.environment.as_str();
    let mut notes = Vec::new();
    let left_out = plan.left_out();
    if !left_out.is_empty() {
        let counts: Vec<String> =
            left_out.iter().map(|(impact, count)| format!("{count} {}", impact.as_str())).collect();
        let classes: Vec<Impact> = left_out.into_keys().collect();
        let option = match safety.environment {
            Environment::Production => "--accept-impact-on-production",
            _ => "--allow",
        };
        notes.push(format!(
            "requirements left out in {environment}: {}; {option} {} includes them",
            counts.join(", "),
            list(&classes)
        ));
    }
    if !plan.lightened.is_empty() {
        let count: usize = plan.lightened.values().map(|(_, count)| count).sum();
        let ids: Vec<&str> = plan.lightened.keys().map(String::as_str).collect();
        notes.push(format!(
            "{count} scenarios left out in {environment} of requirements that other scenarios judge: {}",
            ids.join(", ")
        ));
    }
    if !safety.accepted.is_empty() {
        notes.push(format!(
            "impact accepted in production, by --accept-impact-on-production: {}",
            list(&safety.accepted)
        ));
    }
    if safety.environment == Environment::Staging && !safety.allow.is_empty() {
        notes.push(format!("allowed in {environment}: {}", list(&safety.allow)));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Omitted;

    #[test]
    fn what_is_left_out_is_counted_and_what_is_accepted_is_said() {
        let mut plan = Plan::default();
        let mut safety = Safety::of(Environment::Staging);
        assert!(of_plan(&plan, &safety).is_empty());
        for (id, impact) in
            [("a.b", Impact::Load), ("a.c", Impact::Load), ("a.d", Impact::LockoutRisk)]
        {
            plan.omitted.insert(id.into(), Omitted::Unsafe(impact, "too much".into()));
        }
        assert_eq!(
            of_plan(&plan, &safety),
            [
                "requirements left out in staging: 1 lockout-risk, 2 load; --allow lockout-risk,load includes them"
            ]
        );
        plan.lightened.insert("a.e".into(), (Impact::Active, 2));
        assert_eq!(
            of_plan(&plan, &safety)[1],
            "2 scenarios left out in staging of requirements that other scenarios judge: a.e"
        );
        plan.lightened.clear();
        safety = Safety { accepted: vec![Impact::Active], ..Safety::of(Environment::Production) };
        let notes = of_plan(&plan, &safety);
        assert!(notes[0].contains("--accept-impact-on-production lockout-risk,load"), "{notes:?}");
        assert_eq!(
            notes[1],
            "impact accepted in production, by --accept-impact-on-production: active"
        );
    }
}
