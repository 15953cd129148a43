//! Metrics and spans, read again by the rules of their formats.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use authspec::embedded;
use authspec::model::report::Report;
use authspec::model::requirement::Profile;
use authspec::plan::Filter;
use authspec::report::Format;
use authspec::run::{Options, audit_blocking};
use proptest::prelude::*;
use reference_server::{Config, Defect, Policy};
use serde_json::Value;

use super::formats::full;
use super::hostile::poisoned;

/// A sample: name, labels and value.
type Sample = (String, BTreeMap<String, String>, f64);

fn is_name(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    text.starts_with(first) && text.chars().all(|c| first(c) || c.is_ascii_digit())
}

/// The labels between braces; the rest begins behind the closing one.
fn labels(mut text: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut all = BTreeMap::new();
    loop {
        let (name, rest) = text.split_once("=\"")?;
        let (mut value, mut chars) = (String::new(), rest.char_indices());
        let end = loop {
            match chars.next()? {
                (_, '\\') => value.push(match chars.next()?.1 {
                    'n' => '\n',
                    c @ ('\\' | '"') => c,
                    _ => return None,
                }),
                (at, '"') => break at,
                (_, c) => value.push(c),
            }
        };
        if !is_name(name) || all.insert(name.to_owned(), value).is_some() {
            return None;
        }
        text = &rest[end + 1..];
        match text.strip_prefix(',') {
            Some(more) => text = more,
            None => return Some((all, text.strip_prefix('}')?)),
        }
    }
}

/// The samples of a page in the text exposition format, or the line that breaks its rules: a metric is
/// declared once and before its samples, which stand together.
fn exposition(page: &str) -> Result<Vec<Sample>, String> {
    let (mut kinds, mut current) = (BTreeMap::new(), String::new());
    let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
    if !page.ends_with('\n') {
        return Err("no final line break".into());
    }
    for line in page.lines() {
        let wrong = || line.to_owned();
        if let Some(help) = line.strip_prefix("# HELP ") {
            current = help.split_once(' ').ok_or_else(wrong)?.0.to_owned();
            continue;
        }
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').ok_or_else(wrong)?;
            let is_kind = ["gauge", "counter", "histogram"].contains(&kind);
            if name != current || !is_kind || kinds.insert(name.to_owned(), kind).is_some() {
                return Err(wrong());
            }
            continue;
        }
        let (name, rest) = line.split_once('{').ok_or_else(wrong)?;
        let (labels, value) = labels(rest).ok_or_else(wrong)?;
        let value =
            value.strip_prefix(' ').and_then(|v| v.parse::<f64>().ok()).ok_or_else(wrong)?;
        let family = match kinds.get(&current) {
            Some(&"histogram") => {
                ["_bucket", "_sum", "_count"].iter().any(|e| name == format!("{current}{e}"))
            }
            Some(_) => name == current,
            None => false,
        };
        if !is_name(name) || !family || !seen.insert((name.to_owned(), labels.clone())) {
            return Err(wrong());
        }
        all.push((name.to_owned(), labels, value));
    }
    Ok(all)
}

fn metrics(report: &Report) -> Vec<Sample> {
    exposition(&Format::Prometheus.render(report).unwrap()).unwrap()
}

#[test]
fn the_reader_of_metrics_knows_what_is_wrong() {
    let head = "# HELP a b\n# TYPE a gauge\n";
    assert!(exposition(&format!("{head}a{{x=\"\\\"\\n\"}} 1\n")).is_ok());
    for wrong in [
        "a{x=\"1\"} 1\n".to_owned(),
        format!("{head}b{{x=\"1\"}} 1\n"),
        format!("{head}a{{x=\"1\"}} one\n"),
        format!("{head}a{{x=\"\"\"}} 1\n"),
        format!("{head}a{{x=\"\\t\"}} 1\n"),
        format!("{head}a{{x=\"1\",x=\"2\"}} 1\n"),
        format!("{head}a{{x=\"1\"}} 1\na{{x=\"1\"}} 2\n"),
        format!("{head}{head}"),
        format!("{head}a{{x=\"1\"}} 1"),
    ] {
        assert!(exposition(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn metrics_say_what_the_report_says() {
    let report = full();
    let all = metrics(&report);
    let value = |name: &str, label: Option<(&str, &str)>| {
        let fits = |l: &BTreeMap<String, String>| {
            label.is_none_or(|(k, v)| l.get(k).is_some_and(|x| x == v))
        };
        all.iter().filter(|(n, l, _)| n == name && fits(l)).map(|(.., value)| *value).sum::<f64>()
    };
    for (status, count) in &report.counts {
        assert_eq!(
            value("authspec_requirements", Some(("status", status.as_str()))),
            *count as f64
        );
    }
    assert_eq!(value("authspec_gate_passed", None), 0.0);
    assert_eq!(value("authspec_exit_code", None), f64::from(report.gate.exit_code));
    assert_eq!(value("authspec_requests_total", None), report.requests as f64);
    assert_eq!(value("authspec_run_duration_seconds", None), report.duration_ms as f64 / 1000.0);
    assert_eq!(value("authspec_findings", Some(("id", "token.code-single-use"))), 1.0);
    assert_eq!(value("authspec_findings", Some(("id", "token.code-unknown"))), 0.0);
    for (_, labels, _) in &all {
        assert_eq!(
            (&labels["issuer"], &labels["profile"][..]),
            (&report.target.issuer, "baseline")
        );
    }
    let mut interrupted = report;
    interrupted.interrupted = true;
    let exit_code = metrics(&interrupted).into_iter().find(|(n, ..)| n == "authspec_exit_code");
    assert_eq!(exit_code.unwrap().2, 130.0);
}

#[test]
fn latency_is_a_histogram_by_endpoint() {
    let mut by_endpoint: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let all = metrics(&full());
    let name = "authspec_endpoint_latency_seconds";
    for (_, labels, value) in all.iter().filter(|(n, ..)| *n == format!("{name}_bucket")) {
        by_endpoint.entry(labels["endpoint"].clone()).or_default().push(*value);
    }
    assert!(by_endpoint.contains_key("token_endpoint"), "{by_endpoint:?}");
    for (endpoint, buckets) in by_endpoint {
        assert!(buckets.is_sorted(), "{endpoint}: {buckets:?}");
        let count =
            all.iter().find(|(n, l, _)| *n == format!("{name}_count") && l["endpoint"] == endpoint);
        assert_eq!(buckets.last(), count.map(|(.., count)| count), "{endpoint}");
    }
}

/// Both lines of the OTLP form.
fn lines(report: &Report) -> (Vec<Value>, Vec<Value>) {
    let text = Format::Otlp.render(report).unwrap();
    let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    let list = |v: &Value| v.as_array().unwrap().clone();
    let spans = list(&lines[0]["resourceSpans"][0]["scopeSpans"][0]["spans"]);
    (spans, list(&lines[1]["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]))
}

fn attribute<'a>(of: &'a Value, key: &str) -> Option<&'a Value> {
    let found = of["attributes"].as_array().unwrap().iter().find(|a| a["key"] == key)?;
    found["value"].as_object().unwrap().values().next()
}

/// A 64-bit integer, which the JSON form of Protocol Buffers writes as text.
fn integer(value: &Value) -> u64 {
    let text = value.as_str();
    assert!(text.is_some(), "{value} is no text");
    text.unwrap_or_default().parse().unwrap()
}

fn holds_to_otlp(report: &Report) {
    let (spans, metrics) = lines(report);
    let is_id = |v: &Value, length: usize| {
        let text = v.as_str().unwrap();
        text.len() == length
            && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let ids: BTreeSet<&str> = spans.iter().map(|s| s["spanId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), spans.len(), "ids are distinct");
    let mut roots = 0;
    for span in &spans {
        assert!(is_id(&span["traceId"], 32) && is_id(&span["spanId"], 16), "{span}");
        assert_eq!(span["traceId"], spans[0]["traceId"]);
        assert!(integer(&span["startTimeUnixNano"]) <= integer(&span["endTimeUnixNano"]), "{span}");
        match span["parentSpanId"].as_str() {
            Some(parent) => assert!(ids.contains(parent), "{span}"),
            None => roots += 1,
        }
        let kind = span["kind"].as_u64().unwrap();
        assert_eq!(kind == 3, attribute(span, "http.request.method").is_some(), "{span}");
    }
    assert_eq!(roots, 1);
    for metric in &metrics {
        let shape =
            ["gauge", "sum", "histogram"].into_iter().find(|s| metric.get(s).is_some()).unwrap();
        for point in metric[shape]["dataPoints"].as_array().unwrap() {
            assert!(integer(&point["startTimeUnixNano"]) <= integer(&point["timeUnixNano"]));
            if shape == "histogram" {
                let counts = point["bucketCounts"].as_array().unwrap();
                assert_eq!(counts.len(), point["explicitBounds"].as_array().unwrap().len() + 1);
                assert_eq!(counts.iter().map(integer).sum::<u64>(), integer(&point["count"]));
            } else {
                integer(&point["asInt"]);
            }
        }
    }
}

#[test]
fn spans_and_metrics_hold_to_the_form_of_otlp() {
    holds_to_otlp(&full());
    let (spans, _) = lines(&full());
    let failed = spans.iter().find(|s| s["events"].is_array()).unwrap();
    assert_eq!(attribute(failed, "authspec.requirement.id").unwrap(), "token.code-single-use");
    assert_eq!(failed["status"]["code"], 2);
    assert_eq!(failed["events"][0]["name"], "authspec.deviation");
    let silent = spans.iter().find(|s| s["status"]["message"] == "connection refused").unwrap();
    assert!(attribute(silent, "http.response.status_code").is_none());
    assert_eq!(attribute(silent, "error.type").unwrap(), "_OTHER");
    let post = spans.iter().find(|s| s["name"] == "POST token_endpoint").unwrap();
    assert_eq!(attribute(post, "url.full").unwrap(), "https://as.example.test/token");
    assert_eq!(attribute(post, "http.response.status_code").unwrap(), "200");
    assert_eq!(attribute(post, "server.port").unwrap(), "443");
}

#[test]
fn an_exchange_has_the_span_that_the_target_was_told() {
    let policy = Policy::with("CodeReusable".parse::<Defect>().unwrap());
    let server = embedded::start(Config { policy, ..Config::default() }).unwrap();
    let filter =
        Filter { tags: Some("@token.code-single-use or @pkce".into()), ..Filter::default() };
    let options = Options {
        target: embedded::target(&server),
        profile: Profile::Baseline,
        filter,
        clock: embedded::clock(&server),
    };
    let mut report = audit_blocking(options, Rc::new(())).unwrap().report;
    holds_to_otlp(&report);
    let (spans, _) = lines(&report);
    assert_eq!(spans[0]["traceId"].as_str(), report.trace_id.as_deref());
    let ids: BTreeSet<&str> = spans.iter().map(|s| s["spanId"].as_str().unwrap()).collect();
    let scenarios = report.requirements.iter().flat_map(|r| &r.scenarios);
    let exchanges: Vec<_> =
        scenarios.flat_map(|s| &s.exchanges).chain(&report.preflight).cloned().collect();
    let told = |e: &authspec::model::report::ExchangeReport| {
        let (_, value) = e.request_headers.iter().find(|(n, _)| n == "traceparent")?;
        Some(value.split('-').nth(2)?.to_owned())
    };
    let named: BTreeSet<String> = exchanges.iter().filter_map(told).collect();
    assert!(named.len() > 10 && named.iter().all(|id| ids.contains(id.as_str())));
    // A part of a merged run had another trace: its exchanges are linked.
    report.trace_id = Some("4bf92f3577b34da6a3ce929d0e0e4736".into());
    holds_to_otlp(&report);
    let (spans, _) = lines(&report);
    let linked: BTreeSet<&str> =
        spans.iter().filter_map(|s| s["links"][0]["spanId"].as_str()).collect();
    assert_eq!(linked, named.iter().map(String::as_str).collect());
    // Without trace headers there is a trace all the same.
    report.trace_id = None;
    holds_to_otlp(&report);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_a_target_says_breaks_neither(text in any::<String>()) {
        let mut report = poisoned(&text);
        report.target.issuer = format!("https://as.example.test/{text}");
        let all = exposition(&Format::Prometheus.render(&report).unwrap()).unwrap();
        prop_assert!(all.iter().all(|(_, labels, _)| labels["issuer"] == report.target.issuer));
        holds_to_otlp(&report);
    }
}
