//! `authspec run --targets`: many targets side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use url::Url;

use super::arguments::RunArgs;
use super::run::{Session, code_of, explain};
use super::settings::{TargetOptions, environment};
use super::{complain, dry_run, exit, person, say};
use crate::plan::Filter;
use crate::report::store;
use crate::report::targets::{Audited, Found, csv, markdown};
use crate::run::Failure;
use crate::target::profile::Target;

/// Hosts that are audited at the same time: one thread serves them all.
const SIDE_BY_SIDE: usize = 8;

/// Exit codes, the worst first. A finding is certain; what could not be audited may hide one.
const WORST: [u8; 8] = [
    exit::INTERRUPTED,
    exit::OWN_ERROR,
    exit::FAILED,
    exit::USAGE,
    exit::PREFLIGHT,
    exit::NOTHING_SELECTED,
    5,
    exit::PASSED,
];

/// A profile, and the target that it describes or what is wrong with it.
struct Entry {
    /// Position among the profiles.
    at: usize,
    name: String,
    target: Result<Target, String>,
}

/// Audits every profile of the folder and writes a run each, and the matrix.
pub(super) async fn run(
    session: &Session,
    folder: &Path,
    options: &TargetOptions,
    filter: &Filter,
) -> u8 {
    let entries = match entries(folder, options) {
        Ok(entries) => entries,
        Err(message) => {
            complain(message);
            return exit::USAGE;
        }
    };
    if let Err(message) = tell_apart(&entries, session.output.prometheus.is_some()) {
        complain(message);
        return exit::USAGE;
    }
    let queues = queues(entries);
    let mut all: Vec<(usize, Audited)> = stream::iter(queues)
        .map(async |queue| {
            let mut done = Vec::new();
            for entry in queue {
                done.push((entry.at, audit(session, entry, filter).await));
            }
            done
        })
        .buffer_unordered(SIDE_BY_SIDE)
        .concat()
        .await;
    all.sort_by_key(|(at, _)| *at);
    let all: Vec<Audited> = all.into_iter().map(|(_, audited)| audited).collect();
    let code = worst(all.iter().map(|audited| audited.exit_code));
    match write(session, &all) {
        Ok(text) => {
            say(text);
            code
        }
        Err(message) => {
            complain(message);
            exit::OWN_ERROR
        }
    }
}

/// Prints what a run would do to each target, one after another; nothing is sent to them.
pub(super) async fn rehearse(args: &RunArgs, folder: &Path) -> u8 {
    let entries = match entries(folder, &args.target) {
        Ok(entries) => entries,
        Err(message) => {
            complain(message);
            return exit::USAGE;
        }
    };
    let mut codes = Vec::new();
    for Entry { name, target, .. } in entries {
        say(format!("\ntarget    {name}"));
        codes.push(match target {
            Ok(target) => {
                let filter = args.filter.clone().into();
                dry_run::of(Some(target), args.profile.into(), filter).await
            }
            Err(message) => {
                complain(message);
                exit::USAGE
            }
        });
    }
    worst(codes.into_iter())
}

/// Series of Prometheus are told apart by the issuer: two of the same name would be refused where they
/// are collected.
fn tell_apart(entries: &[Entry], writes_metrics: bool) -> Result<(), String> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let known = entries.iter().filter_map(|entry| Some((entry, entry.target.as_ref().ok()?)));
    for (entry, target) in known.filter(|_| writes_metrics) {
        if let Some(other) = seen.insert(&target.issuer, &entry.name) {
            return Err(format!(
                "--prometheus: {other} and {} have the issuer {}, so their series would be the same; leave one out",
                entry.name, target.issuer
            ));
        }
    }
    Ok(())
}

/// The profiles of the folder in the order of their names. The error says why there are none.
fn entries(folder: &Path, options: &TargetOptions) -> Result<Vec<Entry>, String> {
    let environment = environment();
    if environment.get("AUTHSPEC_ISSUER").is_some_and(|issuer| !issuer.is_empty()) {
        return Err(
            "AUTHSPEC_ISSUER would replace the issuer of every profile; unset it for --targets"
                .into(),
        );
    }
    let shown = folder.display();
    let listed = std::fs::read_dir(folder).map_err(|e| format!("cannot read {shown}: {e}"))?;
    let mut paths: Vec<PathBuf> = listed
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_file() && path.extension().is_some_and(|e| e == "toml"))
        .collect();
    paths.sort();
    if paths.is_empty() {
        return Err(format!("no target profile (*.toml) is in {shown}; authspec init writes one"));
    }
    let entry = |(at, path): (usize, PathBuf)| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let options = TargetOptions { target: Some(path), ..options.clone() };
        let target = options.resolve(&environment);
        Entry { at, name, target: target.and_then(|t| t.ok_or("it names no issuer".into())) }
    };
    Ok(paths.into_iter().enumerate().map(entry).collect())
}

/// Targets that share a host, or the person who signs in, wait for each other.
fn queues(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut queues: Vec<(BTreeSet<String>, Vec<Entry>)> = Vec::new();
    for entry in entries {
        let hosts = entry.target.as_ref().map(hosts).unwrap_or_default();
        let (mut all, mut queue) = (hosts, Vec::new());
        let (shared, apart) = queues.into_iter().partition(|(hosts, _)| !hosts.is_disjoint(&all));
        queues = apart;
        let shared: Vec<(BTreeSet<String>, Vec<Entry>)> = shared;
        for (hosts, entries) in shared {
            all.extend(hosts);
            queue.extend(entries);
        }
        queue.push(entry);
        queues.push((all, queue));
    }
    queues.into_iter().map(|(_, queue)| queue).collect()
}

/// The hosts that the profile names. Ports do not tell them apart: they are one machine.
fn hosts(target: &Target) -> BTreeSet<String> {
    let resources = [
        target.resource.as_ref().map(|r| &r.url),
        target.scoped_operation.as_ref().map(|o| &o.url),
    ];
    let urls = [&target.issuer].into_iter().chain(target.endpoints.values());
    let urls = urls.chain(resources.into_iter().flatten());
    let hosts = urls.filter_map(|url| Some(Url::parse(url).ok()?.host_str()?.to_owned()));
    let person = person::is_needed(target).then(|| "the person who signs in".to_owned());
    hosts.chain(person).collect()
}

async fn audit(session: &Session, entry: Entry, filter: &Filter) -> Audited {
    let Entry { name, target, .. } = entry;
    let issuer = target.as_ref().map(|target| target.issuer.clone()).unwrap_or_default();
    let not = |exit_code, reason| (exit_code, Err(reason));
    let output = session.output.of_target(&name);
    let (exit_code, outcome) = match target {
        Err(message) => not(exit::USAGE, message),
        Ok(_) if session.stop.is_asked() => {
            not(exit::INTERRUPTED, "the command was interrupted before it began".into())
        }
        Ok(target) => match session.audit(target, filter.clone(), Some(name.clone())).await {
            Err(failure) => {
                complain(format!("{name}:"));
                not(explain(&failure), reason(&failure))
            }
            Ok(outcome) => match output.write(&outcome) {
                Ok(_) => (code_of(&outcome.report), Ok(Found::of(&outcome.report))),
                Err(message) => not(exit::OWN_ERROR, message),
            },
        },
    };
    if outcome.is_err() {
        let shown = if issuer.is_empty() { &name } else { &issuer };
        output.write_failure(shown, session.profile, exit_code);
    }
    Audited { name, issuer, exit_code, outcome }
}

/// Why there is no report, in one line.
fn reason(failure: &Failure) -> String {
    match failure {
        Failure::Preflight(obstacle, ..) => obstacle.to_string(),
        Failure::NothingSelected(message) | Failure::Usage(message) | Failure::Own(message) => {
            message.clone()
        }
    }
}

fn worst(codes: impl Iterator<Item = u8>) -> u8 {
    let rank = |code: &u8| WORST.iter().position(|worse| worse == code).unwrap_or(0);
    codes.min_by_key(rank).unwrap_or(exit::USAGE)
}

/// Writes the matrix. Returns what to print.
fn write(session: &Session, all: &[Audited]) -> Result<String, String> {
    let time = format!("{:.3}", Timestamp::now());
    let time: String = time.chars().filter(char::is_ascii_alphanumeric).collect();
    let folder = &session.output.reports;
    let mut text = String::new();
    for target in all {
        let Audited { name, issuer, exit_code, .. } = target;
        text.push_str(&format!(
            "\ntarget    {name} {issuer} (exit code {exit_code}): {}",
            target.gist()
        ));
    }
    for (ending, content) in [("md", markdown(all)), ("csv", csv(all)?)] {
        let path = folder.join(format!("targets-{time}.{ending}"));
        let shown = path.display();
        store::replace(&path, &content).map_err(|e| format!("{shown}: {e}"))?;
        text.push_str(&format!("\nmatrix    {shown}"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::layers::Environment;

    fn entry(at: usize, issuer: &str) -> Entry {
        let options = TargetOptions {
            issuer: Some(issuer.into()),
            client_id: Some("web".into()),
            redirect_uris: vec!["https://app.test/cb".into()],
            ..TargetOptions::default()
        };
        let target = options.resolve(&Environment::new()).map(Option::unwrap);
        Entry { at, name: issuer.into(), target }
    }

    #[test]
    fn targets_on_one_host_share_a_queue() {
        let issuers =
            ["https://a.test", "https://b.test", "https://a.test:8443/tenant", "nonsense://"];
        let mut shared = entry(4, "https://c.test");
        let target = shared.target.as_mut().unwrap();
        target.endpoints.insert("token_endpoint".into(), "https://b.test/token".into());
        let mut all: Vec<Entry> =
            issuers.iter().enumerate().map(|(at, issuer)| entry(at, issuer)).collect();
        all[3].target = Err("broken".into());
        all.push(shared);
        let mut queues: Vec<Vec<usize>> =
            queues(all).iter().map(|queue| queue.iter().map(|e| e.at).collect()).collect();
        queues.sort();
        assert_eq!(queues, [vec![0, 2], vec![1, 4], vec![3]]);
    }

    #[test]
    fn a_target_on_two_hosts_joins_their_queues() {
        let mut both = entry(2, "https://a.test");
        let target = both.target.as_mut().unwrap();
        target.endpoints.insert("token_endpoint".into(), "https://b.test/token".into());
        let all = vec![entry(0, "https://a.test"), entry(1, "https://b.test"), both];
        assert_eq!(queues(all).len(), 1);
    }

    #[test]
    fn series_of_one_issuer_are_not_written_twice() {
        let all =
            [entry(0, "https://a.test"), entry(1, "https://b.test"), entry(2, "https://a.test")];
        assert!(tell_apart(&all, false).is_ok() && tell_apart(&all[..2], true).is_ok());
        assert!(tell_apart(&all, true).unwrap_err().contains("https://a.test"));
    }

    #[test]
    fn the_worst_code_wins() {
        assert_eq!(worst([0, 5, 3].into_iter()), 3);
        assert_eq!(worst([3, 1, 0, 2].into_iter()), 1);
        assert_eq!(worst([1, 4].into_iter()), 4);
        assert_eq!(worst([0, 130, 4].into_iter()), 130);
        assert_eq!(worst([0, 0].into_iter()), 0);
    }
}
