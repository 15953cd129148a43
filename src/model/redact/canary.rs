//! The last look at what is about to be written: it holds no secret in any encoding.

use std::fmt;
use std::sync::Arc;

use super::hunt::{Span, What, find};
use super::knowledge::Knowledge;
use super::splice;

/// Knows every secret of a run and finds them in whatever is to leave the process.
#[derive(Clone, Default)]
pub struct Canary {
    knowledge: Arc<Knowledge>,
}

/// A secret in what was about to be written. Its value is not repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// Kind of the secret, such as `access_token`.
    pub kind: &'static str,
    /// What should stand there, such as `<access_token#3>`.
    pub pseudonym: String,
    /// Octets before it.
    pub offset: usize,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} would stand unredacted at octet {}", self.pseudonym, self.offset)
    }
}

impl std::error::Error for Leak {}

impl Canary {
    pub(super) fn new(knowledge: Arc<Knowledge>) -> Self {
        Self { knowledge }
    }

    /// Number of secrets that it looks for.
    pub fn secrets(&self) -> usize {
        self.knowledge.secrets.iter().filter(|secret| !secret.is_weak).count()
    }

    /// Puts pseudonyms where [`Self::scan`] would find secrets.
    pub fn clean(&self, text: &mut String) {
        let mut spans = find(&self.knowledge, text.as_bytes(), false);
        spans.retain(|span| self.leak(span).is_some());
        if !spans.is_empty() {
            *text = splice(&self.knowledge, text, &spans);
        }
    }

    /// Looks for every secret: as it is, within escapes and base64, in fragments, and for the words
    /// among passwords where they are a whole value. The error is the first one.
    pub fn scan(&self, output: &[u8]) -> Result<(), Leak> {
        let spans = find(&self.knowledge, output, false);
        match spans.iter().find_map(|span| self.leak(span)) {
            Some(leak) => Err(leak),
            None => Ok(()),
        }
    }

    fn leak(&self, span: &Span) -> Option<Leak> {
        let (kind, pseudonym) = match span.what {
            What::Named(kind) => (kind, format!("<{kind}>")),
            What::Whole(number) | What::Part(number, _) => {
                let secret = &self.knowledge.secrets[number];
                if secret.is_short_number() {
                    // Durations and counts of the report's own may be the same number.
                    return None;
                }
                (secret.kind, secret.pseudonym(matches!(span.what, What::Whole(_))))
            }
        };
        Some(Leak { kind, pseudonym, offset: span.start })
    }
}

impl fmt::Debug for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Canary({} secrets)", self.secrets())
    }
}
