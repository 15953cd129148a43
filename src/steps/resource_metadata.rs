//! Protected resource metadata: where it is derived from an identifier, and where a challenge
//! points to.

use std::sync::Arc;

use cucumber::{then, when};

use crate::expect::{Findings, resource_metadata as expect};
use crate::model::exchange::{Exchange, Request};
use crate::oauth::metadata::resource_location;
use crate::world::access::resource_request;
use crate::world::context::Context;
use crate::world::{Step, World};

/// The first answer is that of the resource without a token, where one is configured; the others
/// come from addresses of metadata.
#[when("the client looks for the metadata of the resource")]
async fn look(world: &mut World) -> Step {
    let context = world.context()?;
    let mut locations: Vec<String> =
        identifiers(&context).into_iter().map(|(location, _)| location).collect();
    if let Ok(request) = resource_request(&context) {
        world.send(request).await?;
        locations.extend(expect::pointer(&*world.answer()?));
    }
    locations.sort_unstable();
    locations.dedup();
    for location in locations.into_iter().filter(|location| context.http.may_reach(location)) {
        let mut request = Request::get(location);
        request.headers.push(("Accept".into(), "application/json".into()));
        world.send(request).await?;
    }
    Ok(())
}

/// The configured resource identifiers that have a place for metadata, each with that place.
fn identifiers(context: &Context) -> Vec<(String, String)> {
    let with_location =
        |identifier: &String| Some((resource_location(identifier)?, identifier.clone()));
    context.target.resource_indicators.iter().filter_map(with_location).collect()
}

/// Judges every document that was found.
fn judge_documents(world: &mut World, judge: impl Fn(&Context, &Exchange) -> Findings) -> Step {
    let context = world.context()?;
    let is_document = |answer: &&Arc<Exchange>| {
        let is_resource =
            context.target.resource.as_ref().is_some_and(|r| r.url == answer.request.url);
        !is_resource && expect::document(answer).is_some()
    };
    let documents: Vec<_> = world.answers.iter().filter(is_document).cloned().collect();
    if documents.is_empty() {
        return world.not_applicable("no protected resource metadata is published");
    }
    for document in documents {
        world.judge(judge(&context, &document))?;
    }
    Ok(())
}

#[then("each document names the resource whose address was fetched")]
fn names_resource(world: &mut World) -> Step {
    judge_documents(world, |context, document| {
        let of_identifier =
            identifiers(context).into_iter().find(|(at, _)| *at == document.request.url);
        match (of_identifier, &context.target.resource) {
            (Some((_, identifier)), _) => expect::names_identifier(document, &identifier),
            (None, Some(resource)) => expect::names_requested(document, &resource.url),
            (None, None) => vec![],
        }
    })
}

#[then("each is an application/json object with resource and without empty lists")]
fn well_formed(world: &mut World) -> Step {
    let context = world.context()?;
    let resource = context.target.resource.as_ref();
    let challenged =
        world.answers.first().filter(|a| resource.is_some_and(|r| r.url == a.request.url));
    let pointer = challenged.and_then(|answer| expect::pointer(answer));
    let pointed = world.answers.iter().find(|a| Some(&a.request.url) == pointer.as_ref()).cloned();
    if let Some(answer) = pointed {
        world.judge(expect::leads_somewhere(&answer))?;
    }
    judge_documents(world, |context, document| expect::format(document, context.issuer()))
}
