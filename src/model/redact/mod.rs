//! Keeps codes, tokens, cookies, passwords and keys out of everything that leaves the process.
//!
//! Secrets are first learned by value from where the protocol puts them, then replaced wherever
//! the value appears, in the encodings that the wire uses. Equal values get equal pseudonyms.

mod learn;

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use self::learn::decode;
use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// Parameter and member names whose value is a secret, with the kind shown in its place.
const SECRET_NAMES: &[(&str, &str)] = &[
    ("access_token", "access_token"),
    ("assertion", "assertion"),
    ("client_assertion", "assertion"),
    ("client_secret", "client_secret"),
    ("code", "code"),
    ("code_verifier", "code_verifier"),
    ("id_token", "id_token"),
    ("id_token_hint", "id_token"),
    ("password", "password"),
    ("refresh_token", "refresh_token"),
    ("request_uri", "request_uri"),
    ("token", "token"),
    ("vp_token", "vp_token"),
];

/// Header fields whose whole value is a secret, `Cookie` and `Set-Cookie` aside.
const SECRET_HEADERS: &[&str] = &["authorization", "proxy-authorization", "dpop"];

/// Values shorter than this are replaced only where the protocol puts them: a global
/// replacement of, say, `1` would blank out the report.
const SHORTEST: usize = 4;

/// Words that the harness itself sends where secrets stand; a search for them would blank out
/// names and texts.
const PLACEHOLDERS: [&str; 2] = ["probe", "null"];

/// Learns secrets and replaces them.
#[derive(Default)]
pub struct Redactor {
    pseudonyms: HashMap<String, String>,
    counts: HashMap<&'static str, usize>,
    passwords: BTreeSet<String>,
    short_passwords: BTreeSet<String>,
    automaton: Option<(AhoCorasick, Vec<String>)>,
}

impl Redactor {
    /// A redactor that knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers a secret of the operator's; it is shown as `<password>` without any number. One
    /// that is too short to be searched for is replaced where it is the whole value of a field.
    pub fn learn_password(&mut self, value: &str) {
        if value.len() < SHORTEST {
            self.short_passwords.insert(value.to_owned());
        } else {
            self.passwords.insert(value.to_owned());
            self.automaton = None;
        }
    }

    /// Remembers `value` as a secret of this kind.
    pub fn learn(&mut self, kind: &'static str, value: &str) {
        if kind == "password" {
            return self.learn_password(value);
        }
        if value.len() < SHORTEST
            || PLACEHOLDERS.contains(&value)
            || self.pseudonyms.contains_key(value)
        {
            return;
        }
        let number = self.counts.entry(kind).or_insert(0);
        *number += 1;
        self.pseudonyms.insert(value.to_owned(), format!("<{kind}#{number}>"));
        // The signature alone, or the claims alone, must not survive either.
        if value.matches('.').count() == 2 {
            for part in value.split('.').filter(|part| part.len() >= 16) {
                self.pseudonyms
                    .entry(part.to_owned())
                    .or_insert_with(|| format!("<part of {kind}#{number}>"));
            }
        }
        self.automaton = None;
    }

    /// Builds the search structure; call once after everything was learned.
    pub fn seal(&mut self) {
        let mut patterns: Vec<String> = Vec::new();
        let mut replacements: Vec<String> = Vec::new();
        let passwords = self.passwords.iter().map(|p| (p, "<password>"));
        let others = self.pseudonyms.iter().map(|(v, p)| (v, p.as_str()));
        for (value, pseudonym) in passwords.chain(others) {
            for form in encodings(value) {
                patterns.push(form);
                replacements.push(pseudonym.to_owned());
            }
        }
        // The patterns are plain strings, so construction fails only beyond the size limits of the library.
        self.automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&patterns)
            .ok()
            .map(|automaton| (automaton, replacements));
    }

    /// `text` without any secret. Fails closed: before `seal` nothing is shown at all.
    pub fn redact(&self, text: &str) -> String {
        let Some((automaton, replacements)) = &self.automaton else {
            return "<not sealed>".to_owned();
        };
        let replaced = automaton.replace_all(text, replacements);
        let replaced = redact_pairs(&replaced, &self.short_passwords);
        redact_jwts(&replaced)
    }

    /// A header field value without any secret.
    pub fn redact_header(&self, name: &str, value: &str) -> String {
        match name.to_ascii_lowercase().as_str() {
            "cookie" => {
                value.split(';').map(|pair| self.redact_cookie(pair)).collect::<Vec<_>>().join(";")
            }
            "set-cookie" => {
                let (pair, attributes) = value.split_once(';').unwrap_or((value, ""));
                let separator = if attributes.is_empty() { "" } else { ";" };
                format!("{}{separator}{}", self.redact_cookie(pair), self.redact(attributes))
            }
            name if SECRET_HEADERS.contains(&name) => {
                let (scheme, credential) = value.split_once(' ').unwrap_or(("", value));
                let shown = self.redact(credential.trim());
                let shown =
                    if shown.starts_with('<') { shown } else { "<authorization>".to_owned() };
                format!("{scheme} {shown}").trim_start().to_owned()
            }
            _ => self.redact(value),
        }
    }

    fn redact_cookie(&self, pair: &str) -> String {
        match pair.split_once('=') {
            Some((name, value)) if value.trim().is_empty() => format!("{name}="),
            Some((name, value)) => {
                let shown = self.redact(value.trim().trim_matches('"'));
                format!(
                    "{name}={}",
                    if shown.starts_with('<') { shown } else { "<cookie>".to_owned() }
                )
            }
            None => self.redact(pair),
        }
    }
}

fn secret_kind(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    if let Some((_, kind)) = SECRET_NAMES.iter().find(|(n, _)| *n == name) {
        return Some(kind);
    }
    (name.contains("password") || name.contains("passwd")).then_some("password")
}

/// The forms in which a value can appear in URLs, bodies, JSON and HTML.
pub fn encodings(value: &str) -> BTreeSet<String> {
    let percent = utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
    let form: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let json = Value::String(value.to_owned()).to_string();
    let html = value
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;");
    BTreeSet::from([
        value.to_owned(),
        percent.to_lowercase(),
        percent,
        form.replace('+', "%20"),
        form,
        json.trim_matches('"').to_owned(),
        html.replace('\'', "&#39;"),
        html.replace('\'', "&#x27;"),
        html,
        STANDARD.encode(value),
    ])
}

/// Replaces what still stands behind a secret name in anything that looks like `name=value&..`.
fn redact_pairs(text: &str, short_passwords: &BTreeSet<String>) -> String {
    if !text.contains('=') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(['&', '?', '#', '\n', ' ', ';']) {
        let (body, end) = match piece.char_indices().last() {
            Some((i, c)) if "&?#\n ;".contains(c) => piece.split_at(i),
            _ => (piece, ""),
        };
        match body.split_once('=') {
            Some((name, value))
                if !value.is_empty() && !value.starts_with('<') && is_word(name) =>
            {
                let is_password = short_passwords.contains(&decode(value));
                match secret_kind(name).or(is_password.then_some("password")) {
                    Some(kind) => {
                        let _ = write!(out, "{name}=<{kind}>{end}");
                    }
                    None => out.push_str(piece),
                }
            }
            _ => out.push_str(piece),
        }
    }
    out
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// Replaces every compact JWS or JWE, known or not.
fn redact_jwts(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("eyJ") {
        out.push_str(&rest[..start]);
        let candidate = &rest[start..];
        let length = candidate
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.=".contains(c)))
            .unwrap_or(candidate.len());
        if candidate[..length].contains('.') {
            out.push_str("<jwt>");
        } else {
            out.push_str(&candidate[..length]);
        }
        rest = &candidate[length..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::exchange::samples::answered;

    fn sealed(learn: impl FnOnce(&mut Redactor)) -> Redactor {
        let mut redactor = Redactor::new();
        learn(&mut redactor);
        redactor.seal();
        redactor
    }

    #[test]
    fn words_of_the_harness_are_no_secrets_and_what_holds_them_is() {
        let redactor = sealed(|r| {
            r.learn("code", "probe");
            r.learn("code_verifier", "null");
            r.learn("code", "probe-4711");
        });
        assert_eq!(redactor.redact("probe.invalid null probe-4711"), "probe.invalid null <code#1>");
    }

    #[test]
    fn nothing_is_shown_before_seal() {
        assert_eq!(Redactor::new().redact("anything"), "<not sealed>");
    }

    #[test]
    fn equal_values_look_equal_and_others_differ() {
        let r = sealed(|r| {
            r.learn("code", "abcdef");
            r.learn("code", "ghijkl");
        });
        assert_eq!(
            r.redact("code=abcdef&x=ghijkl&y=abcdef"),
            "code=<code#1>&x=<code#2>&y=<code#1>"
        );
    }

    #[test]
    fn short_secrets_are_replaced_where_the_protocol_puts_them() {
        let r = sealed(|_| {});
        assert_eq!(
            r.redact("https://app.test/cb?code=ab&state=xy"),
            "https://app.test/cb?code=<code>&state=xy"
        );
    }

    #[test]
    fn a_short_password_is_replaced_where_it_is_a_whole_value() {
        let r = sealed(|r| r.learn_password("x"));
        assert_eq!(
            r.redact("user=alice&pwd=x&next=x1 text/html"),
            "user=alice&pwd=<password>&next=x1 text/html"
        );
    }

    #[test]
    fn cookies_authorization_and_unknown_tokens_disappear() {
        let r = sealed(|_| {});
        assert_eq!(r.redact_header("Cookie", "a=1; b=2"), "a=<cookie>; b=<cookie>");
        assert_eq!(
            r.redact_header("set-cookie", "a=1; Path=/; HttpOnly"),
            "a=<cookie>; Path=/; HttpOnly"
        );
        assert_eq!(r.redact_header("Authorization", "Bearer xyz"), "Bearer <authorization>");
        assert_eq!(r.redact("token: eyJhbGciOiJ9.eyJzdWIi.c2ln!"), "token: <jwt>!");
    }

    #[test]
    fn hidden_fields_of_html_pages_are_learned() {
        let page = r#"<form><input type=hidden name="code" value="s3cr3t-code&amp;more"><input name=csrf_token value="0123456789abcdef0123"></form>"#;
        let exchange = answered(200, &[("content-type", "text/html")], page);
        let r = sealed(|r| r.learn_from(&exchange));
        let shown = r.redact(page);
        assert!(!shown.contains("s3cr3t") && !shown.contains("0123456789abcdef"), "{shown}");
    }

    proptest! {
        #[test]
        fn no_secret_survives_in_any_encoding(secret in "[ -~]{6,40}", before in "[a-z ]{0,10}", after in "[a-z ]{0,10}") {
            let r = sealed(|r| r.learn("code", &secret));
            for form in encodings(&secret) {
                let shown = r.redact(&format!("{before}{form}{after}"));
                prop_assert!(!shown.contains(&form) || "<code#1>".contains(&form), "{shown}");
            }
        }

        #[test]
        fn no_secret_survives_an_exchange(
            code in "[A-Za-z0-9_-]{8,43}", token in "[A-Za-z0-9._~+/-]{8,60}", cookie in "[A-Za-z0-9]{8,30}", password in "[!-~]{5,20}"
        ) {
            let mut exchange = answered(
                302,
                &[("Location", &format!("https://app.test/cb?code={code}&state=s")), ("Set-Cookie", &format!("sid={cookie}; Path=/"))],
                &format!(r#"{{"access_token":{}}}"#, Value::String(token.clone())),
            );
            exchange.request.headers.push(("Content-Type".into(), "application/x-www-form-urlencoded".into()));
            let form: String = url::form_urlencoded::byte_serialize(password.as_bytes()).collect();
            exchange.request.body = format!("username=alice&password={form}").into_bytes();
            let r = sealed(|r| r.learn_from(&exchange));
            let response = exchange.response().unwrap();
            let mut shown = format!("{} {}", r.redact(&exchange.request.text()), r.redact(&response.text()));
            for (name, value) in &response.headers {
                shown.push_str(&r.redact_header(name, value));
            }
            for secret in [&code, &token, &cookie, &form] {
                prop_assert!(!shown.contains(secret.as_str()), "{secret} in {shown}");
            }
        }
    }
}
