//! What a run says and writes, as options say.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use super::log::LogForm;
use super::report::format;
use super::{complain, exit};
use crate::model::requirement::Profile;
use crate::report::prometheus::of_failure;
use crate::report::store::Unwritten;
use crate::report::{Format, store};
use crate::run::Outcome;

const OUTPUT: &str = "Output";

/// Where the report goes, and in which forms.
#[derive(Args, Clone)]
pub(super) struct OutputArgs {
    /// Folder for reports.
    #[arg(long, value_name = "FOLDER", default_value = "reports")]
    pub(super) reports: PathBuf,
    /// Write this form of the report beside run.json; may be repeated.
    #[arg(long = "format", value_name = "FORMAT", value_parser = format)]
    pub(super) formats: Vec<Format>,
    /// Also write the run's metrics to this file, for the textfile collector of Prometheus. A run that
    /// yields no report writes its exit code there.
    #[arg(long, value_name = "FILE")]
    pub(super) prometheus: Option<PathBuf>,
    /// Also write the run's spans and metrics to this file, for the otlpjsonfile receiver of an
    /// OpenTelemetry collector.
    #[arg(long, value_name = "FILE", value_parser = file)]
    pub(super) otlp: Option<PathBuf>,
}

/// A path; an address is refused, since nothing is sent to anybody but the target.
fn file(text: &str) -> Result<PathBuf, String> {
    match text.contains("://") {
        true => Err("nothing is sent to a collector: name a file, and let the collector read it \
             (receiver otlpjsonfile)"
            .into()),
        false => Ok(text.into()),
    }
}

impl OutputArgs {
    /// The same for one of several targets: files of metrics and spans have its name before the ending.
    pub(super) fn of_target(&self, name: &str) -> Self {
        let named = |path: &PathBuf| {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let ending = path.extension().map(|e| format!(".{}", e.to_string_lossy()));
            path.with_file_name(format!("{stem}.{name}{}", ending.unwrap_or_default()))
        };
        Self {
            prometheus: self.prometheus.as_ref().map(named),
            otlp: self.otlp.as_ref().map(named),
            ..self.clone()
        }
    }

    /// Makes sure that reports can be written, before anything is sent. The error is an exit code;
    /// why was said.
    pub(super) fn prepare(&self) -> Result<(), u8> {
        let folder = self.reports.display();
        store::prepare(&self.reports).map_err(|e| {
            complain(format!(
                "cannot write to the report folder {folder}: {e}; choose another one with --reports"
            ));
            exit::USAGE
        })
    }

    /// Writes the report in every form that was asked for. Returns the paths, or the error with the
    /// path that it is about.
    pub(super) fn write(
        &self,
        Outcome { report, canary }: &Outcome,
    ) -> Result<Vec<PathBuf>, String> {
        let formats = if self.formats.is_empty() { Format::USUAL } else { &self.formats };
        let fault = |path: &Path, e: Unwritten| {
            format!("the report could not be written to {}: {e}", path.display())
        };
        let mut paths = store::write(report, canary, formats, &self.reports)
            .map_err(|e| fault(&self.reports, e))?;
        let more = [(Format::Prometheus, &self.prometheus), (Format::Otlp, &self.otlp)];
        for (format, path) in more.into_iter().filter_map(|(f, path)| Some((f, path.as_ref()?))) {
            store::write_one(report, canary, format, path).map_err(|e| fault(path, e))?;
            paths.push(path.clone());
        }
        Ok(paths)
    }

    /// Leaves the exit code of a run without a report where its metrics would be: the old ones would
    /// look as if nothing had happened.
    pub(super) fn write_failure(&self, issuer: &str, profile: Profile, exit_code: u8) {
        let Some(path) = &self.prometheus else { return };
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 stay below 2^52")]
        let now = Timestamp::now().as_millisecond() as f64 / 1000.0;
        if let Err(e) = store::replace(path, of_failure(issuer, profile, exit_code, now)) {
            complain(format!("the metrics could not be written to {}: {e}", path.display()));
        }
    }
}

/// How much a run says while it runs.
#[derive(Args, Clone, Copy, Default)]
pub(super) struct VoiceArgs {
    /// Print the lines of findings and the summary, and no evidence.
    #[arg(short, long, conflicts_with = "verbose", help_heading = OUTPUT)]
    pub(super) quiet: bool,
    /// Print a line for each exchange when its requirement is concluded: number, method, endpoint,
    /// status and time.
    #[arg(short, long, help_heading = OUTPUT)]
    pub(super) verbose: bool,
    /// Log to standard error; the report stays on standard output.
    #[arg(long, value_name = "FORM", value_enum, help_heading = OUTPUT)]
    pub(super) log: Option<LogForm>,
}
