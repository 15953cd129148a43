//! What people complain about with tools of this kind, a test each: none of it holds here.

use std::sync::{Arc, Mutex};

use serde_json::json;

use super::*;

const ONE: [&str; 2] = ["--id", "token.code-single-use"];

/// An audit of one requirement in a folder of its own, and the server that it is of.
fn audited(server: &Server, more: &[&str]) -> (tempfile::TempDir, Output) {
    let folder = tempfile::tempdir().unwrap();
    let target = profile(&folder.path().join("target.toml"), server.issuer(), "");
    let output = authspec(folder.path(), &[&["run", "--target", &target][..], more].concat());
    (folder, output)
}

#[test]
fn exit_0_with_findings() {
    let (folder, found) = audited(&defective("CodeReusable"), &ONE);
    assert_eq!(found.code, 1, "{}{}", found.stdout, found.stderr);
    assert_eq!(only_run(folder.path()).gate.exit_code, 1);
    let (_, clean) = audited(&server(Policy::conformant()), &ONE);
    assert_eq!(clean.code, 0, "{}{}", clean.stdout, clean.stderr);
}

#[test]
fn exit_0_when_nothing_matched() {
    let server = server(Policy::conformant());
    for (filter, code, words) in [
        (["--tags", "@nothing-has-this"], 6, "selects no scenario"),
        (["--id", "obs.logs-complete-and-clean"], 6, "cannot be seen from outside"),
        (["--tags", "@must and ("], 2, "does not parse"),
        (["--id", "token.code-single-us"], 2, "did you mean token.code-single-use?"),
    ] {
        let (folder, output) = audited(&server, &filter);
        assert_eq!(output.code, code, "{filter:?}: {}{}", output.stdout, output.stderr);
        assert!(output.stderr.contains(words), "{filter:?}: {}", output.stderr);
        assert!(runs(folder.path()).is_empty(), "{filter:?}");
    }
}

#[test]
fn a_lost_shard_that_looked_green() {
    let (folder, server) = (tempfile::tempdir().unwrap(), server(Policy::conformant()));
    let target = profile(&folder.path().join("target.toml"), server.issuer(), "");
    for index in 1..=2 {
        let shard = format!("{index}/2");
        let part = ["run", "--target", &target, "--tags", "@pkce", "--shard", &shard];
        let part = authspec(folder.path(), &part);
        assert_eq!(part.code, 0, "{}{}", part.stdout, part.stderr);
        let caution = format!("part      {shard}: no verdict on the whole run");
        assert!(part.stdout.contains(&caution), "{}", part.stdout);
    }
    let parts = runs(folder.path());
    let names: Vec<&str> = parts.iter().map(|path| path.to_str().unwrap()).collect();
    for (part, lost) in names.iter().zip(["2/2", "1/2"]) {
        let merged = authspec(folder.path(), &["merge", part]);
        let missing = format!("missing parts: {lost}");
        assert!(merged.code == 2 && merged.stderr.contains(&missing), "{}", merged.stderr);
    }
    let doubled = authspec(folder.path(), &["merge", names[0], names[1], names[1]]);
    assert!(doubled.code == 2 && doubled.stderr.contains("is there twice"), "{}", doubled.stderr);
    assert_eq!(runs(folder.path()).len(), 2);
    let whole = authspec(folder.path(), &["merge", names[0], names[1]]);
    assert_eq!(whole.code, 0, "{}{}", whole.stdout, whole.stderr);
    let beyond = authspec(folder.path(), &["run", "--shard", "3/2"]);
    assert!(beyond.code == 2 && beyond.stderr.contains("write 2/5"), "{}", beyond.stderr);
}

#[test]
fn a_baseline_that_never_expires() {
    let server = defective("CodeReusable");
    let waived = |expires: &str, id: &str| {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[[waiver]]\nid = {id:?}\nowner = \"iam\"\nreason = \"known\"\nexpires = {expires:?}\n"
        );
        let path = folder.path().join("waivers.toml");
        std::fs::write(&path, text).unwrap();
        audited(&server, &[&ONE[..], &["--waivers", path.to_str().unwrap()]].concat()).1
    };
    let id = ONE[1];
    assert_eq!(waived("2999-01-31", id).code, 0);
    for (expires, why) in [
        ("2020-01-31", "expired on 2020-01-31"),
        ("2999-02-31", "2999-02-31"),
        ("never", "never"),
        ("", "expires"),
    ] {
        let output = waived(expires, id);
        assert_eq!(output.code, 1, "{expires}: {}{}", output.stdout, output.stderr);
        assert!(output.stdout.contains(why), "{expires}: {}", output.stdout);
    }
}

#[test]
fn an_upload_rejected_because_of_an_unlocated_result() {
    let server = defective("CodeReusable");
    let (folder, _) = audited(&server, &["--tags", "@token", "--format", "sarif"]);
    let text = std::fs::read_to_string(runs(folder.path())[0].join("authspec.sarif")).unwrap();
    let sarif: Value = serde_json::from_str(&text).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert!(results.iter().any(|result| result["ruleId"] == ONE[1]), "{results:#?}");
    for result in results {
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap_or_default();
        assert!(!uri.is_empty() && !uri.contains("://"), "{result:#}");
        assert!(place["region"]["startLine"].as_u64().is_some_and(|line| line > 0), "{result:#}");
    }
}

/// What passed between the audit and the token endpoint.
fn tapped(server: &Server) -> (String, Arc<Mutex<Vec<u8>>>) {
    let upstream = server.issuer().trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let tape = heard.clone();
    let pass = |mut from: TcpStream, mut to: TcpStream, tape: Arc<Mutex<Vec<u8>>>| {
        std::thread::spawn(move || {
            let mut octets = [0; 8192];
            while let Ok(length @ 1..) = from.read(&mut octets) {
                tape.lock().unwrap().extend_from_slice(&octets[..length]);
                if to.write_all(&octets[..length]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(std::net::Shutdown::Both);
        });
    };
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(&upstream).unwrap();
            pass(client.try_clone().unwrap(), server.try_clone().unwrap(), tape.clone());
            pass(server, client, tape.clone());
        }
    });
    (url, heard)
}

/// The secrets on the tape: members of forms and of JSON objects.
fn secrets(tape: &str) -> BTreeSet<String> {
    let names = ["code", "code_verifier", "access_token", "refresh_token", "id_token"];
    let ends = |c: char| !c.is_ascii_alphanumeric() && !"-_.~%".contains(c);
    let starts = names.iter().flat_map(|n| [format!("&{n}="), format!("\"{n}\":\"")]);
    let found = starts.flat_map(|start| {
        let values = tape.split(&start).skip(1).map(|rest| rest.split(ends).next().unwrap());
        values.map(str::to_owned).collect::<Vec<_>>()
    });
    // Shorter ones are made up to be wrong.
    found.filter(|value| value.len() > 20).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    all.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_token_captured_in_a_log() {
    let (folder, server) = (tempfile::tempdir().unwrap(), server(Policy::conformant()));
    let (url, tape) = tapped(&server);
    let through = format!("endpoints = {{ token_endpoint = \"{url}/token\" }}");
    let target = profile(&folder.path().join("target.toml"), server.issuer(), &through);
    let run = ["run", "--target", &target, "--tags", "@token or @refresh", "--verbose"];
    let files_of = ["--log", "json", "--otlp", "spans.jsonl", "--prometheus", "metrics.prom"];
    let formats = ["--format", "html", "--format", "har", "--format", "junit"];
    let output = authspec(folder.path(), &[&run[..], &files_of, &formats].concat());
    assert!(output.stderr.contains("\"event\":\"exchange\""), "{}", output.stderr);
    let tape = String::from_utf8_lossy(&tape.lock().unwrap()).into_owned();
    let mut secrets = secrets(&tape);
    assert!(secrets.len() > 20, "{} secrets passed", secrets.len());
    secrets.insert(seeds::ALICE_PASSWORD.to_owned());
    let mut texts = vec![("standard output".to_owned(), output.stdout)];
    texts.push(("the log".to_owned(), output.stderr));
    for path in files(folder.path()).into_iter().filter(|path| !path.ends_with("target.toml")) {
        let octets = std::fs::read(&path).unwrap();
        texts.push((path.display().to_string(), String::from_utf8_lossy(&octets).into_owned()));
    }
    assert!(texts.len() >= 8, "{} texts", texts.len());
    for (name, text) in &texts {
        for secret in &secrets {
            let at = text.find(secret.as_str());
            assert!(at.is_none(), "a secret of {} characters stands in {name}", secret.len());
        }
    }
}

#[cfg(unix)]
#[test]
fn a_login_that_hangs_without_a_reason() {
    let (folder, server) = (tempfile::tempdir().unwrap(), server(Policy::conformant()));
    let path = folder.path().join("target.toml");
    let target = profile(&path, server.issuer(), "");
    let hangs = "[login]\ndriver = \"exec\"\ncommand = [\"sleep\", \"600\"]\ntimeout_seconds = 1\n";
    let text = std::fs::read_to_string(&path).unwrap() + hangs;
    std::fs::write(&path, text).unwrap();
    let started = std::time::Instant::now();
    let output = authspec(folder.path(), &["run", "--target", &target]);
    assert!(started.elapsed() < Duration::from_secs(120));
    assert_eq!(output.code, 3, "{}{}", output.stdout, output.stderr);
    for word in ["tried ", "came back ", "to change ", "within 1 s", "timeout_seconds"] {
        assert!(output.stderr.contains(word), "{word} is missing in {}", output.stderr);
    }
}

/// What a page of a CI system has no room for is counted there. The annotations of GitHub are drawn with
/// jq, so `ci/exercise.sh github` counts those.
#[test]
fn annotations_cut_silently() {
    let (folder, _) = audited(&defective("CodeReusable"), &ONE);
    let run = runs(folder.path())[0].clone();
    let text = std::fs::read_to_string(run.join("run.json")).unwrap();
    let mut report: Value = serde_json::from_str(&text).unwrap();
    let one = report["requirements"][0].clone();
    let many = 5_000;
    let copies = (0..many).map(|number| {
        let mut copy = one.clone();
        copy["id"] = json!(format!("token.copy-{number}"));
        copy["scenarios"]
            .as_array_mut()
            .unwrap()
            .iter_mut()
            .for_each(|s| s["exchanges"] = json!([]));
        copy
    });
    report["requirements"] = copies.collect();
    report["counts"] = json!({ "fail": many });
    std::fs::write(run.join("run.json"), report.to_string()).unwrap();
    let run = run.to_str().unwrap();
    let drawn = authspec(folder.path(), &["report", "render", run, "--format", "markdown"]);
    assert_eq!(drawn.code, 0, "{}", drawn.stderr);
    let shown = BTreeSet::<&str>::from_iter(
        drawn.stdout.split(|c: char| !(c.is_ascii_alphanumeric() || "-.".contains(c))),
    );
    let shown = shown.iter().filter(|word| word.starts_with("token.copy-")).count();
    assert!(shown > 0 && shown < many, "{shown} are shown");
    let counted =
        drawn.stdout.lines().filter_map(|line| line.strip_suffix(" more findings in run.json."));
    let more: usize = counted.map(|count| count.parse::<usize>().unwrap()).sum();
    assert!(more >= many - shown, "{shown} are shown and {more} counted");
}
