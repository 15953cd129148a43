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
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::net::TcpStream;

/// Octets of each direction that wait for their reader.
const ROOM: usize = 64 * 1024;

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
    fn take_pairs(&self, pairs: &str) {
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
    Shortcut::to(issuer, move || {
        let (ours, theirs) = duplex(ROOM);
        tokio::spawn(relay(ours, address, secrets.clone()));
        theirs
    })
    .unwrap()
}

/// One connection of the harness; each request gets one of the server.
#[expect(clippy::disallowed_methods, reason = "it stands on the server's side of the wire")]
async fn relay(mut harness: DuplexStream, address: SocketAddr, secrets: Secrets) {
    let mut held = Vec::new();
    while let Some(request) = message(&mut harness, &mut held).await {
        let Ok(mut server) = TcpStream::connect(address).await else { return };
        let (head, body) = halves(&request);
        let once = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
        let mut forwarded = once.into_bytes();
        forwarded.extend_from_slice(&body);
        let mut answer = Vec::new();
        if server.write_all(&forwarded).await.is_err()
            || server.read_to_end(&mut answer).await.is_err()
        {
            return;
        }
        let answer = planted(&answer, &head, &String::from_utf8_lossy(&body), &secrets);
        if harness.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// The next request; `held` is what came after it.
async fn message(stream: &mut DuplexStream, held: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        if let Some(end) = held.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&held[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if held.len() >= end + 4 + length {
                let rest = held.split_off(end + 4 + length);
                return Some(std::mem::replace(held, rest));
            }
        }
        if stream.read_buf(held).await.ok()? == 0 {
            return None;
        }
    }
}

fn halves(message: &[u8]) -> (String, Vec<u8>) {
    let end = message.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(message.len());
    let head = String::from_utf8_lossy(&message[..end]).into_owned();
    (head + "\r\n\r\n", message.get(end + 4..).unwrap_or_default().to_vec())
}

fn percent(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The value of every header field of that name.
fn fields<'a>(head: &'a str, wanted: &'a str) -> impl Iterator<Item = &'a str> {
    head.lines().filter_map(move |line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case(wanted).then_some(value.trim())
    })
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
