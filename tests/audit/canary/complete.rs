//! Redaction leaves out no text of the report: a secret is put into each of them in turn.

use std::collections::BTreeSet;
use std::time::Duration;

use authspec::model::exchange::{Exchange, Request, Response};
use authspec::model::redact::Redactor;
use authspec::model::report::{ExchangeReport, Party, Report, Route};
use serde_json::Value;

use super::sample::sample;

const SECRET: &str = "aXk29-Zq81.wwRt_secret";

/// Members whose texts come from a closed list.
const CHOICES: [&str; 7] =
    ["impact", "level", "outcome", "profile", "severity", "status", "weight"];
/// Members that authspec makes in a form of its own: times, days, digests, an id.
const FORMS: [&str; 5] = ["expires", "plan", "sha256", "started", "trace_id"];
/// Members that are exchanges, which are redacted on entry.
const WIRE: [&str; 2] = ["/preflight/", "/exchanges/"];

fn redactor() -> Redactor {
    let mut redactor = Redactor::new();
    redactor.learn("access_token", SECRET);
    redactor.seal();
    redactor
}

/// The way to every text, as JSON Pointers.
fn texts(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(at.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| texts(item, &format!("{at}/{n}"), found));
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, item)| texts(item, &format!("{at}/{name}"), found));
        }
        _ => {}
    }
}

/// The sample with something in each place that may be empty.
fn full() -> Report {
    let mut report = sample();
    report.part = Some(authspec::model::report::Part { index: 1, of: 2, plan: "a".repeat(64) });
    let scenario = &mut report.requirements[0].scenarios[0];
    scenario.reason = Some("a reason".into());
    scenario.exchanges[0].failure = Some("a failure".into());
    report
}

/// The name that every member of the report's schema has, where it is or holds texts.
fn named_by_the_schema(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                for (name, property) in properties {
                    let text = property.to_string();
                    if text.contains("\"string\"") || text.contains("\"$ref\"") {
                        found.insert(name.clone());
                    }
                }
            }
            members.values().for_each(|member| named_by_the_schema(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| named_by_the_schema(item, found)),
        _ => {}
    }
}

#[test]
fn every_text_of_a_report_is_cleaned() {
    let (canary, plain) = (redactor().canary(), serde_json::to_value(full()).unwrap());
    let mut pointers = Vec::new();
    texts(&plain, "", &mut pointers);
    assert!(pointers.len() > 100);
    let (mut choices, mut forms) = (BTreeSet::new(), BTreeSet::new());
    for pointer in pointers.iter().filter(|p| !WIRE.iter().any(|wire| p.contains(wire))) {
        let mut value = plain.clone();
        let text = value.pointer_mut(pointer).unwrap();
        *text = format!("{} {SECRET}.", text.as_str().unwrap()).into();
        let is_name = |part: &&str| part.parse::<usize>().is_err();
        let name = pointer.split('/').rfind(is_name).unwrap();
        let Ok(mut report) = serde_json::from_value::<Report>(value) else {
            choices.insert(name.to_owned());
            continue;
        };
        report.clean(&canary);
        let text = serde_json::to_string(&report).unwrap();
        if canary.scan(text.as_bytes()).is_err() || !text.contains("<access_token#1>") {
            forms.insert(name.to_owned());
        }
    }
    let set = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(choices, set(&CHOICES));
    assert_eq!(forms, set(&FORMS));
    // .. and the sample has a text wherever the schema allows one.
    let mut named = BTreeSet::new();
    named_by_the_schema(&authspec::model::report::schema(), &mut named);
    for name in named {
        let part = format!("/{name}");
        let is_there = |p: &String| p.ends_with(&part) || p.contains(&format!("{part}/"));
        assert!(pointers.iter().any(is_there), "the sample has no text at {name}");
    }
}

#[test]
fn every_text_of_an_exchange_is_redacted_on_entry() {
    let put = |prefix: &str| format!("{prefix}{SECRET}");
    let exchange = |outcome| Exchange {
        number: 1,
        at: Duration::ZERO,
        elapsed: Duration::ZERO,
        request: Request {
            method: put("GET-"),
            url: put("https://as.test/"),
            headers: vec![(put("X-"), put("a ")), ("Cookie".into(), put("a="))],
            body: put("body ").into_bytes(),
        },
        outcome,
        withheld: None,
    };
    let answered = exchange(Ok(Response {
        status: 200,
        headers: vec![(put("X-"), put("a ")), ("Set-Cookie".into(), put("a="))],
        body: put("body ").into_bytes(),
        truncated: false,
    }));
    for exchange in [answered, exchange(Err(put("refused: ")))] {
        let route =
            Route { from: Party::Client, to: Party::AuthorizationServer, endpoint: "page".into() };
        let drawn = ExchangeReport::new(&exchange, route, &redactor());
        let text = serde_json::to_string(&drawn).unwrap();
        assert_eq!(redactor().canary().scan(text.as_bytes()), Ok(()));
        assert!(!text.contains(SECRET), "{text}");
    }
}
