//! A text with its escapes resolved: percent-encoding, JSON, HTML entities and the shell's quotes.
//!
//! Values travel in escapes within escapes, in any order, so one pass resolves all kinds at once and
//! is repeated on its own result. A view knows where in the text below it each octet came from.

/// Times that the escapes of one text are resolved.
const DEEPEST: usize = 6;

/// Named entities of HTML that stand for an ASCII character.
const ENTITIES: &[(&[u8], u8)] = &[
    (b"amp", b'&'),
    (b"lt", b'<'),
    (b"gt", b'>'),
    (b"quot", b'"'),
    (b"apos", b'\''),
    (b"plus", b'+'),
    (b"sol", b'/'),
    (b"equals", b'='),
    (b"lowbar", b'_'),
    (b"period", b'.'),
    (b"hyphen", b'-'),
    (b"dash", b'-'),
    (b"colon", b':'),
    (b"semi", b';'),
    (b"comma", b','),
    (b"num", b'#'),
    (b"excl", b'!'),
    (b"quest", b'?'),
    (b"commat", b'@'),
    (b"percnt", b'%'),
    (b"dollar", b'$'),
    (b"ast", b'*'),
    (b"lpar", b'('),
    (b"rpar", b')'),
    (b"lsqb", b'['),
    (b"lbrack", b'['),
    (b"rsqb", b']'),
    (b"rbrack", b']'),
    (b"lcub", b'{'),
    (b"lbrace", b'{'),
    (b"rcub", b'}'),
    (b"rbrace", b'}'),
    (b"verbar", b'|'),
    (b"vert", b'|'),
    (b"bsol", b'\\'),
    (b"Hat", b'^'),
    (b"grave", b'`'),
    (b"nbsp", b' '),
    (b"Tab", b'\t'),
    (b"NewLine", b'\n'),
];

/// An escape that was resolved.
struct Escape {
    /// Where its octets begin in the view.
    at: usize,
    /// Where the text goes on in the view.
    end: usize,
    /// Where it stood in the text below.
    from: usize,
    /// Where the text below goes on.
    to: usize,
}

/// A text with one layer of escapes resolved.
pub(super) struct View {
    /// The text.
    pub(super) text: Vec<u8>,
    escapes: Vec<Escape>,
}

impl View {
    /// `None` where nothing is to be resolved.
    fn of(below: &[u8]) -> Option<Self> {
        memchr::memchr3(b'%', b'\\', b'&', below)?;
        let mut view = Self { text: Vec::new(), escapes: Vec::new() };
        let (mut at, mut copied) = (0, 0);
        while at < below.len() {
            let found = match below[at] {
                b'%' | b'\\' | b'&' | b'\'' => resolve(&below[at..]),
                _ => None,
            };
            let Some((octets, count, length)) = found else {
                at += 1;
                continue;
            };
            view.text.extend_from_slice(&below[copied..at]);
            let start = view.text.len();
            view.text.extend_from_slice(&octets[..count]);
            let end = view.text.len();
            view.escapes.push(Escape { at: start, end, from: at, to: at + length });
            at += length;
            copied = at;
        }
        if view.escapes.is_empty() {
            return None;
        }
        view.text.extend_from_slice(&below[copied..]);
        Some(view)
    }

    /// Where the octets from `start` to `end`, which are some, stand in the text below.
    fn below(&self, start: usize, end: usize) -> (usize, usize) {
        (self.origin(start).0, self.origin(end - 1).1)
    }

    /// Where one octet came from.
    fn origin(&self, at: usize) -> (usize, usize) {
        match self.escapes.partition_point(|escape| escape.at <= at).checked_sub(1) {
            None => (at, at + 1),
            Some(last) => {
                let escape = &self.escapes[last];
                if at < escape.end {
                    (escape.from, escape.to)
                } else {
                    let from = escape.to + (at - escape.end);
                    (from, from + 1)
                }
            }
        }
    }

    /// An escape was resolved between these places.
    pub(super) fn is_touched(&self, start: usize, end: usize) -> bool {
        let next = self.escapes.partition_point(|escape| escape.end <= start);
        self.escapes.get(next).is_some_and(|escape| escape.at < end)
    }
}

/// The views of a text, each made of the one before.
pub(super) fn views(text: &[u8]) -> Vec<View> {
    let mut all: Vec<View> = Vec::new();
    while all.len() < DEEPEST {
        match View::of(all.last().map_or(text, |view| &view.text)) {
            Some(view) => all.push(view),
            None => break,
        }
    }
    all
}

/// Where a place of the last of these views stands in the text itself.
pub(super) fn origin(views: &[View], start: usize, end: usize) -> (usize, usize) {
    views.iter().rev().fold((start, end), |(start, end), view| view.below(start, end))
}

type Resolved = ([u8; 4], usize, usize);

/// The octets that an escape at the beginning stands for, their number, and its length.
fn resolve(text: &[u8]) -> Option<Resolved> {
    let octet = |octet: u8, length: usize| Some(([octet, 0, 0, 0], 1, length));
    match text {
        [b'%', high, low, ..] => octet(digit(*high)? * 16 + digit(*low)?, 3),
        // How a shell writes a quote within quotes.
        [b'\'', b'\\', b'\'', b'\'', ..] => octet(b'\'', 4),
        [b'\\', b'u', rest @ ..] => unicode(rest),
        [b'\\', b'x', high, low, ..] => octet(digit(*high)? * 16 + digit(*low)?, 4),
        [b'\\', b'n', ..] => octet(b'\n', 2),
        [b'\\', b't', ..] => octet(b'\t', 2),
        [b'\\', b'r', ..] => octet(b'\r', 2),
        [b'\\', b'b', ..] => octet(8, 2),
        [b'\\', b'f', ..] => octet(12, 2),
        [b'\\', other @ (b'"' | b'\\' | b'/' | b'\''), ..] => octet(*other, 2),
        [b'&', b'#', b'x' | b'X', rest @ ..] => numeric(rest, 16, 3),
        [b'&', b'#', rest @ ..] => numeric(rest, 10, 2),
        [b'&', rest @ ..] => {
            let length = rest.iter().take(8).position(|octet| *octet == b';')?;
            let (_, character) = ENTITIES.iter().find(|(name, _)| *name == &rest[..length])?;
            octet(*character, length + 2)
        }
        _ => None,
    }
}

/// What follows `\u`: four digits, and another such escape where a surrogate needs it.
fn unicode(rest: &[u8]) -> Option<Resolved> {
    let unit = |rest: &[u8]| -> Option<u32> {
        rest.get(..4)?.iter().try_fold(0, |sum, d| Some(sum * 16 + u32::from(digit(*d)?)))
    };
    let first = unit(rest)?;
    if let (0xd800..=0xdbff, Some(second)) =
        (first, rest.get(4..).and_then(|rest| rest.strip_prefix(b"\\u")).and_then(unit))
        && (0xdc00..=0xdfff).contains(&second)
    {
        return character(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00), 12);
    }
    character(first, 6)
}

/// What follows `&#` or `&#x`; `before` octets were read. The semicolon may be missing.
fn numeric(rest: &[u8], radix: u32, before: usize) -> Option<Resolved> {
    let digits = rest.iter().take(9).take_while(|d| char::from(**d).is_digit(radix)).count();
    let text = std::str::from_utf8(&rest[..digits]).ok()?;
    let has_end = rest.get(digits) == Some(&b';');
    character(u32::from_str_radix(text, radix).ok()?, before + digits + usize::from(has_end))
}

fn character(code: u32, length: usize) -> Option<Resolved> {
    let mut octets = [0; 4];
    let count = char::from_u32(code)?.encode_utf8(&mut octets).len();
    Some((octets, count, length))
}

pub(super) fn digit(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn resolved(text: &str) -> String {
        let views = views(text.as_bytes());
        String::from_utf8(views.last().map_or(text.into(), |view| view.text.clone())).unwrap()
    }

    #[test]
    fn every_kind_of_escape_is_resolved_also_within_another() {
        for (text, plain) in [
            ("a%2Fb%2fc", "a/b/c"),
            (r#"\u0041\/\"\\"#, r#"A/"\"#),
            ("&#65;&#x42;&#67 &amp;&sol;", "ABC &/"),
            (r"\ud83d\ude00", "😀"),
            ("%2525", "%"),
            (r"\\u0041", "A"),
            (r"&quot;%5Cu0041", "\"A"),
            (r"it'\''s", "it's"),
            ("100% &nothing; \\q %zz", "100% &nothing; \\q %zz"),
        ] {
            assert_eq!(resolved(text), plain, "{text}");
        }
    }

    #[test]
    fn a_place_in_a_view_is_found_in_the_text() {
        let text = b"ab%25%34%31cd";
        let views = views(text);
        let last = &views.last().unwrap().text;
        assert_eq!(last, b"abAcd");
        assert_eq!(origin(&views, 2, 3), (2, 11));
        assert_eq!(origin(&views, 1, 2), (1, 2));
        assert_eq!(origin(&views, 3, 5), (11, 13));
    }

    proptest! {
        #[test]
        fn origins_lie_in_the_text_and_in_order(text in "[%\\\\&#;u0-9a-f'\"x]{0,60}") {
            let views = views(text.as_bytes());
            let length = views.last().map_or(0, |view| view.text.len());
            let mut before = 0;
            for at in 0..length {
                let (start, end) = origin(&views, at, at + 1);
                prop_assert!(before <= start && start < end && end <= text.len());
                before = start;
            }
        }
    }
}
