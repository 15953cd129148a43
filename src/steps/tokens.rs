//! ID Tokens and structured access tokens of the grants of a scenario.

use cucumber::then;

use crate::expect::{Findings, tokens as expect};
use crate::model::verdict::{Deviation, Obstacle};
use crate::oauth::jose::Jws;
use crate::world::context::{Context, Grant};
use crate::world::{Step, World};

/// Judges the ID Token of every grant that has one; one that cannot be read deviates.
pub(super) fn judge_id_tokens(
    world: &mut World,
    judge: impl Fn(&Context, &Grant, &Jws) -> Findings,
) -> Step {
    let context = world.context()?;
    if world.grants.iter().all(|grant| grant.tokens.id_token().is_none()) {
        return world.not_applicable("no ID Token is issued; tokenresp.id-token judges that");
    }
    world.judge_grants(|grant| match grant.tokens.id_token().map(Jws::read) {
        None => vec![],
        Some(Err(why)) => vec![Deviation::new("an ID Token as compact JWS", why)],
        Some(Ok(jws)) => judge(&context, grant, &jws),
    })
}

/// Judges the access token of every grant that is a JWT.
pub(super) fn judge_access_tokens(
    world: &mut World,
    judge: impl Fn(&Context, &Grant, &Jws) -> Findings,
) -> Step {
    let context = world.context()?;
    world.judge_grants(|grant| match grant.tokens.access_token().map(Jws::read) {
        Some(Ok(jws)) => judge(&context, grant, &jws),
        _ => vec![],
    })
}

#[then("each ID Token verifies with the key set")]
fn verifies(world: &mut World) -> Step {
    judge_id_tokens(world, |context, _, jws| expect::verifies(jws, context.facts.jwks.as_ref()))
}

#[then("no ID Token has alg none")]
fn not_unsigned(world: &mut World) -> Step {
    judge_id_tokens(world, |_, _, jws| expect::not_unsigned(jws))
}

#[then("each ID Token names the issuer")]
fn issuer(world: &mut World) -> Step {
    judge_id_tokens(world, |context, _, jws| expect::issuer(jws, context.issuer()))
}

#[then("each ID Token is addressed to its client")]
fn audience(world: &mut World) -> Step {
    judge_id_tokens(world, |context, grant, jws| {
        expect::addressed_to(jws, &context.client(grant.client).id)
    })
}

#[then("each ID Token was issued now and expires later")]
fn times(world: &mut World) -> Step {
    judge_id_tokens(world, |_, grant, jws| expect::times(jws, grant.received))
}

#[then("each ID Token repeats the nonce")]
fn nonce(world: &mut World) -> Step {
    judge_id_tokens(world, |_, grant, jws| {
        expect::nonce(jws, grant.request.params.value("nonce").unwrap_or_default())
    })
}

#[then("each JWT access token verifies with the key set")]
fn access_token_signed(world: &mut World) -> Step {
    if world.context()?.facts.jwks.is_none() {
        let remedy = "publish jwks_uri in the metadata or set it under [endpoints] in the profile";
        return world.need(Err(Obstacle::new(
            "to find the keys of the server",
            "no key set",
            remedy,
        )));
    }
    judge_access_tokens(world, |context, _, jws| {
        expect::access_token_signed(jws, expect::typ(jws).as_deref(), context.facts.jwks.as_ref())
    })
}

#[then("each at+jwt carries iss, exp, aud, sub, client_id, iat and a jti of its own")]
fn access_token_claims(world: &mut World) -> Step {
    let tokens: Vec<Jws> = world
        .grants
        .iter()
        .filter_map(|grant| Jws::read(grant.tokens.access_token()?).ok())
        .collect();
    world.judge(expect::jti_unique(&tokens))?;
    judge_access_tokens(world, |context, grant, jws| {
        expect::access_token_claims(
            jws,
            context.issuer(),
            &context.client(grant.client).id,
            grant.received,
        )
    })
}
