//! Stands between the harness and the reference server, writes down every secret that passes, plants
//! more of them wherever an answer has room, and repeats those of the request in every encoding.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use authspec::http::Shortcut;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

use super::relay::{self, fields, halves};

/// What passed, by value, and where it stood.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Arc<Mutex<BTreeMap<String, String>>>);

impl Secrets {
    pub(crate) fn all(&self) -> BTreeMap<String, String> {
        self.0.lock().unwrap().clone()
    }

    fn add(&self, place: &str, value: &str) {
        if value.len() >= 8 {
            self.0.lock().unwrap().entry(value.to_owned()).or_insert_with(|| place.to_owned());
        }
    }

    /// A value that nobody has seen before.
    fn plant(&self) -> String {
        let value = format!("CaNaRy{:016x}{:016x}", rand::random::<u64>(), rand::random::<u64>());
        self.add("planted", &value);
        value
    }

    /// The values behind the names of secrets in a query or form.
    pub(crate) fn take_pairs(&self, pairs: &str) {
        for (name, value) in pairs.split(['&', '?', '#']).filter_map(|pair| pair.split_once('=')) {
            let is_secret =
                matches!(name, "code" | "password" | "csrf" | "refresh_token" | "token")
                    || matches!(name, "code_verifier" | "access_token" | "id_token_hint");
            if is_secret {
                let value = value.replace('+', " ");
                self.add(name, &percent_decode_str(&value).decode_utf8_lossy());
            }
        }
    }
}

/// The way to the server that leads past a middleman.
pub(crate) fn way(issuer: &str, address: SocketAddr, secrets: &Secrets) -> Shortcut {
    let secrets = secrets.clone();
    relay::way(issuer, address, move |answer, head, sent| planted(answer, head, sent, &secrets))
}

fn percent(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Writes down what the request and the answer carry, and plants more in the answer.
fn planted(answer: &[u8], request: &str, sent: &str, secrets: &Secrets) -> Vec<u8> {
    let target = request.split(' ').nth(1).unwrap_or_default();
    secrets.take_pairs(target);
    secrets.take_pairs(sent);
    for credential in fields(request, "authorization").chain(fields(request, "dpop")) {
        secrets.add("authorization", credential.rsplit(' ').next().unwrap_or_default());
    }
    let cookies = fields(request, "cookie").collect::<Vec<_>>().join("; ");
    for (_, value) in cookies.split("; ").filter_map(|pair| pair.split_once('=')) {
        secrets.add("cookie", value);
    }
    let (head, body) = halves(answer);
    let is_chunked = fields(&head, "transfer-encoding").any(|value| value == "chunked");
    assert!(!is_chunked, "the reference server names the length of what it sends");
    for (_, value) in fields(&head, "set-cookie").filter_map(|cookie| cookie.split_once('=')) {
        secrets.add("set-cookie", value.split(';').next().unwrap_or_default());
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    let body = match serde_json::from_str(&body) {
        Ok(Value::Object(mut members)) => {
            for name in ["access_token", "refresh_token", "id_token"] {
                secrets.add(name, members.get(name).and_then(Value::as_str).unwrap_or_default());
            }
            members.insert("debug_token".into(), secrets.plant().into());
            members.insert("echo".into(), sent.into());
            members.insert("echo_of_echo".into(), json!({"body": sent}).to_string().into());
            members.insert("trace".into(), STANDARD.encode(request).into());
            let jwt = URL_SAFE_NO_PAD.encode(json!({"sent": sent, "to": target}).to_string());
            members.insert("context".into(), format!("e30.{jwt}.c2ln").into());
            members.entry("error_description").or_insert_with(|| format!("no: {sent}").into());
            Value::from(members).to_string()
        }
        _ if body.contains("<form") => {
            for part in body.split("value=\"").skip(1) {
                let value = part.split('"').next().unwrap_or_default();
                if value.bytes().any(|octet| octet.is_ascii_digit())
                    && !value.contains(['/', '.', ' '])
                {
                    secrets.add("form", value);
                }
            }
            let entities: String =
                cookies.chars().map(|c| format!("&#{};", u32::from(c))).collect();
            let hidden = format!("<input type=hidden name=flow_state value={}>", secrets.plant());
            let more = format!(
                "{hidden}<!-- {} --><p>{entities}</p><p>{}</p>",
                STANDARD.encode(format!("x{cookies}")),
                percent(&percent(sent))
            );
            body.replacen("</form>", &format!("{more}</form>"), 1)
        }
        _ => body,
    };
    let mut out = String::new();
    for line in head.trim_end().lines() {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        match name.to_ascii_lowercase().as_str() {
            "content-length" | "connection" => {}
            "location" if value.contains('?') => {
                secrets.take_pairs(value);
                let separator = if value.contains('#') { "" } else { "&" };
                let plant = if separator.is_empty() {
                    String::new()
                } else {
                    format!("session_token={}", secrets.plant())
                };
                out.push_str(&format!("{line}{separator}{plant}\r\n"));
            }
            _ => out.push_str(&format!("{line}\r\n")),
        }
    }
    let echo = percent(sent);
    let (cookie, token) = (secrets.plant(), secrets.plant());
    out.push_str(&format!(
        "Set-Cookie: planted={cookie}; Path=/planted\r\nX-Auth-Token: {token}\r\nX-Echo: {}\r\nX-Echo-Of: {}\r\nContent-Length: {}\r\n\r\n{body}",
        &echo[..echo.len().min(4000)],
        STANDARD.encode(target),
        body.len()
    ));
    out.into_bytes()
}
