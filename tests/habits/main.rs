//! Ways of running: an interruption, logs, metrics, many targets, and again and again.
#![expect(clippy::unwrap_used, reason = "a test may fail at any line")]

mod complaints;
mod interruption;
mod running;
mod watch;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use authspec::embedded;
use authspec::model::report::Report;
use authspec::model::verdict::Status;
use authspec::report::store;
use reference_server::{Config, Defect, Policy, Server, seeds};
use serde_json::Value;

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
fn many_targets_have_metrics_and_spans_of_their_own_and_are_rehearsed_alone() {
    let folder = tempfile::tempdir().unwrap();
    let tenants = folder.path().join("tenants");
    std::fs::create_dir(&tenants).unwrap();
    let good = server(Policy::conformant());
    profile(&tenants.join("good.toml"), good.issuer(), "");
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let dead = profile(&tenants.join("dead.toml"), &format!("http://{free}"), "");
    let named = ["run", "--targets", "tenants", "--id", "token.code-single-use"];
    let told = ["--prometheus", "nightly.prom", "--otlp", "spans.jsonl"];
    let found = authspec(folder.path(), &[&named[..], &told].concat());
    assert_eq!(found.code, 3, "{}{}", found.stdout, found.stderr);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let code = |name| sample(&read(name), "authspec_exit_code");
    assert_eq!((code("nightly.good.prom"), code("nightly.dead.prom")), (0.0, 3.0));
    assert!(read("spans.good.jsonl").contains(good.issuer()));
    assert!(!folder.path().join("nightly.prom").exists());

    let before = runs(folder.path()).len();
    let rehearsed = authspec(folder.path(), &[&named[..], &["--dry-run"]].concat());
    assert_eq!(rehearsed.code, 0, "{}{}", rehearsed.stdout, rehearsed.stderr);
    for words in ["target    dead", "target    good", "nothing was sent to", "sign-ins   about"] {
        assert!(rehearsed.stdout.contains(words), "{words} is missing in {}", rehearsed.stdout);
    }
    assert_eq!(runs(folder.path()).len(), before);

    std::fs::copy(dead, tenants.join("twin.toml")).unwrap();
    let twins = authspec(folder.path(), &[&named[..], &told].concat());
    assert!(twins.code == 2 && twins.stderr.contains("have the issuer"), "{}", twins.stderr);
    for (option, why) in [("-Rlast", "a run is of one target"), ("--watch", "watch one")] {
        let refused = authspec(folder.path(), &[&named[..], &[option]].concat());
        assert!(refused.code == 2 && refused.stderr.contains(why), "{option}: {}", refused.stderr);
    }
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
