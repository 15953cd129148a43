//! Checks a bundle, offline, and says what was changed and where.

use std::collections::BTreeMap;

use super::key::PublicKey;
use super::manifest::{FileDigest, Manifest, VERSION, sha256};
use super::statement::{Envelope, statement};
use super::zip::{self, Entry};
use super::{ATTESTATION, EXCHANGES, MANIFEST, PUBLIC_KEY, RUN, chain, json};
use crate::model::report::Report;

/// Who signed a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The key that was given, by its id.
    Given(String),
    /// The key that came with the bundle, by its id: proves nothing until that is compared.
    Embedded(String),
    /// Nobody.
    Nobody,
}

/// What was found out about a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The run, where the manifest can be read.
    pub run: Option<String>,
    /// Files in the manifest.
    pub files: usize,
    /// Exchanges in the chain.
    pub exchanges: usize,
    /// Who signed.
    pub signer: Signer,
    /// What is wrong, each with its place; nothing where the bundle is as it was made.
    pub findings: Vec<String>,
}

/// Checks the container, every digest, the chain, the statement and, by `key` or the embedded one,
/// the signature. A given key must have signed.
pub fn verify(bundle: &[u8], key: Option<&PublicKey>) -> Verification {
    let mut found = Verification {
        run: None,
        files: 0,
        exchanges: 0,
        signer: Signer::Nobody,
        findings: vec![],
    };
    let entries = match zip::read(bundle) {
        Ok(entries) => entries,
        Err(fault) => {
            found.findings.push(format!("{} at octet {} of the bundle", fault.what, fault.offset));
            return found;
        }
    };
    let by_name: BTreeMap<&str, &(usize, Entry)> =
        entries.iter().map(|entry| (entry.1.name.as_str(), entry)).collect();
    let content = |name: &str| by_name.get(name).map(|(_, entry)| entry.content.as_slice());
    let Some(text) = content(MANIFEST) else {
        found.findings.push(format!("{MANIFEST} was removed"));
        return found;
    };
    match serde_json::from_slice::<Manifest>(text) {
        Ok(manifest) if manifest.version == VERSION => {
            found.files = manifest.files.len();
            found.findings.extend(against(&manifest, &entries, &by_name));
            found.run = Some(manifest.run);
        }
        Ok(manifest) => {
            let version = manifest.version;
            found.findings.push(format!(
                "a bundle of version {version}; this authspec verifies version {VERSION}"
            ));
        }
        Err(e) => found.findings.push(format!("{MANIFEST} was changed: {e}")),
    }
    let report = content(RUN).and_then(|text| Report::parse(&String::from_utf8_lossy(text)).ok());
    let lines = content(EXCHANGES).unwrap_or_default();
    found.exchanges = lines.iter().filter(|octet| **octet == b'\n').count();
    if let Some((entry, at)) = chain::check(lines) {
        found.findings.push(format!(
            "the chain of exchanges breaks at entry {entry} (octet {at} of {EXCHANGES}): this entry or the one before was changed, removed or moved"
        ));
    }
    if let Some(report) = &report
        && chain::write(report).is_ok_and(|own| own != lines)
    {
        found.findings.push(format!("{EXCHANGES} does not say what {RUN} says"));
    }
    found.attested(content(ATTESTATION), text, report.as_ref(), key, content(PUBLIC_KEY));
    found
}

/// What the archive holds against what the manifest says.
fn against(
    manifest: &Manifest,
    entries: &[(usize, Entry)],
    by_name: &BTreeMap<&str, &(usize, Entry)>,
) -> Vec<String> {
    let mut findings = Vec::new();
    for file in &manifest.files {
        match by_name.get(file.name.as_str()) {
            None => findings.push(format!("{} was removed", file.name)),
            Some((start, entry)) => findings.extend(changed(file, *start, entry)),
        }
    }
    let expected = manifest.files.iter().map(|file| file.name.as_str());
    let expected: Vec<&str> = [MANIFEST, ATTESTATION].into_iter().chain(expected).collect();
    let names: Vec<&str> = entries.iter().map(|(_, entry)| entry.name.as_str()).collect();
    for name in names.iter().filter(|name| !expected.contains(*name)) {
        findings.push(format!("{name} was added"));
    }
    if findings.is_empty() && names != expected {
        findings.push("the files were put into another order".into());
    }
    findings
}

fn changed(file: &FileDigest, start: usize, entry: &Entry) -> Option<String> {
    let (name, content) = (&file.name, &entry.content);
    let place =
        format!("octets {start} to {} of the bundle", start + entry.packed.len().max(1) - 1);
    if file.size == content.len() && file.sha256 == sha256(content) {
        let is_same = file.packed_sha256 == sha256(&entry.packed);
        return (!is_same)
            .then(|| format!("the packing of {name} was changed, its content was not ({place})"));
    }
    let (first, last) = file.difference(content);
    let mut finding =
        format!("{name} was changed, first in its octets {first} to {last} ({place})");
    if name == EXCHANGES {
        let before = content.iter().take(first).filter(|octet| **octet == b'\n').count();
        finding += &format!(", from entry {} on", before + 1);
    }
    if file.size != content.len() {
        finding += &format!("; it has {} octets and had {}", content.len(), file.size);
    }
    Some(finding)
}

impl Verification {
    /// The bundle is as it was made.
    pub fn is_intact(&self) -> bool {
        self.findings.is_empty()
    }

    /// Checks the statement on the manifest, and its signature.
    fn attested(
        &mut self,
        attestation: Option<&[u8]>,
        manifest: &[u8],
        report: Option<&Report>,
        key: Option<&PublicKey>,
        embedded: Option<&[u8]>,
    ) {
        let Some(text) = attestation else {
            return self.findings.push(format!("{ATTESTATION} was removed"));
        };
        let envelope = serde_json::from_slice::<Envelope>(text);
        let envelope = match envelope {
            Ok(envelope) if json(&envelope).is_ok_and(|again| again == text) => envelope,
            Ok(_) => return self.findings.push(format!("{ATTESTATION} was changed in its layout")),
            Err(e) => return self.findings.push(format!("{ATTESTATION} was changed: {e}")),
        };
        let Some(stated) = envelope.statement() else {
            return self.findings.push(format!("{ATTESTATION} holds no statement"));
        };
        if stated["subject"][0]["digest"]["sha256"] != sha256(manifest).as_str() {
            self.findings.push(format!(
                "{MANIFEST} is not the one that {ATTESTATION} names: one of them was changed"
            ));
        } else if report.is_none_or(|report| statement(report, &sha256(manifest)) != stated) {
            self.findings.push(format!("{ATTESTATION} does not say what {RUN} says"));
        }
        let own = embedded.and_then(|pem| PublicKey::read(&String::from_utf8_lossy(pem)).ok());
        match (key, own) {
            (Some(key), _) if envelope.is_signed_by(key) => self.signer = Signer::Given(key.id()),
            (Some(key), _) => self.findings.push(format!("no signature of the key {}", key.id())),
            (None, Some(own)) if envelope.is_signed_by(&own) => {
                self.signer = Signer::Embedded(own.id());
            }
            (None, Some(_)) => {
                self.findings.push("the signature is not that of the key in the bundle".into());
            }
            (None, None) if !envelope.signatures.is_empty() => {
                self.findings.push(format!("there is a signature, but no {PUBLIC_KEY}"));
            }
            (None, None) => {}
        }
    }
}
