//! Judges of how a server runs: its errors, its clock.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

use super::{Findings, check};
use crate::model::exchange::{Exchange, Response};
use crate::model::redact::appears;
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::params::Params;

/// Seconds by which the clocks may differ.
const MOST_SKEW: i64 = 30;

/// Parameters whose values are secrets of the client or of the user.
const SECRETS: [&str; 6] =
    ["code", "code_verifier", "refresh_token", "access_token", "token", "password"];

/// A secret that is shorter may occur by chance, or be a word.
const SHORTEST: usize = 12;

/// Marks of implementations that never stand in an answer by intention. Each one is the form in
/// which a runtime, a database driver or a framework prints its own failure.
const INTERNALS: [&str; 17] = [
    // Java, Kotlin, Scala
    r"\bat [\w.$]+\([\w$]+\.(?:java|kt|scala|groovy):\d+\)",
    r"\b(?:java|javax|jakarta|kotlin|org|com|io)(?:\.[a-z_]\w*)+\.[A-Z]\w*(?:Exception|Error)\b",
    // Python
    r"Traceback \(most recent call last\)",
    r#"File "[^"\n]+\.py", line \d+"#,
    r"\b(?:psycopg2?|sqlalchemy|django|sqlite3|pymysql)(?:\.\w+)+\.?[A-Z]\w*(?:Error|Exception)\b",
    // JavaScript
    r"\bat [^\n(]{0,80}\(?(?:file://)?/[^\s():]+\.[cm]?[jt]s:\d+:\d+\)?",
    // PHP
    r"(?:Fatal error|Warning|Notice|Uncaught \w+)[^\n]{0,200} in /[^\s:]+\.php(?: on line |:)\d+",
    // .NET
    r"\bat [\w.<>`]+\([^)\n]*\) in [^\n]+\.cs:line \d+",
    r"\bSystem(?:\.\w+)*\.\w+Exception\b",
    // Ruby
    r"/[\w./-]+\.rb:\d+:in [`']",
    // Go, Rust
    r"\bgoroutine \d+ \[running\]",
    r"panicked at [\w./-]+\.rs:\d+",
    // Databases
    r"\bSQLSTATE\[\w+\]",
    r"\bORA-\d{5}\b",
    r#"(?:You have an error in your SQL syntax|syntax error at or near ")"#,
    r"\bSELECT\b[^<\n]{1,200}\bFROM\b[^<\n]{1,200}\bWHERE\b",
    // Debug pages
    r"(?:<code>DEBUG = True</code>|Werkzeug Debugger|Whoops\\|Server Error in '/[^'\n]*' Application)",
];

/// All of them are ASCII, which spares the engine the words of all languages.
static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let alternatives = INTERNALS.map(|pattern| format!("(?:{pattern})")).join("|");
    RegexBuilder::new(&alternatives).unicode(false).build().ok()
});

/// The answer reports an error: by its status, or by `error` in a redirect.
fn is_error(response: &Response) -> bool {
    response.status >= 400 || response.location().is_some_and(|l| in_location(l, "error").is_some())
}

fn in_location(location: &str, name: &str) -> Option<String> {
    let parts = location.split(['?', '#']).skip(1);
    parts.map(Params::decode).find_map(|params| params.value(name).map(str::to_owned))
}

/// No stack trace, source path, SQL, exception class or debug page in an error.
pub fn no_internals(exchange: &Exchange) -> Findings {
    let Some(response) = exchange.response().filter(|r| is_error(r)) else { return vec![] };
    let described = response.location().and_then(|l| in_location(l, "error_description"));
    let headers = response.headers.iter().map(|(_, value)| Cow::Borrowed(value.as_str()));
    let texts = described.map(Cow::Owned).into_iter().chain(headers);
    let shown = texts.chain([readable(response)]).find_map(|text| {
        let found = PATTERN.as_ref()?.find(text.as_bytes())?;
        Some(String::from_utf8_lossy(found.as_bytes()).chars().take(120).collect::<String>())
    });
    shown
        .into_iter()
        .map(|line| {
            let actual = format!("\"{line}\" in {}", exchange.gist());
            let expected = "an error without stack trace, source path, SQL or class name";
            Deviation::new(expected, actual).weighing(Weight::Warning).seen_in(exchange)
        })
        .collect()
}

/// The body, with the escapes of JSON and HTML that hide a quote or a line break undone.
fn readable(response: &Response) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(&response.body);
    if !text.contains(['\\', '&']) {
        return text;
    }
    if response.json_object().is_some() {
        return text.replace("\\n", "\n").replace("\\\"", "\"").replace("\\/", "/").into();
    }
    text.replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .into()
}

/// No error repeats a code, verifier, token or password that its request contained.
pub fn no_secret_echo(exchange: &Exchange) -> Findings {
    let Some(response) = exchange.response() else { return vec![] };
    // A sign-in that failed shows its form again with status 200.
    let is_form_again = response.is_html() && exchange.request.method == "POST";
    if !is_error(response) && !is_form_again {
        return vec![];
    }
    let secrets = secrets_of(exchange);
    if secrets.is_empty() {
        return vec![];
    }
    let mut answer = response.text();
    for (_, value) in &response.headers {
        answer.push('\n');
        answer.push_str(value);
    }
    let repeated = secrets.into_iter().find(|(_, value)| appears(value, &answer));
    repeated
        .into_iter()
        .map(|(name, _)| {
            let actual = format!("the {name} in {}", exchange.gist());
            let expected = "an error without the secrets of its request";
            Deviation::new(expected, actual).weighing(Weight::Warning).seen_in(exchange)
        })
        .collect()
}

/// The secrets of a request with the names of their parameters. A value that another parameter
/// has too, such as a password equal to the user name, would be found for the wrong reason.
fn secrets_of(exchange: &Exchange) -> Vec<(String, String)> {
    let request = &exchange.request;
    let mut all: Vec<(String, String)> = Vec::new();
    let query = request.url.split('#').next().and_then(|url| url.split_once('?')).map(|(_, q)| q);
    let body = request.text();
    for encoded in query.into_iter().chain([body.as_str()]) {
        let params = Params::decode(encoded);
        all.extend(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    let bearer = request.header("authorization").and_then(|v| v.split_once(' '));
    if let Some((_, token)) = bearer {
        all.push(("access_token".into(), token.to_owned()));
    }
    let is_secret = |name: &str| SECRETS.iter().any(|s| name.eq_ignore_ascii_case(s));
    let elsewhere = |value: &str| all.iter().any(|(n, v)| v == value && !is_secret(n));
    all.iter()
        .filter(|(name, value)| is_secret(name) && value.len() >= SHORTEST && !elsewhere(value))
        .cloned()
        .collect()
}

/// No internal error: 501 and 503 say something else (RFC 9110 §15.6).
pub fn no_server_error(exchange: &Exchange) -> Findings {
    let is_internal = |status| status >= 500 && !matches!(status, 501 | 503);
    check(!exchange.response().is_some_and(|r| is_internal(r.status)), || {
        let path = exchange.request.url.split(['?', '#']).next().unwrap_or_default();
        let actual = format!("{} for {} {path}", exchange.gist(), exchange.request.method);
        let expected = "an answer, or a status below 500";
        Deviation::new(expected, actual).weighing(Weight::Warning).seen_in(exchange)
    })
}

/// `Date` is there (RFC 9110 §6.6.1), and within 30 seconds of `now`, our clock halfway between
/// request and answer in seconds since the epoch.
pub fn clock_agrees(exchange: &Exchange, now: i64) -> Findings {
    let Some(response) = exchange.response().filter(|r| r.status < 500) else { return vec![] };
    let date = date_of(response);
    let actual = match date {
        Some(date) if (date - now).abs() <= MOST_SKEW => return vec![],
        Some(date) => format!("{} s from it (exchange {})", date - now, exchange.number),
        None => format!("no Date, or one that cannot be read (exchange {})", exchange.number),
    };
    let expected = format!("a Date within {MOST_SKEW} s of our clock");
    vec![Deviation::new(expected, actual).weighing(Weight::Warning).seen_in(exchange)]
}

/// The `Date` of an answer in seconds since the epoch.
pub fn date_of(response: &Response) -> Option<i64> {
    let parser = jiff::fmt::rfc2822::DateTimeParser::new();
    Some(parser.parse_timestamp(response.header("date")?).ok()?.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::{answered, json};

    #[test]
    fn the_patterns_compile() {
        assert!(PATTERN.is_some());
    }

    #[test]
    fn failures_of_runtimes_are_recognised() {
        for shown in [
            "at org.keycloak.protocol.oidc.TokenEndpoint.process(TokenEndpoint.java:210)",
            "Caused by: java.lang.NullPointerException",
            "org.hibernate.exception.ConstraintViolationException",
            "Traceback (most recent call last):",
            "File &quot;/srv/app/views.py&quot;, line 31",
            "django.db.utils.DataError: value too long",
            "at Object.&lt;anonymous&gt; (/app/node_modules/express/lib/router.js:10:3)",
            "at async /usr/src/app/token.js:31:7",
            "Fatal error: Uncaught TypeError in /var/www/html/token.php:12",
            "at Contoso.Auth.TokenController.Post(String code) in C:\\src\\Token.cs:line 42",
            "System.NullReferenceException: Object reference not set",
            "/srv/app/models/code.rb:12:in `find'",
            "goroutine 7 [running]:",
            "thread 'main' panicked at src/token.rs:12:5",
            "SQLSTATE[42P01]: Undefined table",
            "ORA-00942: table or view does not exist",
            "You have an error in your SQL syntax; check the manual",
            "SELECT id, code FROM grants WHERE code = 'x'",
            "your Django settings have <code>DEBUG = True</code>",
        ] {
            let findings = no_internals(&answered(500, &[("Content-Type", "text/html")], shown));
            assert_eq!(findings.len(), 1, "{shown}");
            assert_eq!(findings[0].weight, Weight::Warning);
        }
    }

    #[test]
    fn ordinary_errors_reveal_nothing() {
        for body in [
            r#"{"error":"invalid_grant","error_description":"the code is not known at this server (expired)"}"#,
            r#"{"error":"invalid_request","error_description":"Invalid parameter: redirect_uri at position 3:12"}"#,
            "<h1>Not found</h1><p>Select an account from the list where you signed in.</p>",
            "<pre>Cannot GET /token</pre>",
            "<p>com.example.app:/callback is not registered</p>",
            "Whitelabel Error Page",
        ] {
            assert!(no_internals(&answered(400, &[], body)).is_empty(), "{body}");
        }
        assert!(no_internals(&answered(200, &[], "java.lang.NullPointerException")).is_empty());
    }

    #[test]
    fn a_redirected_description_is_an_error_too() {
        let location = "https://app.test/cb?error=server_error&error_description=java.lang.IllegalStateException%3A+x";
        assert_eq!(no_internals(&answered(302, &[("Location", location)], "")).len(), 1);
    }

    fn sent(body: &str, mut exchange: Exchange) -> Exchange {
        exchange.request.method = "POST".into();
        exchange.request.body = body.as_bytes().to_vec();
        exchange
    }

    #[test]
    fn a_repeated_secret_is_found_in_body_and_header() {
        let request =
            "grant_type=authorization_code&code=0123456789abcdef&client_id=web-application-one";
        let repeats = |exchange| no_secret_echo(&sent(request, exchange)).len();
        assert_eq!(
            repeats(json(400, r#"{"error_description":"code 0123456789abcdef is bad"}"#)),
            1
        );
        assert_eq!(repeats(answered(400, &[("X-Detail", "0123456789abcdef")], "")), 1);
        assert_eq!(repeats(json(400, r#"{"error_description":"code 01234567.. is bad"}"#)), 0);
        assert_eq!(repeats(json(400, r#"{"error_description":"web-application-one"}"#)), 0);
        assert_eq!(repeats(json(200, r#"{"code":"0123456789abcdef"}"#)), 0);
        let message = no_secret_echo(&sent(request, answered(400, &[], "0123456789abcdef")));
        assert!(!message[0].to_string().contains("0123456789"));
    }

    #[test]
    fn a_login_form_must_not_repeat_the_password() {
        let html = |page: &str| answered(200, &[("Content-Type", "text/html")], page);
        let login = "username=alice&password=correct+horse+battery";
        let page = html("<input name=password value=\"correct horse battery\">");
        assert_eq!(no_secret_echo(&sent(login, page)).len(), 1);
        let same = "username=alice-alice-alice&password=alice-alice-alice";
        assert!(no_secret_echo(&sent(same, html("alice-alice-alice"))).is_empty());
        let short = html("<h1>admin</h1>");
        assert!(no_secret_echo(&sent("username=a&password=admin", short)).is_empty());
    }

    #[test]
    fn load_signals_are_no_internal_errors() {
        for (status, count) in [
            (200, 0),
            (400, 0),
            (413, 0),
            (431, 0),
            (501, 0),
            (503, 0),
            (500, 1),
            (502, 1),
            (504, 1),
        ] {
            assert_eq!(no_server_error(&answered(status, &[], "")).len(), count, "{status}");
        }
    }

    #[test]
    fn clocks_may_differ_by_half_a_minute() {
        let judge =
            |date: &str| clock_agrees(&answered(200, &[("Date", date)], ""), 784_111_777).len();
        assert_eq!(judge("Sun, 06 Nov 1994 08:49:37 GMT"), 0);
        assert_eq!(judge("Sun, 06 Nov 1994 08:50:07 GMT"), 0);
        assert_eq!(judge("Sun, 06 Nov 1994 08:50:08 GMT"), 1);
        assert_eq!(judge("yesterday"), 1);
        assert_eq!(clock_agrees(&answered(200, &[], ""), 784_111_777).len(), 1);
        assert!(clock_agrees(&answered(500, &[], ""), 784_111_777).is_empty());
    }
}
