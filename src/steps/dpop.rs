//! Proofs of possession: sent with token requests, with refreshes and at the resource.

use std::sync::Arc;

use cucumber::{given, then, when};

use crate::expect::{dpop as expect, resource, token as tokens};
use crate::model::exchange::Request;
use crate::model::verdict::Obstacle;
use crate::oauth::dpop::{Proof, Seal};
use crate::oauth::key::Key;
use crate::oauth::random;
use crate::oauth::token::{self, TokenResponse};
use crate::world::access::resource_request;
use crate::world::context::Context;
use crate::world::{Step, World};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// The key of the scenario.
fn key(world: &mut World) -> Step<Arc<Key>> {
    if let Some(key) = &world.proof_key {
        return Ok(key.clone());
    }
    let key = new_key(world)?;
    world.proof_key = Some(key.clone());
    Ok(key)
}

fn new_key(world: &mut World) -> Step<Arc<Key>> {
    let missing = || Obstacle::new("to make a P-256 key", "the library refused", "try again");
    let key = world.need(Key::generate().ok_or_else(missing))?;
    if let Some(private) = key.private_part() {
        world.context()?.memory.learn("private_key", &private);
    }
    Ok(Arc::new(key))
}

/// Bends a conformant proof in one property; `other` is a key that nobody knows.
fn bend(proof: &mut Proof, how: &str, key: &Key) {
    match how {
        "whose signature is altered" => proof.seal = Seal::Altered,
        "that is not signed" => proof.seal = Seal::Unsigned,
        "signed by HMAC with its public key" => proof.seal = Seal::Symmetric,
        "for another method" => drop(proof.claims.insert("htm".into(), "PUT".into())),
        "for another path" => target(proof, |url| format!("{url}/probe")),
        "for another host" => target(proof, |url| {
            let path = url.splitn(4, '/').nth(3).unwrap_or_default();
            format!("https://probe.invalid/{path}")
        }),
        "with a query in htu" => target(proof, |url| format!("{url}?probe=1#probe")),
        "of yesterday" => shift(proof, -DAY),
        "of tomorrow" => shift(proof, DAY),
        "of type JWT" => drop(proof.header.insert("typ".into(), "JWT".into())),
        "without jti" => drop(proof.claims.remove("jti")),
        "without htm" => drop(proof.claims.remove("htm")),
        "without jwk" => drop(proof.header.remove("jwk")),
        "with its private key" => proof.disclose(key),
        "without ath" => drop(proof.claims.remove("ath")),
        "with the ath of another token" => proof.accompany(&random(32)),
        _ => {}
    }
}

fn target(proof: &mut Proof, change: impl Fn(&str) -> String) {
    let htu = proof.claims.get("htu").and_then(|v| v.as_str()).unwrap_or_default();
    let changed = change(htu);
    proof.claims.insert("htu".into(), changed.into());
}

fn shift(proof: &mut Proof, seconds: i64) {
    let iat = proof.claims.get("iat").and_then(serde_json::Value::as_i64).unwrap_or_default();
    proof.claims.insert("iat".into(), (iat + seconds).into());
}

/// Sends the request with a proof that is conformant but for `how`.
async fn attempt(
    world: &mut World,
    mut request: Request,
    how: &str,
    token: Option<&str>,
    nonce: Option<&str>,
) -> Step {
    let (context, own) = (world.context()?, key(world)?);
    let signer = match how {
        "of another key" | "signed by a key that it does not name" => new_key(world)?,
        _ => own.clone(),
    };
    let named = if how == "of another key" { &signer } else { &own };
    let count = match how {
        "that is absent" => 0,
        "sent twice" => 2,
        _ => 1,
    };
    for _ in 0..count {
        let mut proof = Proof::new(named, &request.method, &request.url, context.clock.now());
        if let Some(token) = token {
            proof.accompany(token);
        }
        if let Some(nonce) = nonce {
            proof.claims.insert("nonce".into(), nonce.into());
        }
        bend(&mut proof, how, named);
        request.headers.push(("DPoP".into(), proof.compact(&signer)));
    }
    world.send(request).await
}

/// [`attempt`], and once more with the nonce that the server asks for (RFC 9449 §8).
async fn send(world: &mut World, request: Request, how: &str, token: Option<&str>) -> Step {
    attempt(world, request.clone(), how, token, None).await?;
    let answer = world.answer()?;
    let Some(nonce) = expect::nonce_asked(&answer).filter(|_| how != "that is absent") else {
        return Ok(());
    };
    world.noted = nonce.to_owned();
    attempt(world, request, how, token, Some(nonce)).await
}

/// The conformant redemption of the last code.
fn redemption(world: &mut World) -> Step<Request> {
    let (context, flow) = (world.context()?, world.flow()?);
    let params = world.redemption(&flow)?;
    let endpoint = world.need(context.endpoint("token_endpoint").map(str::to_owned))?;
    Ok(token::post(&endpoint, &params))
}

/// Our proofs are signed with ES256.
fn demand_es256(world: &mut World) -> Step {
    let context = world.context()?;
    let algs = context.facts.metadata.list("dpop_signing_alg_values_supported");
    match algs.is_some_and(|algs| !algs.contains(&"ES256")) {
        true => world.not_applicable("the server does not list ES256, which our proofs use"),
        false => Ok(()),
    }
}

/// Tokens that are bound to the key of the scenario.
async fn bound_tokens(world: &mut World) -> Step<TokenResponse> {
    demand_es256(world)?;
    let request = world.request()?;
    world.obtain_code(request).await?;
    let request = redemption(world)?;
    send(world, request, "", None).await?;
    let answer = world.answer()?;
    let Some(tokens) = answer.response().and_then(TokenResponse::read) else {
        let remedy = "see dpop.token-bound: a refused proof means nothing while all are refused";
        let tried = "to redeem a code with a valid DPoP proof";
        return world.need(Err(Obstacle::new(tried, answer.gist(), remedy)));
    };
    if !expect::is_bound(&tokens) {
        return world.not_applicable("the server does not bind the tokens of this client");
    }
    world.answers.clear();
    world.noted.clear();
    Ok(tokens)
}

#[given("a client whose proofs work")]
async fn working(world: &mut World) -> Step {
    bound_tokens(world).await.map(|_| ())
}

#[when("the client redeems it with a proof")]
async fn redeem(world: &mut World) -> Step {
    demand_es256(world)?;
    let request = redemption(world)?;
    send(world, request, "", None).await
}

#[when(regex = "^the client redeems it with a proof (.+)$")]
async fn redeem_bent(world: &mut World, how: String) -> Step {
    let request = redemption(world)?;
    send(world, request, &how, None).await?;
    let answer = world.answer()?;
    let by_nonce =
        !world.noted.is_empty() && matches!(how.as_str(), "of yesterday" | "of tomorrow");
    if by_nonce && tokens::token_ok(&answer).is_empty() {
        return world.not_applicable("the server tells fresh proofs by its nonce");
    }
    Ok(())
}

#[when("the client redeems it without a nonce, and then with an invented one")]
async fn redeem_invented_nonce(world: &mut World) -> Step {
    let request = redemption(world)?;
    attempt(world, request.clone(), "", None, None).await?;
    let answer = world.answer()?;
    // A challenge without a nonce is a challenge too.
    if !answer.response().is_some_and(|r| r.text().contains("use_dpop_nonce")) {
        return world.not_applicable("the server does not ask for a nonce");
    }
    attempt(world, request, "", None, Some(&random(16))).await
}

#[given(regex = "^an authorization code for its key( by a pushed request)?$")]
async fn code_for_key(world: &mut World, pushed: String) -> Step {
    // The working twin: such a code is redeemed with its own key.
    bound_code(world, &pushed).await?;
    let request = redemption(world)?;
    send(world, request, "", None).await?;
    let answer = world.answer()?;
    if !tokens::token_ok(&answer).is_empty() {
        let tried = "to redeem a code bound by dpop_jkt with its own key";
        let remedy =
            "see dpop.token-bound: a refusal means nothing while every such code is refused";
        return world.need(Err(Obstacle::new(tried, answer.gist(), remedy)));
    }
    world.answers.clear();
    world.noted.clear();
    bound_code(world, &pushed).await
}

async fn bound_code(world: &mut World, pushed: &str) -> Step {
    let thumbprint = key(world)?.thumbprint.clone();
    let mut request = world.request()?;
    request.params.set("dpop_jkt", thumbprint);
    if pushed.is_empty() {
        return world.obtain_code(request).await;
    }
    if world.context()?.facts.endpoint("pushed_authorization_request_endpoint").is_none() {
        return world.not_applicable("the server takes no pushed requests");
    }
    super::par::push(world, &request.params).await?;
    let id = request.params.value("client_id").unwrap_or_default().to_owned();
    super::par::refer(world, request, &id, &[]).await
}

#[then("the tokens are bound to its key")]
fn tokens_bound(world: &mut World) -> Step {
    let (answer, key) = (world.answer()?, key(world)?);
    world.judge(expect::bound(&answer, &key.thumbprint))
}

#[then(regex = "^the proof is refused(, be it by HTTP)?$")]
fn proof_refused(world: &mut World, by_http: String) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::proof_refused(&answer, !by_http.is_empty()))
}

#[then("the token endpoint issues tokens or refuses a proof that no client makes")]
fn query_ignored(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge(expect::query_ignored(&answer))
}

#[then("the code is refused to any other key")]
fn code_refused(world: &mut World) -> Step {
    let context = world.context()?;
    let is_known = context.facts.endpoint("pushed_authorization_request_endpoint").is_some();
    let answer = world.answer()?;
    world.judge_refusal(expect::code_refused(&answer, is_known))
}

#[then("the challenge carries one nonce and the invented one is refused")]
fn challenge(world: &mut World) -> Step {
    let [first, .., last] = &world.answers.clone()[..] else {
        return world.missing("pair of answers");
    };
    world.judge(expect::nonce_challenge(first))?;
    world.judge_refusal(expect::proof_refused(last, false))
}

#[then("each document lists asymmetric algorithms for proofs alone")]
fn algs(world: &mut World) -> Step {
    super::metadata::judge_each(world, expect::algs)
}

fn refresh_request(context: &Context, client: usize, token: &str) -> Result<Request, Obstacle> {
    let params = token::refresh(&context.client(client).id, token);
    Ok(token::post(context.endpoint("token_endpoint")?, &params))
}

#[given("a refresh token of its key that works")]
async fn refresh_token(world: &mut World) -> Step {
    let (context, issued) = (world.context()?, bound_tokens(world).await?);
    let Some(old) = issued.refresh_token() else {
        return world.not_applicable("no refresh token is issued with bound tokens");
    };
    let request = world.need(refresh_request(&context, world.client, old))?;
    send(world, request, "", None).await?;
    let answer = world.answer()?;
    let Some(fresh) = answer.response().and_then(TokenResponse::read) else {
        let remedy = "see refresh.success: a refused refresh means nothing while all are refused";
        return world.need(Err(Obstacle::new("to refresh with a proof", answer.gist(), remedy)));
    };
    world.noted = fresh.refresh_token().unwrap_or(old).to_owned();
    Ok(())
}

#[when(regex = "^the client refreshes with a proof (of another key|that is absent)$")]
async fn refresh(world: &mut World, how: String) -> Step {
    let context = world.context()?;
    let token = world.noted.clone();
    let request = world.need(refresh_request(&context, world.client, &token))?;
    send(world, request, &how, None).await
}

fn resource_with(context: &Context, scheme: &str, token: &str) -> Result<Request, Obstacle> {
    let mut request = resource_request(context)?;
    request.headers.push(("Authorization".into(), format!("{scheme} {token}")));
    Ok(request)
}

#[given("a bound token that opens the resource")]
async fn opens(world: &mut World) -> Step {
    let (context, issued) = (world.context()?, bound_tokens(world).await?);
    let token = issued.access_token().unwrap_or_default().to_owned();
    let request = world.need(resource_with(&context, "DPoP", &token))?;
    send(world, request, "", Some(&token)).await?;
    let wanted = context.target.resource.as_ref().map_or(200, |r| r.status);
    let answer = world.answer()?;
    if !resource::answers(&answer, wanted).is_empty() {
        let remedy = "check whether the resource knows DPoP, and URL, method, status and scope";
        let tried = "to open the resource with a bound token and a valid proof";
        return world.need(Err(Obstacle::new(tried, answer.gist(), remedy)));
    }
    world.noted = token;
    Ok(())
}

#[when(regex = "^the client calls the resource with it as a bearer token( and a proof)?$")]
async fn as_bearer(world: &mut World, proof: String) -> Step {
    let (context, token) = (world.context()?, world.noted.clone());
    let request = world.need(resource_with(&context, "Bearer", &token))?;
    let how = if proof.is_empty() { "that is absent" } else { "" };
    send(world, request, how, Some(&token)).await
}

#[when(regex = "^the client calls the resource with it and a proof (.+)$")]
async fn with_proof(world: &mut World, how: String) -> Step {
    let (context, token) = (world.context()?, world.noted.clone());
    let request = world.need(resource_with(&context, "DPoP", &token))?;
    send(world, request, &how, Some(&token)).await
}

#[then("the resource refuses the proof")]
fn resource_refuses(world: &mut World) -> Step {
    let answer = world.answer()?;
    let codes = ["invalid_dpop_proof", "invalid_token", "use_dpop_nonce", "invalid_request"];
    // HTTP may refuse a repeated header field before OAuth looks.
    let findings = match answer.response().map(|r| r.status) {
        Some(400) => resource::refuses(&answer),
        _ => resource::denies_token(&answer, &codes),
    };
    world.judge_refusal(findings)
}

#[when("a script of the allowed origin meets the nonce and the challenge")]
async fn script(world: &mut World) -> Step {
    demand_es256(world)?;
    let context = world.context()?;
    let origin = context.target.allowed_origin.clone().unwrap_or_default();
    let mut request = redemption(world)?;
    request.headers.push(("Origin".into(), origin.clone()));
    attempt(world, request, "", None, None).await?;
    let answer = world.answer()?;
    if answer.response().is_none_or(|r| r.header("dpop-nonce").is_none()) {
        return world.not_applicable("the server sends no DPoP-Nonce");
    }
    if let Ok(mut request) = resource_request(&context) {
        request.headers.push(("Origin".into(), origin));
        world.send(request).await?;
    }
    Ok(())
}
