//! `driver = "manual"`: a person at the terminal, played by this test.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use reference_server::seeds;

use super::human::Human;
use super::{blocking, reference_server};

struct Session {
    child: Child,
    /// Lines of standard error.
    lines: mpsc::Receiver<String>,
    _folder: tempfile::TempDir,
}

fn start(issuer: &str, client: &str, redirect_uri: &str, arguments: &[&str]) -> Session {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("target.toml");
    let text = format!(
        "issuer = {issuer:?}\n[[clients]]\nid = {client:?}\nredirect_uris = [{redirect_uri:?}]\n[login]\ndriver = \"manual\"\ntimeout_seconds = 60\n"
    );
    std::fs::write(&profile, text).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_authspec"))
        .args(arguments)
        .args(["--target", profile.to_str().unwrap()])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let (send, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in stderr.lines().map_while(Result::ok) {
            let _ = send.send(line);
        }
    });
    Session { child, lines, _folder: folder }
}

impl Session {
    /// The next address that the person is shown.
    fn address(&self) -> Option<String> {
        let mut lines = self.lines.iter();
        lines.find(|line| line.starts_with("  http")).map(|line| line.trim().to_owned())
    }

    fn end(mut self) -> (i32, String) {
        drop(self.child.stdin.take());
        let output = self.child.wait_with_output().unwrap();
        (output.status.code().unwrap_or(-1), String::from_utf8(output.stdout).unwrap())
    }
}

async fn callback(url: &str, redirect_uri: &str) -> String {
    let alice = (seeds::ALICE, seeds::ALICE_PASSWORD);
    Human::new().sign_in(url, redirect_uri, alice, "allow").await.unwrap().url
}

#[test]
fn the_person_pastes_the_callback() {
    let server = reference_server();
    let uri = seeds::WEB_REDIRECT_URI;
    let mut session = start(server.issuer(), seeds::WEB, uri, &["login", "test"]);
    let url = session.address().unwrap();
    let callback = blocking(callback(&url, uri));
    let stdin = session.child.stdin.as_mut().unwrap();
    writeln!(stdin, "https://other.example.test/?code=x\n{callback}").unwrap();
    assert!(session.lines.iter().any(|line| line.contains("does not begin with")));
    let (code, output) = session.end();
    assert_eq!(code, 0, "{output}");
    assert!(output.contains("ok        a code arrived at https://app.example.test/callback"));
}

/// The login failed since the server showed an error, as the person said.
fn assert_error_page(session: Session, words: &str) {
    let (code, output) = session.end();
    assert_eq!(code, 3, "{output}");
    assert!(output.contains("failed    refused by the server"), "{output}");
    assert!(
        output.contains(&format!("an error page, as whoever signed in said{words}")),
        "{output}"
    );
}

#[test]
fn the_person_says_that_the_server_showed_an_error() {
    let server = reference_server();
    let uri = seeds::WEB_REDIRECT_URI;
    for (line, words) in [("error", " (after"), ("Error: no such client", ": no such client")] {
        let mut session = start(server.issuer(), seeds::WEB, uri, &["login", "test"]);
        session.address().unwrap();
        assert!(session.lines.iter().any(|line| line.contains("enter error")));
        writeln!(session.child.stdin.as_mut().unwrap(), "{line}").unwrap();
        assert_error_page(session, words);
    }
}

#[test]
fn the_listener_has_a_page_to_say_so() {
    let server = reference_server();
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let uri = format!("http://127.0.0.1:{port}/callback");
    let session = start(server.issuer(), seeds::NATIVE, &uri, &["login", "test"]);
    session.address().unwrap();
    let prompt = session.lines.iter().find(|line| line.contains("enter error")).unwrap();
    let (_, page) = prompt.split_once("or open ").unwrap();
    blocking(async {
        let guessed = reqwest::get(format!("http://127.0.0.1:{port}/error")).await.unwrap();
        assert_eq!(guessed.status(), 404);
        let told = reqwest::get(page).await.unwrap().text().await.unwrap();
        assert!(told.contains("the server showed an error"), "{told}");
    });
    assert_error_page(session, "");
}

#[test]
fn a_listener_hears_the_callback() {
    let server = reference_server();
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let uri = format!("http://127.0.0.1:{port}/callback");
    let session = start(server.issuer(), seeds::NATIVE, &uri, &["login", "test"]);
    let url = session.address().unwrap();
    let page = blocking(async {
        let callback = callback(&url, &uri).await;
        let icon = reqwest::get(format!("http://127.0.0.1:{port}/favicon.ico")).await.unwrap();
        assert_eq!(icon.status(), 404);
        reqwest::get(callback).await.unwrap().text().await.unwrap()
    });
    assert!(page.contains("The answer has arrived"), "{page}");
    let (code, output) = session.end();
    assert_eq!(code, 0, "{output}");
}

#[test]
fn a_run_says_beforehand_how_many_logins_it_needs_and_asks_for_one_at_a_time() {
    let server = reference_server();
    let uri = seeds::WEB_REDIRECT_URI;
    let filter = ["run", "--id", "token.code-single-use", "--id", "pkce.verifier-mismatch"];
    let mut session = start(server.issuer(), seeds::WEB, uri, &filter);
    let announced = session.lines.iter().find(|line| line.contains("at most")).unwrap();
    let most: usize = announced
        .split(' ')
        .find_map(|word| word.parse().ok())
        .unwrap_or_else(|| panic!("no number in {announced}"));
    let mut logins = 0;
    while let Some(url) = session.address() {
        logins += 1;
        let callback = blocking(callback(&url, uri));
        writeln!(session.child.stdin.as_mut().unwrap(), "{callback}").unwrap();
    }
    let (code, output) = session.end();
    assert_eq!(code, 0, "{output}");
    assert!(logins > 2 && logins <= most, "{logins} of at most {most}");
    assert!(!output.contains(seeds::ALICE_PASSWORD));
}
