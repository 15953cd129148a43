//! Text of a report as a page may show it: nothing in it moves the cursor, turns the direction of
//! writing or hides.

use std::borrow::Cow;

use maud::Render;

/// Text that somebody else wrote. The template escapes it; what cannot be seen is made visible.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl Render for Shown<'_> {
    fn render_to(&self, buffer: &mut String) {
        visible(self.0).as_ref().render_to(buffer);
    }
}

/// `text` with control pictures in place of controls, and with the numbers of characters that have
/// no shape of their own. Line feeds and tabs stay.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match (is_hidden(c), u32::from(c)) {
            (false, _) => out.push(c),
            (true, code @ 0..=0x1f) => {
                out.push(char::from_u32(0x2400 + code).unwrap_or('\u{fffd}'))
            }
            (true, 0x7f) => out.push('\u{2421}'),
            (true, code) => out.push_str(&format!("\\u{{{code:x}}}")),
        }
    }
    Cow::Owned(out)
}

fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' | ' '..='~' => false,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => {
            true
        }
        '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' => true,
        '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' => true,
        // Not characters: a parser of HTML complains about them.
        _ => {
            c.is_control()
                || u32::from(c) & 0xfffe == 0xfffe
                || matches!(c, '\u{fdd0}'..='\u{fdef}')
        }
    }
}

/// At most `most` characters of the text on one line, the last of them an ellipsis where some are
/// left out.
pub(super) fn cut(text: &str, most: usize) -> String {
    let text = visible(text).replace(['\n', '\t'], " ");
    match text.char_indices().nth(most) {
        None => text,
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// A length of time, given in microseconds.
pub(super) fn duration(us: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a run lasts far less than 2^52 microseconds")]
    let ms = us as f64 / 1000.0;
    match us {
        0..=9_999 => format!("{ms:.1} ms"),
        10_000..=999_999 => format!("{ms:.0} ms"),
        _ => format!("{:.2} s", ms / 1000.0),
    }
}

/// A number with its noun, whose plural takes an `s`.
pub(super) fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// An address that may become a link; everything but HTTP stays text.
pub(super) fn link(url: &str) -> Option<&str> {
    let parsed = url::Url::parse(url).ok()?;
    matches!(parsed.scheme(), "http" | "https").then_some(url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_hides_is_shown() {
        assert_eq!(visible("a\u{1b}[31m\r\n\tb"), "a␛[31m␍\n\tb");
        assert_eq!(visible("\u{202e}gpj.exe\u{feff}"), "\\u{202e}gpj.exe\\u{feff}");
        assert_eq!(visible("\u{7f}\u{85}\0"), "␡\\u{85}␀");
        assert!(matches!(visible("plain äöü 漢字 🔑"), Cow::Borrowed(_)));
    }

    #[test]
    fn markup_is_escaped_after_that() {
        let mut out = String::new();
        Shown("<b title=\"x\">&amp;\u{200f}").render_to(&mut out);
        assert_eq!(out, "&lt;b title=&quot;x&quot;&gt;&amp;amp;\\u{200f}");
    }

    #[test]
    fn long_text_is_cut_on_one_line() {
        assert_eq!(cut("abc\ndef", 5), "abc …");
        assert_eq!(cut("äöü", 3), "äöü");
    }

    #[test]
    fn times_and_numbers_read_well() {
        assert_eq!(
            [0, 840, 12_345, 1_234_567].map(duration),
            ["0.0 ms", "0.8 ms", "12 ms", "1.23 s"]
        );
        assert_eq!([1, 2].map(|n| count(n, "exchange")), ["1 exchange", "2 exchanges"]);
    }

    #[test]
    fn only_http_becomes_a_link() {
        assert!(link("https://www.rfc-editor.org/rfc/rfc6749.html#section-4").is_some());
        for other in
            ["javascript:alert(1)", " java\nscript:alert(1)", "data:text/html,x", "//x.test", ""]
        {
            assert_eq!(link(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(text in any::<String>()) {
            let shown = visible(&text);
            prop_assert!(!shown.contains(is_hidden));
            prop_assert_eq!(&visible(&shown), &shown);
        }
    }
}
