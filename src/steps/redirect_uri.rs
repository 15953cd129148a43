//! Redirect URIs: registered ones that must work, look-alikes that must not.

use cucumber::{then, when};

use crate::expect::{authorization as expect, pages};
use crate::oauth::authorization::AuthorizationRequest;
use crate::oauth::redirect_uri::{self as uris, Kind};
use crate::world::{Step, World};

/// The URI that the named row of the vector table makes of `registered`.
fn variant(world: &mut World, name: &str, registered: &str) -> Step<String> {
    let rows = uris::vectors().unwrap_or_default();
    let Some(row) = rows.iter().find(|row| row.name == name) else {
        return world.missing(&format!("row \"{name}\" in fixtures/vectors/redirect_uri.toml"));
    };
    Ok(uris::instantiate(&row.uri, registered))
}

/// Sends a request of the acting client with a redirect URI that is not registered.
async fn ask_for(
    world: &mut World,
    name: &str,
    registered: &str,
    mutate: impl FnOnce(&mut AuthorizationRequest),
) -> Step {
    let context = world.context()?;
    let uri = variant(world, name, registered)?;
    let client = context.client(world.client);
    let differs_in_port_only =
        uris::is_loopback_literal(registered) && without_port(&uri) == without_port(registered);
    if client.usable_redirect_uris().any(|registered| registered == uri) || differs_in_port_only {
        return world.not_applicable(format!(
            "{uri} is registered, or equal to a registered loopback URI but for its port"
        ));
    }
    let mut request = context.request(world.client);
    request.params.set("redirect_uri", uri);
    mutate(&mut request);
    world.authorize(request).await
}

/// The URI without the port of its authority; everything else stays.
fn without_port(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let host = authority
        .trim_end_matches(|c: char| c.is_ascii_digit())
        .strip_suffix(':')
        .unwrap_or(authority);
    format!("{scheme}://{host}{rest}")
}

/// Lets the client act that registered a URI of that kind.
fn choose_kind(world: &mut World, kind: Kind) -> Step<String> {
    let context = world.context()?;
    let found = match kind {
        Kind::Loopback => context.target.loopback_literal(),
        kind => context.target.redirect_uri_of_kind(kind),
    };
    let Some((client, uri)) = found else {
        return world.not_applicable("no client registered a redirect URI of that kind");
    };
    world.client = client;
    Ok(uri.to_owned())
}

/// The working twin of a refused variant: the same client's registered URI yields a code.
async fn works_verbatim(world: &mut World, uri: &str) -> Step {
    let context = world.context()?;
    let mut request = context.request(world.client);
    request.params.set("redirect_uri", uri);
    let outcome = context.code(&mut world.agent, &world.recorder, &request).await;
    world.need(outcome).map(|_| ())
}

#[when(expr = "the client asks for the redirect_uri {string}")]
async fn variant_of_main(world: &mut World, name: String) -> Step {
    let registered = world.context()?.client(world.client).redirect_uri().to_owned();
    ask_for(world, &name, &registered, |_| ()).await
}

#[when(expr = "the client asks for the redirect_uri {string} without {word}")]
async fn variant_without(world: &mut World, name: String, parameter: String) -> Step {
    let registered = world.context()?.client(world.client).redirect_uri().to_owned();
    ask_for(world, &name, &registered, |request| request.params.omit(&parameter)).await
}

#[when(expr = "the client asks for the redirect_uri {string} with {word} set to {string}")]
async fn variant_with(world: &mut World, name: String, parameter: String, value: String) -> Step {
    let registered = world.context()?.client(world.client).redirect_uri().to_owned();
    ask_for(world, &name, &registered, |request| request.params.set(&parameter, value)).await
}

#[when(regex = r#"^the client asks for the (https|loopback|private-use) redirect_uri "(.+)"$"#)]
async fn variant_of_kind(world: &mut World, kind: String, name: String) -> Step {
    let kind = match kind.as_str() {
        "https" => Kind::Https,
        "loopback" => Kind::Loopback,
        _ => Kind::PrivateUse,
    };
    let registered = choose_kind(world, kind)?;
    works_verbatim(world, &registered).await?;
    ask_for(world, &name, &registered, |_| ()).await
}

#[when("the client asks for its private-use redirect_uri")]
async fn private_use(world: &mut World) -> Step {
    let uri = choose_kind(world, Kind::PrivateUse)?;
    authorize_with(world, uri).await
}

#[when("the client asks for its cleartext redirect_uri")]
async fn cleartext(world: &mut World) -> Step {
    let context = world.context()?;
    let Some((client, uri)) = context.target.redirect_uri_of_kind(Kind::Cleartext) else {
        return world.not_applicable("no cleartext redirect_uri is configured");
    };
    world.choose(client).await?;
    authorize_with(world, uri.to_owned()).await
}

#[when(expr = "the client asks for its loopback redirect_uri on port {int}")]
async fn loopback_port(world: &mut World, port: u16) -> Step {
    let registered = choose_kind(world, Kind::Loopback)?;
    let uri =
        uris::instantiate(&format!("{{scheme}}://{{host}}:{port}{{path}}{{query}}"), &registered);
    authorize_with(world, uri).await
}

#[when("the client asks for its redirect_uri with a query")]
async fn with_query(world: &mut World) -> Step {
    let context = world.context()?;
    let Some((client, uri)) = context.target.redirect_uris().find(|(_, uri)| uri.contains('?'))
    else {
        return world.not_applicable("no registered redirect_uri has a query");
    };
    world.client = client;
    authorize_with(world, uri.to_owned()).await
}

#[when("each registered redirect_uri is used")]
async fn each_registered(world: &mut World) -> Step {
    let context = world.context()?;
    for (client, configured) in context.target.clients.iter().enumerate() {
        world.client = client;
        for uri in configured.usable_redirect_uris() {
            authorize_with(world, uri.to_owned()).await?;
        }
    }
    Ok(())
}

async fn authorize_with(world: &mut World, uri: String) -> Step {
    let mut request = world.request()?;
    request.params.set("redirect_uri", uri);
    world.authorize(request).await
}

/// Redirect URIs that a conforming server may send this client's user agent to.
fn registered(world: &mut World) -> Step<Vec<String>> {
    let context = world.context()?;
    Ok(context.client(world.client).usable_redirect_uris().map(str::to_owned).collect())
}

#[then("the redirect_uri is refused")]
fn refused(world: &mut World) -> Step {
    let (flow, registered) = (world.flow()?, registered(world)?);
    world.judge_refusal(expect::page_reject(&flow.landing, &registered))
}

#[then("the redirect_uri should be refused")]
fn should_be_refused(world: &mut World) -> Step {
    let (flow, mut registered) = (world.flow()?, registered(world)?);
    registered.push(flow.redirect_uri().to_owned());
    world.judge_refusal(expect::page_reject_or_warn(&flow.landing, &registered))
}

#[then("the browser stays with the authorization server")]
fn stays(world: &mut World) -> Step {
    let flow = world.flow()?;
    world.judge_refusal(expect::page_reject(&flow.landing, &[]))
}

#[then("the browser is never sent to a foreign redirect_uri")]
fn never_foreign(world: &mut World) -> Step {
    let (flow, registered) = (world.flow()?, registered(world)?);
    world.judge_refusal(expect::never_foreign(&flow.landing, &registered, &["invalid_request"]))
}

#[then("the browser is sent to no unregistered place, and to none of several by choice")]
fn omitted(world: &mut World) -> Step {
    let context = world.context()?;
    let (flow, registered) = (world.flow()?, registered(world)?);
    let asks_openid = context.client(world.client).scope.split(' ').any(|s| s == "openid");
    // RFC 6749 §3.1.2.3: one registered URI may be implied, except by OpenID Connect Core §3.1.2.1.
    let is_unambiguous = context.client(world.client).redirect_uris.len() == 1 && !asks_openid;
    let went_home = flow.landing.code().is_some()
        && flow
            .landing
            .response
            .as_ref()
            .is_some_and(|r| registered.iter().any(|uri| r.went_to(uri)));
    if is_unambiguous && went_home {
        return world.judge(vec![]);
    }
    world.judge_refusal(expect::never_foreign(&flow.landing, &registered, &["invalid_request"]))
}

#[then("the page does not link to it")]
fn not_linked(world: &mut World) -> Step {
    let flow = world.flow()?;
    world.judge(pages::not_linked(&flow.landing.exchange, flow.redirect_uri()))
}

#[then("the user sees a page with status 400")]
fn error_page(world: &mut World) -> Step {
    let flow = world.flow()?;
    world.judge_refusal(pages::error_page(&flow.landing))
}

#[then("the browser returns to each with a code")]
fn returns_to_each(world: &mut World) -> Step {
    world.judge_flows(|flow| expect::code_ok(&flow.landing, flow.redirect_uri()))
}

#[then("the browser returns with a code and the registered query")]
fn registered_query(world: &mut World) -> Step {
    let flow = world.flow()?;
    if flow.landing.response.is_none() {
        return world
            .not_applicable("it is refused; authz.redirect-uri.registered-accepted judges that");
    }
    world.judge(expect::code_ok(&flow.landing, flow.redirect_uri()))
}
