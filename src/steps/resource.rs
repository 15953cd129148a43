//! Where tokens are used: the protected resource, UserInfo, revocation, introspection, logout; and
//! what browsers of other origins may read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cucumber::{given, then, when};

use super::token::{get, shows_life};
use super::words;
use crate::expect::{check, resource as expect};
use crate::model::exchange::{Exchange, Request};
use crate::model::verdict::{Deviation, Obstacle, Weight};
use crate::oauth::authorization::form_post;
use crate::oauth::jose::Jws;
use crate::oauth::params::Params;
use crate::oauth::random;
use crate::oauth::token::{self, TokenResponse};
use crate::target::login::form::Decision;
use crate::world::context::Context;
use crate::world::{Step, World};

/// A foreign origin that can never exist.
const FOREIGN_ORIGIN: &str = "https://probe.invalid";

fn with_token(mut request: Request, token: Option<&str>) -> Request {
    if let Some(token) = token {
        request.headers.push(("Authorization".into(), format!("Bearer {token}")));
    }
    request
}

fn resource_request(context: &Context) -> Result<Request, Obstacle> {
    let resource = context.target.resource.as_ref();
    let resource = resource.ok_or_else(|| {
        Obstacle::new("to call the protected resource", "none is configured", "add [resource] to the profile")
    })?;
    Ok(Request { method: resource.method.clone(), ..get(&resource.url) })
}

fn userinfo_request(context: &Context) -> Result<Request, Obstacle> {
    Ok(get(context.endpoint("userinfo_endpoint")?))
}

fn access_token(world: &mut World) -> Step<String> {
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
        "with its ID Token" => match world.granted()?.tokens.id_token() {
            Some(token) => Some(token.to_owned()),
            None => return world.not_applicable("no ID Token is issued"),
        },
        _ => None,
    })
}

#[when(regex = "^the client calls the resource (without a token|with an invented token|with a malformed JWT|with an empty token)$")]
async fn call_resource_badly(world: &mut World, how: String) -> Step {
    let context = world.context()?;
    let request = world.need(resource_request(&context))?;
    let token = bad_credential(world, &how)?;
    world.send(with_token(request, token.as_deref())).await
}

#[when("the client calls userinfo with its access token")]
async fn call_userinfo(world: &mut World) -> Step {
    let (context, token) = (world.context()?, access_token(world)?);
    let request = world.need(userinfo_request(&context))?;
    world.send(with_token(request, Some(&token))).await
}

#[when(regex = "^the client calls userinfo (without a token|with an invented token|with its ID Token)$")]
async fn call_userinfo_badly(world: &mut World, how: String) -> Step {
    let context = world.context()?;
    let request = world.need(userinfo_request(&context))?;
    let token = bad_credential(world, &how)?;
    world.send(with_token(request, token.as_deref())).await
}

/// The working twin of a refused call: the same call with a valid token.
async fn opens(world: &mut World, what: &str, request: Request, wanted: u16) -> Step {
    let own = world.request()?;
    world.grant(world.client, own).await?;
    let token = access_token(world)?;
    world.send(with_token(request, Some(&token))).await?;
    let answer = world.answer()?;
    if expect::answers(&answer, wanted).is_empty() {
        return Ok(());
    }
    let remedy = "check URL, method, status and scope in the profile: a refusal means nothing while a valid token is refused too";
    world.need(Err(Obstacle::new(format!("to open {what} with a valid token"), answer.gist(), remedy)))
}

#[given("tokens that open the resource")]
async fn opens_resource(world: &mut World) -> Step {
    let context = world.context()?;
    let request = world.need(resource_request(&context))?;
    let wanted = context.target.resource.as_ref().map_or(200, |r| r.status);
    opens(world, "the resource", request, wanted).await
}

#[given("tokens that open userinfo")]
async fn opens_userinfo(world: &mut World) -> Step {
    let context = world.context()?;
    let request = world.need(userinfo_request(&context))?;
    opens(world, "userinfo", request, 200).await
}

fn introspection_request(context: &Context, token: &str) -> Result<Request, Obstacle> {
    let server = context.target.introspection.as_ref().ok_or_else(|| {
        Obstacle::new("to introspect a token", "no credentials are configured", "add [introspection] to the profile")
    })?;
    let credentials = STANDARD.encode(format!("{}:{}", server.client_id, server.client_secret.expose()));
    let endpoint = context.endpoint("introspection_endpoint")?;
    let mut request = form_post(endpoint, &Params::new([("token", token)]));
    request.headers.push(("Authorization".into(), format!("Basic {credentials}")));
    Ok(request)
}

/// Every request that shows whether an access token lives.
fn signs_of_life(context: &Context, token: &str) -> Vec<Request> {
    let bearer = |request: Request| with_token(request, Some(token));
    let ways = [
        introspection_request(context, token).ok(),
        userinfo_request(context).ok().map(bearer),
        resource_request(context).ok().map(bearer),
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
    for (way, request) in signs_of_life(&context, &token).into_iter().enumerate() {
        world.send(request).await?;
        if shows_life(&*world.answer()?) {
            world.noted = way.to_string();
            world.answers.clear();
            return Ok(());
        }
    }
    if world.answers.is_empty() {
        return world.not_applicable("nowhere to use an access token: no introspection, userinfo or resource");
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
        Some(request) => world.send(request).await,
        None => world.missing("place where the access token worked"),
    }
}

#[when("the client uses the tokens of the first redemption")]
async fn use_first_tokens(world: &mut World) -> Step {
    let context = world.context()?;
    let grant = world.granted()?;
    let replays = world.answers.len();
    if let Some(refresh_token) = grant.tokens.refresh_token() {
        world.token_request(&token::refresh(&context.client(grant.client).id, refresh_token)).await?;
    }
    use_first_access_token(world).await?;
    // What comes after the replays shows whether the tokens live.
    world.noted = replays.to_string();
    Ok(())
}

#[when("the client revokes its refresh token")]
async fn revoke(world: &mut World) -> Step {
    let context = world.context()?;
    let endpoint = world.need(context.endpoint("revocation_endpoint").map(str::to_owned))?;
    let grant = world.granted()?;
    let refresh_token = grant.tokens.refresh_token().unwrap_or_default();
    let id = context.client(grant.client).id.as_str();
    let params =
        Params::new([("token", refresh_token), ("token_type_hint", "refresh_token"), ("client_id", id)]);
    world.send(form_post(&endpoint, &params)).await?;
    let answer = world.answer()?;
    let excludes_public = context
        .facts
        .metadata
        .list("revocation_endpoint_auth_methods_supported")
        .is_some_and(|methods| !methods.contains(&"none"));
    if excludes_public && answer.response().is_some_and(|r| matches!(r.status, 400 | 401)) {
        return world.not_applicable("the revocation endpoint excludes public clients, as its metadata says");
    }
    Ok(())
}

#[when("the client uses the revoked refresh token")]
async fn use_revoked(world: &mut World) -> Step {
    let context = world.context()?;
    let grant = world.granted()?;
    if !expect::answers(&*world.answer()?, 200).is_empty() {
        return world.not_applicable("the revocation is refused; revocation.refresh-token judges that");
    }
    let refresh_token = grant.tokens.refresh_token().unwrap_or_default().to_owned();
    world.token_request(&token::refresh(&context.client(grant.client).id, &refresh_token)).await
}

#[when("the resource server introspects the access token")]
async fn introspect(world: &mut World) -> Step {
    let (context, token) = (world.context()?, access_token(world)?);
    let request = world.need(introspection_request(&context, &token))?;
    world.send(request).await
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
    let wire = get(&request.params.on(&endpoint));
    world.navigate(request, wire, true, Decision::Approve).await
}

#[when(regex = "^a script of a foreign origin (requests|sends a preflight to) the authorization endpoint$")]
async fn foreign_script(world: &mut World, how: String) -> Step {
    let context = world.context()?;
    let endpoint = world.need(context.endpoint("authorization_endpoint").map(str::to_owned))?;
    let mut request = world.request()?.by_get(&endpoint);
    request.headers.push(("Origin".into(), FOREIGN_ORIGIN.into()));
    if how != "requests" {
        request.method = "OPTIONS".into();
        request.headers.push(("Access-Control-Request-Method".into(), "GET".into()));
    }
    world.send(request).await
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

#[then("userinfo answers with claims")]
fn userinfo_answers(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge(expect::userinfo(&answer))
}

#[then("userinfo names the subject of the ID Token")]
fn userinfo_subject(world: &mut World) -> Step {
    let grant = world.granted()?;
    let subject = grant.tokens.id_token().and_then(|t| Jws::read(t).ok()).and_then(|jws| jws.text("sub").map(str::to_owned));
    let Some(subject) = subject else { return world.not_applicable("no readable ID Token to compare with") };
    let answer = world.answer()?;
    if !expect::answers(&answer, 200).is_empty() {
        return world.not_applicable("userinfo does not answer; userinfo.get judges that");
    }
    if answer.response().is_some_and(|r| r.media_type().as_deref() == Some("application/jwt")) {
        return world.not_applicable("UserInfo answers with a JWT");
    }
    world.judge(expect::userinfo_subject(&answer, &subject))
}

#[then("the token is active")]
fn active(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge(expect::active(&answer))
}

#[then("nothing is learned about the token")]
fn learns_nothing(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge_refusal(expect::learns_nothing(&answer))
}

#[then("the browser returns to the post_logout_redirect_uri with state")]
fn returned(world: &mut World) -> Step {
    let uri = world.context()?.target.post_logout_redirect_uri.clone().unwrap_or_default();
    let flow = world.flow()?;
    let state = flow.request.params.value("state").unwrap_or_default();
    let Some(response) = &flow.landing.response else {
        let deviation = Deviation::new(format!("a redirect to {uri}"), flow.landing.gist()).weighing(Weight::Warning);
        return world.judge(vec![deviation.seen_in(&flow.landing.exchange)]);
    };
    let is_back = response.went_to(&uri) && response.value("state") == Some(state);
    world.judge(check(is_back, || {
        Deviation::new(format!("a redirect to {uri} with the state"), flow.landing.gist()).seen_in(&flow.landing.exchange)
    }))
}

#[then("the answer is readable from the allowed origin")]
fn readable(world: &mut World) -> Step {
    let origin = world.context()?.target.allowed_origin.clone().unwrap_or_default();
    let answer = world.answer()?;
    if answer.response().and_then(TokenResponse::read).is_none() {
        let remedy = "check that the client's flow works with an Origin header";
        return world.need(Err(Obstacle::new("a token request with an Origin header", answer.gist(), remedy)));
    }
    world.judge(expect::readable_from(&answer, &origin))
}

#[then("the error is readable from the allowed origin")]
fn error_readable(world: &mut World) -> Step {
    let origin = world.context()?.target.allowed_origin.clone().unwrap_or_default();
    let answer = world.answer()?;
    world.judge(expect::readable_from(&answer, &origin))
}

#[then("the answer is not readable from that origin")]
fn not_readable(world: &mut World) -> Step {
    let answer = world.answer()?;
    world.judge(expect::not_readable(&answer))
}

#[then("the answers carry a request identifier")]
fn request_id(world: &mut World) -> Step {
    let exchanges = world.recorder.exchanges();
    let exchanges: Vec<&Exchange> = exchanges.iter().map(AsRef::as_ref).collect();
    world.judge(expect::has_request_id(&exchanges))
}
