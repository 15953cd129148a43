//! Races: one code or one refresh token, used several times at the same moment.

use std::sync::Arc;

use cucumber::{then, when};

use super::lifecycle::{shows_life, signs_of_life};
use crate::expect::race::{self, Round};
use crate::expect::token::issues_something;
use crate::model::exchange::Exchange;
use crate::model::verdict::Obstacle;
use crate::oauth::params::Params;
use crate::oauth::token::{self, TokenResponse};
use crate::world::context::Context;
use crate::world::{Step, World};

/// Rounds and rivals: fewer where the target asked for a slow pace.
fn size(context: &Context, rounds: usize, rivals: usize) -> (usize, usize) {
    let rounds = rounds.min(context.target.limits.rounds);
    if context.target.pace.is_zero() {
        (rounds, rivals)
    } else {
        (rounds.div_ceil(2), rivals.div_ceil(2))
    }
}

/// The same token request `rivals` times at the same moment; the answers with tokens.
async fn round(world: &mut World, params: &Params, rivals: usize) -> Step<Vec<Arc<Exchange>>> {
    let context = world.context()?;
    let endpoint = world.need(context.endpoint("token_endpoint").map(str::to_owned))?;
    let requests = vec![token::post(&endpoint, params); rivals];
    let answers = context.http.race(&world.recorder, requests).await;
    world.rounds.push(Round::of(&answers));
    Ok(answers.into_iter().filter(|e| issues_something(e)).collect())
}

#[when(expr = "the client redeems each of {int} codes {int} times at the same moment")]
async fn race_codes(world: &mut World, rounds: usize, rivals: usize) -> Step {
    let context = world.context()?;
    let (rounds, rivals) = size(&context, rounds, rivals);
    let mut winners = Vec::new();
    for _ in 0..rounds {
        let request = world.request()?;
        world.obtain_code(request).await?;
        let flow = world.flow()?;
        let params = world.redemption(&flow)?;
        let won = round(world, &params, rivals).await?;
        keep_telling(&mut winners, won);
    }
    aftermath(world, &winners).await
}

#[when(expr = "the client uses each of {int} refresh tokens {int} times at the same moment")]
async fn race_refresh_tokens(world: &mut World, rounds: usize, rivals: usize) -> Step {
    let context = world.context()?;
    let (rounds, rivals) = size(&context, rounds, rivals);
    let mut winners = Vec::new();
    for _ in 0..rounds {
        // Losers may have ended the family of the round before, as they should.
        let request = world.request()?;
        world.grant(world.client, request).await?;
        let grant = world.granted()?;
        let Some(old) = grant.tokens.refresh_token() else {
            return world.not_applicable("no refresh_token is issued");
        };
        let params = token::refresh(&context.client(world.client).id, old);
        let won = round(world, &params, rivals).await?;
        if won.len() > 1 {
            let again = world.need(context.token_request(&world.recorder, &params).await)?;
            let is_tolerated = issues_something(&again);
            if let Some(round) = world.rounds.last_mut() {
                round.tolerates_repetition = is_tolerated;
            }
            if is_tolerated && !won.iter().any(|answer| is_rotated(answer, old)) {
                return world.not_applicable(
                    "refresh tokens are not rotated; refresh.replay-protected judges that",
                );
            }
        }
        keep_telling(&mut winners, won);
    }
    aftermath(world, &winners).await
}

fn tokens(answer: &Exchange) -> Option<TokenResponse> {
    answer.response().and_then(TokenResponse::read)
}

fn is_rotated(answer: &Exchange, old: &str) -> bool {
    tokens(answer).is_some_and(|t| t.refresh_token().is_some_and(|new| new != old))
}

/// Keeps the winners of the first round with several, else those of the last round with any.
fn keep_telling(kept: &mut Vec<Arc<Exchange>>, won: Vec<Arc<Exchange>>) {
    if kept.len() < 2 && !won.is_empty() {
        *kept = won;
    }
}

/// Observes how the race went and which tokens of these winners still work. No verdict rests on the
/// latter: a server that takes the losers for thieves ends the winner's tokens, another does not.
async fn aftermath(world: &mut World, winners: &[Arc<Exchange>]) -> Step {
    let context = world.context()?;
    world.observe(race::describe(&world.rounds));
    let (mut access, mut refresh) = (Vec::new(), Vec::new());
    for winner in winners {
        let Some(tokens) = tokens(winner) else { continue };
        let sign = tokens.access_token().map(|token| signs_of_life(&context, token));
        if let Some((_, request)) = sign.and_then(|ways| ways.into_iter().next()) {
            access.push(shows_life(&*context.http.send(&world.recorder, request).await));
        }
        if let Some(refresh_token) = tokens.refresh_token() {
            let params = token::refresh(&context.client(world.client).id, refresh_token);
            let answer = context.token_request(&world.recorder, &params).await;
            refresh.push(answer.is_ok_and(|answer| issues_something(&answer)));
        }
    }
    for (what, alive) in [("access tokens", access), ("refresh tokens", refresh)] {
        if !alive.is_empty() {
            world.observe(race::describe_aftermath(what, &alive));
        }
    }
    Ok(())
}

#[then(regex = "^no (?:code|refresh token) is used more than once$")]
fn one_winner(world: &mut World) -> Step {
    if !race::is_conclusive(&world.rounds) {
        let remedy = "check that the token endpoint takes several requests at the same moment";
        let came_back = race::describe(&world.rounds);
        return world.need(Err(Obstacle::new("a race of token requests", came_back, remedy)));
    }
    let findings = race::one_winner_at_most(&world.rounds);
    world.judge_refusal(findings)
}
