//! Options for more than one run.

use std::path::PathBuf;

use clap::Args;

const MANY: &str = "Several runs";

/// Whom to audit beside one target, and how often.
#[derive(Args, Clone, Default)]
pub(super) struct ManyArgs {
    /// Audit every target profile (*.toml) in this folder, side by side where they share no host, and
    /// write a matrix of requirements and targets.
    ///
    /// The exit code is the worst one: 130 before 4, 1, 2, 3, 6, 5 and 0.
    #[arg(
        long, value_name = "FOLDER", help_heading = MANY,
        conflicts_with_all = ["issuer", "target", "watch", "dry_run", "prometheus", "otlp", "repeat"]
    )]
    pub(super) targets: Option<PathBuf>,
    /// Run again when Enter is pressed or a file changes below PATH: what failed or could not be judged,
    /// or all where nothing did. A target that is down is waited for. May be repeated.
    #[arg(
        long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = "",
        help_heading = MANY, conflicts_with = "dry_run"
    )]
    pub(super) watch: Vec<PathBuf>,
}
