//! The CI integrations, as texts: what they call exists, and no value becomes part of a script.
//! `ci/exercise.sh` runs them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

/// What the files use and this authspec does not have yet. Empty in a release.
const PENDING: &[&str] = &[];

/// Options of other programs that the files call or mention.
const OF_OTHERS: &[&str] = &[
    "--bin",
    "--cap-drop",
    "--chown",
    "--collector",
    "--dynamic",
    "--env",
    "--file",
    "--filename",
    "--for",
    "--from",
    "--from-file",
    "--from-literal",
    "--git",
    "--locked",
    "--no-cache",
    "--path",
    "--read-only",
    "--release",
    "--rev",
    "--rm",
    "--root",
    "--security-opt",
    "--tag",
    "--target",
    "--timeout",
    "--volume",
];

/// Variables that begin like ours and are the template's own, or hold the password.
const OTHER_VARIABLES: &[&str] = &["AUTHSPEC_IMAGE", "AUTHSPEC_PASSWORD", "AUTHSPEC_TARGET"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The integrations with their texts; not the tools beside them.
fn files() -> Vec<(PathBuf, String)> {
    let folders = ["examples", "github", "gitlab", "jenkins", "kubernetes"];
    let mut found = vec![root().join("action.yml"), root().join("ci/Containerfile")];
    for folder in folders {
        let entries = fs::read_dir(root().join("ci").join(folder)).unwrap();
        found.extend(entries.map(|entry| entry.unwrap().path()));
    }
    assert!(found.len() >= 12, "{found:?}");
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect()
}

fn authspec(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_authspec")).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

fn all(pattern: &str, text: &str) -> BTreeSet<String> {
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// The values of a key in a YAML text, block scalars included: all that is indented deeper.
fn values<'a>(yaml: &'a str, key: &str) -> Vec<Vec<&'a str>> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let lines: Vec<&str> = yaml.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let entry = line.trim_start().trim_start_matches("- ");
        let Some(value) = entry.strip_prefix(key).and_then(|rest| rest.strip_prefix(':')) else {
            continue;
        };
        let own = line.len() - entry.len();
        let below = lines[at + 1..].iter().take_while(|l| l.trim().is_empty() || indent(l) > own);
        found.push(std::iter::once(value).chain(below.copied()).collect());
    }
    found
}

#[test]
fn values_are_found_as_yaml_nests_them() {
    let yaml = "a:\n  - run: |\n      one\n\n      two\n    env:\n      X: y\n  - run: three\n";
    let expected: Vec<Vec<&str>> = vec![vec![" |", "      one", "", "      two"], vec![" three"]];
    assert_eq!(values(yaml, "run"), expected);
}

#[test]
fn no_expression_of_a_platform_stands_in_a_script() {
    // Groovy puts values into double quotes alone.
    let double = Regex::new(r#"\b(sh|bat|powershell)\s*\(?\s*(script:\s*)?""#).unwrap();
    let mut scripts = 0;
    for (path, text) in files() {
        for key in ["run", "script", "before_script", "after_script", "command", "args"] {
            for value in values(&text, key) {
                scripts += 1;
                let value = value.join("\n");
                assert!(!value.contains("${{"), "{}: {value}", path.display());
                assert!(!value.contains("$[["), "{}: {value}", path.display());
            }
        }
        assert!(!double.is_match(&text) || !path.ends_with("Jenkinsfile"), "{}", path.display());
    }
    assert!(scripts >= 9, "{scripts}");
    assert!(text("ci/github/audit.sh").lines().all(|line| !line.contains("eval ")));
}

#[test]
fn every_option_exists() {
    let known = all(r"(--[a-z][a-z-]*)", &authspec(&["run", "--help"]));
    let mut used = BTreeSet::new();
    for (_, text) in files() {
        used.extend(all(r"(?m)(?:^|[\s`\x22(])(--[a-z][a-z-]*)", &text));
    }
    // audit.sh: option NAME VALUE
    let built = all(r"(?m)^ *option ([a-z-]+) ", &text("ci/github/audit.sh"));
    assert!(built.len() >= 12, "{built:?}");
    used.extend(built.iter().map(|name| format!("--{name}")));
    let others = set(OF_OTHERS);
    let pending: BTreeSet<String> =
        PENDING.iter().filter(|name| name.starts_with("--")).map(|&name| name.to_owned()).collect();
    let missing: Vec<&String> = used.iter().filter(|option| !known.contains(*option)).collect();
    let unknown: Vec<&&String> =
        missing.iter().filter(|o| !others.contains(**o) && !pending.contains(**o)).collect();
    assert!(
        unknown.is_empty(),
        "no option of authspec or of a program that is listed: {unknown:?}"
    );
    let idle: Vec<&String> = others.difference(&used).collect();
    assert!(idle.is_empty(), "listed and not used: {idle:?}");
    let arrived: Vec<&String> = pending.intersection(&known).collect();
    assert!(arrived.is_empty(), "authspec has them now, take them out of PENDING: {arrived:?}");
}

#[test]
fn every_command_and_format_exists() {
    let commands = all(r"(?m)^  ([a-z]+) ", &authspec(&["--help"]));
    let formats = all(
        r"([a-z-]+)",
        authspec(&["run", "--format", "none-such"])
            .split("formats are")
            .nth(1)
            .unwrap()
            .lines()
            .next()
            .unwrap(),
    );
    let mut missing = BTreeSet::new();
    for (path, text) in files() {
        let code: Vec<&str> = text.lines().filter(|l| !l.trim_start().starts_with('#')).collect();
        let text = code.join("\n");
        let called = all(r"(?m)(?:^|[\s;`])authspec ([a-z]+) (?:-|[a-z]+-parts/|/parts/)", &text);
        missing.extend(called.difference(&commands).cloned());
        if path.ends_with("audit.sh") {
            let built = all(r"arguments=\(([a-z]+)\)", &text);
            assert_eq!(built, set(&["merge", "run"]));
            missing.extend(built.difference(&commands).cloned());
        }
        let mut drawn = all(r"--format=([a-z-]+)", &text);
        if path.ends_with("action.yml") {
            drawn.extend(
                text.lines()
                    .skip_while(|l| *l != "  formats:")
                    .nth(2)
                    .unwrap()
                    .split(' ')
                    .filter(|w| !w.is_empty() && *w != "default:")
                    .map(str::to_owned),
            );
            drawn.insert("markdown".into());
        }
        missing.extend(drawn.difference(&formats).map(|name| format!("format {name}")));
    }
    let pending: BTreeSet<String> = PENDING
        .iter()
        .filter(|name| !name.starts_with("--"))
        .map(|&name| name.to_owned())
        .collect();
    assert_eq!(missing, pending, "left: what authspec lacks; right: what PENDING says");
}

#[test]
fn every_variable_exists() {
    let known = authspec(&["config", "keys"]) + &authspec(&["run", "--help"]);
    let known = all(r"(AUTHSPEC_[A-Z0-9_]+)", &known);
    for (path, text) in files() {
        let used = all(r"(AUTHSPEC_[A-Z0-9_]+)", &text);
        let unknown: Vec<&String> = used
            .iter()
            .filter(|name| !known.contains(*name) && !OTHER_VARIABLES.contains(&name.as_str()))
            .collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", path.display());
    }
}

#[test]
fn the_action_hands_on_every_input_and_sets_every_output() {
    let (action, script) = (text("action.yml"), text("ci/github/audit.sh"));
    let section = |from: &str, to: &str| {
        let start = action.find(from).unwrap();
        action[start..start + action[start..].find(to).unwrap()].to_owned()
    };
    let inputs = all(r"(?m)^  ([a-z-]+):$", &section("\ninputs:", "\noutputs:"));
    let handed = all(r"INPUT_[A-Z_]+: \$\{\{ inputs\.([a-z-]+) \}\}", &action);
    assert_eq!(inputs, handed);
    for input in &inputs {
        let variable = input.to_uppercase().replace('-', "_");
        assert!(
            action.contains(&format!("INPUT_{variable}: ${{{{ inputs.{input} }}}}")),
            "{input}"
        );
        assert!(script.contains(&format!("INPUT_{variable}")), "audit.sh does not read {input}");
    }
    let outputs = all(r"(?m)^  ([a-z-]+):$", &section("\noutputs:", "\nruns:"));
    for output in outputs {
        assert!(action.contains(&format!("steps.audit.outputs.{output} ")), "{output}");
        let word = output.replace('-', "_");
        let is_set = script.contains(&format!("\"{output}="))
            || script.contains(&format!("\"{word}\""))
            || script.contains(&format!("{output}:"));
        assert!(is_set, "audit.sh does not set {output}");
    }
}

#[test]
fn exit_codes_are_those_of_the_program() {
    let help = authspec(&["--help"]);
    let table = help.split("Exit codes:").nth(1).unwrap();
    let codes = all(r"(?m)^  (\d+) ", table);
    let script = text("ci/github/audit.sh");
    let arms = all(r"(?m)^(\d+)\) verdict=", &script);
    assert_eq!(codes, arms, "authspec --help and ci/github/audit.sh");
    let readme = text("README.md");
    let rows = all(
        r"(?m)^\| (\d+) \|",
        readme.split("| exit code | meaning |").nth(1).unwrap().split("\n\n").next().unwrap(),
    );
    assert_eq!(codes, rows, "authspec --help and README.md");
    let verdicts = all(r"(?m)^[\d*]+\) verdict=([a-z-]+)", &script);
    let told = text("action.yml");
    let told = told.split("  verdict:").nth(1).unwrap().split('.').next().unwrap();
    for verdict in verdicts {
        assert!(told.contains(&verdict), "action.yml does not say {verdict}");
    }
}
