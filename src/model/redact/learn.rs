//! Where secrets stand in an exchange.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::Redactor;
use super::base64;
use super::names::{is_public, is_secret_header, secret_kind};
use crate::model::exchange::Exchange;
use crate::model::html::{Token, tokens};

/// Octets from which a field of a form that nobody knows is taken for a token.
const OPAQUE: usize = 16;

/// Members of a JWK that only its owner may know (RFC 7518 §6.2.2, §6.3.2, §6.4).
const PRIVATE_MEMBERS: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "k"];

impl Redactor {
    /// Learns every secret that an exchange carries where the protocol puts it.
    pub fn learn_from(&mut self, exchange: &Exchange) {
        let request = &exchange.request;
        self.learn_url(&request.url);
        for (name, value) in &request.headers {
            self.learn_header(name, value);
        }
        // Testers send forms under wrong media types, too.
        if let Ok(json) = serde_json::from_slice(&request.body) {
            self.learn_json(&json);
        } else if request.body.contains(&b'=') {
            let form = request.text();
            self.learn_pairs(&form);
            // Login and consent forms name their tokens as they please.
            for (name, value) in pairs(&form) {
                self.learn_field(&name, &value);
            }
        }
        let Ok(response) = &exchange.outcome else { return };
        for (name, value) in &response.headers {
            self.learn_header(name, value);
        }
        if let Ok(json) = serde_json::from_slice(&response.body) {
            self.learn_json(&json);
        } else if response.media_type().is_some_and(|name| name == "text/event-stream") {
            let text = response.text();
            text.lines()
                .filter_map(|line| line.strip_prefix("data:"))
                .for_each(|data| self.learn_message(data));
        } else if response.status == 101 {
            // The messages of a web socket, which may be frames that end with NUL.
            response.text().split(['\n', '\0']).for_each(|message| self.learn_message(message));
        } else if response.is_html() {
            self.learn_html(&response.text());
        } else if response.body.contains(&b'=') {
            self.learn_pairs(&response.text());
        }
    }

    /// What a page is told: JSON, or an address.
    fn learn_message(&mut self, message: &str) {
        match serde_json::from_str(message) {
            Ok(json) => self.learn_json(&json),
            Err(_) => self.learn_url(message.trim()),
        }
    }

    /// What a secret holds that is one by itself: members of a JWT, or of JSON.
    pub(super) fn learn_within(&mut self, value: &str) {
        if value.starts_with('{')
            && let Ok(json) = serde_json::from_str(value)
        {
            return self.learn_json(&json);
        }
        for part in value.split('.').take(2).filter(|part| part.starts_with("eyJ")) {
            let digits = part.bytes().take_while(|octet| base64::is_digit(*octet)).count();
            let json = serde_json::from_slice(&base64::decode(&part.as_bytes()[..digits]));
            if let Ok(json) = json {
                self.learn_json(&json);
            }
        }
    }

    fn learn_header(&mut self, name: &str, value: &str) {
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "cookie" => value.split(';').for_each(|pair| self.learn_cookie(pair)),
            "set-cookie" => self.learn_cookie(value.split(';').next().unwrap_or(value)),
            "location" | "content-location" | "referer" | "refresh" | "link" => {
                self.learn_url(value)
            }
            _ if is_secret_header(&name) => {
                let (scheme, credential) = value.split_once(' ').unwrap_or(("", value));
                if scheme.eq_ignore_ascii_case("basic") {
                    self.learn_basic(credential.trim());
                }
                self.learn("authorization", credential.trim());
            }
            _ => {}
        }
    }

    /// The secret of HTTP Basic; identifier and secret are form-encoded (RFC 6749 §2.3.1).
    fn learn_basic(&mut self, credential: &str) {
        let decoded = base64::decode(credential.trim_end_matches('=').as_bytes());
        if let Some((_, secret)) = String::from_utf8_lossy(&decoded).split_once(':') {
            self.learn("client_secret", &decode(secret));
        }
    }

    fn learn_cookie(&mut self, pair: &str) {
        if let Some((_, value)) = pair.split_once('=') {
            self.learn("cookie", value.trim().trim_matches('"'));
        }
    }

    fn learn_url(&mut self, url: &str) {
        for part in url.split(['?', '#']).skip(1) {
            self.learn_pairs(part);
        }
    }

    fn learn_pairs(&mut self, encoded: &str) {
        let pairs = pairs(encoded);
        let value_of = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted);
        // RFC 7636 §4.3: without another method the challenge is the verifier.
        let is_plain = value_of("code_challenge_method").is_none_or(|(_, method)| method != "S256");
        if let Some((_, challenge)) = value_of("code_challenge").filter(|_| is_plain) {
            self.learn("code_verifier", challenge);
        }
        for (name, value) in pairs {
            if let Some(kind) = secret_kind(&name) {
                self.learn(kind, &value);
            } else if value.contains('=') {
                // A URL or query within a parameter, as login pages carry it.
                self.learn_url(&value);
            }
        }
    }

    /// A field of a login or consent form. Addresses that it carries are no secrets themselves.
    fn learn_field(&mut self, name: &str, value: &str) {
        let is_address = value.contains("://") || value.starts_with('/') || value.contains('?');
        if is_address {
            self.learn_url(value);
        } else if value.len() >= OPAQUE && !is_public(name) {
            self.learn("form_field", value);
        }
    }

    fn learn_json(&mut self, json: &Value) {
        match json {
            Value::Object(members) => {
                self.learn_private_key(members);
                for (name, value) in members {
                    match secret_kind(name) {
                        Some(kind) => self.learn_all(kind, value),
                        None => self.learn_json(value),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn_json(item)),
            Value::String(text) if text.contains("code=") || text.contains("token=") => {
                self.learn_url(text)
            }
            _ => {}
        }
    }

    /// Every text of a member whose name says that it is a secret.
    fn learn_all(&mut self, kind: &'static str, value: &Value) {
        match value {
            Value::String(text) => self.learn(kind, text),
            Value::Number(number) => self.learn(kind, &number.to_string()),
            Value::Array(items) => items.iter().for_each(|item| self.learn_all(kind, item)),
            Value::Object(members) => {
                members.values().filter(|value| !value.is_number()).for_each(|value| {
                    match value.as_str().is_none_or(|text| text.len() >= OPAQUE) {
                        true => self.learn_all(kind, value),
                        false => self.learn_json(value),
                    }
                });
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn learn_private_key(&mut self, members: &Map<String, Value>) {
        if members.contains_key("kty") {
            for name in PRIVATE_MEMBERS {
                if let Some(Value::String(text)) = members.get(*name) {
                    self.learn("private_key", text);
                }
            }
        }
    }

    fn learn_html(&mut self, page: &str) {
        for Field { name, value, is_hidden } in fields(page) {
            if let Some(kind) = secret_kind(&name) {
                self.learn(kind, &value);
            } else if value.contains("code=") || value.contains("token=") {
                self.learn_url(&value);
            } else if is_hidden {
                self.learn_field(&name, &value);
            }
        }
    }
}

/// The decoded pairs of a query, fragment or form body.
fn pairs(encoded: &str) -> Vec<(String, String)> {
    encoded
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// What an element of a page carries.
struct Field {
    name: String,
    value: String,
    is_hidden: bool,
}

/// Name and value of every HTML element that has a value, `content` of those with a name, and every
/// address; also those that a script or another text holds.
fn fields(page: &str) -> Vec<Field> {
    let mut found = Vec::new();
    let texts: Vec<Token<()>> = tokens(page).collect();
    let within = texts.iter().filter_map(|token| match token {
        Token::String(text) if text.contains(&b'<') => Some(String::from_utf8_lossy(text)),
        _ => None,
    });
    let within: Vec<Token<()>> =
        within.flat_map(|text| tokens(&text).collect::<Vec<_>>()).collect();
    for token in texts.iter().chain(&within) {
        let Token::StartTag(tag) = token else { continue };
        let attribute = |wanted: &str| {
            tag.attributes
                .iter()
                .find(|(name, _)| name.as_slice() == wanted.as_bytes())
                .map(|(_, value)| String::from_utf8_lossy(&value.value).into_owned())
        };
        let is_of = |kind: &str| attribute("type").is_some_and(|t| t.eq_ignore_ascii_case(kind));
        let name = || attribute("name").unwrap_or_default();
        if let Some(value) = attribute("value") {
            let name = if is_of("password") { "password".to_owned() } else { name() };
            found.push(Field { name, value, is_hidden: is_of("hidden") });
        }
        if let Some(value) = attribute("content") {
            found.push(Field { name: name(), value, is_hidden: false });
        }
        for link in ["href", "action", "src"] {
            if let Some(value) = attribute(link) {
                found.push(Field { name: String::new(), value, is_hidden: false });
            }
        }
    }
    found
}
