//! RP-initiated logout: who is asked, where the browser goes, and what is left of the session.

use cucumber::{given, then, when};

use crate::expect::{check, interaction as expect, logout};
use crate::http::user_agent::UserAgent;
use crate::model::exchange::Request;
use crate::model::verdict::{Obstacle, Weight};
use crate::oauth::params::Params;
use crate::oauth::random;
use crate::oauth::redirect_uri::FOREIGN_HOST;
use crate::target::login::driver::Decision;
use crate::world::{Step, World};

/// Sends the browser to the end_session_endpoint; nobody confirms anything.
async fn visit(world: &mut World, params: Params) -> Step {
    let context = world.context()?;
    let endpoint = world.need(context.endpoint("end_session_endpoint").map(str::to_owned))?;
    let mut request = world.request()?;
    let wire = Request::get(if params.is_empty() { endpoint } else { params.on(&endpoint) });
    // The address to return to is where the browser leaves the server.
    request.params = params;
    if let Some(uri) = request.params.value("post_logout_redirect_uri").map(str::to_owned) {
        request.params.set("redirect_uri", uri);
    }
    world.navigate(request, wire, false, Decision::Approve).await?;
    let landing = world.flow()?.landing;
    if landing.exchange.response().is_some_and(|r| r.status >= 500) {
        let remedy = "see the server's log: an internal error is no answer to a logout request";
        return world.need(Err(Obstacle::new("to sign out", landing.gist(), remedy)));
    }
    Ok(())
}

/// What prompt=none says about the session.
async fn ask_silently(world: &mut World) -> Step {
    let mut request = world.request()?;
    request.params.set("prompt", "none");
    world.open(request).await
}

fn hint(world: &World) -> Step<String> {
    Ok(world.granted()?.tokens.id_token().unwrap_or_default().to_owned())
}

/// Takes a new browser in which prompt=none shows the session.
#[given("a new browser whose session shows without interaction")]
async fn visible_session(world: &mut World) -> Step {
    logout_in_order(world).await?;
    world.take_new_browser();
    ask_silently(world).await?;
    let cold = world.flow()?.landing.error().map(str::to_owned);
    // Some servers keep the request of a browser that is not signed in, and answer it after the
    // next sign-in there.
    world.take_new_browser();
    let request = world.request()?;
    world.grant(world.client, request).await?;
    if hint(world)?.is_empty() {
        return world.not_applicable("no ID Token is issued that could be the hint");
    }
    ask_silently(world).await?;
    let landing = world.flow()?.landing;
    world.flows.clear();
    if landing.code().is_none() && landing.error().map(str::to_owned) == cold {
        world.need_own_browser()?;
        return world.not_applicable("prompt=none answers the same with and without a session");
    }
    if logout::is_alive(&landing) {
        return Ok(());
    }
    world.not_applicable(format!("prompt=none does not show a live session: {}", landing.gist()))
}

#[given("a new browser after a logout that worked")]
async fn working_logout(world: &mut World) -> Step {
    logout_in_order(world).await?;
    let request = world.request()?;
    world.grant(world.client, request).await
}

/// The working twin of a logout that has no effect, once a run.
async fn logout_in_order(world: &mut World) -> Step {
    world.share("a logout in order", sign_out_in_order).await?;
    world.flows.clear();
    world.take_new_browser();
    Ok(())
}

/// A logout that is in order brings the browser back, or ends the session.
async fn sign_out_in_order(world: &mut World) -> Step {
    let context = world.context()?;
    world.take_new_browser();
    let request = world.request()?;
    world.grant(world.client, request).await?;
    if hint(world)?.is_empty() {
        return world.not_applicable("no ID Token is issued that could be the hint");
    }
    let mut params = Params::new([("id_token_hint", hint(world)?)]);
    if let Some(uri) = &context.target.post_logout_redirect_uri {
        params.set("post_logout_redirect_uri", uri);
    }
    visit(world, params).await?;
    world.confirm_logout().await?;
    let landing = world.flow()?.landing;
    let is_refused = landing.exchange.response().is_none_or(|r| r.status >= 400);
    let own = context.target.post_logout_redirect_uri.as_deref();
    let has_returned = landing.response.as_ref().zip(own).is_some_and(|(r, uri)| r.went_to(uri));
    if !has_returned {
        ask_silently(world).await?;
    }
    let is_without_effect = !has_returned && logout::is_alive(&world.flow()?.landing);
    if !has_returned && is_refused || is_without_effect {
        if own.is_none() {
            return world.not_applicable(format!(
                "without a post_logout_redirect_uri, and the profile names none, no logout works: {}",
                landing.gist()
            ));
        }
        let remedy = "check post_logout_redirect_uri against the registration of the first client";
        return world.need(Err(Obstacle::new("a logout in order", landing.gist(), remedy)));
    }
    Ok(())
}

#[when(
    regex = "^the user is sent to sign out and on to (a foreign host|a longer path|a longer host|a host behind userinfo) (with the ID Token|with the client_id|with nothing else)$"
)]
async fn sign_out_to(world: &mut World, place: String, with: String) -> Step {
    let context = world.context()?;
    let own = context.target.post_logout_redirect_uri.clone();
    let uri = match (place.as_str(), &own) {
        ("a foreign host", _) => format!("https://{FOREIGN_HOST}/"),
        (_, None) => return world.not_applicable("no post_logout_redirect_uri is registered"),
        ("a longer path", Some(own)) => format!("{own}/probe"),
        ("a longer host", Some(own)) => look_alike(own, |host| format!("{host}.{FOREIGN_HOST}")),
        (_, Some(own)) => look_alike(own, |host| format!("{host}@{FOREIGN_HOST}")),
    };
    let mut params = Params::new([("post_logout_redirect_uri", uri)]);
    match with.as_str() {
        "with the ID Token" => params.set("id_token_hint", hint(world)?),
        "with the client_id" => params.set("client_id", context.client(world.client).id.as_str()),
        _ => {}
    }
    visit(world, params).await?;
    world.confirm_logout().await
}

fn look_alike(uri: &str, host: impl Fn(&str) -> String) -> String {
    let (scheme, rest) = uri.split_once("://").unwrap_or(("https", uri));
    let end = rest.find(['/', '?', ':']).unwrap_or(rest.len());
    format!("{scheme}://{}{}", host(&rest[..end]), &rest[end..])
}

#[when("the user is sent to sign out without a word and does not confirm")]
async fn sign_out_unasked(world: &mut World) -> Step {
    visit(world, Params::default()).await?;
    ask_silently(world).await
}

#[when(
    regex = "^the user is sent to sign out with (a forged ID Token|an ID Token of another client) and does not confirm$"
)]
async fn sign_out_forged(world: &mut World, kind: String) -> Step {
    let context = world.context()?;
    let token = hint(world)?;
    let mut params = if kind.starts_with("a forged") {
        Params::new([("id_token_hint", logout::with_other_signature(&token))])
    } else {
        let other = context.target.clients.iter().map(|c| c.id.as_str()).nth(1);
        let other = other.map_or_else(|| random(12), str::to_owned);
        Params::new([("id_token_hint", token), ("client_id", other)])
    };
    if let Some(uri) = &context.target.post_logout_redirect_uri {
        params.set("post_logout_redirect_uri", uri);
    }
    visit(world, params).await?;
    let landing = world.flow()?.landing;
    world.judge(check(landing.response.is_none(), || logout::redirected(&landing)))?;
    ask_silently(world).await
}

#[when("the user signs out and the client asks without interaction")]
async fn sign_out(world: &mut World) -> Step {
    let before = world.agent.clone();
    visit(world, Params::new([("id_token_hint", hint(world)?)])).await?;
    world.confirm_logout().await?;
    world.flows.clear();
    ask_silently(world).await?;
    let has_signed_in = world.agent.has_signed_in;
    world.agent = UserAgent::with(before.jar);
    world.agent.has_signed_in = has_signed_in;
    ask_silently(world).await
}

#[then("the browser goes to no place that is not registered")]
fn nowhere_foreign(world: &mut World) -> Step {
    let own = world.context()?.target.post_logout_redirect_uri.clone();
    let landing = world.flow()?.landing;
    world.judge_refusal(logout::stays_or_returns(&landing, own.as_deref()))
}

#[then("the session is alive")]
fn alive(world: &mut World) -> Step {
    let landing = world.flow()?.landing;
    world.judge(check(logout::is_alive(&landing), || logout::ended(&landing)))
}

#[then("the session is gone, for the old cookies as well")]
fn gone(world: &mut World) -> Step {
    let [.., new, old] = &world.flows[..] else { return world.missing("two requests") };
    let (new, old) = (new.clone(), old.clone());
    world.judge_refusal(logout::is_gone(&new.landing, new.redirect_uri()))?;
    // The specification ends the session; that copies of its cookie end too is ASVS 7.4.1.
    world.judge_refusal(expect::no_code_issued(&old.landing, Weight::Warning))
}
