//! A run with thousands of exchanges, each with secrets of its own.

use std::time::Duration;

use authspec::model::exchange::{Exchange, Request, Response};
use authspec::model::redact::{Canary, Redactor};
use authspec::model::report::{ExchangeReport, Party, Report, Route};

use super::sample::sample;

/// A value that only a server makes up: the same for the same number.
fn opaque(kind: u64, number: u64) -> String {
    let mut state = (kind << 32 | number).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    format!("{:016x}{:016x}_{:08X}", next(), next(), next() >> 32)
}

fn header(name: &str, value: impl Into<String>) -> (String, String) {
    (name.into(), value.into())
}

/// What a client of a code flow exchanges: a page, an approval, a token request, by turns.
pub(crate) fn exchanges(count: u64) -> Vec<Exchange> {
    let (as_, form) = ("https://as.example.test", "application/x-www-form-urlencoded");
    let filler =
        "<p>A page has a few words and links, <a href=\"/help\">like this</a>.</p>\n".repeat(30);
    (0..count)
        .map(|n| {
            let (code, cookie) = (opaque(1, n / 3), opaque(2, n / 3));
            let (token, verifier) = (opaque(3, n / 3), opaque(4, n / 3));
            let common = [header("Accept", "*/*"), header("User-Agent", "authspec/0.1.0 (4bf92f35)")];
            let (request, status, mut headers, body) = match n % 3 {
                0 => (
                    Request {
                        headers: common.to_vec(),
                        ..Request::get(format!(
                            "{as_}/authorize?response_type=code&client_id=web&state={n}&code_challenge={}&code_challenge_method=S256",
                            opaque(5, n)
                        ))
                    },
                    200,
                    vec![
                        header("Content-Type", "text/html; charset=utf-8"),
                        header("Set-Cookie", format!("sid={cookie}; Path=/; HttpOnly; Secure")),
                    ],
                    format!("<!doctype html><title>Sign in</title>{filler}<form method=post><input type=hidden name=csrf value={}></form>", opaque(6, n)),
                ),
                1 => (
                    Request {
                        method: "POST".into(),
                        url: format!("{as_}/consent"),
                        headers: [&common[..], &[header("Content-Type", form), header("Cookie", format!("sid={cookie}"))]].concat(),
                        body: format!("csrf={}&decision=approve", opaque(6, n - 1)).into_bytes(),
                    },
                    303,
                    vec![header("Location", format!("https://app.example.test/callback?code={code}&state={n}"))],
                    String::new(),
                ),
                _ => (
                    Request {
                        method: "POST".into(),
                        url: format!("{as_}/token"),
                        headers: [&common[..], &[header("Content-Type", form)]].concat(),
                        body: format!("grant_type=authorization_code&code={code}&redirect_uri=https%3A%2F%2Fapp.example.test%2Fcallback&client_id=web&code_verifier={verifier}").into_bytes(),
                    },
                    200,
                    vec![header("Content-Type", "application/json"), header("Cache-Control", "no-store")],
                    format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":300,"refresh_token":"{}","scope":"openid"}}"#, opaque(7, n)),
                ),
            };
            headers.extend([
                header("Date", "Mon, 23 Nov 2026 12:00:00 GMT"),
                header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
                header("X-Content-Type-Options", "nosniff"),
                header("Content-Length", body.len().to_string()),
            ]);
            Exchange {
                number: 1 + usize::try_from(n % 6).unwrap_or_default(),
                at: Duration::from_millis(n),
                elapsed: Duration::from_micros(700),
                request,
                outcome: Ok(Response { status, headers, body: body.into_bytes(), truncated: false }),
                withheld: None,
            }
        })
        .collect()
}

/// Knows the secrets of these exchanges.
pub(crate) fn redactor(exchanges: &[Exchange]) -> Redactor {
    let mut redactor = Redactor::new();
    exchanges.iter().for_each(|exchange| redactor.learn_from(exchange));
    redactor.seal();
    redactor
}

/// The report of a run that had these exchanges, six a scenario.
pub(crate) fn report(exchanges: &[Exchange], redactor: &Redactor) -> (Report, Canary) {
    let route = || Route {
        from: Party::Client,
        to: Party::AuthorizationServer,
        endpoint: "token_endpoint".into(),
    };
    let mut report = sample();
    let template = report.requirements.iter().find(|r| r.id == "token.code-unknown").cloned();
    for (number, part) in exchanges.chunks(12).enumerate() {
        let Some(mut requirement) = template.clone() else { continue };
        requirement.id = format!("load.number-{number}");
        let of = |(at, chunk): (usize, &[Exchange])| {
            let mut scenario = requirement.scenarios[0].clone();
            scenario.name = format!("part {at}");
            scenario.exchanges =
                chunk.iter().map(|e| ExchangeReport::new(e, route(), redactor)).collect();
            scenario
        };
        let scenarios = part.chunks(6).enumerate().map(of).collect();
        requirement.scenarios = scenarios;
        report.requirements.push(requirement);
    }
    (report, redactor.canary())
}
