//! Two runs compared: real ones against the reference server, and changes made by hand.

use std::collections::BTreeSet;
use std::rc::Rc;

use authspec::embedded;
use authspec::model::report::{Report, Snapshot};
use authspec::model::requirement::Profile;
use authspec::model::verdict::Status;
use authspec::plan::Filter;
use authspec::report::diff::{Difference, Kind, compare, markdown, text};
use authspec::run::{Options, audit_blocking};
use reference_server::{Config, Defect, Policy, Server};

use super::sample::sample;

fn start(policy: Policy) -> Server {
    embedded::start(Config { policy, ..Config::default() }).unwrap()
}

fn run(server: &Server) -> Report {
    let options = Options {
        target: embedded::target(server),
        profile: Profile::Baseline,
        filter: Filter::default(),
        clock: embedded::clock(server),
    };
    audit_blocking(options, Rc::new(())).unwrap().report
}

fn ids(difference: &Difference, kind: Kind) -> BTreeSet<&str> {
    difference.changes.iter().filter(|c| c.kind == kind).map(|c| c.id.as_str()).collect()
}

#[test]
fn the_same_server_twice_does_not_drift_and_a_defect_is_told_exactly() {
    let (first, second) = (run(&start(Policy::conformant())), run(&start(Policy::conformant())));
    let same = compare(&first, &second);
    assert!(same.changes.is_empty() && same.drift.is_empty(), "{}", text(&same));
    // Each server makes keys of its own.
    assert!(same.documents.iter().all(|d| d.name == "jwks"), "{}", text(&same));
    assert!(compare(&first, &first).is_empty());

    let defect: Defect = "CodeReusable".parse().unwrap();
    let defective = run(&start(Policy::with(defect)));
    let violated: BTreeSet<&str> = defect.violates().iter().copied().collect();
    let worse = compare(&first, &defective);
    assert_eq!(ids(&worse, Kind::New), violated, "{}", text(&worse));
    assert!(worse.has_regressed());
    assert!(worse.drift.is_empty(), "{}", text(&worse));
    assert!(worse.documents.iter().all(|d| d.name == "jwks"), "{}", text(&worse));
    let better = compare(&defective, &second);
    assert_eq!(ids(&better, Kind::Fixed), violated, "{}", text(&better));
    assert!(!better.has_regressed());
}

#[test]
fn behaviour_is_compared_where_both_pass() {
    let mut after = sample();
    let passed = after.requirements.iter_mut().find(|r| r.status == Status::Pass).unwrap();
    let exchange = &mut passed.scenarios[0].exchanges[1];
    exchange.status = Some(400);
    exchange.response_body = r#"{"error":"invalid_grant","hint":1}"#.into();
    exchange.response_headers.push(("Cache-Control".into(), "no-store".into()));
    exchange.response_headers.push(("Date".into(), "Thu, 26 Nov 2026 06:04:24 GMT".into()));
    let difference = compare(&sample(), &after);
    assert_eq!(difference.drift.len(), 1);
    let drift = &difference.drift[0];
    assert_eq!(
        (drift.of.as_str(), drift.scenario.as_deref()),
        ("token.code-unknown", Some("the same request again"))
    );
    let shown = drift.after.join("\n");
    assert!(shown.contains("token_endpoint POST 400: error=invalid_grant"), "{shown}");
    assert!(shown.contains("hint number") && shown.contains("cache-control no-store"), "{shown}");
    assert!(!shown.contains("date"));
    assert!(!difference.has_regressed() && difference.changes.is_empty());
    assert!(text(&difference).contains("BEHAVES OTHERWISE token.code-unknown"));
    assert!(markdown(&difference).contains("Behaves otherwise: token.code-unknown"));
}

#[test]
fn what_differs_in_every_run_is_no_difference() {
    let mut after = sample();
    after.run = "later".into();
    after.started = "2027-01-01T00:00:00Z".into();
    let rename = |text: &mut String| {
        *text = text
            .replace("as.example.test", "as.example.test:8443")
            .replace("#1>", "#31>")
            .replace("#2>", "#7>");
    };
    rename(&mut after.target.issuer);
    for scenario in after.requirements.iter_mut().flat_map(|r| &mut r.scenarios) {
        for exchange in &mut scenario.exchanges {
            exchange.at_us += 5;
            rename(&mut exchange.request_line);
            rename(&mut exchange.request_body);
            rename(&mut exchange.response_body);
            exchange.response_headers.iter_mut().for_each(|(_, value)| rename(value));
        }
        for deviation in &mut scenario.deviations {
            deviation.actual = deviation.actual.replace("(exchange 3)", "(exchange 5)");
        }
    }
    let difference = compare(&sample(), &after);
    assert!(difference.is_empty(), "{}", text(&difference));
    assert!(text(&difference).contains("the targets differ"));
}

#[test]
fn documents_are_compared_member_by_member_and_keys_by_kid() {
    let document = |name: &str, content: &str| Snapshot {
        name: name.into(),
        url: "https://as.example.test/x".into(),
        sha256: "0".repeat(64),
        content: content.into(),
    };
    let (mut before, mut after) = (sample(), sample());
    before.snapshots = vec![
        document("jwks", r#"{"keys":[{"kid":"a","kty":"EC","x":"1"},{"kid":"b","kty":"EC"}]}"#),
        document("openid-configuration", r#"{"issuer":"https://as.example.test","a":1,"b":[1]}"#),
    ];
    after.snapshots = vec![
        document("jwks", r#"{"keys":[{"kid":"a","kty":"EC","x":"2"},{"kid":"c","kty":"RSA"}]}"#),
        document(
            "openid-configuration",
            r#"{"issuer":"https://as.example.test","b":[2],"c":null}"#,
        ),
    ];
    let difference = compare(&before, &after);
    let lines: Vec<&str> =
        difference.documents.iter().flat_map(|d| &d.lines).map(String::as_str).collect();
    assert_eq!(
        lines,
        [
            r#"key changed: "a" (kty EC, alg none, use none)"#,
            r#"key added: "c" (kty RSA, alg none, use none)"#,
            r#"key removed: "b" (kty EC, alg none, use none)"#,
            "member removed: a 1",
            "member changed: b [1] to [2]",
            "member added: c null",
        ]
    );
}

#[test]
fn requirements_that_come_and_go_are_named() {
    let (mut before, mut after) = (sample(), sample());
    before.requirements.retain(|r| r.id != "token.code-single-use");
    after.requirements.retain(|r| r.id != "token.other");
    let difference = compare(&before, &after);
    assert_eq!(difference.added, ["token.code-single-use"]);
    assert_eq!(difference.removed, ["token.other"]);
    assert_eq!(ids(&difference, Kind::New), BTreeSet::from(["token.code-single-use"]));
}

#[test]
fn one_more_scenario_that_deviates_is_worse_and_other_words_are_a_change() {
    let mut spread = sample();
    let mut second = spread.requirements[0].scenarios[0].clone();
    second.name = "another request".into();
    spread.requirements[0].scenarios.push(second);
    let difference = compare(&sample(), &spread);
    assert_eq!(ids(&difference, Kind::Worse), BTreeSet::from(["token.code-single-use"]));
    let mut reworded = sample();
    reworded.requirements[0].scenarios[0].deviations[0].actual = "201 text/html".into();
    let difference = compare(&sample(), &reworded);
    assert_eq!(ids(&difference, Kind::Changed), BTreeSet::from(["token.code-single-use"]));
    assert!(!difference.has_regressed());
}
