//! How the target behaves, apart from what every run does anew.
//!
//! Whether a browser is signed in already depends on what ran before, so a visit from the
//! authorization request through pages is one thing: where it ended. How pages themselves answer is
//! compared over the whole run. The order of answers to requests at the same moment is chance, and so
//! is how often something was repeated: each kind of answer counts once.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::normal::Normal;
use crate::model::report::{ExchangeReport, Party, Report, ScenarioReport};
use crate::model::verdict::Status;
use crate::report::wire::{header, query, request_target};

/// Fields whose values tell how a server is set up; of others the name alone is compared.
const TELLING: &[&str] = &[
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "allow",
    "cache-control",
    "content-security-policy",
    "content-type",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
    "pragma",
    "referrer-policy",
    "strict-transport-security",
    "vary",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
];

/// Fields that come and go with the connection or the load.
const VOLATILE: &[&str] =
    &["connection", "content-length", "date", "keep-alive", "transfer-encoding"];

/// Members whose value is part of the protocol.
const TELLING_MEMBERS: &[&str] = &["active", "error", "issued_token_type", "scope", "token_type"];

/// Other behaviour where both runs pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Drift {
    /// The requirement, or `visits` where what user agents were answered is compared over the run.
    pub of: String,
    /// The scenario, absent for the whole run.
    pub scenario: Option<String>,
    /// What the earlier run alone shows.
    pub before: Vec<String>,
    /// What the later run alone shows.
    pub after: Vec<String>,
}

/// Drift of every scenario that passes in both runs, and of what user agents were answered.
pub(super) fn drift(before: &Report, after: &Report) -> Vec<Drift> {
    let (normal_before, normal_after) = (Normal::of(before), Normal::of(after));
    let (earlier, later) = (scenarios(before), scenarios(after));
    let mut found = Vec::new();
    let (mut pages_before, mut pages_after) = (BTreeSet::new(), BTreeSet::new());
    for ((id, name), new) in later {
        let Some(old) = earlier.get(&(id, name)) else { continue };
        let passes = |s: &ScenarioReport| matches!(s.status, Status::Pass | Status::Note);
        if !passes(old) || !passes(new) {
            continue;
        }
        let (old_shapes, new_shapes) = (shapes(&normal_before, old), shapes(&normal_after, new));
        found.extend(apart(id.into(), Some(name.into()), &old_shapes, &new_shapes));
        pages_before.extend(pages(&normal_before, old));
        pages_after.extend(pages(&normal_after, new));
    }
    found.extend(apart("visits".into(), None, &pages_before, &pages_after));
    found
}

/// Scenarios by requirement and name.
fn scenarios(report: &Report) -> BTreeMap<(&str, &str), &ScenarioReport> {
    let all = report.requirements.iter().flat_map(|r| r.scenarios.iter().map(move |s| (r, s)));
    all.map(|(r, s)| ((r.id.as_str(), s.name.as_str()), s)).collect()
}

fn apart(
    of: String,
    scenario: Option<String>,
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
) -> Option<Drift> {
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect();
    let drift = Drift { of, scenario, before: only(before, after), after: only(after, before) };
    (!drift.before.is_empty() || !drift.after.is_empty()).then_some(drift)
}

/// What the exchanges of a scenario show, each once.
fn shapes(normal: &Normal, scenario: &ScenarioReport) -> BTreeSet<String> {
    let mut shapes = BTreeSet::new();
    let mut visit: Option<&ExchangeReport> = None;
    let mut route: Vec<&str> = Vec::new();
    for exchange in &scenario.exchanges {
        let is_visit = exchange.route.from == Party::UserAgent;
        let begins = exchange.route.endpoint != "page";
        if !is_visit || begins {
            shapes.extend(visit.take().map(|last| outcome(normal, last)));
        }
        if is_visit {
            visit = Some(exchange);
        } else {
            shapes.extend(answer(normal, exchange));
        }
        let stop = if is_visit { "visit" } else { exchange.route.endpoint.as_str() };
        if route.last() != Some(&stop) {
            route.push(stop);
        }
    }
    shapes.extend(visit.map(|last| outcome(normal, last)));
    shapes.insert(format!("route: {}", route.join(", ")));
    shapes
}

/// Where a visit of the user agent ended.
fn outcome(normal: &Normal, last: &ExchangeReport) -> String {
    match header(&last.response_headers, "location") {
        Some(location) => format!("visit: redirect to {}", target(normal, location)),
        None => {
            let kind = header(&last.response_headers, "content-type").unwrap_or_default();
            format!("visit: {} {kind}", status(last))
        }
    }
}

/// A line for the status, each field and each member of an answer.
fn answer(normal: &Normal, exchange: &ExchangeReport) -> Vec<String> {
    let (method, _) = request_target(&exchange.request_line);
    let endpoint = &exchange.route.endpoint;
    let begin = format!("{endpoint} {method} {}", status(exchange));
    let mut lines = vec![begin.clone()];
    lines.extend(fields(normal, exchange).into_iter().map(|field| format!("{begin}: {field}")));
    // What metadata and keys hold is compared as documents.
    if !matches!(endpoint.as_str(), "metadata" | "jwks_uri") {
        let members = members(normal, &exchange.response_body);
        lines.extend(members.into_iter().map(|member| format!("{begin}: {member}")));
    }
    lines
}

/// A line for each status and field with it, of whatever a user agent was answered.
///
/// The page that ends a visit comes from the authorization endpoint where somebody is signed in and
/// from the login page where nobody is, so they are one; so is what sets a cookie.
fn pages(normal: &Normal, scenario: &ScenarioReport) -> BTreeSet<String> {
    let visits = scenario.exchanges.iter().filter(|e| e.route.from == Party::UserAgent);
    let lines = visits.flat_map(|exchange| {
        let status = status(exchange);
        fields(normal, exchange).into_iter().map(move |field| {
            match field.starts_with("set-cookie ") {
                true => field,
                false => format!("{status}: {field}"),
            }
        })
    });
    lines.collect()
}

fn status(exchange: &ExchangeReport) -> String {
    exchange.status.map_or_else(|| "no answer".into(), |status| status.to_string())
}

fn fields(normal: &Normal, exchange: &ExchangeReport) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, value) in &exchange.response_headers {
        let name = name.to_ascii_lowercase();
        if VOLATILE.contains(&name.as_str()) {
            continue;
        }
        lines.push(match name.as_str() {
            "location" => name,
            "set-cookie" => format!("set-cookie {}", attributes(value)),
            _ if TELLING.contains(&name.as_str()) => format!("{name} {}", normal.value(value)),
            _ => name,
        });
    }
    lines
}

/// Name and attributes of a cookie, without its value and the time it has left.
fn attributes(field: &str) -> String {
    let mut parts = field.split(';').map(str::trim);
    let name = parts.next().and_then(|pair| pair.split('=').next()).unwrap_or_default();
    let rest = parts.map(|part| match part.split_once('=') {
        Some((key, _)) if ["expires", "max-age"].iter().any(|k| key.eq_ignore_ascii_case(k)) => key,
        _ => part,
    });
    // A name may be made anew for each request.
    let name = if name.len() >= 24 { "{random}" } else { name };
    std::iter::once(name).chain(rest).collect::<Vec<_>>().join("; ")
}

/// Where a redirect goes: the address without values, `error` apart.
fn target(normal: &Normal, location: &str) -> String {
    let (address, parameters) = location.split_once(['?', '#']).unwrap_or((location, ""));
    let names =
        query(&format!("?{parameters}")).into_iter().map(|(name, value)| match name.as_str() {
            "error" => format!("error={value}"),
            _ => normal.value(&name),
        });
    let names: BTreeSet<String> = names.collect();
    format!("{} with {}", normal.value(address), names.into_iter().collect::<Vec<_>>().join(", "))
}

/// A line for each member of a JSON object, with its type, or value where that is the protocol's.
fn members(normal: &Normal, body: &str) -> Vec<String> {
    let Ok(Value::Object(object)) = serde_json::from_str(body) else { return Vec::new() };
    let line = |(name, value): (&String, &Value)| match value {
        Value::String(text) if TELLING_MEMBERS.contains(&name.as_str()) => {
            format!("{name}={}", normal.value(text))
        }
        Value::Bool(truth) if TELLING_MEMBERS.contains(&name.as_str()) => format!("{name}={truth}"),
        Value::Null => format!("{name} null"),
        Value::Bool(_) => format!("{name} boolean"),
        Value::Number(_) => format!("{name} number"),
        Value::String(_) => format!("{name} string"),
        Value::Array(_) => format!("{name} array"),
        Value::Object(_) => format!("{name} object"),
    };
    object.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_known_by_name_and_attributes() {
        assert_eq!(
            attributes("s=<cookie#1>; Path=/; Max-Age=300; HttpOnly"),
            "s; Path=/; Max-Age; HttpOnly"
        );
    }
}
