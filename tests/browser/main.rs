//! The browser rung with the system's Chromium, end to end and on loopback. Needs Chromium: by its
//! usual names on `PATH`, or named by `CHROMIUM`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail at any line")]

use std::path::Path;
use std::rc::Rc;

mod judged;
mod marks;

use authspec::model::report::Report;
use authspec::model::requirement::Profile;
use authspec::model::verdict::Status;
use authspec::plan::Filter;
use authspec::run::{Options, audit_blocking};
use authspec::target::profile::Target;
use authspec::trial::{Trial, try_login};
use authspec::world::context::Clock;
use reference_server::{Config, seeds};
use url::form_urlencoded::parse;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

const ALICE: &str = "[user]\nusername = \"alice\"\npassword = \"env:PASSWORD\"\n";

fn variable(name: &str) -> Option<String> {
    match name {
        "PASSWORD" => Some(seeds::ALICE_PASSWORD.into()),
        "WRONG" => Some("not the password".into()),
        _ =>
        {
            #[expect(clippy::disallowed_methods, reason = "the browser is the system's")]
            std::env::var(name).ok()
        }
    }
}

fn target(issuer: &str, rest: &str) -> Target {
    target_of(issuer, seeds::WEB_REDIRECT_URI, rest)
}

fn target_of(issuer: &str, redirect_uri: &str, rest: &str) -> Target {
    let text = format!(
        "issuer = {issuer:?}\n[[clients]]\nid = \"web\"\nredirect_uris = [{redirect_uri:?}]\nscope = \"openid profile\"\n{rest}",
    );
    Target::parse("target.toml", &text, &variable).unwrap()
}

/// The tables that every profile of a server of ours has.
fn endpoints(issuer: &str, rest: &str) -> String {
    format!(
        "[endpoints]\nauthorization_endpoint = \"{issuer}/authorize\"\ntoken_endpoint = \"{issuer}/token\"\n{rest}"
    )
}

/// A target whose login is a page of ours.
fn of(server: &MockServer, rest: &str) -> Target {
    let issuer = server.uri();
    target(&issuer, &endpoints(&issuer, rest))
}

fn blocking<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

async fn trial(target: Target) -> Trial {
    let trial = try_login(target).await.unwrap_or_else(|obstacle| panic!("{obstacle}"));
    if let Err((_, obstacle)) = &trial.outcome
        && obstacle.came_back.contains("no browser: none of")
    {
        panic!("Chromium is missing: {}", obstacle.came_back);
    }
    trial
}

fn audit(target: Target, tags: &str) -> Report {
    let filter = Filter { tags: Some(tags.into()), ..Filter::default() };
    let options = Options { target, profile: Profile::Baseline, filter, clock: Clock::default() };
    let outcome = audit_blocking(options, Rc::new(()));
    outcome.unwrap_or_else(|f| panic!("{f:?}")).report
}

fn shown(trial: &Trial) -> String {
    format!("{trial:#?}")
}

/// How the pages of a server are made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Script makes the form and posts JSON; the next page of the same document asks for consent.
    Script,
    /// .. after a while.
    Late,
    /// .. in two steps, on a page that also wants things of others.
    Steps,
    /// The answer is posted to the client by a form.
    FormPost,
    /// There is nothing on the page.
    Empty,
    /// As [`Self::Script`], on a page of its own; what is no request for a code gets an error page
    /// whose status is that of a success.
    Redirect,
}

struct App {
    manner: Manner,
    client: &'static str,
}

const SCRIPT: &str = r#"<!doctype html><title>Login</title><div id=app></div><script>
const app = document.getElementById('app');
const state = new URLSearchParams(location.search).get('state');
const make = (html) => { app.innerHTML = html; };
const post = (path, body) => fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
setTimeout(() => {
  make('<input id=who placeholder=Name><input id=pw type=password><div role=button id=eye>Show</div><button id=go disabled>Log in</button><p id=error></p>');
  app.addEventListener('input', () => { const go = document.getElementById('go'); if (go) go.disabled = !document.getElementById('pw').value; });
  document.getElementById('go').onclick = async () => {
    const answer = await post('/api/sign-in', { name: who.value, password: pw.value });
    if (!answer.ok) { document.getElementById('error').textContent = 'no'; return; }
    make('<h1>Share your profile?</h1><button id=no>Cancel</button><button id=yes>Allow</button>');
    document.getElementById('yes').onclick = async () => {
      location.href = (await (await post('/api/consent', { state })).json()).goto;
    };
  };
}, 300);
</script>"#;

const STEPS: &str = r#"<!doctype html><img src=http://127.0.0.1:9/pixel.png><form onsubmit="event.preventDefault(); next()">
<input id=first><a href=# id=more onclick="document.getElementById('second').hidden = false">Go on</a>
<input id=second type=password hidden><button hidden></button></form><script>
async function next() {
  const state = new URLSearchParams(location.search).get('state');
  const body = JSON.stringify({ name: first.value, password: second.value });
  if ((await fetch('/api/sign-in', { method: 'POST', body })).ok) {
    location.href = (await (await fetch('/api/consent', { method: 'POST', body: JSON.stringify({ state }) })).json()).goto;
  }
}
</script>"#;

impl App {
    fn callback(&self, state: &str) -> String {
        format!("{}?code=c0de-of-this-login&state={state}", self.client)
    }
}

impl Respond for App {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let page =
            |body: &str| ResponseTemplate::new(200).set_body_raw(body.to_owned(), "text/html");
        let json: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let query = request.url.query().unwrap_or_default().to_owned();
        let state =
            parse(query.as_bytes()).find(|(n, _)| n == "state").map(|(_, v)| v.into_owned());
        match (request.method.as_str(), request.url.path()) {
            ("GET", "/authorize") if self.manner == Manner::Redirect => {
                match query.contains("response_type=code&") {
                    true => ResponseTemplate::new(302)
                        .insert_header("Location", format!("/sign-in?{query}")),
                    false => page("<h1>An error has occurred</h1><p>Of that kind there is none.</p>"),
                }
            }
            ("GET", "/sign-in") => page(SCRIPT),
            ("POST", "/token") => ResponseTemplate::new(200).set_body_json(serde_json::json!({
                "access_token": "t0ken-of-this-login-and-n0-other", "token_type": "Bearer", "expires_in": 60
            })),
            ("GET", "/authorize") => match self.manner {
                Manner::Script | Manner::Redirect => page(SCRIPT),
                Manner::Late => page(&SCRIPT.replace("300", "4000")),
                Manner::Steps => page(STEPS),
                Manner::Empty => {
                    page("<h1>Welcome</h1><input type=hidden value=hidden-of-the-page>")
                }
                Manner::FormPost => page(&format!(
                    "<form method=post action=/login><input name=username><input type=password name=password>\
                     <input type=hidden name=state value={}><button>Sign in</button></form>",
                    state.unwrap_or_default()
                )),
            },
            ("POST", "/login") => {
                let fields: Vec<_> = parse(&request.body).into_owned().collect();
                let state = &fields.iter().find(|(n, _)| n == "state").unwrap().1;
                page(&format!(
                    "<form id=f method=post action={}><input type=hidden name=code value=c0de-of-this-login>\
                     <input type=hidden name=state value={state}></form><script>document.getElementById('f').submit()</script>",
                    self.client
                ))
            }
            ("POST", "/api/sign-in") => {
                let is_alice = json["name"] == "alice" && json["password"] == seeds::ALICE_PASSWORD;
                ResponseTemplate::new(if is_alice { 200 } else { 401 })
                    .insert_header("Set-Cookie", "sid=signed-in; Path=/")
                    .set_body_json(serde_json::json!({ "ok": is_alice }))
            }
            ("POST", "/api/consent") => {
                let goto = self.callback(json["state"].as_str().unwrap());
                ResponseTemplate::new(200).set_body_json(serde_json::json!({ "goto": goto }))
            }
            _ => ResponseTemplate::new(404),
        }
    }
}

async fn start(manner: Manner) -> MockServer {
    start_for(manner, seeds::WEB_REDIRECT_URI).await
}

async fn start_for(manner: Manner, client: &'static str) -> MockServer {
    let server = MockServer::start().await;
    let app = App { manner, client };
    Mock::given(any()).respond_with(app).mount(&server).await;
    server
}

const BROWSER: &str = "[login]\ndriver = \"browser\"\ntimeout_seconds = 40\n";

#[test]
fn forms_and_consent_of_the_reference_server() {
    let server = authspec::embedded::start(Config::default()).unwrap();
    let trial = blocking(trial(target(server.issuer(), &format!("{ALICE}{BROWSER}"))));
    assert!(trial.outcome.is_ok(), "{}", shown(&trial));
    assert_eq!(trial.driver, "browser");
    let all = shown(&trial);
    assert!(all.contains("password: password") && !all.contains(seeds::ALICE_PASSWORD), "{all}");
}

#[test]
fn an_audit_of_the_reference_server() {
    let server = authspec::embedded::start(Config::default()).unwrap();
    let mut target = target(server.issuer(), &format!("{ALICE}{BROWSER}"));
    target.concurrency = 2;
    let report = audit(target, "@pkce.verifier-mismatch or @token.code-single-use");
    let judged: Vec<_> = report.requirements.iter().filter(|r| r.reason.is_none()).collect();
    assert!(
        !judged.is_empty() && judged.iter().all(|r| r.status == Status::Pass),
        "{:?}",
        report.counts
    );
    // A session that a browser began is used by others, over plain HTTP.
    let scenarios = report.requirements.iter().flat_map(|r| &r.scenarios);
    let lines: Vec<&str> =
        scenarios.flat_map(|s| &s.exchanges).map(|e| e.request_line.as_str()).collect();
    let logins = lines.iter().filter(|l| l.starts_with("POST ") && l.ends_with("/login")).count();
    let flows = lines.iter().filter(|line| line.contains("/authorize?")).count();
    assert!(logins < flows / 2, "{logins} logins for {flows} flows");
    let text = serde_json::to_string(&report).unwrap();
    assert!(!text.contains(seeds::ALICE_PASSWORD));
}

#[test]
fn a_login_that_script_makes() {
    let trial = blocking(async {
        let server = start(Manner::Script).await;
        trial(of(&server, &format!("{ALICE}{BROWSER}"))).await
    });
    assert!(trial.outcome.is_ok(), "{}", shown(&trial));
    let sent: Vec<&String> = trial.steps.iter().flat_map(|s| &s.sent).collect();
    assert_eq!(sent, ["/name: user name", "/password: password", "/state: from the page"]);
}

#[test]
fn a_client_with_a_scheme_of_its_own_and_a_name_that_no_resolver_knows() {
    const CLIENT: &str = "com.example.app:/callback";
    let trial = blocking(async {
        let server = start_for(Manner::Script, CLIENT).await;
        let issuer = format!("http://as.example.test:{}", server.address().port());
        let resolve = "[network]\nresolve = { 'as.example.test' = '127.0.0.1' }\n";
        let rest = endpoints(&issuer, &format!("{resolve}{ALICE}{BROWSER}"));
        trial(target_of(&issuer, CLIENT, &rest)).await
    });
    assert_eq!(trial.outcome.as_deref(), Ok(CLIENT), "{}", shown(&trial));
}

#[test]
fn a_response_that_is_posted() {
    let trial = blocking(async {
        let server = start(Manner::FormPost).await;
        trial(of(&server, &format!("{ALICE}{BROWSER}"))).await
    });
    assert!(trial.outcome.is_ok(), "{}", shown(&trial));
}

#[test]
fn steps_of_the_profile_and_requests_to_others() {
    let steps = "[[login.steps]]\nfill = '#first'\nwith = '{username}'\n\
                 [[login.steps]]\nclick = 'go on'\n\
                 [[login.steps]]\nwait = '#second'\n\
                 [[login.steps]]\nfill = 'second'\nwith = '{password}'\n\
                 [[login.steps]]\npress = 'Enter'\n";
    let trial = blocking(async {
        let server = start(Manner::Steps).await;
        trial(of(&server, &format!("{ALICE}{BROWSER}{steps}"))).await
    });
    assert!(trial.outcome.is_ok(), "{}", shown(&trial));
    let notes: Vec<&String> = trial.steps.iter().flat_map(|s| &s.notes).collect();
    let blocked = "requests that were not sent, to http://127.0.0.1:9 (1)";
    assert!(notes.iter().any(|note| *note == blocked), "{notes:?}");
}

/// A login that fails, and what is kept of it.
fn failure(manner: Manner, rest: &str, folder: &Path) -> (&'static str, String, String) {
    let trial = blocking(async {
        let server = start(manner).await;
        let mut target = of(&server, rest);
        target.login.keep_in(folder);
        trial(target).await
    });
    let (reason, obstacle) = trial.outcome.unwrap_err();
    let picture = std::fs::read(folder.join("login-1.png")).unwrap_or_default();
    assert!(picture.starts_with(b"\x89PNG"), "{obstacle}");
    assert!(obstacle.came_back.contains("login-1.png"), "{obstacle}");
    (reason, obstacle.to_string(), std::fs::read_to_string(folder.join("login-1.html")).unwrap())
}

#[test]
fn a_refused_password_leaves_a_picture_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = format!("{}{BROWSER}", ALICE.replace("PASSWORD", "WRONG"));
    let (reason, obstacle, page) = failure(Manner::Script, &wrong, folder.path());
    assert_eq!(reason, "wrong password", "{obstacle}");
    assert!(page.contains("id=\"pw\"") && !page.contains("not the password"), "{page}");
}

#[test]
fn a_page_without_a_form_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (reason, obstacle, page) =
        failure(Manner::Empty, &format!("{ALICE}{BROWSER}"), folder.path());
    assert_eq!(reason, "field not found", "{obstacle}");
    assert!(page.contains("Welcome") && !page.contains("hidden-of-the-page"), "{page}");
    let absent = format!("{ALICE}{BROWSER}[[login.steps]]\nclick = '#absent'\n");
    let folder = tempfile::tempdir().unwrap();
    let (reason, obstacle, _) = failure(Manner::Empty, &absent, folder.path());
    assert!(
        reason == "field not found" && obstacle.contains("step 1 found no #absent"),
        "{obstacle}"
    );
}

#[test]
fn an_authorization_request_is_opened_once() {
    let trial = blocking(async {
        let server = start(Manner::Redirect).await;
        trial(of(&server, &format!("{ALICE}{BROWSER}"))).await
    });
    assert!(trial.outcome.is_ok(), "{}", shown(&trial));
    let opened = trial.steps.iter().filter(|step| step.head.contains("/authorize?")).count();
    assert_eq!(opened, 1, "{}", shown(&trial));
    let last = trial.steps.last().unwrap();
    assert_eq!(last.notes, ["a browser went through these pages"], "{}", shown(&trial));
}

#[test]
fn a_browser_that_is_not_there_is_named() {
    let trial = blocking(async {
        let server = start(Manner::Script).await;
        trial(of(&server, &format!("{ALICE}{BROWSER}browser = '/nonexistent/chromium'\n"))).await
    });
    let (reason, obstacle) = trial.outcome.unwrap_err();
    assert_eq!(reason, "page not found");
    assert!(obstacle.came_back.contains("browser under [login] names /nonexistent/chromium"));
}
