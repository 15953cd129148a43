//! Where secrets stand in an exchange.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{Redactor, SECRET_HEADERS, secret_kind};
use crate::model::exchange::Exchange;

/// Form fields of login and consent pages that are public and worth reading in a report.
const PUBLIC_FIELDS: &[&str] = &[
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "prompt",
    "nonce",
    "decision",
    "code_challenge",
    "code_challenge_method",
    "grant_type",
    "username",
    "login",
    "max_age",
    "resource",
    "token_type_hint",
];

impl Redactor {
    /// Learns every secret that an exchange carries where the protocol puts it.
    pub fn learn_from(&mut self, exchange: &Exchange) {
        let request = &exchange.request;
        self.learn_url(&request.url);
        let media_type = request.header("content-type").unwrap_or_default();
        let is_form = media_type.contains("form-urlencoded")
            || request.body.contains(&b'=') && !media_type.contains("json");
        for (name, value) in &request.headers {
            self.learn_header(name, value);
        }
        if is_form {
            let form = request.text();
            self.learn_pairs(&form);
            // Login and consent forms name their tokens as they please.
            for (name, value) in pairs(&form) {
                if value.len() >= 16 && !PUBLIC_FIELDS.contains(&name.as_str()) {
                    self.learn("form_field", &value);
                }
            }
        } else if let Ok(json) = serde_json::from_slice(&request.body) {
            self.learn_json(&json);
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
                .for_each(|d| self.learn_url(d));
        } else if response.is_html() {
            self.learn_html(&response.text());
        }
    }

    fn learn_header(&mut self, name: &str, value: &str) {
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "cookie" => value.split(';').for_each(|pair| self.learn_cookie(pair)),
            "set-cookie" => self.learn_cookie(value.split(';').next().unwrap_or(value)),
            "location" => self.learn_url(value),
            _ if SECRET_HEADERS.contains(&name.as_str()) => {
                let credential = value.split_once(' ').map_or(value, |(_, rest)| rest).trim();
                self.learn("authorization", credential);
            }
            _ => {}
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
        for (name, value) in pairs(encoded) {
            if let Some(kind) = secret_kind(&name) {
                self.learn(kind, &value);
            } else if value.contains('=') {
                // A URL or query within a parameter, as login pages carry it.
                self.learn_url(&value);
            }
        }
    }

    fn learn_json(&mut self, json: &Value) {
        match json {
            Value::Object(members) => {
                for (name, value) in members {
                    match (secret_kind(name), value) {
                        (Some(kind), Value::String(text)) => self.learn(kind, text),
                        _ => self.learn_json(value),
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

    fn learn_html(&mut self, page: &str) {
        for (name, value) in attributes(page) {
            if let Some(kind) = secret_kind(&name) {
                self.learn(kind, &value);
            } else if value.contains("code=") || value.contains("token=") {
                self.learn_url(&value);
            } else if value.len() >= 16 && name.to_ascii_lowercase().contains("csrf") {
                self.learn("form_field", &value);
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

pub(super) fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// Name and value of every HTML element that has both, and every `href`, `action` and `content`.
fn attributes(page: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for Ok(token) in html5gum::Tokenizer::new(page) {
        let html5gum::Token::StartTag(tag) = token else { continue };
        let attribute = |wanted: &str| {
            tag.attributes
                .iter()
                .find(|(name, _)| name.as_slice() == wanted.as_bytes())
                .map(|(_, value)| String::from_utf8_lossy(&value.value).into_owned())
        };
        if let Some(value) = attribute("value") {
            let is_password = attribute("type").is_some_and(|t| t.eq_ignore_ascii_case("password"));
            let name = if is_password {
                "password".to_owned()
            } else {
                attribute("name").unwrap_or_default()
            };
            found.push((name, value));
        }
        for link in ["href", "action", "content", "src"] {
            if let Some(value) = attribute(link) {
                found.push((String::new(), value));
            }
        }
    }
    found
}
