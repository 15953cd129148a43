//! Where tokens are used: the protected resource and UserInfo.

use std::sync::Arc;

use cucumber::{given, then, when};

use super::words;
use crate::expect::{challenge, resource as expect};
use crate::model::exchange::{Exchange, Request};
use crate::model::verdict::{Obstacle, Weight};
use crate::oauth::authorization::AuthorizationRequest;
use crate::oauth::params::Params;
use crate::oauth::random;
use crate::world::access::{resource_request, userinfo_request, with_token};
use crate::world::context::{Context, Grant, usable};
use crate::world::{Step, World};

pub(super) fn access_token(world: &mut World) -> Step<String> {
    let grant = world.granted()?;
    Ok(grant.tokens.access_token().unwrap_or_default().to_owned())
}

#[when("the client calls the resource with its access token")]
async fn call_resource(world: &mut World) -> Step {
    let (context, token) = (world.context()?, access_token(world)?);
    let request = world.need(resource_request(&context))?;
    world.send(with_token(request, Some(&token))).await
}

/// A credential that no server may accept, by its name in the features.
fn bad_credential(world: &mut World, how: &str) -> Step<Option<String>> {
    Ok(match how {
        "with an invented token" => Some(random(32)),
        "with a malformed JWT" => Some(format!("eyJhbGciOiJFUzI1NiJ9.{}", random(16))),
        "with an empty token" => Some(String::new()),
        "with an unredeemed code" => match world.flow()?.landing.code() {
            Some(code) => Some(code.to_owned()),
            None => return world.missing("code"),
        },
        "with its ID Token" => match world.granted()?.tokens.id_token() {
            Some(token) => Some(token.to_owned()),
            None => return world.not_applicable("no ID Token is issued"),
        },
        "with its refresh token" => match world.granted()?.tokens.refresh_token() {
            Some(token) => Some(token.to_owned()),
            None => return world.not_applicable("no refresh token is issued"),
        },
        _ => None,
    })
}

#[when(
    regex = "^the client calls the resource (without a token|with an invented token|with a malformed JWT|with an empty token|with an unredeemed code|with its ID Token|with its refresh token)$"
)]
async fn call_resource_badly(world: &mut World, how: String) -> Step {
    let context = world.context()?;
    let request = world.need(resource_request(&context))?;
    let token = bad_credential(world, &how)?;
    world.send(with_token(request, token.as_deref())).await
}

#[when(expr = "the client calls the resource with the scheme written {word}")]
async fn call_resource_with_scheme(world: &mut World, scheme: String) -> Step {
    let (context, token) = (world.context()?, access_token(world)?);
    let mut request = world.need(resource_request(&context))?;
    request.headers.push(("Authorization".into(), format!("{scheme} {token}")));
    world.send(request).await
}

#[when("the client calls the resource with its access token in the query")]
async fn call_resource_by_query(world: &mut World) -> Step {
    let (context, token) = (world.context()?, access_token(world)?);
    let mut request = world.need(resource_request(&context))?;
    request.url = Params::new([("access_token", token)]).on(&request.url);
    world.send(request).await
}

#[when("somebody calls the resource and userinfo without a token and with an invented one")]
async fn provoke_challenges(world: &mut World) -> Step {
    let context = world.context()?;
    let places = [world.need(resource_request(&context)).ok(), userinfo_request(&context).ok()];
    for request in places.into_iter().flatten() {
        world.send(request.clone()).await?;
        world.send(with_token(request, Some(&random(32)))).await?;
    }
    Ok(())
}

#[when("the client calls userinfo with its access token")]
async fn call_userinfo(world: &mut World) -> Step {
    let (context, token) = (world.context()?, access_token(world)?);
    let request = world.need(userinfo_request(&context))?;
    world.send(with_token(request, Some(&token))).await
}

#[when(
    regex = "^the client calls userinfo (without a token|with an invented token|with an unredeemed code|with its ID Token|with its refresh token)$"
)]
async fn call_userinfo_badly(world: &mut World, how: String) -> Step {
    let context = world.context()?;
    let request = world.need(userinfo_request(&context))?;
    let token = bad_credential(world, &how)?;
    world.send(with_token(request, token.as_deref())).await
}

/// A place where access tokens work.
pub(super) struct Place {
    /// Its name in messages.
    pub(super) name: &'static str,
    /// The call without a token.
    pub(super) call: Request,
    /// Status of success.
    pub(super) status: u16,
    /// What to ask for.
    pub(super) asks: AuthorizationRequest,
}

impl Place {
    fn resource(world: &mut World) -> Step<Self> {
        let context = world.context()?;
        let call = world.need(resource_request(&context))?;
        let status = context.target.resource.as_ref().map_or(200, |r| r.status);
        Ok(Self { name: "the resource", call, status, asks: world.request()? })
    }

    fn userinfo(world: &mut World) -> Step<Self> {
        let context = world.context()?;
        let call = world.need(userinfo_request(&context))?;
        Ok(Self { name: "userinfo", call, status: 200, asks: world.request()? })
    }

    /// A new grant that was seen to open the place.
    async fn open(&self, world: &mut World, context: &Context) -> Result<Grant, Obstacle> {
        let asks = self.asks.clone();
        let flow = context.flow(&mut world.agent, &world.recorder, world.client, asks).await;
        let (grant, _) = flow?;
        let answer = self.call(world, context, &grant).await?;
        if expect::answers(&answer, self.status).is_empty() {
            return Ok(grant);
        }
        let tried = format!("to open {} with a valid token", self.name);
        let remedy = "check URL, method, status and scope in the profile: a refusal means nothing while a valid token is refused too";
        Err(Obstacle::new(tried, answer.gist(), remedy))
    }

    async fn call(
        &self,
        world: &mut World,
        context: &Context,
        grant: &Grant,
    ) -> Result<Arc<Exchange>, Obstacle> {
        let call = with_token(self.call.clone(), grant.tokens.access_token());
        let answer = usable(context.http.send(&world.recorder, call).await)?;
        world.answers.push(answer.clone());
        Ok(answer)
    }
}

/// The working twin of a refused call: the same call with a valid token, made now. The token is
/// shared as long as it works, so that only the first scenario signs in.
pub(super) async fn opens(world: &mut World, place: Place) -> Step {
    let context = world.context()?;
    let mut opened = context.opened.lock().await;
    let known = opened.get(place.name).cloned();
    let outcome = match known {
        Some(Ok(grant)) => {
            drop(opened);
            let answer = place.call(world, &context, &grant).await;
            let answer = world.need(answer)?;
            if expect::answers(&answer, place.status).is_empty() {
                world.cite(&grant.exchange);
                world.grants.push(grant);
                return Ok(());
            }
            let outcome = place.open(world, &context).await;
            context.opened.lock().await.insert(place.name, outcome.clone());
            outcome
        }
        Some(Err(obstacle)) => Err(obstacle),
        None => {
            let outcome = place.open(world, &context).await;
            opened.insert(place.name, outcome.clone());
            outcome
        }
    };
    let grant = world.need(outcome)?;
    world.grants.push(grant);
    Ok(())
}

#[given("tokens that open the resource")]
async fn opens_resource(world: &mut World) -> Step {
    let place = Place::resource(world)?;
    opens(world, place).await
}

#[given("tokens that open userinfo")]
async fn opens_userinfo(world: &mut World) -> Step {
    let place = Place::userinfo(world)?;
    opens(world, place).await
}

#[given(regex = "^tokens of its own that open (the resource|userinfo)$")]
async fn own_tokens_open(world: &mut World, what: String) -> Step {
    let context = world.context()?;
    let place = match what.as_str() {
        "userinfo" => Place::userinfo(world)?,
        _ => Place::resource(world)?,
    };
    let grant = place.open(world, &context).await;
    let grant = world.need(grant)?;
    world.grants.push(grant);
    Ok(())
}

#[then("the resource answers")]
fn resource_answers(world: &mut World) -> Step {
    let wanted = world.context()?.target.resource.as_ref().map_or(200, |r| r.status);
    let answer = world.answer()?;
    world.judge(expect::answers(&answer, wanted))
}

#[then("the resource refuses")]
fn resource_refuses(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::refuses(&answer))
}

#[then(regex = "^the (?:resource|userinfo endpoint) denies the token with (.+)$")]
fn denies_token(world: &mut World, errors: String) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::denies_token(&answer, &words(&errors)))
}

#[then("the refusal carries a Bearer or DPoP challenge")]
fn challenged(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::challenges(&answer))
}

#[then("userinfo refuses")]
fn userinfo_refuses(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::denies_token(&answer, &[]))
}

#[then("the challenge contains no error")]
fn without_error(world: &mut World) -> Step {
    let answer = world.answer()?;
    if expect::challenges_of(&answer).is_empty() {
        return world.not_applicable("no challenge is sent; rs.no-token-challenge judges that");
    }
    world.judge_refusal(challenge::without_error(&answer))
}

#[then("every challenge is well formed")]
fn well_formed(world: &mut World) -> Step {
    let has_challenge =
        |e: &Arc<Exchange>| e.response().is_some_and(|r| r.header("www-authenticate").is_some());
    let challenging: Vec<_> = world.answers.iter().filter(|e| has_challenge(e)).cloned().collect();
    if challenging.is_empty() {
        return world.not_applicable("no challenge is sent; rs.no-token-challenge judges that");
    }
    for answer in challenging {
        world.judge(challenge::well_formed(&answer))?;
    }
    Ok(())
}

/// Only the OAuth 2.1 draft forbids what RFC 6750 §2.3 allowed.
#[then("the resource ignores the query")]
fn ignores_query(world: &mut World) -> Step {
    let answer = world.answer()?;
    let findings = expect::refuses(&answer).into_iter().map(|d| match d.weight {
        Weight::Failure => d.weighing(Weight::Draft),
        _ => d,
    });
    world.judge_refusal(findings.collect())
}
