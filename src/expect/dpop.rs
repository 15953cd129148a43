//! Judges of DPoP (RFC 9449).

use super::token::{token_ok, token_reject};
use super::{Findings, check};
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Weight};
use crate::oauth::jose::Jws;
use crate::oauth::metadata::Metadata;
use crate::oauth::token::TokenResponse;

/// Errors that refuse a proof at the token endpoint.
const PROOF_ERRORS: [&str; 3] = ["invalid_dpop_proof", "invalid_request", "use_dpop_nonce"];

/// The nonce that the answer asks for, at the token endpoint (§8) or at a resource (§9).
pub fn nonce_asked(exchange: &Exchange) -> Option<&str> {
    let response = exchange.response().filter(|r| matches!(r.status, 400 | 401))?;
    let says = response.json_object().is_some_and(|m| {
        m.get("error").and_then(serde_json::Value::as_str) == Some("use_dpop_nonce")
    });
    let challenged = response.headers("www-authenticate").any(|v| v.contains("use_dpop_nonce"));
    response.header("dpop-nonce").filter(|_| says || challenged)
}

/// Only asymmetric algorithms, and at least one.
pub fn algs(metadata: &Metadata) -> Findings {
    let Some(member) = metadata.member("dpop_signing_alg_values_supported") else { return vec![] };
    let list = metadata.list("dpop_signing_alg_values_supported").unwrap_or_default();
    let is_fit = member.as_array().is_some_and(|all| all.len() == list.len())
        && !list.is_empty()
        && !list.iter().any(|alg| *alg == "none" || alg.starts_with("HS"));
    check(is_fit, || {
        let expected = "asymmetric algorithms in dpop_signing_alg_values_supported";
        Deviation::new(expected, format!("[{}]", list.join(", ")))
    })
}

/// Tokens were issued; a JWT that is bound names the key.
pub fn bound(exchange: &Exchange, thumbprint: &str) -> Findings {
    let findings = token_ok(exchange);
    let tokens = exchange.response().and_then(TokenResponse::read);
    let (true, Some(tokens)) = (findings.is_empty(), tokens) else { return findings };
    if !is_bound(&tokens) {
        return vec![];
    }
    let Some(Ok(jws)) = tokens.access_token().map(Jws::read) else { return vec![] };
    let jkt = jws.claims.get("cnf").and_then(|cnf| cnf.get("jkt")).and_then(|jkt| jkt.as_str());
    check(jkt == Some(thumbprint), || {
        let expected = format!("cnf.jkt {thumbprint} in the access token");
        Deviation::new(expected, format!("cnf.jkt {}", jkt.unwrap_or("(none)"))).seen_in(exchange)
    })
}

/// `token_type` is DPoP, in any case (RFC 6749 §5.1).
pub fn is_bound(tokens: &TokenResponse) -> bool {
    tokens.text("token_type").is_some_and(|t| t.eq_ignore_ascii_case("dpop"))
}

/// The proof is refused and nothing issued. A repeated header field may fail in HTTP already.
pub fn proof_refused(exchange: &Exchange, is_repeated: bool) -> Findings {
    let status = exchange.response().map_or(0, |r| r.status);
    if is_repeated && status == 400 && !super::token::issues_something(exchange) {
        return vec![];
    }
    token_reject(exchange, &PROOF_ERRORS)
}

/// Tokens for a proof with query and fragment in `htu`: the comparison ignores both (§4.3). That
/// such a proof is refused is a note, since §4.2 keeps clients from making one.
pub fn query_ignored(exchange: &Exchange) -> Findings {
    let findings = token_ok(exchange);
    if findings.is_empty() {
        return findings;
    }
    match token_reject(exchange, &PROOF_ERRORS) {
        refusal if refusal.is_empty() => {
            findings.into_iter().map(|d| d.weighing(Weight::Note)).collect()
        }
        wrong => wrong,
    }
}

/// A code that is bound to another key is refused; where `dpop_jkt` may be unknown to the server,
/// its acceptance is a warning.
pub fn code_refused(exchange: &Exchange, is_known: bool) -> Findings {
    let codes = ["invalid_grant", "invalid_dpop_proof", "invalid_request", "use_dpop_nonce"];
    let lighten = |d: Deviation| if is_known { d } else { d.weighing(Weight::Warning) };
    token_reject(exchange, &codes).into_iter().map(lighten).collect()
}

/// 400 with one `DPoP-Nonce` of the characters of §8.1; 401 is a warning.
pub fn nonce_challenge(exchange: &Exchange) -> Findings {
    let Some(response) = exchange.response() else { return vec![] };
    let nonces: Vec<&str> = response.headers("dpop-nonce").collect();
    let nqchar = |b: u8| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
    let is_fit = matches!(nonces[..], [nonce] if !nonce.is_empty() && nonce.bytes().all(nqchar));
    let mut findings = check(is_fit, || {
        let expected = "one DPoP-Nonce of printable characters without quotes and backslashes";
        Deviation::new(expected, format!("{} header fields", nonces.len())).seen_in(exchange)
    });
    findings.extend(check(response.status == 400, || {
        Deviation::new("400 with error=use_dpop_nonce", exchange.gist())
            .weighing(Weight::Warning)
            .seen_in(exchange)
    }));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::{answered, json};

    fn weight(findings: &Findings) -> Option<Weight> {
        findings.iter().map(|d| d.weight).max()
    }

    #[test]
    fn proofs_are_refused_by_error() {
        for (status, body, repeated, expected) in [
            (400, r#"{"error":"invalid_dpop_proof"}"#, false, None),
            (400, r#"{"error":"use_dpop_nonce"}"#, false, None),
            (400, r#"{"error":"invalid_client"}"#, false, Some(Weight::Warning)),
            (400, "bad request", true, None),
            (200, r#"{"access_token":"a","token_type":"DPoP"}"#, true, Some(Weight::Failure)),
            (500, "", true, Some(Weight::Failure)),
        ] {
            let findings = proof_refused(&json(status, body), repeated);
            assert_eq!(weight(&findings), expected, "{status} {body}");
        }
        let issued = json(200, r#"{"access_token":"a","token_type":"DPoP"}"#);
        assert_eq!(weight(&code_refused(&issued, false)), Some(Weight::Warning));
        assert_eq!(weight(&code_refused(&issued, true)), Some(Weight::Failure));
    }

    #[test]
    fn a_proof_with_a_query_in_htu_works_or_its_refusal_is_noted() {
        for (status, body, expected) in [
            (200, r#"{"access_token":"a","token_type":"DPoP"}"#, None),
            (400, r#"{"error":"invalid_dpop_proof"}"#, Some(Weight::Note)),
            (400, r#"{"error":"invalid_scope"}"#, Some(Weight::Warning)),
            (500, "", Some(Weight::Failure)),
            (400, r#"{"error":"invalid_request","access_token":"a"}"#, Some(Weight::Failure)),
        ] {
            assert_eq!(weight(&query_ignored(&json(status, body))), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_challenge_has_one_nonce() {
        let body = r#"{"error":"use_dpop_nonce"}"#;
        let with = |status, nonces: &[&str]| {
            let headers: Vec<_> = nonces.iter().map(|n| ("DPoP-Nonce", *n)).collect();
            answered(status, &headers, body)
        };
        assert!(nonce_challenge(&with(400, &["abc"])).is_empty());
        assert_eq!(weight(&nonce_challenge(&with(401, &["abc"]))), Some(Weight::Warning));
        for bad in [&["a\"b"][..], &["a", "b"], &[]] {
            assert_eq!(weight(&nonce_challenge(&with(400, bad))), Some(Weight::Failure));
        }
    }

    #[test]
    fn symmetric_algorithms_are_noticed() {
        let with = |value: serde_json::Value| {
            let mut metadata = Metadata::default();
            metadata.set("dpop_signing_alg_values_supported", value);
            algs(&metadata)
        };
        assert!(with(serde_json::json!(["ES256", "PS256"])).is_empty());
        for bad in [serde_json::json!([]), serde_json::json!(["HS256"]), serde_json::json!("ES256")]
        {
            assert_eq!(with(bad).len(), 1);
        }
    }
}
