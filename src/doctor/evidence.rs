//! The exchanges that a message cites by their number: what was sent, and what came back.

use std::sync::Arc;

use url::Url;

use crate::model::exchange::Exchange;
use crate::model::redact::Redactor;
use crate::target::login::html;

/// Characters of an address or of the server's words that are shown.
const SHOWN: usize = 400;

/// What the exchanges were that `texts` cite as `exchange 4`, line by line and without secrets.
pub(super) fn of(texts: &[&str], exchanges: &[Arc<Exchange>], redactor: &Redactor) -> Vec<String> {
    let mut numbers: Vec<usize> = texts.iter().flat_map(|text| cited(text)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let found = numbers.iter().filter_map(|n| exchanges.iter().find(|e| e.number == *n));
    found.flat_map(|exchange| lines(exchange, redactor)).collect()
}

/// The numbers behind the word `exchange`.
fn cited(text: &str) -> Vec<usize> {
    let after = text.split("exchange ").skip(1);
    let digits = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>();
    after.filter_map(|rest| digits(rest).parse().ok()).collect()
}

fn lines(exchange: &Exchange, redactor: &Redactor) -> Vec<String> {
    let request = &exchange.request;
    let shown = |text: &str| escaped(&redactor.redact(text));
    let sent = format!("exchange {}: {} {}", exchange.number, request.method, request.url);
    let mut lines = vec![shown(&sent)];
    if !request.body.is_empty() {
        lines.push(format!("sent      {}", shown(&request.text())));
    }
    lines.push(match &exchange.outcome {
        Err(why) => format!("no answer {}", shown(why)),
        Ok(response) => {
            let location = response.location().map(|to| format!(" to {to}"));
            let kind = response.media_type().filter(|_| location.is_none());
            let more = location.or(kind.map(|kind| format!(" {kind}"))).unwrap_or_default();
            format!("answer    {}", shown(&format!("{}{more}", response.status)))
        }
    });
    let words = words(exchange).into_iter();
    lines.extend(words.map(|(name, value)| format!("{name} {}", shown(&value))));
    let page = exchange.response().filter(|r| r.status >= 400 && r.is_html());
    lines.extend(page.map(|page| format!("page says {}", shown(&html::words(&page.text())))));
    lines
}

/// `error` and `error_description` that the server gave, in a JSON body or in the address to which
/// it redirects.
fn words(exchange: &Exchange) -> Vec<(&'static str, String)> {
    let Some(response) = exchange.response() else { return vec![] };
    let members = response.json_object().unwrap_or_default();
    let location = response.location().and_then(|to| {
        let base = Url::parse(&exchange.request.url).ok()?;
        base.join(to).ok()
    });
    let of = |name: &str| {
        let member = members.get(name).and_then(|v| v.as_str()).map(str::to_owned);
        let carried = || {
            let mut query = location.as_ref()?.query_pairs();
            query.find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
        };
        member.or_else(carried)
    };
    ["error", "error_description"].into_iter().filter_map(|n| Some((n, of(n)?))).collect()
}

/// One line in which nothing steers a terminal, and not too long.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(SHOWN) {
        match c.is_control() {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
    }
    let is_cut = text.chars().nth(SHOWN).is_some();
    if is_cut { out + ".." } else { out }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::exchange::Request;
    use crate::model::exchange::samples::{answered, json};

    fn sealed() -> Redactor {
        let mut redactor = Redactor::default();
        redactor.learn("state", "s3cret-state-of-the-request");
        redactor.seal();
        redactor
    }

    #[test]
    fn an_exchange_shows_what_was_sent_and_what_the_server_said() {
        let url = "https://as.test/authorize?client_id=spa&state=s3cret-state-of-the-request";
        let answer =
            json(400, r#"{"error":"invalid_request","error_description":"no\u001b[2J such uri"}"#);
        let exchange = Arc::new(Exchange { number: 7, request: Request::get(url), ..answer });
        let shown = of(&["400 with error=invalid_request (exchange 7)"], &[exchange], &sealed());
        assert!(shown[0].starts_with("exchange 7: GET https://as.test/authorize?client_id=spa"));
        assert_eq!(shown[1], "answer    400 application/json");
        assert_eq!(shown[2], "error invalid_request");
        assert_eq!(shown[3], "error_description no\\u{1b}[2J such uri");
        assert!(!shown.concat().contains("s3cret"), "{shown:?}");
    }

    #[test]
    fn an_error_is_found_in_a_redirect_too() {
        let to = "https://app.test/cb?error=invalid_scope&error_description=not%20yours";
        let exchange = answered(302, &[("Location", to)], "");
        let words = words(&exchange);
        assert_eq!(words[0], ("error", "invalid_scope".to_owned()));
        assert_eq!(words[1], ("error_description", "not yours".to_owned()));
    }

    #[test]
    fn an_error_page_is_shown_by_its_words() {
        let headers = [("Content-Type", "text/html")];
        let page = "<style>p { }</style><h1>Oops&excl;</h1>\n<script>go('x')</script><p>no <b>such</b> uri";
        let exchange = answered(400, &headers, page);
        let shown = of(&["400 text/html (exchange 1)"], &[Arc::new(exchange)], &sealed());
        assert_eq!(shown[2], "page says Oops! no such uri");
    }

    #[test]
    fn what_is_not_cited_is_not_shown() {
        assert_eq!(cited("a (exchange 12) and exchange 3; exchange x"), [12, 3]);
        assert!(of(&["nothing"], &[Arc::new(json(200, "{}"))], &sealed()).is_empty());
    }

    proptest! {
        #[test]
        fn no_line_steers(text in "(\\PC|\\p{Cc}){0,500}") {
            let shown = escaped(&text);
            prop_assert!(!shown.chars().any(char::is_control));
        }
    }
}
