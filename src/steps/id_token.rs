//! Header, subject and hash of ID Tokens.

use std::collections::BTreeMap;

use cucumber::then;
use serde_json::Value;

use super::tokens::judge_id_tokens;
use crate::expect::id_token as expect;
use crate::oauth::jose::Jws;
use crate::world::context::Grant;
use crate::world::{Step, World};

/// The ID Token of a grant, if it can be read.
fn read(grant: &Grant) -> Option<Jws> {
    Jws::read(grant.tokens.id_token()?).ok()
}

#[then("no ID Token is protected by a MAC")]
fn asymmetric(world: &mut World) -> Step {
    judge_id_tokens(world, |_, _, jws| expect::asymmetric(jws))
}

#[then("each ID Token names its key, if several are published")]
fn kid(world: &mut World) -> Step {
    let context = world.context()?;
    let keys = context.facts.jwks.as_ref().and_then(|set| set.get("keys")?.as_array());
    match keys.map(Vec::as_slice).unwrap_or_default() {
        [] => world.not_applicable("no key is published; jwks.available judges that"),
        [_] => world.not_applicable("one key is published"),
        keys => judge_id_tokens(world, |_, _, jws| expect::kid_known(jws, keys)),
    }
}

#[then("no ID Token carries or points at keys")]
fn no_embedded_keys(world: &mut World) -> Step {
    judge_id_tokens(world, |_, _, jws| expect::no_embedded_keys(jws))
}

#[then("the subject of each ID Token is a short string")]
fn subject_form(world: &mut World) -> Step {
    judge_id_tokens(world, |_, _, jws| expect::subject_form(jws))
}

#[then("the ID Tokens of a client name the same subject")]
fn subject_stable(world: &mut World) -> Step {
    let tokens: Vec<(usize, Jws)> =
        world.grants.iter().filter_map(|grant| Some((grant.client, read(grant)?))).collect();
    let mut subjects: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (client, jws) in &tokens {
        subjects.entry(*client).or_default().extend(jws.text("sub"));
    }
    subjects.retain(|_, of_client| of_client.len() > 1);
    if subjects.is_empty() {
        return world
            .not_applicable("no two ID Tokens name a subject; idtoken.sub-form judges that");
    }
    let last = world.granted()?.exchange;
    for of_client in subjects.into_values() {
        let findings = expect::subject_stable(&of_client).into_iter().map(|d| d.seen_in(&last));
        world.judge(findings.collect())?;
    }
    Ok(())
}

#[then("the at_hash of each ID Token is that of its access token")]
fn at_hash(world: &mut World) -> Step {
    let has_hash = |grant: &Grant| {
        read(grant).is_some_and(|jws| jws.claims.get("at_hash").is_some_and(|v| *v != Value::Null))
    };
    if !world.grants.iter().any(has_hash) {
        return world.not_applicable("no ID Token has an at_hash, which is optional here");
    }
    judge_id_tokens(world, |_, grant, jws| {
        expect::at_hash(jws, grant.tokens.access_token().unwrap_or_default())
    })
}

#[then("each ID Token differs from its access token in type or audience")]
fn distinct(world: &mut World) -> Step {
    judge_id_tokens(world, |context, grant, jws| {
        let access_token = grant.tokens.access_token().map(Jws::read);
        match access_token {
            Some(Ok(other)) => expect::distinct(jws, &other, &context.client(grant.client).id),
            _ => vec![],
        }
    })
}
