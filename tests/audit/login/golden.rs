//! What `authspec login test` prints, for a login that works and for every reason why one does not.

use std::path::Path;
use std::process::{Command, Stdio};

use reference_server::seeds;

use super::server::{Manner, profile, start};
use super::{ALICE, blocking};

fn compare(name: &str, manner: Manner, rest: &str, expected: (i32, &str)) {
    let (code, output) = blocking(async {
        let server = start(manner).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("target.toml");
        let text = format!(
            "issuer = {:?}\n[[clients]]\nid = \"web\"\nredirect_uris = [{:?}]\n{}",
            server.uri(),
            seeds::WEB_REDIRECT_URI,
            profile(&server, rest)
        );
        std::fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap().to_owned();
        let output = tokio::task::spawn_blocking(move || {
            Command::new(env!("CARGO_BIN_EXE_authspec"))
                .args(["login", "test", "--target", &path])
                .env("PASSWORD", seeds::ALICE_PASSWORD)
                .env("WRONG", "not the password")
                .stdin(Stdio::null())
                .output()
                .unwrap()
        });
        let output = output.await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains(seeds::ALICE_PASSWORD) && !text.contains("not the password"));
        (output.status.code().unwrap(), text.replace(&server.uri(), "http://AS"))
    });
    assert_eq!(code, expected.0, "{output}");
    assert!(output.contains(expected.1), "{} is not in\n{output}", expected.1);
    let path = Path::new("tests/audit/login/golden").join(format!("{name}.txt"));
    let golden = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    if golden != output {
        let actual = std::env::temp_dir().join(format!("authspec-login-{name}.txt"));
        std::fs::write(&actual, &output).unwrap();
        panic!(
            "{} differs; what was printed is in {}:\n{output}",
            path.display(),
            actual.display()
        );
    }
}

#[test]
fn ok() {
    compare("ok", Manner::Plain, ALICE, (0, "ok        a code arrived"));
}

#[test]
fn page_not_found() {
    compare("page_not_found", Manner::NoPage, ALICE, (3, "failed    page not found"));
}

#[test]
fn field_not_found() {
    compare("field_not_found", Manner::NoForm, ALICE, (3, "failed    field not found"));
}

#[test]
fn wrong_password() {
    let wrong = ALICE.replace("PASSWORD", "WRONG");
    compare("wrong_password", Manner::Plain, &wrong, (3, "failed    wrong password"));
}

#[test]
fn second_factor_asked() {
    let expected = (3, "failed    second factor asked");
    compare("second_factor_asked", Manner::SecondFactor, ALICE, expected);
}

#[test]
fn consent_loop() {
    compare("consent_loop", Manner::ConsentLoop, ALICE, (3, "failed    consent loop"));
}

#[test]
fn callback_not_reached() {
    let expected = (3, "failed    callback not reached");
    compare("callback_not_reached", Manner::Home, ALICE, expected);
    compare("callback_not_reached_elsewhere", Manner::Elsewhere, ALICE, expected);
}

#[test]
fn timed_out() {
    let manual = "[login]\ndriver = \"manual\"\ntimeout_seconds = 1\n";
    compare("timed_out", Manner::Plain, manual, (3, "failed    timed out"));
}

#[test]
fn refused_by_the_server() {
    let expected = (3, "failed    refused by the server");
    compare("refused_by_the_server", Manner::RefusesRequest, ALICE, expected);
}

#[test]
fn no_user_configured() {
    compare("no_user_configured", Manner::Plain, "", (3, "failed    no user configured"));
}

#[test]
fn a_budget_of_nothing() {
    let none = format!("{ALICE}[login]\nbudget = 0\n");
    compare("not_tried_again", Manner::Plain, &none, (3, "failed    not tried again"));
}
