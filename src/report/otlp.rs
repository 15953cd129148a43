//! The run as OpenTelemetry sees it: spans and metrics in the JSON form of OTLP, a line each, as the
//! otlpjsonfile receiver of a collector reads them.
//!
//! The span of an exchange has the id that its `traceparent` named to the target, so that the target's
//! own spans hang below it.

mod metrics;
mod value;

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use self::value::{attributes, nanos};
use super::distinct::{Distinct, Numbered, distinct, scenarios};
use super::finding::{one_line, reason};
use super::matrix::word;
use super::moment::Moments;
use super::prometheus::exit_code;
use super::wire::{header, request_target};
use crate::model::report::{DeviationReport, Report};
use crate::model::verdict::Status;

/// `SPAN_KIND_INTERNAL`.
const INTERNAL: u8 = 1;
/// `SPAN_KIND_CLIENT`.
const CLIENT: u8 = 3;
/// `STATUS_CODE_OK`.
const OK: u8 = 1;
/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;

/// Methods that a span may be named by; others are `_OTHER`.
const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// A line of spans and a line of metrics.
pub(super) fn render(report: &Report) -> Result<String, String> {
    let moments = Moments::of(report)?;
    let exchanges = distinct(report);
    let trace = Trace::of(report);
    let mut spans = vec![run(report, &trace, moments)];
    spans.extend(scenarios(report).map(|s| scenario(&s, &trace, moments)));
    spans.extend(exchanges.iter().enumerate().map(|(at, one)| exchange(one, at, &trace, moments)));
    let resource = resource(report);
    let scope = json!({ "name": "authspec" });
    let lines = [
        json!({ "resourceSpans": [{
            "resource": resource,
            "scopeSpans": [{ "scope": scope, "spans": spans }],
        }] }),
        json!({ "resourceMetrics": [{
            "resource": resource,
            "scopeMetrics": [{
                "scope": scope,
                "metrics": metrics::of(report, &exchanges, moments),
            }],
        }] }),
    ];
    Ok(lines.iter().map(|line| format!("{line}\n")).collect())
}

/// The ids of a run's spans.
struct Trace {
    id: String,
}

impl Trace {
    /// The trace that the requests named; one derived from the name of the run where they named none.
    fn of(report: &Report) -> Self {
        let id = report.trace_id.clone().unwrap_or_else(|| digest(&report.run, 16));
        Self { id }
    }

    /// The id of a span that no request named.
    fn span(&self, name: &str) -> String {
        digest(&format!("{}\n{name}", self.id), 8)
    }

    fn root(&self) -> String {
        self.span("run")
    }

    fn of_scenario(&self, number: usize) -> String {
        self.span(&format!("scenario {number}"))
    }
}

/// So many octets of a SHA-256, in hexadecimal.
fn digest(text: &str, octets: usize) -> String {
    Sha256::digest(text).iter().take(octets).map(|octet| format!("{octet:02x}")).collect()
}

fn resource(report: &Report) -> Value {
    let (name, version) = report.tool.split_once(' ').unwrap_or((&report.tool, ""));
    let attributes = attributes([
        ("service.name", json!(name)),
        ("service.version", json!(version)),
        ("authspec.run", json!(report.run)),
        ("authspec.target.issuer", json!(report.target.issuer)),
        ("authspec.profile", json!(report.profile.as_str())),
    ]);
    json!({ "attributes": attributes })
}

fn span(
    trace: &Trace,
    (id, parent): (String, Option<String>),
    (name, kind): (String, u8),
    (start, end): (Timestamp, Timestamp),
    attributes: Vec<Value>,
) -> Value {
    let mut span = json!({
        "traceId": trace.id,
        "spanId": id,
        "name": name,
        "kind": kind,
        "startTimeUnixNano": nanos(start),
        "endTimeUnixNano": nanos(end.max(start)),
        "attributes": attributes,
    });
    if let Some(parent) = parent {
        span["parentSpanId"] = json!(parent);
    }
    span
}

fn run(report: &Report, trace: &Trace, moments: Moments) -> Value {
    let attributes = attributes([
        ("authspec.gate.passed", json!(report.gate.passed)),
        ("authspec.gate.rule", json!(report.gate.rule)),
        ("authspec.exit_code", json!(exit_code(report))),
        ("authspec.interrupted", json!(report.interrupted)),
        ("authspec.requests", json!(report.requests)),
        ("authspec.filter", json!(report.filter)),
    ]);
    let name = ("authspec run".to_owned(), INTERNAL);
    let times = (moments.at(0), moments.end(report));
    let mut span = span(trace, (trace.root(), None), name, times, attributes);
    let reasons = report.gate.reasons.iter().map(|r| one_line(r)).collect::<Vec<_>>().join("; ");
    span["status"] = match report.gate.passed {
        true => json!({ "code": OK }),
        false => json!({ "code": ERROR, "message": reasons }),
    };
    span
}

fn scenario(scenario: &Numbered<'_>, trace: &Trace, moments: Moments) -> Value {
    let Numbered { number, requirement, found } = scenario;
    let end = moments.at(found.at_us.saturating_add(found.elapsed_us));
    let attributes = attributes([
        ("authspec.requirement.id", json!(requirement.id)),
        ("authspec.requirement.level", json!(requirement.level.as_str())),
        ("authspec.requirement.severity", json!(requirement.severity.as_str())),
        ("authspec.status", json!(found.status.as_str())),
        ("code.file.path", json!(found.feature)),
        ("code.line.number", json!(found.line)),
    ]);
    let name = (format!("{}: {}", requirement.id, one_line(&found.name)), INTERNAL);
    let ids = (trace.of_scenario(*number), Some(trace.root()));
    let mut span = span(trace, ids, name, (moments.at(found.at_us), end), attributes);
    let events: Vec<Value> = found.deviations.iter().map(|d| deviation(d, end)).collect();
    if !events.is_empty() {
        span["events"] = json!(events);
    }
    match found.status {
        Status::Pass | Status::Note => span["status"] = json!({ "code": OK }),
        Status::Fail => {
            let told = found.deviations.first().map(|d| one_line(&d.actual)).unwrap_or_default();
            span["status"] = json!({ "code": ERROR, "message": told });
        }
        Status::Error => span["status"] = json!({ "code": ERROR, "message": reason(found) }),
        // Neither: the target is not known to be at fault.
        _ => {}
    }
    span
}

fn deviation(deviation: &DeviationReport, at: Timestamp) -> Value {
    let attributes = attributes([
        ("authspec.expected", json!(one_line(&deviation.expected))),
        ("authspec.actual", json!(one_line(&deviation.actual))),
        ("authspec.weight", json!(word(deviation.weight))),
        ("authspec.exchange", json!(deviation.exchange)),
    ]);
    json!({ "timeUnixNano": nanos(at), "name": "authspec.deviation", "attributes": attributes })
}

fn exchange(one: &Distinct<'_>, at: usize, trace: &Trace, moments: Moments) -> Value {
    let exchange = one.exchange;
    let (method, url) = request_target(&exchange.request_line);
    let is_known = METHODS.contains(&method.as_str());
    let place = Url::parse(&url).ok();
    let has_answer = exchange.status.is_some();
    let attributes = attributes([
        ("http.request.method", json!(if is_known { &method } else { "_OTHER" })),
        ("http.request.method_original", json!((!is_known).then_some(&method))),
        ("url.full", json!(url)),
        ("server.address", json!(place.as_ref().and_then(Url::host_str))),
        ("server.port", json!(place.as_ref().and_then(Url::port_or_known_default))),
        ("http.response.status_code", json!(exchange.status)),
        // No class of failure is known beyond that.
        ("error.type", json!((!has_answer).then_some("_OTHER"))),
        ("authspec.endpoint", json!(exchange.route.endpoint)),
        ("authspec.requirement.ids", json!(one.requirements)),
    ]);
    let named = header(&exchange.request_headers, "traceparent").and_then(parts);
    let own = named.filter(|(id, _)| *id == trace.id).map(|(_, span)| span.to_owned());
    let id = own.clone().unwrap_or_else(|| trace.span(&format!("exchange {at}")));
    let parent = one.scenario.map_or(trace.root(), |number| trace.of_scenario(number));
    let name = if is_known { method.as_str() } else { "HTTP" };
    let name = (format!("{name} {}", exchange.route.endpoint), CLIENT);
    let end = moments.at(exchange.at_us.saturating_add(exchange.elapsed_us));
    let times = (moments.at(exchange.at_us), end);
    let mut span = span(trace, (id, Some(parent)), name, times, attributes);
    // A part of a merged run had a trace of its own.
    if let (Some((trace, other)), None) = (named, own) {
        span["links"] = json!([{ "traceId": trace, "spanId": other }]);
    }
    if let Some(failure) = exchange.failure.as_ref().filter(|_| !has_answer) {
        span["status"] = json!({ "code": ERROR, "message": one_line(failure) });
    }
    span
}

/// Trace and span of a `traceparent` (W3C Trace Context §3.2) that is valid.
fn parts(header: &str) -> Option<(&str, &str)> {
    let mut parts = header.split('-');
    let (_, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
    let is_id = |text: &str, length: usize| {
        text.len() == length
            && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            && text.bytes().any(|b| b != b'0')
    };
    (is_id(trace, 32) && is_id(span, 16)).then_some((trace, span))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_traceparent_names_no_span() {
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        assert_eq!(parts(&format!("00-{trace}-{span}-01")), Some((trace, span)));
        for wrong in [
            String::new(),
            format!("00-{trace}"),
            format!("00-{trace}-{}-01", &span[1..]),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{}-{span}-01", trace.to_uppercase()),
        ] {
            assert_eq!(parts(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ids_have_the_length_of_ids_and_do_not_change() {
        let trace = Trace { id: digest("run", 16) };
        assert_eq!((trace.id.len(), trace.root().len()), (32, 16));
        assert_ne!(trace.of_scenario(1), trace.of_scenario(2));
        assert_eq!(trace.of_scenario(1), trace.of_scenario(1));
    }
}
