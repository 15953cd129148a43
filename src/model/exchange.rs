//! One request and what came back, exactly as it went over the wire.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

/// A request as it was sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Method, verbatim.
    pub method: String,
    /// Absolute URL, verbatim: nothing is normalised.
    pub url: String,
    /// Header fields in the order sent.
    pub headers: Vec<(String, String)>,
    /// Body octets.
    pub body: Vec<u8>,
}

/// A response as it arrived.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header fields in the order and spelling received; octets outside UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// Body octets after chunked decoding, at most the configured limit.
    pub body: Vec<u8>,
    /// The body was longer than the limit and the rest was not read.
    pub truncated: bool,
}

/// One request with its response, or with the reason why there is none.
#[derive(Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Position in its scenario, counted from 1.
    pub number: usize,
    /// Time since the run began.
    pub at: Duration,
    /// Time from the first octet sent to the last octet received.
    pub elapsed: Duration,
    /// What was sent.
    pub request: Request,
    /// What came back, or what failed, in words.
    pub outcome: Result<Response, String>,
    /// Nothing was sent, for the sake of the target; the outcome says so in words.
    pub withheld: Option<Withheld>,
}

/// Why a request was not sent to a target that could have been asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// The target is ill.
    Ill,
    /// It asked to be left alone.
    AskedToWait,
    /// The run has cost enough.
    BudgetSpent,
}

impl Withheld {
    /// What to change.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Ill => {
                "see the log of the server, and run again when it has recovered; lower concurrency or raise pace_ms in the profile if it cannot keep up"
            }
            Self::AskedToWait => {
                "run again later, with a lower concurrency and a higher pace_ms in the profile, or raise the rate limit for this client"
            }
            Self::BudgetSpent => {
                "raise request_budget in the profile (--request-budget), or choose fewer checks"
            }
        }
    }
}

impl Request {
    /// A GET of that URL without header fields or body.
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: "GET".into(), url: url.into(), headers: vec![], body: vec![] }
    }

    /// The body as text; octets outside UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The first header field of that name, compared without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }
}

impl Response {
    /// The first header field of that name, compared without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// Every header field of that name, in order.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    /// The media type in lower case without parameters, for example `application/json`.
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        Some(value.split(';').next().unwrap_or(value).trim().to_ascii_lowercase())
    }

    /// The body as text; octets outside UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as one JSON object.
    pub fn json_object(&self) -> Option<serde_json::Map<String, Value>> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Some(object),
            _ => None,
        }
    }

    /// A redirect status (301, 302, 303, 307, 308) with the `Location` it names.
    pub fn location(&self) -> Option<&str> {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
            .then(|| self.header("location"))
            .flatten()
    }

    /// The page is HTML, by media type or, where none is given, by its first characters.
    pub fn is_html(&self) -> bool {
        match self.media_type() {
            Some(media_type) => media_type == "text/html" || media_type == "application/xhtml+xml",
            None => self.text().trim_start().starts_with('<'),
        }
    }
}

impl Exchange {
    /// The server failed or was busy: what was meant to be judged may not be at fault.
    pub fn is_disturbed(&self) -> bool {
        self.withheld.is_some()
            || self
                .response()
                .is_some_and(|r| r.status == 429 || r.status >= 500 && r.status != 501)
    }

    /// The response, where one arrived.
    pub fn response(&self) -> Option<&Response> {
        self.outcome.as_ref().ok()
    }

    /// What came back in a few words, for messages: `302 to https://..` or `400 application/json`.
    /// Query and fragment of a location are left out, since they may carry secrets.
    pub fn gist(&self) -> String {
        let mut text = match &self.outcome {
            Err(reason) => format!("no answer ({reason})"),
            Ok(response) => {
                let mut text = response.status.to_string();
                if let Some(location) = response.location() {
                    let end = location.find(['?', '#']).unwrap_or(location.len());
                    let _ = write!(text, " to {}", &location[..end]);
                } else if let Some(error) =
                    response.json_object().and_then(|o| o.get("error").cloned())
                {
                    let _ = write!(text, " with error={}", error.as_str().unwrap_or("(no string)"));
                } else if let Some(media_type) = response.media_type() {
                    let _ = write!(text, " {media_type}");
                }
                text
            }
        };
        let _ = write!(text, " (exchange {})", self.number);
        text
    }
}

fn first<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
}

// Messages and panics must never show a secret: the wire types print their outline only.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Request({} .., {} octets)", self.method, self.body.len())
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Response({}, {} octets)", self.status, self.body.len())
    }
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Exchange({}, {:?}, {})", self.number, self.request, self.gist())
    }
}

#[cfg(test)]
pub(crate) mod samples {
    //! Hand-made exchanges for the tests of the judges and reporters.
    use super::*;

    /// An exchange that answered `status` with these header fields and body.
    pub(crate) fn answered(status: u16, headers: &[(&str, &str)], body: &str) -> Exchange {
        Exchange {
            number: 1,
            at: Duration::ZERO,
            elapsed: Duration::from_millis(1),
            request: Request {
                method: "GET".into(),
                url: "http://127.0.0.1:1/authorize".into(),
                headers: vec![],
                body: vec![],
            },
            outcome: Ok(Response {
                status,
                headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
                body: body.as_bytes().to_vec(),
                truncated: false,
            }),
            withheld: None,
        }
    }

    /// An answer with a JSON body.
    pub(crate) fn json(status: u16, body: &str) -> Exchange {
        answered(status, &[("Content-Type", "application/json")], body)
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{answered, json};

    #[test]
    fn media_type_drops_parameters_and_case() {
        let exchange = answered(200, &[("content-type", "Application/JSON; charset=utf-8")], "{}");
        assert_eq!(exchange.response().unwrap().media_type().as_deref(), Some("application/json"));
    }

    #[test]
    fn the_gist_never_shows_a_query() {
        let exchange = answered(302, &[("location", "https://app.test/cb?code=SECRET#x")], "");
        assert_eq!(exchange.gist(), "302 to https://app.test/cb (exchange 1)");
        assert!(!format!("{exchange:?}").contains("SECRET"));
    }

    #[test]
    fn the_gist_names_the_error() {
        assert_eq!(
            json(400, r#"{"error":"invalid_grant"}"#).gist(),
            "400 with error=invalid_grant (exchange 1)"
        );
    }

    #[test]
    fn repeated_headers_stay_in_order() {
        let exchange =
            answered(200, &[("Set-Cookie", "a=1"), ("X", "y"), ("set-cookie", "b=2")], "");
        let all: Vec<_> =
            exchange.response().unwrap().headers("SET-COOKIE").map(str::to_owned).collect();
        assert_eq!(all, ["a=1", "b=2"]);
    }
}
