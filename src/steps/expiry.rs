//! Access tokens that outlive their lifetime.

use std::time::Duration;

use cucumber::when;

use super::lifecycle::shows_life;
use super::resource::access_token;
use crate::model::exchange::Request;
use crate::model::verdict::Obstacle;
use crate::oauth::jose::Jws;
use crate::world::access::{introspection_request, resource_request, with_token};
use crate::world::context::Grant;
use crate::world::{Step, World};

/// What servers allow for clocks that differ: RFC 9068 §4 speaks of a few minutes.
const SKEW: Duration = Duration::from_secs(300);

#[when("the client calls the resource with its access token after it expired")]
async fn call_resource_late(world: &mut World) -> Step {
    let (context, token) = (world.context()?, access_token(world)?);
    let request = world.need(resource_request(&context))?;
    send_late(world, with_token(request, Some(&token))).await
}

#[when("the resource server introspects the access token after it expired")]
async fn introspect_late(world: &mut World) -> Step {
    let (context, token) = (world.context()?, access_token(world)?);
    let request = world.need(introspection_request(&context, &token))?;
    send_late(world, request).await
}

/// Sends the request when the token of the last grant has expired, and again after the skew if the
/// token still lives then.
async fn send_late(world: &mut World, request: Request) -> Step {
    let context = world.context()?;
    let Some(lifetime) = lifetime(&world.granted()?) else {
        return world
            .not_applicable("neither expires_in nor exp says when the access token expires");
    };
    let wait = lifetime + context.target.leeway;
    if !context.clock.is_virtual() && wait > context.target.patience {
        let remedy = "let the access tokens of the client live shorter, or raise patience_seconds in the profile";
        return world.need(Err(Obstacle::new(
            "to wait until an access token expires",
            format!("it lives {} seconds", lifetime.as_secs()),
            remedy,
        )));
    }
    context.clock.pass(wait).await;
    world.send(request.clone()).await?;
    if shows_life(&*world.answer()?) {
        context.clock.pass(SKEW).await;
        world.send(request).await?;
    }
    Ok(())
}

/// How long the access token lives, as far as the server tells.
fn lifetime(grant: &Grant) -> Option<Duration> {
    let told = grant.tokens.member("expires_in");
    let told = told.and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
    let claimed = || {
        let jws = Jws::read(grant.tokens.access_token()?).ok()?;
        u64::try_from(jws.seconds("exp")? - grant.received).ok()
    };
    told.or_else(claimed).map(Duration::from_secs)
}
