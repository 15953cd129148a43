//! The state that all endpoints share, the routes, and what every answer gets.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use aws_lc_rs::hmac;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::header::{ALLOW, CONTENT_LENGTH, DATE, LOCATION, STRICT_TRANSPORT_SECURITY};
use axum::http::{HeaderName, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};

use crate::clock::Clock;
use crate::config::{Config, Login};
use crate::endpoints::{
    api, authorize, cleartext, consent, cors, introspect, login, login_events, logout, metadata,
    par, possession, revoke, token, userinfo, wallet,
};
use crate::http::{header, random, respond, set};
use crate::keys::Keys;
use crate::params::Params;
use crate::policy::Policy;
use crate::seeds;
use crate::state::State;
use crate::wallet::Verifier;

/// What the handlers work with.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) policy: Policy,
    pub(crate) issuer: String,
    /// The http origin beside an https issuer.
    pub(crate) cleartext: Option<String>,
    pub(crate) clock: Clock,
    pub(crate) keys: Keys,
    /// The server in the eyes of wallets.
    pub(crate) verifier: Verifier,
    /// Makes the nonces for DPoP proofs.
    pub(crate) nonce_key: hmac::Key,
    state: Mutex<State>,
}

/// A handle on the [`App`].
pub(crate) type Shared = Arc<App>;

/// The client of a request, for the log.
#[derive(Clone)]
pub(crate) struct LoggedClient(pub(crate) String);

impl App {
    pub(crate) fn new(
        config: Config,
        issuer: String,
        cleartext: Option<String>,
        clock: Clock,
    ) -> io::Result<Self> {
        let keys = Keys::generate(config.signing)?;
        Ok(Self {
            policy: config.policy,
            config,
            issuer,
            cleartext,
            clock,
            keys,
            verifier: Verifier::generate()?,
            nonce_key: hmac::Key::new(hmac::HMAC_SHA256, &rand::random::<[u8; 32]>()),
            state: Mutex::default(),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks something and uses it up under one lock: of concurrent requests only one may win. A
    /// `gap` gives the lock up in between.
    pub(crate) async fn check_and_use<Checked, Used, Error>(
        &self,
        gap: Option<Duration>,
        check: impl FnOnce(&mut State) -> Result<Checked, Error>,
        use_up: impl FnOnce(&mut State, Checked) -> Result<Used, Error>,
    ) -> Result<Used, Error> {
        let Some(gap) = gap else {
            let mut state = self.state();
            let checked = check(&mut state)?;
            return use_up(&mut state, checked);
        };
        let checked = check(&mut self.state())?;
        tokio::time::sleep(gap).await;
        use_up(&mut self.state(), checked)
    }

    pub(crate) fn now(&self) -> u64 {
        self.clock.now().saturating_add_signed(self.policy.clock_error())
    }

    /// The absolute URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// The identifier of the protected API, the audience of access tokens.
    pub(crate) fn resource(&self) -> String {
        self.url(seeds::RESOURCE_PATH)
    }

    /// The identifier of the other resource, which lives elsewhere.
    pub(crate) fn other_resource(&self) -> String {
        self.url(seeds::OTHER_RESOURCE_PATH)
    }

    /// Every resource that a token may be for (RFC 8707).
    pub(crate) fn resources(&self) -> [String; 2] {
        [self.resource(), self.other_resource()]
    }
}

/// The answer to any method that is not among those `allowed`.
fn only(allowed: &'static str) -> impl Handler<((),), Shared> {
    move || async move {
        let mut response = respond(StatusCode::METHOD_NOT_ALLOWED, "", "");
        set(&mut response, ALLOW, allowed);
        response
    }
}

/// Where users sign in. HEAD uses nothing up.
fn login_router(login: Login) -> Router<Shared> {
    match login {
        Login::Password => Router::new()
            .route("/login", get(login::page).post(login::submit))
            .route("/consent", get(consent::page).post(consent::submit)),
        Login::Wallet => Router::new()
            .route("/login", get(wallet::portal))
            .route("/api/login/events", get(login_events::get).head(only("GET")))
            .route("/api/login/socket", get(login_events::socket).head(only("GET")))
            .route(
                "/oid4vp/auth-request/{reference}",
                get(wallet::request_object).head(only("GET")),
            )
            .route("/oid4vp/auth-response", post(wallet::present)),
    }
}

/// All endpoints.
pub(crate) fn router(app: Shared) -> Router {
    let resources = Router::new()
        .route("/userinfo", get(userinfo::get).post(userinfo::post))
        .route("/api/profile", get(api::profile))
        .route("/api/notes", post(api::add_note))
        .route_layer(middleware::from_fn_with_state(app.clone(), possession::guard));
    Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata::metadata))
        .route("/.well-known/openid-configuration", get(metadata::metadata))
        .route("/.well-known/oauth-protected-resource/api", get(metadata::protected_resource))
        .route("/jwks", get(metadata::jwks))
        // HEAD does not fall back to GET.
        .route(
            "/authorize",
            get(authorize::get)
                .post(authorize::post)
                .head(authorize::other)
                .fallback(authorize::other),
        )
        .route("/par", post(par::post))
        .route("/token", post(token::post).get(token::get).head(only("POST")))
        .route("/revoke", post(revoke::post).get(only("POST")))
        .route("/introspect", post(introspect::post))
        .route("/logout", get(logout::get).post(logout::post).head(only("GET, POST")))
        .route("/logout/confirm", post(logout::confirm))
        .merge(resources)
        .merge(login_router(app.config.login))
        .route("/health", get(|| async { respond(StatusCode::OK, "text/plain", "ok") }))
        .layer(middleware::from_fn_with_state(app.clone(), finish))
        .with_state(app)
}

/// The same endpoints on the cleartext port, behind the refusal of cleartext.
pub(crate) fn cleartext_router(app: Shared) -> Router {
    router(app.clone()).layer(middleware::from_fn_with_state(app, cleartext::upgrade))
}

/// Request id, CORS, log line.
async fn finish(
    axum::extract::State(app): axum::extract::State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let length = header(request.headers(), &CONTENT_LENGTH).and_then(|l| l.parse().ok());
    let breaks = app.policy.breaks_on(&path, &query, length.unwrap_or(0));
    let asked = cors::Asked::of(request.headers(), &method, &path);
    let mut response = match &asked {
        Some(asked) if asked.preflight && cors::answers_preflight(&app, &path) => {
            cors::preflight(&app)
        }
        _ if breaks => {
            let _ = to_bytes(request.into_body(), usize::MAX).await;
            respond(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "internal error")
        }
        _ => next.run(request).await,
    };
    if let Some(asked) = &asked {
        cors::allow(&app, asked, &mut response);
    }
    for (name, value) in app.policy.headers_from_parameters(&path, &query) {
        if let Ok(name) = HeaderName::try_from(name) {
            set(&mut response, name, &value);
        }
    }
    set(&mut response, HeaderName::from_static("x-content-type-options"), "nosniff");
    transport(&app, &path, &mut response);
    if let Some(error) = app.policy.date_error(&path) {
        let date = UNIX_EPOCH + Duration::from_secs(Clock::system().saturating_add_signed(error));
        set(&mut response, DATE, &httpdate::fmt_http_date(date));
    }
    let id = random();
    if app.policy.sends_request_id() {
        set(&mut response, HeaderName::from_static("x-request-id"), &id);
    }
    if app.config.logging {
        log(&method, &path, &id, &query, &response);
    }
    response
}

/// What the answer says about transport.
fn transport(app: &App, path: &str, response: &mut Response) {
    if response.status() == StatusCode::METHOD_NOT_ALLOWED
        && !app.policy.lists_allowed_methods(path)
    {
        response.headers_mut().remove(ALLOW);
    }
    let Some(cleartext) = &app.cleartext else { return };
    if let Some(value) = app.policy.strict_transport_security(path) {
        set(response, STRICT_TRANSPORT_SECURITY, value);
    }
    if let Some(location) = header(response.headers(), &LOCATION) {
        let next = app.policy.next_page(location, cleartext);
        set(response, LOCATION, &next);
    }
}

fn log(method: &Method, path: &str, id: &str, query: &str, response: &Response) {
    let query = Params::parse(query.as_bytes());
    let of_form = response.extensions().get::<LoggedClient>().map(|c| c.0.as_str());
    let client_id = of_form.or_else(|| query.get("client_id")).unwrap_or_default();
    tracing::info!(%method, path, status = response.status().as_u16(), request_id = id, client_id, "answered");
}
