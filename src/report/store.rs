//! Reports on disk: a run is there whole or not at all.

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::Format;
use crate::model::redact::{Canary, Leak};
use crate::model::report::Report;

/// Why no report was written. Nothing of it is left behind.
#[derive(Debug)]
pub enum Unwritten {
    /// The folder or the disk is at fault.
    Io(io::Error),
    /// The report cannot be drawn in a form.
    Undrawn(String),
    /// A secret stood in the file of that name.
    Leak(&'static str, Leak),
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(e) => write!(f, "{e}; choose another place"),
            Self::Undrawn(e) => {
                write!(f, "{e}; this is a defect of authspec, please report it")
            }
            Self::Leak(file, leak) => write!(
                f,
                "{file} was withheld, since {leak}; this is a defect of authspec, please report it with what the target answers there"
            ),
        }
    }
}

impl std::error::Error for Unwritten {}

/// Makes sure that reports can be written to `folder`, before anything is sent.
pub fn prepare(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let probe = folder.join(".authspec-probe");
    fs::write(&probe, b"")?;
    fs::remove_file(probe)
}

/// Writes the report in `formats`, and as JSON in any case, to the folder of its run within
/// `folder`, and returns the paths. The folder appears with all its files or not at all; not before
/// `canary` has found no secret in any of them.
pub fn write(
    report: &Report,
    canary: &Canary,
    formats: &[Format],
    folder: &Path,
) -> Result<Vec<PathBuf>, Unwritten> {
    let mut formats = formats.to_vec();
    formats.push(Format::Json);
    formats.sort_unstable();
    formats.dedup();
    let mut texts = Vec::new();
    for format in formats {
        texts.push((format.file(), drawn(report, canary, format)?));
    }
    let (run, partial) =
        (folder.join(&report.run), folder.join(format!(".{}.partial", report.run)));
    fs::create_dir_all(&partial).map_err(Unwritten::Io)?;
    let written =
        texts.iter().try_for_each(|(file, text)| save(&partial.join(file), text.as_bytes()));
    if let Err(e) = written.and_then(|()| fs::rename(&partial, &run)) {
        let _ = fs::remove_dir_all(&partial);
        return Err(Unwritten::Io(e));
    }
    Ok(texts.iter().map(|(file, _)| run.join(file)).collect())
}

/// Writes the report in one form to a file, whole or not at all, and not before `canary` has found no
/// secret in it.
pub fn write_one(
    report: &Report,
    canary: &Canary,
    format: Format,
    path: &Path,
) -> Result<(), Unwritten> {
    replace(path, drawn(report, canary, format)?).map_err(Unwritten::Io)
}

fn drawn(report: &Report, canary: &Canary, format: Format) -> Result<String, Unwritten> {
    let text = format.render(report).map_err(Unwritten::Undrawn)?;
    canary.scan(text.as_bytes()).map_err(|leak| Unwritten::Leak(format.file(), leak))?;
    Ok(text)
}

/// Writes one file, whole or not at all.
pub fn replace(path: &Path, text: impl AsRef<[u8]>) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = path.with_file_name(name);
    save(&partial, text.as_ref()).and_then(|()| fs::rename(&partial, path))
}

/// The last run in the folder.
///
/// The error says that there is none.
pub fn last(folder: &Path) -> Result<PathBuf, String> {
    let runs =
        fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    // The name of a run begins with its start; runs on purpose elsewhere do not.
    let is_run = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(|c: char| c.is_ascii_digit()) && path.join(Format::Json.file()).is_file()
    };
    runs.filter(is_run).max().ok_or_else(|| format!("{}: no run is there", folder.display()))
}

/// A report that was written: the file, or the one in the folder of a run.
///
/// The error names the file and says what is wrong with it.
pub fn read(path: &Path) -> Result<Report, String> {
    let file = if path.is_dir() { path.join(Format::Json.file()) } else { path.to_owned() };
    let shown = file.display();
    const WHAT: &str =
        "name the folder of a run, such as reports/20261123T.., or the run.json in it";
    let text = fs::read_to_string(&file).map_err(|e| format!("{shown}: {e}; {WHAT}"))?;
    Report::parse(&text).map_err(|e| format!("{shown}: {e}; {WHAT}"))
}

fn save(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(text)?;
    file.sync_all()
}
