//! How the server runs: hostile input, errors, clocks.

use cucumber::{then, when};
use jiff::Timestamp;

use crate::expect::{Findings, operation as expect};
use crate::model::exchange::{Exchange, Request};
use crate::oauth::authorization::{AuthorizationRequest, form_post};
use crate::oauth::params::Params;
use crate::oauth::token;
use crate::oauth::{pkce, random};
use crate::world::access::{resource_request, userinfo_request};
use crate::world::context::Context;
use crate::world::{Step, World};

/// Octets of a form that no client sends.
const LARGE_FORM: usize = 1024 * 1024;

/// Requests with secrets that nobody issued, all of them to be refused.
fn invented(context: &Context, client: usize) -> Vec<Request> {
    let (id, redirect_uri) = (&context.client(client).id, context.client(client).redirect_uri());
    let at = |name: &str, params: Params| Some(token::post(context.facts.endpoint(name)?, &params));
    let code = token::code_exchange(id, &random(32), redirect_uri, &pkce::verifier());
    let revoked = Params::new([("token", random(32)), ("client_id", id.clone())]);
    let forms = [
        at("token_endpoint", code),
        at("token_endpoint", token::refresh(id, &random(32))),
        at("revocation_endpoint", revoked),
    ];
    let calls = [resource_request(context), userinfo_request(context)];
    let calls = calls.into_iter().flatten().map(|mut request| {
        request.headers.push(("Authorization".into(), format!("Bearer {}", random(32))));
        request
    });
    forms.into_iter().flatten().chain(calls).collect()
}

#[when("a client presents invented secrets to every endpoint")]
async fn present_invented(world: &mut World) -> Step {
    let context = world.context()?;
    for request in invented(&context, world.client) {
        world.send(request).await?;
    }
    Ok(())
}

#[then("no error of the run shows internals")]
fn no_internals(world: &mut World) -> Step {
    world.judge_run(expect::no_internals)
}

#[then("no error of the run repeats a secret of its request")]
fn no_secret_echo(world: &mut World) -> Step {
    world.judge_run(expect::no_secret_echo)
}

/// The authorization request with one parameter as it stands, encoded already.
fn with_raw(endpoint: &str, mut request: AuthorizationRequest, name: &str, raw: &str) -> Request {
    request.params.omit(name);
    let mut wire = request.by_get(endpoint);
    wire.url.push_str(&format!("&{name}={raw}"));
    wire
}

/// The token request with the end of its form as it stands, encoded already.
fn ending_in(endpoint: &str, context: &Context, client: usize, raw: &str) -> Request {
    let client = context.client(client);
    let verifier = pkce::verifier();
    let mut params = token::code_exchange(&client.id, "", client.redirect_uri(), &verifier);
    params.omit("code");
    let mut request = form_post(endpoint, &params);
    request.body.extend_from_slice(format!("&{raw}").as_bytes());
    request
}

fn hostile(world: &mut World, input: &str) -> Step<Request> {
    let context = world.context()?;
    let authorization =
        world.need(context.endpoint("authorization_endpoint").map(str::to_owned))?;
    let token_endpoint = world.need(context.endpoint("token_endpoint").map(str::to_owned))?;
    let request = world.request()?;
    let client = world.client;
    let authorize = |name, raw: &str| with_raw(&authorization, request, name, raw);
    let redeem = |raw: &str| ending_in(&token_endpoint, &context, client, raw);
    Ok(match input {
        "a state of 8192 characters" => authorize("state", &"s".repeat(8192)),
        "a state that is not UTF-8" => authorize("state", "%ff%fe%c3%28"),
        "a state with a NUL octet" => authorize("state", "probe%00probe"),
        "a scope of 2000 words" => authorize("scope", &vec!["x"; 2000].join("+")),
        "a redirect_uri with a malformed address" => {
            authorize("redirect_uri", "http%3A%2F%2F%5B%3A%3A%3A%3A%3A%2Fcallback")
        }
        "a form of 1 MiB to the token endpoint" => {
            redeem(&format!("code={}&state={}", random(32), "s".repeat(LARGE_FORM)))
        }
        "a code with a NUL octet" => redeem("code=probe%00probe"),
        "a code that is not UTF-8" => redeem("code=%ff%fe%c3%28"),
        _ => return world.missing("hostile input of that name"),
    })
}

#[when(regex = "^a client sends (a state .+|a scope .+|a redirect_uri .+|a form .+|a code .+)$")]
async fn send_hostile(world: &mut World, input: String) -> Step {
    let context = world.context()?;
    let request = hostile(world, &input)?;
    // A connection that is closed on a large form is a refusal; that the server lives is shown by
    // the working twin.
    let answer = context.http.send(&world.recorder, request).await;
    world.answers.push(answer);
    Ok(())
}

#[then("the answer is no internal error")]
fn no_server_error(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::no_server_error(&answer))
}

#[then("no answer of the run is an internal error")]
fn never_a_server_error(world: &mut World) -> Step {
    world.judge_run(expect::no_server_error)
}

#[then("every answer has a Date within 30 seconds of our clock")]
fn clock_agrees(world: &mut World) -> Step {
    let context = world.context()?;
    let now = Timestamp::now().as_second();
    let halfway = |exchange: &Exchange| {
        let ago = context.http.since(exchange.at + exchange.elapsed / 2);
        now - i64::try_from(ago.as_secs()).unwrap_or(i64::MAX)
    };
    let exchanges = world.recorder.exchanges();
    let mut findings: Findings =
        exchanges.iter().flat_map(|e| expect::clock_agrees(e, halfway(e))).collect();
    findings.truncate(1);
    world.judge(findings)
}
