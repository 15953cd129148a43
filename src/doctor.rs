//! The preflight for its own sake: what `authspec doctor` shows.

use crate::draw::{clean, redactor};
use crate::model::requirement::Profile;
use crate::preflight::enter;
use crate::preflight::items::{Finding, ITEMS, Item, examine};
use crate::target::profile::Target;
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

/// Whether an audit makes sense.
pub fn is_usable(items: &[Item]) -> bool {
    !items.iter().any(|item| matches!(item.finding, Finding::Bad(_)))
}
