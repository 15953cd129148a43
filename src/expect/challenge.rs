//! Judges of the challenges in `WWW-Authenticate`.

use super::resource::{challenges_of, refuses};
use super::{Findings, check};
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::challenge::{Challenge, parse};

/// Attributes that say what is wrong with a request (RFC 6750 §3).
const DETAILS: [&str; 3] = ["error", "error_description", "error_uri"];

/// RFC 6750 §3.1: no challenge of Bearer or DPoP says that anything is wrong.
pub fn without_error(exchange: &Exchange) -> Findings {
    let challenges = challenges_of(exchange);
    let told = challenges
        .iter()
        .filter(|challenge| challenge.is_for_access_tokens())
        .find_map(|c| DETAILS.into_iter().find(|name| c.value(name).is_some()));
    check(told.is_none(), || {
        Deviation::new("a challenge without error details", told.unwrap_or_default())
            .weighing(Weight::Warning)
            .seen_in(exchange)
    })
}

/// 403 with `error=insufficient_scope`; any other refusal is a warning.
pub fn lacks_scope(exchange: &Exchange) -> Findings {
    let findings = refuses(exchange);
    if !findings.is_empty() {
        return findings;
    }
    let is_named = challenges_of(exchange)
        .iter()
        .any(|c| c.is_for_access_tokens() && c.value("error") == Some("insufficient_scope"));
    let is_forbidden = exchange.response().is_some_and(|r| r.status == 403);
    check(is_forbidden && is_named, || {
        let expected = "403 with error=insufficient_scope in a challenge";
        Deviation::new(expected, exchange.gist()).weighing(Weight::Warning).seen_in(exchange)
    })
}

/// RFC 9110 §11.6.1 and RFC 6750 §3: every challenge parses, names no parameter twice and keeps to
/// the character sets of the attributes.
pub fn well_formed(exchange: &Exchange) -> Findings {
    let values = exchange.response().into_iter().flat_map(|r| r.headers("www-authenticate"));
    values.flat_map(|value| well_formed_value(exchange, value)).collect()
}

fn well_formed_value(exchange: &Exchange, value: &str) -> Findings {
    let deviation = |expected: &str, actual: String| {
        Deviation::new(expected, format!("{actual} (exchange {})", exchange.number))
            .seen_in(exchange)
    };
    let challenges = match parse(value) {
        Ok(challenges) => challenges,
        Err(why) => return vec![deviation("WWW-Authenticate that parses", why)],
    };
    let mut findings = Findings::new();
    for challenge in challenges {
        if let Some(name) = repeated(&challenge) {
            findings.push(deviation("each parameter once in a challenge", format!("{name} twice")));
        }
        if !challenge.is_for_access_tokens() {
            continue;
        }
        if let Some((name, _)) = challenge.params.iter().find(|(name, value)| !fits(name, value)) {
            let expected = "printable ASCII without quote and backslash in error, error_description, error_uri and scope";
            findings.push(deviation(expected, format!("other characters in {name}")));
        }
        // RFC 6750 §3 demands an attribute, which the examples of RFC 9449 leave out.
        if challenge.params.is_empty() {
            let bare = deviation("an attribute beside the scheme", challenge.scheme);
            findings.push(bare.weighing(Weight::Note));
        }
    }
    findings
}

fn repeated(challenge: &Challenge) -> Option<&str> {
    let names: Vec<&str> = challenge.params.iter().map(|(name, _)| name.as_str()).collect();
    names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)).map(|(_, name)| *name)
}

/// RFC 6750 §3: %x20-21 / %x23-5B / %x5D-7E, and no space in a URI.
fn fits(name: &str, value: &str) -> bool {
    let is_plain = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
    match name {
        "error" | "error_description" | "scope" => value.chars().all(is_plain),
        "error_uri" => value.chars().all(|c| is_plain(c) && c != ' '),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::answered;

    fn with(status: u16, value: &str) -> Exchange {
        answered(status, &[("WWW-Authenticate", value)], "")
    }

    #[test]
    fn details_in_the_first_challenge_are_a_warning() {
        for clean in ["Bearer", r#"Bearer realm="x", scope="a""#, r#"Basic error="x""#] {
            assert!(without_error(&with(401, clean)).is_empty(), "{clean}");
        }
        for telling in [r#"Bearer error="invalid_token""#, r#"DPoP error_description="no token""#] {
            assert_eq!(without_error(&with(401, telling))[0].weight, Weight::Warning, "{telling}");
        }
    }

    #[test]
    fn insufficient_scope_is_403() {
        let named = r#"Bearer error="insufficient_scope", scope="a""#;
        assert!(lacks_scope(&with(403, named)).is_empty());
        assert_eq!(lacks_scope(&with(401, named))[0].weight, Weight::Warning);
        assert_eq!(lacks_scope(&with(403, "Bearer"))[0].weight, Weight::Warning);
        assert_eq!(lacks_scope(&with(200, ""))[0].weight, Weight::Failure);
    }

    #[test]
    fn the_grammar_is_held_to() {
        for good in [
            r#"Bearer realm="x", error="invalid_token", error_description="it's over: 5 > 3""#,
            r#"Basic realm="b", Bearer realm="x""#,
            r#"Basic realm="say \"hi\"""#,
        ] {
            assert!(well_formed(&with(401, good)).is_empty(), "{good}");
        }
        assert!(well_formed(&answered(401, &[], "")).is_empty());
        for bad in [
            r#"Bearer realm="x", realm="y""#,
            r#"Bearer realm="x", Realm="y""#,
            "Bearer error_description=The token expired",
            r#"Bearer error_description="a \"b\"""#,
            r#"Bearer error_uri="https://as.test/a b""#,
        ] {
            assert_eq!(well_formed(&with(401, bad))[0].weight, Weight::Failure, "{bad}");
        }
        assert_eq!(well_formed(&with(401, "Bearer"))[0].weight, Weight::Note);
    }
}
