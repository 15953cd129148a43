//! The login with a wallet: what it presents, who listens, and when.

use cucumber::{then, when};

use crate::expect::wallet as expect;
use crate::http::user_agent::UserAgent;
use crate::model::exchange::{Exchange, Request};
use crate::model::verdict::{Obstacle, Weight};
use crate::oauth::fault::Fault;
use crate::world::wallet::Delay;
use crate::world::{Step, World};

/// The wallet presents its credential, with that fault, while the browser of the login listens.
async fn present(world: &mut World, faults: &[Option<Fault>], delay: Delay) -> Step {
    let invitation = world.invite().await?;
    let mut browsers = [std::mem::take(&mut world.agent)];
    let outcome = world.show(&invitation, &mut browsers, faults, delay).await;
    let [agent] = browsers;
    world.agent = agent;
    outcome
}

#[when(regex = "^the wallet answers with (.+)$")]
async fn answer_with(world: &mut World, what: String) -> Step {
    let Some(fault) = Fault::named(&what) else {
        return world.missing("fault of that name");
    };
    present(world, &[Some(fault)], Delay::None).await
}

#[when("the wallet discloses nothing, and then states its claims itself")]
async fn state_claims(world: &mut World) -> Step {
    present(world, &[Some(Fault::ClaimsWithheld)], Delay::None).await?;
    let withheld = world.last_shown()?;
    let redirect_uri = world.flow()?.redirect_uri().to_owned();
    let refused =
        expect::no_code(&withheld.heard, &withheld.answers[0], &redirect_uri, Weight::Failure);
    if !refused.is_empty() {
        return world.not_applicable("the server needs none of the claims that can be withheld");
    }
    present(world, &[Some(Fault::ClaimsOfHolder)], Delay::None).await
}

#[when("the wallet answers")]
async fn answer(world: &mut World) -> Step {
    present(world, &[None], Delay::None).await?;
    demand_accepted(world)
}

/// The working twin: the last presentation was accepted.
fn demand_accepted(world: &mut World) -> Step {
    let shown = world.last_shown()?;
    let is_accepted = |answer: &Exchange| answer.response().is_some_and(|r| r.status < 400);
    match shown.answers.iter().find(|answer| !is_accepted(answer)) {
        None => Ok(()),
        Some(answer) => {
            let remedy = "see authzresp.success: a valid presentation must sign in";
            world.need(Err(Obstacle::new("to present a credential", answer.gist(), remedy)))
        }
    }
}

#[when("the wallet answers after its request has expired")]
async fn answer_late(world: &mut World) -> Step {
    let margin = world.context()?.target.leeway;
    present(world, &[None], Delay::Expired(margin)).await
}

#[when("the wallet answers once more after it was refused")]
async fn answer_after_refusal(world: &mut World) -> Step {
    present(world, &[Some(Fault::BindingAltered), None], Delay::None).await?;
    let first = world.last_shown()?.answers[0].clone();
    if first.response().is_some_and(|r| r.status >= 400) {
        return Ok(());
    }
    let remedy = "see wallet.key-binding: an altered presentation must be refused";
    world.need(Err(Obstacle::new("to have a presentation refused", first.gist(), remedy)))
}

#[when("the wallet repeats its answer after it was accepted")]
async fn answer_again(world: &mut World) -> Step {
    let invitation = world.invite().await?;
    let mut browsers = [std::mem::take(&mut world.agent)];
    let outcome = world.show(&invitation, &mut browsers, &[None], Delay::None).await;
    let [agent] = browsers;
    world.agent = agent;
    outcome?;
    demand_accepted(world)?;
    world.show_again(&invitation).await
}

#[when("the browser subscribes twice and the wallet answers")]
async fn subscribe_twice(world: &mut World) -> Step {
    let invitation = world.invite().await?;
    let mut browsers = [world.agent.clone(), world.agent.clone()];
    world.show(&invitation, &mut browsers, &[None], Delay::None).await?;
    demand_accepted(world)
}

#[when("another browser subscribes in its place and the wallet answers")]
async fn subscribe_elsewhere(world: &mut World) -> Step {
    let invitation = world.invite().await?;
    world.show(&invitation, &mut [UserAgent::default()], &[None], Delay::None).await
}

#[when("the wallet fetches the requests of two logins")]
async fn fetch_two(world: &mut World) -> Step {
    let mut nonces = Vec::new();
    for _ in 0..2 {
        let invitation = world.invite().await?;
        nonces.push(world.fetch(&invitation).await?.0.nonce().to_owned());
    }
    world.noted = nonces.join(" ");
    Ok(())
}

#[when("the wallet fetches the request object")]
async fn fetch(world: &mut World) -> Step {
    let invitation = world.invite().await?;
    let (request, exchange) = world.fetch(&invitation).await?;
    world.noted = world.flaws(&invitation, &request)?.join("; ");
    world.answers.push(exchange);
    Ok(())
}

#[when("the wallet fetches the request object twice")]
async fn fetch_twice(world: &mut World) -> Step {
    let invitation = world.invite().await?;
    world.fetch(&invitation).await?;
    world.send(Request::get(&invitation.request_uri)).await
}

fn judge_no_code(world: &mut World, weight: Weight) -> Step {
    let (shown, redirect_uri) = (world.last_shown()?, world.flow()?.redirect_uri().to_owned());
    let Some(answer) = shown.answers.last() else { return world.missing("answer") };
    world.judge_refusal(expect::no_code(&shown.heard, answer, &redirect_uri, weight))
}

#[then("no code arrives anywhere")]
fn no_code(world: &mut World) -> Step {
    judge_no_code(world, Weight::Failure)
}

#[then("no code should arrive anywhere")]
fn better_no_code(world: &mut World) -> Step {
    judge_no_code(world, Weight::Warning)
}

#[then("one subscriber alone receives the code")]
fn one_subscriber(world: &mut World) -> Step {
    let shown = world.last_shown()?;
    world.judge(expect::one_subscriber(&shown.heard))
}

#[then("the other browser receives no code")]
fn not_elsewhere(world: &mut World) -> Step {
    let shown = world.last_shown()?;
    world.judge_refusal(expect::no_code_elsewhere(&shown.heard))
}

#[then("the wallet itself receives no code")]
fn nothing_for_the_wallet(world: &mut World) -> Step {
    let (shown, redirect_uri) = (world.last_shown()?, world.flow()?.redirect_uri().to_owned());
    let Some(answer) = shown.answers.last() else { return world.missing("answer") };
    world.judge(expect::nothing_for_the_wallet(answer, &redirect_uri))
}

#[then("each request has a nonce of its own")]
fn fresh_nonces(world: &mut World) -> Step {
    let noted = world.noted.clone();
    world.judge(expect::fresh_nonces(&noted.split(' ').collect::<Vec<_>>()))
}

#[then("the verifier has signed it")]
fn signed(world: &mut World) -> Step {
    let (answer, flaws) = (world.answer()?, world.noted.clone());
    let flaws: Vec<String> = Some(flaws).filter(|flaws| !flaws.is_empty()).into_iter().collect();
    world.judge(expect::signed(&flaws, &answer))
}

#[then("the second time there is none")]
fn served_once(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge(expect::served_once(&answer))
}
