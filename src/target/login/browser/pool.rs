//! Browsers between two logins: to start one may take longer than the login itself. Nothing of a
//! login is left in them, since each has a context of its own.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::arguments::Route;
use super::process::Process;

/// Logins after which a browser is not used again: it grows.
const MOST_LOGINS: usize = 50;

/// What makes one browser as good as another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Make {
    pub(super) program: PathBuf,
    pub(super) environment: Vec<(&'static str, String)>,
    /// The hosts that it reaches.
    pub(super) hosts: Vec<String>,
    pub(super) route: Route,
}

/// A browser that was used so often.
pub(super) struct Used {
    pub(super) process: Process,
    pub(super) logins: usize,
}

/// The browsers of a run that nobody uses now: at most as many as logins were under way at a time.
/// They end with it.
#[derive(Default)]
pub(in crate::target::login) struct Pool(Mutex<Vec<(Make, Used)>>);

impl Pool {
    /// A browser of that make, if one waits.
    pub(super) fn take(&self, make: &Make) -> Option<Used> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(at) = all.iter().position(|(own, _)| own == make) {
            let (_, mut used) = all.swap_remove(at);
            if used.process.is_well() {
                return Some(used);
            }
        }
        None
    }

    /// Keeps a browser for the next login, or gives it back where it is to end.
    pub(super) fn keep(&self, make: Make, used: Used) -> Option<Process> {
        if used.logins >= MOST_LOGINS {
            return Some(used.process);
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((make, used));
        None
    }
}
