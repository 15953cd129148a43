//! Givens: clients, browsers, codes and tokens that work; and whole flows.

use cucumber::{given, when};

use crate::oauth::token::TokenResponse;
use crate::world::context::Grant;
use crate::world::{Step, World};

#[given("a client whose flow works")]
async fn working_client(world: &mut World) -> Step {
    world.choose(0).await
}

#[given("a browser in which nobody signed in")]
fn fresh_browser(world: &mut World) {
    world.take_new_browser();
}

#[given("an authorization code")]
#[given("another authorization code")]
async fn code(world: &mut World) -> Step {
    let request = world.request()?;
    world.obtain_code(request).await
}

#[given("an authorization code that was issued without a code challenge")]
async fn code_without_challenge(world: &mut World) -> Step {
    let mut request = world.request()?;
    request.params.omit("code_challenge");
    request.params.omit("code_challenge_method");
    world.authorize(request).await?;
    match world.flow()?.landing.code() {
        Some(_) => Ok(()),
        None => {
            world.not_applicable("no code is issued without a code_challenge, the safest outcome")
        }
    }
}

#[given("a redeemed authorization code")]
#[given("tokens from a complete flow")]
#[when("the client runs the whole flow")]
async fn redeemed_code(world: &mut World) -> Step {
    let request = world.request()?;
    world.grant(world.client, request).await
}

#[given("a redeemed authorization code whose tokens can be watched")]
async fn watched_code(world: &mut World) -> Step {
    let context = world.context()?;
    if context.facts.refresh_token {
        super::refresh::refreshes_work(world).await?;
    }
    super::lifecycle::redeemed_and_working(world).await
}

#[given("tokens from a complete flow in a new browser")]
#[when("the client runs the whole flow in a new browser")]
async fn tokens_in_new_browser(world: &mut World) -> Step {
    world.take_new_browser();
    redeemed_code(world).await
}

#[when("every configured client runs the whole flow")]
async fn every_client_flow(world: &mut World) -> Step {
    world.share("the whole flow of every client", run_every_client).await
}

async fn run_every_client(world: &mut World) -> Step {
    let context = world.context()?;
    for client in 0..context.target.clients.len() {
        world.client = client;
        let request = context.request(client);
        let outcome = context.code(&mut world.agent, &world.recorder, &request).await;
        // A client that gets no code is the business of authzresp.success; the first one must.
        let (landing, way) = match outcome {
            Err(_) if client > 0 => continue,
            outcome => world.need(outcome)?,
        };
        context.remember(client, &way);
        let redemption = context.redemption(client, &request, landing.code().unwrap_or_default());
        world.token_request(&redemption).await?;
        let exchange = world.answer()?;
        if let Some(tokens) = exchange.response().and_then(TokenResponse::read) {
            let received = context.clock.now();
            world.grants.push(Grant { client, request, redemption, exchange, tokens, received });
        }
    }
    Ok(())
}

#[when("the user signs in for every configured client in a new browser")]
async fn every_client_in_new_browser(world: &mut World) -> Step {
    let context = world.context()?;
    for client in 0..context.target.clients.len() {
        world.client = client;
        world.take_new_browser();
        world.authorize(context.request(client)).await?;
    }
    world.flows.retain(|flow| flow.landing.code().is_some());
    Ok(())
}

#[when(expr = "{int} minutes pass")]
async fn minutes_pass(world: &mut World, minutes: u64) -> Step {
    let context = world.context()?;
    let margin = context.target.leeway;
    context.clock.pass(std::time::Duration::from_secs(minutes * 60) + margin).await;
    Ok(())
}
