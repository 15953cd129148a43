//! One line a requirement while the audit runs; a progress bar where a person watches.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::log::{self, Weight};
use super::output::VoiceArgs;
use super::say;
use super::stop::Stop;
use crate::model::requirement::Requirement;
use crate::model::verdict::Status;
use crate::report::terminal::{Colour, line};
use crate::run::{Glimpse, Observer};

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

/// Prints to standard output, logs, and passes on that somebody wants an end.
pub(super) struct Console {
    banner: Option<String>,
    /// The name of the target, where several are audited side by side.
    name: Option<String>,
    voice: VoiceArgs,
    stop: Stop,
    bar: OnceLock<ProgressBar>,
}

impl Console {
    /// A console that prints `banner` before the first requirement.
    pub(super) fn new(banner: Option<String>, voice: VoiceArgs, stop: Stop) -> Self {
        Self { banner, name: None, voice, stop, bar: OnceLock::new() }
    }

    /// A console of one of several targets: each line begins with its name.
    pub(super) fn of(name: String, voice: VoiceArgs, stop: Stop) -> Self {
        Self { name: Some(name), ..Self::new(None, voice, stop) }
    }

    fn say(&self, text: &str) {
        let text = match &self.name {
            Some(name) => format!("[{name}] {text}"),
            None => text.to_owned(),
        };
        match self.bar.get() {
            Some(bar) => bar.suspend(|| say(&text)),
            None => say(&text),
        }
    }

    /// The members of an event, with the target where there are several.
    fn event(&self, weight: Weight, name: &str, mut members: serde_json::Value) {
        if let Some(target) = &self.name {
            members["target"] = json!(target);
        }
        log::event(weight, name, members);
    }
}

/// What nobody has to look at.
fn is_quiet(status: Status) -> bool {
    matches!(status, Status::Pass | Status::Note | Status::NotApplicable | Status::Untested)
}

impl Observer for Console {
    fn begins(&self, requirements: usize) {
        self.stop.begins();
        self.event(Weight::Info, "run_started", json!({ "requirements": requirements }));
        if let Some(banner) = self.banner.as_ref().filter(|_| !self.voice.quiet) {
            say(format!("{banner}\n"));
        }
        if !std::io::stdout().is_terminal() || self.name.is_some() {
            return;
        }
        let bar = ProgressBar::new(u64::try_from(requirements).unwrap_or(u64::MAX));
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} requirements") {
            bar.set_style(style);
        }
        let _ = self.bar.set(bar);
    }

    fn concluded(&self, requirement: &Requirement, status: Status) {
        let weight = match status {
            Status::Error => Weight::Error,
            status if is_quiet(status) => Weight::Info,
            _ => Weight::Warn,
        };
        self.event(
            weight,
            "requirement_concluded",
            json!({
                "id": requirement.id,
                "status": status.as_str(),
                "level": requirement.level.as_str(),
                "severity": requirement.severity.as_str(),
            }),
        );
        if !self.voice.quiet || !is_quiet(status) {
            self.say(&line(
                &requirement.id,
                requirement.level,
                requirement.severity,
                status,
                colour(),
            ));
        }
        if let Some(bar) = self.bar.get() {
            bar.inc(1);
            if bar.position() == bar.length().unwrap_or(0) {
                bar.finish_and_clear();
            }
        }
    }

    fn wants_exchanges(&self) -> bool {
        self.voice.verbose
    }

    fn exchanged(&self, requirement: &Requirement, exchange: &Glimpse) {
        self.say(&format!("  {exchange}"));
        self.event(
            Weight::Debug,
            "exchange",
            json!({
                "id": requirement.id,
                "number": exchange.number,
                "method": exchange.method,
                "endpoint": exchange.endpoint,
                "status": exchange.status,
                "duration_us": u64::try_from(exchange.elapsed.as_micros()).unwrap_or(u64::MAX),
            }),
        );
    }

    fn is_stopped(&self) -> bool {
        self.stop.is_asked()
    }

    fn cleans_up(&self) {
        self.stop.cleans_up();
    }

    fn is_hurried(&self) -> bool {
        self.stop.is_hurried()
    }
}
