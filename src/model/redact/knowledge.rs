//! What is known of secrets: their values, what is shown in their place, and where to look for them.

use std::collections::{HashMap, HashSet};

use super::base64;
use super::index::{Form, Index, NARROW, WINDOW, fold, narrow, window};
use super::view::views;

/// Octets of a piece of a value that must not survive without the rest.
pub(super) const FRAGMENT: usize = 16;

/// A value and what is shown in its place.
pub(super) struct Secret {
    pub(super) value: Vec<u8>,
    pub(super) kind: &'static str,
    /// Position among those of its kind, from 1; passwords have none.
    pub(super) number: Option<usize>,
    /// Segments, as start and end, that are as good as the whole for whoever finds them.
    pub(super) segments: Vec<(usize, usize)>,
    /// An ordinary word, or too short to be looked for.
    pub(super) is_weak: bool,
}

impl Secret {
    pub(super) fn new(kind: &'static str, number: Option<usize>, value: &[u8]) -> Self {
        // Blanks and dashes alone are the layout of any text.
        let is_layout = value.iter().all(|octet| fold(*octet) == b' ');
        let is_weak = value.len() < NARROW || is_layout;
        let segments = if number.is_some() { segments(value) } else { vec![] };
        Self { value: value.to_vec(), kind, number, segments, is_weak }
    }

    /// What is shown in its place, for example `<code#3>`.
    pub(super) fn pseudonym(&self, is_whole: bool) -> String {
        let part = if is_whole { "" } else { "part of " };
        match self.number {
            Some(number) => format!("<{part}{}#{number}>", self.kind),
            None => format!("<{part}{}>", self.kind),
        }
    }

    /// It could stand for a number of the report's own.
    pub(super) fn is_short_number(&self) -> bool {
        self.value.len() < WINDOW && self.value.iter().all(u8::is_ascii_digit)
    }
}

/// Long runs of token characters that no name or word has: with digits, or letters of both cases.
fn segments(value: &[u8]) -> Vec<(usize, usize)> {
    let is_token = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-');
    let mut found = Vec::new();
    let mut at = 0;
    while at < value.len() {
        let length = value[at..].iter().take_while(|octet| is_token(octet)).count();
        let run = &value[at..at + length];
        let classes = [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit];
        let variety = classes.iter().filter(|is_of| run.iter().any(is_of)).count();
        if length >= FRAGMENT && variety >= 2 {
            found.push((at, at + length));
        }
        at += length.max(1);
    }
    found
}

/// All secrets, and where to look for them.
#[derive(Default)]
pub(super) struct Knowledge {
    pub(super) secrets: Vec<Secret>,
    /// Their folded values.
    known: HashSet<Vec<u8>>,
    counts: HashMap<&'static str, usize>,
    pub(super) index: Index,
    /// Passwords that are too short or too ordinary to be looked for, with their kind.
    pub(super) weak: HashMap<String, &'static str>,
}

impl Knowledge {
    /// Remembers a value; `false` where it was known already.
    pub(super) fn add(&mut self, kind: &'static str, value: &str) -> bool {
        let folded: Vec<u8> = value.bytes().map(fold).collect();
        if value.is_empty() || self.known.contains(&folded) {
            return false;
        }
        let number = match kind {
            "password" => None,
            _ if value.len() < NARROW => return false,
            _ => {
                let count = self.counts.entry(kind).or_insert(0);
                *count += 1;
                Some(*count)
            }
        };
        self.known.insert(folded);
        self.secrets.push(Secret::new(kind, number, value.as_bytes()));
        // What has escapes itself is met without them, too.
        let plain = views(value.as_bytes()).pop().map(|view| view.text);
        if let Some(plain) = plain.filter(|plain| plain.len() >= NARROW)
            && self.known.insert(plain.iter().map(|octet| fold(*octet)).collect())
        {
            self.secrets.push(Secret::new(kind, number, &plain));
        }
        true
    }

    /// Secrets that are ordinary words are looked for no longer: all of these values as a whole, and
    /// of the parts those segments, by number of the secret and position among its segments.
    pub(super) fn forgo(&mut self, wholes: &HashSet<usize>, parts: &HashSet<(usize, usize)>) {
        for number in wholes {
            self.secrets[*number].is_weak = true;
        }
        for (number, secret) in self.secrets.iter_mut().enumerate() {
            let mut at = 0..;
            secret.segments.retain(|_| !at.next().is_some_and(|at| parts.contains(&(number, at))));
        }
    }

    /// Builds the index anew.
    pub(super) fn seal(&mut self) {
        let mut index = Index::default();
        self.weak.clear();
        for (number, secret) in self.secrets.iter().enumerate() {
            let Ok(id) = u32::try_from(number) else { break };
            if !secret.is_weak {
                enter(&mut index, id, secret);
            } else if matches!(secret.kind, "password" | "client_secret") {
                let value = String::from_utf8_lossy(&secret.value).into_owned();
                self.weak.insert(value, secret.kind);
            }
        }
        for (number, secret) in self.secrets.iter().enumerate() {
            let Ok(id) = u32::try_from(number) else { break };
            for (at, (start, end)) in secret.segments.iter().enumerate() {
                let form = Form::Part(u32::try_from(at).unwrap_or(u32::MAX));
                let value = &secret.value[*start..*end];
                for offset in (0..=value.len() - WINDOW).step_by(WINDOW) {
                    index.add(window(&value[offset..offset + WINDOW]), id, form, offset);
                }
            }
        }
        index.seal();
        self.index = index;
    }
}

/// One window for each form in which the whole value may be written.
fn enter(index: &mut Index, id: u32, secret: &Secret) {
    let value = secret.value.as_slice();
    let Some(last) = value.len().checked_sub(WINDOW) else {
        index.has_narrow = true;
        return index.add(narrow(window(&value[..NARROW])), id, Form::Whole, 0);
    };
    // Values of one kind begin alike, or end alike: the window that fewest others have is the best.
    let at = |offset: usize| window(&value[offset..offset + WINDOW]);
    let best = [last, last / 2, last / 4 * 3, last / 4, 0].into_iter();
    let best = best.min_by_key(|offset| index.load(at(*offset))).unwrap_or_default();
    index.add(at(best), id, Form::Whole, best);
    for before in 0..3 {
        let (start, _) = base64::lead(before);
        let groups = (value.len() - start - 6) / 3;
        let from = start + 3 * groups;
        let digits = base64::encode(&value[from..from + 6]);
        index.add(window(&digits), id, Form::Base64(before), 4 * groups);
    }
    let tail = &value[value.len() - 4..];
    let offset = 2 * (value.len() - 4);
    let lower: String = tail.iter().map(|octet| format!("{octet:02x}")).collect();
    index.add(window(lower.as_bytes()), id, Form::Hex, offset);
    let upper = lower.to_ascii_uppercase();
    if upper != lower {
        index.add(window(upper.as_bytes()), id, Form::Hex, offset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_what_only_a_machine_writes() {
        let of = |value: &str| {
            let found = segments(value.as_bytes());
            found.iter().map(|(start, end)| value[*start..*end].to_owned()).collect::<Vec<_>>()
        };
        assert!(of("urn:ietf:params:oauth:request_uri:short").is_empty());
        assert!(of("authorization_code_and_more").is_empty());
        assert_eq!(of("urn:x:6esc11ACC5bwc014ltc14"), ["6esc11ACC5bwc014ltc14"]);
        assert_eq!(of("eyJhbGciOiJFUzI1NiJ9.e30.x"), ["eyJhbGciOiJFUzI1NiJ9"]);
    }

    #[test]
    fn a_value_is_known_once_and_numbered_within_its_kind() {
        let mut knowledge = Knowledge::default();
        assert!(knowledge.add("code", "abc+def"));
        assert!(!knowledge.add("token", "abc def"), "the form's way to write it");
        assert!(knowledge.add("code", "other"));
        let shown: Vec<_> = knowledge.secrets.iter().map(|s| s.pseudonym(true)).collect();
        assert_eq!(shown, ["<code#1>", "<code#2>"]);
        assert!(!knowledge.add("code", "abc"), "too short to be known");
        assert!(knowledge.add("password", "x"));
        assert!(knowledge.add("code_verifier", &"-".repeat(43)));
        assert_eq!(knowledge.secrets.iter().filter(|secret| secret.is_weak).count(), 2);
    }
}
