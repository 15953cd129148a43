//! Runs against a server that puts secrets into every field of its answers: none leaves the process.
#![expect(clippy::unwrap_used, reason = "a test may fail at any line")]

mod complete;
mod many;
mod middleman;
mod oracle;
mod relay;
#[path = "../../reports/sample.rs"]
mod sample;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use authspec::embedded;
use authspec::model::redact::Redactor;
use authspec::model::report::{ExchangeReport, Report};
use authspec::model::requirement::Profile;
use authspec::plan::Filter;
use authspec::report::{Format, store, terminal};
use authspec::run::{Failure, Options, Outcome, audit_blocking};
use authspec::target::profile::{Target, User};
use authspec::target::secret::Secret;
use authspec::trial::try_login;
use reference_server::{Config, Policy, Server, seeds};

use self::middleman::{Secrets, way};
use self::oracle::Oracle;

/// Groups that see every kind of secret.
const TAGS: &str =
    "@tokenresp or @pkce or @consent or @refresh or @introspection or @dpop or @logout";

fn server(policy: Policy) -> (Server, Target, Secrets) {
    let server = embedded::start(Config { policy, ..Config::default() }).unwrap();
    let mut target = embedded::target(&server);
    let secrets = Secrets::default();
    let port = server.issuer().rsplit(':').next().unwrap().parse().unwrap();
    let address = (std::net::Ipv4Addr::LOCALHOST, port).into();
    target.network.shortcut = Some(way(server.issuer(), address, &secrets));
    (server, target, secrets)
}

fn options(server: &Server, target: Target) -> Options {
    let filter = Filter { tags: Some(TAGS.into()), ..Filter::default() };
    Options { target, profile: Profile::Baseline, filter, clock: embedded::clock(server) }
}

/// Fails with the encodings in which secrets were found, and with none of the secrets.
fn assert_clean(what: &str, text: &[u8], secrets: &Secrets) {
    let known = secrets.all();
    assert!(!known.is_empty());
    let found = Oracle::of(known.keys()).find(text);
    let told = found.first().map(|(number, encoding, at)| {
        let place = known.values().nth(*number);
        let before = String::from_utf8_lossy(&text[at.saturating_sub(120)..*at]).into_owned();
        format!("{encoding} of {place:?} at octet {at}, after {before}")
    });
    assert!(found.is_empty(), "{what}: {} secrets, first {told:?}", found.len());
}

fn exchanges(report: &Report) -> usize {
    let scenarios = report.requirements.iter().flat_map(|r| &r.scenarios);
    report.preflight.len() + scenarios.map(|s| s.exchanges.len()).sum::<usize>()
}

#[test]
fn a_run_against_a_server_with_secrets_in_every_field_leaks_none() {
    // One server that conforms but for what is planted, and one whose deviations quote what came back.
    for policy in [Policy::conformant(), Policy::with("CodeInErrorDescription".parse().unwrap())] {
        let (server, target, secrets) = server(policy);
        let Outcome { report, canary } =
            audit_blocking(options(&server, target), Rc::new(())).unwrap();
        assert!(exchanges(&report) > 300, "{} exchanges", exchanges(&report));
        let known = secrets.all();
        let planted = known.keys().filter(|value| value.starts_with("CaNaRy")).count();
        assert!(planted > 500 && known.len() > planted + 100, "{planted} of {}", known.len());
        assert!(known.contains_key(seeds::ALICE_PASSWORD));

        let folder = tempfile::tempdir().unwrap();
        let paths = store::write(&report, &canary, Format::ALL, folder.path()).unwrap();
        for path in &paths {
            assert_clean(&path.display().to_string(), &fs::read(path).unwrap(), &secrets);
        }
        let summary = terminal::summary(&report, &[], terminal::Colour::Off);
        assert_clean("the summary", summary.as_bytes(), &secrets);

        // The canary knows them all by itself: each, put into the report, would have stopped it.
        for (value, place) in &known {
            // A verifier of dashes alone is a probe, and a search for it would find indentation.
            let is_probe = value.bytes().all(|octet| octet == b'-');
            let is_known = is_probe || canary.scan(value.as_bytes()).is_err();
            assert!(is_known, "of {} octets in {place}", value.len());
        }
        let mut broken = report;
        broken.requirements.clear();
        broken.facts.push(format!("facts: {}", known.keys().last().unwrap()));
        let elsewhere = tempfile::tempdir().unwrap();
        let refused = store::write(&broken, &canary, Format::ALL, elsewhere.path());
        let why = refused.unwrap_err().to_string();
        assert!(why.contains("run.json was withheld") && why.contains("at octet"), "{why}");
        assert!(known.keys().all(|value| !why.contains(value.as_str())));
        assert!(is_empty(elsewhere.path()));
    }
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn a_run_that_does_not_begin_shows_no_secret() {
    let (server, mut target, secrets) = server(Policy::conformant());
    target.user = Some(User::new(seeds::ALICE, Secret::new("wr0ng-password")));
    let outcome = audit_blocking(options(&server, target), Rc::new(()));
    let Err(Failure::Preflight(obstacle, shown, _)) = outcome else { panic!("{outcome:?}") };
    let mut text = obstacle.to_string();
    shown.iter().for_each(|exchange| terminal::of_exchange(&mut text, exchange));
    let _ = write!(text, "{shown:?}");
    assert!(shown.len() > 3 && secrets.all().contains_key("wr0ng-password"));
    assert_clean("what is printed", text.as_bytes(), &secrets);
}

#[test]
fn a_login_that_is_shown_shows_no_secret() {
    let (_server, target, secrets) = server(Policy::conformant());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let trial = runtime.block_on(try_login(target)).unwrap();
    assert!(trial.outcome.is_ok() && trial.steps.len() > 2);
    assert_clean("the steps", format!("{trial:?}").as_bytes(), &secrets);
}

/// 5,000 exchanges with their own secrets are redacted and searched in well under a second of an
/// optimised build; here only that it grows with the text and not with its square.
#[test]
fn a_redactor_knows_thousands_of_secrets() {
    let mut redactor = Redactor::new();
    let tokens: Vec<String> = (0..5000_u64)
        .map(|n| {
            format!("{:016x}{:016x}{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15), !n, n << 20)
        })
        .collect();
    tokens.iter().for_each(|token| redactor.learn("access_token", token));
    redactor.seal();
    let canary = redactor.canary();
    assert_eq!(canary.secrets(), 5000);
    for token in tokens.iter().step_by(97) {
        let text = format!("{{\"access_token\":\"{token}\",\"x\":\"%7B{token}%7D\"}}");
        assert!(canary.scan(text.as_bytes()).is_err());
        let shown = redactor.redact(&text);
        assert!(!shown.contains(&token[..16]));
        assert_eq!(canary.scan(shown.as_bytes()), Ok(()));
    }
}

#[test]
fn a_large_run_is_redacted_whole() {
    let exchanges = many::exchanges(600);
    let (report, canary) = many::report(&exchanges, &many::redactor(&exchanges));
    // A code, a cookie, two tokens, a verifier and a form's token every three exchanges.
    assert_eq!(canary.secrets(), 200 * 6);
    let secrets = Secrets::default();
    exchanges.iter().for_each(|exchange| secrets.take_pairs(&exchange.request.text()));
    assert_eq!(secrets.all().len(), 3 * 200);
    for format in Format::ALL {
        let text = format.render(&report).unwrap();
        assert_eq!(canary.scan(text.as_bytes()), Ok(()));
        assert_clean(format.name(), text.as_bytes(), &secrets);
    }
}

#[test]
fn an_exchange_is_drawn_without_secrets_in_its_names_either() {
    // A hostile server puts a token where nobody looks for it: into the name of a header field.
    let mut redactor = Redactor::new();
    redactor.learn("access_token", "t0ken-in-a-name");
    redactor.seal();
    let exchange = authspec::model::exchange::Exchange {
        number: 1,
        at: std::time::Duration::ZERO,
        elapsed: std::time::Duration::ZERO,
        request: authspec::model::exchange::Request::get("https://as.test/"),
        outcome: Ok(authspec::model::exchange::Response {
            status: 200,
            headers: vec![("X-t0ken-in-a-name".into(), "1".into())],
            body: vec![],
            truncated: false,
        }),
        withheld: None,
    };
    let route = authspec::model::report::Route {
        from: authspec::model::report::Party::Client,
        to: authspec::model::report::Party::AuthorizationServer,
        endpoint: "page".into(),
    };
    let drawn = ExchangeReport::new(&exchange, route, &redactor);
    assert_eq!(drawn.response_headers[0].0, "X-<access_token#1>");
}
