//! The command as users meet it: texts and exit codes.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use authspec::embedded;
use reference_server::{Config, Defect, Policy, Server, seeds};

struct Output {
    code: i32,
    stdout: String,
    stderr: String,
}

fn authspec(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_authspec"))
        .args(arguments)
        .env("AUTHSPEC_TEST_PASSWORD", seeds::ALICE_PASSWORD)
        .env("AUTHSPEC_WRONG_PASSWORD", "not the password")
        .env_remove("NO_COLOR")
        .output()
        .unwrap();
    Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs an audit with reports in a folder of its own and expects that none is written.
fn refused(arguments: &[&str], code: i32, fragments: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let reports = folder.path().join("reports");
    let mut all = vec!["run"];
    all.extend(arguments);
    all.extend(["--reports", reports.to_str().unwrap()]);
    let output = authspec(&all);
    assert_eq!(output.code, code, "{arguments:?}\n{}\n{}", output.stdout, output.stderr);
    for fragment in fragments {
        assert!(output.stderr.contains(fragment), "{fragment} is missing in:\n{}", output.stderr);
    }
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    let written = std::fs::read_dir(&reports).map_or(0, Iterator::count);
    assert_eq!(written, 0, "a report was written");
}

fn server(policy: Policy) -> Server {
    embedded::start(Config { policy, ..Config::default() }).unwrap()
}

/// Answers every request with the same octets.
fn always(answer: &'static str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address.to_string()
}

const CLIENT: [&str; 4] = ["--client-id", seeds::WEB, "--redirect-uri", seeds::WEB_REDIRECT_URI];
const LOGIN: [&str; 4] = ["--username", seeds::ALICE, "--password-env", "AUTHSPEC_TEST_PASSWORD"];

#[test]
fn the_default_run_audits_the_reference_server_and_writes_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let output = authspec(&["--reports", folder.path().to_str().unwrap()]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("token.code-single-use (MUST, critical)"));
    assert!(output.stdout.contains("gate      passed"));
    assert!(!output.stdout.contains('\u{1b}'), "colour in a pipe");
    let run = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(run.join("run.json")).unwrap()).unwrap();
    assert_eq!(report["gate"]["passed"], true);
    assert_eq!(report["requirements"].as_array().unwrap().len(), 275);
    assert!(output.stdout.contains(run.join("run.json").to_str().unwrap()));
}

#[test]
fn an_issuer_is_audited_and_a_violation_fails_the_gate() {
    let server = server(Policy::with("CodeReusable".parse::<Defect>().unwrap()));
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = vec!["run", server.issuer(), "--reports", folder.path().to_str().unwrap()];
    arguments.extend(CLIENT);
    arguments.extend(LOGIN);
    arguments.extend(["--scope", "openid profile", "--id", "token.code-single-use"]);
    let output = authspec(&arguments);
    assert_eq!(output.code, 1, "{}{}", output.stdout, output.stderr);
    for fragment in [
        "FAIL token.code-single-use",
        "expected  no token and error=",
        "actual    200",
        "exchange ",
        "to change",
        "filter    --id",
    ] {
        assert!(output.stdout.contains(fragment), "{fragment} is missing in:\n{}", output.stdout);
    }
    assert!(!output.stdout.contains(seeds::ALICE_PASSWORD));
}

#[test]
fn a_profile_file_names_the_target() {
    let server = server(Policy::conformant());
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("target.toml");
    let text = format!(
        "issuer = {:?}\n[[clients]]\nid = \"web\"\nredirect_uris = [{:?}]\n[user]\nusername = \"alice\"\npassword = \"env:AUTHSPEC_TEST_PASSWORD\"\n",
        server.issuer(),
        seeds::WEB_REDIRECT_URI
    );
    std::fs::write(&profile, text).unwrap();
    let reports = folder.path().join("reports");
    let output = authspec(&[
        "run",
        "--target",
        profile.to_str().unwrap(),
        "--tags",
        "@tokenresp and @must",
        "--reports",
        reports.to_str().unwrap(),
    ]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("tokenresp.no-store"));
}

#[test]
fn a_dead_host_is_named() {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let issuer = format!("http://127.0.0.1:{port}");
    let mut arguments = vec![issuer.as_str()];
    arguments.extend(CLIENT);
    refused(
        &arguments,
        3,
        &["to connect to", "no connection to 127.0.0.1", "check that the server is up"],
    );
}

#[test]
fn a_tls_failure_is_named() {
    let issuer =
        format!("https://{}", always("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
    let mut arguments = vec![issuer.as_str()];
    arguments.extend(CLIENT);
    refused(&arguments, 3, &["TLS", "check scheme and port of the issuer"]);
}

#[test]
fn metadata_that_is_no_json_is_named() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
    let issuer = format!("http://{}", always(answer));
    let mut arguments = vec![issuer.as_str()];
    arguments.extend(CLIENT);
    refused(&arguments, 3, &["a page came back where a JSON object should be", "200 text/html"]);
}

#[test]
fn a_host_without_metadata_is_no_issuer() {
    let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let issuer = format!("http://{}", always(answer));
    let mut arguments = vec![issuer.as_str()];
    arguments.extend(CLIENT);
    refused(&arguments, 3, &["check the issuer, path included"]);
}

#[test]
fn a_wrong_client_or_redirect_uri_is_named() {
    let server = server(Policy::conformant());
    let elsewhere = "https://other.example.test/callback";
    for (client, uri, cure) in [
        ("nobody", seeds::WEB_REDIRECT_URI, "register the client, or correct id"),
        (seeds::WEB, elsewhere, "register https://other.example.test/callback for the client"),
    ] {
        let mut arguments = vec![server.issuer(), "--client-id", client, "--redirect-uri", uri];
        arguments.extend(LOGIN);
        refused(&arguments, 3, &["400 text/html", cure]);
    }
}

#[test]
fn a_wrong_password_is_named_and_not_repeated() {
    let server = server(Policy::conformant());
    let mut arguments = vec![server.issuer()];
    arguments.extend(CLIENT);
    arguments.extend(["--username", seeds::ALICE, "--password-env", "AUTHSPEC_WRONG_PASSWORD"]);
    refused(&arguments, 3, &["check user name and password: the sign-in form came back"]);
}

#[test]
fn a_missing_login_is_named() {
    let server = server(Policy::conformant());
    let mut arguments = vec![server.issuer()];
    arguments.extend(CLIENT);
    refused(&arguments, 3, &["--username and --password-env"]);
}

#[test]
fn a_profile_with_an_unknown_key_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("target.toml");
    std::fs::write(&profile, "issuer = \"https://as.example.test\"\nissure = \"x\"\n").unwrap();
    refused(
        &["--target", profile.to_str().unwrap()],
        2,
        &["target.toml:2: unknown field `issure`", "issuer"],
    );
    refused(&["--target", "/nonexistent/target.toml"], 2, &["cannot read the target profile"]);
}

#[test]
fn an_unwritable_report_folder_is_named_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output =
        authspec(&["run", "--reports", Path::new(&file).join("reports").to_str().unwrap()]);
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("cannot write to the report folder"), "{}", output.stderr);
    assert!(output.stdout.is_empty());
}

#[test]
fn options_that_miss_something_are_usage_errors() {
    for arguments in [
        vec!["run", "https://as.example.test"],
        vec!["run", "https://as.example.test", "--client-id", "web"],
        vec![
            "run",
            "as.example.test",
            "--client-id",
            "web",
            "--redirect-uri",
            "https://app.example.test/cb",
        ],
        vec!["run", "--no-such-option"],
        vec!["--tags", "@must", "list"],
        vec!["run", "--scope", "openid"],
        vec!["lst"],
        vec!["serve", "--defect", "NoSuchDefect"],
    ] {
        let output = authspec(&arguments);
        assert_eq!(output.code, 2, "{arguments:?} {}", output.stderr);
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn list_shows_level_severity_and_requests() {
    let output = authspec(&["list", "--tags", "@token.code-single-use"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let line = output.stdout.lines().find(|l| l.starts_with("token.code-single-use")).unwrap();
    assert!(line.contains("MUST") && line.contains("critical"), "{line}");
}

#[test]
fn defects_are_listed_with_what_they_violate() {
    let output = authspec(&["serve", "--list-defects"]);
    assert_eq!(output.code, 0);
    assert_eq!(output.stdout.matches(" violates ").count(), Defect::ALL.len());
    assert!(
        output.stdout.contains("CodeReusable") && output.stdout.contains("token.code-single-use")
    );
}

/// A file of waivers in a folder of its own.
fn waivers(folder: &tempfile::TempDir, text: &str) -> String {
    let path = folder.path().join("waivers.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_waiver_turns_a_finding_into_a_waived_one_and_an_expired_one_does_not() {
    let server = server(Policy::with("CodeReusable".parse::<Defect>().unwrap()));
    let folder = tempfile::tempdir().unwrap();
    let reports = folder.path().join("reports");
    let audit = |extra: &[&str]| {
        let mut all = vec!["run", server.issuer(), "--id", "token.code-single-use"];
        all.extend(CLIENT);
        all.extend(LOGIN);
        all.extend(["--reports", reports.to_str().unwrap()]);
        all.extend(extra);
        authspec(&all)
    };
    let found = audit(&[]);
    assert_eq!(found.code, 1, "{}{}", found.stdout, found.stderr);
    let (_, pasted) = found.stdout.split_once("--waivers:\n\n").unwrap();
    let left = audit(&["--waivers", &waivers(&folder, pasted)]);
    assert_eq!(left.code, 1, "{}", left.stdout);
    assert!(left.stdout.contains("owner is left to fill in"), "{}", left.stdout);
    let complete = pasted.replacen("expires = \"CHANGE-ME\"", "expires = \"2999-01-31\"", 1);
    let complete = complete.replace("CHANGE-ME", "identity team");
    let waived = audit(&["--waivers", &waivers(&folder, &complete)]);
    assert_eq!(waived.code, 0, "{}{}", waived.stdout, waived.stderr);
    assert!(waived.stdout.contains("1 waived"), "{}", waived.stdout);
    let over = complete.replace("2999-01-31", "2020-01-31");
    let over = audit(&["--waivers", &waivers(&folder, &over)]);
    assert_eq!(over.code, 1);
    assert!(over.stdout.contains("expired on 2020-01-31"), "{}", over.stdout);
    let less = audit(&["--fail-on", "critical", "--waivers", &waivers(&folder, "")]);
    assert!(less.stdout.contains("of severity critical or higher"), "{}", less.stdout);
}

#[test]
fn lint_says_what_a_waiver_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[[waiver]]\nid = \"token.code-single-use\"\nowner = \"iam\"\nreason = \"r\"\nexpires = \"2999-01-01\"\n";
    let good = authspec(&["waivers", "lint", &waivers(&folder, text)]);
    assert_eq!((good.code, good.stdout.trim()), (0, "1 waivers, 0 faults"));
    let bad = text.replace("single-use", "single-user").replace("2999", "1999");
    let bad = authspec(&["waivers", "lint", &waivers(&folder, &bad)]);
    assert_eq!(bad.code, 1);
    assert!(bad.stdout.contains("waivers.toml:1: waiver of token.code-single-user: no such"));
    assert!(bad.stdout.contains("expired on 1999-01-01"), "{}", bad.stdout);
    let none = authspec(&["waivers", "lint", &waivers(&folder, "[[waiver]]\nid = 1\n")]);
    assert_eq!(none.code, 2);
    assert!(none.stderr.contains("waivers.toml:"), "{}", none.stderr);
    assert_eq!(authspec(&["run", "--waivers", "/nowhere/w.toml"]).code, 2);
}
