//! HTTP Archive 1.2: every exchange once, with the pages (scenarios) that it belongs to.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::finding::one_line;
use super::moment::Moments;
use super::wire::{cookies, header, query, request_target, set_cookies};
use crate::model::report::{ExchangeReport, Report};

/// What stands for the time before the first scenario.
const PREFLIGHT: &str = "preflight";

/// An exchange without its number: scenarios that share one number it each for itself.
type Key<'a> = (u64, u64, &'a str, &'a str, Option<u16>, &'a str);

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
    let mut entries = Entries::default();
    report.preflight.iter().for_each(|exchange| entries.add(exchange, PREFLIGHT, None));
    let mut number = 0;
    for requirement in &report.requirements {
        for scenario in &requirement.scenarios {
            number += 1;
            let id = format!("scenario-{number}");
            pages.push(json!({
                "startedDateTime": format!("{:.6}", moments.at(scenario.at_us)),
                "id": id,
                "title": format!("{}: {}", requirement.id, one_line(&scenario.name)),
                "pageTimings": { "onContentLoad": -1, "onLoad": millis(scenario.elapsed_us) },
                "comment": format!("{}:{}, {}", scenario.feature, scenario.line, scenario.status.as_str()),
            }));
            for exchange in &scenario.exchanges {
                entries.add(exchange, &id, Some(&requirement.id));
            }
        }
    }
    let log = json!({ "log": {
        "version": "1.2",
        "creator": { "name": name, "version": version },
        "pages": pages,
        "entries": entries.write(moments),
        "comment": format!("{}; secrets are replaced by pseudonyms", report.run),
    }});
    serde_json::to_string_pretty(&log).map(|text| text + "\n").map_err(|e| e.to_string())
}

/// Distinct exchanges in the order in which they were sent.
#[derive(Default)]
struct Entries<'a> {
    index: HashMap<Key<'a>, usize>,
    list: Vec<(&'a ExchangeReport, String, Vec<&'a str>)>,
}

impl<'a> Entries<'a> {
    fn add(&mut self, exchange: &'a ExchangeReport, page: &str, requirement: Option<&'a str>) {
        let key = (
            exchange.at_us,
            exchange.elapsed_us,
            exchange.request_line.as_str(),
            exchange.request_body.as_str(),
            exchange.status,
            exchange.response_body.as_str(),
        );
        let next = self.list.len();
        let at = *self.index.entry(key).or_insert(next);
        if at == next {
            self.list.push((exchange, page.to_owned(), Vec::new()));
        }
        let requirements = &mut self.list[at].2;
        requirements.extend(requirement.filter(|id| !requirements.contains(id)));
    }

    fn write(mut self, moments: Moments) -> Vec<Value> {
        self.list.sort_by_key(|(exchange, _, _)| exchange.at_us);
        self.list.iter().map(|(exchange, page, of)| entry(exchange, page, of, moments)).collect()
    }
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
    let (method, url) = request_target(exchange);
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
