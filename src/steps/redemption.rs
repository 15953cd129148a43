//! The token request: the conformant redemption, its mutations, replays and races.

use cucumber::when;

use crate::oauth::params::Params;
use crate::oauth::{pkce, random, token};
use crate::world::{Flow, Step, World};

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
    redeem(world, alter_verifier).await
}

fn alter_verifier(params: &mut Params) {
    let altered = pkce::altered(params.value("code_verifier").unwrap_or_default());
    params.set("code_verifier", altered);
}

#[when("the client redeems it with the code_verifier replaced")]
async fn redeem_replaced(world: &mut World) -> Step {
    redeem(world, |params| params.set("code_verifier", pkce::verifier())).await
}

#[when(
    regex = "^the client redeems it with the code_challenge as code_verifier( and the method plain)?$"
)]
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

#[when(
    regex = "^the client redeems the (first|second) code with the code_verifier of the (first|second)$"
)]
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
    let Some(other) = context.client(world.client).usable_redirect_uris().find(|uri| *uri != used)
    else {
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

#[when("the client redeems it again")]
async fn redeem_again(world: &mut World) -> Step {
    let params = world.granted()?.redemption;
    world.token_request(&params).await
}

#[when("the client redeems it again without code_verifier")]
async fn redeem_again_without_verifier(world: &mut World) -> Step {
    let mut params = world.granted()?.redemption;
    params.omit("code_verifier");
    world.token_request(&params).await
}

#[when("the client redeems it again with the code_verifier altered")]
async fn redeem_again_altered(world: &mut World) -> Step {
    let mut params = world.granted()?.redemption;
    alter_verifier(&mut params);
    world.token_request(&params).await
}

/// A token request with a fault that needs no code.
#[when(
    regex = "^the client sends a token request with (no code|an invented code|an invented code and no code_verifier|no grant_type|an unknown grant_type|an unknown client_id|the password grant|the client credentials grant|the client credentials grant and an empty secret|an invented refresh_token|no refresh_token)$"
)]
async fn faulty_request(world: &mut World, fault: String) -> Step {
    let context = world.context()?;
    let client = context.client(world.client);
    let (id, uri) = (client.id.as_str(), client.redirect_uri());
    let mut params = token::code_exchange(id, &random(32), uri, &pkce::verifier());
    match fault.as_str() {
        "no code" => params.omit("code"),
        "an invented code and no code_verifier" => params.omit("code_verifier"),
        "no grant_type" => params = Params::new([("client_id", id)]),
        "an unknown grant_type" => {
            params = Params::new([("grant_type", "urn:probe:unknown"), ("client_id", id)])
        }
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
            params = Params::new([
                ("grant_type", "client_credentials"),
                ("client_id", id),
                ("client_secret", ""),
            ]);
        }
        "an invented refresh_token" => params = token::refresh(id, &random(32)),
        "no refresh_token" => {
            params = Params::new([("grant_type", "refresh_token"), ("client_id", id)])
        }
        _ => {}
    }
    world.token_request(&params).await
}
