//! Judges of ID Tokens and of structured access tokens.

use serde_json::Value;

use super::{Findings, check};
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::jose::Jws;

/// Seconds that clocks may differ.
const SKEW: i64 = 300;

/// The signature verifies with a published key.
pub fn verifies(jws: &Jws, jwks: Option<&Value>) -> Findings {
    let verified = jwks.map_or(Err("no key set is published".to_owned()), |keys| jws.verify(keys));
    match verified {
        Ok(()) => vec![],
        Err(why) => vec![Deviation::new("a signature that verifies with a published key", why)],
    }
}

/// `alg` is not `none`.
pub fn not_unsigned(jws: &Jws) -> Findings {
    check(!jws.alg().eq_ignore_ascii_case("none"), || {
        Deviation::new("a signed ID Token", "alg none")
    })
}

/// `iss` is the issuer identifier.
pub fn issuer(jws: &Jws, issuer: &str) -> Findings {
    let named = jws.text("iss").unwrap_or("(none)");
    check(named == issuer, || Deviation::new(format!("iss {issuer}"), format!("iss {named}")))
}

/// `aud` contains the client.
pub fn addressed_to(jws: &Jws, client_id: &str) -> Findings {
    let audience = jws.audience();
    check(audience.contains(&client_id), || {
        Deviation::new(format!("aud with {client_id}"), format!("aud [{}]", audience.join(", ")))
    })
}

/// `exp` and `iat` are numbers, `iat` is about now, `exp` lies ahead and after `iat`.
pub fn times(jws: &Jws, now: i64) -> Findings {
    let is_number = |claim: &str| jws.claims.get(claim).is_some_and(Value::is_number);
    let (exp, iat) = (jws.seconds("exp").unwrap_or(0), jws.seconds("iat").unwrap_or(0));
    let actual = if !is_number("exp") || !is_number("iat") {
        "exp or iat is no number".to_owned()
    } else if (iat - now).abs() > SKEW {
        format!("iat is {} seconds away from now", (iat - now).abs())
    } else if exp <= now || exp <= iat {
        format!("exp is {} seconds after now and {} after iat", exp - now, exp - iat)
    } else {
        return vec![];
    };
    vec![Deviation::new(
        format!("numeric iat within {SKEW} seconds of now and exp after both"),
        actual,
    )]
}

/// `nonce` is the one of the request.
pub fn nonce(jws: &Jws, sent: &str) -> Findings {
    let came = jws.text("nonce");
    check(came == Some(sent), || {
        Deviation::new(format!("nonce {sent}"), format!("nonce {}", came.unwrap_or("(none)")))
    })
}

/// A JWT access token is integrity protected; keys private to server and resource are a note,
/// unless the token claims to be `at+jwt`.
pub fn access_token_signed(jws: &Jws, typ: Option<&str>, jwks: Option<&Value>) -> Findings {
    if jws.alg().eq_ignore_ascii_case("none") {
        return vec![Deviation::new("an access token with integrity protection", "alg none")];
    }
    let weight = if typ == Some("at+jwt") { Weight::Failure } else { Weight::Note };
    verifies(jws, jwks).into_iter().map(|d| d.weighing(weight)).collect()
}

/// The `typ` of the header, in lower case without `application/`.
pub fn typ(jws: &Jws) -> Option<String> {
    let typ = jws.header.get("typ")?.as_str()?.to_ascii_lowercase();
    Some(typ.strip_prefix("application/").unwrap_or(&typ).to_owned())
}

/// The seven claims of RFC 9068 §2.2.
pub fn access_token_claims(jws: &Jws, issuer: &str, client_id: &str, now: i64) -> Findings {
    let mut wrong = Vec::new();
    let mut demand = |holds: bool, what: &str| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    demand(jws.text("iss") == Some(issuer), "iss");
    demand(jws.text("client_id") == Some(client_id), "client_id");
    demand(
        jws.claims.get("exp").is_some_and(Value::is_number)
            && jws.seconds("exp").is_some_and(|exp| exp > now),
        "exp",
    );
    demand(jws.claims.get("iat").is_some_and(Value::is_number), "iat");
    demand(jws.audience().iter().any(|aud| !aud.is_empty()), "aud");
    demand(jws.text("sub").is_some_and(|sub| !sub.is_empty()), "sub");
    demand(jws.text("jti").is_some_and(|jti| !jti.is_empty()), "jti");
    check(wrong.is_empty(), || {
        let expected = "iss, client_id, exp, iat, aud, sub and jti with correct values";
        Deviation::new(expected, format!("missing or wrong: {}", wrong.join(", ")))
    })
}

/// No two tokens share a `jti`.
pub fn jti_unique(tokens: &[Jws]) -> Findings {
    let mut ids: Vec<&str> = tokens.iter().filter_map(|jws| jws.text("jti")).collect();
    ids.sort_unstable();
    let is_repeated = ids.windows(2).any(|pair| pair[0] == pair[1]);
    check(!is_repeated, || {
        Deviation::new("a jti that differs between two tokens", "the same jti twice")
    })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    fn jws(header: Value, claims: Value) -> Jws {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        Jws::read(&format!("{}.{}.c2ln", part(header), part(claims))).unwrap()
    }

    fn id_token(claims: Value) -> Jws {
        jws(json!({"alg": "ES256"}), claims)
    }

    #[test]
    fn times_are_sane_or_named() {
        assert!(times(&id_token(json!({"iat": 1000, "exp": 1300})), 1010).is_empty());
        for (claims, why) in [
            (json!({"iat": "1000", "exp": 1300}), "no number"),
            (json!({"exp": 1300}), "no number"),
            (json!({"iat": 1, "exp": 1300}), "seconds away"),
            (json!({"iat": 1000, "exp": 1005}), "after now"),
        ] {
            assert!(times(&id_token(claims), 1010)[0].actual.contains(why), "{why}");
        }
    }

    #[test]
    fn issuer_audience_and_nonce_compare_exactly() {
        let token = id_token(json!({"iss": "https://as.test", "aud": ["web"], "nonce": "n"}));
        assert!(
            issuer(&token, "https://as.test").is_empty() && addressed_to(&token, "web").is_empty()
        );
        assert!(nonce(&token, "n").is_empty());
        assert_eq!(issuer(&token, "https://as.test/").len(), 1);
        assert_eq!(addressed_to(&token, "we").len(), 1);
        assert_eq!(nonce(&id_token(json!({})), "n").len(), 1);
    }

    #[test]
    fn unsigned_tokens_fail() {
        let token = jws(json!({"alg": "None"}), json!({}));
        assert_eq!(not_unsigned(&token).len(), 1);
        assert_eq!(access_token_signed(&token, None, None)[0].weight, Weight::Failure);
    }

    #[test]
    fn private_keys_of_other_jwts_are_a_note() {
        let token = jws(json!({"alg": "ES256", "typ": "JWT"}), json!({}));
        assert_eq!(
            access_token_signed(&token, typ(&token).as_deref(), None)[0].weight,
            Weight::Note
        );
        assert_eq!(access_token_signed(&token, Some("at+jwt"), None)[0].weight, Weight::Failure);
    }

    #[test]
    fn the_type_is_normalised() {
        assert_eq!(
            typ(&jws(json!({"alg":"x","typ":"application/AT+JWT"}), json!({}))).as_deref(),
            Some("at+jwt")
        );
    }

    #[test]
    fn a_repeated_jti_is_noticed() {
        let with = |jti: &str| id_token(json!({"jti": jti}));
        assert!(jti_unique(&[with("a"), with("b")]).is_empty());
        assert_eq!(jti_unique(&[with("a"), with("b"), with("a")]).len(), 1);
    }

    #[test]
    fn missing_claims_are_listed() {
        let token = id_token(
            json!({"iss": "i", "client_id": "c", "exp": 20, "iat": 1, "aud": "a", "sub": "s"}),
        );
        assert!(access_token_claims(&token, "i", "c", 10)[0].actual.ends_with("wrong: jti"));
    }
}
