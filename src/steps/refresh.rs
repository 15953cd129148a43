//! Refresh tokens: rotation, reuse, and whose they are.

use std::sync::Arc;
use std::time::Duration;

use cucumber::{given, then, when};

use crate::expect::refresh as expect;
use crate::expect::token::{issues_something, token_reject};
use crate::model::exchange::Exchange;
use crate::model::verdict::{Obstacle, Weight};
use crate::oauth::params::Params;
use crate::oauth::random;
use crate::oauth::token::{self, TokenResponse};
use crate::world::context::Grant;
use crate::world::{Step, World};

/// Seconds for which a server may let a rotated-out token work, in case its answer was lost.
const GRACE: u64 = 60;

/// The working twin of a refused refresh, at a server that issues refresh tokens at all.
#[given("refresh tokens that work, if any are issued")]
async fn refreshes_work_if_issued(world: &mut World) -> Step {
    if world.context()?.facts.refresh_token { refreshes_work(world).await } else { Ok(()) }
}

#[given("refresh tokens that work")]
pub(super) async fn refreshes_work(world: &mut World) -> Step {
    let context = world.context()?;
    let twin = context.refresh_twin(world.client).await;
    match world.need(twin)? {
        true => Ok(()),
        false => world.not_applicable("no refresh_token is issued"),
    }
}

/// The refresh token of the last grant.
pub(super) fn refresh_token(world: &mut World) -> Step<String> {
    match world.granted()?.tokens.refresh_token() {
        Some(token) => Ok(token.to_owned()),
        None => world.not_applicable("no refresh_token is issued"),
    }
}

/// The refresh of the acting client with that token.
pub(super) fn params(world: &mut World, refresh_token: &str) -> Step<Params> {
    let context = world.context()?;
    Ok(token::refresh(&context.client(world.client).id, refresh_token))
}

/// Sends a refresh, keeps its tokens as a grant of the same request, and demands that it works.
pub(super) async fn refresh_on(world: &mut World, params: Params) -> Step<Grant> {
    let context = world.context()?;
    let before = world.granted()?;
    let answer = world.need(context.token_request(&world.recorder, &params).await)?;
    let Some(tokens) = answer.response().and_then(TokenResponse::read) else {
        let remedy = "see refresh.success: nothing can be said while a fresh one is refused";
        let tried = "to refresh with a fresh refresh token";
        return world.need(Err(Obstacle::new(tried, answer.gist(), remedy)));
    };
    let received = context.clock.now();
    let grant = Grant { redemption: params, exchange: answer, tokens, received, ..before };
    world.grants.push(grant.clone());
    Ok(grant)
}

#[when("the client refreshes, and once more with the same token if it got no other")]
async fn refresh_until_replaced(world: &mut World) -> Step {
    let old = refresh_token(world)?;
    let params = params(world, &old)?;
    let grant = refresh_on(world, params.clone()).await?;
    world.noted.clone_from(&old);
    match grant.tokens.refresh_token() {
        Some(new) if new != old => Ok(()),
        _ => world.token_request(&params).await,
    }
}

/// A server that fails has not answered.
fn demand_answer(world: &mut World, answer: &Exchange, tried: &str) -> Step {
    if answer.response().is_some_and(|r| r.status >= 500) {
        let remedy = "see the server's log: an internal error is no refusal";
        return world.need(Err(Obstacle::new(tried, answer.gist(), remedy)));
    }
    Ok(())
}

#[then("the refresh token was replaced, or works only once")]
fn replay_protected(world: &mut World) -> Step {
    let (grant, again) = (world.granted()?, world.answers.last().cloned());
    if let Some(answer) = &again {
        demand_answer(world, answer, "to use a refresh token a second time")?;
    }
    let findings = expect::replay_protected(&world.noted, &grant.tokens, again.as_deref());
    world.judge_refusal(findings)
}

#[given("a refresh token that was replaced, and the new one used")]
async fn rotated_twice(world: &mut World) -> Step {
    let request = world.request()?;
    world.grant(world.client, request).await?;
    for _ in 0..2 {
        let old = refresh_token(world)?;
        let params = params(world, &old)?;
        let grant = refresh_on(world, params).await?;
        if grant.tokens.refresh_token().is_none_or(|new| new == old) {
            return world.not_applicable(
                "refresh tokens are not rotated; refresh.replay-protected judges that",
            );
        }
    }
    Ok(())
}

/// Uses the first refresh token of the scenario again; where it still works, once more after the
/// grace that some servers allow for answers that were lost.
#[when("the client uses the first refresh token again")]
async fn reuse(world: &mut World) -> Step {
    let context = world.context()?;
    let first = world.grants.first().and_then(|g| g.tokens.refresh_token().map(str::to_owned));
    let params = params(world, &first.unwrap_or_default())?;
    world.token_request(&params).await?;
    if !issues_something(&*world.answer()?) {
        return Ok(());
    }
    if !context.may_wait {
        let came_back = format!("{}, which may be a grace", world.answer()?.gist());
        let remedy =
            format!("ask for it with --slow, which waits {GRACE} s to see whether it ends");
        let tried = "to use a refresh token after it was replaced";
        return world.need(Err(Obstacle::new(tried, came_back, remedy)));
    }
    context.clock.pass(Duration::from_secs(GRACE) + context.target.leeway).await;
    world.token_request(&params).await
}

#[then("the refresh token is dead, at the latest after a minute")]
fn old_dead(world: &mut World) -> Step {
    let (at_once, later) = match &world.answers[..] {
        [at_once] => (at_once.clone(), None),
        [at_once, later] => (at_once.clone(), Some(later.clone())),
        _ => return world.missing("reuse of a refresh token"),
    };
    world.judge_refusal(expect::old_token_dead(&at_once, later.as_deref()))
}

#[when("the client uses the first refresh token again and then the newest")]
async fn reuse_then_newest(world: &mut World) -> Step {
    reuse(world).await?;
    let reused = world.answer()?;
    if issues_something(&reused) {
        return world.not_applicable(
            "the replaced refresh token still works; refresh.rotated-token-dead judges that",
        );
    }
    demand_answer(world, &reused, "to use a replaced refresh token")?;
    let context = world.context()?;
    let newest = refresh_token(world)?;
    world.answers.clear();
    let access_token = world.granted()?.tokens.access_token().map(str::to_owned);
    for (_, request) in super::lifecycle::signs_of_life(&context, &access_token.unwrap_or_default())
    {
        world.send(request).await?;
    }
    let params = params(world, &newest)?;
    world.token_request(&params).await
}

#[then("the newest refresh token is dead, and so are the access tokens")]
fn family_dead(world: &mut World) -> Step {
    let Some((newest, signs)) = world.answers.split_last() else {
        return world.missing("use of the newest refresh token");
    };
    let (newest, signs): (Arc<Exchange>, Vec<_>) = (newest.clone(), signs.to_vec());
    world.judge_refusal(token_reject(&newest, &["invalid_grant"]))?;
    for answer in signs {
        let is_alive = super::lifecycle::shows_life(&answer);
        world.judge(crate::expect::check(!is_alive, || {
            crate::model::verdict::Deviation::new("no access token that works on", answer.gist())
                .weighing(Weight::Note)
                .seen_in(&answer)
        }))?;
    }
    Ok(())
}

#[when(regex = "^(another|an unknown|no) client uses the refresh token$")]
async fn use_by_other(world: &mut World, who: String) -> Step {
    let context = world.context()?;
    let token = refresh_token(world)?;
    let mut params = params(world, &token)?;
    match who.as_str() {
        "another" => {
            let id = other_that_refreshes(world).await?;
            params.set("client_id", id);
        }
        "an unknown" => params.set("client_id", random(12)),
        _ => params.omit("client_id"),
    }
    let answer = world.need(context.token_request(&world.recorder, &params).await)?;
    world.answers.push(answer);
    Ok(())
}

/// Another client with refresh tokens of its own, or its refusal would say nothing about these.
async fn other_that_refreshes(world: &mut World) -> Step<String> {
    let context = world.context()?;
    let mut stuck = None;
    for client in (0..context.target.clients.len()).filter(|c| *c != world.client) {
        match context.refresh_twin(client).await {
            Ok(true) => return Ok(context.client(client).id.clone()),
            Ok(false) => {}
            Err(obstacle) => stuck = Some(obstacle),
        }
    }
    match stuck {
        Some(obstacle) => world.need(Err(obstacle)),
        None => world.not_applicable("no other client gets refresh tokens"),
    }
}

#[then(regex = "^a refusal is expected, and tokens are a note$")]
fn refusal_expected(world: &mut World) -> Step {
    // Neither RFC 6749 §6 nor OAuth 2.1 §4.3.1 makes a public client name itself.
    let answer = world.answer()?;
    let codes = ["invalid_request", "invalid_client", "invalid_grant", "unauthorized_client"];
    let findings = token_reject(&answer, &codes);
    if !issues_something(&answer) {
        return world.judge_refusal(findings);
    }
    world.judge_refusal(findings.into_iter().map(|d| d.weighing(Weight::Note)).collect())
}

#[when(regex = "^the client refreshes with its (access token|ID Token)$")]
async fn refresh_with_other_token(world: &mut World, which: String) -> Step {
    let grant = world.granted()?;
    let token = match which.as_str() {
        "access token" => grant.tokens.access_token(),
        _ => grant.tokens.id_token(),
    };
    let Some(token) = token else { return world.not_applicable("no ID Token is issued") };
    let params = params(world, token)?;
    world.token_request(&params).await
}
