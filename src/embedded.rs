//! The reference server as a target: what `authspec run` audits when no issuer is named.

pub mod seeded;

use std::sync::Arc;
use std::time::Duration;

use reference_server::{Config, Lifetimes, Server, Serving, seeds};
use serde_json::Map;

use crate::http::Trust;
use crate::oauth::credential::Credential;
use crate::oauth::dcql::Format;
use crate::oauth::key::Key;
use crate::oauth::presentation::Holding;
use crate::target::login::wallet::Wallet;
use crate::target::login::{Login, Rung};
use crate::target::network::Network;
use crate::target::profile::{
    Client, Introspection, OtherResource, Resource, ScopedOperation, Target, User,
};
use crate::target::safety::{Environment, Safety};
use crate::target::secret::Secret;
use crate::world::context::Clock;

/// Scope that every client asks for.
const SCOPE: &str = "openid profile email api:read";

/// Starts a reference server on a free loopback port.
pub fn start(config: Config) -> std::io::Result<Server> {
    reference_server::serve(config)
}

/// A reference server on a free loopback port, with the future that serves.
pub fn bind(config: Config) -> std::io::Result<(Server, Serving)> {
    reference_server::bind(config)
}

/// A running reference server as a target, with all that its seeds provide.
pub fn target(server: &Server) -> Target {
    let client = |id: &str, redirect_uris: &[&str]| Client::new(id, redirect_uris, SCOPE);
    let web = [
        seeds::WEB_REDIRECT_URI,
        seeds::WEB_REDIRECT_URI_WITH_QUERY,
        seeds::WEB_REDIRECT_URI_CLEARTEXT,
    ];
    let api = format!("{}{}", server.issuer(), seeds::RESOURCE_PATH);
    let mut target = Target::new(server.issuer(), client(seeds::WEB, &web));
    if let Some(secured) = server.secured() {
        let hosts = [seeds::HOST, seeds::DEVICE_HOST];
        target.network = Network {
            trust: Trust { authorities: Some(secured.authority.clone()), ..Trust::default() },
            resolve: hosts.map(|host| (host.to_owned(), secured.address.ip())).into(),
            cleartext_port: Some(secured.cleartext_port),
            ..Network::default()
        };
    }
    // Under the names of its hosts, too.
    target.safety = Safety::of(Environment::Development);
    (target.pace, target.concurrency) = (Duration::ZERO, 16);
    target
        .clients
        .push(client(seeds::NATIVE, &[seeds::NATIVE_REDIRECT_URI, seeds::NATIVE_REDIRECT_URI_V6]));
    target.clients.push(client(seeds::MOBILE, &[seeds::MOBILE_REDIRECT_URI]));
    target.user = Some(User::new(seeds::ALICE, Secret::new(seeds::ALICE_PASSWORD)));
    target.second_user = Some(User::new(seeds::BOB, Secret::new(seeds::BOB_PASSWORD)));
    target.resource =
        Some(Resource { url: format!("{api}/profile"), method: "GET".into(), status: 200 });
    target.scoped_operation = Some(ScopedOperation {
        url: format!("{api}/notes"),
        method: "POST".into(),
        status: 201,
        scope: "api:write".into(),
    });
    let files = format!("{}{}", server.issuer(), seeds::OTHER_RESOURCE_PATH);
    target.other_resource = Some(OtherResource { indicator: Some(files.clone()), scope: None });
    target.introspection = Some(Introspection {
        client_id: seeds::RESOURCE_SERVER.into(),
        client_secret: Secret::new(seeds::RESOURCE_SERVER_SECRET),
    });
    target.forbidden_scope = Some(seeds::FORBIDDEN_SCOPE.into());
    target.resource_indicators = vec![api, files];
    target.lifetimes.refresh_token_seconds = Some(Lifetimes::default().refresh_token);
    target.post_logout_redirect_uri = Some(seeds::POST_LOGOUT_REDIRECT_URI.into());
    target.allowed_origin = Some(seeds::ALLOWED_ORIGIN.into());
    target.leeway = Duration::from_secs(1);
    target
}

/// The same target where users sign in with a credential from a wallet of that format.
///
/// The error says why the seeded key of the issuer makes no wallet.
pub fn by_wallet(mut target: Target, format: Format) -> Result<Target, String> {
    let key = Key::read(seeds::CREDENTIAL_ISSUER_KEY)?;
    let holder = Key::generate().ok_or("no key can be made")?;
    let claims = |email: &str| Map::from_iter([("email".to_owned(), email.into())]);
    let credential_type = match format {
        Format::SdJwtVc => seeds::CREDENTIAL_VCT,
        Format::JwtVp => seeds::CREDENTIAL_VC_TYPE,
    };
    let credential = Credential::Issued {
        issuer: seeds::CREDENTIAL_ISSUER.into(),
        key: Arc::new(key),
        credential_type: Some(credential_type.into()),
    };
    let holding = Holding { credential, holder: Arc::new(holder), format };
    target.login = Login::by(Rung::Wallet(Wallet::new(holding, claims(seeds::ALICE_EMAIL))));
    target.user = Some(User::unnamed());
    target.second_user = Some(User { claims: Some(claims(seeds::BOB_EMAIL)), ..User::unnamed() });
    Ok(target)
}

/// The server's clock, which the run advances instead of waiting.
pub fn clock(server: &Server) -> Clock {
    let clock = server.clock().clone();
    let theirs = i64::try_from(clock.now()).unwrap_or(i64::MAX);
    let ours = Clock::advanced_by(move |duration| clock.advance(duration));
    // An earlier audit may have advanced it; a second may also end between two looks.
    match theirs - ours.now() {
        -1..=1 => {}
        ahead => ours.follow(ahead),
    }
    ours
}
