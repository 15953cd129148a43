//! Each format is read again: by its schema, its rules, or another reader.

use authspec::model::report::{Report, ScenarioReport};
use authspec::model::verdict::{Status, StepOutcome};
use authspec::report::Format;
use serde_json::Value;

use super::golden;
use super::sample::sample;
use super::schemas::{Schema, junit};

/// The sample with an error of our own, a note and an exchange without an answer.
pub(crate) fn full() -> Report {
    let mut report = sample();
    let mut broken = report.requirements[0].clone();
    broken.id = "token.harness-error".into();
    broken.status = Status::Error;
    broken.scenarios[0] = ScenarioReport {
        status: Status::Error,
        reason: Some("no definition for the step: it rains".into()),
        deviations: vec![],
        ..broken.scenarios[0].clone()
    };
    broken.scenarios[0].steps[2].outcome = StepOutcome::Stopped;
    let silent = &mut broken.scenarios[0].exchanges[1];
    (silent.status, silent.at_us) = (None, 9_000);
    silent.failure = Some("connection refused".into());
    let mut noted = report.requirements[2].clone();
    noted.id = "headers.noted".into();
    noted.status = Status::Note;
    noted.scenarios[0].status = Status::Note;
    noted.scenarios[0].deviations[0].weight = authspec::model::verdict::Weight::Note;
    report.requirements.extend([broken, noted]);
    *report.counts.entry(Status::Error).or_default() += 1;
    *report.counts.entry(Status::Note).or_default() += 1;
    report
}

fn json(format: Format, report: &Report) -> Value {
    serde_json::from_str(&format.render(report).unwrap()).unwrap()
}

fn requirement<'a>(list: &'a Value, key: &str, id: &str) -> &'a Value {
    list.as_array().unwrap().iter().find(|v| v[key] == id).ok_or(id).unwrap()
}

#[test]
fn every_format_is_stable() {
    for format in Format::ALL {
        golden(format.file(), &format.render(&sample()).unwrap());
    }
}

#[test]
fn names_and_files_of_formats_are_distinct() {
    let names: std::collections::BTreeSet<_> = Format::ALL.iter().map(|f| f.name()).collect();
    let files: std::collections::BTreeSet<_> = Format::ALL.iter().map(|f| f.file()).collect();
    assert_eq!((names.len(), files.len()), (Format::ALL.len(), Format::ALL.len()));
}

#[test]
fn junit_tells_whose_fault_it_is() {
    let found = junit(&Format::Junit.render(&full()).unwrap()).unwrap();
    let holds = |id: &str| {
        let (_, inner) = found.cases.iter().find(|(name, _)| name == id).unwrap();
        inner.join(" ")
    };
    assert_eq!(holds("token.code-single-use"), "failure");
    assert_eq!(holds("token.code-missing"), "error");
    assert_eq!(holds("token.harness-error"), "error");
    assert_eq!(holds("cors.preflight"), "skipped system-out");
    assert_eq!(holds("dpop.proof"), "skipped");
    assert_eq!(holds("token.other"), "skipped");
    assert_eq!(holds("token.code-unknown"), "");
    assert_eq!(holds("headers.hsts"), "system-out");
    assert_eq!(holds("headers.noted"), "system-out");
    assert!(found.text.contains("waived until 2027-01-31 by identity team"));
}

#[test]
fn sarif_holds_to_its_schema_and_every_result_is_located() {
    let schema = Schema::sarif();
    let mut without_profile = full();
    without_profile.target.stanza = None;
    let mut clean = full();
    clean.requirements.iter_mut().for_each(|r| r.scenarios.clear());
    for report in [full(), without_profile, clean] {
        let log = json(Format::Sarif, &report);
        schema.check(&log).unwrap();
        let run = &log["runs"][0];
        for result in run["results"].as_array().unwrap() {
            let place = &result["locations"][0]["physicalLocation"];
            let file =
                if report.target.stanza.is_some() { "staging.toml" } else { "authspec.toml" };
            assert_eq!(place["artifactLocation"]["uri"], file);
            assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
            let rule =
                &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], result["ruleId"]);
        }
    }
}

/// What GitHub documents of code scanning: limits, and members without which a result is not shown.
#[test]
fn sarif_has_what_code_scanning_asks_for() {
    let mut report = full();
    for requirement in &mut report.requirements {
        requirement.cwe = (1..=40).collect();
        requirement.duty = "a long duty ".repeat(300);
        requirement.attack = "a long attack ".repeat(300);
    }
    let log = json(Format::Sarif, &report);
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().unwrap().ends_with("sarif-2.1.0.json"));
    assert_eq!(log["runs"].as_array().unwrap().len(), 1);
    let run = &log["runs"][0];
    let filled = |value: &Value, most: usize| {
        let length = value.as_str().unwrap_or_default().chars().count();
        assert!(length > 0 && length <= most, "{value}");
    };
    filled(&run["tool"]["driver"]["name"], 255);
    assert!(run["automationDetails"]["id"].as_str().unwrap().ends_with('/'), "a category");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(!rules.is_empty() && rules.len() <= 25_000);
    for rule in rules {
        filled(&rule["id"], 255);
        filled(&rule["name"], 255);
        filled(&rule["shortDescription"]["text"], 1_024);
        filled(&rule["fullDescription"]["text"], 1_024);
        filled(&rule["help"]["text"], 100_000);
        filled(&rule["help"]["markdown"], 100_000);
        let tags = rule["properties"]["tags"].as_array().unwrap();
        assert!(tags.len() <= 20 && tags[0] == "security", "{tags:?}");
        let score: f64 = rule["properties"]["security-severity"].as_str().unwrap().parse().unwrap();
        assert!(score > 0.0 && score <= 10.0);
    }
    for result in run["results"].as_array().unwrap() {
        filled(&result["message"]["text"], 100_000);
        filled(&result["partialFingerprints"]["primaryLocationLineHash"], 255);
        let places = result["locations"].as_array().unwrap();
        assert_eq!(places.len(), 1);
        let place = &places[0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(!uri.starts_with('/') && !uri.contains(':') && !uri.contains(".."), "{uri}");
        let region = &place["region"];
        let number = |name: &str| region[name].as_u64().unwrap();
        assert!(number("startLine") >= 1 && number("endLine") == number("startLine"));
        assert!(number("startColumn") >= 1 && number("endColumn") > number("startColumn"));
    }
    // A file of 10 MB when compressed is the most; the largest one here is below that as it is.
    let scenario = report.requirements[0].scenarios[0].clone();
    let named = |n: usize| ScenarioReport { name: format!("row {n}"), ..scenario.clone() };
    report.requirements[0].scenarios = (0..5_003).map(named).collect();
    assert!(Format::Sarif.render(&report).unwrap().len() < 10_000_000);
}

#[test]
fn sarif_says_how_much_each_finding_counts() {
    let log = json(Format::Sarif, &full());
    let run = &log["runs"][0];
    let result = |id| requirement(&run["results"], "ruleId", id);
    assert_eq!(result("token.code-single-use")["level"], "error");
    assert_eq!(result("headers.hsts")["level"], "warning");
    assert_eq!(result("headers.noted")["level"], "note");
    assert_eq!(result("cors.preflight")["suppressions"][0]["kind"], "external");
    assert!(result("token.code-single-use").get("suppressions").is_none());
    assert_eq!(run["results"].as_array().unwrap().len(), 4);
    let rule = requirement(&run["tool"]["driver"]["rules"], "id", "token.code-single-use");
    assert_eq!(rule["properties"]["security-severity"], "9.5");
    let tags = rule["properties"]["tags"].as_array().unwrap();
    assert!(tags.contains(&"external/cwe/cwe-294".into()) && tags.contains(&"security".into()));
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["exitCode"], 1);
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(invocation["toolExecutionNotifications"].as_array().unwrap().len(), 2);
}

#[test]
fn a_fingerprint_outlives_run_time_and_order() {
    let prints = |report: &Report| {
        let log = json(Format::Sarif, report);
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        let print =
            |r: &Value| r["partialFingerprints"]["authspec/v1"].as_str().unwrap().to_owned();
        results.iter().map(print).collect::<std::collections::BTreeSet<_>>()
    };
    let mut later = full();
    later.requirements.reverse();
    later.started = "2027-01-01T00:00:00Z".into();
    later.run = "another".into();
    for scenario in later.requirements.iter_mut().flat_map(|r| &mut r.scenarios) {
        scenario.line += 7;
        scenario.at_us += 7;
        scenario.deviations.iter_mut().for_each(|d| d.actual.push_str(" (exchange 9)"));
    }
    assert_eq!(prints(&full()), prints(&later));
    assert_eq!(prints(&full()).len(), 4);
    later.target.issuer = "https://other.example.test".into();
    assert!(prints(&full()).is_disjoint(&prints(&later)));
}

#[test]
fn sarif_stays_within_what_code_scanning_shows() {
    let mut report = sample();
    let scenario = report.requirements[0].scenarios[0].clone();
    let named = |n: usize| ScenarioReport { name: format!("row {n}"), ..scenario.clone() };
    report.requirements[0].scenarios = (0..5_003).map(named).collect();
    let log = json(Format::Sarif, &report);
    let run = &log["runs"][0];
    assert_eq!(run["results"].as_array().unwrap().len(), 5_000);
    let told = run["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(told.contains("5 more results are in run.json"), "{told}");
}

#[test]
fn markdown_is_cut_at_a_whole_finding_and_says_so() {
    let mut report = sample();
    let scenario = report.requirements[0].scenarios[0].clone();
    let named = |n: usize| ScenarioReport { name: format!("row {n}"), ..scenario.clone() };
    report.requirements[0].scenarios = (0..4_000).map(named).collect();
    let text = Format::Markdown.render(&report).unwrap();
    assert!(text.len() < 1_000_000, "{}", text.len());
    assert!(text.contains(" more findings in run.json."));
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
    let told = text.matches("<details>").count();
    assert!(text.contains(&format!("\n{} more findings", 4_002 - told)), "{told}");
    assert!(!Format::Markdown.render(&sample()).unwrap().contains("more findings"));
}

#[test]
fn an_archive_holds_each_exchange_once() {
    let report = full();
    let archive = json(Format::Har, &report);
    Schema::har().check(&archive).unwrap();
    let entries = archive["log"]["entries"].as_array().unwrap();
    // The two of the sample and the one without an answer.
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[0]["pageref"], "preflight");
    assert!(
        entries[0]["comment"].as_str().unwrap().contains("token.code-single-use headers.hsts")
            || entries[0]["comment"].as_str().unwrap().contains("cors.preflight")
    );
    let silent = entries.iter().find(|e| e["response"]["status"] == 0).unwrap();
    assert_eq!(silent["_error"], "connection refused");
    assert_eq!(entries[1]["startedDateTime"], "2026-11-23T12:00:00.001200Z");
    assert_eq!(entries[0]["request"]["queryString"][0]["name"], "response_type");
}

#[test]
fn messages_hold_to_their_schema_and_mark_every_scenario() {
    let schema = Schema::messages();
    let text = Format::Messages.render(&full()).unwrap();
    let envelopes: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    envelopes.iter().for_each(|envelope| schema.check(envelope).unwrap());
    let status = |id: &str| {
        let tag = format!("@{id}");
        let pickle = envelopes.iter().find(|e| e["pickle"]["tags"][0]["name"] == tag.as_str());
        let started = format!("{}-started", pickle.unwrap()["pickle"]["id"].as_str().unwrap());
        let finished = envelopes.iter().map(|e| &e["testStepFinished"]);
        let own = finished.filter(|f| f["testCaseStartedId"] == started.as_str());
        own.map(|f| f["testStepResult"]["status"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(status("token.code-single-use"), "PASSED PASSED FAILED");
    assert_eq!(status("cors.preflight"), "PASSED PASSED SKIPPED");
    assert_eq!(status("token.code-missing"), "PASSED PASSED PENDING");
    assert_eq!(status("token.harness-error"), "PASSED PASSED UNDEFINED");
    assert_eq!(status("token.code-unknown"), "PASSED PASSED PASSED");
    assert_eq!(status("headers.hsts"), "PASSED PASSED PASSED");
    assert_eq!(status("token.other"), "SKIPPED");
    assert!(text.contains("no scenario yet"));
}

#[test]
fn the_matrix_has_a_line_for_each_requirement() {
    let text = Format::Csv.render(&full()).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), full().requirements.len());
    let cell = |row: usize, name| &rows[row][header.iter().position(|h| h == name).unwrap()];
    assert_eq!(cell(0, "id"), "token.code-single-use");
    assert_eq!(cell(0, "actual"), "200 application/json (exchange 3)");
    assert_eq!(cell(0, "exchanges"), "2");
    assert_eq!(
        (cell(1, "waiver_owner"), cell(1, "waiver_expires")),
        ("identity team", "2027-01-31")
    );
}

#[test]
fn gitlab_gets_findings_and_what_has_no_verdict() {
    let report = json(Format::GitlabDast, &full());
    Schema::gitlab().check(&report).unwrap();
    assert_eq!(report["scan"]["status"], "failure");
    assert_eq!(report["scan"]["start_time"], "2026-11-23T12:00:00");
    assert_eq!(report["scan"]["end_time"], "2026-11-23T12:00:01");
    assert_eq!(report["scan"]["messages"].as_array().unwrap().len(), 2);
    let found = report["vulnerabilities"].as_array().unwrap();
    assert_eq!(found.len(), 4);
    assert_eq!(found[0]["severity"], "Critical");
    assert_eq!(found[0]["location"]["path"], "/token");
    assert_eq!(found[0]["location"]["param"], "code,grant_type");
    assert_eq!(found[3]["severity"], "Info");
}
