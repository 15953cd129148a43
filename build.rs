//! Embeds the features and the catalogue, and notices new files, which `include_dir!` does not.

#![expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts by environment")]

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let mut out = String::new();
    list(&mut out, "FEATURES", "features", "feature")?;
    list(&mut out, "CATALOGUE", "features/requirements", "toml")?;
    let target = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    fs::write(Path::new(&target).join("embedded.rs"), out)
}

/// Writes a constant with path and text of every file of that extension in the folder.
fn list(out: &mut String, name: &str, folder: &str, extension: &str) -> io::Result<()> {
    println!("cargo::rerun-if-changed={folder}");
    let mut files: Vec<String> = fs::read_dir(folder)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|file| Path::new(file).extension().is_some_and(|e| e == extension))
        .collect();
    files.sort();
    let _ = writeln!(out, "const {name}: &[(&str, &str)] = &[");
    for file in files {
        // The path is made where the crate is compiled: two checkouts may share a target folder.
        let from_root = format!("/{folder}/{file}");
        let text = format!("include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {from_root:?}))");
        let _ = writeln!(out, "    ({:?}, {text}),", &from_root[1..]);
    }
    let _ = writeln!(out, "];");
    Ok(())
}
