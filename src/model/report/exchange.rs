//! One exchange as the report shows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::exchange::Exchange;
use crate::model::redact::Redactor;

/// Body octets shown for one message; the rest is named by its length.
const SHOWN_BODY: usize = 8 * 1024;

/// Who takes part in the flow.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The application that asks for tokens.
    Client,
    /// The browser of the resource owner.
    UserAgent,
    /// The resource owner's wallet.
    Wallet,
    /// The server under test.
    AuthorizationServer,
    /// The server of the protected resource.
    ResourceServer,
}

impl Party {
    /// All parties, in the order of the flow's picture.
    pub const ALL: [Self; 5] = [
        Self::Client,
        Self::UserAgent,
        Self::Wallet,
        Self::AuthorizationServer,
        Self::ResourceServer,
    ];

    /// The role's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::UserAgent => "user agent",
            Self::Wallet => "wallet",
            Self::AuthorizationServer => "authorization server",
            Self::ResourceServer => "resource server",
        }
    }
}

/// Who sent a request, to whom, and to which of its endpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Who sent it.
    pub from: Party,
    /// Who answered.
    pub to: Party,
    /// The member of the metadata that names the endpoint, for example `token_endpoint`; or
    /// `metadata`, `resource`, `redirect_uri`, `page`.
    pub endpoint: String,
}

/// One exchange, redacted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeReport {
    /// Position in the scenario, from 1.
    pub number: usize,
    /// Who spoke to whom.
    pub route: Route,
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

impl ExchangeReport {
    /// The exchange without its secrets.
    pub fn new(exchange: &Exchange, route: Route, redactor: &Redactor) -> Self {
        let request = &exchange.request;
        let headers = |list: &[(String, String)]| -> Vec<(String, String)> {
            list.iter()
                .map(|(name, value)| (redactor.redact(name), redactor.redact_header(name, value)))
                .collect()
        };
        let (method, url) = (redactor.redact(&request.method), redactor.redact(&request.url));
        let request_headers = headers(&request.headers);
        let request_body = shown(&request.body, redactor);
        let response = exchange.response();
        Self {
            number: exchange.number,
            route,
            at_us: micros(exchange.at),
            elapsed_us: micros(exchange.elapsed),
            curl: curl(&method, &url, &request_headers, &request_body),
            request_line: format!("{method} {url}"),
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
    for (name, value) in headers.iter().filter(|(n, v)| !is_implied(n) && !is_mark(n, v)) {
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

/// What marks a request as one of the run, which a repetition is not.
fn is_mark(name: &str, value: &str) -> bool {
    name.eq_ignore_ascii_case("traceparent")
        || name.eq_ignore_ascii_case("user-agent") && value.contains("authspec/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::answered;

    fn route() -> Route {
        let (from, to) = (Party::Client, Party::AuthorizationServer);
        Route { from, to, endpoint: "token_endpoint".into() }
    }

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
        let report = ExchangeReport::new(&exchange, route(), &redactor);
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
