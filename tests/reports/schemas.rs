//! Readers of the formats: their schemas, or their rules where there is none.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};
use serde_json::Value;

/// Where schemas that refer to each other by relative names are taken to be.
const BASE: &str = "https://schemas.test/";

/// A compiled schema.
pub(crate) struct Schema(Schemas, SchemaIndex);

impl Schema {
    pub(crate) fn sarif() -> Self {
        Self::compile("sarif-2.1.0.json", &["sarif-2.1.0.json"])
    }

    pub(crate) fn gitlab() -> Self {
        Self::compile("gl-dast-report.json", &["gl-dast-report.json"])
    }

    pub(crate) fn messages() -> Self {
        let file = "cucumber-messages-34.2.1.json";
        Self::compile(file, &[file])
    }

    pub(crate) fn har() -> Self {
        let folder = Path::new("fixtures/schemas/har");
        let names = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name());
        let files: Vec<String> = names.map(|n| format!("har/{}", n.to_str().unwrap())).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        Self::compile("har/har.json", &files)
    }

    fn compile(root: &str, files: &[&str]) -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.set_default_draft(Draft::V7);
        compiler.enable_format_assertions();
        for file in files {
            let text = fs::read_to_string(Path::new("fixtures/schemas").join(file)).unwrap();
            compiler
                .add_resource(&format!("{BASE}{file}"), serde_json::from_str(&text).unwrap())
                .unwrap();
        }
        let index = compiler.compile(&format!("{BASE}{root}"), &mut schemas).unwrap();
        Self(schemas, index)
    }

    /// What is wrong with the document.
    pub(crate) fn check(&self, document: &Value) -> Result<(), String> {
        self.0.validate(document, self.1).map_err(|e| format!("{e:#}"))
    }
}

/// Name, required attributes, optional attributes, children.
type Element =
    (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

/// Elements of JUnit XML with their required and optional attributes and their children, after the
/// XSD of Jenkins' xUnit plugin.
const JUNIT: &[Element] = &[
    ("testsuites", &[], &["name", "time", "tests", "failures", "errors"], &["testsuite"]),
    (
        "testsuite",
        &["name", "tests", "failures", "errors"],
        &["time", "skipped", "timestamp"],
        &["properties", "testcase"],
    ),
    ("properties", &[], &[], &["property"]),
    ("property", &["name", "value"], &[], &[]),
    ("testcase", &["name"], &["time", "classname"], &["skipped", "error", "failure", "system-out"]),
    ("skipped", &[], &["type", "message"], &[]),
    ("error", &[], &["type", "message"], &[]),
    ("failure", &[], &["type", "message"], &[]),
    ("system-out", &[], &[], &[]),
];

/// What a reader of JUnit XML finds.
#[derive(Debug, Default)]
pub(crate) struct Junit {
    /// Names of the cases with what they hold: `failure`, `error`, `skipped`, `system-out`.
    pub(crate) cases: Vec<(String, Vec<String>)>,
    /// All text and values of attributes.
    pub(crate) text: String,
}

/// Reads JUnit XML and holds it to the rules.
pub(crate) fn junit(xml: &str) -> Result<Junit, String> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if let Some(c) = xml.chars().find(|c| !allowed(*c)) {
        return Err(format!("{c:?} in XML"));
    }
    let mut found = Junit::default();
    let mut open: Vec<String> = Vec::new();
    let mut reader = Reader::from_str(xml);
    loop {
        let event = reader.read_event().map_err(|e| e.to_string())?;
        match event {
            Event::Start(ref tag) | Event::Empty(ref tag) => {
                let name = tag.name().as_ref().to_owned();
                let (_, required, optional, _) =
                    JUNIT.iter().find(|(n, ..)| *n == name).ok_or(format!("element {name}"))?;
                if let Some(parent) = open.last() {
                    let (.., children) = JUNIT.iter().find(|(n, ..)| n == parent).unwrap();
                    if !children.contains(&name.as_str()) {
                        return Err(format!("{name} in {parent}"));
                    }
                }
                let mut seen = BTreeSet::new();
                for attribute in tag.attributes() {
                    let attribute = attribute.map_err(|e| e.to_string())?;
                    let key = attribute.key.as_ref().to_owned();
                    let value = attribute
                        .normalized_value(XmlVersion::Explicit1_0)
                        .map_err(|e| e.to_string())?
                        .into_owned();
                    if !required.contains(&key.as_str()) && !optional.contains(&key.as_str()) {
                        return Err(format!("{name} has {key}"));
                    }
                    if key == "time" && value.parse::<f64>().is_err() {
                        return Err(format!("time {value}"));
                    }
                    if name == "testcase" && key == "name" {
                        found.cases.push((value.clone(), Vec::new()));
                    }
                    found.text.push_str(&value);
                    seen.insert(key);
                }
                if required.iter().any(|r| !seen.contains(*r)) {
                    return Err(format!("{name} lacks an attribute"));
                }
                if open.last().is_some_and(|parent| parent == "testcase") {
                    found.cases.last_mut().unwrap().1.push(name.clone());
                }
                if matches!(event, Event::Start(_)) {
                    open.push(name);
                }
            }
            Event::End(_) => drop(open.pop()),
            Event::Text(text) => found.text.push_str(&text),
            Event::Eof if open.is_empty() => return Ok(found),
            Event::Eof => return Err(format!("{open:?} left open")),
            _ => {}
        }
    }
}
