//! A broken, absent or refuse-everything server never passes.
#![expect(clippy::unwrap_used, reason = "a test may fail at any line")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use authspec::embedded;
use authspec::model::report::Report;
use authspec::model::requirement::Profile;
use authspec::model::verdict::Status;
use authspec::plan::Filter;
use authspec::run::{Failure, Options, audit_blocking};
use authspec::target::profile::{Client, Target};
use authspec::world::context::Clock;
use reference_server::Config;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

fn audit_target(target: Target, clock: Clock, filter: Filter) -> Result<Report, Failure> {
    let options = Options { target, profile: Profile::Baseline, filter, clock };
    audit_blocking(options, Rc::new(()))
}

fn target(issuer: &str) -> Target {
    let client = Client {
        id: "web".into(),
        redirect_uris: vec!["https://app.example.test/callback".into()],
        scope: "openid".into(),
    };
    let mut target = Target::new(issuer, client);
    for name in ["authorization_endpoint", "token_endpoint"] {
        target.endpoints.insert(name.into(), format!("{issuer}/{name}"));
    }
    target
}

/// The audit of a server that answers everything in the same way ends before the first scenario.
fn no_report_from(answer: ResponseTemplate) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(async {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(answer).mount(&server).await;
        server
    });
    let outcome = audit_target(target(&server.uri()), Clock::default(), Filter::default());
    assert!(matches!(outcome, Err(Failure::Preflight(..))), "{outcome:?}");
}

#[test]
fn a_dead_target_gives_no_report() {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let outcome = audit_target(
        target(&format!("http://127.0.0.1:{port}")),
        Clock::default(),
        Filter::default(),
    );
    let Err(Failure::Preflight(obstacle, exchanges)) = outcome else { panic!("{outcome:?}") };
    assert!(obstacle.came_back.contains("no connection"), "{obstacle}");
    assert!(!exchanges.is_empty());
}

#[test]
fn a_target_that_refuses_everything_gives_no_report() {
    no_report_from(
        ResponseTemplate::new(400).set_body_json(serde_json::json!({"error": "invalid_request"})),
    );
}

#[test]
fn a_target_that_fails_or_says_nothing_gives_no_report() {
    for answer in
        [ResponseTemplate::new(500), ResponseTemplate::new(404), ResponseTemplate::new(200)]
    {
        no_report_from(answer);
    }
}

#[test]
fn a_target_that_shows_the_same_page_gives_no_report() {
    no_report_from(
        ResponseTemplate::new(200).set_body_raw("<html><p>hello</p></html>", "text/html"),
    );
}

#[test]
fn a_target_that_redirects_to_itself_or_to_the_client_gives_no_report() {
    no_report_from(ResponseTemplate::new(302).insert_header("location", "/again"));
    let client = "https://app.example.test/callback?code=0123456789abcdef&state=x";
    no_report_from(ResponseTemplate::new(302).insert_header("location", client));
}

/// Reads one request of a connection; `None` at its end.
fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) =
            String::from_utf8_lossy(&line).to_ascii_lowercase().strip_prefix("content-length:")
        {
            length = value.trim().parse().ok()?;
        }
        head.extend_from_slice(&line);
        if line == b"\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    head.extend_from_slice(&body);
    Some(head)
}

/// The server's answer on a connection of its own.
fn forward(upstream: &str, request: &[u8]) -> Vec<u8> {
    let mut server = TcpStream::connect(upstream).unwrap();
    let text = String::from_utf8_lossy(request).replacen("\r\n", "\r\nConnection: close\r\n", 1);
    server.write_all(text.as_bytes()).unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    answer
}

fn refusal() -> Vec<u8> {
    let body = r#"{"error":"invalid_grant"}"#;
    let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close";
    format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A relay that passes `most` requests on and refuses everything after that.
fn relay(upstream: String, most: usize) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let passed = Arc::new(AtomicUsize::new(0));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (upstream, passed) = (upstream.clone(), passed.clone());
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let Some(request) = read_request(&mut reader) else { return };
                let answer = if passed.fetch_add(1, Ordering::Relaxed) < most {
                    forward(&upstream, &request)
                } else {
                    refusal()
                };
                let mut stream = stream;
                let _ = stream.write_all(&answer);
                let _ = stream.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    address
}

#[test]
fn refusals_are_withdrawn_when_the_target_goes_bad_during_the_run() {
    let server = embedded::start(Config::default()).unwrap();
    let upstream = server.issuer().trim_start_matches("http://").to_owned();
    let relay = relay(upstream, 60);
    let mut target = embedded::target(&server);
    target.endpoints.insert("authorization_endpoint".into(), format!("{relay}/authorize"));
    target.endpoints.insert("token_endpoint".into(), format!("{relay}/token"));
    target.concurrency = 1;
    let filter = Filter { tags: Some("@token".into()), ..Filter::default() };
    let report = audit_target(target, embedded::clock(&server), filter).unwrap();
    assert!(!report.gate.passed);
    assert!(!report.with_status(Status::Inconclusive).is_empty());
    let rest_on_refusals = [
        "token.code-missing",
        "token.code-unknown",
        "token.code-single-use",
        "token.grant-type-unknown",
    ];
    for id in report.with_status(Status::Pass) {
        assert!(
            !rest_on_refusals.contains(&id),
            "{id} passed although the target refuses everything"
        );
    }
}
