//! Pushed authorization requests: the push, and the reference at the authorization endpoint.

use cucumber::{given, then, when};

use super::consent::narrow;
use crate::expect::authorization::{code_ok, front_reject, never_foreign};
use crate::expect::{par as expect, token};
use crate::model::verdict::Obstacle;
use crate::oauth::authorization::AuthorizationRequest;
use crate::oauth::params::Params;
use crate::oauth::redirect_uri::FOREIGN_HOST;
use crate::oauth::{pkce, random};
use crate::target::login::driver::Decision;
use crate::world::{Step, World};

/// Pushes a request of the acting client and keeps the answer.
pub(super) async fn push(world: &mut World, params: &Params) -> Step {
    let context = world.context()?;
    let pushed = context.push(&world.recorder, params).await;
    let answer = world.need(pushed)?;
    world.answers.push(answer);
    Ok(())
}

/// The reference of the last push; public clients may be kept from pushing.
fn reference(world: &mut World) -> Step<String> {
    let answer = world.answer()?;
    if let Some(reference) = expect::reference(&answer) {
        return Ok(reference);
    }
    if !expect::is_reserved(&answer) {
        let remedy = "see par.push-and-use";
        return world.need(Err(Obstacle::new("to push a valid request", answer.gist(), remedy)));
    }
    world.not_applicable("the server takes pushed requests of confidential clients only")
}

/// Opens the authorization endpoint with a reference, as `client_id`; `request` is what counts.
pub(super) async fn refer(
    world: &mut World,
    request: AuthorizationRequest,
    client_id: &str,
    beside: &[(&str, &str)],
) -> Step {
    let reference = reference(world)?;
    let context = world.context()?;
    let endpoint = world.need(context.endpoint("authorization_endpoint").map(str::to_owned))?;
    let mut params = Params::new([("client_id", client_id), ("request_uri", &reference)]);
    for (name, value) in beside {
        params.set(name, *value);
    }
    let wire = crate::model::exchange::Request::get(params.on(&endpoint));
    world.navigate(request, wire, true, Decision::Approve).await
}

/// Stops after the push if `or_stop` and it was refused.
async fn push_and_refer(world: &mut World, or_stop: bool) -> Step {
    let request = world.request()?;
    push(world, &request.params).await?;
    let answer = world.answer()?;
    if or_stop && expect::reference(&answer).is_none() && !expect::is_reserved(&answer) {
        return Ok(());
    }
    let id = request.params.value("client_id").unwrap_or_default().to_owned();
    refer(world, request, &id, &[]).await
}

#[when("the client pushes the authorization request and the browser follows the reference")]
async fn whole(world: &mut World) -> Step {
    push_and_refer(world, true).await
}

#[given("pushed requests that lead to a code")]
async fn works(world: &mut World) -> Step {
    push_and_refer(world, false).await?;
    let flow = world.flow()?;
    if flow.landing.code().is_some() {
        world.flows.clear();
        world.answers.clear();
        return Ok(());
    }
    let remedy = "see par.push-and-use: a refusal means nothing while every reference is refused";
    let gist = flow.landing.gist();
    world.need(Err(Obstacle::new("to get a code by a pushed request", gist, remedy)))
}

#[when(regex = "^the client pushes the request with (a request_uri|an unregistered redirect_uri)$")]
async fn push_bent(world: &mut World, how: String) -> Step {
    let mut request = world.request()?;
    match how.as_str() {
        "a request_uri" => request.params.set("request_uri", "urn:probe"),
        _ => request.params.set("redirect_uri", format!("https://{FOREIGN_HOST}/cb")),
    }
    push(world, &request.params).await?;
    if how != "a request_uri" && expect::reference(&*world.answer()?).is_some() {
        let id = request.params.value("client_id").unwrap_or_default().to_owned();
        return refer(world, request, &id, &[]).await;
    }
    Ok(())
}

#[when("the browser follows the reference as another client")]
async fn other_client(world: &mut World) -> Step {
    let context = world.context()?;
    let Some(other) = context.target.clients.get(1) else {
        return world.not_applicable("only one client is configured");
    };
    let twin = context.twin(1).await;
    world.need(twin)?;
    let request = world.request()?;
    push(world, &request.params).await?;
    refer(world, request, &other.id, &[]).await
}

/// The scope that a push of `scope` yields; servers may grant more than was asked for.
async fn plain_scope(world: &mut World, scope: &str) -> Step<String> {
    let mut request = world.request()?;
    request.params.set("scope", scope);
    push(world, &request.params).await?;
    let id = request.params.value("client_id").unwrap_or_default().to_owned();
    refer(world, request, &id, &[]).await?;
    let flow = world.flow()?;
    let params = world.redemption(&flow)?;
    world.token_request(&params).await?;
    let granted = expect::granted_scope(&*world.answer()?, scope);
    world.flows.clear();
    world.answers.clear();
    Ok(granted)
}

#[when(
    regex = "^the browser follows the reference with another (redirect_uri|code_challenge|scope)$"
)]
async fn beside(world: &mut World, name: String) -> Step {
    let request = world.request()?;
    // The query asks for more than was pushed, or for what its maker could use.
    let mut pushed = request.clone();
    let value = match name.as_str() {
        "redirect_uri" => format!("https://{FOREIGN_HOST}/cb"),
        "code_challenge" => pkce::s256(&pkce::verifier()),
        _ => {
            let whole = request.params.value("scope").unwrap_or_default().to_owned();
            let (first, has_more) = narrow(&whole);
            if !has_more {
                return world.not_applicable("the client asks for one scope value only");
            }
            pushed.params.set("scope", first);
            world.noted = plain_scope(world, first).await?;
            whole
        }
    };
    push(world, &pushed.params).await?;
    let id = pushed.params.value("client_id").unwrap_or_default().to_owned();
    refer(world, pushed, &id, &[(&name, &value)]).await?;
    let flow = world.flow()?;
    if flow.landing.code().is_some()
        && flow.landing.response.as_ref().is_some_and(|r| r.went_to(flow.redirect_uri()))
    {
        let params = world.redemption(&flow)?;
        world.token_request(&params).await?;
    }
    Ok(())
}

#[when("the client sends the authorization request without pushing it")]
async fn unpushed(world: &mut World) -> Step {
    let (context, request) = (world.context()?, world.request()?);
    let endpoint = world.need(context.endpoint("authorization_endpoint").map(str::to_owned))?;
    let wire = request.by_get(&endpoint);
    world.navigate(request, wire, true, Decision::Approve).await
}

#[then("the push is answered with a reference that leads to a code")]
fn leads_to_code(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge(expect::pushed(&answer))?;
    world.judge_flows(|flow| code_ok(&flow.landing, flow.redirect_uri()))?;
    let nonce = world.flow()?.request.params.value("nonce").unwrap_or(&random(16)).to_owned();
    let exchanges = world.recorder.exchanges();
    let exchanges: Vec<_> = exchanges.iter().map(AsRef::as_ref).collect();
    world.judge(expect::kept_from_cookies(&exchanges, &nonce))
}

#[then("the push is refused")]
fn push_refused(world: &mut World) -> Step {
    let answer = world.answer()?;
    let codes = [
        "invalid_request",
        "invalid_request_uri",
        "invalid_request_object",
        "request_uri_not_supported",
    ];
    world.judge_refusal(token::token_reject(&answer, &codes))
}

#[then("the push or the reference is refused, and nobody is sent there")]
fn never_sent(world: &mut World) -> Step {
    if let Some(flow) = world.flows.last().cloned() {
        let registered: Vec<String> =
            world.context()?.target.redirect_uris().map(|(_, uri)| uri.to_owned()).collect();
        let codes = ["invalid_request", "invalid_request_uri", "invalid_redirect_uri"];
        return world.judge_refusal(never_foreign(&flow.landing, &registered, &codes));
    }
    let answer = world.answer()?;
    let findings = crate::expect::check(expect::is_refused(&answer), || {
        crate::model::verdict::Deviation::new("an error and no request_uri", answer.gist())
            .seen_in(&answer)
    });
    world.judge_refusal(findings)
}

#[then("the reference is refused")]
fn reference_refused(world: &mut World) -> Step {
    let flow = world.flow()?;
    let codes = ["invalid_request", "invalid_request_uri", "invalid_client"];
    world.judge_refusal(front_reject(&flow.landing, flow.redirect_uri(), &codes))
}

#[then("the reference is refused to it")]
fn stranger_refused(world: &mut World) -> Step {
    let (context, flow) = (world.context()?, world.flow()?);
    let uris: Vec<&str> = context.target.redirect_uris().map(|(_, uri)| uri).collect();
    world.judge_refusal(expect::stranger_refused(&flow.landing, &uris))
}

#[then("the pushed values win, or the request is refused")]
fn pushed_wins(world: &mut World) -> Step {
    let flow = world.flow()?;
    if flow.landing.code().is_none() {
        let codes = ["invalid_request", "invalid_request_uri", "invalid_request_object"];
        return world.judge_refusal(front_reject(&flow.landing, flow.redirect_uri(), &codes));
    }
    world.judge(code_ok(&flow.landing, flow.redirect_uri()))?;
    let answer = world.answer()?;
    world.judge(token::token_ok(&answer))?;
    match world.noted.clone() {
        plain if plain.is_empty() => Ok(()),
        plain => world.judge(expect::no_wider(&answer, &plain)),
    }
}

#[then("each document that demands pushed requests says where to push them")]
fn endpoint_named(world: &mut World) -> Step {
    super::metadata::judge_each(world, expect::endpoint_named)
}
