//! The auditor's bundle: everything of a run in one archive that shows when an octet of it changes.
//!
//! Only the run that was recorded goes in, which is redacted; no key does.

mod chain;
mod key;
mod limits;
mod manifest;
mod statement;
mod verify;
mod zip;

use serde::Serialize;

pub use self::key::{PublicKey, SigningKey};
use self::manifest::{Manifest, sha256};
use self::statement::{Envelope, statement};
pub use self::verify::{Signer, Verification, verify};
use self::zip::Entry;
use crate::model::report::Report;
use crate::report::Format;

const MANIFEST: &str = "manifest.json";
const ATTESTATION: &str = "attestation.json";
const RUN: &str = "run.json";
const EXCHANGES: &str = "exchanges.ndjson";
const PUBLIC_KEY: &str = "public-key.pem";

/// What a file must not hold, whoever put it there.
const PRIVATE: &str = "PRIVATE KEY-----";

/// How a bundle is read without this tool.
const GUIDE: &str = include_str!("GUIDE.md");

/// What goes into a bundle.
pub struct Contents<'a> {
    /// The run.
    pub report: &'a Report,
    /// `run.json` as it was written.
    pub run: Vec<u8>,
    /// Other forms of the run, by the names of their files.
    pub rendered: Vec<(String, Vec<u8>)>,
    /// The file of waivers, where there is one.
    pub waivers: Option<Vec<u8>>,
}

/// The bundle, the same for the same contents and key but for signatures of P-256, which are random.
///
/// The error says what cannot be written.
pub fn make(contents: Contents<'_>, key: Option<&SigningKey>) -> Result<Vec<u8>, String> {
    let report = contents.report;
    let mut files = vec![
        ("GUIDE.md".to_owned(), GUIDE.as_bytes().to_vec()),
        ("LIMITS.md".to_owned(), limits::write(report).into_bytes()),
        (EXCHANGES.to_owned(), chain::write(report)?),
        (Format::Csv.file().to_owned(), Format::Csv.render(report)?.into_bytes()),
        (RUN.to_owned(), contents.run),
    ];
    files.extend(
        contents.rendered.into_iter().map(|(name, text)| (format!("rendered/{name}"), text)),
    );
    for (number, snapshot) in report.snapshots.iter().enumerate() {
        let name = format!("snapshots/{}-{}.json", number + 1, fit(&snapshot.name));
        files.push((name, json(snapshot)?));
    }
    if let Some(waivers) = contents.waivers {
        files.push(("waivers.toml".to_owned(), waivers));
    }
    if let Some(key) = key {
        files.push((PUBLIC_KEY.to_owned(), key.public().pem().into_bytes()));
    }
    files.sort();
    if let Some((name, _)) = files.iter().find(|(_, text)| holds(text, PRIVATE.as_bytes())) {
        return Err(format!("{name} holds a private key, which does not belong into a bundle"));
    }
    let mut entries: Vec<Entry> =
        files.into_iter().map(|(name, content)| Entry::deflated(&name, content)).collect();
    let manifest = json(&Manifest::of(&report.run, &entries))?;
    let envelope = Envelope::of(&statement(report, &sha256(&manifest)), key)?;
    entries.insert(0, Entry::stored(ATTESTATION, json(&envelope)?));
    entries.insert(0, Entry::stored(MANIFEST, manifest));
    Ok(zip::write(&entries))
}

/// JSON for people: indented, with a final line break.
fn json(value: &impl Serialize) -> Result<Vec<u8>, String> {
    let text = serde_json::to_string_pretty(value).map_err(|e| e.to_string())?;
    Ok((text + "\n").into_bytes())
}

/// A name for a file.
fn fit(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' }).collect()
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|octets| octets == part)
}
