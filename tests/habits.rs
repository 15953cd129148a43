//! Ways of running: an interruption, logs, metrics, many targets, and again and again.
#![expect(clippy::unwrap_used, reason = "a test may fail at any line")]

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use authspec::embedded;
use authspec::model::report::Report;
use authspec::model::verdict::Status;
use authspec::report::store;
use reference_server::{Config, Defect, Policy, Server, seeds};
use serde_json::Value;

const LONG: Duration = Duration::from_secs(60);

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_authspec"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command.env("AUTHSPEC_TEST_PASSWORD", seeds::ALICE_PASSWORD).env_remove("AUTHSPEC_ISSUER");
    command
}

struct Output {
    code: i32,
    stdout: String,
    stderr: String,
}

fn authspec(folder: &Path, arguments: &[&str]) -> Output {
    output(command(folder, arguments).output().unwrap())
}

fn output(output: std::process::Output) -> Output {
    Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn server(policy: Policy) -> Server {
    embedded::start(Config { policy, ..Config::default() }).unwrap()
}

fn defective(name: &str) -> Server {
    server(Policy::with(name.parse::<Defect>().unwrap()))
}

/// A profile of the server, with more lines at the beginning.
fn profile(path: &Path, issuer: &str, more: &str) -> String {
    let text = format!(
        "issuer = {issuer:?}\n{more}\n[[clients]]\nid = \"web\"\nredirect_uris = [{:?}]\nscope = \"openid profile\"\n\
         [user]\nusername = \"alice\"\npassword = \"env:AUTHSPEC_TEST_PASSWORD\"\n",
        seeds::WEB_REDIRECT_URI
    );
    std::fs::write(path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The folders of the runs, in their order.
fn runs(folder: &Path) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder.join("reports")).into_iter().flatten();
    let mut all: Vec<PathBuf> = all.map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.join("run.json").is_file());
    all.sort();
    all
}

fn only_run(folder: &Path) -> Report {
    let all = runs(folder);
    assert_eq!(all.len(), 1, "{all:?}");
    store::read(&all[0]).unwrap()
}

/// Ends with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn start(mut command: Command) -> Self {
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn signal(&self, name: &str) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Standard error up to these words.
    fn says(&mut self, words: &str) -> String {
        let (stderr, mut told) = (self.0.stderr.as_mut().unwrap(), String::new());
        while !told.contains(words) {
            let mut octets = [0; 4096];
            let length = stderr.read(&mut octets).unwrap();
            assert!(length > 0, "{words} is missing in {told}");
            told.push_str(&String::from_utf8_lossy(&octets[..length]));
        }
        told
    }

    fn end(mut self) -> Output {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        self.0.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
        self.0.stderr.take().unwrap().read_to_end(&mut stderr).unwrap();
        output(std::process::Output { status: self.0.wait().unwrap(), stdout, stderr })
    }
}

/// Waits until something holds.
fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LONG, "{what} did not happen");
        #[expect(clippy::disallowed_methods, reason = "another process needs real time")]
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A relay to the token endpoint that lets so many connections through and then takes its time with each.
struct Slow {
    url: String,
    seen: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl Slow {
    fn to(server: &Server, delay: Duration) -> Self {
        let upstream = server.issuer().trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
        let count = seen.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (server, count) = (TcpStream::connect(&upstream).unwrap(), count.clone());
                let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || {
                    let mut octets = [0; 8192];
                    while let Ok(length @ 1..) = from.read(&mut octets) {
                        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        #[expect(
                            clippy::disallowed_methods,
                            reason = "a slow server needs real time"
                        )]
                        std::thread::sleep(delay);
                        if to.write_all(&octets[..length]).is_err() {
                            break;
                        }
                    }
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
                std::thread::spawn(move || {
                    let (mut server, mut client) = (server, client);
                    let _ = std::io::copy(&mut server, &mut client);
                    let _ = client.shutdown(std::net::Shutdown::Both);
                });
            }
        });
        Self { url, seen }
    }

    fn requests(&self) -> usize {
        self.seen.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// The line of a profile that leads through it.
    fn line(&self) -> String {
        format!("concurrency = 2\nendpoints = {{ token_endpoint = \"{}/token\" }}", self.url)
    }
}

/// Interrupts an audit of the token endpoint after some requests, so many times with that signal.
#[cfg(unix)]
fn interrupted(signal: &str, more: &[&str]) -> (tempfile::TempDir, Slow, Running) {
    let (folder, server) = (tempfile::tempdir().unwrap(), server(Policy::conformant()));
    let slow = Slow::to(&server, Duration::from_millis(150));
    let target = profile(&folder.path().join("slow.toml"), server.issuer(), &slow.line());
    let arguments =
        [&["run", "--target", &target, "--tags", "@token and not @dpop"], more].concat();
    let running = Running::start(command(folder.path(), &arguments));
    until("the audit", || slow.requests() > 6);
    running.signal(signal);
    // The server has to outlive the audit.
    std::mem::forget(server);
    (folder, slow, running)
}

#[cfg(unix)]
#[test]
fn the_first_interruption_ends_a_run_with_a_report_that_says_so() {
    for signal in ["-INT", "-TERM"] {
        let (folder, _slow, running) = interrupted(signal, &["--prometheus", "metrics.prom"]);
        let output = running.end();
        assert_eq!(output.code, 130, "{}{}", output.stdout, output.stderr);
        for fragment in ["no further scenario begins", "interrupt again to end at once"] {
            assert!(output.stderr.contains(fragment), "{}", output.stderr);
        }
        assert!(output.stdout.contains("ended     interrupted"), "{}", output.stdout);
        let report = only_run(folder.path());
        assert!(report.interrupted && !report.gate.passed);
        let not_begun: Vec<_> = report
            .requirements
            .iter()
            .flat_map(|r| &r.scenarios)
            .filter(|s| s.reason.as_ref().is_some_and(|r| r.contains("the run was interrupted")))
            .collect();
        assert!(!not_begun.is_empty());
        for scenario in not_begun {
            assert_eq!((scenario.status, scenario.exchanges.len()), (Status::Inconclusive, 0));
        }
        assert!(
            report.with_status(Status::Fail).is_empty(),
            "{:?}",
            report.with_status(Status::Fail)
        );
        assert!(report.with_status(Status::Error).is_empty());
        let metrics = std::fs::read_to_string(folder.path().join("metrics.prom")).unwrap();
        assert_eq!(sample(&metrics, "authspec_exit_code"), 130.0);
        assert_eq!(sample(&metrics, "authspec_gate_passed"), 0.0);
    }
}

#[cfg(unix)]
#[test]
fn the_second_interruption_ends_at_once_without_a_report() {
    let (folder, slow, mut running) = interrupted("-INT", &["--log", "json"]);
    let told = running.says("no further scenario begins");
    running.signal("-INT");
    let output = running.end();
    assert_eq!(output.code, 130, "{told}{}", output.stderr);
    assert!(
        output.stderr.contains("interrupted twice; no report was written"),
        "{}",
        output.stderr
    );
    assert!(runs(folder.path()).is_empty());
    assert!(slow.requests() > 0);
}

#[cfg(unix)]
#[test]
fn before_the_first_scenario_an_interruption_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let target = profile(&folder.path().join("mute.toml"), &issuer, "");
    let running = Running::start(command(folder.path(), &["run", "--target", &target]));
    let _mute = listener.accept().unwrap();
    running.signal("-INT");
    let output = running.end();
    assert_eq!(output.code, 130, "{}", output.stderr);
    assert!(output.stderr.contains("interrupted; no report was written"), "{}", output.stderr);
    assert!(runs(folder.path()).is_empty());
}

/// The value of the one sample of that name.
fn sample(metrics: &str, name: &str) -> f64 {
    let found: Vec<&str> = metrics
        .lines()
        .filter(|line| {
            line.starts_with(&format!("{name}{{")) || line.starts_with(&format!("{name} "))
        })
        .collect();
    assert_eq!(found.len(), 1, "{name} in {metrics}");
    found[0].rsplit_once(' ').unwrap().1.parse().unwrap()
}

#[test]
fn metrics_and_spans_are_written_where_asked_and_a_failure_leaves_its_exit_code() {
    let (folder, server) = (tempfile::tempdir().unwrap(), defective("CodeReusable"));
    let target = profile(&folder.path().join("a.toml"), server.issuer(), "");
    let arguments =
        ["--prometheus", "m.prom", "--otlp", "spans.jsonl", "--id", "token.code-single-use"];
    let run = [&["run", "--target", &target][..], &arguments].concat();
    let found = authspec(folder.path(), &run);
    assert_eq!(found.code, 1, "{}{}", found.stdout, found.stderr);
    let metrics = || std::fs::read_to_string(folder.path().join("m.prom")).unwrap();
    assert_eq!(sample(&metrics(), "authspec_exit_code"), 1.0);
    assert!(
        metrics().contains("id=\"token.code-single-use\",severity=\"critical\",status=\"fail\"} ")
    );
    let spans = std::fs::read_to_string(folder.path().join("spans.jsonl")).unwrap();
    let first: Value = serde_json::from_str(spans.lines().next().unwrap()).unwrap();
    let span = &first["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(span["traceId"], only_run(folder.path()).trace_id.unwrap());
    assert!(!spans.contains(seeds::ALICE_PASSWORD));
    drop(server);
    let dead = authspec(folder.path(), &run);
    assert_eq!(dead.code, 3, "{}", dead.stderr);
    assert_eq!(sample(&metrics(), "authspec_exit_code"), 3.0);
    assert_eq!(sample(&metrics(), "authspec_gate_passed"), 0.0);
    let sent = authspec(folder.path(), &["run", "--otlp", "https://collector.example.test"]);
    assert_eq!(sent.code, 2);
    assert!(sent.stderr.contains("name a file"), "{}", sent.stderr);
}

#[test]
fn the_log_is_one_object_a_line_and_the_report_stays_on_standard_output() {
    let (folder, server) = (tempfile::tempdir().unwrap(), defective("CodeReusable"));
    let target = profile(&folder.path().join("a.toml"), server.issuer(), "");
    let run = ["run", "--target", &target, "--id", "token.code-single-use", "--log", "json", "-v"];
    let found = authspec(folder.path(), &run);
    assert_eq!(found.code, 1, "{}", found.stderr);
    let events: Vec<Value> =
        found.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| events.iter().filter(|e| e["event"] == name).collect::<Vec<_>>();
    assert_eq!(of("run_started")[0]["requirements"], 1);
    let concluded = of("requirement_concluded");
    assert_eq!(
        (&concluded[0]["id"], &concluded[0]["status"]),
        (&"token.code-single-use".into(), &"fail".into())
    );
    let report = only_run(folder.path());
    let exchanges: usize = report.requirements[0].scenarios.iter().map(|s| s.exchanges.len()).sum();
    assert_eq!(of("exchange").len(), exchanges);
    let end = of("run_finished")[0];
    assert_eq!((&end["exit_code"], &end["run"]), (&1.into(), &report.run.clone().into()));
    for event in &events {
        assert!(event["time"].as_str().unwrap().ends_with('Z') && event["level"].is_string());
    }
    assert!(found.stdout.contains("FAIL token.code-single-use"));
    assert!(
        found.stdout.lines().any(|l| l.contains("POST token_endpoint 200 ")),
        "{}",
        found.stdout
    );
    let wrong = ["run", "--target", "/nonexistent.toml", "--log", "json"];
    let wrong = authspec(folder.path(), &wrong);
    assert_eq!(wrong.code, 2);
    let event: Value = serde_json::from_str(wrong.stderr.trim()).unwrap();
    assert!(event["text"].as_str().unwrap().contains("cannot read the target profile"), "{event}");
    let text = authspec(folder.path(), &["run", "--id", "pkce.metadata-s256", "--log", "text"]);
    assert!(text.stderr.lines().all(|line| line.starts_with("20")), "{}", text.stderr);
}

#[test]
fn quiet_prints_findings_and_the_summary_alone() {
    let (folder, server) = (tempfile::tempdir().unwrap(), defective("CodeReusable"));
    let target = profile(&folder.path().join("a.toml"), server.issuer(), "");
    let found = authspec(folder.path(), &["run", "-q", "--target", &target, "--tags", "@token"]);
    assert_eq!(found.code, 1, "{}{}", found.stdout, found.stderr);
    let report = only_run(folder.path());
    let lines: Vec<&str> = found.stdout.lines().take_while(|l| !l.starts_with("target ")).collect();
    let told: BTreeSet<&str> =
        lines.iter().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert!(told.contains("token.code-single-use"), "{lines:?}");
    assert!(report.with_status(Status::Pass).iter().all(|id| !told.contains(id)), "{lines:?}");
    assert!(found.stdout.contains("gate      failed"));
    assert!(!found.stdout.contains("  duty "), "{}", found.stdout);
    assert_eq!(authspec(folder.path(), &["run", "-q", "-v"]).code, 2);
}

#[test]
fn many_targets_make_a_run_each_and_a_matrix_and_the_worst_code_counts() {
    let folder = tempfile::tempdir().unwrap();
    let tenants = folder.path().join("tenants");
    std::fs::create_dir(&tenants).unwrap();
    let (good, bad) = (server(Policy::conformant()), defective("CodeReusable"));
    profile(&tenants.join("good.toml"), good.issuer(), "");
    let named = ["run", "--targets", "tenants", "--id", "token.code-single-use"];
    let all_good = authspec(folder.path(), &named);
    assert_eq!(all_good.code, 0, "{}{}", all_good.stdout, all_good.stderr);
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    profile(&tenants.join("dead.toml"), &format!("http://{free}"), "");
    assert_eq!(authspec(folder.path(), &named).code, 3);
    profile(&tenants.join("bad.toml"), bad.issuer(), "");
    std::fs::write(tenants.join("broken.toml"), "issuer = 7\n").unwrap();
    std::fs::write(tenants.join("notes.txt"), "no profile").unwrap();
    let before = runs(folder.path()).len();
    let found = authspec(folder.path(), &named);
    assert_eq!(found.code, 1, "{}{}", found.stdout, found.stderr);
    assert_eq!(runs(folder.path()).len(), before + 2);
    let written = std::fs::read_dir(folder.path().join("reports")).unwrap();
    let mut matrices: Vec<PathBuf> = written.map(|e| e.unwrap().path()).collect();
    matrices.retain(|path| path.extension().is_some_and(|e| e == "csv"));
    matrices.sort();
    let matrix = std::fs::read_to_string(matrices.last().unwrap()).unwrap();
    let mut lines = matrix.lines();
    assert_eq!(lines.next(), Some("id,level,severity,bad,broken,dead,good"));
    assert!(lines.any(|line| line == "(exit code),,,1,2,3,0"), "{matrix}");
    let row = "token.code-single-use,MUST,critical,fail,not audited,not audited,pass";
    assert!(matrix.lines().any(|line| line == row), "{matrix}");
    assert!(matrix.contains("no connection to 127.0.0.1"), "{matrix}");
    assert!(found.stdout.contains("[bad] fail"), "{}", found.stdout);
    assert!(matrices.last().unwrap().with_extension("md").is_file());
    assert!(!matrix.contains(seeds::ALICE_PASSWORD));
}

#[test]
fn targets_that_cannot_be_named_are_usage_errors() {
    let folder = tempfile::tempdir().unwrap();
    let none = authspec(folder.path(), &["run", "--targets", "."]);
    assert_eq!(none.code, 2);
    assert!(none.stderr.contains("no target profile"), "{}", none.stderr);
    let both = authspec(folder.path(), &["run", "--targets", ".", "http://127.0.0.1:1"]);
    assert_eq!(both.code, 2);
    profile(&folder.path().join("a.toml"), "http://127.0.0.1:1", "");
    let mut command = command(folder.path(), &["run", "--targets", "."]);
    let same = output(command.env("AUTHSPEC_ISSUER", "http://127.0.0.1:2").output().unwrap());
    assert_eq!(same.code, 2);
    assert!(same.stderr.contains("AUTHSPEC_ISSUER would replace"), "{}", same.stderr);
}

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

#[test]
fn completions_and_manual_know_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = authspec(folder.path(), &["completions", shell]);
        assert_eq!(script.code, 0, "{}", script.stderr);
        for word in ["doctor", "completions", "--prometheus", "prometheus"] {
            assert!(script.stdout.contains(word.trim_start_matches("--")), "{shell}: {word}");
        }
    }
    assert_eq!(authspec(folder.path(), &["completions", "cmd"]).code, 2);
    let page = authspec(folder.path(), &["man"]);
    assert!(page.stdout.contains(".TH authspec") && page.stdout.contains("Exit codes"));
    assert_eq!(authspec(folder.path(), &["man", "--output", "man"]).code, 0);
    let run = std::fs::read_to_string(folder.path().join("man/authspec-run.1")).unwrap();
    for option in ["targets", "watch", "prometheus", "quiet", "log"] {
        assert!(run.contains(option), "{option}");
    }
    let help = authspec(folder.path(), &["--help"]).stdout;
    let commands = help.split_once("Commands:").unwrap().1.split_once("\n\n").unwrap().0;
    for name in commands.lines().filter_map(|line| line.strip_prefix("  ")) {
        let Some(name) = name.split_whitespace().next().filter(|_| !name.starts_with(' ')) else {
            continue;
        };
        let page = folder.path().join(format!("man/authspec-{name}.1"));
        assert!(name == "help" || page.is_file(), "{name}");
    }
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert_eq!(authspec(folder.path(), &["man", "--output", "file/man"]).code, 2);
}
