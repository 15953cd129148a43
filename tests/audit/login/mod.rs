//! Every rung of the login ladder, end to end: against the reference server where it has the pages,
//! and against small servers of our own where it has not. All of them on loopback.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail at any line")]

mod channel;
mod exec;
mod form;
mod golden;
mod http;
mod human;
mod import;
mod manual;
mod server;
mod session;
mod wallet;

use std::collections::BTreeMap;
use std::rc::Rc;

use authspec::model::report::Report;
use authspec::model::requirement::Profile;
use authspec::model::verdict::Status;
use authspec::plan::Filter;
use authspec::run::{Options, audit_blocking};
use authspec::target::profile::Target;
use authspec::trial::{Trial, try_login};
use authspec::world::context::Clock;
use reference_server::{Config, Server, seeds};

/// The environment of the profiles.
fn variable(name: &str) -> Option<String> {
    match name {
        "PASSWORD" => Some(seeds::ALICE_PASSWORD.into()),
        "WRONG" => Some("not the password".into()),
        "TOTP" => Some("otpauth://totp/lab?secret=GEZDGNBVGY3TQOJQ&period=300".into()),
        "SHORT_TOTP" => Some("otpauth://totp/lab?secret=GEZDGNBVGY3TQOJQ&period=5&digits=8".into()),
        _ => None,
    }
}

/// A target of that issuer whose user is alice, with more of a profile.
fn target(issuer: &str, rest: &str) -> Target {
    let text = format!(
        "issuer = {issuer:?}\n[[clients]]\nid = \"web\"\nredirect_uris = [{:?}]\nscope = \"openid profile\"\n{rest}",
        seeds::WEB_REDIRECT_URI
    );
    Target::parse("target.toml", &text, &variable).unwrap()
}

const ALICE: &str = "[user]\nusername = \"alice\"\npassword = \"env:PASSWORD\"\n";

fn reference_server() -> Server {
    authspec::embedded::start(Config::default()).unwrap()
}

fn blocking<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// One login; it must get as far as the login.
async fn trial(target: Target) -> Trial {
    try_login(target).await.unwrap_or_else(|obstacle| panic!("{obstacle}"))
}

/// An audit of the requirements that the tags name.
fn audit(target: Target, tags: &str) -> Report {
    let filter = Filter { tags: Some(tags.into()), ..Filter::default() };
    let profile = Profile::Baseline;
    let options = Options { target, profile, filter, clock: Clock::default() };
    let outcome = audit_blocking(options, Rc::new(()));
    outcome.unwrap_or_else(|failure| panic!("{failure:?}")).report
}

/// Status and reason by requirement.
fn verdicts(report: &Report) -> BTreeMap<&str, (Status, &str)> {
    report
        .requirements
        .iter()
        .map(|r| (r.id.as_str(), (r.status, r.reason.as_deref().unwrap_or_default())))
        .collect()
}

/// No requirement failed, and none is an error of ours.
fn assert_no_failure(report: &Report) {
    let bad = report
        .requirements
        .iter()
        .filter(|r| matches!(r.status, Status::Fail | Status::Error | Status::Warn));
    let bad: Vec<String> = bad
        .map(|r| {
            let deviations = r.scenarios.iter().flat_map(|s| &s.deviations);
            let actual: Vec<&str> = deviations.map(|d| d.actual.as_str()).collect();
            format!("{} {:?} {:?} {actual:?}", r.id, r.status, r.reason)
        })
        .collect();
    assert_eq!(bad, Vec::<String>::new());
}

/// No secret stands anywhere in the report.
fn assert_no_secret(report: &Report, secrets: &[&str]) {
    let text = serde_json::to_string(report).unwrap();
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} is in the report");
    }
}
