//! Metadata documents and the key set.

use cucumber::{then, when};

use crate::expect::{Findings, check, metadata as expect};
use crate::model::exchange::Request;
use crate::model::verdict::Deviation;
use crate::oauth::metadata::Metadata;
use crate::world::{Step, World};

#[when("the client reads the metadata")]
fn read(world: &mut World) -> Step {
    let context = world.context()?;
    for exchange in &context.facts.lookups {
        let cited = world.cite(exchange);
        world.answers.push(cited);
    }
    Ok(())
}

#[when("the client fetches the key set")]
async fn fetch_keys(world: &mut World) -> Step {
    let context = world.context()?;
    if let Some(exchange) = &context.facts.jwks_exchange {
        let cited = world.cite(exchange);
        world.answers.push(cited);
        return Ok(());
    }
    let url = world.need(context.endpoint("jwks_uri").map(str::to_owned))?;
    world.send(Request::get(url)).await
}

/// Judges every document that was found.
pub(super) fn judge_each(world: &mut World, judge: impl Fn(&Metadata) -> Findings) -> Step {
    judge_documents(world, "", judge)
}

/// Judges every document that was found at an address with `part` in it.
pub(super) fn judge_documents(
    world: &mut World,
    part: &str,
    judge: impl Fn(&Metadata) -> Findings,
) -> Step {
    let context = world.context()?;
    let documents = || context.facts.documents.iter().filter(|d| d.location.contains(part));
    if documents().next().is_none() {
        return world.not_applicable("no metadata is published");
    }
    for document in documents() {
        let number =
            world.answers.iter().find(|e| e.request.url == document.location).map(|e| e.number);
        let findings = judge(&document.metadata).into_iter().map(|d| {
            let actual = format!("{} at {}", d.actual, document.location);
            Deviation { exchange: number, actual, ..d }
        });
        world.judge(findings.collect())?;
    }
    Ok(())
}

#[then("one location answers with a JSON object")]
fn published(world: &mut World) -> Step {
    let context = world.context()?;
    let asked = world.answers.len();
    world.judge(check(!context.facts.documents.is_empty(), || {
        Deviation::new(
            "200 with a JSON object at one of the well-known locations",
            format!("none at {asked} locations"),
        )
    }))
}

#[then("each document is a 200 application/json answer")]
fn is_json(world: &mut World) -> Step {
    let context = world.context()?;
    for document in &context.facts.documents {
        let answer = world.answers.iter().find(|e| e.request.url == document.location).cloned();
        let Some(answer) = answer else { return world.missing("answer of a well-known location") };
        world.judge(expect::is_json_document(&answer))?;
    }
    Ok(())
}

#[then("each document names the configured issuer")]
fn names_issuer(world: &mut World) -> Step {
    let configured = world.context()?.target.issuer.clone();
    judge_each(world, |metadata| expect::issuer_identical(metadata, &configured))
}

#[then("each issuer is an https URL without query and fragment, or local")]
fn issuer_form(world: &mut World) -> Step {
    judge_each(world, expect::issuer_form)
}

#[then(
    "each document has issuer, authorization_endpoint, token_endpoint and response_types_supported"
)]
fn core_members(world: &mut World) -> Step {
    judge_each(world, expect::core_members)
}

#[then("each document lists the code flow")]
fn code_flow(world: &mut World) -> Step {
    judge_each(world, expect::code_flow_listed)
}

#[then("no document lists a response type with token or the implicit grant")]
fn no_front_channel_tokens(world: &mut World) -> Step {
    judge_each(world, expect::no_front_channel_tokens)
}

#[then("no document lists the password grant")]
fn no_password_grant(world: &mut World) -> Step {
    judge_each(world, |metadata| expect::lists_not(metadata, "grant_types_supported", "password"))
}

#[then("no endpoint carries a fragment")]
fn no_fragment(world: &mut World) -> Step {
    judge_each(world, expect::no_fragment)
}

#[then("code_challenge_methods_supported contains S256")]
fn has_s256(world: &mut World) -> Step {
    judge_each(world, |metadata| {
        expect::lists(metadata, "code_challenge_methods_supported", "S256")
    })
}

#[then("code_challenge_methods_supported does not contain plain")]
fn has_no_plain(world: &mut World) -> Step {
    judge_each(world, |metadata| {
        expect::lists_not(metadata, "code_challenge_methods_supported", "plain")
    })
}

#[then("every endpoint is https, or local")]
fn https_endpoints(world: &mut World) -> Step {
    judge_each(world, expect::https_endpoints)
}

#[then("it is a JWK Set with at least one key")]
fn key_set(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge(expect::key_set(&answer))
}

#[then("no key has a private or symmetric member")]
fn public_keys(world: &mut World) -> Step {
    let answer = world.answer()?;
    let Some(keys) = answer.response().and_then(|r| r.json_object()) else {
        return world.not_applicable("the key set is no JSON object");
    };
    let findings = expect::no_private_keys(&keys.into()).into_iter().map(|d| d.seen_in(&answer));
    world.judge(findings.collect())
}
