//! Layers: a module imports only from modules of the layers above it, and keeps to its crates.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Module, the modules it may import from, and the outside crates that are its own business.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("http", &["model"]),
    ("oauth", &["model"]),
    ("expect", &["model", "oauth"]),
    ("target", &["model", "oauth", "http"]),
    ("world", &["model", "oauth", "http", "expect", "target"]),
    ("steps", &["model", "oauth", "http", "expect", "target", "world"]),
    ("report", &["model"]),
    ("bundle", &["model", "report"]),
    ("gate", &["model"]),
    ("places", &["model", "world"]),
    ("catalogue", &["model"]),
    ("shard", &["model", "catalogue", "gate"]),
    ("plan", &["model", "target", "catalogue", "shard"]),
    ("preflight", &["model", "oauth", "http", "expect", "target", "world"]),
    ("taint", &["model", "oauth", "http", "target", "world", "catalogue"]),
    ("doctor", &["model", "target", "world", "preflight", "draw", "taint"]),
    ("notes", &["model", "target", "world", "plan"]),
    ("cleanup", &["model", "oauth", "http", "world"]),
    (
        "draw",
        &[
            "model",
            "target",
            "world",
            "catalogue",
            "gate",
            "notes",
            "places",
            "plan",
            "shard",
            "taint",
        ],
    ),
    ("rehearsal", &["model", "target", "catalogue", "cleanup", "execute", "notes", "plan", "run"]),
    (
        "run",
        &[
            "cleanup",
            "model",
            "target",
            "world",
            "catalogue",
            "plan",
            "preflight",
            "draw",
            "execute",
        ],
    ),
    ("trial", &["model", "http", "target", "world", "preflight", "draw", "taint"]),
    ("play", &["model", "world"]),
    ("doubt", &["model", "draw"]),
    ("execute", &["model", "doubt", "places", "world", "catalogue", "plan", "play", "draw"]),
    ("embedded", &["http", "oauth", "target", "world"]),
    ("explain", &["model", "oauth", "catalogue", "plan", "run", "embedded"]),
    (
        "cli",
        &[
            "model",
            "target",
            "world",
            "report",
            "bundle",
            "catalogue",
            "plan",
            "rehearsal",
            "run",
            "shard",
            "gate",
            "trial",
            "doctor",
            "embedded",
            "explain",
        ],
    ),
];

/// Outside crates that only these modules may name.
const OWNERS: &[(&str, &[&str])] = &[
    ("html5gum", &["model"]),
    ("httparse", &["http"]),
    ("tokio_rustls", &["http"]),
    ("tokio_tungstenite", &["http"]),
    ("jsonwebtoken", &["oauth"]),
    ("reference_server", &["embedded", "explain", "cli"]),
    ("clap", &["cli"]),
    ("miniz_oxide", &["bundle"]),
    ("indicatif", &["cli"]),
    ("textwrap", &["report"]),
    ("terminal_size", &["cli"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

fn module_of(path: &Path) -> String {
    let relative = path.strip_prefix("src").unwrap();
    let first = relative.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The code of a file without its tests and comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("\n#[cfg(test)]").next().unwrap().to_owned();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The modules that follow `crate::`, also those in braces.
fn imports(code: &str) -> BTreeSet<String> {
    let after = code.match_indices("crate::").map(|(at, found)| &code[at + found.len()..]);
    after.flat_map(leading).filter(|name| !name.is_empty()).collect()
}

/// The first segments of the paths that a text begins with: one, or those of a group.
fn leading(path: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect()
    };
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut depth, mut begins, mut names) = (0, true, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            c if begins && !c.is_whitespace() => {
                names.push(name(&group[at..]));
                begins = false;
            }
            _ => {}
        }
    }
    names
}

/// The longest chain of `super::` in that code.
fn climbs(code: &str) -> usize {
    let chain = |at: usize| code[at..].split("super::").take_while(|gap| gap.is_empty()).count();
    code.match_indices("super::").map(|(at, _)| chain(at)).max().unwrap_or_default()
}

/// How deep the module of that file lies under the root of the crate.
fn depth(path: &Path) -> usize {
    let names = path.strip_prefix("src").unwrap().components().count();
    names - usize::from(path.ends_with("mod.rs"))
}

#[test]
fn grouped_imports_are_seen() {
    let seen =
        imports("use crate::{http, model::{redact, report}, world};\nuse crate::run::Options;");
    let seen: Vec<&str> = seen.iter().map(String::as_str).collect();
    assert_eq!(seen, ["http", "model", "run", "world"]);
    assert_eq!(climbs("use super::super::a; super::b"), 2);
}

#[test]
fn modules_import_only_from_the_layers_above() {
    let layers: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    for path in sources(Path::new("src")) {
        let module = module_of(&path);
        if matches!(module.as_str(), "lib" | "main") {
            continue;
        }
        let allowed =
            layers.get(module.as_str()).unwrap_or_else(|| panic!("{module} has no layer"));
        let code = code(&path);
        assert!(climbs(&code) < depth(&path), "{}: super:: leaves {module}", path.display());
        for import in imports(&code) {
            let is_own = import == module;
            assert!(
                is_own || allowed.contains(&import.as_str()),
                "{}: crate::{import}",
                path.display()
            );
        }
    }
}

#[test]
fn crates_of_note_stay_in_their_module() {
    for path in sources(Path::new("src")) {
        let (module, code) = (module_of(&path), code(&path));
        for (name, owners) in OWNERS {
            let is_named =
                code.contains(&format!("use {name}::")) || code.contains(&format!(" {name}::"));
            assert!(!is_named || owners.contains(&module.as_str()), "{}: {name}", path.display());
        }
    }
}

#[test]
fn judges_and_data_do_no_io() {
    for path in sources(Path::new("src/expect")).into_iter().chain(sources(Path::new("src/model")))
    {
        let code = code(&path);
        for word in [
            "async ",
            "std::fs",
            "std::net::Tcp",
            "std::env",
            "SystemTime",
            "Instant::now",
            "tokio::",
        ] {
            assert!(!code.contains(word), "{}: {word}", path.display());
        }
    }
}

#[test]
fn the_harness_and_the_reference_server_share_no_code() {
    for path in sources(Path::new("reference-server/src")) {
        assert!(!fs::read_to_string(&path).unwrap().contains("authspec::"), "{}", path.display());
    }
    let manifest = fs::read_to_string("reference-server/Cargo.toml").unwrap();
    assert!(!manifest.contains("authspec ="));
}

#[test]
fn files_stay_small_and_main_stays_thin() {
    // The table of defects is one list, a line each.
    let is_table = |path: &PathBuf| path.ends_with("defect/table.rs");
    for path in sources(Path::new("src"))
        .into_iter()
        .chain(sources(Path::new("reference-server/src")))
        .filter(|path| !is_table(path))
    {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(
            lines <= 400,
            "{} has {lines} lines: look for the second idea in it",
            path.display()
        );
    }
    assert!(fs::read_to_string("src/main.rs").unwrap().lines().count() < 50);
}
