//! Introspection of tokens that ended or never were, and by callers that may not ask.

use cucumber::{then, when};

use super::lifecycle::{judge_closed, shows_life};
use super::resource::access_token;
use super::revocation::{PROPAGATION, propagate};
use crate::expect::{introspection as expect, resource};
use crate::oauth::authorization::form_post;
use crate::oauth::params::Params;
use crate::oauth::random;
use crate::world::access::introspection_request;
use crate::world::{Step, World};

#[when("the resource server introspects an invented token")]
async fn introspect_invented(world: &mut World) -> Step {
    let context = world.context()?;
    let request = world.need(introspection_request(&context, &random(32)))?;
    world.send(request).await
}

#[when("the resource server introspects the access token after the client revoked it")]
async fn introspect_revoked(world: &mut World) -> Step {
    let (context, token) = (world.context()?, access_token(world)?);
    let Ok(endpoint) = context.endpoint("revocation_endpoint").map(str::to_owned) else {
        return world.not_applicable("no revocation_endpoint is published");
    };
    let params = Params::new([
        ("token", token.as_str()),
        ("token_type_hint", "access_token"),
        ("client_id", context.client(world.client).id.as_str()),
    ]);
    world.send(form_post(&endpoint, &params)).await?;
    if !resource::answers(&*world.answer()?, 200).is_empty() {
        return world.not_applicable("the client cannot revoke its access token");
    }
    let request = world.need(introspection_request(&context, &token))?;
    world.send(request.clone()).await?;
    for seconds in PROPAGATION {
        if context.clock.is_virtual() || !shows_life(&*world.answer()?) {
            break;
        }
        propagate(&context, seconds).await;
        world.send(request.clone()).await?;
    }
    Ok(())
}

#[when(regex = "^(its own|another) client introspects the access token by its client_id alone$")]
async fn introspect_as_client(world: &mut World, whose: String) -> Step {
    let (context, token) = (world.context()?, access_token(world)?);
    let endpoint = world.need(context.endpoint("introspection_endpoint").map(str::to_owned))?;
    let asking = match whose.as_str() {
        "another" => (0..context.target.clients.len()).find(|client| *client != world.client),
        _ => Some(world.client),
    };
    let Some(asking) = asking else {
        return world.not_applicable("one client only is configured");
    };
    let client_id = context.client(asking).id.as_str();
    world
        .send(form_post(
            &endpoint,
            &Params::new([("token", token.as_str()), ("client_id", client_id)]),
        ))
        .await
}

#[then("the token is inactive")]
fn inactive(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::inactive(&answer))
}

#[then("the answer has no other member")]
fn reveals_nothing(world: &mut World) -> Step {
    let answer = world.answer()?;
    if !expect::inactive(&answer).is_empty() {
        return world
            .not_applicable("the token is not reported as inactive; other duties judge that");
    }
    world.judge_refusal(expect::reveals_nothing(&answer))
}

#[then(regex = "^(its own|another) client learns nothing about the token$")]
fn learns_nothing(world: &mut World, whose: String) -> Step {
    let answer = world.answer()?;
    judge_closed(world, expect::learns_nothing_as_client(&answer, whose == "its own"))
}
