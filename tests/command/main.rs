//! The command as its users run it.
#![expect(clippy::unwrap_used, reason = "a test may fail at any line")]
#![expect(clippy::disallowed_methods, reason = "AUTHSPEC_BLESS is for whoever runs the tests")]

mod call;
mod cli;
mod explain;
mod first_target;
mod shards;
