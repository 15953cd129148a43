//! Real servers that others wrote, each by its recipe in `interop/`: installed, started, walked to from
//! `init` to `run` with the command itself, compared with what is expected of it. One test a server:
//!
//! ```text
//! cargo test --features interop --test interop
//! cargo test --features interop --test interop -- oidc-provider canaille
//! ```
//!
//! Some of them behind a network that delays, and one that fails, where asked for: `-- delay faults`.

#![expect(clippy::panic, reason = "a test may fail at any line")]

#[path = "command/call.rs"]
#[expect(clippy::unwrap_used, reason = "a test may fail at any line")]
mod call;
#[path = "interop/expected.rs"]
mod expected;
#[path = "interop/network.rs"]
mod network;
#[path = "audit/safety/relay.rs"]
#[expect(clippy::unwrap_used, reason = "a test may fail at any line")]
#[expect(dead_code, reason = "the tests of safety look at more of it")]
mod relay;
#[path = "interop/secrets.rs"]
mod secrets;
#[path = "interop/server.rs"]
mod server;
#[path = "interop/walk.rs"]
mod walk;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

use authspec::model::redact::Canary;
use authspec::model::report::Report;
use authspec::model::requirement::Profile;
use authspec::plan::Filter;
use authspec::report::store;
use authspec::run::{Failure, Observer, Options, Outcome, audit_blocking};
use authspec::target::profile::Target;
use authspec::world::context::Clock;
use libtest_mimic::{Arguments, Failed, Trial};

use expected::Expected;
use network::Weather;
use secrets::Secrets;
use server::Server;
use walk::Walk;

/// Where the recipes are.
const RECIPES: &str = "interop";

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().collect();
    let last_option = arguments.iter().rposition(|a| a.starts_with('-')).unwrap_or(0);
    let chosen = arguments.split_off(last_option + 1);
    let mut arguments = Arguments::from_iter(arguments);
    // Servers share no state, but the verdicts on races and waits want a quiet machine.
    arguments.test_threads.get_or_insert(1);
    let mut recipes = recipes();
    let mut trials = Vec::new();
    if !chosen.is_empty() {
        for weather in Weather::ALL.into_iter().filter(|w| chosen.iter().any(|c| c == w.word())) {
            trials.extend(network::SERVERS.map(|name| {
                let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join(RECIPES).join(name);
                let title = format!("{name} ({})", weather.word());
                Trial::test(title, move || weathered(&recipe, weather))
            }));
        }
        let mut known: Vec<String> = recipes.iter().map(|recipe| name_of(recipe)).collect();
        known.extend(Weather::ALL.map(|weather| weather.word().to_owned()));
        // A name with a slip would select nothing, which is green.
        if let Some(unknown) = chosen.iter().find(|name| !known.contains(name)) {
            panic!(
                "{unknown} is neither delay nor faults nor has it an expected.toml in {RECIPES}/; known are {}",
                known.join(", ")
            );
        }
        recipes.retain(|recipe| chosen.contains(&name_of(recipe)));
    }
    trials.extend(
        recipes.into_iter().map(|recipe| Trial::test(name_of(&recipe), move || trial(&recipe))),
    );
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The recipes, by name.
fn recipes() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(RECIPES);
    let recipes = with_expectation(&root);
    assert!(!recipes.is_empty(), "no expected.toml below {}", root.display());
    recipes
}

/// The folders with an expectation, by name.
fn with_expectation(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut folders: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|folder| folder.join("expected.toml").is_file())
        .collect();
    folders.sort();
    folders
}

fn name_of(recipe: &Path) -> String {
    recipe.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Installs, starts, walks and compares; first as other users of the same server, where the recipe has
/// profiles of theirs.
fn trial(recipe: &Path) -> Result<(), Failed> {
    let mut folders = with_expectation(recipe);
    folders.push(recipe.to_owned());
    let expectations = folders.iter().map(|folder| Expected::read(&folder.join("expected.toml")));
    let expectations = expectations.collect::<Result<Vec<Expected>, String>>()?;
    let secrets = Secrets::new();
    server::set_up(recipe)?;
    let server = Server::start(recipe, &secrets)?;
    let mut differences = String::new();
    for (folder, expected) in folders.iter().zip(&expectations) {
        if let Err(found) = walked(folder, expected, &server, &secrets) {
            differences.push_str(&found);
        }
    }
    if differences.is_empty() { Ok(()) } else { Err(differences.into()) }
}

/// Walks as the profile in the folder says, and compares.
fn walked(
    folder: &Path,
    expected: &Expected,
    server: &Server,
    secrets: &Secrets,
) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(RECIPES);
    let reports = reports(folder.strip_prefix(root).unwrap_or(folder));
    fs::create_dir_all(&reports).map_err(|e| format!("{}: {e}", reports.display()))?;
    let place = tempfile::tempdir().map_err(|e| format!("no temporary folder: {e}"))?;
    let (_, profile) = profile(folder, server)?;
    let mut walk = Walk::to(&profile, place.path(), secrets)?;
    let report = walk.all(expected, &reports);
    let transcript = reports.join("walk.txt");
    fs::write(&transcript, &walk.transcript)
        .map_err(|e| format!("{}: {e}", transcript.display()))?;
    let mut differences = String::new();
    let port = server.port().to_string();
    for remark in walk.remarks.values_mut() {
        *remark = remark.replace(&port, "{port}");
    }
    if let Err(found) = expected.compare_walk(&walk.remarks, report.is_ok()) {
        differences.push_str(&found);
    }
    match report.map(|report| expected.compare(&report)) {
        Ok(Ok(())) => {}
        Ok(Err(found)) => differences.push_str(&found),
        Err(wrong) => {
            let last_words = secrets.hide(&server.last_words());
            differences.push_str(&format!("{wrong}\nthe server's last words:\n{last_words}\n"));
        }
    }
    match differences.is_empty() {
        true => Ok(()),
        false => Err(format!("{differences}\nsaid by the commands: {}\n", transcript.display())),
    }
}

/// The same with a network in between.
fn weathered(recipe: &Path, weather: Weather) -> Result<(), Failed> {
    let expected = Expected::read(&recipe.join("expected.toml"))?;
    let secrets = Secrets::new();
    server::set_up(recipe)?;
    let server = Server::start(recipe, &secrets)?;
    let mut target = target(recipe, &server, &secrets)?;
    let relay = weather.before(server.port(), &mut target)?;
    let Outcome { report, canary } = audit(target, network::saboteur(&relay))
        .map_err(|e| format!("{e}\n{}", secrets.hide(&server.last_words())))?;
    let place = keep(recipe, &report, &canary)?;
    let outcome = match weather {
        Weather::Delay => expected.compare(&report),
        Weather::Faults => expected.made_up(&report).and_then(|()| network::tells(&report, &relay)),
    };
    outcome.map_err(|differences| format!("{differences}\n{place}").into())
}

/// Writes the report, and says where it is.
fn keep(recipe: &Path, report: &Report, canary: &Canary) -> Result<String, String> {
    let folder = reports(recipe.file_name().unwrap_or_default().as_ref());
    let paths = store::write(report, canary, &[], &folder)
        .map_err(|e| format!("{}: {e}", folder.display()))?;
    Ok(format!("report    {}", paths[0].display()))
}

/// Where the reports of a recipe are.
fn reports(name: &Path) -> PathBuf {
    server::target_folder().join("reports").join(name)
}

/// The profile in the folder, with the port and the state of this run, and its path.
fn profile(folder: &Path, server: &Server) -> Result<(String, String), String> {
    let path = folder.join("profile.toml").display().to_string();
    let text = fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
    let text = text
        .replace("{port}", &server.port().to_string())
        .replace("{state}", &server.state().display().to_string());
    Ok((path, text))
}

fn target(recipe: &Path, server: &Server, secrets: &Secrets) -> Result<Target, String> {
    let (path, text) = profile(recipe, server)?;
    Target::parse(&path, &text, &|name| secrets.get(name))
}

fn audit(target: Target, observer: Rc<dyn Observer>) -> Result<Outcome, String> {
    let options = Options {
        target,
        profile: Profile::Baseline,
        filter: Filter::default(),
        clock: Clock::default(),
    };
    audit_blocking(options, observer).map_err(|failure| match failure {
        Failure::Preflight(obstacle, ..) => format!("the server cannot be audited: {obstacle}"),
        Failure::NothingSelected(message) | Failure::Usage(message) | Failure::Own(message) => {
            message
        }
    })
}
