//! Golden files of the reporters, and what no report may contain.
#![expect(clippy::unwrap_used, reason = "a test may fail at any line")]
#![expect(clippy::disallowed_methods, reason = "AUTHSPEC_BLESS is for whoever runs the tests")]

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use authspec::embedded;
use authspec::model::report::{
    DeviationReport, ExchangeReport, Gate, REPORT_VERSION, Report, RequirementReport,
    ScenarioReport, TargetSummary,
};
use authspec::model::requirement::{Level, Profile, Severity};
use authspec::model::verdict::{Obstacle, Status, Weight};
use authspec::plan::Filter;
use authspec::report::{json, terminal};
use authspec::run::{Options, audit_blocking};
use reference_server::{Config, Defect, Policy, seeds};

/// Compares with a golden file; `AUTHSPEC_BLESS=1` writes it anew.
fn golden(name: &str, text: &str) {
    let path = Path::new("reports/example").join(name);
    if std::env::var_os("AUTHSPEC_BLESS").is_some() {
        std::fs::create_dir_all("reports/example").unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{} differs; AUTHSPEC_BLESS=1 writes it anew", path.display());
}

fn requirement(id: &str, level: Level, severity: Severity, status: Status) -> RequirementReport {
    RequirementReport {
        id: id.into(),
        level,
        severity,
        step: "token".into(),
        duty: "A code buys tokens only once.".into(),
        sources: vec!["OAuth 2.1 §4.1.3".into(), "RFC 6749 §4.1.2".into()],
        url: Some("https://www.rfc-editor.org/rfc/rfc6749.html#section-4.1.2".into()),
        accepts: "TOKEN_REJECT(invalid_grant; invalid_request accepted).".into(),
        status,
        reason: None,
        scenarios: vec![],
    }
}

fn exchange() -> ExchangeReport {
    ExchangeReport {
        number: 3,
        at_us: 1200,
        elapsed_us: 800,
        request_line: "POST https://as.example.test/token".into(),
        request_headers: vec![("Content-Type".into(), "application/x-www-form-urlencoded".into())],
        request_body: "grant_type=authorization_code&code=<code#1>".into(),
        status: Some(200),
        response_headers: vec![("Content-Type".into(), "application/json".into())],
        response_body: "{\"access_token\":\"<access_token#2>\",\"x\":\"\u{1b}[31mred\"}".into(),
        failure: None,
        curl: "curl --include --path-as-is --request 'POST' 'https://as.example.test/token'".into(),
    }
}

fn scenario(status: Status) -> ScenarioReport {
    ScenarioReport {
        feature: "features/token_request.feature".into(),
        line: 42,
        name: "the same request again".into(),
        status,
        reason: None,
        obstacle: None,
        deviations: vec![],
        observations: vec![],
        duration_ms: 12,
        exchanges: vec![exchange()],
    }
}

/// A report with every kind of status.
fn sample() -> Report {
    let mut failed =
        requirement("token.code-single-use", Level::Must, Severity::Critical, Status::Fail);
    failed.scenarios = vec![ScenarioReport {
        deviations: vec![DeviationReport {
            expected: "no token and error=invalid_grant or invalid_request".into(),
            actual: "200 application/json (exchange 3)".into(),
            weight: Weight::Failure,
            exchange: Some(3),
        }],
        observations: vec!["winners of 8 in each of 2 rounds: 1 2".into()],
        ..scenario(Status::Fail)
    }];
    let mut unclear =
        requirement("token.code-missing", Level::Must, Severity::Low, Status::Inconclusive);
    unclear.scenarios = vec![ScenarioReport {
        obstacle: Some(Obstacle {
            tried: "POST https://as.example.test/token".into(),
            came_back: "429 application/json (exchange 3)".into(),
            remedy: "lower concurrency or raise pace_ms in the profile".into(),
        }),
        ..scenario(Status::Inconclusive)
    }];
    let mut passed = requirement("token.code-unknown", Level::Must, Severity::High, Status::Pass);
    passed.scenarios = vec![scenario(Status::Pass)];
    let mut untested = requirement("token.other", Level::Should, Severity::Low, Status::Untested);
    untested.reason = Some("no scenario yet".into());
    let requirements = vec![failed, unclear, passed, untested];
    let mut counts = BTreeMap::new();
    for requirement in &requirements {
        *counts.entry(requirement.status).or_default() += 1;
    }
    Report {
        version: REPORT_VERSION,
        tool: "authspec 0.1.0".into(),
        target: TargetSummary {
            issuer: "https://as.example.test".into(),
            clients: vec!["web".into()],
        },
        started: "2026-11-23T12:00:00.000Z".into(),
        duration_ms: 1234,
        requests: 56,
        profile: Profile::Baseline,
        filter: Some("--tags '@token'".into()),
        gate: Gate { passed: false, exit_code: 1, rule: "fails on a violated MUST".into() },
        counts,
        facts: vec!["OpenID provider: yes".into()],
        preflight: vec![],
        requirements,
    }
}

#[test]
fn the_json_report_is_stable() {
    golden("run.json", &json::render(&sample()).unwrap());
}

#[test]
fn the_terminal_report_is_stable() {
    golden(
        "terminal.txt",
        &terminal::summary(&sample(), &["reports/x/run.json".into()], terminal::Colour::Off),
    );
}

#[test]
fn a_hostile_answer_cannot_colour_the_terminal() {
    assert!(!terminal::summary(&sample(), &[], terminal::Colour::Off).contains('\u{1b}'));
}

#[test]
fn a_report_appears_whole_and_alone_in_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    json::prepare(folder.path()).unwrap();
    let path = json::write(&sample(), folder.path()).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), json::render(&sample()).unwrap());
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn no_secret_of_a_real_run_reaches_the_report() {
    // One run that passes and one whose deviations quote what came back.
    for policy in [Policy::conformant(), Policy::with("CodeReusable".parse::<Defect>().unwrap())] {
        let server = embedded::start(Config { policy, ..Config::default() }).unwrap();
        let options = Options {
            target: embedded::target(&server),
            profile: Profile::Baseline,
            filter: Filter::default(),
            clock: embedded::clock(&server),
        };
        let report = audit_blocking(options, Rc::new(())).unwrap();
        let text = json::render(&report).unwrap();
        for secret in [
            seeds::ALICE_PASSWORD,
            &seeds::ALICE_PASSWORD.replace(' ', "%20"),
            seeds::RESOURCE_SERVER_SECRET,
        ] {
            assert!(!text.contains(secret), "a password");
        }
        for (at, _) in text.match_indices("eyJ") {
            let is_part = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
            let word: String = text[at..].chars().take_while(is_part).collect();
            assert!(!word.contains('.'), "a JWT");
        }
        for name in [
            "code",
            "code_verifier",
            "access_token",
            "refresh_token",
            "id_token",
            "token",
            "password",
        ] {
            for (at, found) in text.match_indices(&format!("{name}=")) {
                let before = text[..at].chars().last().unwrap_or(' ');
                let value = &text[at + found.len()..];
                let is_whole = !before.is_ascii_alphanumeric() && before != '_';
                let is_hidden =
                    value.starts_with(['<', '&', '"', ' ', '\'', '\\']) || value.starts_with("%3C");
                assert!(!is_whole || is_hidden, "{found}{}", &value[..20.min(value.len())]);
            }
        }
        for member in ["access_token", "refresh_token", "id_token"] {
            for (at, found) in text.match_indices(&format!("\\\"{member}\\\":\\\"")) {
                assert!(text[at + found.len()..].starts_with('<'), "{member} in a body");
            }
        }
    }
}
