//! Small servers with a login each, as the reference server has none.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use authspec::target::login::otp::Totp;
use authspec::target::profile::Target;
use jiff::Timestamp;
use reference_server::seeds;
use url::Url;
use url::form_urlencoded::{byte_serialize, parse};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::variable;

/// How the login of a server goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Name and password on one page, then the code.
    Plain,
    /// The authorization endpoint does not exist.
    NoPage,
    /// The sign-in page has no form.
    NoForm,
    /// A second page asks for a one-time code.
    SecondFactor,
    /// .. and takes each code once.
    SingleUse,
    /// .. and shows an error whatever the code.
    RefusesCode,
    /// The first page asks for the one-time code as well.
    AllAtOnce,
    /// Approval leads to the consent page.
    ConsentLoop,
    /// After the sign-in the user is at home.
    Home,
    /// The request is refused at the client.
    RefusesRequest,
    /// The sign-in is another server's.
    Elsewhere,
    /// The sign-in answers with the callback in JSON.
    JsonCallback,
    /// .. with the next page in JSON.
    JsonNext,
    /// .. with no more than that it succeeded.
    JsonDone,
    /// Calls of a script sign in.
    Api,
    /// .. and ask for a second factor.
    ApiSecondFactor,
    /// .. and others decide.
    ApiConsent,
    /// Whoever is signed in is sent back at once, with another cookie for his session.
    RenewsSession,
}

struct App {
    manner: Manner,
    /// The query of the last authorization request.
    query: Mutex<String>,
    used: Mutex<BTreeSet<String>>,
    /// How often the session was renewed.
    renewed: AtomicUsize,
}

/// Starts a server.
pub(crate) async fn start(manner: Manner) -> MockServer {
    let server = MockServer::start().await;
    let app = App {
        manner,
        query: Mutex::default(),
        used: Mutex::default(),
        renewed: AtomicUsize::new(0),
    };
    Mock::given(any()).respond_with(app).mount(&server).await;
    server
}

/// That server as a target, with more of a profile.
pub(crate) fn target(server: &MockServer, rest: &str) -> Target {
    super::target(&server.uri(), &profile(server, rest))
}

/// The tables that every profile of such a server has, and more.
pub(crate) fn profile(server: &MockServer, rest: &str) -> String {
    let issuer = server.uri();
    format!(
        "[endpoints]\nauthorization_endpoint = \"{issuer}/authorize\"\ntoken_endpoint = \"{issuer}/token\"\n{rest}"
    )
}

fn page(body: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body.to_owned(), "text/html; charset=utf-8")
}

fn to(location: &str) -> ResponseTemplate {
    ResponseTemplate::new(302).insert_header("Location", location)
}

const SIGN_IN: &str = "<form method=post action=/login><input type=hidden name=csrf value=0123456789abcdef>\
    <input name=username><input type=password name=password>";
const OTP: &str = "<form method=post action=/otp><input name=otp inputmode=numeric><button>Verify</button></form>";
const CONSENT: &str =
    "<form method=post action=/consent><button name=decision value=allow>Allow</button></form>";

impl App {
    fn callback(&self) -> String {
        let query = self.query.lock().unwrap().clone();
        let state =
            parse(query.as_bytes()).find(|(n, _)| n == "state").map(|(_, v)| v.into_owned());
        let state = state.unwrap_or_default();
        let state: String = byte_serialize(state.as_bytes()).collect();
        format!("{}?code=c0de-of-this-login&state={state}", seeds::WEB_REDIRECT_URI)
    }

    fn authorize(&self, request: &Request) -> ResponseTemplate {
        *self.query.lock().unwrap() = request.url.query().unwrap_or_default().to_owned();
        let cookies = request.headers.get("cookie").map(|v| v.to_str().unwrap()).unwrap_or("");
        if cookies.contains("sid=signed-in") {
            return to(&self.callback());
        }
        if self.manner == Manner::RenewsSession {
            return self.renew(cookies);
        }
        match self.manner {
            Manner::NoPage => ResponseTemplate::new(404),
            Manner::NoForm => page("<h1>Loading</h1>"),
            Manner::RefusesRequest => {
                to(&format!("{}?error=invalid_scope", seeds::WEB_REDIRECT_URI))
            }
            Manner::Elsewhere => to("https://idp.example.test/login?request=1"),
            Manner::Api | Manner::ApiSecondFactor | Manner::ApiConsent => {
                to("/app/login?interaction_id=i-4711-abcdef")
            }
            _ => to("/login?request=1"),
        }
    }

    /// Only the cookie of the last answer is good.
    fn renew(&self, cookies: &str) -> ResponseTemplate {
        let now = self.renewed.load(Ordering::SeqCst);
        if cookies != format!("sid=renewed-{now:04}-times") {
            return to("/login?request=1");
        }
        let next = self.renewed.fetch_add(1, Ordering::SeqCst) + 1;
        to(&self.callback())
            .insert_header("Set-Cookie", format!("sid=renewed-{next:04}-times; Path=/"))
    }

    fn sign_in(&self, request: &Request) -> ResponseTemplate {
        let fields: Vec<_> = parse(&request.body).into_owned().collect();
        let has = |name: &str, value: &str| fields.iter().any(|(n, v)| n == name && v == value);
        let is_alice = has("username", "alice") && has("password", seeds::ALICE_PASSWORD);
        let code = fields.iter().find(|(n, _)| n == "otp").map(|(_, v)| v.as_str());
        if !is_alice || self.manner == Manner::AllAtOnce && !self.takes(code) {
            return ResponseTemplate::new(401)
                .set_body_raw(format!("{SIGN_IN}<button>Sign in</button></form>"), "text/html");
        }
        match self.manner {
            Manner::SecondFactor | Manner::SingleUse | Manner::RefusesCode => to("/otp"),
            Manner::ConsentLoop => to("/consent"),
            Manner::Home => to("/home"),
            Manner::JsonCallback => ResponseTemplate::new(200)
                .set_body_json(serde_json::json!({ "redirect": self.callback() })),
            Manner::JsonNext => ResponseTemplate::new(200)
                .set_body_json(serde_json::json!({ "redirectTo": "/continue" })),
            Manner::JsonDone => ResponseTemplate::new(200)
                .insert_header("Set-Cookie", "sid=signed-in; Path=/")
                .set_body_json(serde_json::json!({ "ok": true })),
            _ => to(&self.callback()),
        }
    }

    /// The one-time code is right, and new where each is taken once.
    fn takes(&self, code: Option<&str>) -> bool {
        let secret = if self.manner == Manner::SingleUse { "SHORT_TOTP" } else { "TOTP" };
        let totp = Totp::read(&variable(secret).unwrap()).unwrap();
        let now = totp.period_of(Timestamp::now().as_second().try_into().unwrap());
        let is_right = code
            .is_some_and(|code| [now, now - 1].map(|p| totp.code(p)).contains(&code.to_owned()));
        is_right
            && (self.manner != Manner::SingleUse
                || self.used.lock().unwrap().insert(code.unwrap_or_default().to_owned()))
    }

    fn api_sign_in(&self, request: &Request) -> ResponseTemplate {
        let json: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let is_asked = json["interaction"] == "i-4711-abcdef" && json["csrf"] == "csrf-of-the-page";
        if !is_asked {
            return ResponseTemplate::new(500);
        }
        if json["email"] != "alice" || json["password"] != seeds::ALICE_PASSWORD {
            let error = serde_json::json!({ "error": "invalid_credentials" });
            return ResponseTemplate::new(401).set_body_json(error);
        }
        if self.manner == Manner::ApiSecondFactor
            && json["otp"].as_str().is_none_or(|c| !self.takes(Some(c)))
        {
            return ResponseTemplate::new(200)
                .set_body_json(serde_json::json!({ "twoFactorRedirect": true }));
        }
        ResponseTemplate::new(200)
            .insert_header("X-Csrf-Token", "csrf-of-the-answer")
            .insert_header("Set-Cookie", "half=cookie-of-the-answer; Path=/")
            .set_body_json(serde_json::json!({ "session": { "token": "t0ken-of-the-answer" } }))
    }

    fn api_finish(&self, request: &Request) -> ResponseTemplate {
        let header = |name: &str| request.headers.get(name).map(|v| v.to_str().unwrap().to_owned());
        let is_right = header("authorization").as_deref() == Some("Bearer t0ken-of-the-answer")
            && header("x-csrf-token").as_deref() == Some("csrf-of-the-answer")
            && header("x-half").as_deref() == Some("cookie-of-the-answer");
        match is_right {
            true if self.manner == Manner::ApiConsent => ResponseTemplate::new(200)
                .set_body_json(serde_json::json!({ "url": "/app/consent?ticket=t1" })),
            true => ResponseTemplate::new(200)
                .set_body_json(serde_json::json!({ "url": self.callback() })),
            false => ResponseTemplate::new(403),
        }
    }

    fn api_consent(&self, request: &Request) -> ResponseTemplate {
        let json: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let origin = request.headers.get("origin").map(|v| v.to_str().unwrap());
        if json["ticket"] != "t1" || origin.is_none() {
            return ResponseTemplate::new(403);
        }
        let denied = format!("{}?error=access_denied", seeds::WEB_REDIRECT_URI);
        let url = if json["accept"] == true { self.callback() } else { denied };
        ResponseTemplate::new(200).set_body_json(serde_json::json!({ "url": url }))
    }
}

impl Respond for App {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let url: &Url = &request.url;
        let otp = if self.manner == Manner::AllAtOnce { "<input name=otp>" } else { "" };
        match (request.method.as_str(), url.path()) {
            ("GET", "/authorize") => self.authorize(request),
            ("GET", "/login") => page(&format!("{SIGN_IN}{otp}<button>Sign in</button></form>")),
            ("POST", "/login") => self.sign_in(request),
            ("POST", "/token") => ResponseTemplate::new(200)
                .insert_header("Cache-Control", "no-store")
                .set_body_json(serde_json::json!({
                    "access_token": "an-access-token-of-this-server", "token_type": "Bearer",
                    "expires_in": 300, "scope": "openid profile"
                })),
            ("GET", "/otp") => page(OTP),
            ("POST", "/otp") if self.manner == Manner::RefusesCode => page("<h1>Bad code</h1>"),
            ("POST", "/otp") => {
                let fields: Vec<_> = parse(&request.body).into_owned().collect();
                let code = fields.iter().find(|(n, _)| n == "otp").map(|(_, v)| v.as_str());
                if self.takes(code) { to(&self.callback()) } else { page(OTP) }
            }
            ("GET", "/consent") => page(CONSENT),
            ("POST", "/consent") => to("/consent"),
            ("GET", "/home") => page("<h1>Welcome, Alice</h1>"),
            ("GET", "/continue") => to(&self.callback()),
            ("GET", "/app/login") => page(
                "<form><input type=hidden name=csrf value=csrf-of-the-page></form><script></script>",
            ),
            ("POST", "/api/sign-in") => self.api_sign_in(request),
            ("POST", "/api/finish") => self.api_finish(request),
            ("GET", "/app/consent") => page("<script></script>"),
            ("POST", "/api/consent") => self.api_consent(request),
            _ => ResponseTemplate::new(404),
        }
    }
}
