//! Values behind the names of secrets, known or not: in queries, forms, cookies, JSON and HTML.

use std::collections::HashMap;

use memchr::{memchr2_iter, memmem};

use super::hunt::{Span, What};
use super::index::fold;
use super::names::{KINDS, is_public, secret_kind};

/// Octets that end a value which stands in no quotes.
const ENDS: &[u8] = b"&?#; \t\r\n\"'<>";

/// Finds the values that a name makes a secret, if `by_name`, and weak passwords that are a whole
/// value behind any other name.
pub(super) fn find(
    text: &[u8],
    weak: &HashMap<String, &'static str>,
    by_name: bool,
    spans: &mut Vec<Span>,
) {
    for at in memchr2_iter(b'=', b':', text) {
        let found = if text[at] == b'=' { pair(text, at) } else { member(text, at) };
        let Some((name, start, end)) = found else { continue };
        let Ok(name) = std::str::from_utf8(name) else { continue };
        if is_hidden(&text[start..end]) {
            continue;
        }
        let kind = secret_kind(name).filter(|_| by_name);
        let kind = kind.or_else(|| weak_kind(name, &text[start..end], weak));
        if let Some(kind) = kind {
            spans.push(Span { start, end, what: What::Named(kind) });
        }
    }
}

/// A weak password behind the identifier of HTTP Basic (RFC 7617 §2), decoded.
pub(super) fn basic(text: &[u8], weak: &HashMap<String, &'static str>, spans: &mut Vec<Span>) {
    let text = String::from_utf8_lossy(text);
    if let Some((_, password)) = text.split_once(':')
        && let Some(kind) = weak.get(password)
    {
        spans.push(Span { start: 0, end: text.len(), what: What::Named(kind) });
    }
}

fn weak_kind(
    name: &str,
    value: &[u8],
    weak: &HashMap<String, &'static str>,
) -> Option<&'static str> {
    if weak.is_empty() || is_public(name) {
        return None;
    }
    let is_it = |secret: &str| secret.bytes().map(fold).eq(value.iter().map(|o| fold(*o)));
    weak.iter().find(|(secret, _)| is_it(secret)).map(|(_, kind)| *kind)
}

fn is_word(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-')
}

/// `name=value` or `name="value"`: the name, and where the value begins and ends.
fn pair(text: &[u8], equals: usize) -> Option<(&[u8], usize, usize)> {
    let length = text[..equals].iter().rev().take_while(|octet| is_word(**octet)).count();
    let name = &text[equals - length..equals];
    let (start, quote) = match text.get(equals + 1)? {
        quote @ (b'"' | b'\'') => (equals + 2, Some(*quote)),
        _ => (equals + 1, None),
    };
    let is_end = |octet: &u8| match quote {
        Some(quote) => *octet == quote,
        None => ENDS.contains(octet),
    };
    // What is shown in place of a secret has ends in it and is none itself.
    let shown = shown(&text[start..]);
    let length = text[start + shown..].iter().position(is_end);
    let length = length.unwrap_or(text.len() - start - shown);
    (!name.is_empty() && shown + length > 0).then_some((name, start, start + shown + length))
}

/// `"name": "value"`: the name, and where the value begins and ends.
fn member(text: &[u8], colon: usize) -> Option<(&[u8], usize, usize)> {
    let before = text[..colon].strip_suffix(b"\"")?;
    let length = before.iter().rev().take_while(|octet| is_word(**octet)).count();
    let (rest, name) = before.split_at(before.len() - length);
    let blanks = text[colon + 1..].iter().take_while(|octet| octet.is_ascii_whitespace()).count();
    let start = colon + 1 + blanks;
    if rest.last() != Some(&b'"') || name.is_empty() || text.get(start) != Some(&b'"') {
        return None;
    }
    let start = start + 1;
    let mut end = start;
    while *text.get(end)? != b'"' {
        end += if text[end] == b'\\' { 2 } else { 1 };
    }
    (end > start).then_some((name, start, end))
}

/// Length of what begins the text and is shown in place of secrets.
fn shown(text: &[u8]) -> usize {
    let mut length = 0;
    while let Some(more) = pseudonym(&text[length..]) {
        length += more;
    }
    length
}

/// The value is nothing but what is shown in place of a secret, begins with it, or ends before it
/// shows anything.
fn is_hidden(value: &[u8]) -> bool {
    value.is_empty() || shown(value) > 0
}

/// Length of a pseudonym, such as `<code#3>`, that begins the text.
pub(super) fn pseudonym(text: &[u8]) -> Option<usize> {
    let rest = text.strip_prefix(b"<")?;
    let words = rest.iter().take(40);
    let words = words.take_while(|o| o.is_ascii_lowercase() || matches!(o, b'_' | b' ')).count();
    let number = match rest.get(words)? {
        b'#' => 1 + rest[words + 1..].iter().take(9).take_while(|o| o.is_ascii_digit()).count(),
        _ => 0,
    };
    let name = &rest[..words];
    let name = name.strip_prefix(b"part of ").unwrap_or(name);
    let is_kind = KINDS.iter().any(|kind| kind.as_bytes() == name);
    let is_whole = is_kind && number != 1 && rest.get(words + number) == Some(&b'>');
    is_whole.then_some(words + number + 2)
}

/// Finds every compact JWS or JWE, known or not.
pub(super) fn tokens(text: &[u8], spans: &mut Vec<Span>) {
    let is_part = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_.=".contains(octet);
    let mut at = 0;
    while let Some(start) = memmem::find(&text[at..], b"eyJ") {
        let start = at + start;
        let length = text[start..].iter().take_while(|octet| is_part(octet)).count();
        if text[start..start + length].contains(&b'.') {
            spans.push(Span { start, end: start + length, what: What::Named("jwt") });
        }
        at = start + length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, weak: &[&str]) -> Vec<String> {
        let weak = weak.iter().map(|value| ((*value).to_owned(), "password")).collect();
        let mut spans = Vec::new();
        find(text.as_bytes(), &weak, true, &mut spans);
        spans.iter().map(|span| text[span.start..span.end].to_owned()).collect()
    }

    #[test]
    fn names_make_secrets_in_queries_json_and_html() {
        assert_eq!(found("https://a/cb?code=ab&state=xy#access_token=cd", &[]), ["ab", "cd"]);
        assert_eq!(found(r#"{"code": "a\"b", "state":"xy","token":5}"#, &[]), [r#"a\"b"#]);
        assert_eq!(found("password='a b' other", &[]), ["a b"]);
        assert!(found("code=<code#1>&password=<password>&code=", &[]).is_empty());
    }

    #[test]
    fn a_weak_password_is_a_whole_value_behind_a_name_that_is_not_public() {
        assert_eq!(found("username=test&pw=test&x=test1 test", &["test"]), ["test"]);
        assert_eq!(found(r#"{"sub":"test","pin":"test"}"#, &["test"]), ["test"]);
    }

    #[test]
    fn pseudonyms_are_recognised() {
        let length = |text: &str| pseudonym(text.as_bytes());
        assert_eq!(length("<code#12>x"), Some(9));
        assert_eq!(length("<part of id_token#1>"), Some(20));
        assert_eq!(length("<password>"), Some(10));
        for other in ["<>", "<code#>", "<code#1", "<title>", "<a href>", "code#1", "<B>"] {
            assert_eq!(length(other), None, "{other}");
        }
    }
}
