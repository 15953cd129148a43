//! The preflight for its own sake: what `authspec doctor` shows, and the profile that `authspec init`
//! writes.

mod evidence;

use crate::draw::clean;
use crate::model::requirement::Profile;
use crate::model::verdict::Obstacle;
pub use crate::preflight::items::{Finding, Item};
use crate::preflight::items::{ITEMS, examine};
use crate::preflight::{enter, prepare};
use crate::taint::redactor;
use crate::target::profile::Target;
use crate::target::starter;
use crate::world::context::{Clock, Context};

/// Looks at everything that an audit of the target rests on; signs in once. Every item is there,
/// and no secret.
pub async fn diagnose(target: Target) -> Vec<Item> {
    let mut context = enter(target, Profile::Baseline, Clock::default());
    let mut items = examine(&mut context).await;
    let exchanges = context.shared.exchanges();
    let redactor = redactor(&context, exchanges.iter());
    for item in &mut items {
        let cites: Vec<&str> = match &item.finding {
            Finding::Good(_) | Finding::Skipped(_) => vec![],
            Finding::Advice(seen, _) => vec![seen],
            Finding::Bad(obstacle) => vec![&obstacle.came_back, &obstacle.tried],
        };
        item.evidence = evidence::of(&cites, &exchanges, &redactor);
        match &mut item.finding {
            Finding::Good(text) | Finding::Advice(text, _) => *text = redactor.redact(text),
            Finding::Bad(obstacle) => *obstacle = clean(obstacle, &redactor),
            Finding::Skipped(_) => {}
        }
    }
    let last = items.last().map_or(ITEMS[0], |item| item.name);
    let rest = ITEMS[items.len()..].iter();
    let why = || Finding::Skipped(format!("rests on {last}"));
    let skipped: Vec<Item> =
        rest.map(|name| Item { name, finding: why(), evidence: vec![] }).collect();
    items.extend(skipped);
    items
}

/// A commented profile from what the target publishes.
///
/// The error says what was tried, what came back and what to change, with the exchanges that it
/// cites.
pub async fn first_profile(target: Target) -> Result<String, (Obstacle, Vec<String>)> {
    match prepare(target, Profile::Baseline, Clock::default()).await {
        Ok(context) => Ok(starter::profile(&context.target, &context.facts)),
        Err((mut obstacle, context)) => {
            let exchanges = context.shared.exchanges();
            let redactor = redactor(&context, exchanges.iter());
            let evidence = evidence::of(&[&obstacle.came_back], &exchanges, &redactor);
            if let Some(cure) = cure(&context) {
                obstacle.remedy = cure;
            }
            Err((clean(&obstacle, &redactor), evidence))
        }
    }
}

/// What whoever has no profile yet can do about metadata that is not to be had.
fn cure(context: &Context) -> Option<String> {
    let lookups = &context.facts.lookups;
    let failure = lookups.first()?.outcome.as_ref().err();
    if failure.is_some_and(|why| why.contains("TLS") || why.contains("certificate")) {
        return Some(
            "renew the certificate (its chain must end at a trusted root, its name match the host), name its authority by --ca-file FILE, or go on with --insecure, which the profile and every report will say"
                .into(),
        );
    }
    let is_busy = lookups.iter().any(|e| {
        e.withheld.is_some() || e.response().is_some_and(|r| matches!(r.status, 429 | 503))
    });
    if failure.is_some() || is_busy || !context.facts.documents.is_empty() {
        return None;
    }
    let begun = starter::without_metadata(&context.target.issuer);
    Some(format!(
        "check the issuer, path included; for a server without metadata write the profile yourself and name its endpoints:\n\n{begun}"
    ))
}

/// Whether an audit makes sense.
pub fn is_usable(items: &[Item]) -> bool {
    !items.iter().any(|item| matches!(item.finding, Finding::Bad(_)))
}
