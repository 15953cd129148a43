//! TLS, cleartext, and what answers say about transport.

use cucumber::{given, then, when};
use url::Url;

use crate::expect::transport::{self as expect, Handshake, Offer};
use crate::http::cookies::Initiator;
use crate::http::user_agent::{Home, UserAgent};
use crate::model::exchange::{Exchange, Request};
use crate::model::tls::{HandshakeFailure, TlsVersion};
use crate::model::verdict::Obstacle;
use crate::oauth::{pkce, random, token};
use crate::world::context::Context;
use crate::world::{Step, World};

/// Why nothing is judged where the target is no https server.
const NO_TLS: &str = "the target is served over http on loopback";

/// One https URL for each host and port of the target, the issuer first.
fn secure_hosts(world: &mut World) -> Step<Vec<(String, String)>> {
    let context = world.context()?;
    let endpoints = context.facts.metadata.endpoints();
    let resource = context.target.resource.as_ref().map(|r| r.url.as_str());
    let urls = [context.target.issuer.as_str()].into_iter();
    let urls = urls.chain(endpoints.into_iter().map(|(_, url)| url)).chain(resource);
    let mut hosts: Vec<(String, String)> = Vec::new();
    for url in urls {
        let Some(parsed) = Url::parse(url).ok().filter(|u| u.scheme() == "https") else { continue };
        let host = parsed.host_str().unwrap_or_default();
        let host = format!("{host}:{}", parsed.port_or_known_default().unwrap_or(443));
        if hosts.iter().all(|(known, _)| *known != host) {
            hosts.push((host, url.to_owned()));
        }
    }
    if hosts.is_empty() { world.not_applicable(NO_TLS) } else { Ok(hosts) }
}

/// The URL as it would be asked in cleartext. A cleartext endpoint elsewhere is that already.
fn in_cleartext(world: &mut World, url: &str) -> Step<String> {
    let context = world.context()?;
    let network = &context.target.network;
    if url.starts_with("http:") {
        return if network.is_local(url) {
            world.not_applicable(NO_TLS)
        } else {
            Ok(url.to_owned())
        };
    }
    match network.in_cleartext(url) {
        Some(cleartext) => Ok(cleartext),
        None => world.not_applicable(
            "the target is not on port 443, so port 80 may belong to another service: set cleartext_port",
        ),
    }
}

#[when("a browser opens the authorization request in cleartext")]
async fn open_in_cleartext(world: &mut World) -> Step {
    let context = world.context()?;
    let endpoint = world.need(context.endpoint("authorization_endpoint").map(str::to_owned))?;
    let cleartext = in_cleartext(world, &endpoint)?;
    let request = world.request()?.by_get(&cleartext);
    let home = Home::of([cleartext.as_str()]);
    let leaves =
        |location: &str| context.target.redirect_uris().any(|(_, uri)| location.starts_with(uri));
    let mut browser = UserAgent::default();
    let navigation = browser
        .navigate(&context.http, &world.recorder, request, Initiator::CrossSite, &home, &leaves)
        .await;
    world.answers.push(navigation.exchange);
    Ok(())
}

#[then("it sees no page of the flow and gets no response")]
fn no_page(world: &mut World) -> Step {
    let context = world.context()?;
    let answer = world.answer()?;
    let uris: Vec<&str> = context.target.redirect_uris().map(|(_, uri)| uri).collect();
    world.judge(expect::no_page_in_cleartext(&answer, &uris))
}

/// Sends the request over TLS, which must work, and in cleartext, which need not.
async fn send_both(world: &mut World, request: Request) -> Step {
    let context = world.context()?;
    let cleartext = Request { url: in_cleartext(world, &request.url)?, ..request.clone() };
    world.send(request).await?;
    let answer = context.http.send(&world.recorder, cleartext).await;
    world.answers.push(answer);
    Ok(())
}

#[when("the client redeems an invented code over TLS and in cleartext")]
async fn redeem_both(world: &mut World) -> Step {
    let context = world.context()?;
    let endpoint = world.need(context.endpoint("token_endpoint").map(str::to_owned))?;
    let client = context.client(world.client);
    let params =
        token::code_exchange(&client.id, &random(32), client.redirect_uri(), &pkce::verifier());
    send_both(world, token::post(&endpoint, &params)).await
}

#[when("an invented access token calls the resource over TLS and in cleartext")]
async fn call_both(world: &mut World) -> Step {
    let context = world.context()?;
    let Some(resource) = &context.target.resource else {
        return world.not_applicable("no resource is configured");
    };
    let mut request = Request::get(&resource.url);
    request.method.clone_from(&resource.method);
    request.headers.push(("Authorization".into(), format!("Bearer {}", random(32))));
    send_both(world, request).await
}

#[then("nothing was processed in cleartext")]
fn not_processed(world: &mut World) -> Step {
    let [over_tls, cleartext] = &world.answers[..] else { return world.missing("answer") };
    let findings = expect::not_processed(cleartext, over_tls);
    world.judge(findings)
}

#[when("a client connects to every host of the target")]
async fn connect(world: &mut World) -> Step {
    let context = world.context()?;
    let mut missed = None;
    for (host, url) in secure_hosts(world)? {
        let outcome = context.http.handshake(&url).await;
        if let Some(failure) = unfinished(&outcome) {
            missed.get_or_insert_with(|| no_handshake(&host, failure));
        }
        world.handshakes.push(Handshake { host, outcome });
    }
    let is_bad = |h: &Handshake| matches!(h.outcome, Err(HandshakeFailure::Certificate(_)));
    match missed {
        // A certificate that is not valid is a finding, whatever other hosts do.
        Some(obstacle) if !world.handshakes.iter().any(is_bad) => world.need(Err(obstacle)),
        _ => Ok(()),
    }
}

#[then("every certificate is valid")]
fn certificates_valid(world: &mut World) -> Step {
    let findings = world.handshakes.iter().flat_map(expect::certificate_valid).collect();
    world.judge(findings)
}

#[then("TLS 1.3 is agreed on")]
fn current_version(world: &mut World) -> Step {
    let all = &world.handshakes;
    if let Some(Handshake { host, outcome: Err(failure) }) = all.first()
        && all.iter().all(|handshake| handshake.outcome.is_err())
    {
        let obstacle = no_handshake(host, failure);
        return world.need(Err(obstacle));
    }
    let findings = world.handshakes.iter().flat_map(expect::current_version).collect();
    world.judge(findings)
}

/// Why there was no handshake, where that says nothing about the certificate.
fn unfinished(outcome: &Result<TlsVersion, HandshakeFailure>) -> Option<&HandshakeFailure> {
    outcome.as_ref().err().filter(|failure| !matches!(failure, HandshakeFailure::Certificate(_)))
}

/// A host with which there was no handshake can be judged neither way.
fn no_handshake(host: &str, failure: &HandshakeFailure) -> Obstacle {
    Obstacle::new(format!("to shake hands with {host}"), failure.to_string(), failure.remedy())
}

/// The replies of every host to that version alone. Whether its certificate is valid is another duty.
async fn offer(world: &mut World, version: TlsVersion) -> Step<Vec<(Offer, String)>> {
    let context = world.context()?;
    let mut offers = Vec::new();
    for (host, url) in secure_hosts(world)? {
        let current = context.http.handshake(&url).await;
        if let Some(failure) = unfinished(&current) {
            world.need(Err(no_handshake(&host, failure)))?;
        }
        let reply = context.http.hello(&url, version).await;
        let reply = world.need(reply.map_err(|failure| no_handshake(&host, &failure)))?;
        offers.push((Offer { host, reply }, url));
    }
    Ok(offers)
}

#[given("hosts that answer a client of TLS 1.2")]
async fn answers_tls12(world: &mut World) -> Step {
    let context = world.context()?;
    for (twin, url) in offer(world, TlsVersion::V1_2).await? {
        if !expect::answers_tls12(&twin, context.http.tls_version(&url)) {
            let tried = format!("to offer TLS 1.2 alone to {}", twin.host);
            let remedy = "judge the versions of TLS with another tool";
            return world.need(Err(Obstacle::new(tried, twin.reply.to_string(), remedy)));
        }
    }
    Ok(())
}

#[when(regex = r"^a client offers TLS (1\.0|1\.1) alone$")]
async fn offers_obsolete(world: &mut World, version: String) -> Step {
    let version = if version == "1.0" { TlsVersion::V1_0 } else { TlsVersion::V1_1 };
    let offers = offer(world, version).await?;
    world.offers.extend(offers.into_iter().map(|(offer, _)| offer));
    Ok(())
}

#[then("no host goes on with it")]
fn refuses_obsolete(world: &mut World) -> Step {
    let findings = world.offers.iter().flat_map(expect::refuses_obsolete).collect();
    world.judge(findings)
}

#[then("every answer sets Strict-Transport-Security for a year")]
fn strict(world: &mut World) -> Step {
    let pages = world.recorder.exchanges();
    let pages = pages.iter().filter(|e| expect::can_be_strict(&e.request.url));
    let findings: Vec<_> = pages.map(|page| expect::strict_for_a_year(page)).collect();
    if findings.is_empty() {
        return world
            .not_applicable("the target is on loopback, an IP address, or no https server");
    }
    world.judge(findings.into_iter().flatten().take(1).collect())
}

#[when("the run comes to its end")]
fn at_the_end(_: &mut World) {}

#[then("no redirect led from https to http")]
fn no_downgrade(world: &mut World) -> Step {
    let exchanges = world.of_the_run()?;
    if !exchanges.iter().any(|e| e.request.url.starts_with("https:")) {
        return world.not_applicable(NO_TLS);
    }
    world.judge_run(expect::no_downgrade)
}

/// Methods that only other endpoints support.
fn misdirected(context: &Context) -> Vec<Request> {
    let asked = |method: &str, name: &str| {
        let url = context.facts.endpoint(name)?;
        Some(Request { method: method.into(), ..Request::get(url) })
    };
    let posted = [
        "token_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "pushed_authorization_request_endpoint",
    ];
    let gets = posted.iter().filter_map(|name| asked("GET", name));
    gets.chain(asked("PUT", "authorization_endpoint")).collect()
}

#[when("the endpoints are asked with methods of other endpoints")]
async fn ask_misdirected(world: &mut World) -> Step {
    let context = world.context()?;
    for request in misdirected(&context) {
        world.send(request).await?;
    }
    Ok(())
}

#[then("every answer of the run with status 405 has Allow")]
fn lists_allowed_methods(world: &mut World) -> Step {
    let is_405 = |e: &Exchange| e.response().is_some_and(|r| r.status == 405);
    if !world.of_the_run()?.iter().any(|e| is_405(e)) {
        return world.not_applicable("no endpoint answered 405");
    }
    world.judge_run(expect::lists_allowed_methods)
}
