//! The authorization response: code, state, issuer, and where they stand.

use cucumber::{then, when};

use crate::expect::authorization::code_ok;
use crate::expect::pages::MARKUP;
use crate::expect::{check, response as expect};
use crate::model::verdict::Deviation;
use crate::oauth::authorization::Mode;
use crate::world::{Flow, Step, World};

#[when("every configured client sends the authorization request")]
async fn every_client(world: &mut World) -> Step {
    world.share("the authorization request of every client", send_every_client).await
}

async fn send_every_client(world: &mut World) -> Step {
    let context = world.context()?;
    for client in 0..context.target.clients.len() {
        world.client = client;
        world.authorize(context.request(client)).await?;
    }
    Ok(())
}

#[when("the client sends the authorization request by form_post with markup in the state")]
async fn by_form_post(world: &mut World) -> Step {
    let mut request = world.request()?;
    request.params.set("response_mode", "form_post");
    request.params.set("state", MARKUP);
    world.authorize(request).await
}

#[when(expr = "the client obtains {int} codes")]
async fn several_codes(world: &mut World, count: usize) -> Step {
    for _ in 0..count {
        let request = world.request()?;
        world.obtain_code(request).await?;
    }
    Ok(())
}

/// The flow, if its error was redirected to the client; otherwise the duty does not apply.
fn redirected_error(world: &mut World) -> Step<Flow> {
    let flow = world.flow()?;
    match flow.landing.error() {
        Some(_) => Ok(flow),
        None => world.not_applicable("the error was not redirected to the client"),
    }
}

/// The flow, if it was answered by a redirect at all.
fn response_with_iss(world: &mut World) -> Step<Flow> {
    let flow = world.flow()?;
    match flow.landing.response.as_ref().and_then(|r| r.value("iss")) {
        Some(_) => Ok(flow),
        None => world.not_applicable("the response carries no iss"),
    }
}

fn sent_state(flow: &Flow) -> &str {
    flow.request.params.value("state").unwrap_or_default()
}

#[then("the browser returns to each with a code and the unchanged state")]
fn code_and_state(world: &mut World) -> Step {
    world.judge_flows(|flow| {
        let mut findings = code_ok(&flow.landing, flow.redirect_uri());
        findings.extend(expect::state_unchanged(&flow.landing, sent_state(flow)));
        findings
    })
}

#[then("code and state stand in the query alone")]
fn in_query(world: &mut World) -> Step {
    world.judge_flows(|flow| expect::in_query_alone(&flow.landing))
}

#[then("a redirected error carries the state")]
fn error_state(world: &mut World) -> Step {
    let flow = redirected_error(world)?;
    world.judge(expect::state_unchanged(&flow.landing, sent_state(&flow)))
}

#[then("each response carries iss once")]
fn iss_once(world: &mut World) -> Step {
    world.flows.retain(|flow| flow.landing.code().is_some());
    world.judge_flows(|flow| expect::iss_once(&flow.landing))
}

#[then("the response carries iss")]
fn iss_present(world: &mut World) -> Step {
    world.judge_flows(|flow| expect::iss_present(&flow.landing))
}

#[then("a redirected error carries iss")]
fn error_iss(world: &mut World) -> Step {
    let flow = redirected_error(world)?;
    world.judge(expect::iss_present(&flow.landing))
}

#[then("an iss in the response equals the issuer")]
fn iss_identical(world: &mut World) -> Step {
    let flow = response_with_iss(world)?;
    let context = world.context()?;
    world.judge(expect::iss_identical(&flow.landing, context.issuer()))
}

#[then("a redirected error carries the issuer as iss")]
fn error_iss_identical(world: &mut World) -> Step {
    let flow = redirected_error(world)?;
    let context = world.context()?;
    world.judge(expect::iss_identical(&flow.landing, context.issuer()))
}

#[then("no response carries a token")]
fn no_tokens(world: &mut World) -> Step {
    world.judge_flows(|flow| expect::no_tokens(&flow.landing))
}

#[then("no response parameter is repeated")]
fn no_repetition(world: &mut World) -> Step {
    if world.flows.iter().all(|flow| flow.landing.response.is_none()) {
        return world.not_applicable("nothing was sent to the client");
    }
    world.judge_flows(|flow| expect::no_repeated_parameters(&flow.landing))
}

#[then("all differ and may hold 128 bits of entropy")]
fn unguessable(world: &mut World) -> Step {
    let flows = world.flows.clone();
    let codes: Vec<&str> = flows.iter().filter_map(|flow| flow.landing.code()).collect();
    world.judge(expect::codes_unguessable(&codes))
}

#[then("a redirected error is a registered one without a code beside it")]
fn error_known(world: &mut World) -> Step {
    let flow = redirected_error(world)?;
    world.judge(expect::error_known(&flow.landing))
}

#[then("no hop to the client is cleartext")]
fn secure_transport(world: &mut World) -> Step {
    world.judge_flows(|flow| expect::secure_transport(&flow.landing))
}

#[then("a form posts code and state to the redirect_uri and is not cached")]
fn form_posted(world: &mut World) -> Step {
    if let Some(flow) = world.flows.last().cloned().filter(|flow| flow.way.unseen) {
        // What was posted is known; the page that posted it is not.
        if flow.landing.response.as_ref().is_some_and(|r| r.mode == Mode::FormPost) {
            let state = sent_state(&flow);
            world.judge(expect::form_content(&flow.landing, flow.redirect_uri(), state))?;
        }
        return world.need_sight(&flow);
    }
    world
        .judge_flows(|flow| expect::form_post(&flow.landing, flow.redirect_uri(), sent_state(flow)))
}

#[then("a response with iss agrees with authorization_response_iss_parameter_supported")]
fn iss_announced(world: &mut World) -> Step {
    let flow = response_with_iss(world)?;
    let context = world.context()?;
    let is_announced =
        context.facts.metadata.is_true("authorization_response_iss_parameter_supported");
    world.judge(check(is_announced, || {
        let expected = "authorization_response_iss_parameter_supported true, since iss is returned";
        Deviation::new(expected, "absent or false").seen_in(&flow.landing.exchange)
    }))
}
