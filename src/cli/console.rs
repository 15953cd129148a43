//! One line a requirement while the audit runs; a progress bar where a person watches.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

use indicatif::{ProgressBar, ProgressStyle};

use super::say;
use crate::model::requirement::Requirement;
use crate::model::verdict::Status;
use crate::report::terminal::{Colour, line};
use crate::run::Observer;

/// Whether standard output may be coloured: it is a terminal and `NO_COLOR` is not set.
pub(super) fn colour() -> Colour {
    #[expect(clippy::disallowed_methods, reason = "the shell reads the environment")]
    let is_unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if std::io::stdout().is_terminal() && !is_unwanted { Colour::On } else { Colour::Off }
}

/// Columns of the terminal, 100 at most, since longer lines are hard to read; 80 elsewhere.
pub(super) fn width() -> usize {
    let columns = terminal_size::terminal_size().map(|(columns, _)| usize::from(columns.0));
    columns.map_or(80, |columns| columns.min(100))
}

/// Prints to standard output.
pub(super) struct Console {
    banner: Option<String>,
    bar: OnceLock<ProgressBar>,
}

impl Console {
    /// A console that prints `banner` before the first requirement.
    pub(super) fn new(banner: Option<String>) -> Self {
        Self { banner, bar: OnceLock::new() }
    }
}

impl Observer for Console {
    fn begins(&self, requirements: usize) {
        if let Some(banner) = &self.banner {
            say(format!("{banner}\n"));
        }
        if !std::io::stdout().is_terminal() {
            return;
        }
        let bar = ProgressBar::new(u64::try_from(requirements).unwrap_or(u64::MAX));
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} requirements") {
            bar.set_style(style);
        }
        let _ = self.bar.set(bar);
    }

    fn concluded(&self, requirement: &Requirement, status: Status) {
        let text = line(&requirement.id, requirement.level, requirement.severity, status, colour());
        match self.bar.get() {
            Some(bar) => {
                bar.suspend(|| say(&text));
                bar.inc(1);
                if bar.position() == bar.length().unwrap_or(0) {
                    bar.finish_and_clear();
                }
            }
            None => say(&text),
        }
    }
}
