//! Judges of the pages that users see: framing, injection, errors.

use super::{Findings, check};
use crate::model::exchange::{Exchange, Response};
use crate::model::html::{Token, tokens};
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::authorization::Landing;

/// The page forbids framing by foreign sites.
pub fn forbids_framing(exchange: &Exchange) -> Findings {
    let Some(response) = exchange.response() else { return vec![] };
    let by_header = response
        .headers("x-frame-options")
        .any(|v| matches!(v.trim().to_ascii_uppercase().as_str(), "DENY" | "SAMEORIGIN"));
    let by_policy = response.headers("content-security-policy").any(frame_ancestors_closed);
    if by_header || by_policy {
        return vec![];
    }
    let busts = {
        let page = response.text().to_ascii_lowercase();
        page.contains("top.location") || page.contains("window.top")
    };
    let weight = if busts { Weight::Warning } else { Weight::Failure };
    let expected = "X-Frame-Options: DENY or SAMEORIGIN, or frame-ancestors that is no wildcard";
    vec![
        Deviation::new(expected, format!("neither (exchange {})", exchange.number))
            .weighing(weight)
            .seen_in(exchange),
    ]
}

pub(super) fn frame_ancestors_closed(policy: &str) -> bool {
    policy.split(';').map(str::trim).any(|directive| {
        let mut words = directive.split_ascii_whitespace();
        words.next().is_some_and(|name| name.eq_ignore_ascii_case("frame-ancestors"))
            && !words.any(|source| matches!(source, "*" | "https:" | "http:"))
    })
}

/// Error page of the server for the user: status 400 and a body that says something.
pub fn error_page(landing: &Landing) -> Findings {
    let exchange = &landing.exchange;
    let says_something = |r: &Response| !r.text().trim().is_empty();
    let good = landing.response.is_none()
        && exchange.response().is_some_and(|r| r.status == 400 && says_something(r));
    check(good, || {
        Deviation::new("status 400 with a readable page", landing.gist())
            .weighing(Weight::Warning)
            .seen_in(exchange)
    })
}

/// Attribute names under which [`MARKUP`] shows itself when it is read as markup.
const MARKER: &str = "probe7f3a";

/// A value that breaks out of text, of an attribute in either kind of quotes, and of the elements that
/// hold text alone.
pub const MARKUP: &str = "probe7f3a\" onfocus=probe7f3a ' onfocus=probe7f3a ></script></title></textarea><img src=x onerror=probe7f3a>";

/// No page holds the markup as markup: the HTML is tokenized, and no element has gained a handler.
pub fn markup_escaped<'a>(exchanges: impl IntoIterator<Item = &'a Exchange>) -> Findings {
    exchanges
        .into_iter()
        .filter(|e| e.response().is_some_and(|r| r.is_html() && is_injected(&r.text())))
        .take(1)
        .map(|exchange| {
            let actual = format!(
                "a page in which the value became an element or attribute (exchange {})",
                exchange.number
            );
            Deviation::new("request values encoded for HTML", actual).seen_in(exchange)
        })
        .collect()
}

fn is_injected(page: &str) -> bool {
    tokens(page).any(|token| match token {
        Token::StartTag(tag) => tag.attributes.iter().any(|(name, value)| {
            matches!(name.as_slice(), b"onfocus" | b"onerror")
                && value.value.starts_with(MARKER.as_bytes())
        }),
        _ => false,
    })
}

/// A multiplication in the notations of common expression languages and template engines.
pub const EXPRESSION: &str =
    "${6271*7919} #{6271*7919} *{6271*7919} %{6271*7919} {{6271*7919}} <%= 6271*7919 %>";

/// What becomes of [`EXPRESSION`] when it is evaluated.
const PRODUCT: &str = "49660049";

/// No response contains the result of the expression.
pub fn not_evaluated<'a>(exchanges: impl IntoIterator<Item = &'a Exchange>) -> Findings {
    let holds = |response: &Response| {
        let mut values = response.headers.iter().map(|(_, value)| value);
        values.any(|value| value.contains(PRODUCT)) || response.text().contains(PRODUCT)
    };
    let evaluated = exchanges.into_iter().find(|e| e.response().is_some_and(holds));
    let found = evaluated.map(|exchange| {
        let actual = format!("its result, {PRODUCT} (exchange {})", exchange.number);
        Deviation::new("the expression as it was sent, or nothing of it", actual).seen_in(exchange)
    });
    found.into_iter().collect()
}

/// Name of the header field that [`LINE_BREAK`] tries to create.
const INJECTED: &str = "X-Probe";

/// A value that would create a header field where line breaks are copied.
pub const LINE_BREAK: &str = "probe\r\nX-Probe: 1";

/// No response carries the injected header field.
pub fn no_injected_header<'a>(exchanges: impl IntoIterator<Item = &'a Exchange>) -> Findings {
    exchanges
        .into_iter()
        .filter(|e| e.response().is_some_and(|r| r.header(INJECTED).is_some()))
        .take(1)
        .map(|exchange| {
            let actual =
                format!("a header field that the request made up (exchange {})", exchange.number);
            Deviation::new("line breaks that stay within the value", actual).seen_in(exchange)
        })
        .collect()
}

/// The page neither links to the URI nor posts to it.
pub fn not_linked(exchange: &Exchange, uri: &str) -> Findings {
    let Some(response) = exchange.response().filter(|r| r.is_html()) else { return vec![] };
    let page = response.text();
    let linked = tokens(&page).any(|token| match token {
        Token::StartTag(tag) => tag.attributes.iter().any(|(name, value)| {
            matches!(name.as_slice(), b"href" | b"action" | b"formaction" | b"src")
                && String::from_utf8_lossy(&value.value).trim().starts_with(uri)
        }),
        _ => false,
    });
    check(!linked, || {
        Deviation::new("a page that does not link to it", format!("a link to {uri}"))
            .seen_in(exchange)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::model::exchange::samples::{answered, json};

    fn html(body: &str) -> Exchange {
        answered(200, &[("Content-Type", "text/html")], body)
    }

    #[test]
    fn an_expression_is_evaluated_when_its_result_shows() {
        let echo = html(&format!("<p>unknown response_type {EXPRESSION}</p>"));
        assert!(not_evaluated([&echo]).is_empty());
        assert_eq!(not_evaluated([&echo, &html("<p>${6271*7919} 49660049</p>")]).len(), 1);
        let sent_back = answered(302, &[("Location", "https://app.test/cb?state=49660049")], "");
        assert_eq!(not_evaluated([&sent_back]).len(), 1);
    }

    #[test]
    fn markup_is_recognised_only_as_markup() {
        let escaped = MARKUP
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;");
        assert!(
            markup_escaped([&html(&format!("<p>{escaped}<input value=\"{escaped}\">"))]).is_empty()
        );
        assert_eq!(markup_escaped([&html(&format!("<p>{MARKUP}</p>"))]).len(), 1);
        let half = MARKUP.replace('<', "&lt;");
        assert_eq!(markup_escaped([&html(&format!("<input value=\"{half}\">"))]).len(), 1);
        assert_eq!(markup_escaped([&html(&format!("<input value='{half}'>"))]).len(), 1);
        assert_eq!(
            markup_escaped([&html(&format!("<script>var s = \"{MARKUP}\"</script>"))]).len(),
            1
        );
        // As the JSON encoders of some languages write it, no text of a script ends the script.
        let encoded = Value::String(MARKUP.into()).to_string().replace('/', "\\/");
        assert!(
            markup_escaped([&html(&format!("<script>var s = {encoded};</script>"))]).is_empty()
        );
        assert!(markup_escaped([&html(&format!("<title>{escaped}</title>"))]).is_empty());
        for element in ["title", "textarea"] {
            let page = format!("<{element}>{MARKUP}</{element}>");
            assert_eq!(markup_escaped([&html(&page)]).len(), 1, "{element}");
        }
        assert!(markup_escaped([&json(400, &Value::String(MARKUP.into()).to_string())]).is_empty());
    }

    #[test]
    fn framing_is_forbidden_by_either_header() {
        let with = |name: &str, value: &str| forbids_framing(&answered(200, &[(name, value)], ""));
        assert!(with("X-Frame-Options", "deny").is_empty());
        assert!(
            with("Content-Security-Policy", "default-src 'none'; frame-ancestors 'self'")
                .is_empty()
        );
        assert_eq!(with("Content-Security-Policy", "frame-ancestors *")[0].weight, Weight::Failure);
        assert_eq!(with("X-Frame-Options", "ALLOW-FROM https://x")[0].weight, Weight::Failure);
    }
}
