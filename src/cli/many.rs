//! Options for more than one run.

use std::path::PathBuf;

use clap::Args;

/// Any text, since the parser of paths refuses an empty one.
fn path(text: &str) -> Result<PathBuf, std::convert::Infallible> {
    Ok(text.into())
}

const MANY: &str = "Several runs";

/// Whom to audit beside one target, and how often.
#[derive(Args, Clone, Default)]
pub(super) struct ManyArgs {
    /// Audit every target profile (*.toml) in this folder, side by side where they share no host, and
    /// write a matrix of requirements and targets.
    ///
    /// The exit code is the worst one: 130 before 4, 1, 2, 3, 6, 5 and 0. Files of --prometheus and --otlp
    /// are one a target, with its name before the ending: nightly.prom, nightly.NAME.prom.
    #[arg(
        long, value_name = "FOLDER", help_heading = MANY,
        conflicts_with_all = ["issuer", "target"]
    )]
    pub(super) targets: Option<PathBuf>,
    /// Run again when Enter is pressed or a file changes below PATH: what failed or could not be judged,
    /// or all where nothing did. A target that is down is waited for. May be repeated.
    #[arg(
        long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = "", value_parser = path,
        help_heading = MANY, conflicts_with = "dry_run"
    )]
    pub(super) watch: Vec<PathBuf>,
}

impl ManyArgs {
    /// Refuses what makes no sense for several targets; `repeats` tells that a run is to be repeated.
    ///
    /// The error says why.
    pub(super) fn check(&self, repeats: bool) -> Result<(), String> {
        let Some(folder) = &self.targets else { return Ok(()) };
        let refused = |option: &str, why: &str| Err(format!("{option} with --targets: {why}"));
        if !self.watch.is_empty() {
            return refused(
                "--watch",
                "people who develop a server watch one; name its profile with --target",
            );
        }
        if repeats {
            let shown = folder.display();
            let why = format!(
                "a run is of one target; name it: --target {shown}/NAME.toml -R RUN, with the folder of its run"
            );
            return refused("-R", &why);
        }
        Ok(())
    }
}
