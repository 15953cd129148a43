//! A server under audit that puts markup, scripts, formulas and commands of terminals into every
//! string that is its own to choose.

use std::rc::Rc;

use authspec::embedded;
use authspec::model::report::Report;
use authspec::model::requirement::Profile;
use authspec::plan::Filter;
use authspec::run::{Options, audit_blocking};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reference_server::{Config, Policy};
use serde_json::{Value, json};

use self::relay::{fields, halves, way};

#[path = "../audit/canary/relay.rs"]
mod relay;

/// Groups whose judges quote what the server says.
const TAGS: &str = "@tokenresp or @discovery or @authzresp or @jwks or @cors or @introspection";

/// What a visible character can do in a header field.
const VISIBLE: &str = "=1+1'\"></pre></title></style></script><x-evil evil=1><script>evil()</script>\
    <img src=x evil onerror=evil()><a href=javascript:evil() evil>]]><!--${7*7}{{7*7}}\
    ![e](https://evil.test/x.png)[e](https://evil.test)<https://evil.test>`|@evil;&lt;x-evil&gt;";

/// What more a string of JSON or a page can hold.
fn payload() -> String {
    format!(
        "{VISIBLE}\0\u{1b}[31m\u{1b}]0;evil\u{7}\u{9b}2J\u{202e}\u{2028}\u{2066}\u{ffff}\r\n=cmd|' /C calc'!A0\
         \n\n## Passed\n| a | b |\n|---|---|\n```\n"
    )
}

/// Members on whose values the flow rests; all others are the server's own words.
fn is_needed(name: &str) -> bool {
    let exact = [
        "issuer",
        "jwks_uri",
        "access_token",
        "refresh_token",
        "id_token",
        "token_type",
        "kty",
        "crv",
        "x",
        "y",
        "n",
        "e",
        "kid",
        "use",
        "alg",
        "sub",
        "aud",
        "iss",
        "client_id",
        "request_uri",
        "username",
        "nonce",
        "jti",
        "jkt",
    ];
    exact.contains(&name) || name.ends_with("_endpoint")
}

/// The same document with hostile strings: behind each that is there, and in members of its own.
fn spoiled(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match member {
                    Value::String(text) if !is_needed(name) => text.push_str(&payload()),
                    Value::Array(items) if name.ends_with("_supported") => {
                        items.push(payload().into());
                    }
                    Value::Array(items) if name == "keys" => {
                        items.push(json!({ "kty": payload(), "kid": payload(), "alg": payload() }));
                    }
                    Value::Object(_) => spoiled(member),
                    _ => {}
                }
            }
            members.insert("service_documentation".into(), payload().into());
            members.insert("error_description".into(), payload().into());
            members.insert(payload(), payload().into());
        }
        Value::Array(items) => items.iter_mut().for_each(spoiled),
        _ => {}
    }
}

fn answer(answer: &[u8], _: &str, _: &str) -> Vec<u8> {
    let (head, body) = halves(answer);
    let body = String::from_utf8_lossy(&body).into_owned();
    let is_json = fields(&head, "content-type").any(|kind| kind.contains("json"));
    let body = match serde_json::from_str::<Value>(&body) {
        Ok(mut document) if is_json => {
            spoiled(&mut document);
            document.to_string()
        }
        _ if body.contains("<title>") => body
            .replacen(
                "<title>",
                "<title>=1+1<x-evil evil=1>![e](https://evil.test/x.png)\u{202e}",
                1,
            )
            .replacen("</body>", &format!("<p>{}</p></body>", payload()), 1),
        _ => body,
    };
    let mut out = String::new();
    for (at, line) in head.trim_end().lines().enumerate() {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        match name.to_ascii_lowercase().as_str() {
            "content-length" | "connection" | "transfer-encoding" => {}
            "location" if value.contains('?') => {
                let text = utf8_percent_encode(VISIBLE, NON_ALPHANUMERIC);
                out.push_str(&format!("{line}&error_description={text}\r\n"));
            }
            "content-type" => out.push_str(&format!("{line}; evil=\"<x-evil evil>\"\r\n")),
            _ if at == 0 => out.push_str(&format!("{line} <x-evil evil>\r\n")),
            _ => out.push_str(&format!("{line}\r\n")),
        }
    }
    out.push_str(&format!(
        "X-Evil`|*_~: {VISIBLE}\r\nServer: {VISIBLE}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    out.into_bytes()
}

/// The report on a server with a defect, and on the same server where it is hostile as well.
pub(crate) fn audited() -> (Report, Report) {
    let audit = |is_hostile: bool| {
        let policy = Policy::with("CodeInErrorDescription".parse().unwrap());
        let server = embedded::start(Config { policy, ..Config::default() }).unwrap();
        let mut target = embedded::target(&server);
        if is_hostile {
            let port = server.issuer().rsplit(':').next().unwrap().parse().unwrap();
            let address = (std::net::Ipv4Addr::LOCALHOST, port).into();
            target.network.shortcut = Some(way(server.issuer(), address, answer));
        }
        let filter = Filter { tags: Some(TAGS.into()), ..Filter::default() };
        let clock = embedded::clock(&server);
        let options = Options { target, profile: Profile::Baseline, filter, clock };
        audit_blocking(options, Rc::new(())).unwrap().report
    };
    (audit(false), audit(true))
}
