//! `authspec merge`: one run of its parts.

use super::arguments::MergeArgs;
use super::run::finish;
use super::{complain, exit};
use crate::catalogue::Catalogue;
use crate::model::redact::Canary;
use crate::report::store;
use crate::run::Outcome;
use crate::shard::merge as join;

/// Merges, judges and writes.
pub(super) fn merge(args: &MergeArgs) -> u8 {
    let catalogue = match Catalogue::load() {
        Ok(catalogue) => catalogue,
        Err(message) => {
            complain(message);
            return exit::OWN_ERROR;
        }
    };
    let parts = args.parts.iter().map(|path| Ok((path.display().to_string(), store::read(path)?)));
    let merged = args.gate.load().and_then(|rules| {
        let mut whole = join(parts.collect::<Result<_, String>>()?, catalogue)?;
        rules.settle(&mut whole);
        Ok(whole)
    });
    match merged {
        // What the parts hold was redacted when they were written.
        Ok(report) => finish(&Outcome { report, canary: Canary::default() }, &args.output),
        Err(message) => {
            complain(message);
            exit::USAGE
        }
    }
}
