//! `authspec report`: other forms of a run that was recorded.

use std::path::Path;

use super::arguments::ReportCommand;
use super::{complain, exit, say};
use crate::model::report::schema;
use crate::report::{Format, store};

/// The format of that name.
pub(super) fn format(name: &str) -> Result<Format, String> {
    let known = || Format::ALL.iter().map(|f| f.name()).collect::<Vec<_>>().join(", ");
    let found = Format::ALL.iter().find(|format| format.name() == name);
    found.copied().ok_or_else(|| format!("formats are {}", known()))
}

pub(super) fn report(command: &ReportCommand) -> u8 {
    match command {
        ReportCommand::Schema => {
            say(format!("{:#}", schema()));
            exit::PASSED
        }
        ReportCommand::Render { run, format, output } => render(run, *format, output.as_deref()),
    }
}

fn render(run: &Path, format: Format, output: Option<&Path>) -> u8 {
    let report = match store::read(run) {
        Ok(report) => report,
        Err(message) => {
            complain(message);
            return exit::USAGE;
        }
    };
    let text = match format.render(&report) {
        Ok(text) => text,
        Err(message) => {
            complain(format!("{}: {message}", format.name()));
            return exit::OWN_ERROR;
        }
    };
    match output {
        None => say(text.trim_end()),
        Some(path) => {
            if let Err(e) = store::replace(path, &text) {
                complain(format!("{}: {e}", path.display()));
                return exit::USAGE;
            }
        }
    }
    exit::PASSED
}
