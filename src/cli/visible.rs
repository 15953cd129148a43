//! The last step before a terminal: nothing that a target or a probe of ours said may steer it.

use crate::report::terminal::{Colour, is_steering};

/// What our own colours begin and end with; see [`Colour`].
const OWN: [&str; 8] = [
    "\u{1b}[0m",
    "\u{1b}[1m",
    "\u{1b}[2m",
    "\u{1b}[31;1m",
    "\u{1b}[32m",
    "\u{1b}[33m",
    "\u{1b}[36m",
    "\u{1b}[31m",
];

/// The text with control characters, and those that turn the direction of writing, as escapes:
/// `\u{0}`. Line breaks and tabs stay, and so do our own colours where there are any.
pub(super) fn visible(text: &str, colour: Colour) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let own = OWN.iter().find(|code| colour == Colour::On && rest.starts_with(**code));
        if let Some(code) = own {
            out.push_str(code);
            rest = &rest[code.len()..];
            continue;
        }
        match steers(c) {
            true => out.extend(c.escape_unicode()),
            false => out.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    out
}

fn steers(c: char) -> bool {
    is_steering(c) && c != '\n' && c != '\t'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::verdict::Status;
    use crate::report::terminal::line;

    #[test]
    fn what_steers_is_shown_instead() {
        let text = "a\u{0}\u{1b}]0;title\u{7}\u{9b}2J\u{202e}b\r\n\tc";
        let shown = "a\\u{0}\\u{1b}]0;title\\u{7}\\u{9b}2J\\u{202e}b\\u{d}\n\tc";
        assert_eq!(visible(text, Colour::Off), shown);
        assert_eq!(visible("\u{1b}[32mpass", Colour::Off), "\\u{1b}[32mpass");
    }

    #[test]
    fn every_colour_of_ours_stays() {
        use crate::model::requirement::{Level, Severity};
        for status in Status::ALL {
            let own = line("a.b", Level::Must, Severity::High, status, Colour::On);
            assert_eq!(visible(&own, Colour::On), own);
        }
    }

    proptest! {
        #[test]
        fn nothing_that_steers_gets_through(text in "(\\PC|\\p{Cc}|\u{1b}\\[32m|[\u{202a}-\u{202e}]){0,40}") {
            let plain = visible(&text, Colour::Off);
            prop_assert!(!plain.chars().any(steers));
            prop_assert_eq!(&visible(&plain, Colour::Off), &plain);
            let mut coloured = visible(&text, Colour::On);
            OWN.iter().for_each(|code| coloured = coloured.replace(code, ""));
            let has_escape = coloured.contains('\u{1b}');
            prop_assert!(!has_escape);
        }
    }
}
