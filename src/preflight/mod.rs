//! Before the first scenario: find the metadata, the keys, and prove that one flow works. What is
//! wrong with the configuration is found here, once, with its cure.

mod client;
pub mod items;

use std::sync::Arc;

use serde_json::Value;
use url::Url;

use self::items::{Finding, examine};
use crate::expect::operation::date_of;
use crate::expect::tokens::typ;
use crate::http::user_agent::Home;
use crate::http::{Care, Http};
use crate::model::exchange::{Exchange, Request, Withheld};
use crate::model::requirement::Profile;
use crate::model::verdict::Obstacle;
use crate::oauth::authorization::Landing;
use crate::oauth::jose::Jws;
use crate::oauth::metadata::{Metadata, locations};
use crate::oauth::token::TokenResponse;
use crate::target::capabilities::{Document, Facts};
use crate::target::login::driver::Way;
use crate::target::profile::Target;
use crate::target::safety::Safety;
use crate::world::context::{Clock, Context, Grant};

/// Seconds that need no correction: what it takes to answer, and the resolution of `iat`.
const NEGLIGIBLE_SKEW: i64 = 5;

/// Seconds between `Date` and `iat` within which both show the same clock.
const MOST_DISAGREEMENT: i64 = 30;

/// Learns what there is to know about the target and signs in once.
///
/// The error says what was tried, what came back and what to change.
pub async fn preflight(
    target: Target,
    profile: Profile,
    clock: Clock,
) -> Result<Context, (Obstacle, Context)> {
    let mut context = enter(target, profile, clock);
    for item in examine(&mut context).await {
        match item.finding {
            Finding::Bad(obstacle) => return Err((obstacle, context)),
            Finding::Advice(seen, cure) => {
                context.facts.advice.push(format!("{}: {seen}; {cure}", item.name));
            }
            Finding::Good(_) | Finding::Skipped(_) => {}
        }
    }
    Ok(context)
}

/// [`enter`] and [`look_around`].
pub async fn prepare(
    target: Target,
    profile: Profile,
    clock: Clock,
) -> Result<Context, (Obstacle, Context)> {
    let mut context = enter(target, profile, clock);
    match look_around(&mut context).await {
        Ok(()) => Ok(context),
        Err(obstacle) => Err((obstacle, context)),
    }
}

/// The context of a run, before anything was sent.
pub(crate) fn enter(target: Target, profile: Profile, clock: Clock) -> Context {
    let hosts = [
        Some(target.issuer.as_str()),
        target.resource.as_ref().map(|r| r.url.as_str()),
        target.scoped_operation.as_ref().map(|o| o.url.as_str()),
    ];
    let hosts = hosts
        .into_iter()
        .flatten()
        .chain(target.endpoints.values().map(String::as_str))
        .filter_map(host_of);
    let network = &target.network;
    let http = Http::new(hosts, target.limits, target.pace)
        .going(network.resolve.clone(), network.tunnel.clone())
        .trusting(network.trust.clone())
        .caring(care(&target.safety, &clock))
        .by(network.shortcut.clone());
    Context::new(target, http, profile, clock)
}

/// What is done for the sake of the target. Where time is advanced instead of waited for, nobody
/// waits for a server either.
fn care(safety: &Safety, clock: &Clock) -> Care {
    Care {
        budget: safety.request_budget,
        has_breaker: safety.environment.is_shared(),
        heeds_retry_after: !clock.is_virtual(),
        is_traced: safety.trace_headers,
    }
}

/// Learns where the endpoints of the target are.
///
/// The error says what was tried, what came back and what to change.
pub(crate) async fn look_around(context: &mut Context) -> Result<(), Obstacle> {
    find_metadata(context).await?;
    for (_, url) in context.facts.metadata.endpoints() {
        if let Some(host) = host_of(url) {
            context.http.allow(&host);
        }
    }
    let endpoints = ["authorization_endpoint", "end_session_endpoint"];
    let own = endpoints.into_iter().filter_map(|name| context.facts.metadata.text(name));
    let own: Vec<&str> = own.chain([context.target.issuer.as_str()]).collect();
    // A server that sends its own browser over cleartext is judged for it, and not given up.
    let cleartext: Vec<String> =
        own.iter().filter_map(|url| context.target.network.in_cleartext(url)).collect();
    let own: Vec<&str> = own.into_iter().chain(cleartext.iter().map(String::as_str)).collect();
    let login = &context.target.login;
    login.addresses().filter_map(host_of).for_each(|host| context.http.allow(&host));
    context.home = Home::of(own.iter().copied());
    context.roam = Home::of(own.into_iter().chain(login.addresses()));
    for name in ["authorization_endpoint", "token_endpoint"] {
        context.endpoint(name)?;
    }
    Ok(())
}

fn host_of(url: &str) -> Option<String> {
    Some(Url::parse(url).ok()?.host_str()?.trim_matches(['[', ']']).to_owned())
}

fn get(url: String) -> Request {
    Request {
        method: "GET".into(),
        url,
        headers: vec![("Accept".into(), "application/json".into())],
        body: vec![],
    }
}

async fn find_metadata(context: &mut Context) -> Result<(), Obstacle> {
    let mut members = Metadata::default();
    let has_issuer = context.target.has_issuer;
    for location in locations(&context.target.issuer).into_iter().filter(|_| has_issuer) {
        let exchange = context.http.send(&context.shared, get(location.clone())).await;
        context.facts.lookups.push(exchange.clone());
        let found = exchange.response().filter(|r| r.status == 200).and_then(|r| r.json_object());
        let Some(document) = found else { continue };
        let metadata = Metadata::new(document.clone());
        for (name, value) in document {
            if members.member(&name).is_none() {
                members.set(&name, value);
            }
        }
        context.facts.documents.push(Document { location, exchange, metadata });
    }
    for (name, url) in &context.target.endpoints {
        members.set(name, url.as_str());
    }
    context.facts.oidc = is_openid(context, &members);
    context.facts.metadata = members;
    if context.facts.documents.is_empty() && context.target.endpoints.is_empty() {
        return Err(no_metadata(&context.facts.lookups, &context.target.issuer));
    }
    Ok(())
}

fn is_openid(context: &Context, members: &Metadata) -> bool {
    context.facts.documents.iter().any(|d| d.location.contains("openid-configuration"))
        || members.list("scopes_supported").is_some_and(|scopes| scopes.contains(&"openid"))
}

fn no_metadata(lookups: &[Arc<Exchange>], issuer: &str) -> Obstacle {
    let tried = format!("to find metadata of {issuer} at {} well-known locations", lookups.len());
    let came_back =
        lookups.first().map(|e| e.gist()).unwrap_or_else(|| "no location to ask".into());
    let failure = lookups.first().and_then(|e| e.outcome.as_ref().err());
    let is_busy = |e: &Arc<Exchange>| e.response().is_some_and(|r| matches!(r.status, 429 | 503));
    let remedy = match failure {
        None if lookups.iter().any(is_busy) => Withheld::AskedToWait.remedy(),
        Some(reason) if reason.contains("TLS") => {
            "check the certificate: its chain must end at a trusted root, or at the authority named by ca_file in [network], and its name must match the host"
        }
        Some(reason) if reason.contains("failed to lookup") || reason.contains("resolve") => {
            "check the host name of the issuer, or give its address under resolve in [network]"
        }
        Some(_) => "check that the server is up and that host and port of the issuer are right",
        None if lookups.iter().any(|e| e.response().is_some_and(|r| r.status == 200)) => {
            "a page came back where a JSON object should be: check the path of the issuer"
        }
        None if lookups.iter().any(|e| e.response().is_some_and(|r| r.status >= 500)) => {
            "see the log of the server: it failed where its metadata should be"
        }
        None => {
            "check the issuer, path included, or set authorization_endpoint and token_endpoint under [endpoints]"
        }
    };
    Obstacle::new(tried, came_back, remedy)
}

pub(crate) async fn fetch_keys(context: &mut Context) {
    let Some(url) = context.facts.endpoint("jwks_uri").map(str::to_owned) else { return };
    let exchange = context.http.send(&context.shared, get(url)).await;
    context.facts.jwks = exchange.response().and_then(|r| r.json_object()).map(Value::Object);
    context.facts.jwks_exchange = Some(exchange);
}

/// Seconds by which the target is ahead, where `iat` and `Date` agree on it: skew alone must fail
/// no check of times but the one of the clock.
fn skew(grant: &Grant) -> i64 {
    let issued = [grant.tokens.id_token(), grant.tokens.access_token()];
    let issued = issued.into_iter().flatten().find_map(|t| Jws::read(t).ok()?.seconds("iat"));
    let date = grant.exchange.response().and_then(date_of);
    let (Some(issued), Some(date)) = (issued, date) else { return 0 };
    let skew = issued - grant.received;
    if skew.abs() > NEGLIGIBLE_SKEW && (date - issued).abs() <= MOST_DISAGREEMENT {
        skew
    } else {
        0
    }
}

/// Takes the facts from the first flow.
pub(crate) fn learn(context: &mut Context, landing: &Landing, way: &Way, grant: Grant) {
    let facts: &mut Facts = &mut context.facts;
    facts.named_issuer = named_issuer(landing, &grant.tokens);
    facts.consent_shown = way.consented;
    facts.refresh_token = grant.tokens.refresh_token().is_some();
    facts.id_token = grant.tokens.id_token().is_some();
    facts.expires_in = grant.tokens.member("expires_in").is_some();
    facts.lifetimes = lifetimes(&grant.tokens);
    if let Some(Ok(jws)) = grant.tokens.access_token().map(Jws::read) {
        facts.jwt_access_token = true;
        facts.access_token_typ = typ(&jws);
    }
    let skew = skew(&grant);
    context.clock.follow(skew);
    context.baseline = Some(Grant { received: grant.received + skew, ..grant });
}

/// The issuer as the response or a token names it.
fn named_issuer(landing: &Landing, tokens: &TokenResponse) -> Option<String> {
    let in_response = landing.response.as_ref().and_then(|r| r.value("iss")).map(str::to_owned);
    let in_token = || {
        let all = [tokens.id_token(), tokens.access_token()].into_iter().flatten();
        all.filter_map(|token| Jws::read(token).ok())
            .find_map(|jws| Some(jws.claims.get("iss")?.as_str()?.to_owned()))
    };
    in_response.or_else(in_token)
}

/// What the token response says about lifetimes, in seconds.
fn lifetimes(tokens: &TokenResponse) -> Vec<(&'static str, i64)> {
    let claimed = |token: Option<&str>| {
        let jws = Jws::read(token?).ok()?;
        Some(jws.seconds("exp")? - jws.seconds("iat")?)
    };
    let all = [
        ("expires_in", tokens.member("expires_in").and_then(Value::as_i64)),
        ("exp - iat of the access token", claimed(tokens.access_token())),
        ("exp - iat of the ID Token", claimed(tokens.id_token())),
    ];
    all.into_iter().filter_map(|(place, seconds)| Some((place, seconds?))).collect()
}
