//! What the operator of the target finds in his log.

use std::collections::BTreeSet;

use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::{ALICE, BROWSER, blocking, endpoints, seeds, shown, target, trial};

/// A page whose script asks this server and another one before there is a form.
fn page(other: &str) -> String {
    format!(
        "<!doctype html><link rel=stylesheet href=/style.css><img src={other}/pixel.png><main></main><script>
(async () => {{
  const own = await (await fetch('/api/moved')).text();
  const other = await (await fetch('{other}/api/plain')).text();
  const away = await (await fetch('/api/away')).text();
  const asked = await (await fetch('{other}/api/asked', {{ headers: {{ 'X-Own': '1' }} }})).text();
  const seen = navigator.userAgent.includes('authspec/');
  document.querySelector('main').innerHTML = `<form method=post action=/login><input name=username>
    <input type=password name=password><input type=hidden name=state value=${{new URLSearchParams(location.search).get('state')}}>
    <button>Sign in ${{own}} ${{other}} ${{away}} ${{asked}} ${{seen}}</button></form>`;
}})();
</script>"
    )
}

async fn own(other: String) -> MockServer {
    let server = MockServer::start().await;
    let answer = move |request: &Request| {
        let text =
            |body: &str| ResponseTemplate::new(200).set_body_raw(body.to_owned(), "text/html");
        let to = |place: String| ResponseTemplate::new(302).insert_header("Location", place);
        match request.url.path() {
            "/api/away" => to(format!("{other}/api/plain")),
            "/authorize" => text(&page(&other)),
            "/api/moved" => to("/api/own".into()),
            "/api/own" => text("own"),
            "/login" => {
                let fields = url::form_urlencoded::parse(&request.body);
                let state = fields.into_owned().find(|(n, _)| n == "state").unwrap().1;
                to(format!("/done?state={state}"))
            }
            "/done" => {
                let query = request.url.query().unwrap_or_default();
                to(format!("{}?code=c0de-of-this-login&{query}", seeds::WEB_REDIRECT_URI))
            }
            "/style.css" => {
                ResponseTemplate::new(200).set_body_raw("main { color: red }", "text/css")
            }
            _ => ResponseTemplate::new(404),
        }
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// A server that lets pages of others read what they ask plainly, or with a field that it names.
async fn another() -> MockServer {
    let server = MockServer::start().await;
    let answer = |request: &Request| {
        let answer = ResponseTemplate::new(200).insert_header("Access-Control-Allow-Origin", "*");
        match (request.method.as_str(), request.url.path()) {
            ("OPTIONS", "/api/asked") => {
                answer.insert_header("Access-Control-Allow-Headers", "x-own")
            }
            ("OPTIONS", _) => ResponseTemplate::new(404),
            _ => answer.set_body_string("other"),
        }
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// Method, path, traceparent and User-Agent of each request that a server got.
async fn got(server: &MockServer) -> Vec<(String, String, String, String)> {
    let field = |request: &Request, name: &str| {
        let value = request.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let all = server.received_requests().await.unwrap();
    let all = all.iter().map(|request| {
        let path = request.url.path().to_owned();
        (
            request.method.to_string(),
            path,
            field(request, "traceparent"),
            field(request, "user-agent"),
        )
    });
    all.collect()
}

/// What both servers got in one login, and whether it worked.
fn requests(is_marked: bool) -> [Vec<(String, String, String, String)>; 2] {
    blocking(async {
        let other = another().await;
        let own = own(other.uri()).await;
        let login = format!("{ALICE}{BROWSER}origins = [{:?}]\n", other.uri());
        let mut target = target(&own.uri(), &endpoints(&own.uri(), &login));
        target.safety.trace_headers = is_marked;
        let trial = trial(target).await;
        assert!(trial.outcome.is_ok(), "{}", shown(&trial));
        [got(&own).await, got(&other).await]
    })
}

#[test]
fn requests_of_the_browser_name_the_run_and_hinder_no_page() {
    let [own, other] = requests(true);
    let parts = |(_, _, trace, agent): &(String, String, String, String)| {
        let parts: Vec<&str> = trace.split('-').collect();
        assert!(parts.len() == 4 && agent.contains("authspec/"), "{own:#?}");
        (parts[1].to_owned(), parts[2].to_owned())
    };
    let (runs, spans): (BTreeSet<String>, BTreeSet<String>) = own.iter().map(parts).unzip();
    assert_eq!((runs.len(), spans.len()), (1, own.len()), "{own:#?}");
    let run = runs.first().unwrap();
    let agent = format!("authspec/{} (run {}; shared)", env!("CARGO_PKG_VERSION"), &run[..8]);
    assert!(own.iter().all(|(.., own)| own.ends_with(&agent)), "{own:#?}");
    // One of the harness itself, one of the browser.
    let opened: Vec<bool> =
        own.iter().filter(|r| r.1 == "/authorize").map(|r| r.3.starts_with("Mozilla/")).collect();
    assert_eq!(opened, [false, true], "{own:#?}");
    // A field more, and a page would have to ask for leave, which nobody gives.
    let others: Vec<_> = other.iter().map(|r| (r.0.as_str(), r.1.as_str(), r.2.as_str())).collect();
    let asked = others.iter().filter(|r| r.0 == "OPTIONS").count();
    assert!(asked == 1 && others.iter().all(|r| r.2.is_empty()), "{other:#?}");
    assert!(other.iter().all(|r| r.3.ends_with(&agent)), "{other:#?}");
}

#[test]
fn a_browser_is_not_marked_where_nothing_is() {
    let [own, other] = requests(false);
    let all = || own.iter().chain(&other);
    assert!(all().any(|r| r.1 == "/api/own"));
    assert!(all().all(|r| r.2.is_empty() && !r.3.contains("authspec")), "{own:#?}{other:#?}");
}
