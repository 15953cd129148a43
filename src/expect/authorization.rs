//! Judges of what the authorization endpoint did with a request.

use super::{Findings, check, or_list};
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::authorization::Landing;

/// The user agent was sent to exactly `redirect_uri` with one code.
pub fn code_ok(landing: &Landing, redirect_uri: &str) -> Findings {
    let expected = format!("one code sent to {redirect_uri}");
    let arrived = landing
        .response
        .as_ref()
        .is_some_and(|r| r.code().is_some() && r.error().is_none() && r.went_to(redirect_uri));
    check(arrived, || Deviation::new(expected, landing.gist()).seen_in(&landing.exchange))
}

/// No code and no token is delivered; a redirected error is one of `codes`, or a page tells the user.
pub fn front_reject(landing: &Landing, redirect_uri: &str, codes: &[&str]) -> Findings {
    let expected = format!("error={} sent to the client, or an error page", or_list(codes));
    let deviation = |weight| {
        Deviation::new(expected.clone(), landing.gist()).weighing(weight).seen_in(&landing.exchange)
    };
    let Some(response) = &landing.response else {
        let status = landing.exchange.response().map_or(0, |r| r.status);
        return check(!landing.endless && status < 500, || deviation(Weight::Warning));
    };
    let delivered = response.code().is_some() || !response.tokens().is_empty();
    if delivered || !response.went_to(redirect_uri) {
        return vec![deviation(Weight::Failure)];
    }
    match response.error() {
        Some(error) => check(codes.contains(&error), || deviation(Weight::Warning)),
        None => vec![deviation(Weight::Failure)],
    }
}

/// [`front_reject`] for faults that the texts forbid clients to make and do not order servers to
/// refuse: processing the request is a warning.
pub fn front_reject_or_warn(landing: &Landing, redirect_uri: &str, codes: &[&str]) -> Findings {
    lighten(front_reject(landing, redirect_uri, codes))
}

/// The user agent never leaves for a place that was not registered; the server explains itself on
/// a page of its own.
pub fn page_reject(landing: &Landing, registered: &[String]) -> Findings {
    let expected = "an error page of the authorization server and no redirect";
    let deviation = |weight| {
        Deviation::new(expected, landing.gist()).weighing(weight).seen_in(&landing.exchange)
    };
    match &landing.response {
        None => {
            let status = landing.exchange.response().map_or(0, |r| r.status);
            check(!landing.endless && status < 500, || deviation(Weight::Warning))
        }
        Some(response) => {
            let is_registered = registered
                .iter()
                .any(|uri| response.went_to(uri) && response.address == address_of(uri));
            let is_error = response.error().is_some()
                && response.code().is_none()
                && response.tokens().is_empty();
            vec![deviation(if is_registered && is_error {
                Weight::Warning
            } else {
                Weight::Failure
            })]
        }
    }
}

/// The user agent is not sent to any place that is not registered; processing at a registered one
/// is a warning.
pub fn never_foreign(landing: &Landing, registered: &[String], codes: &[&str]) -> Findings {
    let Some(response) = &landing.response else { return page_reject(landing, registered) };
    let expected =
        format!("no redirect to an unregistered place; error={} or an error page", or_list(codes));
    let deviation = |weight| {
        Deviation::new(expected.clone(), landing.gist()).weighing(weight).seen_in(&landing.exchange)
    };
    if !registered.iter().any(|uri| response.went_to(uri) && response.address == address_of(uri)) {
        return vec![deviation(Weight::Failure)];
    }
    let refused = response.code().is_none() && response.error().is_some_and(|e| codes.contains(&e));
    check(refused, || deviation(Weight::Warning))
}

/// Nothing that looks like a code reaches the client, and no page holds one.
pub fn no_code(landing: &Landing, exchanges: &[&Exchange], redirect_uri: &str) -> Findings {
    let expected = "a sign-in page or an error, and no code";
    if landing.code().is_some() {
        return vec![Deviation::new(expected, landing.gist()).seen_in(&landing.exchange)];
    }
    // A script may navigate; its target stands in the page.
    let hidden = |exchange: &&&Exchange| {
        exchange.response().is_some_and(|r| {
            let text = r.text().replace("\\/", "/").replace("&amp;", "&");
            text.match_indices(redirect_uri).any(|(at, _)| {
                let rest = &text[at + redirect_uri.len()..];
                let end = rest.find(['"', '\'', '<', ' ', '\n']).unwrap_or(rest.len());
                rest[..end].contains("?code=") || rest[..end].contains("&code=")
            })
        })
    };
    match exchanges.iter().find(hidden) {
        Some(exchange) => vec![
            Deviation::new(expected, format!("a page with a code: {}", exchange.gist()))
                .seen_in(exchange),
        ],
        None => vec![],
    }
}

/// The interaction begins: a page, and nothing sent to the client.
pub fn login_ui(landing: &Landing) -> Findings {
    let response = landing.exchange.response();
    let begins = landing.response.is_none()
        && !landing.endless
        && response.is_some_and(|r| (200..300).contains(&r.status) && !r.text().trim().is_empty());
    check(begins, || {
        Deviation::new("a page on which the user signs in", landing.gist())
            .seen_in(&landing.exchange)
    })
}

/// The address of a redirect URI without query and fragment.
fn address_of(uri: &str) -> &str {
    uri.split(['?', '#']).next().unwrap_or(uri)
}

/// A failure becomes a warning; what weighs less stays.
fn lighten(findings: Findings) -> Findings {
    findings
        .into_iter()
        .map(|d| if d.weight == Weight::Failure { d.weighing(Weight::Warning) } else { d })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::exchange::samples::answered;
    use crate::oauth::authorization::samples::sent_to;

    const URI: &str = "https://app.test/cb";

    fn page(status: u16, body: &str) -> Landing {
        let exchange = Arc::new(answered(status, &[("Content-Type", "text/html")], body));
        Landing { exchange, response: None, asks_to_sign_in: false, endless: false, shown: None }
    }

    fn weight(findings: &Findings) -> Option<Weight> {
        findings.iter().map(|d| d.weight).max()
    }

    #[test]
    fn a_code_must_reach_exactly_the_redirect_uri() {
        assert_eq!(weight(&code_ok(&sent_to("https://app.test/cb?code=c&state=s"), URI)), None);
        for bad in [
            "https://app.test/cb/?code=c",
            "https://app.test/cb?error=x&code=c",
            "https://app.test/cb?code=",
        ] {
            assert_eq!(weight(&code_ok(&sent_to(bad), URI)), Some(Weight::Failure), "{bad}");
        }
        assert_eq!(weight(&code_ok(&page(200, "x"), URI)), Some(Weight::Failure));
    }

    #[test]
    fn refusals_at_the_front() {
        for (location, expected) in [
            ("https://app.test/cb?error=invalid_request&state=s", None),
            ("https://app.test/cb?error=server_error", Some(Weight::Warning)),
            ("https://app.test/cb?code=c&error=invalid_request", Some(Weight::Failure)),
            ("https://app.test/cb#access_token=t&error=invalid_request", Some(Weight::Failure)),
            ("https://evil.test/cb?error=invalid_request", Some(Weight::Failure)),
            ("https://app.test/cb?state=s", Some(Weight::Failure)),
        ] {
            assert_eq!(
                weight(&front_reject(&sent_to(location), URI, &["invalid_request"])),
                expected,
                "{location}"
            );
        }
        assert_eq!(weight(&front_reject(&page(200, "error"), URI, &["invalid_request"])), None);
        assert_eq!(
            weight(&front_reject(&page(500, "error"), URI, &["invalid_request"])),
            Some(Weight::Warning)
        );
    }

    #[test]
    fn refusals_on_a_page() {
        let registered = [URI.to_owned()];
        assert_eq!(weight(&page_reject(&page(400, "error"), &registered)), None);
        for (location, expected) in [
            ("https://app.test/cb?error=invalid_request", Weight::Warning),
            ("https://app.test/cb?code=c", Weight::Failure),
            ("https://evil.test/cb?error=invalid_request", Weight::Failure),
            ("https://app.test/cb/probe?error=invalid_request", Weight::Failure),
        ] {
            assert_eq!(
                weight(&page_reject(&sent_to(location), &registered)),
                Some(expected),
                "{location}"
            );
        }
    }

    #[test]
    fn a_code_hidden_in_a_script_is_found() {
        let landing =
            page(200, r#"<script>location="https:\/\/app.test\/cb?state=s&code=c"</script>"#);
        assert_eq!(
            weight(&no_code(&landing, &[&landing.exchange.clone()], URI)),
            Some(Weight::Failure)
        );
        let form = page(200, r#"<input name=next value="https://app.test/cb"> code=x"#);
        assert_eq!(weight(&no_code(&form, &[&form.exchange.clone()], URI)), None);
    }
}
