//! From each requirement to its scenarios and the defects that prove them, as the command prints it.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

fn list(arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_authspec")).arg("list").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn rows(arguments: &[&str]) -> Vec<Value> {
    let all = [&["--format", "json"], arguments].concat();
    serde_json::from_str(&list(&all)).unwrap()
}

#[test]
fn every_requirement_has_scenarios_and_defects_or_a_reason() {
    let rows = rows(&[]);
    assert_eq!(rows.len(), 275);
    for row in &rows {
        let texts = ["id", "level", "severity", "source", "section"];
        assert!(
            texts.iter().all(|name| row[name].as_str().is_some_and(|t| !t.is_empty())),
            "{row}"
        );
        let is_empty = |name: &str| row[name].as_array().unwrap().is_empty();
        match row["untested"].as_str() {
            Some(reason) => {
                assert!(is_empty("scenarios") && is_empty("defects"), "{row}");
                assert!(reason.split(' ').count() > 5, "no reason that tells anything: {row}");
            }
            None => assert!(!is_empty("scenarios") && !is_empty("defects"), "{row}"),
        }
    }
    let untested: Vec<&str> = rows
        .iter()
        .filter(|row| !row["untested"].is_null())
        .map(|row| row["id"].as_str().unwrap())
        .collect();
    let known = [
        "authn.guessing-protection",
        "consent.informative",
        "consent.revocable-by-user",
        "obs.logs-complete-and-clean",
    ];
    assert_eq!(BTreeSet::from_iter(untested), BTreeSet::from(known));
}

#[test]
fn filters_narrow_the_list() {
    let one = rows(&["--id", "token.code-single-use"]);
    assert_eq!(one.len(), 1);
    assert_eq!((&one[0]["source"], &one[0]["section"]), (&"OAuth 2.1".into(), &"4.1.3".into()));
    assert!(one[0]["defects"].as_array().unwrap().contains(&"CodeReusable".into()));
    assert!(
        rows(&["--tags", "@pkce"]).iter().all(|r| r["id"].as_str().unwrap().starts_with("pkce."))
    );
}

#[test]
fn all_formats_have_the_same_rows() {
    let wanted = rows(&[]).len();
    let table = list(&["--format", "csv"]);
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    assert_eq!(reader.headers().unwrap().get(0), Some("id"));
    assert_eq!(reader.records().map(Result::unwrap).count(), wanted);
    let markdown = list(&["--format", "markdown"]);
    assert_eq!(markdown.lines().count(), wanted + 2);
    let columns = |line: &str| line.replace("\\|", "").matches('|').count();
    assert!(markdown.lines().all(|line| columns(line) == 12), "{markdown}");
}

#[test]
fn the_table_of_coverage_in_the_readme_is_the_generated_one() {
    let generated = list(&["--format", "coverage"]);
    assert!(
        include_str!("../../README.md").contains(generated.trim_end()),
        "replace the table under \"Coverage\" in README.md by the output of\n\
         authspec list --format coverage\n\n{generated}"
    );
}
