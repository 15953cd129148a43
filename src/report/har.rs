//! HTTP Archive 1.2: every exchange once, with the pages (scenarios) that it belongs to.

use serde_json::{Value, json};

use super::distinct::{distinct, scenarios};
use super::finding::one_line;
use super::moment::Moments;
use super::wire::{cookies, header, query, request_target, set_cookies};
use crate::model::report::{ExchangeReport, Report};

/// What stands for the time before the first scenario.
const PREFLIGHT: &str = "preflight";

/// The exchanges of a run.
pub(super) fn render(report: &Report) -> Result<String, String> {
    let moments = Moments::of(report)?;
    let (name, version) = report.tool.split_once(' ').unwrap_or((&report.tool, ""));
    let mut pages = vec![json!({
        "startedDateTime": format!("{:.6}", moments.at(0)),
        "id": PREFLIGHT,
        "title": "before the first scenario",
        "pageTimings": { "onContentLoad": -1, "onLoad": -1 },
    })];
    for scenario in scenarios(report) {
        pages.push(json!({
            "startedDateTime": format!("{:.6}", moments.at(scenario.found.at_us)),
            "id": id_of(scenario.number),
            "title": format!("{}: {}", scenario.requirement.id, one_line(&scenario.found.name)),
            "pageTimings": { "onContentLoad": -1, "onLoad": millis(scenario.found.elapsed_us) },
            "comment": format!(
                "{}:{}, {}",
                scenario.found.feature, scenario.found.line, scenario.found.status.as_str()
            ),
        }));
    }
    let entries = distinct(report).into_iter().map(|one| {
        let page = one.scenario.map_or(PREFLIGHT.to_owned(), id_of);
        entry(one.exchange, &page, &one.requirements, moments)
    });
    let log = json!({ "log": {
        "version": "1.2",
        "creator": { "name": name, "version": version },
        "pages": pages,
        "entries": entries.collect::<Vec<_>>(),
        "comment": format!("{}; secrets are replaced by pseudonyms", report.run),
    }});
    serde_json::to_string_pretty(&log).map(|text| text + "\n").map_err(|e| e.to_string())
}

fn id_of(scenario: usize) -> String {
    format!("scenario-{scenario}")
}

fn entry(exchange: &ExchangeReport, page: &str, requirements: &[&str], moments: Moments) -> Value {
    let time = millis(exchange.elapsed_us);
    let mut entry = json!({
        "pageref": page,
        "startedDateTime": format!("{:.6}", moments.at(exchange.at_us)),
        "time": time,
        "request": request(exchange),
        "response": response(exchange),
        "cache": {},
        // The exchange is timed as a whole.
        "timings": { "blocked": -1, "dns": -1, "connect": -1, "ssl": -1, "send": 0, "wait": time, "receive": 0 },
        "comment": requirements.join(" "),
    });
    if exchange.status.is_none() {
        entry["_error"] = json!(exchange.failure.as_deref().unwrap_or("no answer"));
    }
    entry
}

fn request(exchange: &ExchangeReport) -> Value {
    let (method, url) = request_target(&exchange.request_line);
    let mut request = json!({
        "method": method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": cookies(&exchange.request_headers),
        "headers": headers(&exchange.request_headers),
        "queryString": pairs(query(&url)),
        "headersSize": -1,
        "bodySize": -1,
    });
    if !exchange.request_body.is_empty() {
        request["postData"] = json!({
            "mimeType": header(&exchange.request_headers, "content-type").unwrap_or_default(),
            "text": exchange.request_body,
        });
    }
    request
}

fn response(exchange: &ExchangeReport) -> Value {
    let mut content = json!({
        "size": exchange.response_body.len(),
        "mimeType": header(&exchange.response_headers, "content-type").unwrap_or_default(),
    });
    if !exchange.response_body.is_empty() {
        content["text"] = json!(exchange.response_body);
    }
    json!({
        "status": exchange.status.unwrap_or(0),
        "statusText": exchange.status.map(super::wire::phrase).unwrap_or_default(),
        "httpVersion": if exchange.status.is_some() { "HTTP/1.1" } else { "" },
        "cookies": set_cookies(&exchange.response_headers),
        "headers": headers(&exchange.response_headers),
        "content": content,
        "redirectURL": header(&exchange.response_headers, "location").unwrap_or_default(),
        "headersSize": -1,
        // The body is shown redacted and cut: what arrived had another length.
        "bodySize": -1,
    })
}

fn headers(list: &[(String, String)]) -> Value {
    pairs(list.iter().map(|(name, value)| (name.clone(), value.clone())))
}

fn pairs(list: impl IntoIterator<Item = (String, String)>) -> Value {
    list.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

fn millis(micros: u64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "a run lasts far less than 2^52 microseconds")]
    let millis = micros as f64 / 1000.0;
    json!(millis)
}
