//! The token response: its members, its header fields, and the scope that it grants.

use std::sync::Arc;

use cucumber::{then, when};

use super::words;
use crate::expect::authorization::front_reject;
use crate::expect::{token as expect, token_response};
use crate::model::exchange::Exchange;
use crate::model::verdict::Obstacle;
use crate::oauth::authorization::AuthorizationRequest;
use crate::oauth::token::{self, TokenResponse};
use crate::world::context::Grant;
use crate::world::{Step, World};

/// A scope value that no server defines.
pub(super) const UNKNOWN_SCOPE: &str = "conformance_probe";

#[when(
    regex = "^the client asks for (a scope nobody knows|a scope that it must not get|the scope of one value) and finishes the flow$"
)]
async fn ask_for_scope(world: &mut World, which: String) -> Step {
    let context = world.context()?;
    let known = context.client(world.client).scope.clone();
    let scope = match which.as_str() {
        "a scope nobody knows" => {
            world.noted = UNKNOWN_SCOPE.into();
            format!("{known} {UNKNOWN_SCOPE}")
        }
        "a scope that it must not get" => match &context.target.forbidden_scope {
            Some(forbidden) => {
                world.noted.clone_from(forbidden);
                format!("{known} {forbidden}")
            }
            None => return world.not_applicable("no forbidden_scope is configured"),
        },
        _ => known.split(' ').next().unwrap_or_default().to_owned(),
    };
    let mut request = world.request()?;
    request.params.set("scope", scope);
    finish_flow(world, request).await
}

#[when(
    regex = "^the client asks for (an unknown resource|a resource with a fragment) and finishes the flow$"
)]
async fn ask_for_resource(world: &mut World, which: String) -> Step {
    let context = world.context()?;
    let known = context.target.resource_indicators.first().cloned().unwrap_or_default();
    world.noted = match which.as_str() {
        "an unknown resource" => "https://probe.invalid/".to_owned(),
        _ => format!("{known}#probe"),
    };
    let mut request = world.request()?;
    request.params.set("resource", world.noted.clone());
    finish_flow(world, request).await
}

/// Sends a request and, if it yields a code, redeems it.
pub(super) async fn finish_flow(world: &mut World, request: AuthorizationRequest) -> Step {
    world.authorize(request).await?;
    let flow = world.flow()?;
    if flow.landing.code().is_none() {
        return Ok(());
    }
    let params = world.redemption(&flow)?;
    world.token_request(&params).await
}

#[when("the client looks at the token response")]
fn look_at_response(world: &mut World) -> Step {
    let context = world.context()?;
    let Some(grant) = &context.baseline else {
        return world.missing("token response of the preflight");
    };
    let exchange = world.cite(&grant.exchange);
    world.answers.push(exchange.clone());
    world.grants.push(Grant { exchange, ..grant.clone() });
    Ok(())
}

#[when("the client refreshes its tokens")]
pub(super) async fn refresh(world: &mut World) -> Step {
    let context = world.context()?;
    let request = world.request()?;
    world.grant(world.client, request).await?;
    let grant = world.granted()?;
    let Some(refresh_token) = grant.tokens.refresh_token() else {
        return world.not_applicable("no refresh_token is issued");
    };
    world.token_request(&token::refresh(&context.client(grant.client).id, refresh_token)).await
}

#[when("the client looks at the response of a refresh")]
async fn look_at_refresh(world: &mut World) -> Step {
    refresh(world).await?;
    match world.answer()?.response().and_then(TokenResponse::read) {
        Some(_) => Ok(()),
        None => world.not_applicable("the refresh is refused; refresh.success judges that"),
    }
}

#[then("the forbidden scope is not granted")]
fn forbidden_scope(world: &mut World) -> Step {
    let flow = world.flow()?;
    if flow.landing.code().is_none() {
        let codes = ["invalid_scope", "access_denied", "unauthorized_client"];
        let findings = front_reject(&flow.landing, flow.redirect_uri(), &codes);
        return world.judge_refusal(findings);
    }
    let (answer, tokens) = issued(world)?;
    need_told_scope(world, &tokens)?;
    let findings = token_response::scope_withheld(&tokens, None, &world.noted);
    world.judge(findings.into_iter().map(|d| d.seen_in(&answer)).collect())
}

/// The answer or its token says what was granted; nothing else tells whether it is too much.
pub(super) fn need_told_scope(world: &mut World, tokens: &TokenResponse) -> Step {
    let told = token_response::tells_scope(tokens);
    world.need(told.then_some(()).ok_or_else(|| {
        Obstacle::new(
            "to learn which scope was granted",
            "tokens without a scope member, and none that can be read",
            "add [introspection] to the profile, or have the server report the scope it grants (RFC 6749 §5.1)",
        )
    }))
}

/// The last answer and the tokens in it, or the obstacle that there are none.
fn issued(world: &mut World) -> Step<(Arc<Exchange>, TokenResponse)> {
    let answer = world.answer()?;
    let tokens = answer.response().and_then(TokenResponse::read);
    let remedy = "check that the client's flow works with this request";
    let tokens = world
        .need(tokens.ok_or_else(|| Obstacle::new("to redeem the code", answer.gist(), remedy)))?;
    Ok((answer, tokens))
}

#[then(regex = "^the resource is refused with (.+) or no token is addressed to it$")]
fn resource_refused(world: &mut World, codes: String) -> Step {
    let codes = words(&codes);
    let flow = world.flow()?;
    if flow.landing.code().is_none() {
        let findings = front_reject(&flow.landing, flow.redirect_uri(), &codes);
        return world.judge_refusal(findings);
    }
    let answer = world.answer()?;
    let findings = match answer.response().and_then(TokenResponse::read) {
        None => expect::token_reject(&answer, &codes),
        Some(tokens) => token_response::not_addressed_to(&tokens, &world.noted),
    };
    world.judge(findings)
}

#[then("the response reports the effective scope")]
fn scope_reported(world: &mut World) -> Step {
    let flow = world.flow()?;
    if flow.landing.code().is_none() {
        return world.not_applicable("the request is refused, so nothing narrower was granted");
    }
    let (answer, tokens) = issued(world)?;
    let requested = flow.request.params.value("scope").unwrap_or_default();
    let findings = token_response::scope_reported(&tokens, requested, &world.noted, None);
    world.judge(findings.into_iter().map(|d| d.seen_in(&answer)).collect())
}

#[then("no reported scope is broader than the request")]
fn scope_not_widened(world: &mut World) -> Step {
    if world.grants.is_empty() {
        let flow = world.flow()?;
        if flow.landing.code().is_none() {
            return world.not_applicable("the request is refused");
        }
        let (answer, tokens) = issued(world)?;
        let requested = flow.request.params.value("scope").unwrap_or_default();
        let findings = token_response::scope_not_widened(&tokens, requested);
        return world.judge(findings.into_iter().map(|d| d.seen_in(&answer)).collect());
    }
    world.judge_grants(|grant| {
        token_response::scope_not_widened(
            &grant.tokens,
            grant.request.params.value("scope").unwrap_or_default(),
        )
    })
}

#[then("it is a 200 application/json object")]
fn json_object(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge(token_response::status_and_type(&answer))
}

#[then("access_token is a non-empty string that fits a header")]
fn access_token(world: &mut World) -> Step {
    world.judge_grants(|grant| token_response::access_token(&grant.tokens))
}

#[then("token_type is Bearer")]
fn token_type(world: &mut World) -> Step {
    world.judge_grants(|grant| token_response::token_type(&grant.tokens))
}

#[then("expires_in is present")]
fn expires_in(world: &mut World) -> Step {
    world.judge_grants(|grant| token_response::expires_in_present(&grant.tokens))
}

#[then("expires_in is a non-negative integer")]
fn expires_in_number(world: &mut World) -> Step {
    world.judge_grants(|grant| token_response::expires_in_number(&grant.tokens))
}

#[then(expr = "the access token lives at most {int} seconds")]
fn short_lived(world: &mut World, most: i64) -> Step {
    let Some(lifetime) = token_response::lifetime(&world.granted()?.tokens) else {
        return world.not_applicable("no expires_in, and the token cannot be read");
    };
    world.judge_grants(|_| token_response::short_lived(lifetime, most))
}

#[then(regex = "^(Cache-Control|Pragma) contains (no-store|no-cache)$")]
fn header_contains(world: &mut World, name: String, directive: String) -> Step {
    let answer = world.answer()?;
    world.judge(token_response::header_contains(&answer, &name, &directive))
}

#[then("each token response carries an ID Token")]
fn id_token(world: &mut World) -> Step {
    world.judge_grants(|grant| token_response::id_token(&grant.tokens))
}
