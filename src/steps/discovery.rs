//! Metadata documents compared with each other and with answers to forged requests, and their
//! OpenID members.

use cucumber::{then, when};

use super::metadata::judge_documents;
use crate::expect::{discovery as expect, keys};
use crate::model::exchange::Request;
use crate::model::verdict::Obstacle;
use crate::oauth::metadata::Metadata;
use crate::oauth::random;
use crate::world::{Step, World};

#[then("the documents agree on what both say")]
fn agree(world: &mut World) -> Step {
    let context = world.context()?;
    let issues_at_jwt = context.facts.access_token_typ.as_deref() == Some("at+jwt");
    let first = context.facts.documents.first();
    let Some(first) = first.map(|d| d.metadata.clone()) else {
        return world.not_applicable("no metadata is published");
    };
    judge_documents(world, "", |other| expect::documents_agree(&first, other, issues_at_jwt))
}

#[then("each OpenID document has jwks_uri, subject types and signature algorithms")]
fn openid_members(world: &mut World) -> Step {
    judge_openid(world, expect::openid_members)
}

#[then("each OpenID document lists RS256")]
fn lists_rs256(world: &mut World) -> Step {
    judge_openid(world, expect::lists_rs256)
}

fn judge_openid(world: &mut World, judge: impl Fn(&Metadata) -> crate::expect::Findings) -> Step {
    let context = world.context()?;
    if expect::is_plain_oauth(&context.facts.metadata, context.facts.id_token) {
        return world.not_applicable("the server is no OpenID provider");
    }
    judge_documents(world, "openid-configuration", judge)
}

#[then("DPoP or certificate-bound access tokens are offered")]
fn sender_constraint(world: &mut World) -> Step {
    let context = world.context()?;
    world.judge(expect::sender_constraint_offered(&context.facts.metadata))
}

#[then("every RSA key that may sign has at least 2048 bits")]
fn long_moduli(world: &mut World) -> Step {
    let answer = world.answer()?;
    let set = answer.response().and_then(|r| r.json_object()).unwrap_or_default().into();
    let keys = keys::rsa_signing_keys(&set);
    if keys.is_empty() {
        return world.not_applicable("no RSA key that may sign is published");
    }
    let findings = keys::long_moduli(&keys).into_iter().map(|d| d.seen_in(&answer));
    world.judge(findings.collect())
}

/// A request for a document that no cache has seen or will see again.
fn uncached(location: &str) -> Request {
    let separator = if location.contains('?') { '&' } else { '?' };
    let mut request = Request::get(format!("{location}{separator}probe={}", random(9)));
    request.headers.push(("Accept".into(), "application/json".into()));
    request
}

#[when(regex = "^the client reads the metadata with a forged (.+)$")]
async fn read_forged(world: &mut World, name: String) -> Step {
    let context = world.context()?;
    for document in &context.facts.documents {
        let value = match name.as_str() {
            "Forwarded" => format!("host={}", expect::FORGED_HOST),
            // The other scheme than that of the request.
            "X-Forwarded-Proto" if document.location.starts_with("http:") => "https".to_owned(),
            "X-Forwarded-Proto" => "http".to_owned(),
            _ => expect::FORGED_HOST.to_owned(),
        };
        let mut request = uncached(&document.location);
        request.headers.push((name.clone(), value));
        world.send(request).await?;
        if world.answer()?.response().is_none_or(|r| r.status != 200) {
            unforged_works(world, &document.location).await?;
        }
    }
    Ok(())
}

/// The working twin of a refused forgery: the same request without the header.
async fn unforged_works(world: &mut World, location: &str) -> Step {
    let forged = world.answers.len();
    world.send(uncached(location)).await?;
    let answer = world.answer()?;
    world.answers.truncate(forged);
    if answer.response().is_some_and(|r| r.status == 200 && r.json_object().is_some()) {
        return Ok(());
    }
    let remedy =
        "let the well-known address answer whatever its query, so that no cache is touched";
    world.need(Err(Obstacle::new("to read the metadata with a query", answer.gist(), remedy)))
}

#[then("no address in it changes")]
fn addresses_stay(world: &mut World) -> Step {
    let context = world.context()?;
    if world.answers.is_empty() {
        return world.not_applicable("no metadata is published");
    }
    for answer in world.answers.clone() {
        let of = |url: &str| {
            url.split("probe=").next().map(|u| u.trim_end_matches(['?', '&']).to_owned())
        };
        let asked = of(&answer.request.url).unwrap_or_default();
        let usual = context.facts.documents.iter().find(|d| d.location == asked);
        let Some(usual) = usual else { return world.missing("document to compare with") };
        world.judge(expect::forwarding_ignored(&answer, &usual.metadata))?;
    }
    Ok(())
}
