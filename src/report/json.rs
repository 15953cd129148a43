//! The lossless form of a report.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::model::report::Report;

/// Name of the file in the folder of its run.
const FILE: &str = "run.json";

/// The report as indented JSON with a final line break.
pub fn render(report: &Report) -> serde_json::Result<String> {
    serde_json::to_string_pretty(report).map(|text| text + "\n")
}

/// Makes sure that reports can be written to `folder`, before anything is sent.
pub fn prepare(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let probe = folder.join(".authspec-probe");
    fs::write(&probe, b"")?;
    fs::remove_file(probe)
}

/// Writes the report to `<folder>/<run>/run.json` and returns the path. The file appears whole or
/// not at all.
pub fn write(report: &Report, folder: &Path) -> io::Result<PathBuf> {
    let run = folder.join(run_name(report));
    fs::create_dir_all(&run)?;
    let path = run.join(FILE);
    let partial = run.join(format!("{FILE}.partial"));
    let text = render(report).map_err(io::Error::other)?;
    let mut file = fs::File::create(&partial)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&partial, &path)?;
    Ok(path)
}

/// Start of the run and host of the target, fit for a folder name: `20261123T130501123Z-as.test`.
fn run_name(report: &Report) -> String {
    let time: String = report.started.chars().filter(char::is_ascii_alphanumeric).collect();
    let host = report.target.issuer.split_once("://").map_or("", |(_, rest)| rest);
    let host: String =
        host.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    format!("{time}-{}", host.trim_matches('-'))
}
