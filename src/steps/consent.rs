//! The consent page: who may send its form, and what approval covers.

use cucumber::{given, then, when};

use crate::expect::interaction as expect;
use crate::expect::token_response::known_scope;
use crate::http::cookies::Initiator;
use crate::http::user_agent::UserAgent;
use crate::model::exchange::Request;
use crate::model::verdict::{Deviation, Obstacle, Weight};
use crate::oauth::authorization::AuthorizationRequest;
use crate::oauth::params::Params;
use crate::oauth::random;
use crate::oauth::redirect_uri::{FOREIGN_HOST, Kind};
use crate::oauth::token::TokenResponse;
use crate::target::login::intent::Act;
use crate::world::interaction::{AT_ONCE, BEFORE_APPROVAL, NOWHERE};
use crate::world::{Step, World};

/// The first value of a scope, and whether there is another one.
pub(super) fn narrow(scope: &str) -> (&str, bool) {
    scope.split_once(' ').map_or((scope, false), |(first, _)| (first, true))
}

/// Brings the user before the consent page of that request; says whether there is one.
async fn reaches_consent(world: &mut World, request: AuthorizationRequest) -> Step<bool> {
    world.wait_at(request, BEFORE_APPROVAL).await?;
    Ok(world.intent.as_ref().is_some_and(|intent| intent.act == Act::Decide))
}

#[given("a user who is about to approve")]
async fn about_to_approve(world: &mut World) -> Step {
    // Consent that was given before may be remembered; an OpenID provider can be asked to ask again.
    let is_asked = world.context()?.facts.oidc;
    for prompt in [is_asked.then_some("consent"), None] {
        let mut request = world.request()?;
        if let Some(prompt) = prompt {
            request.params.set("prompt", prompt);
        }
        let scope = request.params.value("scope").unwrap_or_default().to_owned();
        request.params.set("scope", narrow(&scope).0);
        world.take_new_browser();
        if reaches_consent(world, request).await? {
            return Ok(());
        }
        let landing = world.flow()?.landing;
        if landing.exchange.response().is_none_or(|r| r.status < 500) {
            return world.not_applicable("no consent page is shown");
        }
    }
    let landing = world.flow()?.landing;
    let remedy = "see the server's log: it fails where it should ask for consent";
    world.need(Err(Obstacle::new("to reach the consent page", landing.gist(), remedy)))
}

#[given("a user who has not approved the client")]
async fn never_approved(world: &mut World) -> Step {
    let clients = world.context()?.target.clients.len();
    world.take_new_browser();
    for client in 0..clients {
        world.client = client;
        let request = world.request()?;
        if reaches_consent(world, request).await? {
            return Ok(());
        }
    }
    world.not_applicable("no client meets a consent page: earlier approvals are remembered")
}

#[given("another user who approved one scope alone")]
async fn approved_one_scope(world: &mut World) -> Step {
    let context = world.context()?;
    let Some(user) = context.target.second_user.clone() else {
        return world.not_applicable("no second user is configured");
    };
    let mut request = world.request()?;
    let scope = request.params.value("scope").unwrap_or_default().to_owned();
    let (first, has_more) = narrow(&scope);
    if !has_more {
        return world.not_applicable("the client asks for one scope value only");
    }
    request.params.set("scope", first);
    world.take_new_browser();
    let wire = world.wire(&request).await?;
    let by = Initiator::CrossSite;
    world.walk(request.clone(), wire, by, Some(&user), BEFORE_APPROVAL).await?;
    let Some(intent) = world.intent.take() else {
        return world.not_applicable("no consent page is shown: an earlier approval is remembered");
    };
    let form = world.form_of(intent)?;
    world.walk(request, form, Initiator::SameSite, Some(&user), NOWHERE).await?;
    let landing = world.flow()?.landing;
    if landing.code().is_some() {
        return Ok(());
    }
    let remedy = "check name and password of [second_user], and that he may use the first client";
    world.need(Err(Obstacle::new("a sign-in of the second user", landing.gist(), remedy)))
}

#[given("another browser on the same page")]
async fn other_browser(world: &mut World) -> Step {
    world.put_aside()?;
    about_to_approve(world).await
}

/// The form of the other user's page as somebody else can send it: his own values, and none that
/// guards the form where `is_bare`.
fn forged(own: &Request, is_bare: bool) -> Request {
    let mut request = own.clone();
    if is_bare {
        let guards = ["csrf", "xsrf", "token", "nonce", "forgery", "authenticity"];
        let is_guard = |name: &str| guards.iter().any(|g| name.to_ascii_lowercase().contains(g));
        let fields = Params::decode(&own.text());
        let kept = fields.iter().filter(|(name, _)| !is_guard(name));
        request.body = Params::new(kept).encode().into_bytes();
    }
    request.headers.push(("Origin".into(), format!("https://{FOREIGN_HOST}")));
    request.headers.push(("Sec-Fetch-Site".into(), "cross-site".into()));
    request
}

#[when(regex = "^a foreign site makes the first browser send (its form|its form without guards)$")]
async fn forge(world: &mut World, form: String) -> Step {
    let intent = world.intent()?;
    let own = world.form_of(intent)?;
    let victim = world.other()?;
    let wire = forged(&own, form.ends_with("guards"));
    world.flows.clear();
    // First as browsers hold cookies back, then with all of them: that tells who stopped it.
    for initiator in [Initiator::CrossSite, Initiator::SameSite] {
        world.agent = victim.agent.clone();
        world.walk(victim.request.clone(), wire.clone(), initiator, None, NOWHERE).await?;
    }
    Ok(())
}

#[when("another browser sends his approval")]
async fn approve_elsewhere(world: &mut World) -> Step {
    let intent = world.intent()?;
    let form = world.form_of(intent)?;
    let request = world.flow()?.request;
    world.put_aside()?;
    world.agent = UserAgent::default();
    world.walk(request, form, Initiator::SameSite, None, NOWHERE).await
}

#[when(expr = "the browser sends the authorization request by {word}")]
async fn by_method(world: &mut World, method: String) -> Step {
    let context = world.context()?;
    let mut request = world.request()?;
    let scope = request.params.value("scope").unwrap_or_default().to_owned();
    request.params.set("scope", narrow(&scope).0);
    if context.facts.oidc {
        request.params.set("prompt", "consent");
    }
    if !reaches_consent(world, request.clone()).await? {
        return world.not_applicable("the same request by GET meets no consent page");
    }
    world.intent = None;
    world.flows.clear();
    request.params.set("state", random(16));
    let wire = Request { method, ..world.wire(&request).await? };
    world.walk(request, wire, Initiator::SameSite, None, NOWHERE).await
}

#[when(expr = "the user approves with {word} changed on the page")]
async fn approve_changed(world: &mut World, name: String) -> Step {
    let context = world.context()?;
    let intent = world.intent()?;
    let form = world.form_of(intent)?;
    let request = world.flow()?.request;
    let whole = context.client(world.client).scope.clone();
    let other = context.target.clients.get(world.client + 1).map(|c| c.id.clone());
    let value = match name.as_str() {
        "redirect_uri" => format!("https://{FOREIGN_HOST}/cb"),
        "client_id" => other.unwrap_or_else(|| random(12)),
        "response_type" => "token".to_owned(),
        _ if !narrow(&whole).1 => {
            return world.not_applicable("the client asks for one scope value only");
        }
        _ => whole,
    };
    let mut fields = Params::decode(&form.text());
    fields.set(&name, value);
    let wire = Request { body: fields.encode().into_bytes(), ..form };
    world.flows.clear();
    world.walk(request, wire, Initiator::SameSite, None, NOWHERE).await?;
    let flow = world.flow()?;
    if flow.landing.code().is_some() && flow.landing.response.is_some() {
        let redemption = world.redemption(&flow)?;
        world.token_request(&redemption).await?;
    }
    Ok(())
}

#[when(
    regex = "^the user comes back with a (loopback|private-use) redirect_uri after an approval$"
)]
async fn come_back(world: &mut World, kind: String) -> Step {
    let context = world.context()?;
    let found = match kind.as_str() {
        "loopback" => context.target.loopback_literal(),
        _ => context.target.redirect_uri_of_kind(Kind::PrivateUse),
    };
    let Some((client, uri)) = found else {
        return world.not_applicable(format!("no {kind} redirect_uri is registered"));
    };
    world.choose(client).await?;
    let request = || {
        let mut request = context.request(client);
        request.params.set("redirect_uri", uri);
        request
    };
    world.obtain_code(request()).await?;
    world.flows.clear();
    world.wait_at(request(), AT_ONCE).await
}

#[when("the client asks the same without interaction")]
async fn same_without_interaction(world: &mut World) -> Step {
    let mut request = world.flow()?.request;
    request.params.set("prompt", "none");
    world.open(request).await
}

#[when("the client asks for all scopes without interaction")]
async fn all_without_interaction(world: &mut World) -> Step {
    let mut request = world.request()?;
    request.params.set("prompt", "none");
    world.open(request).await?;
    let flow = world.flow()?;
    if flow.landing.code().is_some() {
        let redemption = world.redemption(&flow)?;
        world.token_request(&redemption).await?;
    }
    Ok(())
}

#[then("nothing is approved")]
fn nothing_approved(world: &mut World) -> Step {
    let [.., held_back, with_all] = &world.flows[..] else { return world.missing("two attempts") };
    let (held_back, with_all) = (held_back.landing.clone(), with_all.landing.clone());
    world.judge_refusal(expect::no_code_issued(&held_back, Weight::Failure))?;
    world.judge_refusal(expect::no_code_issued(&with_all, Weight::Warning))
}

#[then("the request stays as it was shown")]
fn as_shown(world: &mut World) -> Step {
    let flow = world.flow()?;
    let landing = &flow.landing;
    world.judge_refusal(expect::still_as_requested(landing, flow.redirect_uri()))?;
    let Some(answer) = world.answers.last().cloned() else { return Ok(()) };
    let Some(tokens) = answer.response().and_then(TokenResponse::read) else {
        let expected = "a code of the client that asked";
        let deviation =
            Deviation::new(expected, format!("a code that it cannot redeem: {}", answer.gist()));
        return world.judge_refusal(vec![deviation.weighing(Weight::Warning).seen_in(&answer)]);
    };
    let asked = flow.request.params.value("scope").unwrap_or_default();
    let granted = known_scope(&tokens);
    // The user himself sent the form: more than he was shown is a warning.
    let findings = expect::scope_within(granted.as_deref(), asked, asked).into_iter();
    world.judge_refusal(findings.map(|d| d.weighing(Weight::Warning).seen_in(&answer)).collect())
}

#[then("no code arrives unless the user decided again")]
fn decided_again(world: &mut World) -> Step {
    let flow = world.flow()?;
    world.need_sight_of_decision(&flow)?;
    let done = flow.way.decided();
    world.judge(expect::no_code_without(&flow.landing, "a decision", done, Weight::Warning))
}

#[then("the user is shown a page before any code")]
fn shown_a_page(world: &mut World) -> Step {
    let flow = world.flow()?;
    world.need_sight_of_decision(&flow)?;
    world.judge(expect::no_code_without(
        &flow.landing,
        "a page for the user",
        false,
        Weight::Warning,
    ))
}

#[then("no scope arrives that the user did not approve")]
fn only_approved_scope(world: &mut World) -> Step {
    let flow = world.flow()?;
    let Some(answer) = world.answers.last().cloned() else {
        let codes = ["access_denied", "invalid_scope", "invalid_request"];
        let codes = [&expect::INTERACTION_ERRORS[..], &codes[..]].concat();
        let uri = flow.redirect_uri();
        return world.judge_refusal(crate::expect::authorization::front_reject(
            &flow.landing,
            uri,
            &codes,
        ));
    };
    let Some(tokens) = answer.response().and_then(TokenResponse::read) else {
        let remedy = "see token.success: a code that was issued could not be redeemed";
        return world.need(Err(Obstacle::new("to redeem the code", answer.gist(), remedy)));
    };
    let asked = flow.request.params.value("scope").unwrap_or_default();
    let granted = tokens.text("scope");
    let findings = expect::scope_within(granted, asked, narrow(asked).0).into_iter();
    world.judge(findings.map(|d| d.seen_in(&answer)).collect())
}
