//! The tokens of an HTML page, read as a browser without script reads it.

pub use html5gum::{StartTag, Token};
use html5gum::{State, StringReader, Tokenizer};

/// Tokens of a page in order. Never fails: broken markup is read as browsers read it.
pub struct Tokens<'a> {
    tokenizer: Tokenizer<StringReader<'a>>,
    /// Elements of another namespace that are open: there `style` and `title` hold markup.
    foreign: usize,
}

/// Reads a page.
pub fn tokens(page: &str) -> Tokens<'_> {
    Tokens { tokenizer: Tokenizer::new(page), foreign: 0 }
}

/// What follows on the start tag of an element that holds text alone (HTML §13.2.6.4). Not so
/// `noscript`: who runs no script reads it.
fn text_state(element: &[u8]) -> Option<State> {
    match element {
        b"title" | b"textarea" => Some(State::RcData),
        b"style" | b"xmp" | b"iframe" | b"noembed" | b"noframes" => Some(State::RawText),
        b"script" => Some(State::ScriptData),
        b"plaintext" => Some(State::PlainText),
        _ => None,
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token<()>;

    fn next(&mut self) -> Option<Token<()>> {
        let Ok(token) = self.tokenizer.next()?;
        let is_foreign = |name: &[u8]| matches!(name, b"svg" | b"math");
        match &token {
            Token::StartTag(tag) if is_foreign(&tag.name) && !tag.self_closing => self.foreign += 1,
            Token::EndTag(tag) if is_foreign(&tag.name) => {
                self.foreign = self.foreign.saturating_sub(1);
            }
            Token::StartTag(tag) if self.foreign == 0 => {
                if let Some(state) = text_state(&tag.name) {
                    self.tokenizer.set_state(state);
                }
            }
            _ => {}
        }
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tags by name, a slash before those that end; text in quotes.
    fn read(page: &str) -> String {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        let shown = tokens(page).map(|token| match token {
            Token::StartTag(tag) => text(&tag.name),
            Token::EndTag(tag) => format!("/{}", text(&tag.name)),
            Token::String(string) => format!("'{}'", text(&string)),
            _ => String::new(),
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn text_of_elements_that_hold_text_is_no_markup() {
        assert_eq!(read("<title>a <b> &amp; c</title><p>"), "title 'a <b> & c' /title p");
        let script = r#"<script>if(a<b)x="<form></scr"+"ipt>";</script><form>"#;
        assert!(read(script).ends_with(" /script form"), "{}", read(script));
        assert_eq!(read("<script>'<\\/script><img>'</script>").matches("img").count(), 1);
        assert!(!read("<script>'<\\/script><img>'</script>").contains("' img"));
        assert_eq!(
            read("<textarea><input></textarea><input>"),
            "textarea '<input>' /textarea input"
        );
        assert_eq!(read("<style>a>b{}<i></style><i>"), "style 'a>b{}<i>' /style i");
        assert_eq!(read("<title>a</TITLE ><b>"), "title 'a' /title b");
    }

    #[test]
    fn what_a_browser_without_script_reads_is_markup() {
        assert_eq!(read("<noscript><form></noscript>"), "noscript form /noscript");
        assert_eq!(
            read("<svg><style/><title>x</title></svg><p>"),
            "svg style title 'x' /title /svg p"
        );
        assert_eq!(read("<svg/><title><b></title>"), "svg title '<b>' /title");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_to_an_end(page in "(<|>|/|title|script|svg|style|[ -~]){0,40}") {
            let _ = read(&page);
        }
    }
}
