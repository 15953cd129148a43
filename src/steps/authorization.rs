//! The authorization request: valid, mutated, and what the authorization server did with it.

use cucumber::{then, when};
use tokio::net::TcpListener;

use super::words;
use crate::expect::pages::{EXPRESSION, LINE_BREAK, MARKUP};
use crate::expect::{authorization as expect, check, or_list, pages, response};
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Obstacle, Weight};
use crate::oauth::authorization::AuthorizationRequest;
use crate::oauth::random;
use crate::oauth::redirect_uri::FOREIGN_HOST;
use crate::target::login::driver::Decision;
use crate::target::profile::User;
use crate::target::secret::Secret;
use crate::world::{Flow, Step, World};

/// Time that a server is given to call a listener of ours after it answered.
const CALL_BACK: std::time::Duration = std::time::Duration::from_millis(150);

#[when("the client sends the authorization request")]
async fn send(world: &mut World) -> Step {
    let request = world.request()?;
    world.authorize(request).await
}

#[when("the client posts the authorization request")]
async fn post(world: &mut World) -> Step {
    let request = world.request()?;
    let post = world.posted(&request).await?;
    world.navigate(request, post, true, Decision::Approve).await
}

#[when(expr = "the client sends the authorization request without {word}")]
async fn send_without(world: &mut World, name: String) -> Step {
    let mut request = world.request()?;
    request.params.omit(&name);
    world.authorize(request).await
}

#[when(expr = "the client sends the authorization request with {word} set to {string}")]
async fn send_with(world: &mut World, name: String, value: String) -> Step {
    let mut request = world.request()?;
    request.params.set(&name, value);
    world.authorize(request).await
}

#[when("the browser opens the authorization request")]
async fn open(world: &mut World) -> Step {
    let request = world.request()?;
    world.open(request).await
}

#[when(expr = "the browser opens the authorization request with {word} set to {string}")]
async fn open_with(world: &mut World, name: String, value: String) -> Step {
    let mut request = world.request()?;
    request.params.set(&name, value);
    world.open(request).await
}

#[when(
    regex = "^an unknown client sends the authorization request( with a foreign redirect_uri)?$"
)]
async fn send_unknown_client(world: &mut World, foreign: String) -> Step {
    let mut request = world.request()?;
    request.params.set("client_id", random(12));
    if !foreign.is_empty() {
        request.params.set("redirect_uri", format!("https://{FOREIGN_HOST}/cb"));
    }
    world.authorize(request).await
}

#[when(
    regex = "^the client sends the authorization request with (markup|an expression) in (\\S+)$"
)]
async fn send_planted(world: &mut World, what: String, name: String) -> Step {
    let mut request = world.request()?;
    let planted = if what == "markup" { MARKUP } else { EXPRESSION };
    let value = match (name.as_str(), request.params.value(&name)) {
        // The value must stay recognisable for what it is, or the server never gets to show it.
        ("redirect_uri" | "scope", Some(value)) => format!("{value} {planted}"),
        _ => planted.to_owned(),
    };
    request.params.set(&name, value);
    world.authorize(request.clone()).await?;
    // The same value once more where the server can only answer with an error page.
    if name != "client_id" {
        request.params.set("client_id", random(12));
        world.authorize(request).await?;
    }
    Ok(())
}

#[when(expr = "the client sends the authorization request with a line break in {word}")]
async fn send_line_break(world: &mut World, name: String) -> Step {
    let mut request = world.request()?;
    let value = request.params.value(&name).unwrap_or_default().to_owned();
    request.params.set(&name, format!("{value}{LINE_BREAK}"));
    world.authorize(request).await
}

#[when("the client sends a request_uri on a host that listens")]
async fn send_request_uri(world: &mut World) -> Step {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.and_then(|l| Ok((l.local_addr()?, l)));
    let (address, listener) = world.need(listener.map_err(|e| {
        Obstacle::new("to listen on loopback", e.to_string(), "allow the harness to open a port")
    }))?;
    let mut request = world.request()?;
    request.params.set("request_uri", format!("http://{address}/{}", random(12)));
    let call = tokio::spawn(async move { listener.accept().await.is_ok() });
    world.open(request).await?;
    let called = tokio::time::timeout(CALL_BACK, call).await;
    world.noted = matches!(called, Ok(Ok(true))).to_string();
    Ok(())
}

/// The faults that a redirected error is provoked with.
fn faulty(request: &mut AuthorizationRequest, fault: &str) {
    let params = &mut request.params;
    match fault {
        "an unknown response_type" => params.set("response_type", "conformance_probe"),
        "no response_type" => params.omit("response_type"),
        "nobody signed in" => params.set("prompt", "none"),
        "a plain code_challenge" => {
            params.set("code_challenge", request.code_verifier.as_str());
            params.set("code_challenge_method", "plain");
        }
        _ => {
            params.omit("code_challenge");
            params.omit("code_challenge_method");
        }
    }
}

#[when(
    regex = "^the client sends an authorization request with (no code_challenge|an unknown response_type|no response_type|nobody signed in|a plain code_challenge)$"
)]
async fn send_faulty(world: &mut World, fault: String) -> Step {
    let mut request = world.request()?;
    faulty(&mut request, &fault);
    if fault == "nobody signed in" {
        world.take_new_browser();
        return world.open(request).await;
    }
    world.authorize(request).await
}

#[when("the user signs in with a wrong password and the client asks again")]
async fn wrong_password(world: &mut World) -> Step {
    let context = world.context()?;
    let request = world.request()?;
    let username = context.target.user.as_ref().map(|u| u.username.clone()).unwrap_or_default();
    let user = User::new(username, Secret::new(random(12)));
    let uris = [context.client(world.client).redirect_uri().to_owned()];
    let wire = world.wire(&request).await?;
    let (landing, way) = context
        .drive(&mut world.agent, &world.recorder, wire, &uris, Some(&user), Decision::Approve)
        .await;
    if !way.signed_in {
        return world.not_applicable("no sign-in form is shown");
    }
    world.flows.push(Flow { client: world.client, request, landing, way });
    // Half a sign-in is none: what is left in the browser must not yield a code either.
    let request = world.request()?;
    world.open(request).await
}

#[when("the user denies the request")]
async fn deny(world: &mut World) -> Step {
    decide(world, Decision::Deny).await
}

#[when("the user signs in and is asked to consent")]
async fn approve(world: &mut World) -> Step {
    world.share("sign-in and consent in a new browser", sign_in_and_approve).await
}

async fn sign_in_and_approve(world: &mut World) -> Step {
    world.take_new_browser();
    decide(world, Decision::Approve).await?;
    if world.flow()?.landing.exchange.response().is_none_or(|r| r.status < 500) {
        return Ok(());
    }
    // It fails where it is asked to ask: the pages are there all the same.
    world.take_new_browser();
    world.flows.clear();
    let request = world.request()?;
    world.authorize(request).await
}

async fn decide(world: &mut World, decision: Decision) -> Step {
    let context = world.context()?;
    let mut request = world.request()?;
    // Consent that was given before may be remembered; an OpenID provider can be asked to ask again.
    if context.facts.oidc {
        request.params.set("prompt", "consent");
    }
    let wire = world.wire(&request).await?;
    world.navigate(request, wire, true, decision).await
}

#[then("the browser returns with a code")]
fn returns_with_code(world: &mut World) -> Step {
    world.judge_flows(|flow| expect::code_ok(&flow.landing, flow.redirect_uri()))
}

#[then(expr = "the browser returns with a code or with {word} {word}")]
fn returns_with_code_or(world: &mut World, first: String, second: String) -> Step {
    let flow = world.flow()?;
    let (landing, codes) = (&flow.landing, [first.trim_end_matches(','), second.as_str()]);
    let mut findings = expect::code_ok(landing, flow.redirect_uri());
    if !findings.is_empty() {
        findings = expect::front_reject(landing, flow.redirect_uri(), &codes);
    }
    if landing.response.is_some() {
        let state = flow.request.params.value("state").unwrap_or_default();
        findings.extend(response::state_unchanged(landing, state));
    }
    world.judge(findings)
}

#[then("the authorization server asks the user to sign in")]
fn asks_to_sign_in(world: &mut World) -> Step {
    world.judge_flows(|flow| expect::login_ui(&flow.landing))
}

#[then("no code is delivered")]
fn no_code(world: &mut World) -> Step {
    let flow = world.flow()?;
    // An earlier flow of the scenario may have had its code: only what came since this request counts.
    let state = flow.request.params.value("state").unwrap_or_default();
    let bears = |e: &Exchange| e.request.url.contains(state) || e.request.text().contains(state);
    let exchanges = world.recorder.exchanges();
    let exchanges: Vec<&Exchange> =
        exchanges.iter().map(AsRef::as_ref).skip_while(|e| !bears(e)).collect();
    world.judge_refusal(expect::no_code(&flow.landing, &exchanges, flow.redirect_uri()))
}

#[then(regex = "^the authorization server refuses with (.+)$")]
fn refuses(world: &mut World, codes: String) -> Step {
    let flow = world.flow()?;
    world.judge_refusal(expect::front_reject(&flow.landing, flow.redirect_uri(), &words(&codes)))
}

#[then(regex = "^no token arrives, and a refusal says (.+)$")]
fn no_token_arrives(world: &mut World, codes: String) -> Step {
    let flow = world.flow()?;
    world.judge_refusal(response::no_tokens(&flow.landing))?;
    let findings = expect::front_reject(&flow.landing, flow.redirect_uri(), &words(&codes));
    // A code alone is no token: hybrid types that fall back to `code` are another duty's business.
    let lighter = findings.into_iter().map(|d| d.weighing(Weight::Warning));
    world.judge_refusal(lighter.collect())
}

#[then(regex = "^an error without interaction comes back: (.+)$")]
fn error_without_interaction(world: &mut World, codes: String) -> Step {
    let flow = world.flow()?;
    let mut codes = words(&codes);
    codes.push("invalid_request");
    let comes_back =
        flow.landing.error().is_some_and(|e| codes.contains(&e)) && flow.landing.code().is_none();
    world.judge_refusal(check(comes_back, || {
        let expected = format!("error={} sent to the client", or_list(&codes));
        Deviation::new(expected, flow.landing.gist()).seen_in(&flow.landing.exchange)
    }))
}

#[then("no page contains the markup as markup")]
fn markup_escaped(world: &mut World) -> Step {
    let exchanges = world.recorder.exchanges();
    world.judge(pages::markup_escaped(exchanges.iter().map(AsRef::as_ref)))
}

#[then("no response contains its result")]
fn not_evaluated(world: &mut World) -> Step {
    let exchanges = world.recorder.exchanges();
    world.judge(pages::not_evaluated(exchanges.iter().map(AsRef::as_ref)))
}

#[then("no response carries the injected header")]
fn no_injected_header(world: &mut World) -> Step {
    let exchanges = world.recorder.exchanges();
    world.judge(pages::no_injected_header(exchanges.iter().map(AsRef::as_ref)))
}

#[then("nobody called that host")]
fn nobody_called(world: &mut World) -> Step {
    let called = world.noted == "true";
    world.judge(check(!called, || {
        Deviation::new("no request to the host of request_uri", "a connection from the server")
    }))
}

#[then("every page forbids framing")]
fn forbids_framing(world: &mut World) -> Step {
    for page in super::session::pages(world)? {
        world.judge(pages::forbids_framing(&page))?;
    }
    Ok(())
}

#[then("each grant rests on a decision")]
fn rests_on_decision(world: &mut World) -> Step {
    let context = world.context()?;
    if let Some(flow) = world.flows.last().cloned() {
        world.need_sight_of_decision(&flow)?;
    }
    world.judge_flows(|flow| {
        check(flow.way.decided() || context.met_consent(flow.client), || {
            let actual =
                "a code without a consent page, for manual review: the client may be pre-approved, or the user may have approved it in an earlier run";
            Deviation::new("a decision of the user on a consent page", actual)
                .weighing(Weight::Warning)
                .seen_in(&flow.landing.exchange)
        })
    })
}

#[then("the refusal reaches the client as access_denied")]
fn access_denied(world: &mut World) -> Step {
    let flow = world.flow()?;
    if !flow.way.consented {
        return world.not_applicable("no consent page with a way to refuse is shown; where there is one, name it as deny under [login]");
    }
    let uri = flow.redirect_uri();
    world.judge_refusal(expect::front_reject(&flow.landing, uri, &["access_denied"]))?;
    if flow.landing.response.is_some() {
        let state = flow.request.params.value("state").unwrap_or_default();
        world.judge(response::state_unchanged(&flow.landing, state))?;
    }
    Ok(())
}
