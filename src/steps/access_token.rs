//! Access and refresh tokens: chance, type, audience, subject.

use cucumber::{given, then, when};
use serde_json::Value;

use super::tokens::judge_access_tokens;
use crate::expect::access_token as expect;
use crate::oauth::jose::Jws;
use crate::oauth::token::TokenResponse;
use crate::world::{Step, World};

#[when(expr = "the client runs the whole flow {int} times")]
async fn several_flows(world: &mut World, count: usize) -> Step {
    for _ in 0..count {
        let request = world.request()?;
        world.grant(world.client, request).await?;
    }
    Ok(())
}

/// Judges the tokens of that kind from all grants together.
fn judge_chance(world: &mut World, kind: impl Fn(&TokenResponse) -> Option<&str>) -> Step {
    let grants = world.grants.clone();
    let tokens: Vec<&str> = grants.iter().filter_map(|grant| kind(&grant.tokens)).collect();
    if tokens.is_empty() {
        return Ok(());
    }
    let last = world.granted()?.exchange;
    let findings = expect::unguessable(&tokens).into_iter().map(|d| d.seen_in(&last));
    world.judge(findings.collect())
}

#[then("the access tokens differ and may hold 128 bits of entropy")]
fn access_tokens_unguessable(world: &mut World) -> Step {
    judge_chance(world, TokenResponse::access_token)
}

#[then("so do the refresh tokens, where any are issued")]
fn refresh_tokens_unguessable(world: &mut World) -> Step {
    judge_chance(world, TokenResponse::refresh_token)
}

#[then("each JWT access token has typ at+jwt")]
fn explicitly_typed(world: &mut World) -> Step {
    judge_access_tokens(world, |_, _, jws| expect::explicitly_typed(jws))
}

#[then("each JWT access token is for a resource")]
fn for_a_resource(world: &mut World) -> Step {
    let is_jwt = |token: Option<&str>| token.is_some_and(|token| Jws::read(token).is_ok());
    if !world.grants.iter().any(|grant| is_jwt(grant.tokens.access_token())) {
        return world.not_applicable("the access token is no JWT");
    }
    judge_access_tokens(world, |context, grant, jws| {
        expect::for_a_resource(&jws.audience(), &context.client(grant.client).id)
    })
}

#[given("a resource server that may introspect")]
fn may_introspect(world: &mut World) -> Step {
    let context = world.context()?;
    if context.target.introspection.is_none() || context.endpoint("introspection_endpoint").is_err()
    {
        return world.not_applicable("no introspection endpoint, or no credentials for it");
    }
    Ok(())
}

#[then("the token is for a resource")]
fn introspected_for_a_resource(world: &mut World) -> Step {
    let (context, answer) = (world.context()?, world.answer()?);
    let members = answer.response().and_then(|r| r.json_object()).unwrap_or_default();
    if members.get("active") != Some(&Value::Bool(true)) {
        return world.not_applicable("the token is not active; introspection.active judges that");
    }
    let audience: Vec<&str> = match members.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    let findings = expect::for_a_resource(&audience, &context.client(world.client).id);
    world.judge(findings.into_iter().map(|d| d.seen_in(&answer)).collect())
}

#[then("no JWT access token has the client as subject")]
fn subject_not_client(world: &mut World) -> Step {
    judge_access_tokens(world, |context, grant, jws| {
        expect::subject_not_client(jws, &context.client(grant.client).id)
    })
}
