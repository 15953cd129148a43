//! Tokens that lack a scope, and tokens for somebody else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cucumber::{given, then, when};

use super::resource::{Place, access_token, opens};
use crate::expect::{challenge, resource as expect};
use crate::model::exchange::Request;
use crate::model::verdict::{Obstacle, Weight};
use crate::oauth::jose::Jws;
use crate::oauth::params::Params;
use crate::oauth::token::scope_set;
use crate::target::profile::ScopedOperation;
use crate::world::access::{resource_request, with_token};
use crate::world::context::Context;
use crate::world::{Step, World};

fn operation(context: &Context) -> Result<ScopedOperation, Obstacle> {
    context.target.scoped_operation.clone().ok_or_else(|| {
        Obstacle::new(
            "to call the scope-protected operation",
            "none is configured",
            "add [scoped_operation] to the profile",
        )
    })
}

fn call(operation: &ScopedOperation) -> Request {
    Request { method: operation.method.clone(), ..Request::get(&operation.url) }
}

/// The narrower grant stays behind the wider one, which only proves that the operation works.
#[given("wider tokens that open the scope-protected operation")]
async fn opens_operation(world: &mut World) -> Step {
    let context = world.context()?;
    let narrower = world.granted()?;
    let operation = world.need(operation(&context))?;
    let granted = narrower.tokens.text("scope").unwrap_or(&context.client(0).scope);
    if scope_set(granted).contains(operation.scope.as_str()) {
        let remedy = "take the scope of the operation out of the scope of the first client";
        return world.need(Err(Obstacle::new(
            "to get a token without the scope of the operation",
            "the server granted it",
            remedy,
        )));
    }
    let mut asks = world.request()?;
    let scope = format!("{} {}", context.client(world.client).scope, operation.scope);
    asks.params.set("scope", scope);
    let (name, status) = ("the scope-protected operation", operation.status);
    opens(world, Place { name, call: call(&operation), status, asks }).await?;
    world.grants.push(narrower);
    Ok(())
}

#[when(
    regex = "^the client calls the operation with its narrower access token in (the header|the form|the query|the password of HTTP Basic|the user name of HTTP Basic)$"
)]
async fn call_operation(world: &mut World, place: String) -> Step {
    let (context, token) = (world.context()?, access_token(world)?);
    let operation = world.need(operation(&context))?;
    let mut request = call(&operation);
    let params = Params::new([("access_token", token.as_str())]);
    let basic = |pair: String| ("Authorization".into(), format!("Basic {}", STANDARD.encode(pair)));
    match place.as_str() {
        "the header" => request = with_token(request, Some(&token)),
        // RFC 6750 §2.2: never with GET.
        "the form" if matches!(request.method.as_str(), "GET" | "HEAD") => {
            return world.not_applicable("the operation takes no form");
        }
        "the form" => {
            let media_type = "application/x-www-form-urlencoded";
            request.headers.push(("Content-Type".into(), media_type.into()));
            request.body = params.encode().into_bytes();
        }
        "the query" => request.url = params.on(&request.url),
        "the password of HTTP Basic" => request.headers.push(basic(format!("probe:{token}"))),
        _ => request.headers.push(basic(format!("{token}:x-oauth-basic"))),
    }
    world.send(request).await
}

#[then("the operation refuses")]
fn operation_refuses(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::refuses(&answer))
}

#[then("the refusal says insufficient_scope")]
fn lacks_scope(world: &mut World) -> Step {
    let answer = world.answer()?;
    let is_served = expect::refuses(&answer).iter().any(|d| d.weight == Weight::Failure);
    if is_served {
        return world.not_applicable("the operation is served; rs.scope-enforced judges that");
    }
    world.judge_refusal(challenge::lacks_scope(&answer))
}

#[when("the client calls the resource with a token for the other resource")]
async fn call_with_other_token(world: &mut World) -> Step {
    let context = world.context()?;
    let mut request = world.request()?;
    if let Some(other) = &context.target.other_resource {
        if let Some(indicator) = &other.indicator {
            request.params.set("resource", indicator.as_str());
        }
        if let Some(scope) = &other.scope {
            request.params.set("scope", scope.as_str());
        }
    }
    let client = world.client;
    let code = context.code(&mut world.agent, &world.recorder, &request).await;
    let (landing, way) = world.need(code)?;
    context.remember(client, &way);
    let mut redemption = context.redemption(client, &request, landing.code().unwrap_or_default());
    // RFC 8707 §2.2: a server may leave the choice to the token request.
    if let Some(indicator) =
        context.target.other_resource.as_ref().and_then(|o| o.indicator.as_ref())
    {
        redemption.set("resource", indicator.as_str());
    }
    let grant = context.redeem(&world.recorder, client, request, redemption).await;
    let grant = world.need(grant)?;
    world.grants.push(grant);
    let (call, token) = (world.need(resource_request(&context))?, access_token(world)?);
    world.send(with_token(call, Some(&token))).await?;
    let is_served = world.answer()?.response().is_some_and(|r| r.status < 300);
    if is_served && Jws::read(&token).is_err() {
        // RFC 8707 is optional: a server that ignores the parameter issued a token for this API.
        let remedy = "see which resource the token is for: nobody but the server can read it";
        let came_back = "a token whose audience cannot be read opens this one";
        let tried = "to get a token for the other resource";
        return world.need(Err(Obstacle::new(tried, came_back, remedy)));
    }
    Ok(())
}
