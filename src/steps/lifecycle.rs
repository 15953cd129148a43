//! What happens to tokens after they were issued: use, replay, introspection, logout.

use cucumber::{given, then, when};

use super::resource::access_token;
use crate::expect::revocation::Place;
use crate::expect::token::token_reject;
use crate::expect::{Findings, check, introspection};
use crate::model::exchange::{Exchange, Request};
use crate::model::verdict::{Deviation, Obstacle, Weight};
use crate::oauth::authorization::form_post;
use crate::oauth::params::Params;
use crate::oauth::{random, token};
use crate::target::login::driver::Decision;
use crate::world::access::{introspection_request, resource_request, userinfo_request, with_token};
use crate::world::context::Context;
use crate::world::{Step, World};

/// Every request that shows whether an access token lives, with the place where it goes.
pub(super) fn signs_of_life(context: &Context, token: &str) -> Vec<(Place, Request)> {
    let bearer = |request: Request| with_token(request, Some(token));
    let ways = [
        introspection_request(context, token).ok().map(|r| (Place::Introspection, r)),
        userinfo_request(context).ok().map(|r| (Place::Userinfo, bearer(r))),
        resource_request(context).ok().map(|r| (Place::Resource, bearer(r))),
    ];
    ways.into_iter().flatten().collect()
}

/// A grant whose access token was seen to work; how is noted by the number of the way.
#[given("a redeemed authorization code whose access token works")]
pub(super) async fn redeemed_and_working(world: &mut World) -> Step {
    let context = world.context()?;
    let request = world.request()?;
    world.grant(world.client, request).await?;
    let token = access_token(world)?;
    for (way, (_, request)) in signs_of_life(&context, &token).into_iter().enumerate() {
        world.send(request).await?;
        if shows_life(&*world.answer()?) {
            world.noted = way.to_string();
            world.answers.clear();
            return Ok(());
        }
    }
    if world.answers.is_empty() {
        return world.not_applicable(
            "nowhere to use an access token: no introspection, userinfo or resource",
        );
    }
    let came_back = world.answer()?.gist();
    let remedy = "check that userinfo or the resource accepts tokens of this client and scope";
    world.need(Err(Obstacle::new("to use a fresh access token", came_back, remedy)))
}

#[when("the client uses the access token of the first redemption")]
async fn use_first_access_token(world: &mut World) -> Step {
    let (context, token) = (world.context()?, access_token(world)?);
    let way: usize = world.noted.parse().unwrap_or(0);
    match signs_of_life(&context, &token).into_iter().nth(way) {
        Some((_, request)) => world.send(request).await,
        None => world.missing("place where the access token worked"),
    }
}

#[when("the client uses the tokens of the first redemption")]
async fn use_first_tokens(world: &mut World) -> Step {
    let context = world.context()?;
    let grant = world.granted()?;
    let replays = world.answers.len();
    if let Some(refresh_token) = grant.tokens.refresh_token() {
        world
            .token_request(&token::refresh(&context.client(grant.client).id, refresh_token))
            .await?;
    }
    use_first_access_token(world).await?;
    // What comes after the replays shows whether the tokens live.
    world.noted = replays.to_string();
    Ok(())
}

#[when("the resource server introspects the access token")]
async fn introspect(world: &mut World) -> Step {
    let (context, token) = (world.context()?, access_token(world)?);
    let request = world.need(introspection_request(&context, &token))?;
    world.send(request).await
}

/// The working twin of an anonymous introspection, where credentials for one are configured.
#[given("tokens that the resource server sees as active")]
#[given("tokens that the resource server sees as active, if it can ask")]
async fn introspection_works(world: &mut World) -> Step {
    let request = world.request()?;
    world.grant(world.client, request).await?;
    if world.context()?.target.introspection.is_none() {
        return Ok(());
    }
    introspect(world).await?;
    let answer = world.answer()?;
    let answers = answer.response().and_then(|r| r.json_object());
    if answers.is_some_and(|members| members.contains_key("active")) && shows_life(&answer) {
        return Ok(());
    }
    let remedy = "see introspection.active, and check the credentials in the profile";
    world.need(Err(Obstacle::new("to introspect a fresh token", answer.gist(), remedy)))
}

#[when("somebody without credentials introspects the access token")]
async fn introspect_anonymously(world: &mut World) -> Step {
    let (context, token) = (world.context()?, access_token(world)?);
    let endpoint = world.need(context.endpoint("introspection_endpoint").map(str::to_owned))?;
    world.send(form_post(&endpoint, &Params::new([("token", token)]))).await
}

#[when("the client sends the user to the end_session_endpoint")]
async fn log_out(world: &mut World) -> Step {
    let context = world.context()?;
    let endpoint = world.need(context.endpoint("end_session_endpoint").map(str::to_owned))?;
    let grant = world.granted()?;
    if grant.tokens.id_token().is_none() {
        return world.not_applicable("no ID Token is issued that could be the hint");
    }
    let uri = context.target.post_logout_redirect_uri.clone().unwrap_or_default();
    let mut request = grant.request.clone();
    request.params = Params::new([
        ("id_token_hint", grant.tokens.id_token().unwrap_or_default()),
        ("post_logout_redirect_uri", uri.as_str()),
    ]);
    request.params.set("state", random(16));
    let wire = Request::get(request.params.on(&endpoint));
    world.navigate(request, wire, true, Decision::Approve).await?;
    // Only some logins press buttons by themselves.
    world.confirm_logout().await
}

#[then("the token is active")]
fn active(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge(introspection::active(&answer))
}

#[then("nothing is learned about the token")]
fn learns_nothing(world: &mut World) -> Step {
    let answer = world.answer()?;
    judge_closed(world, introspection::learns_nothing(&answer))
}

/// What is learned at introspection. A refusal means nothing where nobody was seen to get an answer.
pub(super) fn judge_closed(world: &mut World, findings: Findings) -> Step {
    if findings.is_empty() && world.context()?.target.introspection.is_none() {
        return world.not_applicable(
            "nothing is told without credentials, and none are configured with which it would be: \
             [introspection] in the profile",
        );
    }
    world.judge_refusal(findings)
}

#[then("the browser returns to the post_logout_redirect_uri with state")]
fn returned(world: &mut World) -> Step {
    let uri = world.context()?.target.post_logout_redirect_uri.clone().unwrap_or_default();
    let flow = world.flow()?;
    let state = flow.request.params.value("state").unwrap_or_default();
    let Some(response) = &flow.landing.response else {
        let deviation = Deviation::new(format!("a redirect to {uri}"), flow.landing.gist())
            .weighing(Weight::Warning);
        return world.judge(vec![deviation.seen_in(&flow.landing.exchange)]);
    };
    let is_back = response.went_to(&uri) && response.value("state") == Some(state);
    world.judge(check(is_back, || {
        Deviation::new(format!("a redirect to {uri} with the state"), flow.landing.gist())
            .seen_in(&flow.landing.exchange)
    }))
}

#[then("the replay is refused and the access token still works")]
fn bad_replay_harmless(world: &mut World) -> Step {
    let [.., replay, used] = &world.answers[..] else {
        return world.missing("replay and use of the token");
    };
    let (replay, used) = (replay.clone(), used.clone());
    world.judge_refusal(token_reject(
        &replay,
        &["invalid_grant", "invalid_request", "invalid_client"],
    ))?;
    let works = shows_life(&used);
    world.judge(check(works, || {
        Deviation::new("an access token that still works", used.gist())
            .weighing(Weight::Warning)
            .seen_in(&used)
    }))
}

#[then("the tokens no longer work")]
fn tokens_dead(world: &mut World) -> Step {
    let (first, all) = (world.noted.parse().unwrap_or(0), world.answers.clone());
    for answer in &all[first..] {
        let is_refresh = answer.request.text().contains("grant_type=refresh_token");
        if answer.response().is_some_and(|r| r.status >= 500) {
            let remedy = "see the server's log: an internal error shows neither life nor death";
            let obstacle = Obstacle::new("to use a token after the replay", answer.gist(), remedy);
            return world.need(Err(obstacle));
        }
        let is_alive = shows_life(answer);
        let (what, weight) = if is_refresh {
            ("refresh token", Weight::Warning)
        } else {
            ("access token", Weight::Note)
        };
        world.judge_refusal(check(!is_alive, || {
            Deviation::new(format!("the {what} no longer works"), answer.gist())
                .weighing(weight)
                .seen_in(answer)
        }))?;
    }
    Ok(())
}

/// A success that does not say the token is inactive, as introspection does.
pub(super) fn shows_life(exchange: &Exchange) -> bool {
    let Some(response) = exchange.response().filter(|r| (200..300).contains(&r.status)) else {
        return false;
    };
    let active = response.json_object().and_then(|members| members.get("active").cloned());
    active.is_none_or(|value| value == true || value == "true")
}
