//! Golden files of the reporters, and what no report may contain.
#![expect(clippy::unwrap_used, reason = "a test may fail at any line")]
#![expect(clippy::disallowed_methods, reason = "AUTHSPEC_BLESS is for whoever runs the tests")]

mod bundle;
mod diff;
mod formats;
mod hostile;
mod hostile_run;
mod hostile_server;
mod html;
mod page;
mod palette;
mod poisoned;
mod sample;
mod schemas;
mod telemetry;

use std::path::Path;
use std::rc::Rc;

use authspec::embedded;
use authspec::model::redact::Canary;
use authspec::model::report::{REPORT_VERSION, Report, schema};
use authspec::model::requirement::Profile;
use authspec::plan::Filter;
use authspec::report::{Format, store, terminal};
use authspec::run::{Options, audit_blocking};
use reference_server::{Config, Defect, Policy, seeds};

use self::sample::sample;

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

#[test]
fn what_is_written_can_be_read_and_a_stranger_is_told_apart() {
    let text = Format::Json.render(&sample()).unwrap();
    assert_eq!(Report::parse(&text).unwrap(), sample());
    let version = format!("\"version\": {REPORT_VERSION}");
    let older = text.replace(&version, "\"version\": 1");
    assert!(Report::parse(&older).unwrap_err().contains("a report of version 1"));
    let other = text.replace("\"run\":", "\"ran\":");
    assert!(Report::parse(&other).unwrap_err().contains("unknown field `ran`"));
}

/// `authspec report schema > fixtures/run.schema.json` writes it anew.
#[test]
fn the_published_schema_is_that_of_the_report() {
    let published = std::fs::read_to_string("fixtures/run.schema.json").unwrap_or_default();
    assert_eq!(published, format!("{:#}\n", schema()));
}

#[test]
fn the_terminal_report_is_stable() {
    golden(
        "terminal.txt",
        &terminal::summary(&sample(), &["reports/x/run.json".into()], terminal::Colour::Off),
    );
}

#[test]
fn an_interrupted_run_says_the_code_with_which_it_ends() {
    let report = Report { interrupted: true, ..sample() };
    let text = terminal::summary(&report, &[], terminal::Colour::Off);
    assert!(text.contains("(exit code 130)"), "{text}");
}

#[test]
fn a_hostile_answer_cannot_colour_the_terminal() {
    assert!(!terminal::summary(&sample(), &[], terminal::Colour::Off).contains('\u{1b}'));
}

#[test]
fn a_report_appears_whole_and_alone_in_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    store::prepare(folder.path()).unwrap();
    let paths = store::write(&sample(), &Canary::default(), &[], folder.path()).unwrap();
    assert_eq!(store::read(&paths[0]).unwrap(), sample());
    assert_eq!(store::read(paths[0].parent().unwrap()).unwrap(), sample());
    assert_eq!(std::fs::read_dir(paths[0].parent().unwrap()).unwrap().count(), 1);
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
        let report = audit_blocking(options, Rc::new(())).unwrap().report;
        let text = Format::Json.render(&report).unwrap();
        assert_eq!(Report::parse(&text).unwrap(), report);
        // The catalogue itself names parameters with values.
        let mut observed = report;
        for requirement in &mut observed.requirements {
            requirement.probe.clear();
            requirement.accepts.clear();
        }
        let text = Format::Json.render(&observed).unwrap();
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
