//! Text within Markdown: what the target said stands in code spans and blocks alone.

use super::finding::{one_line, printable};

/// Text of the catalogue's or the operator's, in which no character is markup.
pub(super) fn prose(text: &str) -> String {
    let mut out = String::new();
    for c in one_line(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '#' | '!' => {
                out.extend(['\\', c])
            }
            // Without the joiner, what follows would be called by name.
            '@' => out.push_str("@\u{2060}"),
            c => out.push(c),
        }
    }
    out
}

/// A code span, whatever the text is.
pub(super) fn code(text: &str) -> String {
    let text = one_line(text);
    if text.trim().is_empty() {
        return "` `".into();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    // A space beside each fence is stripped where both are there.
    let space = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// An address that can be linked as it is.
pub(super) fn is_plain(url: &str) -> bool {
    url.starts_with("https://")
        && url.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>')
}

/// Text for a code span of one backtick.
pub(super) fn code_text(text: &str) -> String {
    one_line(text).replace('`', "'")
}

/// A fenced block, whatever the text is.
pub(super) fn block(text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", printable(text))
}

/// Length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// Text for an HTML element.
pub(super) fn html(text: &str) -> String {
    one_line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_span_holds_whatever_is_put_in() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("`` @all <img>"), "``` `` @all <img> ```");
        assert_eq!(code(""), "` `");
        assert_eq!(block("```\nx"), "````text\n```\nx\n````\n");
    }

    #[test]
    fn prose_is_no_markup() {
        assert_eq!(prose("<b> [x](y) a|b"), "&lt;b> \\[x\\](y) a\\|b");
        assert_eq!(prose("@here"), "@\u{2060}here");
    }
}
