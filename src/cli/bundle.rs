//! `authspec bundle` and `authspec verify`: a run for an auditor.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{complain, exit, say};
use crate::bundle::{Contents, PublicKey, Signer, SigningKey, Verification, make, verify};
use crate::report::{Format, store};

/// Largest bundle that is read.
const MOST_OCTETS: u64 = 512 << 20;

#[derive(Args)]
pub(super) struct BundleArgs {
    /// Folder of a run, or its run.json.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Private key that signs: Ed25519 or P-256 in PEM of PKCS #8. It is not written anywhere.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// File to write; the name of the run with .zip when left out.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// File of waivers to include.
    #[arg(long, value_name = "FILE")]
    waivers: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct VerifyArgs {
    /// The bundle.
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// Public key of whoever should have signed, in PEM.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// Makes the bundle of a run.
pub(super) fn bundle(args: &BundleArgs) -> u8 {
    match made(args) {
        Ok((path, None)) => {
            say(format!("bundle    {}", path.display()));
            say(
                "unsigned  nobody answers for it; --key KEY.pem signs, and openssl genpkey -algorithm ed25519 -out KEY.pem makes a key",
            );
            exit::PASSED
        }
        Ok((path, Some(id))) => {
            say(format!("bundle    {}\nsigned    by the key {id}", path.display()));
            exit::PASSED
        }
        Err((code, message)) => {
            complain(message);
            code
        }
    }
}

type Refused = (u8, String);

fn made(args: &BundleArgs) -> Result<(PathBuf, Option<String>), Refused> {
    let usage = |message: String| (exit::USAGE, message);
    let shown = |path: &Path, e: std::io::Error| (exit::USAGE, format!("{}: {e}", path.display()));
    let report = store::read(&args.run).map_err(usage)?;
    let (folder, file) = match args.run.is_dir() {
        true => (args.run.clone(), args.run.join(Format::Json.file())),
        false => (args.run.parent().unwrap_or(Path::new(".")).to_owned(), args.run.clone()),
    };
    let key = match &args.key {
        Some(path) => {
            let pem = fs::read_to_string(path).map_err(|e| shown(path, e))?;
            Some(SigningKey::read(&pem).map_err(|e| usage(format!("{}: {e}", path.display())))?)
        }
        None => None,
    };
    let mut rendered = Vec::new();
    for format in Format::ALL.iter().filter(|format| **format != Format::Json) {
        let path = folder.join(format.file());
        match fs::read(&path) {
            Ok(text) => rendered.push((format.file().to_owned(), text)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(shown(&path, e)),
        }
    }
    let waivers = args.waivers.as_ref().map(|path| fs::read(path).map_err(|e| shown(path, e)));
    let contents = Contents {
        report: &report,
        run: fs::read(&file).map_err(|e| shown(&file, e))?,
        rendered,
        waivers: waivers.transpose()?,
    };
    let bundle = make(contents, key.as_ref()).map_err(usage)?;
    let path = args.output.clone().unwrap_or_else(|| format!("{}.zip", report.run).into());
    store::replace(&path, &bundle).map_err(|e| shown(&path, e))?;
    Ok((path, key.map(|key| key.public().id())))
}

/// Checks a bundle.
pub(super) fn check(args: &VerifyArgs) -> u8 {
    match read(&args.bundle, args.key.as_deref()) {
        Ok((octets, key)) => {
            let found = verify(&octets, key.as_ref());
            say(text(&found).trim_end());
            if found.is_intact() { exit::PASSED } else { exit::FAILED }
        }
        Err(message) => {
            complain(message);
            exit::USAGE
        }
    }
}

fn read(bundle: &Path, key: Option<&Path>) -> Result<(Vec<u8>, Option<PublicKey>), String> {
    let shown = |path: &Path, e: std::io::Error| format!("{}: {e}", path.display());
    let size = fs::metadata(bundle)
        .map_err(|e| format!("{}; authspec bundle makes a bundle of a run", shown(bundle, e)))?
        .len();
    if size > MOST_OCTETS {
        return Err(format!(
            "{}: {size} octets; a bundle has at most {MOST_OCTETS}",
            bundle.display()
        ));
    }
    let octets = fs::read(bundle).map_err(|e| shown(bundle, e))?;
    if !octets.starts_with(b"PK") {
        return Err(format!("{}: no archive; authspec bundle makes one", bundle.display()));
    }
    let Some(path) = key else { return Ok((octets, None)) };
    let pem = fs::read_to_string(path).map_err(|e| shown(path, e))?;
    let key = PublicKey::read(&pem).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok((octets, Some(key)))
}

fn text(found: &Verification) -> String {
    let mut out = format!("run       {}\n", found.run.as_deref().unwrap_or("unknown"));
    let _ = writeln!(out, "files     {}, {} exchanges", found.files, found.exchanges);
    let _ = match &found.signer {
        Signer::Given(id) => writeln!(out, "signed    by the given key {id}"),
        Signer::Embedded(id) => writeln!(
            out,
            "signed    by {id}, A KEY THAT CAME WITH THE BUNDLE and is not trusted by itself:\n          \
             compare it with what the auditor told you, or give the auditor's public key with --key"
        ),
        Signer::Nobody => writeln!(out, "signed    by nobody, as far as could be checked"),
    };
    for finding in &found.findings {
        let _ = writeln!(out, "changed   {finding}");
    }
    let verdict = if found.is_intact() { "intact" } else { "NOT intact" };
    let _ = writeln!(out, "verdict   {verdict}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_embedded_key_is_remarked_on_and_a_finding_is_told() {
        let found = Verification {
            run: Some("r".into()),
            files: 2,
            exchanges: 3,
            signer: Signer::Embedded("ab".into()),
            findings: vec!["run.json was removed".into()],
        };
        let text = text(&found);
        assert!(text.contains("CAME WITH THE BUNDLE") && text.contains("NOT intact"), "{text}");
        assert!(text.contains("changed   run.json was removed"));
    }
}
