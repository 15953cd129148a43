//! Keeps codes, tokens, cookies, passwords and keys out of everything that leaves the process.
//!
//! Secrets are first learned by value: what the harness made or was given, and what stood where the
//! protocol puts secrets. Then they are replaced wherever they appear, through every escape and
//! encoding. Equal values get equal pseudonyms. What is about to be written is searched once more by
//! a [`Canary`].

mod base64;
mod canary;
mod hunt;
mod index;
mod knowledge;
mod learn;
mod names;
mod places;
mod view;

use std::collections::HashSet;
use std::sync::Arc;

pub use self::canary::{Canary, Leak};
use self::hunt::{Span, What, find, plain};
use self::knowledge::Knowledge;
use self::names::{ORDINARY, is_secret_header};

/// Words that the harness itself sends where secrets stand; a search for them would blank out
/// names and texts.
const PLACEHOLDERS: [&str; 2] = ["probe", "null"];

/// Learns secrets and replaces them.
#[derive(Default)]
pub struct Redactor {
    learned: Knowledge,
    ordinary: Vec<String>,
    sealed: Option<Arc<Knowledge>>,
}

impl Redactor {
    /// A redactor that knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers a secret of the operator's; it is shown as `<password>` without any number. One
    /// that is too short or too ordinary to be searched for is replaced where it is the whole value
    /// of a field.
    pub fn learn_password(&mut self, value: &str) {
        self.learned.add("password", value);
    }

    /// Remembers `value` as a secret of this kind.
    pub fn learn(&mut self, kind: &'static str, value: &str) {
        // What is no text is a probe of the harness: what a name says of it is enough.
        let is_text = !value.contains(char::REPLACEMENT_CHARACTER);
        if is_text && !PLACEHOLDERS.contains(&value) && self.learned.add(kind, value) {
            self.learn_within(value);
        }
    }

    /// A text that everybody may read, such as the issuer identifier. A secret that is a word of it
    /// is replaced only where a name says that it is a secret.
    pub fn know_ordinary(&mut self, text: &str) {
        self.ordinary.push(text.to_owned());
    }

    /// Builds the search structure; call once after everything was learned.
    pub fn seal(&mut self) {
        let mut knowledge = std::mem::take(&mut self.learned);
        knowledge.seal();
        self.ordinary.push(ORDINARY.to_owned());
        let (mut wholes, mut parts) = (HashSet::new(), HashSet::new());
        for text in &self.ordinary {
            for span in plain(&knowledge, text.as_bytes()) {
                match span.what {
                    What::Whole(number) => drop(wholes.insert(number)),
                    What::Part(number, segment) => drop(parts.insert((number, segment))),
                    What::Named(_) => {}
                }
            }
        }
        if !wholes.is_empty() || !parts.is_empty() {
            knowledge.forgo(&wholes, &parts);
            knowledge.seal();
        }
        self.sealed = Some(Arc::new(knowledge));
    }

    /// What finds these secrets in what is about to be written. Before `seal` it finds nothing.
    pub fn canary(&self) -> Canary {
        self.sealed.clone().map(Canary::new).unwrap_or_default()
    }

    /// `text` without any secret. Fails closed: before `seal` nothing is shown at all.
    pub fn redact(&self, text: &str) -> String {
        let Some(knowledge) = &self.sealed else {
            return "<not sealed>".to_owned();
        };
        let spans = find(knowledge, text.as_bytes(), true);
        if spans.is_empty() {
            return text.to_owned();
        }
        splice(knowledge, text, &spans)
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
            name if is_secret_header(name) => {
                let (scheme, credential) = value.split_once(' ').unwrap_or(("", value));
                let shown = self.hidden(credential.trim(), "authorization");
                format!("{scheme} {shown}").trim_start().to_owned()
            }
            _ => self.redact(value),
        }
    }

    fn redact_cookie(&self, pair: &str) -> String {
        match pair.split_once('=') {
            Some((name, value)) if value.trim().is_empty() => format!("{}=", self.redact(name)),
            Some((name, value)) => {
                let shown = self.hidden(value.trim().trim_matches('"'), "cookie");
                format!("{}={shown}", self.redact(name))
            }
            None => self.redact(pair),
        }
    }

    /// A value that is a secret as a whole: its pseudonym, or its kind.
    fn hidden(&self, value: &str, kind: &str) -> String {
        let shown = self.redact(value);
        match places::pseudonym(shown.as_bytes()) == Some(shown.len()) || shown.is_empty() {
            true => shown,
            false => format!("<{kind}>"),
        }
    }
}

/// The value, of at least four octets, is in the text as a whole, in whatever encoding.
pub fn appears(value: &str, text: &str) -> bool {
    let mut knowledge = Knowledge::default();
    knowledge.add("token", value);
    knowledge.seal();
    let spans = find(&knowledge, text.as_bytes(), false);
    spans.iter().any(|span| matches!(span.what, What::Whole(_)))
}

/// Replaces the spans, which are in the order of the text. Where several overlap, all they cover is
/// replaced, and what tells most is shown: secrets one after the other, else one fragment.
fn splice(knowledge: &Knowledge, text: &str, spans: &[Span]) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut done, mut next) = (0, 0);
    while let Some(first) = spans.get(next) {
        let begin = next;
        let mut end = first.end;
        while let Some(span) = spans.get(next).filter(|span| span.start < end) {
            end = end.max(span.end);
            next += 1;
        }
        let start = (0..=first.start).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let end = (end..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        out.push_str(&text[done.min(start)..start]);
        show(knowledge, &spans[begin..next], &mut out);
        done = end;
    }
    out.push_str(&text[done..]);
    out
}

fn show(knowledge: &Knowledge, cluster: &[Span], out: &mut String) {
    let mut past = 0;
    let mut is_told = false;
    for span in cluster {
        if let What::Whole(number) = span.what
            && (!is_told || span.start >= past)
        {
            out.push_str(&knowledge.secrets[number].pseudonym(true));
            past = span.end;
            is_told = true;
        }
    }
    if is_told {
        return;
    }
    match cluster.iter().map(|span| span.what).min() {
        Some(What::Part(number, _)) => out.push_str(&knowledge.secrets[number].pseudonym(false)),
        Some(What::Named(kind)) => {
            out.push('<');
            out.push_str(kind);
            out.push('>');
        }
        Some(What::Whole(_)) | None => {}
    }
}

#[cfg(test)]
mod tests;
