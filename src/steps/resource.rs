//! Where tokens are used: the protected resource and UserInfo.

use cucumber::{given, then, when};

use super::words;
use crate::expect::resource as expect;
use crate::model::exchange::Request;
use crate::model::verdict::Obstacle;
use crate::oauth::jose::Jws;
use crate::oauth::random;
use crate::world::context::Context;
use crate::world::{Step, World};

pub(super) fn with_token(mut request: Request, token: Option<&str>) -> Request {
    if let Some(token) = token {
        request.headers.push(("Authorization".into(), format!("Bearer {token}")));
    }
    request
}

pub(super) fn resource_request(context: &Context) -> Result<Request, Obstacle> {
    let resource = context.target.resource.as_ref();
    let resource = resource.ok_or_else(|| {
        Obstacle::new(
            "to call the protected resource",
            "none is configured",
            "add [resource] to the profile",
        )
    })?;
    Ok(Request { method: resource.method.clone(), ..Request::get(&resource.url) })
}

pub(super) fn userinfo_request(context: &Context) -> Result<Request, Obstacle> {
    Ok(Request::get(context.endpoint("userinfo_endpoint")?))
}

pub(super) fn access_token(world: &mut World) -> Step<String> {
    let grant = world.granted()?;
    Ok(grant.tokens.access_token().unwrap_or_default().to_owned())
}

#[when("the client calls the resource with its access token")]
async fn call_resource(world: &mut World) -> Step {
    let (context, token) = (world.context()?, access_token(world)?);
    let request = world.need(resource_request(&context))?;
    world.send(with_token(request, Some(&token))).await
}

/// A credential that no server may accept, by its name in the features.
fn bad_credential(world: &mut World, how: &str) -> Step<Option<String>> {
    Ok(match how {
        "with an invented token" => Some(random(32)),
        "with a malformed JWT" => Some(format!("eyJhbGciOiJFUzI1NiJ9.{}", random(16))),
        "with an empty token" => Some(String::new()),
        "with its ID Token" => match world.granted()?.tokens.id_token() {
            Some(token) => Some(token.to_owned()),
            None => return world.not_applicable("no ID Token is issued"),
        },
        _ => None,
    })
}

#[when(
    regex = "^the client calls the resource (without a token|with an invented token|with a malformed JWT|with an empty token)$"
)]
async fn call_resource_badly(world: &mut World, how: String) -> Step {
    let context = world.context()?;
    let request = world.need(resource_request(&context))?;
    let token = bad_credential(world, &how)?;
    world.send(with_token(request, token.as_deref())).await
}

#[when("the client calls userinfo with its access token")]
async fn call_userinfo(world: &mut World) -> Step {
    let (context, token) = (world.context()?, access_token(world)?);
    let request = world.need(userinfo_request(&context))?;
    world.send(with_token(request, Some(&token))).await
}

#[when(
    regex = "^the client calls userinfo (without a token|with an invented token|with its ID Token)$"
)]
async fn call_userinfo_badly(world: &mut World, how: String) -> Step {
    let context = world.context()?;
    let request = world.need(userinfo_request(&context))?;
    let token = bad_credential(world, &how)?;
    world.send(with_token(request, token.as_deref())).await
}

/// The working twin of a refused call: the same call with a valid token.
async fn opens(world: &mut World, what: &str, request: Request, wanted: u16) -> Step {
    let own = world.request()?;
    world.grant(world.client, own).await?;
    let token = access_token(world)?;
    world.send(with_token(request, Some(&token))).await?;
    let answer = world.answer()?;
    if expect::answers(&answer, wanted).is_empty() {
        return Ok(());
    }
    let remedy = "check URL, method, status and scope in the profile: a refusal means nothing while a valid token is refused too";
    world.need(Err(Obstacle::new(
        format!("to open {what} with a valid token"),
        answer.gist(),
        remedy,
    )))
}

#[given("tokens that open the resource")]
async fn opens_resource(world: &mut World) -> Step {
    let context = world.context()?;
    let request = world.need(resource_request(&context))?;
    let wanted = context.target.resource.as_ref().map_or(200, |r| r.status);
    opens(world, "the resource", request, wanted).await
}

#[given("tokens that open userinfo")]
async fn opens_userinfo(world: &mut World) -> Step {
    let context = world.context()?;
    let request = world.need(userinfo_request(&context))?;
    opens(world, "userinfo", request, 200).await
}

#[then("the resource answers")]
fn resource_answers(world: &mut World) -> Step {
    let wanted = world.context()?.target.resource.as_ref().map_or(200, |r| r.status);
    let answer = world.answer()?;
    world.judge(expect::answers(&answer, wanted))
}

#[then("the resource refuses")]
fn resource_refuses(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::refuses(&answer))
}

#[then(regex = "^the (?:resource|userinfo endpoint) denies the token with (.+)$")]
fn denies_token(world: &mut World, errors: String) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::denies_token(&answer, &words(&errors)))
}

#[then("the refusal carries a Bearer or DPoP challenge")]
fn challenged(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::challenges(&answer))
}

#[then("userinfo refuses")]
fn userinfo_refuses(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::denies_token(&answer, &[]))
}

#[then("userinfo answers with claims")]
fn userinfo_answers(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge(expect::userinfo(&answer))
}

#[then("userinfo names the subject of the ID Token")]
fn userinfo_subject(world: &mut World) -> Step {
    let grant = world.granted()?;
    let subject = grant
        .tokens
        .id_token()
        .and_then(|t| Jws::read(t).ok())
        .and_then(|jws| jws.text("sub").map(str::to_owned));
    let Some(subject) = subject else {
        return world.not_applicable("no readable ID Token to compare with");
    };
    let answer = world.answer()?;
    if !expect::answers(&answer, 200).is_empty() {
        return world.not_applicable("userinfo does not answer; userinfo.get judges that");
    }
    if answer.response().is_some_and(|r| r.media_type().as_deref() == Some("application/jwt")) {
        return world.not_applicable("UserInfo answers with a JWT");
    }
    world.judge(expect::userinfo_subject(&answer, &subject))
}
