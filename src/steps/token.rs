//! The token request: conformant, mutated, raced, replayed; and the token response.

use std::sync::Arc;

use cucumber::{given, then, when};

use super::words;
use crate::expect::authorization::front_reject;
use crate::expect::{Findings, check, token as expect, token_response};
use crate::model::exchange::{Exchange, Request};
use crate::model::verdict::{Deviation, Obstacle, Weight};
use crate::oauth::authorization::AuthorizationRequest;
use crate::oauth::params::Params;
use crate::oauth::token::{self, TokenResponse};
use crate::oauth::{pkce, random};
use crate::world::context::Grant;
use crate::world::{Flow, Step, World};

/// A scope value that no server defines.
const UNKNOWN_SCOPE: &str = "conformance_probe";

/// Redeems the last code with a token request that differs from the conformant one by `mutate`.
async fn redeem(world: &mut World, mutate: impl FnOnce(&mut Params)) -> Step {
    let flow = world.flow()?;
    let mut params = world.redemption(&flow)?;
    mutate(&mut params);
    world.token_request(&params).await
}

#[when("the client redeems it")]
async fn redeem_as_it_should(world: &mut World) -> Step {
    redeem(world, |_| ()).await
}

#[when(expr = "the client redeems it without {word}")]
async fn redeem_without(world: &mut World, name: String) -> Step {
    redeem(world, |params| params.omit(&name)).await
}

#[when(expr = "the client redeems it with {word} set to {string}")]
async fn redeem_with(world: &mut World, name: String, value: String) -> Step {
    redeem(world, |params| params.set(&name, value)).await
}

#[when("the client redeems it with the code_verifier altered")]
async fn redeem_altered(world: &mut World) -> Step {
    redeem(world, |params| alter_verifier(params)).await
}

fn alter_verifier(params: &mut Params) {
    let altered = pkce::altered(params.value("code_verifier").unwrap_or_default());
    params.set("code_verifier", altered);
}

#[when("the client redeems it with the code_verifier replaced")]
async fn redeem_replaced(world: &mut World) -> Step {
    redeem(world, |params| params.set("code_verifier", pkce::verifier())).await
}

#[when(regex = "^the client redeems it with the code_challenge as code_verifier( and the method plain)?$")]
async fn redeem_challenge(world: &mut World, plain: String) -> Step {
    redeem(world, |params| {
        let challenge = pkce::s256(params.value("code_verifier").unwrap_or_default());
        params.set("code_verifier", challenge);
        if !plain.is_empty() {
            params.set("code_challenge_method", "plain");
        }
    })
    .await
}

#[when(regex = "^the client redeems the (first|second) code with the code_verifier of the (first|second)$")]
async fn redeem_crossed(world: &mut World, code: String, verifier: String) -> Step {
    let [.., first, second] = &world.flows[..] else { return world.missing("pair of codes") };
    let pick = |which: &str| if which == "first" { first.clone() } else { second.clone() };
    let (flow, other): (Flow, Flow) = (pick(&code), pick(&verifier));
    let mut params = world.redemption(&flow)?;
    params.set("code_verifier", other.request.code_verifier);
    world.token_request(&params).await
}

#[when("the client redeems it with the redirect_uri altered")]
async fn redeem_redirect_altered(world: &mut World) -> Step {
    redeem(world, |params| {
        let altered = format!("{}/probe", params.value("redirect_uri").unwrap_or_default());
        params.set("redirect_uri", altered);
    })
    .await
}

#[when("the client redeems it with another registered redirect_uri")]
async fn redeem_redirect_other(world: &mut World) -> Step {
    let context = world.context()?;
    let used = world.flow()?.redirect_uri().to_owned();
    let Some(other) = context.client(world.client).usable_redirect_uris().find(|uri| *uri != used) else {
        return world.not_applicable("the client registered one redirect_uri only");
    };
    redeem(world, |params| params.set("redirect_uri", other)).await
}

#[when("another client redeems it")]
async fn redeem_by_other(world: &mut World) -> Step {
    let context = world.context()?;
    let other = if world.client == 0 { 1 } else { 0 };
    // The other client must work by itself, or its refusal would say nothing about the code.
    let twin = context.twin(other).await;
    world.need(twin)?;
    let id = context.client(other).id.clone();
    redeem(world, |params| params.set("client_id", id)).await
}

#[when("an unknown client redeems it")]
async fn redeem_by_unknown(world: &mut World) -> Step {
    redeem(world, |params| params.set("client_id", random(12))).await
}

#[when("the client redeems it by GET")]
async fn redeem_by_get(world: &mut World) -> Step {
    redeem_in_query(world, "GET").await
}

#[when("the client redeems it with all parameters in the query")]
async fn redeem_by_query(world: &mut World) -> Step {
    redeem_in_query(world, "POST").await
}

async fn redeem_in_query(world: &mut World, method: &str) -> Step {
    let context = world.context()?;
    let endpoint = world.need(context.endpoint("token_endpoint").map(str::to_owned))?;
    let flow = world.flow()?;
    let params = world.redemption(&flow)?;
    let mut request = token::post(&params.on(&endpoint), &Params::default());
    request.method = method.into();
    if method == "GET" {
        request.headers.retain(|(name, _)| name != "Content-Type");
    }
    world.send(request).await
}

#[when(
    regex = "^the client redeems it with (code_verifier twice, the wrong first|code_verifier twice, the wrong last|code twice)$"
)]
async fn redeem_repeated(world: &mut World, repetition: String) -> Step {
    redeem(world, |params| match repetition.as_str() {
        "code twice" => params.repeat("code", random(32)),
        "code_verifier twice, the wrong first" => params.prepend("code_verifier", pkce::verifier()),
        _ => params.repeat("code_verifier", pkce::verifier()),
    })
    .await
}

#[when("the client redeems it from its allowed origin")]
async fn redeem_from_origin(world: &mut World) -> Step {
    let context = world.context()?;
    let endpoint = world.need(context.endpoint("token_endpoint").map(str::to_owned))?;
    let flow = world.flow()?;
    let params = world.redemption(&flow)?;
    let mut request = token::post(&endpoint, &params);
    request.headers.push(("Origin".into(), context.target.allowed_origin.clone().unwrap_or_default()));
    world.send(request).await
}

#[when("the client redeems an invented code from its allowed origin")]
async fn redeem_invented_from_origin(world: &mut World) -> Step {
    let context = world.context()?;
    let endpoint = world.need(context.endpoint("token_endpoint").map(str::to_owned))?;
    let client = context.client(world.client);
    let params = token::code_exchange(&client.id, &random(32), client.redirect_uri(), &pkce::verifier());
    let mut request = token::post(&endpoint, &params);
    request.headers.push(("Origin".into(), context.target.allowed_origin.clone().unwrap_or_default()));
    world.send(request).await
}

#[when("the client redeems it again")]
async fn redeem_again(world: &mut World) -> Step {
    let params = world.granted()?.redemption;
    world.token_request(&params).await
}

#[when("the client redeems it again with the code_verifier altered")]
async fn redeem_again_altered(world: &mut World) -> Step {
    let mut params = world.granted()?.redemption;
    alter_verifier(&mut params);
    world.token_request(&params).await
}

#[when(expr = "the client redeems each of {int} codes {int} times at the same moment")]
async fn race(world: &mut World, rounds: usize, rivals: usize) -> Step {
    let context = world.context()?;
    let endpoint = world.need(context.endpoint("token_endpoint").map(str::to_owned))?;
    let mut winners = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let request = world.request()?;
        world.obtain_code(request).await?;
        let flow = world.flow()?;
        let params = world.redemption(&flow)?;
        let requests = vec![token::post(&endpoint, &params); rivals];
        let answers = context.http.race(&world.recorder, requests).await;
        if answers.iter().all(|e| e.response().is_none()) {
            let obstacle = Obstacle::new(
                format!("{rivals} token requests at the same moment"),
                answers.first().map(|e| e.gist()).unwrap_or_default(),
                "check that the token endpoint takes several connections",
            );
            return world.need(Err(obstacle));
        }
        winners.push(expect::winners(answers.iter().map(AsRef::as_ref)));
    }
    world.noted = winners.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
    Ok(())
}

/// A token request with a fault that needs no code.
#[when(
    regex = "^the client sends a token request with (no code|an invented code|no grant_type|an unknown grant_type|an unknown client_id|the password grant|the client credentials grant|the client credentials grant and an empty secret|an invented refresh_token|no refresh_token)$"
)]
async fn faulty_request(world: &mut World, fault: String) -> Step {
    let context = world.context()?;
    let client = context.client(world.client);
    let (id, uri) = (client.id.as_str(), client.redirect_uri());
    let mut params = token::code_exchange(id, &random(32), uri, &pkce::verifier());
    match fault.as_str() {
        "no code" => params.omit("code"),
        "no grant_type" => params = Params::new([("client_id", id)]),
        "an unknown grant_type" => params = Params::new([("grant_type", "urn:probe:unknown"), ("client_id", id)]),
        "an unknown client_id" => params.set("client_id", random(12)),
        "the password grant" => {
            params = Params::new([("grant_type", "password"), ("client_id", id)]);
            params.set("username", random(8));
            params.set("password", random(12));
        }
        "the client credentials grant" => {
            params = Params::new([("grant_type", "client_credentials"), ("client_id", id)]);
        }
        "the client credentials grant and an empty secret" => {
            params = Params::new([("grant_type", "client_credentials"), ("client_id", id), ("client_secret", "")]);
        }
        "an invented refresh_token" => params = token::refresh(id, &random(32)),
        "no refresh_token" => params = Params::new([("grant_type", "refresh_token"), ("client_id", id)]),
        _ => {}
    }
    world.token_request(&params).await
}

#[when(regex = "^the client asks for (a scope nobody knows|a scope that it must not get|the scope of one value) and finishes the flow$")]
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

#[when(regex = "^the client asks for (an unknown resource|a resource with a fragment) and finishes the flow$")]
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

#[when(regex = "^the client runs a flow with a code_verifier of 42 characters$")]
async fn short_verifier(world: &mut World) -> Step {
    let request = world.request()?.with_verifier(pkce::verifier_of(42));
    finish_flow(world, request).await
}

/// Sends a request and, if it yields a code, redeems it.
async fn finish_flow(world: &mut World, request: AuthorizationRequest) -> Step {
    world.authorize(request).await?;
    let flow = world.flow()?;
    if flow.landing.code().is_none() {
        return Ok(());
    }
    let params = world.redemption(&flow)?;
    world.token_request(&params).await
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
        "without a code challenge" | "with an empty code challenge" => redemption.omit("code_verifier"),
        "without code_challenge_method" => redemption.set("code_verifier", pkce::verifier()),
        _ => {}
    }
    world.token_request(&redemption).await
}

#[when(regex = "^the client sends the authorization request with a code_challenge of (42 characters|129 characters|standard base64)$")]
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

#[when("the client looks at the token response")]
fn look_at_response(world: &mut World) -> Step {
    let context = world.context()?;
    let Some(grant) = &context.baseline else { return world.missing("token response of the preflight") };
    let exchange = world.cite(&grant.exchange);
    world.answers.push(exchange.clone());
    world.grants.push(Grant { exchange, ..grant.clone() });
    Ok(())
}

#[when("the client refreshes its tokens")]
async fn refresh(world: &mut World) -> Step {
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

#[given("refresh tokens that work")]
pub(super) async fn refreshes_work(world: &mut World) -> Step {
    refresh(world).await?;
    let answer = world.answer()?;
    if expect::token_ok(&answer).is_empty() {
        world.answers.clear();
        world.grants.clear();
        return Ok(());
    }
    let remedy = "see refresh.success: a refused refresh means nothing while every refresh is refused";
    world.need(Err(Obstacle::new("to refresh with a fresh refresh token", answer.gist(), remedy)))
}

#[then("the token endpoint issues tokens")]
fn issues_tokens(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge(expect::token_ok(&answer))
}

#[then("the token endpoint issues tokens to each")]
fn issues_to_each(world: &mut World) -> Step {
    judge_answers(world, expect::token_ok)
}

fn judge_answers(world: &mut World, judge: impl Fn(&Exchange) -> Findings) -> Step {
    if world.answers.is_empty() {
        return world.missing("answer");
    }
    for answer in world.answers.clone() {
        world.judge(judge(&answer))?;
    }
    Ok(())
}

#[then(regex = "^the token endpoint refuses with (.+)$")]
fn refuses(world: &mut World, codes: String) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::token_reject(&answer, &words(&codes)))
}

#[then(regex = "^the token endpoint issues tokens or refuses with (.+)$")]
fn issues_or_refuses(world: &mut World, codes: String) -> Step {
    let answer = world.answer()?;
    world.judge(expect::token_ok_or_reject(&answer, &words(&codes)))
}

#[then("no tokens are issued")]
fn no_tokens(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::no_tokens(&answer))
}

#[then(regex = "^the password grant is refused with (.+)$")]
fn password_refused(world: &mut World, codes: String) -> Step {
    let answer = world.answer()?;
    let grants = world.context()?.facts.metadata.list("grant_types_supported").is_some_and(|g| g.contains(&"password"));
    world.judge_refusal(expect::password_grant_refused(&answer, &words(&codes), grants))
}

#[then("the error is invalid_grant, at the least invalid_request")]
fn mismatch_error(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::mismatch_error(&answer))
}

#[then("the error is well-formed")]
fn error_format(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::error_format(&answer))
}

#[then("no code is redeemed more than once")]
fn one_winner(world: &mut World) -> Step {
    let winners: Vec<usize> = world.noted.split(' ').filter_map(|n| n.parse().ok()).collect();
    world.judge_refusal(expect::one_winner_at_most(&winners))
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
        let deviation = Deviation::new("a refusal at the authorization endpoint", "a code, though one that is worthless");
        return world.judge(vec![deviation.weighing(Weight::Draft).seen_in(&flow.landing.exchange)]);
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
    world.judge(vec![Deviation::new("a refusal of s256", actual).weighing(weight).seen_in(&flow.landing.exchange)])
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
    let findings = token_response::scope_withheld(&tokens, &world.noted);
    world.judge(findings.into_iter().map(|d| d.seen_in(&answer)).collect())
}

/// The last answer and the tokens in it, or the obstacle that there are none.
fn issued(world: &mut World) -> Step<(Arc<Exchange>, TokenResponse)> {
    let answer = world.answer()?;
    let tokens = answer.response().and_then(TokenResponse::read);
    let remedy = "check that the client's flow works with this request";
    let tokens = world.need(tokens.ok_or_else(|| Obstacle::new("to redeem the code", answer.gist(), remedy)))?;
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
        token_response::scope_not_widened(&grant.tokens, grant.request.params.value("scope").unwrap_or_default())
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

#[then("the revocation endpoint answers 200")]
fn revoked(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge(crate::expect::resource::answers(&answer, 200))
}

#[then("the replay is refused and the access token still works")]
fn bad_replay_harmless(world: &mut World) -> Step {
    let [.., replay, used] = &world.answers[..] else { return world.missing("replay and use of the token") };
    let (replay, used) = (replay.clone(), used.clone());
    world.judge_refusal(expect::token_reject(&replay, &["invalid_grant", "invalid_request", "invalid_client"]))?;
    let works = shows_life(&used);
    world.judge(check(works, || {
        Deviation::new("an access token that still works", used.gist()).weighing(Weight::Warning).seen_in(&used)
    }))
}

#[then("the tokens no longer work")]
fn tokens_dead(world: &mut World) -> Step {
    let (first, all) = (world.noted.parse().unwrap_or(0), world.answers.clone());
    for answer in &all[first..] {
        let is_refresh = answer.request.text().contains("grant_type=refresh_token");
        let is_alive = shows_life(answer);
        let (what, weight) =
            if is_refresh { ("refresh token", Weight::Warning) } else { ("access token", Weight::Note) };
        world.judge_refusal(check(!is_alive, || {
            Deviation::new(format!("a {what} that no longer works"), answer.gist()).weighing(weight).seen_in(answer)
        }))?;
    }
    Ok(())
}

/// A success that does not say the token is inactive, as introspection does.
pub(super) fn shows_life(exchange: &Exchange) -> bool {
    let Some(response) = exchange.response().filter(|r| (200..300).contains(&r.status)) else { return false };
    let active = response.json_object().and_then(|members| members.get("active").cloned());
    active.is_none_or(|value| value == true || value == "true")
}

/// A GET without anything but a URL.
pub(super) fn get(url: &str) -> Request {
    Request { method: "GET".into(), url: url.to_owned(), headers: vec![], body: vec![] }
}
