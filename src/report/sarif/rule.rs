//! A requirement as a rule, and its weaknesses as a taxonomy.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::model::report::RequirementReport;
use crate::model::requirement::{Level, Severity};
use crate::report::escape::prose;
use crate::report::finding::{one_line, shortened};

/// Characters of a rule's descriptions; code scanning takes no more.
const DESCRIPTION: usize = 1_000;

/// Tags of a rule; code scanning rejects a file with more and shows ten.
const TAGS: usize = 20;

/// The rule of a requirement; `all` are the weaknesses of the taxonomy, in its order.
pub(super) fn rule(requirement: &RequirementReport, all: &BTreeSet<u32>) -> Value {
    let duty = shortened(&one_line(&requirement.duty), DESCRIPTION);
    let mut rule = json!({
        "id": requirement.id,
        "name": name(&requirement.id),
        "shortDescription": { "text": duty },
        "fullDescription": { "text": shortened(&full(requirement), DESCRIPTION) },
        "help": { "text": text(requirement), "markdown": markdown(requirement) },
        "defaultConfiguration": { "level": level(requirement.level) },
        "properties": {
            "tags": tags(requirement),
            "precision": "very-high",
            "problem.severity": problem(requirement.level),
            "security-severity": score(requirement.severity),
        },
    });
    if let Some(url) = &requirement.url {
        rule["helpUri"] = json!(url);
    }
    if !requirement.cwe.is_empty() {
        let relationships = requirement.cwe.iter().map(|number| {
            let index = all.iter().position(|n| n == number);
            json!({
                "target": {
                    "id": format!("CWE-{number}"),
                    "index": index,
                    "toolComponent": { "name": "CWE", "index": 0 },
                },
                "kinds": ["superset"],
            })
        });
        rule["relationships"] = relationships.collect();
    }
    rule
}

/// The weaknesses that rules name.
pub(super) fn weaknesses(all: &BTreeSet<u32>) -> Value {
    let taxa = all.iter().map(|number| {
        json!({
            "id": format!("CWE-{number}"),
            "helpUri": format!("https://cwe.mitre.org/data/definitions/{number}.html"),
        })
    });
    json!({
        "name": "CWE",
        "organization": "MITRE",
        "informationUri": "https://cwe.mitre.org/",
        "shortDescription": { "text": "Common Weakness Enumeration" },
        "isComprehensive": false,
        "taxa": taxa.collect::<Value>(),
    })
}

/// `token.code-single-use` as `TokenCodeSingleUse`.
fn name(id: &str) -> String {
    let words = id.split(|c: char| !c.is_alphanumeric()).map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
    });
    words.flatten().collect()
}

fn full(requirement: &RequirementReport) -> String {
    let attack = one_line(&requirement.attack);
    match attack.is_empty() {
        true => one_line(&requirement.duty),
        false => format!("{} {attack}", one_line(&requirement.duty)),
    }
}

/// Heading and text of each part of the help that there is.
fn parts(requirement: &RequirementReport) -> Vec<(&'static str, String)> {
    let mut sources = requirement.sources.join(", ");
    if sources.is_empty() {
        sources = requirement.url.clone().unwrap_or_default();
    }
    [
        ("Duty", format!("{} ({})", requirement.duty, requirement.level.as_str())),
        ("What an attacker gains", requirement.attack.clone()),
        ("To change", requirement.fix.clone()),
        ("Answers that conform", requirement.accepts.clone()),
        ("How it is probed", requirement.probe.clone()),
        ("Applies", requirement.applies.clone()),
        ("Sources", sources),
    ]
    .into_iter()
    .filter(|(_, text)| !text.is_empty())
    .collect()
}

fn text(requirement: &RequirementReport) -> String {
    let mut out = String::new();
    for (heading, text) in parts(requirement) {
        let _ = writeln!(out, "{heading}: {}", one_line(&text));
    }
    out
}

fn markdown(requirement: &RequirementReport) -> String {
    let mut out = format!("# `{}`\n", requirement.id);
    for (heading, text) in parts(requirement) {
        let text = match (heading, &requirement.url) {
            ("Sources", Some(url)) => linked(&requirement.sources, url),
            _ => prose(&text),
        };
        let _ = write!(out, "\n**{heading}**\n\n{text}\n");
    }
    for number in &requirement.cwe {
        let page = format!("https://cwe.mitre.org/data/definitions/{number}.html");
        let _ = write!(out, "\n[CWE-{number}]({page})\n");
    }
    out
}

/// The sources, the governing one as a link.
fn linked(sources: &[String], url: &str) -> String {
    let governing = prose(sources.first().map_or(url, String::as_str));
    let rest = sources.iter().skip(1).map(|source| format!(", {}", prose(source)));
    format!("[{governing}]({}){}", url.replace(')', "%29"), rest.collect::<String>())
}

fn tags(requirement: &RequirementReport) -> Vec<String> {
    let mut tags = vec!["security".to_owned()];
    tags.extend(requirement.cwe.iter().map(|number| format!("external/cwe/cwe-{number:03}")));
    tags.truncate(TAGS - 4);
    let group = requirement.id.split('.').next().unwrap_or_default();
    let level = requirement.level.tag();
    tags.extend(["oauth", level, &requirement.step, group].map(str::to_owned));
    let mut seen = BTreeSet::new();
    tags.retain(|tag| seen.insert(tag.clone()));
    tags
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Must | Level::MustNot => "error",
        Level::Should | Level::ShouldNot => "warning",
        Level::May => "note",
    }
}

fn problem(level: Level) -> &'static str {
    match level {
        Level::Must | Level::MustNot => "error",
        Level::Should | Level::ShouldNot => "warning",
        Level::May => "recommendation",
    }
}

/// A number that code scanning maps to critical, high, medium or low.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "0.1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_id_in_pascal_case() {
        assert_eq!(name("token.code-single-use"), "TokenCodeSingleUse");
    }

    #[test]
    fn a_link_stays_a_link() {
        assert_eq!(
            linked(&["A §1".into(), "B §2".into()], "https://x.test/a(b)#c"),
            "[A §1](https://x.test/a(b%29#c), B §2"
        );
    }
}
