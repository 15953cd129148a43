//! What an audit costs. Run with `cargo bench`.

#![expect(clippy::panic, reason = "a benchmark that cannot run has nothing to say")]

#[path = "../tests/audit/canary/many.rs"]
mod many;
#[path = "../tests/reports/sample.rs"]
mod sample;

use std::rc::Rc;

use authspec::catalogue::Catalogue;
use authspec::embedded;
use authspec::http::{Http, Limits, Recorder};
use authspec::model::exchange::Request;
use authspec::model::report::{RequirementReport, ScenarioReport};
use authspec::model::requirement::Profile;
use authspec::plan::{Filter, Plan};
use authspec::report::{Format, store};
use authspec::run::{Options, Outcome, audit};
use authspec::target::capabilities::Facts;
use divan::Bencher;
use reference_server::Config;
use tokio::runtime::{Builder, Runtime};

fn main() {
    divan::main();
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap_or_else(|e| panic!("{e}"))
}

fn outcome(runtime: &Runtime) -> Outcome {
    let server = embedded::start(Config::default()).unwrap_or_else(|e| panic!("{e}"));
    let options = Options {
        target: embedded::target(&server),
        profile: Profile::Baseline,
        filter: Filter::default(),
        clock: embedded::clock(&server),
    };
    runtime.block_on(audit(options, Rc::new(()))).unwrap_or_else(|e| panic!("{e:?}"))
}

/// (a) The whole audit of the embedded server, report written.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn whole_audit(bencher: Bencher) {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    bencher.bench_local(|| {
        let Outcome { report, canary } = outcome(&runtime);
        store::write(&report, &canary, &[], folder.path())
    });
}

/// Exchanges in one sample of the two loops.
const EXCHANGES: usize = 200;

/// (b) The key set fetched 200 times by the harness, recorded as evidence.
#[divan::bench(sample_count = 50, sample_size = 1)]
fn exchanges_by_the_harness(bencher: Bencher) {
    let (runtime, server) =
        (runtime(), embedded::start(Config::default()).unwrap_or_else(|e| panic!("{e}")));
    let http = Http::new([], Limits::default(), std::time::Duration::ZERO);
    let url = format!("{}/jwks", server.issuer());
    bencher.bench_local(|| {
        runtime.block_on(async {
            let recorder = Recorder::default();
            for _ in 0..EXCHANGES {
                http.send(&recorder, Request::get(url.as_str())).await;
            }
            recorder.exchanges().len()
        })
    });
}

/// (b) The same by a bare reqwest loop.
#[divan::bench(sample_count = 50, sample_size = 1)]
fn exchanges_by_reqwest(bencher: Bencher) {
    let (runtime, server) =
        (runtime(), embedded::start(Config::default()).unwrap_or_else(|e| panic!("{e}")));
    let client = reqwest::Client::new();
    let url = format!("{}/jwks", server.issuer());
    bencher.bench_local(|| {
        runtime.block_on(async {
            let mut octets = 0;
            for _ in 0..EXCHANGES {
                let answer = client.get(&url).send().await.unwrap_or_else(|e| panic!("{e}"));
                octets += answer.bytes().await.unwrap_or_else(|e| panic!("{e}")).len();
            }
            octets
        })
    });
}

/// (c) The plan of the whole catalogue, parsing included.
#[divan::bench]
fn plan(bencher: Bencher) {
    let server = embedded::start(Config::default()).unwrap_or_else(|e| panic!("{e}"));
    let target = embedded::target(&server);
    bencher.bench_local(|| {
        let catalogue = Catalogue::load().unwrap_or_else(|e| panic!("{e}"));
        Plan::build(catalogue, &target, &Facts::default(), &Filter::default(), true)
            .map(|plan| plan.scenarios)
    });
}

/// (c) The JSON report of 1,000 scenarios with the evidence of a real run.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn report_of_1000_scenarios(bencher: Bencher) {
    let mut report = outcome(&runtime()).report;
    let all: Vec<ScenarioReport> =
        report.requirements.iter().flat_map(|r| r.scenarios.clone()).collect();
    let thousand: Vec<ScenarioReport> = all.iter().cycle().take(1000).cloned().collect();
    let frame = report.requirements.remove(0);
    report.requirements = thousand
        .chunks(4)
        .map(|scenarios| RequirementReport { scenarios: scenarios.to_vec(), ..frame.clone() })
        .collect();
    bencher.bench_local(|| Format::Json.render(&report).map(|text| text.len()));
}

/// Exchanges of a large run.
const LARGE: u64 = 5_000;

/// (e) The secrets of a large run learned, and its exchanges redacted.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn a_large_run_redacted(bencher: Bencher) {
    let exchanges = many::exchanges(LARGE);
    bencher.bench_local(|| many::report(&exchanges, &many::redactor(&exchanges)));
}

/// (e) A large run drawn in one form.
#[divan::bench(sample_count = 5, sample_size = 1, args = Format::ALL)]
fn a_large_run_drawn(bencher: Bencher, format: &Format) {
    let exchanges = many::exchanges(LARGE);
    let (report, _) = many::report(&exchanges, &many::redactor(&exchanges));
    bencher.bench_local(|| format.render(&report));
}

/// (e) The same searched for secrets before it is written.
#[divan::bench(sample_count = 5, sample_size = 1, args = Format::ALL)]
fn a_large_run_searched(bencher: Bencher, format: &Format) {
    let exchanges = many::exchanges(LARGE);
    let (report, canary) = many::report(&exchanges, &many::redactor(&exchanges));
    let text = format.render(&report).unwrap_or_else(|e| panic!("{e}"));
    bencher.bench_local(|| canary.scan(text.as_bytes()));
}
