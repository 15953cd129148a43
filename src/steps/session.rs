//! The login session: when the user must sign in again, and what guards the session.

use std::time::Duration;

use cucumber::{given, then, when};

use crate::expect::{interaction as expect, page_headers};
use crate::http::cookies::Initiator;
use crate::http::user_agent::UserAgent;
use crate::model::exchange::Exchange;
use crate::model::verdict::{Obstacle, Weight};
use crate::target::login::intent::Act;
use crate::world::context::Context;
use crate::world::interaction::{AT_ONCE, BEFORE_SIGN_IN, NOWHERE};
use crate::world::{Flow, Step, World};

/// Requests between a sign-in and its code, at most.
const REQUESTS_OF_SIGN_IN: u32 = 6;

/// Age that a session is given, in seconds, before a request asks for a younger one.
const SESSION_AGE: u64 = 3;

/// Whether the browser is asked to sign in when it comes with a plain request.
async fn must_sign_in(world: &mut World) -> Step<bool> {
    let request = world.request()?;
    world.wait_at(request, AT_ONCE).await?;
    let flow = world.flow()?;
    world.flows.pop();
    let asks = matches!(&world.intent, Some(i) if matches!(i.act, Act::SignIn | Act::Identify));
    Ok(asks || flow.landing.asks_to_sign_in)
}

#[given("a browser that stays signed in")]
async fn signed_in(world: &mut World) -> Step {
    let request = world.request()?;
    world.obtain_code(request).await?;
    if must_sign_in(world).await? {
        world.need_own_browser()?;
        return world.not_applicable("the server keeps no session in the browser");
    }
    world.flows.clear();
    Ok(())
}

#[given("a new browser that stays signed in")]
async fn newly_signed_in(world: &mut World) -> Step {
    world.take_new_browser();
    signed_in(world).await
}

#[given("tokens of a session that is some seconds old")]
async fn old_session(world: &mut World) -> Step {
    let context = world.context()?;
    let mut request = world.request()?;
    // So that the first ID Token is dated, too.
    request.params.set("max_age", "600");
    world.grant(world.client, request).await?;
    context.clock.pass(Duration::from_secs(SESSION_AGE + short_max_age(&context))).await;
    Ok(())
}

/// Seconds within which a sign-in comes back at the pace of the target.
fn short_max_age(context: &Context) -> u64 {
    1 + (context.target.pace * REQUESTS_OF_SIGN_IN).as_secs_f64().ceil() as u64
}

#[when("the client runs the flow with a max_age that the session exceeds")]
async fn flow_with_short_max_age(world: &mut World) -> Step {
    let seconds = short_max_age(&*world.context()?).to_string();
    flow_with(world, "max_age".into(), seconds).await
}

#[when(expr = "the user waits at the authorization request with {word} set to {string}")]
async fn wait_with(world: &mut World, name: String, value: String) -> Step {
    let mut request = world.request()?;
    request.params.set(&name, value);
    world.wait_at(request, AT_ONCE).await
}

#[when(expr = "the client runs the flow with {word} set to {string}")]
async fn flow_with(world: &mut World, name: String, value: String) -> Step {
    let context = world.context()?;
    let mut request = world.request()?;
    request.params.set(&name, value);
    world.authorize(request.clone()).await?;
    let flow = world.flow()?;
    if flow.landing.code().is_some() {
        let redemption = world.redemption(&flow)?;
        let grant = context.redeem(&world.recorder, flow.client, request, redemption).await;
        let grant = world.need(grant)?;
        world.grants.push(grant);
    }
    Ok(())
}

#[when("the user signs in, and his browser of before asks again")]
async fn ask_with_old_cookies(world: &mut World) -> Step {
    world.take_new_browser();
    let request = world.request()?;
    world.wait_at(request.clone(), BEFORE_SIGN_IN).await?;
    let Some(intent) = world.intent.take() else {
        return world.not_applicable("no sign-in form is shown");
    };
    let before = world.agent.clone();
    let user = world.context()?.target.user.clone();
    let form = world.form_of(intent)?;
    world.walk(request, form, Initiator::SameSite, user.as_ref(), NOWHERE).await?;
    let came_back = world.flow()?.landing;
    if came_back.code().is_none() {
        let remedy = "see authzresp.success: the sign-in must end with a code";
        return world.need(Err(Obstacle::new("to sign in", came_back.gist(), remedy)));
    }
    if must_sign_in(world).await? {
        world.need_own_browser()?;
        return world.not_applicable("the server keeps no session in the browser");
    }
    world.flows.clear();
    world.agent = before;
    let request = world.request()?;
    world.wait_at(request, AT_ONCE).await
}

#[when("another browser sends the sign-in that was begun in this one")]
async fn sign_in_elsewhere(world: &mut World) -> Step {
    world.take_new_browser();
    let request = world.request()?;
    world.wait_at(request.clone(), BEFORE_SIGN_IN).await?;
    let Some(intent) = world.intent.take() else {
        return world.not_applicable("no sign-in form is shown");
    };
    let mut elsewhere = UserAgent::default();
    let sent = world.form_of(intent)?;
    world.walk_in(&mut elsewhere, &request, sent, Initiator::SameSite, None, NOWHERE).await?;
    world.flows.clear();
    let request = world.request()?;
    world.wait_at(request, AT_ONCE).await
}

#[when("each cookie is left out in turn")]
async fn leave_cookies_out(world: &mut World) -> Step {
    let mut whole = std::mem::take(&mut world.agent);
    let mut names = Vec::new();
    for name in whole.jar.names() {
        world.agent = UserAgent::with(whole.jar.without(&name));
        if must_sign_in(world).await? {
            names.push(name);
        } else {
            // The server knew the session, and may have renewed it.
            whole.adopt(&world.agent);
        }
    }
    world.agent = whole;
    world.noted = names.join(" ");
    Ok(())
}

#[then("an error and no page for the user comes back")]
fn error_without_way_on(world: &mut World) -> Step {
    let flow = world.flow()?;
    let is_asked = world.intent.is_some();
    world.judge_refusal(expect::error_without_way_on(&flow.landing, flow.redirect_uri(), is_asked))
}

#[then("no code arrives unless the user signed in again")]
fn signed_in_again(world: &mut World) -> Step {
    let flow = world.flow()?;
    world.need_sight(&flow)?;
    let done = flow.way.signed_in;
    world.judge(expect::no_code_without(&flow.landing, "a sign-in", done, Weight::Failure))
}

#[then("no code arrives unless the authentication is newer")]
fn authenticated_later(world: &mut World) -> Step {
    let flow = world.flow()?;
    if flow.landing.code().is_none() {
        return world.judge(expect::no_code_without(&flow.landing, "", false, Weight::Failure));
    }
    world.need_sight(&flow)?;
    let [first, .., last] = &world.grants[..] else { return world.missing("second grant") };
    let (before, after) = (first.tokens.id_token(), last.tokens.id_token());
    let findings = expect::authenticated_later(before, after, flow.way.signed_in);
    let findings = findings.into_iter().map(|d| d.seen_in(&last.exchange)).collect();
    world.judge(findings)
}

#[then("the ID Token says when the user authenticated")]
fn has_auth_time(world: &mut World) -> Step {
    let flow = world.flow()?;
    if world.grants.is_empty() {
        let remedy = "see whether the server knows max_age";
        let obstacle = Obstacle::new("a flow with max_age", flow.landing.gist(), remedy);
        return world.need(Err(obstacle));
    }
    world.judge_grants(|grant| expect::has_auth_time(grant.tokens.id_token(), grant.received))
}

#[then("the old cookies give no access to the session")]
#[then("this browser must sign in itself")]
fn no_access(world: &mut World) -> Step {
    let flow = world.flow()?;
    let acts = matches!(&world.intent, Some(intent) if intent.act == Act::Decide);
    let mut findings = expect::no_code_issued(&flow.landing, Weight::Failure);
    if acts && !flow.landing.asks_to_sign_in {
        findings = expect::consent_without_sign_in(&flow.landing);
    }
    world.judge_refusal(findings)
}

#[then("the session cookies are guarded")]
fn cookies_guarded(world: &mut World) -> Step {
    let is_local = world.context()?.target.is_local();
    let names = world.noted.clone();
    if names.is_empty() {
        return world.not_applicable("no single cookie carries the session");
    }
    let exchanges = world.recorder.exchanges();
    for name in names.split(' ') {
        let all = exchanges.iter().map(AsRef::as_ref);
        world.judge(page_headers::guards_cookie(all, name, is_local))?;
    }
    Ok(())
}

#[then("no request yields a code")]
fn no_code_at_all(world: &mut World) -> Step {
    let flows: Vec<Flow> = world.flows.clone();
    for flow in flows {
        world.judge_refusal(expect::no_code_issued(&flow.landing, Weight::Failure))?;
    }
    Ok(())
}

/// Every HTML page of the scenario.
pub(super) fn pages(world: &mut World) -> Step<Vec<std::sync::Arc<Exchange>>> {
    let context = world.context()?;
    let is_page = |e: &Exchange| {
        e.response().is_some_and(|r| r.is_html() && r.location().is_none() && !r.body.is_empty())
            && !context.is_elsewhere(&e.request.url)
    };
    let pages: Vec<_> = world.recorder.exchanges().into_iter().filter(|e| is_page(e)).collect();
    if pages.is_empty() {
        return world.not_applicable("no HTML page is shown");
    }
    Ok(pages)
}

#[then(regex = "^every page (names its frame ancestors|keeps its address|loads nothing foreign)$")]
fn every_page(world: &mut World, what: String) -> Step {
    let judge = match what.as_str() {
        "names its frame ancestors" => page_headers::names_frame_ancestors,
        "keeps its address" => page_headers::keeps_its_address,
        _ => page_headers::loads_nothing_foreign,
    };
    for page in pages(world)? {
        world.judge(judge(&page))?;
    }
    Ok(())
}

#[then("no redirect repeats a form")]
fn no_repeated_form(world: &mut World) -> Step {
    let last = world.flow()?.landing.exchange.number;
    for exchange in world.recorder.exchanges() {
        world.judge(page_headers::repeats_no_post(&exchange, exchange.number == last))?;
    }
    Ok(())
}
