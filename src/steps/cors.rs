//! Scripts of other origins.

use cucumber::{then, when};
use url::Url;

use crate::expect::cors as expect;
use crate::model::exchange::Request;
use crate::model::verdict::Weight;
use crate::oauth::authorization::form_post;
use crate::oauth::params::Params;
use crate::oauth::random;
use crate::world::access::{resource_request, userinfo_request};
use crate::world::{Step, World};

/// The allowed origin, unless the target is at home there.
fn allowed_origin(world: &mut World) -> Step<String> {
    let context = world.context()?;
    let origin = context.target.allowed_origin.clone().unwrap_or_default();
    let own = Url::parse(&context.target.issuer).map(|url| url.origin().ascii_serialization());
    if own.is_ok_and(|own| own == origin) {
        return world.not_applicable("client and server have the same origin");
    }
    Ok(origin)
}

fn from_origin(mut request: Request, origin: &str) -> Request {
    request.headers.push(("Origin".into(), origin.into()));
    request
}

#[when(
    regex = "^a script of the allowed origin asks for (the metadata|the key set|a token to be revoked)$"
)]
async fn ask(world: &mut World, what: String) -> Step {
    let context = world.context()?;
    let origin = allowed_origin(world)?;
    let requests: Vec<Request> = match what.as_str() {
        "the metadata" => {
            context.facts.documents.iter().map(|d| Request::get(&d.location)).collect()
        }
        "the key set" => context.facts.endpoint("jwks_uri").map(Request::get).into_iter().collect(),
        _ => {
            let params = Params::new([
                ("token", random(32)),
                ("client_id", context.client(world.client).id.clone()),
            ]);
            let endpoint = context.facts.endpoint("revocation_endpoint");
            endpoint.map(|url| form_post(url, &params)).into_iter().collect()
        }
    };
    if requests.is_empty() {
        return world.not_applicable(format!("the target does not publish an address for {what}"));
    }
    for request in requests {
        world.send(from_origin(request, &origin)).await?;
    }
    Ok(())
}

fn called(world: &mut World, what: &str) -> Step<Request> {
    let context = world.context()?;
    let request = match what {
        "the resource" => resource_request(&context),
        _ => userinfo_request(&context),
    };
    match request {
        Ok(request) => Ok(request),
        Err(_) => world.not_applicable(format!("{what} is not known")),
    }
}

#[when(
    regex = "^a browser asks whether a script of the allowed origin may send a token to (the resource|userinfo)$"
)]
async fn preflight(world: &mut World, what: String) -> Step {
    let origin = allowed_origin(world)?;
    let call = called(world, &what)?;
    let mut request = from_origin(Request { method: "OPTIONS".into(), ..call.clone() }, &origin);
    request.headers.push(("Access-Control-Request-Method".into(), call.method.clone()));
    request.headers.push(("Access-Control-Request-Headers".into(), "authorization".into()));
    world.noted = call.method;
    world.send(request).await
}

#[when(
    regex = "^a script of the allowed origin sends an invented token to (the resource|userinfo)$"
)]
async fn call(world: &mut World, what: String) -> Step {
    let origin = allowed_origin(world)?;
    let mut request = from_origin(called(world, &what)?, &origin);
    request.headers.push(("Authorization".into(), format!("Bearer {}", random(32))));
    world.send(request).await
}

fn judge_permission(world: &mut World, weight: Weight) -> Step {
    let origin = allowed_origin(world)?;
    let answer = world.answer()?;
    let method = world.noted.clone();
    world.judge(expect::permits(&answer, &origin, &method, &["authorization"], weight))
}

/// How much it weighs that the resource is closed to scripts. Where it is UserInfo, no more than
/// there.
fn weight_at_resource(world: &mut World) -> Step<Weight> {
    let context = world.context()?;
    let address = |request: Request| (request.method, request.url);
    let resource = resource_request(&context).ok().map(address);
    let is_userinfo =
        resource.is_some() && resource == userinfo_request(&context).ok().map(address);
    Ok(if is_userinfo { Weight::Warning } else { Weight::Failure })
}

#[then("it may")]
fn may(world: &mut World) -> Step {
    let weight = weight_at_resource(world)?;
    judge_permission(world, weight)
}

#[then("it should")]
fn should(world: &mut World) -> Step {
    judge_permission(world, Weight::Warning)
}

fn judge_readable(world: &mut World, weight: Weight) -> Step {
    let origin = allowed_origin(world)?;
    let answers = world.answers.clone();
    let findings = answers.iter().flat_map(|a| expect::readable(a, &origin, weight)).collect();
    world.judge(findings)
}

#[then("it can read the answers, errors included")]
fn can_read(world: &mut World) -> Step {
    judge_readable(world, Weight::Failure)
}

#[then("it can read the answer")]
fn can_read_resource(world: &mut World) -> Step {
    let weight = weight_at_resource(world)?;
    judge_readable(world, weight)
}

#[then("it should be able to read the answer")]
fn should_read(world: &mut World) -> Step {
    judge_readable(world, Weight::Warning)
}

#[when(regex = r"^a script of the origin (\S+) asks every endpoint$")]
async fn ask_everywhere(world: &mut World, origin: String) -> Step {
    let context = world.context()?;
    let mut urls: Vec<String> =
        context.facts.documents.iter().map(|d| d.location.clone()).collect();
    urls.extend(context.facts.metadata.endpoints().into_iter().map(|(_, url)| url.to_owned()));
    urls.extend(context.target.resource.as_ref().map(|resource| resource.url.clone()));
    urls.dedup();
    world.noted = origin.clone();
    for url in urls.into_iter().filter(|url| context.http.may_reach(url)) {
        // An endpoint elsewhere that is down says nothing about the others.
        let request = from_origin(Request::get(url), &origin);
        let answer = context.http.send(&world.recorder, request).await;
        world.answers.push(answer);
    }
    if world.answers.iter().all(|answer| answer.response().is_none()) {
        return world.missing("answer");
    }
    Ok(())
}

#[then("no answer lets it in with credentials")]
fn keeps_strangers_out(world: &mut World) -> Step {
    let origin = world.noted.clone();
    let answers = world.answers.clone();
    let findings = answers.iter().flat_map(|a| expect::keeps_strangers_out(a, &origin)).collect();
    world.judge(findings)
}
