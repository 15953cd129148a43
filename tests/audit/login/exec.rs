//! `driver = "exec"`: a program of the operator's. It is this test itself, started once more.

use std::io::Read as _;

use authspec::embedded;
use authspec::model::verdict::Status;
use reference_server::{Config, seeds};
use serde_json::Value;

use super::human::Human;
use super::{
    ALICE, assert_no_failure, assert_no_secret, audit, blocking, reference_server, target, trial,
    verdicts,
};

/// A name that no test has, by which the program knows that it is to say nothing of forms.
const BARE: &str = "without-forms";

/// What the program writes to its standard error, with a secret in it.
const COMPLAINT: &str = "typed the password";

/// The program: reads the task and signs in with its own browser. Without a task it does nothing.
#[test]
#[ignore = "the program that the other tests start"]
fn the_program() {
    let mut task = String::new();
    std::io::stdin().read_to_string(&mut task).unwrap();
    let Ok(task) = serde_json::from_str::<Value>(&task) else { return };
    let text = |name: &str| task[name].as_str().unwrap_or_default().to_owned();
    let password = task["password"].as_str().unwrap_or("none was given");
    eprintln!("{COMPLAINT} {password}");
    let decision = if text("decision") == "deny" { "deny" } else { "allow" };
    let answer = blocking(Human::new().sign_in(
        &text("authorization_url"),
        &text("redirect_uri"),
        (&text("user"), password),
        decision,
    ));
    println!(
        "\n{}",
        match answer {
            Ok(callback) if callback.form.is_empty() => {
                serde_json::json!({ "callback_url": callback.url })
            }
            // Only a program that was told of forms answers with one.
            Ok(callback) if std::env::args().any(|argument| argument == BARE) => {
                serde_json::json!({ "callback_url": callback.url })
            }
            Ok(callback) => {
                assert_eq!(text("response_mode"), "form_post");
                let form: serde_json::Map<_, _> =
                    callback.form.into_iter().map(|(n, v)| (n, v.into())).collect();
                serde_json::json!({ "callback_url": callback.url, "form": form })
            }
            Err(error) => serde_json::json!({ "error": error }),
        }
    );
}

fn login(more: &str) -> String {
    login_as(&[], more)
}

fn login_as(arguments: &[&str], more: &str) -> String {
    let own = std::env::current_exe().unwrap();
    let command =
        [own.to_str().unwrap(), "login::exec::the_program", "--exact", "--nocapture", "--ignored"];
    let command = [&command, arguments].concat();
    format!("{ALICE}[login]\ndriver = \"exec\"\ncommand = {command:?}\n{more}")
}

#[test]
fn a_program_signs_in_and_its_code_is_as_good_as_any() {
    let server = reference_server();
    let target = target(server.issuer(), &login("pass_password = true"));
    let report =
        audit(target, "@tokenresp or @token.code-single-use or @authn or @consent or @authzresp");
    assert_no_failure(&report);
    assert_no_secret(&report, &[seeds::ALICE_PASSWORD]);
    let verdicts = verdicts(&report);
    for id in ["tokenresp.no-store", "token.code-single-use", "authzresp.access-denied"] {
        if let Some((status, reason)) = verdicts.get(id) {
            assert!(matches!(status, Status::Pass | Status::NotApplicable), "{id}: {reason}");
        }
    }
    assert_eq!(verdicts["token.code-single-use"].0, Status::Pass);
    for id in ["authn.wrong-credentials", "authn.session-renewed", "consent.per-grant"] {
        if let Some((status, _)) = verdicts.get(id) {
            assert!(matches!(status, Status::NotApplicable | Status::Inconclusive), "{id}");
        }
    }
}

#[test]
fn a_pushed_request_is_opened_by_the_program_alone() {
    let server = embedded::start(Config { par_required: true, ..Config::default() }).unwrap();
    let target = target(server.issuer(), &login("pass_password = true"));
    let trial = blocking(trial(target));
    assert_eq!(trial.outcome.as_deref(), Ok(seeds::WEB_REDIRECT_URI));
    let heads: Vec<&str> = trial.steps.iter().map(|step| step.head.as_str()).collect();
    assert!(heads.iter().any(|head| head.contains("/par")), "{heads:?}");
    assert!(!heads.iter().any(|head| head.contains("/authorize")), "{heads:?}");
}

#[test]
fn an_error_page_that_the_program_saw_is_judged_as_a_refusal() {
    let server = reference_server();
    let more = format!(
        "[[clients]]\nid = {:?}\nredirect_uris = [{:?}]\n{}",
        seeds::NATIVE,
        seeds::NATIVE_REDIRECT_URI,
        login("pass_password = true")
    );
    let report = audit(target(server.issuer(), &more), "@par");
    assert_no_failure(&report);
    let verdicts = verdicts(&report);
    for id in ["par.push-and-use", "par.request-uri-client-bound"] {
        assert_eq!(verdicts[id].0, Status::Pass, "{id}: {}", verdicts[id].1);
    }
}

#[test]
fn a_posted_response_comes_back_as_a_form_or_is_beyond_the_program() {
    let server = reference_server();
    let reason = |arguments: &[&str], server: &reference_server::Server| {
        let login = login_as(arguments, "pass_password = true");
        let report = audit(target(server.issuer(), &login), "@authzresp.form-post");
        assert_no_failure(&report);
        let verdicts = verdicts(&report);
        let (status, reason) = verdicts["authzresp.form-post"];
        assert_eq!(status, Status::NotApplicable, "{reason}");
        reason.to_owned()
    };
    // What was posted was judged; the page that posted it is not seen.
    let whole = reason(&[], &server);
    assert!(whole.contains("nobody sees what he is asked"), "{whole}");
    let bare = reason(&[BARE], &server);
    assert!(bare.contains("the answer of the program holds no form"), "{bare}");
}

#[cfg(unix)]
#[test]
fn a_pushed_request_is_handed_over_with_its_redirect_uri() {
    let server = embedded::start(Config { par_required: true, ..Config::default() }).unwrap();
    // It shows where it should come back to, and gives up.
    let script =
        "sed 's/.*\"redirect_uri\":\"\\([^\"]*\\)\".*/back to \\1/' >&2; echo '{\"error\":\"no\"}'";
    let command = ["/bin/sh", "-c", script];
    let profile = format!("{ALICE}[login]\ndriver = \"exec\"\ncommand = {command:?}\n");
    let (_, obstacle) = blocking(trial(target(server.issuer(), &profile))).outcome.unwrap_err();
    let expected = format!("back to {}", seeds::WEB_REDIRECT_URI);
    assert!(obstacle.came_back.ends_with(&expected), "{obstacle}");
}

#[test]
fn the_password_is_given_only_where_the_profile_says_so() {
    let server = reference_server();
    let trial = blocking(trial(target(server.issuer(), &login(""))));
    let (reason, obstacle) = trial.outcome.unwrap_err();
    assert_eq!(reason, "wrong password", "{obstacle}");
    assert!(obstacle.came_back.contains("typed the password none was given"), "{obstacle}");
}

#[test]
fn what_the_program_says_is_shown_without_secrets() {
    let server = reference_server();
    let profile = login("pass_password = true").replace("alice", "nobody");
    let trial = blocking(trial(target(server.issuer(), &profile)));
    let (_, obstacle) = trial.outcome.unwrap_err();
    assert!(obstacle.came_back.contains(COMPLAINT), "{obstacle}");
    assert!(!obstacle.to_string().contains(seeds::ALICE_PASSWORD), "{obstacle}");
}

#[test]
fn a_program_that_does_not_exist_is_named() {
    let server = reference_server();
    let profile =
        format!("{ALICE}[login]\ndriver = \"exec\"\ncommand = [\"/nonexistent/program\"]\n");
    let trial = blocking(trial(target(server.issuer(), &profile)));
    let (reason, obstacle) = trial.outcome.unwrap_err();
    assert_eq!(reason, "page not found");
    assert!(obstacle.came_back.contains("/nonexistent/program cannot be started"), "{obstacle}");
}

#[cfg(unix)]
#[test]
fn a_program_is_killed_when_its_time_is_over_and_bounded_in_what_it_says() {
    let server = reference_server();
    let with = |script: &str| {
        let command = ["/bin/sh", "-c", script];
        let profile = format!(
            "{ALICE}[login]\ndriver = \"exec\"\ncommand = {command:?}\ntimeout_seconds = 2\n"
        );
        blocking(trial(target(server.issuer(), &profile))).outcome.unwrap_err()
    };
    let (reason, obstacle) = with("exec sleep 60");
    assert_eq!(reason, "timed out", "{obstacle}");
    let (reason, obstacle) = with("head -c 1000000 /dev/zero | tr '\\0' x; echo done >&2");
    assert_eq!(reason, "callback not reached", "{obstacle}");
    assert!(obstacle.came_back.ends_with("on its standard error: done"), "{obstacle}");
}
