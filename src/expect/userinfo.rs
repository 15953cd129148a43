//! Judges of UserInfo (OpenID Connect Core 1.0 §5.3).

use serde_json::{Map, Value};

use super::{Findings, check};
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::jose::Jws;

/// What a UserInfo answer consists of.
enum Claims {
    Plain(Map<String, Value>),
    Signed(Jws),
    /// Five parts in base64url, which only the client can read.
    Encrypted,
}

impl Claims {
    fn of(exchange: &Exchange) -> Option<Self> {
        let response = exchange.response().filter(|r| r.status == 200)?;
        if let Some(members) = response.json_object() {
            let is_claims = !members.is_empty() && !members.contains_key("error");
            return is_claims.then_some(Self::Plain(members));
        }
        let text = response.text();
        let text = text.trim();
        let is_part =
            |part: &str| part.bytes().all(|o| o.is_ascii_alphanumeric() || b"-_".contains(&o));
        match Jws::read(text) {
            Ok(jws) => Some(Self::Signed(jws)),
            Err(_) if text.split('.').count() == 5 && text.split('.').all(is_part) => {
                Some(Self::Encrypted)
            }
            Err(_) => None,
        }
    }

    fn sub(&self) -> Option<&str> {
        match self {
            Self::Plain(members) => members.get("sub")?.as_str(),
            Self::Signed(jws) => jws.text("sub"),
            Self::Encrypted => None,
        }
    }
}

/// 200 with a claims object or a JWT, whatever the media type says.
pub fn claims(exchange: &Exchange) -> Findings {
    check(Claims::of(exchange).is_some(), || {
        Deviation::new("200 with a claims object or a JWT", exchange.gist()).seen_in(exchange)
    })
}

/// The claims are encrypted, so that nothing can be said about them.
pub fn is_encrypted(exchange: &Exchange) -> bool {
    matches!(Claims::of(exchange), Some(Claims::Encrypted))
}

/// The `sub` of an answer that can be read.
pub fn subject_of(exchange: &Exchange) -> Option<String> {
    Claims::of(exchange)?.sub().map(str::to_owned)
}

/// `sub` is `subject`.
pub fn subject(exchange: &Exchange, subject: &str) -> Findings {
    let named = subject_of(exchange);
    check(named.as_deref() == Some(subject), || {
        let actual = match exchange.response() {
            Some(r) if r.status == 200 => format!("sub {}", named.as_deref().unwrap_or("(none)")),
            _ => exchange.gist(),
        };
        Deviation::new(format!("sub {subject}"), actual).seen_in(exchange)
    })
}

/// `application/json` for an object and `application/jwt` for a JWT; a signed JWT that lacks `iss`
/// or does not name the client in `aud` is a warning (both are a SHOULD).
pub fn media_type(exchange: &Exchange, issuer: &str, client_id: &str) -> Findings {
    let Some(claims) = Claims::of(exchange) else { return self::claims(exchange) };
    let expected = match claims {
        Claims::Plain(_) => "application/json",
        Claims::Signed(_) | Claims::Encrypted => "application/jwt",
    };
    let actual = exchange.response().and_then(|r| r.media_type()).unwrap_or_default();
    if actual != expected {
        let actual = format!("media type {actual:?}");
        return vec![Deviation::new(expected, actual).seen_in(exchange)];
    }
    let Claims::Signed(jws) = claims else { return vec![] };
    let is_addressed = jws.text("iss") == Some(issuer) && jws.audience().contains(&client_id);
    check(is_addressed, || {
        let expected = format!("iss {issuer} and aud with {client_id} in the signed answer");
        let actual = format!(
            "iss {}, aud [{}]",
            jws.text("iss").unwrap_or("(none)"),
            jws.audience().join(", ")
        );
        Deviation::new(expected, actual).weighing(Weight::Warning).seen_in(exchange)
    })
}

/// No claims for a token that was not granted `openid`; claims are a warning, since only the
/// request with such a token is ruled out, not the answer.
pub fn needs_openid(exchange: &Exchange) -> Findings {
    check(Claims::of(exchange).is_none(), || {
        let expected = "no claims without the scope openid (insufficient_scope expected)";
        Deviation::new(expected, exchange.gist()).weighing(Weight::Warning).seen_in(exchange)
    })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::model::exchange::samples::{answered, json};

    fn signed(media_type: &str, claims: &str) -> Exchange {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let token = format!("{}.{}.c2ln", part(r#"{"alg":"ES256"}"#), part(claims));
        answered(200, &[("Content-Type", media_type)], &token)
    }

    #[test]
    fn claims_come_as_object_or_jwt() {
        assert!(claims(&json(200, r#"{"sub":"a"}"#)).is_empty());
        assert!(claims(&signed("application/jwt", r#"{"sub":"a"}"#)).is_empty());
        let encrypted = answered(200, &[("Content-Type", "application/jwt")], "aa.bb.cc.dd.ee");
        assert!(claims(&encrypted).is_empty() && is_encrypted(&encrypted));
        for bad in [json(200, "{}"), json(200, r#"{"error":"x"}"#), json(401, r#"{"sub":"a"}"#)] {
            assert_eq!(claims(&bad).len(), 1);
        }
    }

    #[test]
    fn subjects_are_compared_in_both_forms() {
        assert!(subject(&json(200, r#"{"sub":"a"}"#), "a").is_empty());
        assert!(subject(&signed("application/jwt", r#"{"sub":"a"}"#), "a").is_empty());
        assert_eq!(subject(&json(200, r#"{"sub":"b"}"#), "a").len(), 1);
        assert_eq!(subject(&json(405, ""), "a").len(), 1);
    }

    #[test]
    fn the_media_type_tells_json_from_jwt() {
        let judge = |exchange: &Exchange| media_type(exchange, "https://as.test", "web");
        let utf8 = [("Content-Type", "application/json; charset=utf-8")];
        assert!(judge(&answered(200, &utf8, r#"{"sub":"a"}"#)).is_empty());
        let full = r#"{"sub":"a","iss":"https://as.test","aud":["web"]}"#;
        assert!(judge(&signed("application/jwt", full)).is_empty());
        assert_eq!(judge(&signed("application/jwt", r#"{"sub":"a"}"#))[0].weight, Weight::Warning);
        assert_eq!(judge(&signed("application/json", full))[0].weight, Weight::Failure);
        let text = answered(200, &[("Content-Type", "text/plain")], r#"{"sub":"a"}"#);
        assert_eq!(judge(&text)[0].weight, Weight::Failure);
    }

    #[test]
    fn claims_without_openid_are_a_warning() {
        assert!(needs_openid(&json(403, r#"{"error":"insufficient_scope"}"#)).is_empty());
        assert_eq!(needs_openid(&json(200, r#"{"sub":"a"}"#))[0].weight, Weight::Warning);
    }
}
