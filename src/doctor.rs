//! The preflight for its own sake: what `authspec doctor` shows, and the profile that `authspec init`
//! writes.

mod evidence;

use std::sync::Arc;

use crate::draw::clean;
use crate::model::exchange::Exchange;
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

/// A first profile.
pub struct FirstProfile {
    /// The commented profile.
    pub text: String,
    /// The issuer that the metadata name, where it is not the one that was asked.
    pub other_issuer: Option<String>,
}

/// A commented profile from what the target publishes.
///
/// The error says what was tried, what came back and what to change, with the exchanges that it
/// cites.
pub async fn first_profile(target: Target) -> Result<FirstProfile, (Obstacle, Vec<String>)> {
    match prepare(target, Profile::Baseline, Clock::default()).await {
        Ok(context) => {
            let named = context.facts.metadata.text("issuer");
            let asked = context.target.issuer.trim_end_matches('/');
            let other = named.filter(|named| named.trim_end_matches('/') != asked);
            Ok(FirstProfile {
                text: starter::profile(&context.target, &context.facts),
                other_issuer: other.map(str::to_owned),
            })
        }
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
            "renew the certificate (its chain must end at a trusted root, its name match the host), name its authority by --ca-file FILE (ca_file under [network] of the profile, AUTHSPEC_NETWORK__CA_FILE), or go on with --insecure, which the profile and every report will say"
                .into(),
        );
    }
    if failure.is_some_and(|why| why.contains("failed to lookup") || why.contains("resolve")) {
        return Some(
            "check the host name of the issuer, or give its address: AUTHSPEC_NETWORK__RESOLVE=\"{ 'HOST' = 'ADDRESS' }\", which the profile then holds as resolve under [network]"
                .into(),
        );
    }
    let is_ill = |e: &Arc<Exchange>| e.response().is_some_and(|r| r.status >= 500);
    if lookups.iter().any(is_ill) {
        return None;
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
