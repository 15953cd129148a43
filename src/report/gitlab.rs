//! GitLab's security report for DAST, schema 15.2.
//!
//! It knows neither warnings nor waivers: a warning keeps its severity and says that it is one, a
//! note is `Info`, and a waived finding stays with who answers for it, to be dismissed there.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::escape::prose;
use super::finding::{Finding, absence, findings, one_line, printable, shortened, unjudged};
use super::moment::Moments;
use super::wire::{header, origin_and_path, phrase, query, request_target};
use crate::model::report::{ExchangeReport, Report};
use crate::model::requirement::Severity;
use crate::model::verdict::{Status, Weight};

/// Version of the report's schema.
const SCHEMA: &str = "15.2.1";

/// Characters of a body: evidence is for display.
const BODY: usize = 4_000;

/// The report for GitLab.
pub(super) fn render(report: &Report) -> Result<String, String> {
    let moments = Moments::of(report)?;
    let (name, version) = report.tool.split_once(' ').unwrap_or((&report.tool, "0"));
    let tool = json!({ "id": name, "name": name, "version": version, "vendor": { "name": name } });
    // The schema wants no fraction and no zone.
    let time = |at: jiff::Timestamp| format!("{at:.0}").trim_end_matches('Z').to_owned();
    let is_own_error = report.counts.get(&Status::Error).is_some_and(|count| *count > 0);
    let messages = unjudged(report).map(|(requirement, _, reason)| {
        let value = format!("{} has no verdict: {reason}", requirement.id);
        json!({ "level": "warn", "value": shortened(&value, BODY) })
    });
    let document = json!({
        "version": SCHEMA,
        "scan": {
            "type": "dast",
            "status": if is_own_error || report.interrupted { "failure" } else { "success" },
            "start_time": time(moments.at(0)),
            "end_time": time(moments.end(report)),
            "analyzer": tool,
            "scanner": tool,
            "messages": messages.collect::<Value>(),
            "scanned_resources": resources(report),
        },
        "vulnerabilities": findings(report).iter().map(|f| vulnerability(report, f)).collect::<Value>(),
    });
    serde_json::to_string_pretty(&document).map(|text| text + "\n").map_err(|e| e.to_string())
}

/// Every method and address without query, once.
fn resources(report: &Report) -> Value {
    let scenarios = report.requirements.iter().flat_map(|r| &r.scenarios);
    let exchanges = scenarios.flat_map(|s| &s.exchanges).chain(&report.preflight);
    let distinct: BTreeSet<(String, String)> = exchanges
        .map(|exchange| {
            let (method, url) = request_target(&exchange.request_line);
            (url.split(['?', '#']).next().unwrap_or_default().to_owned(), method)
        })
        .filter(|(url, method)| !url.is_empty() && !method.is_empty())
        .collect();
    let resource = |(url, method)| json!({ "method": method, "url": url, "type": "url" });
    distinct.into_iter().map(resource).collect()
}

fn vulnerability(report: &Report, finding: &Finding<'_>) -> Value {
    let requirement = finding.requirement;
    let mut vulnerability = json!({
        "id": uuid(&finding.fingerprint),
        "name": requirement.duty.chars().take(255).collect::<String>(),
        "description": description(finding),
        "severity": severity(finding),
        "identifiers": identifiers(finding),
        "location": location(report, finding),
        "links": links(finding),
    });
    if !requirement.fix.is_empty() {
        vulnerability["solution"] = json!(shortened(&requirement.fix, 6_900));
    }
    if let Some(exchange) = finding.exchange() {
        vulnerability["evidence"] = evidence(finding, exchange);
    }
    vulnerability
}

/// GitLab reads it as Markdown.
fn description(finding: &Finding<'_>) -> String {
    let requirement = finding.requirement;
    let mut parts = vec![prose(&requirement.duty)];
    if finding.weight == Weight::Warning {
        parts.push(
            "This is a warning: the duty is no MUST, or the deviation is no full one.".into(),
        );
    }
    if requirement.waiver.is_some() {
        parts.push(prose(&absence(requirement)));
    }
    parts.push(format!("Scenario: {}", prose(&finding.scenario.name)));
    for deviation in &finding.scenario.deviations {
        let (expected, actual) = (prose(&deviation.expected), prose(&deviation.actual));
        parts.push(format!("Expected: {expected}  \nActual: {actual}"));
    }
    if !requirement.attack.is_empty() {
        parts.push(format!("What an attacker gains: {}", prose(&requirement.attack)));
    }
    parts.push(format!("Answers that conform: {}", prose(&requirement.accepts)));
    parts.push(format!("Sources: {}", prose(&requirement.sources.join(", "))));
    shortened(&parts.join("\n\n"), 100_000)
}

fn severity(finding: &Finding<'_>) -> &'static str {
    if finding.weight == Weight::Note {
        return "Info";
    }
    match finding.requirement.severity {
        Severity::Info => "Info",
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
        Severity::Critical => "Critical",
    }
}

fn identifiers(finding: &Finding<'_>) -> Value {
    let requirement = finding.requirement;
    let own = json!({ "type": "authspec", "name": requirement.id, "value": requirement.id });
    let cwe = requirement.cwe.iter().map(|number| {
        json!({
            "type": "cwe",
            "name": format!("CWE-{number}"),
            "value": number.to_string(),
            "url": format!("https://cwe.mitre.org/data/definitions/{number}.html"),
        })
    });
    std::iter::once(own).chain(cwe).collect()
}

fn location(report: &Report, finding: &Finding<'_>) -> Value {
    let Some(exchange) = finding.exchange() else {
        let (origin, path) = origin_and_path(&report.target.issuer);
        return json!({ "hostname": origin, "path": path });
    };
    let (method, url) = request_target(&exchange.request_line);
    let (origin, path) = origin_and_path(&url);
    let mut location = json!({ "hostname": origin, "path": path, "method": method });
    let form = header(&exchange.request_headers, "content-type")
        .filter(|kind| kind.starts_with("application/x-www-form-urlencoded"))
        .map(|_| query(&format!("?{}", exchange.request_body)));
    let names = form.unwrap_or_else(|| query(&url)).into_iter().map(|(name, _)| one_line(&name));
    // Names alone, and each once: values differ from run to run, and GitLab tracks by location.
    let names: BTreeSet<String> = names.collect();
    if !names.is_empty() {
        let names: Vec<String> = names.into_iter().collect();
        location["param"] = json!(shortened(&names.join(","), 250));
    }
    location
}

fn links(finding: &Finding<'_>) -> Value {
    let url = finding.requirement.url.iter().filter(|url| url.starts_with("https://"));
    let name = finding.requirement.sources.first();
    url.map(|url| json!({ "name": name.unwrap_or(url), "url": url })).collect()
}

fn evidence(finding: &Finding<'_>, exchange: &ExchangeReport) -> Value {
    let (method, url) = request_target(&exchange.request_line);
    let shown = |body: &str| shortened(&printable(body), BODY);
    let mut evidence = json!({
        "summary": shortened(&finding.message(), BODY),
        "request": {
            "method": method,
            "url": url,
            "headers": headers(&exchange.request_headers),
            "body": shown(&exchange.request_body),
        },
    });
    match exchange.status {
        Some(status) => {
            evidence["response"] = json!({
                "status_code": status,
                "reason_phrase": phrase(status),
                "headers": headers(&exchange.response_headers),
                "body": shown(&exchange.response_body),
            });
        }
        None => {
            let failure = exchange.failure.as_deref().unwrap_or("no answer");
            evidence["summary"] = json!(format!("{}; {}", finding.message(), one_line(failure)));
        }
    }
    evidence
}

fn headers(list: &[(String, String)]) -> Value {
    let named = list.iter().filter(|(name, _)| !name.is_empty());
    named.map(|(name, value)| json!({ "name": name, "value": one_line(value) })).collect()
}

/// A UUID of version 8 (RFC 9562 §5.8) from the first octets of a digest in hexadecimal.
fn uuid(digest: &str) -> String {
    format!(
        "{}-{}-8{}-a{}-{}",
        &digest[..8],
        &digest[8..12],
        &digest[13..16],
        &digest[17..20],
        &digest[20..32]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid_of_its_own_version() {
        let id = uuid("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
        assert_eq!(id, "01234567-89ab-8def-a123-456789abcdef");
    }
}
