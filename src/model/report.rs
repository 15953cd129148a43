//! The report: the only form of a run that is ever written down, redacted on entry.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::exchange::Exchange;
use super::redact::Redactor;
use super::requirement::{Level, Profile, Severity};
use super::verdict::{Deviation, Obstacle, Status, Weight};

/// Version of the report's shape; raised when a reader of the old one would misread the new one.
pub const REPORT_VERSION: u32 = 1;

/// Body octets shown for one message; the rest is named by its length.
const SHOWN_BODY: usize = 8 * 1024;

/// A whole run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Shape of this document, [`REPORT_VERSION`].
    pub version: u32,
    /// Name and version of the tool.
    pub tool: String,
    /// What was audited.
    pub target: TargetSummary,
    /// Start of the run, RFC 3339 in UTC.
    pub started: String,
    /// Length of the run in milliseconds.
    pub duration_ms: u64,
    /// Requests sent.
    pub requests: u64,
    /// The specifications the target was held to.
    pub profile: Profile,
    /// The filter that narrowed the run, where one did.
    pub filter: Option<String>,
    /// The verdict on the run and the rule it follows from.
    pub gate: Gate,
    /// Requirements by status.
    pub counts: BTreeMap<Status, usize>,
    /// What was found out about the target before the first scenario.
    pub facts: Vec<String>,
    /// Exchanges before the first scenario, those of the shared working twins, and the first attempts
    /// of scenarios that were repeated.
    pub preflight: Vec<ExchangeReport>,
    /// One entry a requirement, in the order of the features, untested ones last.
    pub requirements: Vec<RequirementReport>,
}

impl Report {
    /// Ids of the requirements with that status, in the order of the report.
    pub fn with_status(&self, status: Status) -> Vec<&str> {
        self.requirements.iter().filter(|r| r.status == status).map(|r| r.id.as_str()).collect()
    }

    /// Ids of the requirements with a deviation of any weight.
    pub fn deviating(&self) -> BTreeSet<&str> {
        let deviates =
            |r: &&RequirementReport| r.scenarios.iter().any(|s| !s.deviations.is_empty());
        self.requirements.iter().filter(deviates).map(|r| r.id.as_str()).collect()
    }
}

/// What was audited, without any secret.
#[derive(Clone, Debug, Serialize)]
pub struct TargetSummary {
    /// Issuer identifier.
    pub issuer: String,
    /// Client identifiers used.
    pub clients: Vec<String>,
}

/// The verdict on the run.
#[derive(Clone, Debug, Serialize)]
pub struct Gate {
    /// No MUST failed and every MUST could be judged.
    pub passed: bool,
    /// The exit code that says so: 0, 1, 4 or 5.
    pub exit_code: u8,
    /// The rule, in words.
    pub rule: String,
}

/// One requirement with its scenarios.
#[derive(Clone, Debug, Serialize)]
pub struct RequirementReport {
    /// Requirement id.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// What a violation costs.
    pub severity: Severity,
    /// Step of the flow.
    pub step: String,
    /// The duty in one sentence.
    pub duty: String,
    /// Where it is written.
    pub sources: Vec<String>,
    /// Address of the governing section.
    pub url: Option<String>,
    /// Every answer that conforms.
    pub accepts: String,
    /// The worst status of its scenarios.
    pub status: Status,
    /// Why there is no verdict, where there is none.
    pub reason: Option<String>,
    /// What was run.
    pub scenarios: Vec<ScenarioReport>,
}

/// One scenario with its evidence.
#[derive(Clone, Debug, Serialize)]
pub struct ScenarioReport {
    /// Feature file, relative to the repository.
    pub feature: String,
    /// Line of the scenario, or of its row in an Examples table.
    pub line: usize,
    /// Name of the scenario.
    pub name: String,
    /// Its status.
    pub status: Status,
    /// Why it is inconclusive, not applicable or an error.
    pub reason: Option<String>,
    /// What could not be judged, and what to change.
    pub obstacle: Option<Obstacle>,
    /// What deviates.
    pub deviations: Vec<DeviationReport>,
    /// What was observed beside the verdict, for example how a race went.
    pub observations: Vec<String>,
    /// Length in milliseconds.
    pub duration_ms: u64,
    /// The wire, redacted.
    pub exchanges: Vec<ExchangeReport>,
}

/// One deviation.
#[derive(Clone, Debug, Serialize)]
pub struct DeviationReport {
    /// What every conforming server does.
    pub expected: String,
    /// What this one did.
    pub actual: String,
    /// What it counts under level and profile: `note`, `warning` or `failure`.
    pub weight: Weight,
    /// Number of the exchange that shows it.
    pub exchange: Option<usize>,
}

/// One exchange, redacted.
#[derive(Clone, Debug, Serialize)]
pub struct ExchangeReport {
    /// Position in the scenario, from 1.
    pub number: usize,
    /// Microseconds since the run began.
    pub at_us: u64,
    /// Microseconds until the answer was complete.
    pub elapsed_us: u64,
    /// Method and URL.
    pub request_line: String,
    /// Request header fields in order.
    pub request_headers: Vec<(String, String)>,
    /// Request body.
    pub request_body: String,
    /// Status code, absent when no answer came.
    pub status: Option<u16>,
    /// Response header fields in order.
    pub response_headers: Vec<(String, String)>,
    /// Response body.
    pub response_body: String,
    /// Why there is no answer.
    pub failure: Option<String>,
    /// The request as a command to repeat; secrets are placeholders.
    pub curl: String,
}

impl DeviationReport {
    /// The deviation as `cap` and `profile` weigh it, redacted.
    pub fn new(deviation: &Deviation, cap: Weight, profile: Profile, redactor: &Redactor) -> Self {
        Self {
            expected: redactor.redact(&deviation.expected),
            actual: redactor.redact(&deviation.actual),
            weight: deviation.weight.effective(cap, profile),
            exchange: deviation.exchange,
        }
    }
}

impl ExchangeReport {
    /// The exchange without its secrets.
    pub fn new(exchange: &Exchange, redactor: &Redactor) -> Self {
        let request = &exchange.request;
        let headers = |list: &[(String, String)]| -> Vec<(String, String)> {
            list.iter()
                .map(|(name, value)| (name.clone(), redactor.redact_header(name, value)))
                .collect()
        };
        let url = redactor.redact(&request.url);
        let request_headers = headers(&request.headers);
        let request_body = shown(&request.body, redactor);
        let response = exchange.response();
        Self {
            number: exchange.number,
            at_us: micros(exchange.at),
            elapsed_us: micros(exchange.elapsed),
            curl: curl(&request.method, &url, &request_headers, &request_body),
            request_line: format!("{} {url}", request.method),
            request_headers,
            request_body,
            status: response.map(|r| r.status),
            response_headers: response.map(|r| headers(&r.headers)).unwrap_or_default(),
            response_body: response.map(|r| shown(&r.body, redactor)).unwrap_or_default(),
            failure: exchange.outcome.as_ref().err().map(|reason| redactor.redact(reason)),
        }
    }
}

fn micros(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn shown(body: &[u8], redactor: &Redactor) -> String {
    // Redact before cutting: a cut through a secret would leave its first half unrecognised.
    let text = redactor.redact(&String::from_utf8_lossy(body));
    match text.char_indices().nth(SHOWN_BODY) {
        None => text,
        Some((cut, _)) => format!("{}\n[{} octets in all]", &text[..cut], body.len()),
    }
}

fn curl(method: &str, url: &str, headers: &[(String, String)], body: &str) -> String {
    let quote = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let mut command =
        format!("curl --include --path-as-is --request {} {}", quote(method), quote(url));
    for (name, value) in headers.iter().filter(|(name, _)| !is_implied(name)) {
        command.push_str(&format!(" --header {}", quote(&format!("{name}: {value}"))));
    }
    if !body.is_empty() {
        command.push_str(&format!(" --data-raw {}", quote(body)));
    }
    command
}

/// Header fields that curl sets by itself.
fn is_implied(name: &str) -> bool {
    ["host", "content-length", "connection"].iter().any(|n| name.eq_ignore_ascii_case(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::answered;

    #[test]
    fn an_exchange_becomes_a_curl_command_with_placeholders() {
        let mut exchange = answered(
            200,
            &[("Content-Type", "application/json")],
            r#"{"access_token":"t0k3n-value"}"#,
        );
        exchange.request.method = "POST".into();
        exchange.request.url = "http://127.0.0.1:1/token".into();
        exchange.request.headers = vec![
            ("Host".into(), "127.0.0.1:1".into()),
            ("Content-Type".into(), "application/x-www-form-urlencoded".into()),
        ];
        exchange.request.body = b"code=c0d3-value&x='y'".to_vec();
        let mut redactor = Redactor::new();
        redactor.learn_from(&exchange);
        redactor.seal();
        let report = ExchangeReport::new(&exchange, &redactor);
        assert_eq!(
            report.curl,
            "curl --include --path-as-is --request 'POST' 'http://127.0.0.1:1/token' \
             --header 'Content-Type: application/x-www-form-urlencoded' --data-raw 'code=<code#1>&x='\\''y'\\'''"
        );
        assert_eq!(report.response_body, r#"{"access_token":"<access_token#1>"}"#);
    }

    #[test]
    fn long_bodies_are_cut_after_redaction() {
        let mut redactor = Redactor::new();
        redactor.learn("code", "SECRETSECRET");
        redactor.seal();
        let body = format!("{}SECRETSECRET", "x".repeat(SHOWN_BODY - 6));
        let text = shown(body.as_bytes(), &redactor);
        assert!(!text.contains("SECRET"), "{}", &text[text.len() - 60..]);
        assert!(text.ends_with("octets in all]"));
    }
}
