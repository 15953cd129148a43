//! The preflight for its own sake: what `authspec doctor` shows, and the profile that `authspec init`
//! writes.

use crate::draw::clean;
use crate::model::requirement::Profile;
use crate::model::verdict::Obstacle;
pub use crate::preflight::items::{Finding, Item};
use crate::preflight::items::{ITEMS, examine};
use crate::preflight::{enter, prepare};
use crate::taint::redactor;
use crate::target::profile::Target;
use crate::target::starter;
use crate::world::context::Clock;

/// Looks at everything that an audit of the target rests on; signs in once. Every item is there,
/// and no secret.
pub async fn diagnose(target: Target) -> Vec<Item> {
    let mut context = enter(target, Profile::Baseline, Clock::default());
    let mut items = examine(&mut context).await;
    let exchanges = context.shared.exchanges();
    let redactor = redactor(&context, exchanges.iter());
    for item in &mut items {
        match &mut item.finding {
            Finding::Good(text) | Finding::Advice(text, _) => *text = redactor.redact(text),
            Finding::Bad(obstacle) => *obstacle = clean(obstacle, &redactor),
            Finding::Skipped(_) => {}
        }
    }
    let last = items.last().map_or(ITEMS[0], |item| item.name);
    let rest = ITEMS[items.len()..].iter();
    let skipped =
        rest.map(|name| Item { name, finding: Finding::Skipped(format!("rests on {last}")) });
    let skipped: Vec<Item> = skipped.collect();
    items.extend(skipped);
    items
}

/// A commented profile from what the target publishes.
///
/// The error says what was tried, what came back and what to change.
pub async fn first_profile(target: Target) -> Result<String, Obstacle> {
    match prepare(target, Profile::Baseline, Clock::default()).await {
        Ok(context) => Ok(starter::profile(&context.target, &context.facts)),
        Err((obstacle, context)) => {
            let exchanges = context.shared.exchanges();
            Err(clean(&obstacle, &redactor(&context, exchanges.iter())))
        }
    }
}

/// Whether an audit makes sense.
pub fn is_usable(items: &[Item]) -> bool {
    !items.iter().any(|item| matches!(item.finding, Finding::Bad(_)))
}
