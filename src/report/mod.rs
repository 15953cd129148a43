//! Readers of a report. Each is a function of it alone and sees nothing else.

pub mod explanation;
mod json;
pub mod store;
pub mod terminal;

use crate::model::report::Report;

/// A form in which a run is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// The lossless one, from which all others are drawn.
    Json,
}

impl Format {
    /// Every form.
    pub const ALL: &[Self] = &[Self::Json];

    /// The forms that a run writes where nothing else is asked for.
    pub const USUAL: &[Self] = &[Self::Json];

    /// Its name as an option value.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
        }
    }

    /// Its file in the folder of a run.
    pub fn file(self) -> &'static str {
        match self {
            Self::Json => "run.json",
        }
    }

    /// The report in this form.
    ///
    /// The error says what cannot be written in it; it is our own fault.
    pub fn render(self, report: &Report) -> Result<String, String> {
        match self {
            Self::Json => json::render(report),
        }
    }
}
