//! What of a run is secret, and what everybody may read.

use std::collections::HashSet;
use std::sync::Arc;

use crate::catalogue::Catalogue;
use crate::model::exchange::Exchange;
use crate::model::redact::Redactor;
use crate::oauth::credential::Credential;
use crate::oauth::key::Key;
use crate::target::profile::Target;
use crate::world::context::Context;

/// A redactor that knows the secrets of the profile, those that the harness made, and those of these
/// exchanges.
pub(crate) fn redactor<'a>(
    context: &Context,
    exchanges: impl Iterator<Item = &'a Arc<Exchange>>,
) -> Redactor {
    let mut redactor = Redactor::new();
    learn_target(&mut redactor, &context.target);
    for (kind, secret) in context.memory.secrets() {
        redactor.learn(kind, &secret);
    }
    // Scenarios share exchanges, and some exchanges belong to none.
    let every = context.http.exchanges();
    let mut seen = HashSet::new();
    for exchange in every.into_iter().chain(exchanges.cloned()) {
        if seen.insert(Arc::as_ptr(&exchange)) {
            redactor.learn_from(&exchange);
        }
    }
    know_ordinary(&mut redactor, context);
    redactor.seal();
    redactor
}

fn learn_target(redactor: &mut Redactor, target: &Target) {
    for user in [&target.user, &target.second_user].into_iter().flatten() {
        redactor.learn_password(user.password.expose());
        if let Some(totp) = &user.totp {
            redactor.learn("otp", &totp.secret());
        }
    }
    if let Some(server) = &target.introspection {
        redactor.learn_password(server.client_secret.expose());
    }
    if let Some(identity) = &target.network.trust.identity {
        let lines = identity.key.lines().filter(|line| !line.starts_with("-----"));
        lines.for_each(|line| redactor.learn("private_key", line.trim()));
    }
    if let Some(credentials) = target.network.tunnel.as_ref().and_then(|p| p.credentials()) {
        redactor.learn_password(credentials);
        if let Some((_, password)) = credentials.split_once(':') {
            redactor.learn_password(password);
        }
    }
    for cookie in target.login.jar().unwrap_or_default().export() {
        redactor.learn("cookie", &cookie.value);
    }
    if let Some(wallet) = target.login.wallet() {
        learn_key(redactor, &wallet.holding.holder);
        match &wallet.holding.credential {
            Credential::Issued { key, .. } => learn_key(redactor, key),
            Credential::Ready(credential) => redactor.learn("vp_token", credential),
        }
    }
}

fn learn_key(redactor: &mut Redactor, key: &Key) {
    if let Some(private) = key.private_part() {
        redactor.learn("private_key", &private);
    }
}

/// The names of the target and the words of the catalogue.
fn know_ordinary(redactor: &mut Redactor, context: &Context) {
    let target = &context.target;
    let users = [&target.user, &target.second_user].into_iter().flatten();
    let resource = target.resource.iter().map(|r| &r.url);
    let operation = target.scoped_operation.iter().flat_map(|o| [&o.url, &o.scope]);
    let clients = target.clients.iter();
    let names = clients.flat_map(|c| [&c.id, &c.scope].into_iter().chain(&c.redirect_uris));
    let endpoints = context.facts.metadata.endpoints();
    [&target.issuer]
        .into_iter()
        .chain(users.map(|user| &user.username))
        .chain(names)
        .chain(resource)
        .chain(operation)
        .chain(&target.resource_indicators)
        .chain(&target.post_logout_redirect_uri)
        .chain(&target.allowed_origin)
        .chain(&target.forbidden_scope)
        .map(String::as_str)
        .chain(target.introspection.iter().map(|server| server.client_id.as_str()))
        .chain(endpoints.into_iter().map(|(_, url)| url))
        .for_each(|text| redactor.know_ordinary(text));
    Catalogue::texts().for_each(|text| redactor.know_ordinary(text));
}
