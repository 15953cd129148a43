//! What answers say in their header fields: who may read them, and how operators find them.

use cucumber::{then, when};

use crate::expect::resource as expect;
use crate::model::exchange::{Exchange, Request};
use crate::model::verdict::Obstacle;
use crate::oauth::redirect_uri::FOREIGN_HOST;
use crate::oauth::token::{self, TokenResponse};
use crate::oauth::{pkce, random};
use crate::world::{Step, World};

#[when(
    regex = "^a script of a foreign origin (requests|sends a preflight to) the authorization endpoint$"
)]
async fn foreign_script(world: &mut World, how: String) -> Step {
    let context = world.context()?;
    let endpoint = world.need(context.endpoint("authorization_endpoint").map(str::to_owned))?;
    let mut request = world.request()?.by_get(&endpoint);
    request.headers.push(("Origin".into(), format!("https://{FOREIGN_HOST}")));
    if how != "requests" {
        request.method = "OPTIONS".into();
        request.headers.push(("Access-Control-Request-Method".into(), "GET".into()));
    }
    world.send(request).await
}

#[then("the answer is readable from the allowed origin")]
fn readable(world: &mut World) -> Step {
    let origin = world.context()?.target.allowed_origin.clone().unwrap_or_default();
    let answer = world.answer()?;
    if answer.response().and_then(TokenResponse::read).is_none() {
        let remedy = "check that the client's flow works with an Origin header";
        return world.need(Err(Obstacle::new(
            "a token request with an Origin header",
            answer.gist(),
            remedy,
        )));
    }
    world.judge(expect::readable_from(&answer, &origin))
}

#[then("the error is readable from the allowed origin")]
fn error_readable(world: &mut World) -> Step {
    let origin = world.context()?.target.allowed_origin.clone().unwrap_or_default();
    let answer = world.answer()?;
    world.judge(expect::readable_from(&answer, &origin))
}

#[then("the answer is not readable from that origin")]
fn not_readable(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge(expect::not_readable(&answer))
}

#[then("the answers carry a request identifier")]
fn request_id(world: &mut World) -> Step {
    let exchanges = world.recorder.exchanges();
    let exchanges: Vec<&Exchange> = exchanges.iter().map(AsRef::as_ref).collect();
    world.judge(expect::has_request_id(&exchanges))
}

#[when("the client redeems it from its allowed origin")]
async fn redeem_from_origin(world: &mut World) -> Step {
    let context = world.context()?;
    let endpoint = world.need(context.endpoint("token_endpoint").map(str::to_owned))?;
    let flow = world.flow()?;
    let params = world.redemption(&flow)?;
    let mut request = token::post(&endpoint, &params);
    request
        .headers
        .push(("Origin".into(), context.target.allowed_origin.clone().unwrap_or_default()));
    world.send(request).await
}

#[when("the client redeems an invented code from its allowed origin")]
async fn redeem_invented_from_origin(world: &mut World) -> Step {
    let context = world.context()?;
    let endpoint = world.need(context.endpoint("token_endpoint").map(str::to_owned))?;
    let client = context.client(world.client);
    let params =
        token::code_exchange(&client.id, &random(32), client.redirect_uri(), &pkce::verifier());
    let mut request = token::post(&endpoint, &params);
    request
        .headers
        .push(("Origin".into(), context.target.allowed_origin.clone().unwrap_or_default()));
    world.send(request).await
}

#[when("a script of the allowed origin asks whether it may send a proof")]
async fn preflight(world: &mut World) -> Step {
    let context = world.context()?;
    let endpoint = world.need(context.endpoint("token_endpoint").map(str::to_owned))?;
    let origin = context.target.allowed_origin.clone().unwrap_or_default();
    let mut request = Request::get(endpoint);
    request.method = "OPTIONS".into();
    request.headers = vec![
        ("Origin".into(), origin),
        ("Access-Control-Request-Method".into(), "POST".into()),
        ("Access-Control-Request-Headers".into(), "content-type,dpop".into()),
    ];
    world.send(request).await
}

#[then("the preflight allows it")]
fn preflight_allows(world: &mut World) -> Step {
    let origin = world.context()?.target.allowed_origin.clone().unwrap_or_default();
    let answer = world.answer()?;
    world.judge(expect::preflight_allows(&answer, &origin, "dpop"))
}

#[then("it can read both header fields")]
fn exposed(world: &mut World) -> Step {
    for answer in world.answers.clone() {
        world.judge(expect::exposes(&answer, &["dpop-nonce", "www-authenticate"]))?;
    }
    Ok(())
}
