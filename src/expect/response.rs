//! Judges of the authorization response: what it carries, where, and to whom.

use super::authorization::code_ok;
use super::entropy::{BETTER_BITS, LEAST_BITS, upper_bound};
use super::{Findings, check, or_list};
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::authorization::{Landing, Mode, RESPONSE_PARAMETERS};
use crate::oauth::params::Params;
use crate::oauth::redirect_uri::Kind;

/// Error codes that an authorization response may carry: RFC 6749 §4.1.2.1, OpenID Connect Core
/// §3.1.2.6, and the registered extensions.
pub const REGISTERED_ERRORS: &[&str] = &[
    "access_denied",
    "account_selection_required",
    "consent_required",
    "interaction_required",
    "invalid_authorization_details",
    "invalid_dpop_proof",
    "invalid_request",
    "invalid_request_object",
    "invalid_request_uri",
    "invalid_scope",
    "invalid_target",
    "login_required",
    "registration_not_supported",
    "request_not_supported",
    "request_uri_not_supported",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unmet_authentication_requirements",
    "unsupported_response_mode",
    "unsupported_response_type",
    "use_dpop_nonce",
];

/// No token in query, fragment or form.
pub fn no_tokens(landing: &Landing) -> Findings {
    let tokens = landing.response.as_ref().map(|r| r.tokens()).unwrap_or_default();
    check(tokens.is_empty(), || {
        Deviation::new(
            "no token in the authorization response",
            format!("{} (exchange {})", or_list(&tokens), landing.exchange.number),
        )
        .seen_in(&landing.exchange)
    })
}

/// The form-decoded `state` equals the one sent.
pub fn state_unchanged(landing: &Landing, sent: &str) -> Findings {
    let came = landing.response.as_ref().and_then(|r| r.value("state"));
    check(came == Some(sent), || {
        let actual = match came {
            None => "no state".to_owned(),
            Some(other) => format!("state={other}"),
        };
        Deviation::new(format!("state={sent}"), actual).seen_in(&landing.exchange)
    })
}

/// Code and state stand in the query; nothing of the protocol stands in the fragment.
pub fn in_query_alone(landing: &Landing) -> Findings {
    let Some(response) = &landing.response else { return code_ok(landing, "the redirect_uri") };
    let is_address = matches!(response.mode, Mode::Redirect | Mode::Json);
    let in_query = is_address && response.query.value("code").is_some();
    let in_fragment: Vec<&str> =
        RESPONSE_PARAMETERS.into_iter().filter(|name| response.fragment.count(name) > 0).collect();
    check(in_query && in_fragment.is_empty(), || {
        let actual = match (response.mode, in_fragment.is_empty()) {
            (Mode::Redirect | Mode::Json, false) => {
                format!("{} in the fragment", or_list(&in_fragment))
            }
            (Mode::Redirect | Mode::Json, true) => "no code in the query".to_owned(),
            _ => "a page that navigates or posts".to_owned(),
        };
        Deviation::new("code and state in the query of the redirect", actual)
            .seen_in(&landing.exchange)
    })
}

/// `iss` is there.
pub fn iss_present(landing: &Landing) -> Findings {
    let is_there = landing.response.as_ref().is_some_and(|r| r.value("iss").is_some());
    check(is_there, || {
        Deviation::new("iss in the authorization response", "none").seen_in(&landing.exchange)
    })
}

/// `iss` occurs once.
pub fn iss_once(landing: &Landing) -> Findings {
    let count =
        landing.response.as_ref().map_or(0, |r| r.query.count("iss") + r.fragment.count("iss"));
    check(count == 1, || {
        Deviation::new("iss exactly once in the authorization response", format!("{count} times"))
            .seen_in(&landing.exchange)
    })
}

/// `iss` equals the issuer identifier, which is an https URL (or local) without query and fragment.
pub fn iss_identical(landing: &Landing, issuer: &str) -> Findings {
    let came = landing.response.as_ref().and_then(|r| r.value("iss")).unwrap_or_default();
    check(came == issuer, || {
        Deviation::new(format!("iss={issuer}"), format!("iss={came}")).seen_in(&landing.exchange)
    })
}

/// No defined parameter occurs twice.
pub fn no_repeated_parameters(landing: &Landing) -> Findings {
    let Some(response) = &landing.response else { return vec![] };
    let count = |params: &Params, name: &str| params.count(name);
    let twice: Vec<&str> = RESPONSE_PARAMETERS
        .into_iter()
        .filter(|name| count(&response.query, name) > 1 || count(&response.fragment, name) > 1)
        .collect();
    check(twice.is_empty(), || {
        Deviation::new(
            "each response parameter at most once",
            format!("{} repeated", or_list(&twice)),
        )
        .seen_in(&landing.exchange)
    })
}

/// A redirected error is registered, printable, and has no code beside it.
pub fn error_known(landing: &Landing) -> Findings {
    let Some(response) = &landing.response else { return vec![] };
    let error = response.error().unwrap_or_default();
    let deviation = |expected: &str, actual: String, weight| {
        vec![Deviation::new(expected, actual).weighing(weight).seen_in(&landing.exchange)]
    };
    if response.code().is_some() {
        return deviation("an error without a code", landing.gist(), Weight::Failure);
    }
    if !REGISTERED_ERRORS.contains(&error) {
        return deviation("a registered error code", format!("error={error}"), Weight::Warning);
    }
    // RFC 6749 §4.1.2.1: %x20-21 / %x23-5B / %x5D-7E
    let printable =
        |text: &str| text.bytes().all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E));
    if !response.value("error_description").is_none_or(printable) {
        let expected = "an error_description of printable ASCII without quotes and backslashes";
        return deviation(expected, "other characters".into(), Weight::Warning);
    }
    vec![]
}

/// The redirect goes to https, a private-use scheme, or http on loopback.
pub fn secure_transport(landing: &Landing) -> Findings {
    let Some(response) = &landing.response else { return vec![] };
    check(Kind::of(&response.address) != Kind::Cleartext, || {
        Deviation::new("https, a private-use scheme or loopback", landing.gist())
            .seen_in(&landing.exchange)
    })
}

/// A form posts code and the unchanged state to the redirect URI and is not stored anywhere.
pub fn form_post(landing: &Landing, redirect_uri: &str, state: &str) -> Findings {
    if landing.response.as_ref().is_none_or(|r| r.mode != Mode::FormPost) {
        return vec![
            Deviation::new("a page with a form that posts the response", landing.gist())
                .seen_in(&landing.exchange),
        ];
    }
    let mut findings = form_content(landing, redirect_uri, state);
    let caching = landing
        .exchange
        .response()
        .and_then(|r| r.header("cache-control"))
        .unwrap_or("")
        .to_ascii_lowercase();
    if !caching.contains("no-store") {
        let weight = if caching.contains("no-cache") { Weight::Warning } else { Weight::Failure };
        let actual = if caching.is_empty() {
            "no Cache-Control".into()
        } else {
            format!("Cache-Control: {caching}")
        };
        findings.push(
            Deviation::new("Cache-Control: no-store on the page", actual)
                .weighing(weight)
                .seen_in(&landing.exchange),
        );
    }
    findings
}

/// The form carries one code and the state as it was sent, to exactly `redirect_uri`.
pub fn form_content(landing: &Landing, redirect_uri: &str, state: &str) -> Findings {
    let mut findings = code_ok(landing, redirect_uri);
    findings.extend(state_unchanged(landing, state));
    findings
}

/// All codes differ, and what varies in them can hold at least 128 bits. This can only disprove.
pub fn codes_unguessable(codes: &[&str]) -> Findings {
    let mut sorted = codes.to_vec();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return vec![Deviation::new("codes that all differ", "the same code twice")];
    }
    let bits = upper_bound(codes);
    let weight = if bits < LEAST_BITS { Weight::Failure } else { Weight::Note };
    check(bits >= BETTER_BITS, || {
        Deviation::new(
            "at least 128 bits of variable part, better 160",
            format!("at most {bits:.0} bits"),
        )
        .weighing(weight)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::authorization::samples::sent_to;

    fn weight(findings: &Findings) -> Option<Weight> {
        findings.iter().map(|d| d.weight).max()
    }

    #[test]
    fn a_constant_fragment_is_allowed() {
        assert!(in_query_alone(&sent_to("https://app.test/cb?code=c&state=s#_=_")).is_empty());
        assert_eq!(in_query_alone(&sent_to("https://app.test/cb#code=c&state=s")).len(), 1);
    }

    #[test]
    fn errors_are_checked_against_the_registry() {
        assert!(error_known(&sent_to("https://app.test/cb?error=login_required")).is_empty());
        assert_eq!(
            weight(&error_known(&sent_to("https://app.test/cb?error=bad_thing"))),
            Some(Weight::Warning)
        );
        let quoted = "https://app.test/cb?error=invalid_request&error_description=%22x%22";
        assert_eq!(weight(&error_known(&sent_to(quoted))), Some(Weight::Warning));
    }

    #[test]
    fn weak_codes_are_disproved() {
        let judge = |codes: Vec<String>| {
            codes_unguessable(&codes.iter().map(String::as_str).collect::<Vec<_>>())
        };
        assert!(judge((0..8).map(|_| crate::oauth::random(32)).collect()).is_empty());
        assert_eq!(weight(&codes_unguessable(&["a1", "a1"])), Some(Weight::Failure));
        let counter = (0..8).map(|i| format!("prefix-{i:08}-suffix")).collect();
        assert_eq!(weight(&judge(counter)), Some(Weight::Failure));
        let better = (0..8).map(|_| crate::oauth::random(18)).collect();
        assert_eq!(weight(&judge(better)), Some(Weight::Note));
    }
}
