//! Pages that stay as they are: what they offer is all that they will ever offer.

use crate::model::exchange::Response;

/// What lets a page change by itself, or show another one, in lower case.
const LIVELY: [&str; 6] = ["<script", "<iframe", "<frame", "<object", "<embed", "javascript:"];

/// Nothing in the page could change it without the user: no script, no frame and no refresh, as far
/// as its text tells. In doubt it is not plain.
pub(super) fn is_plain(response: &Response) -> bool {
    let text = response.text().to_ascii_lowercase();
    let is_whole = !response.truncated && !text.contains('\0');
    let refreshes = text.contains("http-equiv") && text.contains("refresh");
    is_whole
        && response.is_html()
        && response.header("refresh").is_none()
        && !refreshes
        && !LIVELY.iter().any(|part| text.contains(part))
        && !has_handler(&text)
}

/// An attribute `onload=..` or another that runs script.
fn has_handler(text: &str) -> bool {
    let starts = text.match_indices("on").filter(|(at, _)| {
        text[..*at].ends_with(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '/'))
    });
    starts.map(|(at, _)| &text[at..]).any(|rest| {
        let name = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        name > 2 && rest[name..].trim_start().starts_with('=')
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::exchange::samples::answered;

    fn page(body: &str) -> Response {
        let exchange = answered(200, &[("Content-Type", "text/html")], body);
        exchange.response().unwrap().clone()
    }

    #[test]
    fn text_forms_and_styles_stay_as_they_are() {
        for body in [
            "<h1>Error</h1><p>No such client. Log on again</p>",
            "<style>a { color: red }</style><form method=post><input name=on></form>",
            "<meta http-equiv=content-type content=text/html><p class=description>x</p>",
        ] {
            assert!(is_plain(&page(body)), "{body}");
        }
    }

    #[test]
    fn what_may_change_the_page_is_seen() {
        for body in [
            "<SCRIPT src=/a.js></SCRIPT>",
            "<iframe src=/login></iframe>",
            "<meta http-equiv=\"Refresh\" content=\"3; url=/login\">",
            "<body onload=\"go()\">",
            "<img src='/x'onerror = 'go()'>",
            "<a href=\"JavaScript:go()\">go</a>",
            "<\0s\0c\0r\0i\0p\0t\0",
        ] {
            assert!(!is_plain(&page(body)), "{body}");
        }
    }

    #[test]
    fn what_is_no_whole_page_is_not_plain() {
        let mut cut = page("<p>x</p>");
        cut.truncated = true;
        assert!(!is_plain(&cut));
        let mut refreshed = page("<p>x</p>");
        refreshed.headers.push(("Refresh".into(), "0; url=/login".into()));
        assert!(!is_plain(&refreshed));
        let json = answered(200, &[("Content-Type", "application/json")], "{}");
        assert!(!is_plain(json.response().unwrap()));
    }

    proptest! {
        #[test]
        fn a_script_is_seen_anywhere(before in "\\PC{0,40}", after in "\\PC{0,40}") {
            let lively = format!("{before}<script>{after}");
            prop_assert!(!is_plain(&page(&lively)));
        }
    }
}
