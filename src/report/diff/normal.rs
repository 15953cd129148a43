//! Texts of a run without what differs from run to run: issuer, pseudonym numbers, random values.

use regex::Regex;
use url::Url;

use crate::model::report::Report;

/// Letters and digits in one word, from which on it is taken for a random value.
const RANDOM: usize = 16;

/// Normalises the texts of one run.
pub(super) struct Normal {
    /// Issuer and its authority, the longer first.
    own: Vec<String>,
    pseudonym: Option<Regex>,
    number: Option<Regex>,
    date: Option<Regex>,
}

impl Normal {
    /// For the texts of this report.
    pub(super) fn of(report: &Report) -> Self {
        let issuer = &report.target.issuer;
        let parsed = Url::parse(issuer).ok();
        let authority = parsed.as_ref().map(|url| url.authority().to_owned());
        let encoded = url::form_urlencoded::byte_serialize(issuer.as_bytes()).collect::<String>();
        let mut own: Vec<String> =
            [Some(issuer.clone()), Some(encoded), authority].into_iter().flatten().collect();
        own.retain(|text| !text.is_empty());
        let compiled = |pattern| Regex::new(pattern).ok();
        Self {
            own,
            pseudonym: compiled(r"<([a-z_]+)#\d+>"),
            number: compiled(r"\s*\(exchanges? \d+\)|exchange \d+"),
            date: compiled(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} [\d:]{8} GMT"),
        }
    }

    /// A value from the wire.
    pub(super) fn value(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for own in &self.own {
            text = text.replace(own.as_str(), "{target}");
        }
        if let Some(pseudonym) = &self.pseudonym {
            text = pseudonym.replace_all(&text, "<$1>").into_owned();
        }
        if let Some(date) = &self.date {
            text = date.replace_all(&text, "{date}").into_owned();
        }
        without_random(&text)
    }

    /// A text of ours about the wire.
    pub(super) fn prose(&self, text: &str) -> String {
        let text = self.value(text);
        self.number.as_ref().map_or_else(|| text.clone(), |n| n.replace_all(&text, "").into_owned())
    }
}

/// The text with `{random}` for each long word that has digits and letters.
fn without_random(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '/' | '%');
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        out.push_str(if is_random(word) { "{random}" } else { word });
        let next = after.find(is_part).unwrap_or(after.len());
        out.push_str(&after[..next]);
        rest = &after[next..];
    }
    out
}

fn is_random(word: &str) -> bool {
    let has = |test: fn(&u8) -> bool| word.as_bytes().iter().any(test);
    word.len() >= RANDOM && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal() -> Normal {
        Normal {
            own: vec!["https://as.test:8443".into(), "as.test:8443".into()],
            pseudonym: Regex::new(r"<([a-z_]+)#\d+>").ok(),
            number: Regex::new(r"\s*\(exchanges? \d+\)|exchange \d+").ok(),
            date: None,
        }
    }

    #[test]
    fn what_differs_from_run_to_run_is_left_out() {
        let normal = normal();
        assert_eq!(
            normal.value("https://as.test:8443/cb?code=<code#12>"),
            "{target}/cb?code=<code>"
        );
        assert_eq!(normal.value("x 1-5UcOWNFZdr_ZZPlwFdbg y"), "x {random} y");
        assert_eq!(
            normal.value("max-age=31536000; includeSubDomains"),
            "max-age=31536000; includeSubDomains"
        );
        assert_eq!(normal.prose("200 application/json (exchange 3)"), "200 application/json");
    }
}
