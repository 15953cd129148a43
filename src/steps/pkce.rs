//! Flows whose code challenge or verifier is bent, and where they are refused.

use cucumber::{then, when};

use super::words;
use crate::expect::authorization::front_reject;
use crate::expect::token as expect;
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::pkce;
use crate::world::{Step, World};

/// PKCE requests whose code, if one is delivered, is redeemed at once.
#[when(
    regex = "^the client sends the authorization request (without a code challenge|with an empty code challenge|with a plain code challenge|without code_challenge_method|with an empty code_challenge_method|with its verifier as code challenge and no code_challenge_method) and redeems what it gets(?: with a random verifier)?$"
)]
async fn pkce_flow(world: &mut World, mutation: String) -> Step {
    let mut request = world.request()?;
    let params = &mut request.params;
    match mutation.as_str() {
        "without a code challenge" => {
            params.omit("code_challenge");
            params.omit("code_challenge_method");
        }
        "with an empty code challenge" => params.set("code_challenge", ""),
        "with a plain code challenge" => {
            params.set("code_challenge", request.code_verifier.as_str());
            params.set("code_challenge_method", "plain");
        }
        "without code_challenge_method" => params.omit("code_challenge_method"),
        "with an empty code_challenge_method" => params.set("code_challenge_method", ""),
        _ => {
            params.set("code_challenge", request.code_verifier.as_str());
            params.omit("code_challenge_method");
        }
    }
    world.authorize(request).await?;
    let flow = world.flow()?;
    if flow.landing.code().is_none() {
        return Ok(());
    }
    let mut redemption = world.redemption(&flow)?;
    match mutation.as_str() {
        "without a code challenge" | "with an empty code challenge" => {
            redemption.omit("code_verifier")
        }
        "without code_challenge_method" | "with an empty code_challenge_method" => {
            redemption.set("code_verifier", pkce::verifier());
        }
        _ => {}
    }
    world.token_request(&redemption).await
}

/// Refused at the authorization endpoint, or worthless at the token endpoint.
fn refused_somewhere(world: &mut World, front: &[&str], back: &[&str]) -> Step<bool> {
    let flow = world.flow()?;
    if flow.landing.code().is_none() {
        world.judge_refusal(front_reject(&flow.landing, flow.redirect_uri(), front))?;
        return Ok(true);
    }
    let answer = world.answer()?;
    world.judge_refusal(expect::token_reject(&answer, back))?;
    Ok(false)
}

#[then(regex = "^the request without a challenge is refused with (.+)$")]
fn challenge_required(world: &mut World, codes: String) -> Step {
    let worthless = ["invalid_grant", "invalid_request", "invalid_client"];
    if !refused_somewhere(world, &words(&codes), &worthless)? {
        let flow = world.flow()?;
        let deviation = Deviation::new(
            "a refusal at the authorization endpoint",
            "a code, though one that is worthless",
        );
        return world
            .judge(vec![deviation.weighing(Weight::Draft).seen_in(&flow.landing.exchange)]);
    }
    Ok(())
}

#[then(regex = "^the request or the redemption is refused with (.+)$")]
fn refused_early_or_late(world: &mut World, codes: String) -> Step {
    let codes = words(&codes);
    refused_somewhere(world, &codes, &codes).map(|_| ())
}

#[then(regex = "^the plain method is refused with (.+)$")]
fn plain_refused(world: &mut World, codes: String) -> Step {
    let flow = world.flow()?;
    if flow.landing.code().is_none() {
        let findings = front_reject(&flow.landing, flow.redirect_uri(), &words(&codes));
        return world.judge_refusal(findings);
    }
    let redeemed = world.answer()?;
    let actual = format!("a code; its redemption with the plain verifier: {}", redeemed.gist());
    world.judge(vec![Deviation::new("a refusal", actual).seen_in(&flow.landing.exchange)])
}

#[then(regex = "^the plain method is not implied: a refusal says (.+)$")]
fn plain_not_implied(world: &mut World, codes: String) -> Step {
    let flow = world.flow()?;
    if flow.landing.code().is_none() {
        let findings = front_reject(&flow.landing, flow.redirect_uri(), &words(&codes));
        return world.judge_refusal(findings);
    }
    // RFC 7636 §4.3 implies plain; RFC 9700 §2.1.1 wants S256, and OAuth 2.1 has no other.
    let redeemed = world.answer()?;
    let codes = ["invalid_grant", "invalid_request"];
    let findings = expect::token_reject(&redeemed, &codes);
    world.judge_refusal(findings)
}
