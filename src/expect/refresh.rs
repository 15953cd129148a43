//! Judges of the refresh token grant.

use serde_json::Value;

use super::token::{issues_something, token_reject};
use super::{Findings, check};
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::jose::Jws;
use crate::oauth::token::{TokenResponse, scope_set};

/// A refresh yields another refresh token, or the used one works only once. `again` is the answer to
/// a second use, where the first brought no other token.
pub fn replay_protected(old: &str, first: &TokenResponse, again: Option<&Exchange>) -> Findings {
    match again {
        None => check(first.refresh_token().is_some_and(|new| new != old), || {
            Deviation::new("another refresh_token", "none, or the same")
        }),
        Some(answer) => check(!issues_something(answer), || {
            let what = if first.refresh_token().is_some() { "the same" } else { "none" };
            Deviation::new(
                "another refresh_token, or one that works only once",
                format!("{what}, and the used one works again: {}", answer.gist()),
            )
            .seen_in(answer)
        }),
    }
}

/// A rotated-out refresh token is refused. `later` is the answer once a grace for lost responses is
/// over, where the token still worked at first: that alone is a note.
pub fn old_token_dead(at_once: &Exchange, later: Option<&Exchange>) -> Findings {
    let Some(later) = later else { return token_reject(at_once, &["invalid_grant"]) };
    let findings = token_reject(later, &["invalid_grant"]);
    if !findings.is_empty() {
        return findings;
    }
    vec![
        Deviation::new(
            "a refusal from the start",
            format!("{}, and a refusal later", at_once.gist()),
        )
        .weighing(Weight::Note)
        .seen_in(at_once),
    ]
}

/// An ID Token from a refresh continues the authentication that the first one is about.
pub fn continues(first: &Jws, refreshed: &Jws) -> Findings {
    let mut wrong = Vec::new();
    for claim in ["iss", "sub", "azp"] {
        if first.claims.get(claim) != refreshed.claims.get(claim) {
            wrong.push(format!("another {claim}"));
        }
    }
    let audience = refreshed.audience();
    if !first.audience().iter().all(|aud| audience.contains(aud)) {
        wrong.push("another aud".into());
    }
    let kept = |claim: &str| match (first.claims.get(claim), refreshed.claims.get(claim)) {
        (_, None) => true,
        (was, is) => was == is,
    };
    if first.claims.contains_key("auth_time") && !kept("auth_time") {
        wrong.push("another auth_time".into());
    }
    if !kept("nonce") {
        wrong.push("another nonce".into());
    }
    check(wrong.is_empty(), || {
        let expected =
            "iss, sub, aud, azp and auth_time of the first ID Token, and its nonce or none";
        Deviation::new(expected, wrong.join(", "))
    })
}

/// `iat` of the refreshed ID Token is the time of the refresh: `seconds` passed in between.
pub fn issued_at_refresh(first: &Jws, refreshed: &Jws, seconds: i64) -> Findings {
    let (Some(was), Some(is)) = (first.seconds("iat"), refreshed.seconds("iat")) else {
        return vec![];
    };
    check(is - was >= seconds, || {
        Deviation::new(
            format!("an iat at least {seconds} seconds after that of the first ID Token"),
            format!("{} seconds after", is - was),
        )
    })
}

/// A refresh for a part of the scope: a token with more is a note when the response says so, and a
/// warning when it does not. RFC 6749 §3.3 lets the server ignore what was asked, not hide it.
pub fn narrowed(tokens: &TokenResponse, inside: Option<&str>, requested: &str) -> Findings {
    let reported = tokens.text("scope");
    let wider = |scope: &str| !scope_set(scope).is_subset(&scope_set(requested));
    let (actual, weight) = match (inside, reported) {
        (Some(scope), reported) if wider(scope) && !reported.is_some_and(wider) => (
            format!("scope \"{scope}\" in the token, and the response does not say so"),
            Weight::Warning,
        ),
        (_, Some(scope)) if wider(scope) => (format!("scope \"{scope}\""), Weight::Note),
        _ => return vec![],
    };
    vec![Deviation::new(format!("no more than scope \"{requested}\""), actual).weighing(weight)]
}

/// The audience of an access token, where it can be read.
pub fn audience(tokens: &TokenResponse) -> Option<Vec<String>> {
    let jws = Jws::read(tokens.access_token()?).ok()?;
    match jws.claims.get("aud")? {
        Value::Null => None,
        _ => Some(jws.audience().iter().map(|aud| (*aud).to_owned()).collect()),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json as object;

    use super::*;
    use crate::model::exchange::samples::json;

    fn tokens(members: &str) -> TokenResponse {
        let body = format!(r#"{{"access_token":"a","token_type":"Bearer"{members}}}"#);
        TokenResponse::read(json(200, &body).response().unwrap()).unwrap()
    }

    fn jws(claims: Value) -> Jws {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        Jws::read(&format!("{}.{}.c2ln", part(object!({"alg": "ES256"})), part(claims))).unwrap()
    }

    const TOKENS: &str = r#"{"access_token":"a","token_type":"Bearer"}"#;
    const REFUSED: &str = r#"{"error":"invalid_grant"}"#;

    #[test]
    fn rotation_or_a_single_use_protects() {
        let (other, same) = (r#","refresh_token":"new""#, r#","refresh_token":"old""#);
        assert!(replay_protected("old", &tokens(other), None).is_empty());
        assert!(replay_protected("old", &tokens(""), Some(&json(400, REFUSED))).is_empty());
        for members in ["", same] {
            let findings = replay_protected("old", &tokens(members), Some(&json(200, TOKENS)));
            assert_eq!(findings[0].weight, Weight::Failure, "{members}");
        }
    }

    #[test]
    fn a_grace_is_a_note_and_longer_life_a_failure() {
        let (works, refused) = (json(200, TOKENS), json(400, REFUSED));
        assert!(old_token_dead(&refused, None).is_empty());
        assert_eq!(old_token_dead(&works, None)[0].weight, Weight::Failure);
        assert_eq!(old_token_dead(&works, Some(&refused))[0].weight, Weight::Note);
        assert_eq!(old_token_dead(&works, Some(&works))[0].weight, Weight::Failure);
    }

    #[test]
    fn a_refreshed_id_token_is_about_the_same_login() {
        let first =
            object!({"iss": "i", "sub": "s", "aud": "c", "auth_time": 5, "nonce": "n", "iat": 9});
        let with = |claim: &str, value: Value| {
            let mut claims = first.clone();
            claims[claim] = value;
            jws(claims)
        };
        let without = |claim: &str| {
            let mut claims = first.clone();
            claims.as_object_mut().unwrap().remove(claim);
            jws(claims)
        };
        let before = jws(first.clone());
        for good in [
            with("aud", object!(["c", "d"])),
            without("nonce"),
            without("auth_time"),
            with("iat", object!(20)),
        ] {
            assert!(continues(&before, &good).is_empty());
        }
        for (claim, value) in [
            ("iss", object!("j")),
            ("sub", object!("t")),
            ("aud", object!("d")),
            ("auth_time", object!(6)),
            ("nonce", object!("m")),
            ("azp", object!("c")),
        ] {
            assert_eq!(continues(&before, &with(claim, value)).len(), 1, "{claim}");
        }
        // A server may add auth_time, which it left out before.
        assert!(continues(&without("auth_time"), &before).is_empty());
        assert!(issued_at_refresh(&before, &with("iat", object!(11)), 2).is_empty());
        assert_eq!(issued_at_refresh(&before, &before, 2).len(), 1);
        assert!(issued_at_refresh(&before, &before, 0).is_empty());
    }

    #[test]
    fn a_narrower_scope_is_applied_or_the_response_says_otherwise() {
        let reported = |scope: &str| tokens(&format!(r#","scope":"{scope}""#));
        assert!(narrowed(&reported("a"), Some("a"), "a b").is_empty());
        assert!(narrowed(&tokens(""), None, "a").is_empty());
        assert_eq!(narrowed(&reported("a b"), Some("a b"), "a")[0].weight, Weight::Note);
        assert_eq!(narrowed(&reported("a"), Some("a b"), "a")[0].weight, Weight::Warning);
        assert_eq!(narrowed(&tokens(""), Some("a b"), "a")[0].weight, Weight::Warning);
    }
}
