//! Again and again, for people who develop a server.

use super::running::{Running, until};
use super::*;

#[cfg(unix)]
#[test]
fn a_watch_repeats_what_failed_when_enter_is_pressed_or_a_file_changes() {
    let (folder, server) = (tempfile::tempdir().unwrap(), defective("CodeReusable"));
    let target = profile(&folder.path().join("a.toml"), server.issuer(), "");
    let source = folder.path().join("source");
    std::fs::write(&source, "1").unwrap();
    let ids = ["--id", "token.code-single-use", "--id", "tokenresp.no-store"];
    let arguments = [&["run", "--target", &target, "--watch", "--watch=source"], &ids[..]].concat();
    let mut command = command(folder.path(), &arguments);
    let mut running = Running::start({
        command.stdin(Stdio::piped());
        command
    });
    until("the first run", || runs(folder.path()).len() == 1);
    running.0.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    until("the second run", || runs(folder.path()).len() == 2);
    std::fs::write(&source, "changed").unwrap();
    until("the third run", || runs(folder.path()).len() == 3);
    running.signal("-INT");
    let output = running.end();
    assert_eq!(output.code, 130, "{}", output.stderr);
    let judged = |at: usize| {
        let report = store::read(&runs(folder.path())[at]).unwrap();
        report.requirements.iter().map(|r| r.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(judged(0).len(), 2);
    assert_eq!(judged(1), ["token.code-single-use"]);
    assert_eq!(judged(2), ["token.code-single-use"]);
    assert!(output.stderr.contains("the 1 requirements that failed"), "{}", output.stderr);
}

#[test]
fn a_watch_that_nothing_can_wake_ends() {
    let (folder, server) = (tempfile::tempdir().unwrap(), server(Policy::conformant()));
    let target = profile(&folder.path().join("a.toml"), server.issuer(), "");
    let run = ["run", "--target", &target, "--watch", "--id", "tokenresp.no-store"];
    let found = authspec(folder.path(), &run);
    assert_eq!(found.code, 0, "{}", found.stderr);
    assert!(found.stderr.contains("nothing starts another run"), "{}", found.stderr);
    assert_eq!(authspec(folder.path(), &["run", "--watch"]).code, 2);
    let missing = authspec(folder.path(), &["run", "--target", &target, "--watch=nowhere"]);
    assert!(missing.code == 2 && missing.stderr.contains("nowhere does not exist"));
}

#[test]
fn a_watch_waits_for_a_target_that_is_down() {
    let folder = tempfile::tempdir().unwrap();
    let bind = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let target = profile(&folder.path().join("a.toml"), &format!("http://{bind}"), "");
    let run = ["run", "--target", &target, "--watch", "--id", "tokenresp.no-store"];
    let mut running = Running::start(command(folder.path(), &run));
    running.says("does not answer; waiting until it does\n");
    assert!(runs(folder.path()).is_empty());
    let _server = embedded::start(Config { bind, ..Config::default() }).unwrap();
    let output = running.end();
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    assert!(only_run(folder.path()).gate.passed);
    assert!(!output.stderr.contains("waiting until"), "it is said once: {}", output.stderr);
}
