//! `authspec run --watch`: again and again, for people who develop a server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc::UnboundedReceiver;

use super::run::{Session, left_to_do};
use super::{complain, exit, person};
use crate::plan::Filter;
use crate::run::{Failure, Presence};
use crate::target::profile::Target;

/// How often watched files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How often a target that is down is tried.
const KNOCK: Duration = Duration::from_secs(2);

/// Audits, waits, and audits again what failed or could not be judged, until somebody interrupts or
/// nothing can start another run. Returns the exit code of the last one.
pub(super) async fn run(
    session: &Session,
    target: &Target,
    filter: &Filter,
    paths: &[PathBuf],
) -> u8 {
    let paths: Vec<&Path> =
        paths.iter().map(PathBuf::as_path).filter(|path| !path.as_os_str().is_empty()).collect();
    if let Some(path) = paths.iter().find(|path| !path.exists()) {
        complain(format!("--watch: {} does not exist", path.display()));
        return exit::USAGE;
    }
    // Where a person signs in, what he types belongs to the login.
    let mut keys = (!person::is_needed(target)).then(person::listen);
    let look = || Look::at(&paths, &session.output.reports);
    let (mut left, mut is_waiting) = (Vec::new(), false);
    loop {
        let before = look();
        let outcome = session.audit(target.clone(), narrowed(filter, &left), None).await;
        match &outcome {
            Err(failure) if is_down(failure) => {
                if !is_waiting {
                    complain(format!("{} does not answer; waiting until it does", target.issuer));
                }
                is_waiting = true;
                tokio::time::sleep(KNOCK).await;
                continue;
            }
            Ok(outcome) => left = left_to_do(&outcome.report),
            Err(_) => {}
        }
        is_waiting = false;
        let is_final = matches!(
            outcome,
            Err(Failure::Usage(_) | Failure::Own(_) | Failure::NothingSelected(_))
        );
        let code = session.conclude(&target.issuer, outcome);
        if session.stop.is_asked() || is_final {
            return code;
        }
        session.stop.rests();
        let next = match left.len() {
            0 => "everything".to_owned(),
            count => format!("the {count} requirements that failed or could not be judged"),
        };
        complain(format!("waiting for Enter or a change, then {next} again; Ctrl-C ends"));
        if !wait(&mut keys, &paths, || look() != before).await {
            complain("standard input is closed and no path is watched: nothing starts another run");
            return code;
        }
    }
}

/// The filter for those requirements alone, or as it was where there are none.
fn narrowed(filter: &Filter, left: &[String]) -> Filter {
    match left {
        [] => filter.clone(),
        // They are those of the part already.
        ids => Filter { ids: ids.to_vec(), shard: None, ..filter.clone() },
    }
}

/// Nobody is there. Knocking again costs no login.
fn is_down(failure: &Failure) -> bool {
    matches!(failure, Failure::Preflight(_, _, Presence::Down))
}

/// Waits for a reason to run again; false where there can be none.
async fn wait(
    keys: &mut Option<UnboundedReceiver<String>>,
    paths: &[&Path],
    has_changed: impl Fn() -> bool,
) -> bool {
    loop {
        let enter = async {
            match keys.as_mut() {
                Some(keys) => keys.recv().await.is_some(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            is_pressed = enter => match is_pressed {
                true => return true,
                false => *keys = None,
            },
            () = tokio::time::sleep(LOOK), if !paths.is_empty() => {
                if has_changed() {
                    return true;
                }
            }
            else => return false,
        }
        if keys.is_none() && paths.is_empty() {
            return false;
        }
    }
}

/// The files below some paths, hidden ones and the reports aside, with what changes when they do.
#[derive(Debug, Default, PartialEq)]
struct Look(BTreeMap<PathBuf, (Option<SystemTime>, u64)>);

impl Look {
    fn at(paths: &[&Path], reports: &Path) -> Self {
        let (mut look, reports) = (Self::default(), reports.canonicalize().ok());
        paths.iter().for_each(|path| look.add(path, reports.as_deref()));
        look
    }

    fn add(&mut self, path: &Path, without: Option<&Path>) {
        // A link may lead in a circle: what it names is not looked at.
        let Ok(found) = path.symlink_metadata() else { return };
        if found.is_dir() {
            if path.canonicalize().ok().as_deref() == without {
                return;
            }
            let listed = std::fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
            for entry in listed.filter(|e| !e.file_name().to_string_lossy().starts_with('.')) {
                self.add(&entry.path(), without);
            }
        } else {
            self.0.insert(path.to_owned(), (found.modified().ok(), found.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::verdict::Obstacle;

    #[test]
    fn a_look_sees_files_change_come_and_go_but_not_reports() {
        let folder = tempfile::tempdir().unwrap();
        let (root, reports) = (folder.path(), folder.path().join("reports"));
        std::fs::create_dir_all(reports.join("run")).unwrap();
        std::fs::create_dir_all(root.join("src")).unwrap();
        std::fs::write(root.join("src/a"), "1").unwrap();
        let look = || Look::at(&[root], &reports);
        let first = look();
        assert_eq!(first.0.len(), 1);
        std::fs::write(reports.join("run/run.json"), "{}").unwrap();
        std::fs::write(root.join(".hidden"), "x").unwrap();
        assert_eq!(look(), first);
        std::fs::write(root.join("src/a"), "12").unwrap();
        let second = look();
        assert_ne!(second, first);
        std::fs::write(root.join("src/b"), "").unwrap();
        assert_ne!(look(), second);
        std::fs::remove_file(root.join("src/b")).unwrap();
        assert_eq!(look(), second);
    }

    #[test]
    fn only_what_failed_runs_again() {
        let filter = Filter { shard: "1/2".parse().ok(), ..Filter::default() };
        assert!(narrowed(&filter, &[]).shard.is_some());
        let again = narrowed(&filter, &["token.code-single-use".to_owned()]);
        assert_eq!((again.ids.len(), again.shard), (1, None));
    }

    #[test]
    fn only_a_target_that_is_down_is_waited_for() {
        let failure = |presence| {
            Failure::Preflight(Obstacle::new("x", "no connection to y", "z"), vec![], presence)
        };
        assert!(is_down(&failure(Presence::Down)));
        assert!(!is_down(&failure(Presence::Up)));
        assert!(!is_down(&Failure::Usage("no connection to x".into())));
    }

    #[tokio::test]
    async fn without_a_key_and_a_path_nothing_is_waited_for() {
        let (send, receive) = tokio::sync::mpsc::unbounded_channel();
        let mut keys = Some(receive);
        send.send(String::new()).unwrap();
        assert!(wait(&mut keys, &[], || false).await);
        drop(send);
        assert!(!wait(&mut keys, &[], || false).await);
    }
}
