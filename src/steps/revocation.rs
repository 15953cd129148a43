//! Token revocation: refresh tokens, access tokens, tokens of others and of nobody.

use std::sync::Arc;
use std::time::Duration;

use cucumber::{given, then, when};

use super::lifecycle::{shows_life, signs_of_life};
use super::refresh::refresh_token;
use super::resource::access_token;
use crate::expect::token::{issues_something, token_reject};
use crate::expect::{resource, revocation as expect};
use crate::model::exchange::{Exchange, Request};
use crate::model::verdict::Obstacle;
use crate::oauth::authorization::form_post;
use crate::oauth::params::Params;
use crate::oauth::token::TokenResponse;
use crate::oauth::{random, token};
use crate::world::context::Context;
use crate::world::{Step, World};

/// How long a revocation may take to be known everywhere (RFC 7009 §2.1), in steps of seconds.
pub(super) const PROPAGATION: [u64; 4] = [1, 2, 3, 4];

/// Lets a revocation propagate. A target whose clock is ours has no other place to reach.
pub(super) async fn propagate(context: &Context, seconds: u64) {
    if !context.clock.is_virtual() {
        context.clock.pass(Duration::from_secs(seconds)).await;
    }
}

/// Sends a revocation request in the name of a client and keeps the answer.
async fn revoke(world: &mut World, client: usize, token: &str, hint: Option<&str>) -> Step {
    let context = world.context()?;
    let endpoint = world.need(context.endpoint("revocation_endpoint").map(str::to_owned))?;
    let mut params = Params::new([("token", token)]);
    if let Some(hint) = hint {
        params.set("token_type_hint", hint);
    }
    params.set("client_id", context.client(client).id.clone());
    world.send(form_post(&endpoint, &params)).await
}

/// [`revoke`] by the acting client; not applicable where the metadata excludes public clients.
async fn revoke_own(world: &mut World, token: &str, hint: Option<&str>) -> Step {
    revoke(world, world.client, token, hint).await?;
    let context = world.context()?;
    let methods = context.facts.metadata.list("revocation_endpoint_auth_methods_supported");
    let excludes_public = methods.is_some_and(|methods| !methods.contains(&"none"));
    let is_refused =
        world.answer()?.response().is_some_and(|response| matches!(response.status, 400 | 401));
    if excludes_public && is_refused {
        return world.not_applicable(
            "the revocation endpoint excludes public clients, as its metadata says",
        );
    }
    Ok(())
}

async fn refresh_with(world: &mut World, refresh_token: &str) -> Step<Arc<Exchange>> {
    let context = world.context()?;
    let id = &context.client(world.client).id;
    world.token_request(&token::refresh(id, refresh_token)).await?;
    world.answer()
}

#[when("the client revokes its refresh token")]
async fn revoke_refresh_token(world: &mut World) -> Step {
    let token = refresh_token(world)?;
    revoke_own(world, &token, Some("refresh_token")).await
}

#[when("the client revokes its access token")]
async fn revoke_access_token(world: &mut World) -> Step {
    let token = access_token(world)?;
    revoke_own(world, &token, None).await
}

#[when("the client revokes an invented token")]
async fn revoke_invented(world: &mut World) -> Step {
    revoke_own(world, &random(32), None).await
}

/// Ends the scenario where the revocation was not answered with 200.
fn need_success(world: &mut World, judged_by: &str) -> Step {
    if resource::answers(&*world.answer()?, 200).is_empty() {
        return Ok(());
    }
    world.not_applicable(format!("the revocation is refused; {judged_by} judges that"))
}

#[when("the client uses the revoked refresh token")]
async fn use_revoked(world: &mut World) -> Step {
    need_success(world, "revocation.refresh-token")?;
    let token = refresh_token(world)?;
    let answer = refresh_with(world, &token).await?;
    let context = world.context()?;
    if issues_something(&answer) && !context.clock.is_virtual() {
        // A refresh may have replaced the token by now: only another one shows what time changes.
        let request = world.request()?;
        world.grant(world.client, request).await?;
        revoke_refresh_token(world).await?;
        propagate(&context, PROPAGATION.iter().sum()).await;
        let token = refresh_token(world)?;
        refresh_with(world, &token).await?;
    }
    Ok(())
}

#[when(expr = "the client revokes its refresh token with the token_type_hint {word} and uses it")]
async fn revoke_with_hint(world: &mut World, hint: String) -> Step {
    let mut token = refresh_token(world)?;
    revoke_own(world, &token, Some(&hint)).await?;
    let revocation = world.answer()?;
    let is_answered = resource::answers(&revocation, 200).is_empty();
    let mut judged = vec![revocation];
    if is_answered {
        let used = refresh_with(world, &token).await?;
        if !issues_something(&used) {
            return Ok(());
        }
        let tokens = used.response().and_then(TokenResponse::read);
        if let Some(newer) = tokens.as_ref().and_then(TokenResponse::refresh_token) {
            token = newer.to_owned();
        }
        judged.push(used);
    }
    // Would the right hint have changed the result?
    revoke_own(world, &token, Some("refresh_token")).await?;
    need_success(world, "revocation.refresh-token")?;
    if is_answered && issues_something(&*refresh_with(world, &token).await?) {
        return world.not_applicable(
            "revocation does nothing, whatever the hint; revocation.refresh-token-effective judges that",
        );
    }
    world.answers = judged;
    Ok(())
}

#[then("the hint changes nothing")]
fn hint_ignored(world: &mut World) -> Step {
    let (revocation, used) = match &world.answers[..] {
        [revocation] => (revocation.clone(), None),
        [revocation, used] => (revocation.clone(), Some(used.clone())),
        _ => return world.missing("revocation with a hint"),
    };
    world.judge(resource::answers(&revocation, 200))?;
    match used {
        Some(used) => world.judge_refusal(token_reject(&used, &["invalid_grant"])),
        None => world.missing("use of the revoked token"),
    }
}

#[given("an access token that works")]
async fn working_access_token(world: &mut World) -> Step {
    super::lifecycle::redeemed_and_working(world).await?;
    let (context, token) = (world.context()?, access_token(world)?);
    let mut works = Vec::new();
    for (way, (_, request)) in signs_of_life(&context, &token).into_iter().enumerate() {
        world.send(request).await?;
        if shows_life(&*world.answer()?) {
            works.push(way.to_string());
        }
    }
    world.answers.clear();
    world.noted = works.join(" ");
    Ok(())
}

/// The ways in which the access token worked.
fn ways(world: &mut World) -> Step<Vec<(expect::Place, Request)>> {
    let (context, token) = (world.context()?, access_token(world)?);
    let worked: Vec<usize> = world.noted.split(' ').filter_map(|way| way.parse().ok()).collect();
    let all = signs_of_life(&context, &token).into_iter().enumerate();
    Ok(all.filter(|(way, _)| worked.contains(way)).map(|(_, sign)| sign).collect())
}

#[when(regex = "^the access token is used (?:once more|after its revocation)$")]
async fn use_access_token(world: &mut World) -> Step {
    need_success(world, "another duty of this group")?;
    let context = world.context()?;
    world.answers.clear();
    let mut patience = PROPAGATION.into_iter();
    for (_, request) in ways(world)? {
        loop {
            let answer = context.http.send(&world.recorder, request.clone()).await;
            let answer = world.need(crate::world::context::usable(answer))?;
            let pause = patience.next().filter(|_| shows_life(&answer));
            let (Some(seconds), false) = (pause, context.clock.is_virtual()) else {
                world.answers.push(answer);
                break;
            };
            propagate(&context, seconds).await;
        }
    }
    Ok(())
}

/// An internal error shows neither life nor death of a token.
fn need_sound(world: &mut World, answer: &Exchange) -> Step {
    if answer.response().is_none_or(|r| r.status < 500) {
        return Ok(());
    }
    let remedy = "see the server's log: an internal error shows neither life nor death";
    let tried = "to use a token after its revocation";
    world.need(Err(Obstacle::new(tried, answer.gist(), remedy)))
}

/// Judges every place where the access token was used again.
fn judge_places(
    world: &mut World,
    judge: impl Fn(&Exchange, bool, expect::Place) -> crate::expect::Findings,
) -> Step {
    let places = ways(world)?;
    if world.answers.is_empty() || places.len() != world.answers.len() {
        return world.missing("use of the access token");
    }
    for ((place, _), answer) in places.into_iter().zip(world.answers.clone()) {
        need_sound(world, &answer)?;
        world.judge_refusal(judge(&answer, shows_life(&answer), place))?;
    }
    Ok(())
}

#[then("the access token no longer works")]
fn access_token_ended(world: &mut World) -> Step {
    judge_places(world, expect::access_token_ended)
}

#[then("the access token has ended too, unless it is self-contained")]
fn sibling_ended(world: &mut World) -> Step {
    let is_self_contained = world.context()?.facts.jwt_access_token;
    judge_places(world, |answer, is_alive, place| {
        expect::sibling_ended(answer, is_alive, place, is_self_contained)
    })
}

#[then("the revocation endpoint answers 200")]
fn answers_200(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge(resource::answers(&answer, 200))
}

#[then("the revocation endpoint answers 200, at the least unsupported_token_type")]
fn revoked(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge(expect::revoked(&answer))
}

#[when("another client revokes the refresh token")]
async fn foreign_refresh_token(world: &mut World) -> Step {
    let token = refresh_token(world)?;
    let other = owner_elsewhere(world).await?;
    let own = refresh_token(world)?;
    revoke(world, other, &own, None).await?;
    let context = world.context()?;
    let params = token::refresh(&context.client(other).id, &own);
    let used = context.token_request(&world.recorder, &params).await;
    if issues_something(&*world.need(used)?) {
        return world.not_applicable("the other client cannot revoke its own refresh token");
    }
    world.grants.pop();
    revoke(world, other, &token, None).await?;
    refresh_with(world, &token).await?;
    Ok(())
}

#[when("another client revokes the access token")]
async fn foreign_access_token(world: &mut World) -> Step {
    let token = access_token(world)?;
    let other = owner_elsewhere(world).await?;
    let own = access_token(world)?;
    revoke(world, other, &own, None).await?;
    use_somewhere(world).await?;
    if shows_life(&*world.answer()?) {
        propagate(&*world.context()?, PROPAGATION.iter().sum()).await;
        use_somewhere(world).await?;
    }
    if shows_life(&*world.answer()?) {
        return world.not_applicable("the other client cannot revoke its own access token");
    }
    world.grants.pop();
    revoke(world, other, &token, None).await?;
    use_somewhere(world).await
}

/// Uses the last access token at the first place where access tokens work.
async fn use_somewhere(world: &mut World) -> Step {
    let first = ways(world)?.into_iter().next();
    match first {
        Some((_, request)) => world.send(request).await,
        None => world.missing("place where the access token worked"),
    }
}

/// Another client with tokens of its own, the last grant: what it may not do to the tokens of
/// others counts only if it can do it to these.
async fn owner_elsewhere(world: &mut World) -> Step<usize> {
    let context = world.context()?;
    let other = if world.client == 0 { 1 } else { 0 };
    let twin = context.twin(other).await;
    world.need(twin)?;
    world.grant(other, context.request(other)).await?;
    Ok(other)
}

#[then(regex = "^the (?:access|refresh) token still works$")]
fn still_works(world: &mut World) -> Step {
    let answer = world.answer()?;
    need_sound(world, &answer)?;
    world.judge(crate::expect::check(shows_life(&answer), || {
        crate::model::verdict::Deviation::new("a token that still works", answer.gist())
            .seen_in(&answer)
    }))
}
