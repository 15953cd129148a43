//! The JSON Schema of a profile, and what it says about a key.

use std::sync::LazyLock;

use serde_json::Value;

use super::file::File;
use super::path::{Path, Segment};

/// How a key is written in the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As it stands.
    Text,
    /// Words.
    Texts,
    /// A TOML value.
    Other,
}

/// A key that a profile may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its place; the first entry stands for every entry of a list.
    pub path: Path,
    /// Its type, in one word.
    pub kind: Kind,
    /// What it means.
    pub description: String,
}

static SCHEMA: LazyLock<Value> = LazyLock::new(|| schemars::schema_for!(File).to_value());

/// The schema (JSON Schema 2020-12).
pub fn json() -> &'static Value {
    &SCHEMA
}

/// Follows references and the alternative `null`.
fn plain(schema: &'static Value) -> &'static Value {
    let reference = schema.get("$ref").and_then(Value::as_str);
    if let Some(found) = reference.and_then(|r| SCHEMA.pointer(r.trim_start_matches('#'))) {
        return plain(found);
    }
    let alternatives = schema.get("anyOf").and_then(Value::as_array);
    let some = alternatives.and_then(|all| all.iter().find(|a| a["type"] != "null"));
    some.map_or(schema, plain)
}

fn within(schema: &'static Value, segment: &Segment) -> Option<&'static Value> {
    let schema = plain(schema);
    match segment {
        Segment::Key(key) => schema
            .get("properties")
            .and_then(|properties| properties.get(key))
            .or_else(|| schema.get("additionalProperties").filter(|s| s.is_object())),
        Segment::Index(_) => schema.get("items"),
    }
}

/// What the schema says about a place; nothing where a profile has no such place.
pub fn at(path: &Path) -> Option<&'static Value> {
    path.iter().try_fold(&*SCHEMA, within)
}

fn has_type(schema: &Value, name: &str) -> bool {
    match &schema["type"] {
        Value::String(own) => own == name,
        Value::Array(all) => all.iter().any(|own| own == name),
        // A choice among names.
        _ => name == "string" && (schema.get("enum").is_some() || schema.get("oneOf").is_some()),
    }
}

fn kind_of(schema: &'static Value) -> Kind {
    let own = plain(schema);
    if has_type(own, "string") {
        return Kind::Text;
    }
    let items = own.get("items").map(plain);
    match items.is_some_and(|items| has_type(items, "string")) {
        true => Kind::Texts,
        false => Kind::Other,
    }
}

/// How the value at a place is written in the environment.
pub fn kind(path: &Path) -> Option<Kind> {
    at(path).map(kind_of)
}

/// Every key that a profile may have, tables left out, in the order of the schema.
pub fn keys() -> Vec<Key> {
    let mut found = Vec::new();
    collect(&SCHEMA, &Path::default(), "", &mut found);
    found
}

fn collect(schema: &'static Value, path: &Path, description: &str, found: &mut Vec<Key>) {
    let own = plain(schema);
    let described = [schema, own].into_iter().find_map(|s| s["description"].as_str());
    let description = described.unwrap_or(description);
    if let Some(properties) = own.get("properties").and_then(Value::as_object) {
        for (name, member) in properties {
            collect(member, &path.child(name), "", found);
        }
        return;
    }
    match own.get("items").filter(|items| plain(items).get("properties").is_some()) {
        Some(items) => collect(items, &path.item(0), description, found),
        None => found.push(Key {
            path: path.clone(),
            kind: kind_of(own),
            description: description.replace('\n', " "),
        }),
    }
}

/// The key that is most like `path`, if one is.
pub fn nearest(path: &Path) -> Option<Path> {
    let sought = path.to_string();
    let likeness = |key: &Key| strsim::jaro_winkler(&sought, &key.path.to_string());
    let all = keys().into_iter().map(|key| (likeness(&key), key.path));
    let best = all.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(likeness, _)| *likeness >= 0.85).map(|(_, path)| path)
}
