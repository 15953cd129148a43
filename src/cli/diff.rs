//! `authspec diff`: two runs compared.

use std::path::Path;

use super::arguments::DiffFormat;
use super::{complain, exit, say};
use crate::report::diff::{compare, markdown, text};
use crate::report::store;

/// Compares two runs and says what changed.
pub(super) fn diff(before: &Path, after: &Path, format: DiffFormat) -> u8 {
    let (before, after) = match (store::read(before), store::read(after)) {
        (Ok(before), Ok(after)) => (before, after),
        (before, after) => {
            [before.err(), after.err()].into_iter().flatten().for_each(complain);
            return exit::USAGE;
        }
    };
    let difference = compare(&before, &after);
    let shown = match format {
        DiffFormat::Text => text(&difference),
        DiffFormat::Markdown => markdown(&difference),
        DiffFormat::Json => match serde_json::to_string_pretty(&difference) {
            Ok(text) => text,
            Err(e) => {
                complain(e);
                return exit::OWN_ERROR;
            }
        },
    };
    say(shown.trim_end());
    if difference.has_regressed() { exit::FAILED } else { exit::PASSED }
}
