//! Flows whose code challenge or verifier is bent, and where they are refused.

use cucumber::{then, when};

use super::token_response::finish_flow;
use super::words;
use crate::expect::authorization::front_reject;
use crate::expect::token as expect;
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::{pkce, random};
use crate::world::{Step, World};

#[when(regex = "^the client runs a flow with a code_verifier of 42 characters$")]
async fn short_verifier(world: &mut World) -> Step {
    let request = world.request()?.with_verifier(pkce::verifier_of(42));
    finish_flow(world, request).await
}

/// PKCE requests whose code, if one is delivered, is redeemed at once.
#[when(
    regex = "^the client sends the authorization request (without a code challenge|with an empty code challenge|with a plain code challenge|without code_challenge_method|with code_challenge_method set to \"s256\") and redeems what it gets(?: with a random verifier)?$"
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
        _ => params.set("code_challenge_method", "s256"),
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
        "without code_challenge_method" => redemption.set("code_verifier", pkce::verifier()),
        _ => {}
    }
    world.token_request(&redemption).await
}

#[when(
    regex = "^the client sends the authorization request with a code_challenge of (42 characters|129 characters|standard base64)$"
)]
async fn malformed_challenge(world: &mut World, form: String) -> Step {
    let mut request = world.request()?;
    let challenge = match form.as_str() {
        "42 characters" => random(64)[..42].to_owned(),
        "129 characters" => random(128)[..129].to_owned(),
        _ => format!("+/{}=", &random(64)[..40]),
    };
    request.params.set("code_challenge", challenge);
    world.authorize(request).await
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

#[then(regex = "^the method is refused with (.+) or means S256$")]
fn method_refused(world: &mut World, codes: String) -> Step {
    let flow = world.flow()?;
    if flow.landing.code().is_none() {
        let findings = front_reject(&flow.landing, flow.redirect_uri(), &words(&codes));
        return world.judge_refusal(findings);
    }
    let redeemed = world.answer()?;
    let means_s256 = expect::token_ok(&redeemed).is_empty();
    let weight = if means_s256 { Weight::Warning } else { Weight::Failure };
    let actual = if means_s256 { "acceptance as S256" } else { "a code that S256 does not redeem" };
    world.judge(vec![
        Deviation::new("a refusal of s256", actual)
            .weighing(weight)
            .seen_in(&flow.landing.exchange),
    ])
}
