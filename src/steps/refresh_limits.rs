//! What a refresh may yield, and for how long: scope, resource, identity, lifetime, session.

use std::time::Duration;

use cucumber::{given, then, when};

use super::refresh::{params, refresh_on, refresh_token};
use super::token_response::{UNKNOWN_SCOPE, need_told_scope};
use super::words;
use crate::expect::token::token_reject;
use crate::expect::{refresh as expect, token_response};
use crate::model::exchange::Request;
use crate::model::verdict::{Deviation, Obstacle, Weight};
use crate::oauth::jose::Jws;
use crate::oauth::params::Params;
use crate::oauth::redirect_uri::Kind;
use crate::oauth::token::{TokenResponse, scope_set};
use crate::target::login::driver::Decision;
use crate::world::access::introspection_request;
use crate::world::{Step, World};

/// Seconds that pass before an ID Token is refreshed, so that its times can differ.
const LATER: u64 = 2;

/// Runs the flow without one value of the client's scope, which is noted.
#[given("tokens for less than the scope of the client")]
async fn narrow_grant(world: &mut World) -> Step {
    let context = world.context()?;
    let own = context.client(world.client).scope.clone();
    let is_ordinary = |value: &&str| !matches!(*value, "openid" | "offline_access");
    let Some(withheld) = own.split(' ').rfind(is_ordinary) else {
        return world.not_applicable("the client's scope has no value that could be left out");
    };
    let rest: Vec<&str> = own.split(' ').filter(|value| *value != withheld).collect();
    if rest.is_empty() {
        return world.not_applicable("the client's scope has one value only");
    }
    let mut request = world.request()?;
    request.params.set("scope", rest.join(" "));
    world.grant(world.client, request).await?;
    let tokens = world.granted()?.tokens;
    if tokens.refresh_token().is_none() {
        return world.not_applicable(format!("no refresh_token is issued without {withheld}"));
    }
    if token_response::known_scope(&tokens)
        .is_some_and(|scope| scope_set(&scope).contains(withheld))
    {
        return world.not_applicable(format!(
            "{withheld} is granted without being asked for; tokenresp.scope-not-widened judges that"
        ));
    }
    world.noted = withheld.to_owned();
    Ok(())
}

#[when("the client refreshes for its whole scope")]
async fn refresh_for_more(world: &mut World) -> Step {
    let own = world.context()?.client(world.client).scope.clone();
    refresh_for(world, own).await
}

#[when("the client refreshes for a scope that nobody granted")]
async fn refresh_for_ungranted(world: &mut World) -> Step {
    let context = world.context()?;
    let grant = world.granted()?;
    let granted = token_response::known_scope(&grant.tokens)
        .unwrap_or_else(|| context.client(grant.client).scope.clone());
    let forbidden = context.target.forbidden_scope.clone();
    world.noted = forbidden.unwrap_or_else(|| UNKNOWN_SCOPE.into());
    let scope = format!("{granted} {}", world.noted);
    refresh_for(world, scope).await
}

#[when("the client refreshes for one value of its scope")]
async fn refresh_for_less(world: &mut World) -> Step {
    let grant = world.granted()?;
    let own = world.context()?.client(grant.client).scope.clone();
    let granted = token_response::known_scope(&grant.tokens).unwrap_or(own);
    let Some(first) = granted.split(' ').next().filter(|first| *first != granted) else {
        return world.not_applicable("the granted scope has one value only");
    };
    world.noted = first.to_owned();
    let scope = world.noted.clone();
    refresh_for(world, scope).await
}

async fn refresh_for(world: &mut World, scope: String) -> Step {
    let token = refresh_token(world)?;
    let mut params = params(world, &token)?;
    params.set("scope", scope);
    world.token_request(&params).await?;
    introspect_silent(world).await
}

/// Where an answer does not say what was granted, the authorization server is asked, if it can be.
async fn introspect_silent(world: &mut World) -> Step {
    let (context, answer) = (world.context()?, world.answer()?);
    let Some(tokens) = answer.response().and_then(TokenResponse::read) else { return Ok(()) };
    let token = tokens.access_token().unwrap_or_default();
    let Ok(request) = introspection_request(&context, token) else { return Ok(()) };
    if !token_response::tells_scope(&tokens) {
        world.send(request).await?;
        // The answer that is judged stays the last one.
        let told = world.answers.len() - 1;
        world.answers.swap(told - 1, told);
    }
    Ok(())
}

/// The scope by [`introspect_silent`].
fn introspected_scope(world: &World) -> Option<String> {
    let [.., told, _] = &world.answers[..] else { return None };
    Some(told.response()?.json_object()?.get("scope")?.as_str()?.to_owned())
}

#[then(regex = "^the token endpoint leaves the new scope out or refuses with (.+)$")]
fn scope_withheld(world: &mut World, codes: String) -> Step {
    let answer = world.answer()?;
    let findings = match answer.response().and_then(TokenResponse::read) {
        Some(tokens) => {
            let told = introspected_scope(world);
            if told.is_none() {
                need_told_scope(world, &tokens)?;
            }
            token_response::scope_withheld(&tokens, told.as_deref(), &world.noted)
        }
        None => token_reject(&answer, &words(&codes)),
    };
    let shown = findings.into_iter().map(|d| d.seen_in(&answer)).collect();
    world.judge_refusal(shown)
}

#[then("the token has that scope at most, or the response says otherwise")]
fn narrowed(world: &mut World) -> Step {
    let answer = world.answer()?;
    let Some(tokens) = answer.response().and_then(TokenResponse::read) else {
        return world.not_applicable("a refresh for less is refused");
    };
    let told = introspected_scope(world);
    let inside = token_response::effective_scope(&tokens, told.as_deref());
    let findings = expect::narrowed(&tokens, inside.as_deref(), &world.noted);
    world.judge(findings.into_iter().map(|d| d.seen_in(&answer)).collect())
}

/// Runs the flow for the first known resource and refreshes for it, which must work.
#[given("tokens for one resource that can be refreshed for it")]
async fn grant_for_resource(world: &mut World) -> Step {
    let context = world.context()?;
    let [one, other, ..] = &context.target.resource_indicators[..] else {
        return world.not_applicable("resource_indicators names one resource only");
    };
    let mut request = world.request()?;
    request.params.set("resource", one.clone());
    world.grant(world.client, request).await?;
    if expect::audience(&world.granted()?.tokens).is_some_and(|all| all.contains(other)) {
        return world.not_applicable("a token for one resource is addressed to the other as well");
    }
    let token = refresh_token(world)?;
    let mut params = params(world, &token)?;
    params.set("resource", one.clone());
    let before = world.granted()?;
    let refreshed = refresh_on(world, params).await?;
    if refreshed.tokens.refresh_token().is_none() {
        // Not rotated: the token of the first response stays in use.
        world.grants.push(before);
    }
    Ok(())
}

#[when("the client refreshes for another resource")]
async fn refresh_for_other(world: &mut World) -> Step {
    let other = world.context()?.target.resource_indicators.get(1).cloned().unwrap_or_default();
    let token = refresh_token(world)?;
    let mut params = params(world, &token)?;
    params.set("resource", other.clone());
    world.noted = other;
    world.token_request(&params).await
}

#[then(regex = "^the other resource is refused with (.+) or no token is addressed to it$")]
fn other_refused(world: &mut World, codes: String) -> Step {
    let answer = world.answer()?;
    let findings = match answer.response().and_then(TokenResponse::read) {
        None => token_reject(&answer, &words(&codes)),
        Some(tokens) if expect::audience(&tokens).is_none() => {
            let remedy = "see the server's configuration: the token cannot be read, so its audience is unknown";
            return world.need(Err(Obstacle::new(
                "to refresh for a resource outside the grant",
                answer.gist(),
                remedy,
            )));
        }
        Some(tokens) => token_response::not_addressed_to(&tokens, &world.noted),
    };
    world.judge_refusal(findings.into_iter().map(|d| d.seen_in(&answer)).collect())
}

#[when("the client refreshes its tokens a little later")]
async fn refresh_later(world: &mut World) -> Step {
    let context = world.context()?;
    if world.granted()?.tokens.id_token().is_none() {
        return world.not_applicable("no ID Token is issued");
    }
    if context.may_wait {
        context.clock.pass(Duration::from_secs(LATER)).await;
        world.noted = LATER.to_string();
    }
    let token = refresh_token(world)?;
    let params = params(world, &token)?;
    refresh_on(world, params).await.map(drop)
}

#[then("the ID Token continues the first one")]
fn continues(world: &mut World) -> Step {
    let [first, .., refreshed] = &world.grants[..] else { return world.missing("refreshed grant") };
    let exchange = refreshed.exchange.clone();
    let Some(new) = refreshed.tokens.id_token() else {
        return world.not_applicable("a refresh yields no ID Token");
    };
    let read = |text: &str| Jws::read(text);
    let (before, after) = (read(first.tokens.id_token().unwrap_or_default()), read(new));
    let seconds = world.noted.parse().unwrap_or(0);
    let findings = match (before, after) {
        (Ok(before), Ok(after)) => [
            expect::continues(&before, &after),
            expect::issued_at_refresh(&before, &after, seconds),
        ]
        .concat(),
        (Err(_), _) => {
            return world
                .not_applicable("the first ID Token cannot be read; idtoken.* judges that");
        }
        (_, Err(why)) => vec![Deviation::new("an ID Token as compact JWS", why)],
    };
    world.judge(findings.into_iter().map(|d| d.seen_in(&exchange)).collect())
}

#[when(regex = "^the client refreshes after the configured lifetime(, having refreshed halfway)?$")]
async fn refresh_too_late(world: &mut World, halfway: String) -> Step {
    let context = world.context()?;
    let Some(lifetime) = context.target.lifetimes.refresh_token_seconds.map(Duration::from_secs)
    else {
        return world.not_applicable("no refresh_token_seconds under [lifetimes] is configured");
    };
    if !context.clock.is_virtual() && lifetime + context.target.leeway > context.target.patience {
        let remedy = "let the refresh tokens of the client live shorter, or raise patience_seconds in the profile";
        let lives = format!("it lives {} seconds", lifetime.as_secs());
        return world.need(Err(Obstacle::new(
            "to wait until a refresh token expires",
            lives,
            remedy,
        )));
    }
    let mut token = refresh_token(world)?;
    if halfway.is_empty() {
        context.clock.pass(lifetime).await;
    } else {
        context.clock.pass(lifetime / 2).await;
        let params = params(world, &token)?;
        let grant = refresh_on(world, params).await?;
        match grant.tokens.refresh_token() {
            Some(new) => token = new.to_owned(),
            None => return world.not_applicable("a refresh yields no refresh token"),
        }
        context.clock.pass(lifetime.saturating_sub(lifetime / 2)).await;
    }
    context.clock.pass(context.target.leeway).await;
    let params = params(world, &token)?;
    world.token_request(&params).await
}

#[when("the user signs out and the client refreshes")]
async fn sign_out_and_refresh(world: &mut World) -> Step {
    let context = world.context()?;
    let endpoint = world.need(context.endpoint("end_session_endpoint").map(str::to_owned))?;
    let grant = world.granted()?;
    let Some(hint) = grant.tokens.id_token() else {
        return world.not_applicable("no ID Token is issued that could be the hint");
    };
    let mut logout = grant.request.clone();
    logout.params = Params::new([("id_token_hint", hint)]);
    let wire = Request::get(logout.params.on(&endpoint));
    world.navigate(logout, wire, true, Decision::Approve).await?;
    world.confirm_logout().await?;
    if world.flow()?.landing.exchange.response().is_some_and(|r| r.status >= 400) {
        return world.not_applicable("the logout is refused; another duty judges that");
    }
    let token = refresh_token(world)?;
    let params = params(world, &token)?;
    world.token_request(&params).await
}

/// RFC 10017 §6.3.2.3 speaks of browser-based clients; offline access outlives the session (OpenID
/// Connect Core 1.0 §11).
#[then("the refresh token ended with the session")]
fn ended_with_session(world: &mut World) -> Step {
    let context = world.context()?;
    let answer = world.answer()?;
    let client = context.client(world.client);
    let is_in_browser = Kind::of(client.redirect_uri()) == Kind::Https;
    let is_offline = scope_set(&client.scope).contains("offline_access");
    let weight = if is_in_browser && !is_offline { Weight::Warning } else { Weight::Note };
    let findings = token_reject(&answer, &["invalid_grant"]);
    world.judge_refusal(findings.into_iter().map(|d| d.weighing(weight)).collect())
}
