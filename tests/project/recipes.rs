//! The recipes of real servers, as texts, and how their expectations are held against what is said.

#[path = "../interop/expected.rs"]
#[expect(dead_code, reason = "reports are compared where servers run")]
mod expected;
#[path = "../interop/secrets.rs"]
mod secrets;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use authspec::catalogue::Catalogue;
use expected::Expected;
use secrets::Secrets;

/// Every expectation in the folder and its recipes.
fn expectations(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(expectations(&path));
        } else if path.ends_with("expected.toml") {
            found.push(path);
        }
    }
    found
}

#[test]
fn every_expectation_reads_and_is_about_requirements_that_there_are() {
    let catalogue = Catalogue::load().unwrap();
    let paths = expectations(&Path::new(env!("CARGO_MANIFEST_DIR")).join("interop"));
    assert!(paths.len() >= 10, "{paths:?}");
    for path in paths {
        let expected = Expected::read(&path).unwrap();
        for id in expected.findings.keys() {
            assert!(catalogue.requirement(id).is_some(), "{}: {id}", path.display());
        }
        assert!(path.with_file_name("profile.toml").is_file(), "{}", path.display());
    }
}

fn read(text: &str) -> Result<Expected, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("expected.toml");
    std::fs::write(&path, text).unwrap();
    Expected::read(&path)
}

fn said(remarks: &[(&str, &str)]) -> BTreeMap<String, String> {
    remarks.iter().map(|(key, says)| ((*key).to_owned(), (*says).to_owned())).collect()
}

#[test]
fn what_is_said_on_the_way_is_neither_more_nor_less_nor_other_than_expected() {
    let expected =
        read("passes_at_least = 1\n[walk.init]\nsays = \"so\"\nreason = \"why\"").unwrap();
    let differs = |remarks: &[(&str, &str)]| expected.compare_walk(&said(remarks), true).err();
    assert_eq!(differs(&[("init", "so")]), None);
    assert!(differs(&[]).unwrap().contains("gone: init"));
    assert!(differs(&[("init", "no")]).unwrap().contains("changed: init"));
    let new = differs(&[("init", "so"), ("doctor.clock", "+60 s")]).unwrap();
    assert!(new.contains("new: doctor.clock") && !new.contains("init"), "{new}");
    // The row is one to paste, once its reason is written.
    let row = new.split_once("says\n").unwrap().1;
    let why = read(&format!("passes_at_least = 1\n{row}")).unwrap_err();
    assert!(why.contains("doctor.clock has no reason"), "{why}");
    assert!(expected.compare_walk(&said(&[]), false).is_ok(), "the walk came to no end");
}

#[test]
fn a_secret_is_found_and_hidden_wherever_it_stands() {
    let secrets = Secrets::new();
    let variables = secrets.variables();
    assert_eq!(variables.len(), 4);
    for (name, value) in variables {
        assert_eq!(secrets.get(name).as_deref(), Some(value));
        assert!(value.len() >= 24, "{name}");
        let text = format!("a={value}&b={value}");
        assert_eq!(secrets.found_in(text.as_bytes()), Some(name));
        assert_eq!(secrets.hide(&text), format!("a={name}&b={name}"));
    }
    assert_eq!(secrets.found_in(b"INTEROP_PASSWORD"), None);
    assert_ne!(secrets.get("INTEROP_TOTP"), Secrets::new().get("INTEROP_TOTP"));
}
