//! What changed in the documents that a target publishes.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use super::normal::Normal;
use crate::model::report::{Report, Snapshot};

/// A document with what changed in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DocumentChange {
    /// `openid-configuration`, `oauth-authorization-server` or `jwks`.
    pub name: String,
    /// A line a change, for example `member added: jwks_uri "https://.."`.
    pub lines: Vec<String>,
}

/// Every document that changed.
pub(super) fn changes(before: &Report, after: &Report) -> Vec<DocumentChange> {
    let names: BTreeSet<&String> =
        before.snapshots.iter().chain(&after.snapshots).map(|s| &s.name).collect();
    let (normal_before, normal_after) = (Normal::of(before), Normal::of(after));
    let compared = names.into_iter().map(|name| {
        let find = |report: &'_ Report| report.snapshots.iter().find(|s| &s.name == name).cloned();
        let lines = match (find(before), find(after)) {
            (Some(old), Some(new)) if name == "jwks" => keys(&old, &new),
            (Some(old), Some(new)) => members(&normal_before, &old, &normal_after, &new),
            (None, Some(_)) => vec!["published now".into()],
            (Some(_), None) => vec!["published no more".into()],
            (None, None) => Vec::new(),
        };
        DocumentChange { name: name.clone(), lines }
    });
    compared.filter(|document| !document.lines.is_empty()).collect()
}

fn members(
    old_normal: &Normal,
    old: &Snapshot,
    new_normal: &Normal,
    new: &Snapshot,
) -> Vec<String> {
    let (Some(before), Some(after)) = (object(&old.content), object(&new.content)) else {
        return not_json(old, new);
    };
    let shown = |normal: &Normal, value: &Value| normal.value(&value.to_string());
    let mut lines = Vec::new();
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let old = before.get(name).map(|value| shown(old_normal, value));
        let new = after.get(name).map(|value| shown(new_normal, value));
        match (old, new) {
            (Some(old), Some(new)) if old != new => {
                lines.push(format!("member changed: {name} {old} to {new}"))
            }
            (None, Some(new)) => lines.push(format!("member added: {name} {new}")),
            (Some(old), None) => lines.push(format!("member removed: {name} {old}")),
            _ => {}
        }
    }
    lines
}

/// Keys by their `kid`, or by all they hold where there is none.
fn keys(old: &Snapshot, new: &Snapshot) -> Vec<String> {
    let named = |snapshot: &Snapshot| -> Option<Vec<(String, Value)>> {
        let document = object(&snapshot.content)?;
        let list = document.get("keys")?.as_array()?.clone();
        let name = |key: &Value| {
            let kid = key.get("kid").and_then(Value::as_str);
            kid.map_or_else(|| key.to_string(), str::to_owned)
        };
        Some(list.into_iter().map(|key| (name(&key), key)).collect())
    };
    let (Some(before), Some(after)) = (named(old), named(new)) else { return not_json(old, new) };
    let told = |(kid, key): &(String, Value)| {
        let member = |name| key.get(name).and_then(Value::as_str).unwrap_or("none");
        format!("{kid:?} (kty {}, alg {}, use {})", member("kty"), member("alg"), member("use"))
    };
    let mut lines = Vec::new();
    for key in &after {
        match before.iter().find(|(kid, _)| *kid == key.0) {
            None => lines.push(format!("key added: {}", told(key))),
            Some((_, old)) if *old != key.1 => lines.push(format!("key changed: {}", told(key))),
            Some(_) => {}
        }
    }
    let gone = before.iter().filter(|(kid, _)| !after.iter().any(|(k, _)| k == kid));
    lines.extend(gone.map(|key| format!("key removed: {}", told(key))));
    lines
}

fn object(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

fn not_json(old: &Snapshot, new: &Snapshot) -> Vec<String> {
    let is_same = old.content == new.content;
    if is_same { Vec::new() } else { vec!["its text changed; it is no JSON object".into()] }
}
