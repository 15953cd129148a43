//! Redirect URIs: registered ones that must work, look-alikes that must not.

use cucumber::{then, when};

use super::vectors::{each, flagged, judge_rows};
use crate::expect::{authorization as expect, pages, vectors as judge};
use crate::oauth::redirect_uri::{self as uris, Kind};
use crate::oauth::vectors::{Class, Row, tables};
use crate::world::{Step, Tried, World};

/// The URI that a row makes of `registered`; none if a conforming server accepts what should be
/// refused, since the client registered it or may use any port of it.
fn variant(world: &mut World, row: &Row, registered: &str) -> Step<Option<String>> {
    let context = world.context()?;
    let client = context.client(world.client);
    // RFC 8252 §7.3: a loopback address is the same on every port.
    let own = |uri: &str| {
        client.usable_redirect_uris().any(|registered| {
            registered == uri
                || uris::is_loopback_literal(registered)
                    && without_port(uri) == without_port(registered)
        })
    };
    if row.value == "{other}" {
        let others = context.target.redirect_uris().map(|(_, uri)| uri.to_owned());
        return Ok(others.filter(|uri| Kind::of(uri) != Kind::Cleartext).find(|uri| !own(uri)));
    }
    let uri = uris::instantiate(&row.value, registered);
    let is_fine = own(&uri);
    Ok((row.class == Class::Valid || !is_fine).then_some(uri))
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
    let table = tables().ok().and_then(|tables| tables.get("redirect_uri"));
    let Some(row) = table.and_then(|t| t.rows.iter().find(|row| row.name == name)) else {
        return world.missing(&format!("row \"{name}\" in fixtures/vectors/redirect_uri.toml"));
    };
    match variant(world, row, &registered)? {
        Some(uri) => authorize_with(world, uri).await,
        None => world.not_applicable("the client registered that redirect_uri"),
    }
}

#[when(regex = "^the client asks for each redirect_uri flagged (\\S+)$")]
async fn each_variant(world: &mut World, flag: String) -> Step {
    let rows = flagged(world, "redirect_uri", &flag)?;
    let registered = match rows.first().and_then(|row| row.on) {
        None => world.context()?.client(world.client).redirect_uri().to_owned(),
        Some(kind) => {
            let registered = choose_kind(world, kind)?;
            works_verbatim(world, &registered).await?;
            registered
        }
    };
    world.noted.clone_from(&registered);
    each(world, rows.into_iter().map(|row| (row.name.clone(), row)), async |world, row| {
        match variant(world, row, &registered)? {
            Some(uri) => authorize_with(world, uri).await.map(|()| None),
            None => Ok(None),
        }
    })
    .await
}

#[when(
    regex = "^the client asks for each representative redirect_uri with each trigger flagged (\\S+)$"
)]
async fn each_trigger(world: &mut World, flag: String) -> Step {
    let registered = world.context()?.client(world.client).redirect_uri().to_owned();
    let (uris, triggers) =
        (flagged(world, "redirect_uri", "representative")?, flagged(world, "trigger", &flag)?);
    world.noted.clone_from(&registered);
    for trigger in triggers {
        let rows = uris.iter().map(|row| (format!("{}, {}", row.name, trigger.name), *row));
        each(world, rows, async |world, row| {
            let Some(uri) = variant(world, row, &registered)? else { return Ok(None) };
            let mut request = world.request()?;
            request.params.set("redirect_uri", uri);
            trigger.bend(&mut request.params);
            // A page that asks a stranger to sign in is an answer, too.
            let sent = if flag == "logged-out" {
                world.open(request).await
            } else {
                world.authorize(request).await
            };
            sent.map(|()| None)
        })
        .await?;
    }
    Ok(())
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

#[then("each redirect_uri is answered as its row says")]
fn answered_by_class(world: &mut World) -> Step {
    let (base, registered) = (world.noted.clone(), registered(world)?);
    judge_rows(world, |Tried { row, flow, .. }| {
        let uri = flow.redirect_uri();
        let is_same_place = uris::is_loopback_literal(&base) && uris::is_same_place(&base, uri);
        judge::redirect_uri(row, &flow.landing, uri, &registered, is_same_place)
    })
}

#[then("no answer leaves the authorization server")]
fn nothing_leaves(world: &mut World) -> Step {
    let registered = registered(world)?;
    judge_rows(world, |Tried { row, flow, .. }| {
        judge::named(&row.name, expect::page_reject(&flow.landing, &registered))
    })
}

#[then("the browser stays with the authorization server")]
fn stays(world: &mut World) -> Step {
    let flow = world.flow()?;
    world.judge_refusal(expect::page_reject(&flow.landing, &[]))
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

#[then("no page links to any of them")]
fn not_linked(world: &mut World) -> Step {
    judge_rows(world, |Tried { row, flow, .. }| {
        let findings = pages::not_linked(&flow.landing.exchange, flow.redirect_uri());
        judge::named(&row.name, findings)
    })
}

#[then("the user sees a page with status 400")]
fn error_page(world: &mut World) -> Step {
    let (context, flow) = (world.context()?, world.flow()?);
    let to_push = context.facts.endpoint("pushed_authorization_request_endpoint");
    if to_push == Some(flow.landing.exchange.request.url.as_str()) {
        return world.not_applicable("the request was refused when it was pushed: no user saw it");
    }
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
