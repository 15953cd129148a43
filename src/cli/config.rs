//! `authspec config`: what is configured and where each value came from.

use std::fmt::Write as _;

use toml::Value;

use super::settings::{NO_TARGET, TargetOptions, environment};
use super::{complain, exit, say};
use crate::target::layers::{Layers, PASSWORD, SHORT_NAMES};
use crate::target::path::Path;
use crate::target::profile::Target;
use crate::target::schema::{self, Kind};

/// Characters up to which a value may move the column of the origins.
const WIDEST: usize = 60;

/// Prints the configuration in force; each value with its origin if asked. Secrets stay references.
pub(super) fn show(options: &TargetOptions, with_origin: bool) -> u8 {
    let target = options.named().and_then(|target| Ok((options.layers(&environment())?, target)));
    match target {
        Ok((layers, target)) => {
            say(text(&layers, &target, with_origin).trim_end());
            exit::PASSED
        }
        Err(message) => {
            complain(message);
            exit::USAGE
        }
    }
}

fn text(layers: &Layers, target: &Target, with_origin: bool) -> String {
    let mut lines: Vec<(String, String, String)> = Vec::new();
    let given = Value::Table(layers.values().clone());
    flatten(&given, &Path::default(), &mut |path, value| {
        let origin = layers.origin(path).map(ToString::to_string).unwrap_or_default();
        lines.push((path.to_string(), value.to_string(), origin));
    });
    for (path, value) in target.defaults() {
        if !lines.iter().any(|(known, ..)| *known == path) {
            lines.push((path, value.to_string(), "default".into()));
        }
    }
    if !lines.iter().any(|(known, ..)| known == "request_budget") {
        lines.push(("request_budget".into(), "none".into(), "default".into()));
    }
    lines.sort();
    let shown = |(path, value, _): &(String, String, String)| format!("{path} = {value}");
    let length = |line: &(String, String, String)| shown(line).chars().count();
    let width = lines.iter().map(length).filter(|length| *length <= WIDEST).max().unwrap_or(0);
    let mut out = String::new();
    for line in &lines {
        let _ = match with_origin {
            // A long value leaves the column to the others.
            true if length(line) > width => {
                writeln!(out, "{}\n{:width$}  # {}", shown(line), "", line.2)
            }
            true => writeln!(out, "{:<width$}  # {}", shown(line), line.2),
            false => writeln!(out, "{}", shown(line)),
        };
    }
    out
}

/// Visits every value; a list of values that are no tables is one.
fn flatten(value: &Value, path: &Path, visit: &mut impl FnMut(&Path, &Value)) {
    match value {
        Value::Table(table) => {
            table.iter().for_each(|(key, value)| flatten(value, &path.child(key), visit));
        }
        Value::Array(list) if list.iter().any(Value::is_table) => {
            list.iter().enumerate().for_each(|(at, item)| flatten(item, &path.item(at), visit));
        }
        _ => visit(path, value),
    }
}

/// Prints every key with its variable and meaning.
pub(super) fn keys() -> u8 {
    let mut out = String::new();
    for key in schema::keys() {
        let form = match key.kind {
            Kind::Text => "text",
            Kind::Texts => "words, or a TOML array",
            Kind::Other => "TOML value",
        };
        let _ = writeln!(
            out,
            "{}\n    AUTHSPEC_{} ({form})\n    {}",
            key.path,
            key.path.variable(),
            key.description
        );
    }
    let _ = writeln!(out, "Short names:");
    for (name, path) in SHORT_NAMES {
        let _ = writeln!(out, "    {name} for {path}");
    }
    let _ = writeln!(out, "    {PASSWORD} holds the user's password itself");
    say(out.trim_end());
    exit::PASSED
}

/// Prints the JSON Schema of profiles.
pub(super) fn print_schema() -> u8 {
    say(format!("{:#}", schema::json()));
    exit::PASSED
}

impl TargetOptions {
    /// [`Self::resolve`] where a target must be named.
    pub(super) fn named(&self) -> Result<Target, String> {
        self.resolve(&environment())?.ok_or_else(|| NO_TARGET.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_shown_and_long_values_break_no_column() {
        let long = "x".repeat(80);
        let profile = format!(
            "issuer = \"http://127.0.0.1:1\"\n[[clients]]\nid = \"{long}\"\nredirect_uris = [\"http://127.0.0.1:2/\"]\n"
        );
        let layers = Layers::read("p.toml", &profile).unwrap();
        let target = Target::load(&layers, &|_| None).unwrap();
        let text = text(&layers, &target, true);
        assert!(text.contains("login.budget = 1000 "), "{text}");
        assert!(text.contains("request_budget = none "), "{text}");
        let columns: Vec<usize> = text.lines().filter_map(|line| line.find("  # ")).collect();
        assert!(columns.len() > 8 && columns.windows(2).all(|w| w[0] == w[1]), "{text}");
    }
}
