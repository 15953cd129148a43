//! Finds what is known in a text, through every escape and encoding.

use super::base64;
use super::index::{Form, NARROW, Place, WINDOW, fold, narrow};
use super::knowledge::{FRAGMENT, Knowledge, Secret};
use super::places;
use super::view::{digit, origin, views};

/// Shortest run of base64 that is decoded and looked into.
const SHORTEST_RUN: usize = 8;
/// base64 within base64 that is looked into.
const DEEPEST: usize = 3;

/// What was found, the most telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// A secret as a whole, by number.
    Whole(usize),
    /// A fragment of a secret, by number, within the segment at that position.
    Part(usize, usize),
    /// What stands behind the name of a secret, by kind.
    Named(&'static str),
}

/// Where it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) what: What,
}

/// A text under examination.
struct Hunt<'a> {
    knowledge: &'a Knowledge,
    /// Looks for what names say as well, not only for what is known.
    by_name: bool,
}

/// Everything that is known, in the order of the text. With `by_name`, also what stands behind the
/// name of a secret.
pub(super) fn find(knowledge: &Knowledge, text: &[u8], by_name: bool) -> Vec<Span> {
    let mut spans = Hunt { knowledge, by_name }.through(text, 0);
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end), span.what));
    spans
}

/// What is known of the text as it stands.
pub(super) fn plain(knowledge: &Knowledge, text: &[u8]) -> Vec<Span> {
    let mut spans = Vec::new();
    Hunt { knowledge, by_name: false }.scan(text, &mut spans);
    spans
}

impl Hunt<'_> {
    /// Spans of the text, found in all its views.
    fn through(&self, text: &[u8], depth: usize) -> Vec<Span> {
        let mut spans = self.level(text, depth, &|_, _| true);
        let views = views(text);
        for (at, view) in views.iter().enumerate() {
            let of_view = self.level(&view.text, depth, &|start, end| view.is_touched(start, end));
            spans.extend(of_view.into_iter().map(|span| {
                let (start, end) = origin(&views[..=at], span.start, span.end);
                Span { start, end, ..span }
            }));
        }
        spans
    }

    /// Spans of one view. `is_new` says of a run whether the view below did not show it.
    fn level(&self, text: &[u8], depth: usize, is_new: &dyn Fn(usize, usize) -> bool) -> Vec<Span> {
        let mut spans = Vec::new();
        self.scan(text, &mut spans);
        places::find(text, &self.knowledge.weak, self.by_name, &mut spans);
        if self.by_name {
            places::tokens(text, &mut spans);
        }
        if depth < DEEPEST {
            self.runs(text, depth, is_new, &mut spans);
        }
        spans
    }

    /// Looks into each run of base64 digits.
    fn runs(
        &self,
        text: &[u8],
        depth: usize,
        is_new: &dyn Fn(usize, usize) -> bool,
        spans: &mut Vec<Span>,
    ) {
        let known = spans.len();
        let mut at = 0;
        while at < text.len() {
            let length = text[at..].iter().take_while(|octet| base64::is_digit(**octet)).count();
            let (start, end) = (at, at + length);
            at = end + 1;
            // A word in small letters is hardly base64, and a secret in it is found all the same.
            let is_word = |octet: &u8| octet.is_ascii_lowercase() || *octet == b'_';
            if length < SHORTEST_RUN
                || text[start..end].iter().all(is_word)
                || !is_new(start, end)
                || spans[..known].iter().any(|s| s.start <= start && end <= s.end)
            {
                continue;
            }
            let decoded = base64::decode(&text[start..end]);
            let mut inner = self.through(&decoded, depth + 1);
            places::basic(&decoded, &self.knowledge.weak, &mut inner);
            if let Some(what) = inner.iter().map(|span| span.what).min() {
                let padding = text[end..].iter().take(2).take_while(|c| **c == b'=').count();
                spans.push(Span { start, end: end + padding, what });
            }
        }
    }

    /// Looks at each place of the text.
    fn scan(&self, text: &[u8], spans: &mut Vec<Span>) {
        let index = &self.knowledge.index;
        let mut met: Vec<(Place, usize, usize)> = Vec::new();
        let mut window = 0u64;
        for (at, octet) in text.iter().enumerate() {
            window = window << 8 | u64::from(fold(*octet));
            if index.may_have(window) && at + 1 >= WINDOW {
                let from = at + 1 - WINDOW;
                for place in index.find(window) {
                    self.meet(text, from, place, &mut met, spans);
                }
            }
            // A short value begins a word.
            let is_begun = |at: usize| at == 0 || !text[at - 1].is_ascii_alphanumeric();
            if index.has_narrow && at + 1 >= NARROW && is_begun(at + 1 - NARROW) {
                let (from, window) = (at + 1 - NARROW, narrow(window));
                if index.may_have(window) {
                    for place in index.find(window) {
                        self.meet(text, from, place, &mut met, spans);
                    }
                }
            }
        }
    }

    /// A window of the text is that of `place`: if the rest is, too, it is a span.
    fn meet(
        &self,
        text: &[u8],
        from: usize,
        place: Place,
        met: &mut Vec<(Place, usize, usize)>,
        spans: &mut Vec<Span>,
    ) {
        let number = place.secret as usize;
        let (secret, offset) = (&self.knowledge.secrets[number], place.offset as usize);
        let is_part = matches!(place.form, Form::Part(_));
        if is_part {
            // A long fragment has many windows; one of them tells all of it.
            met.retain(|(_, _, end)| *end > from);
            let is_same = |(other, begin, _): &(Place, usize, usize)| {
                other.secret == place.secret
                    && other.form == place.form
                    && begin + offset == from + other.offset as usize
            };
            if met.iter().any(is_same) {
                return;
            }
        }
        let Some((start, end)) = extent(secret, place.form, offset, text, from) else { return };
        if is_part {
            met.push((place, from, end));
        }
        if is_shown(text, start, end) {
            return;
        }
        let what = match place.form {
            Form::Part(segment) => What::Part(number, segment as usize),
            _ => What::Whole(number),
        };
        spans.push(Span { start, end, what });
    }
}

/// How far a form of the value, `offset` octets of which stand before `from`, goes in the text.
fn extent(
    secret: &Secret,
    form: Form,
    offset: usize,
    text: &[u8],
    from: usize,
) -> Option<(usize, usize)> {
    let value = secret.value.as_slice();
    let alike = |a: &u8, b: &u8| fold(*a) == fold(*b);
    let whole = |form: &[u8], alike: &dyn Fn(&u8, &u8) -> bool| {
        let start = from.checked_sub(offset)?;
        let found = text.get(start..start + form.len())?;
        found.iter().zip(form).all(|(a, b)| alike(a, b)).then_some((start, start + form.len()))
    };
    match form {
        Form::Whole => {
            let (start, end) = whole(value, &alike)?;
            is_apart(value, text, start, end).then_some((start, end))
        }
        Form::Part(number) => {
            let (first, last) = *secret.segments.get(number as usize)?;
            let value = &value[first..last];
            let back = text[..from].iter().rev().zip(value[..offset].iter().rev());
            let start = from - back.take_while(|(a, b)| alike(a, b)).count();
            let on = text[from..].iter().zip(&value[offset..]);
            let end = from + on.take_while(|(a, b)| alike(a, b)).count();
            (end - start >= FRAGMENT).then_some((start, end))
        }
        Form::Base64(before) => {
            let (octets, digits) = base64::lead(before);
            let (start, end) = whole(&base64::encode(&value[octets..]), &alike)?;
            let ours = |octet: &&u8| base64::is_digit(**octet);
            let lead = text[..start].iter().rev().take(digits).take_while(ours).count();
            // The next digit holds the last bits, where they fill none.
            let rest = usize::from(!(value.len() - octets).is_multiple_of(3));
            let rest = text[end..].iter().take(rest).take_while(ours).count();
            let end = end + rest;
            let padding = text[end..].iter().take(2).take_while(|c| **c == b'=').count();
            Some((start - lead, end + padding))
        }
        Form::Hex => {
            let hex: Vec<u8> = value.iter().flat_map(|o| [o >> 4, o & 15]).collect();
            whole(&hex, &|a, b| digit(*a) == Some(*b))
        }
    }
}

/// A short value, and a number, counts only where it is no piece of a longer word or number.
fn is_apart(value: &[u8], text: &[u8], start: usize, end: usize) -> bool {
    let is_number = value.iter().all(u8::is_ascii_digit);
    if value.len() >= WINDOW && !is_number {
        return true;
    }
    let continues = |octet: &u8| match is_number {
        true => octet.is_ascii_digit(),
        false => octet.is_ascii_alphanumeric() || *octet == b'_',
    };
    let before = start.checked_sub(1).and_then(|at| text.get(at));
    !before.is_some_and(continues) && !text.get(end).is_some_and(continues)
}

/// The place is within something that is shown in place of a secret.
fn is_shown(text: &[u8], start: usize, end: usize) -> bool {
    let from = start.saturating_sub(64);
    let Some(open) = text[from..=start].iter().rposition(|octet| *octet == b'<') else {
        return false;
    };
    let open = from + open;
    places::pseudonym(&text[open..]).is_some_and(|length| end <= open + length)
}
