//! DPoP proofs (RFC 9449 §4.3).

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use axum::http::{HeaderMap, HeaderName};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::endpoints::access::Resource;
use crate::jwt::Parts;
use crate::keys::p256_point;

/// The request header field.
pub(crate) const DPOP: HeaderName = HeaderName::from_static("dpop");
/// The response header field.
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
/// How far `iat` may be from now, in seconds.
const WINDOW: u64 = 60;
/// How long a nonce is handed out, in seconds; it is accepted twice as long.
const NONCE_PERIOD: u64 = 300;

/// Where a proof is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Token,
    Pushed,
    Resource(Resource),
}

/// One property of a proof that the server verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Single,
    Type,
    Jti,
    Method,
    Target,
    Key,
    PrivateKey,
    Signature,
    TokenHash,
}

/// The request that a proof must fit.
pub(crate) struct Request<'a> {
    pub(crate) place: Place,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) access_token: Option<&'a str>,
}

/// Why a proof is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProofError {
    Invalid(&'static str),
    UseNonce,
}

/// Thumbprint of the key that the request proves to possess (RFC 7638); `None` without a proof.
pub(crate) fn proven(
    app: &App,
    headers: &HeaderMap,
    request: &Request<'_>,
) -> Result<Option<String>, ProofError> {
    let policy = &app.policy;
    let mut lines = headers.get_all(DPOP).iter();
    let Some(proof) = lines.next() else { return Ok(None) };
    let verifies = |check| policy.verifies_proof(request.place, check);
    if lines.next().is_some() && verifies(Check::Single) {
        return Err(ProofError::Invalid("more than one DPoP header field"));
    }
    let parts = proof.to_str().ok().and_then(Parts::of);
    let parts = parts.ok_or(ProofError::Invalid("the proof is no JWT"))?;
    let demand = |check, holds: bool, why| match holds || !verifies(check) {
        true => Ok(()),
        false => Err(ProofError::Invalid(why)),
    };
    let text = |name: &str| parts.claim(name).as_str().unwrap_or_default();
    demand(Check::Type, parts.header("typ") == "dpop+jwt", "typ is not dpop+jwt")?;
    demand(Check::Jti, !text("jti").is_empty(), "jti is missing")?;
    demand(Check::Method, text("htm") == request.method, "htm is another method")?;
    let is_here = policy.is_target(request.place, &app.url(request.path), text("htu"));
    demand(Check::Target, is_here, "htu is another URI")?;
    let jwk = parts.header_value("jwk");
    demand(Check::PrivateKey, jwk.get("d").is_none(), "jwk holds a private key")?;
    let jkt = match thumbprint(jwk) {
        Some(jkt) => jkt,
        None if !verifies(Check::Key) => String::new(),
        None => return Err(ProofError::Invalid("jwk is no P-256 key")),
    };
    let is_signed = policy.accepts_proof_alg(request.place, parts.header("alg"), &parts, jwk)
        || parts.header("alg") == "ES256"
            && p256_point(jwk).is_some_and(|key| {
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key);
                key.verify(parts.input().as_bytes(), parts.signature()).is_ok()
            });
    demand(Check::Signature, is_signed || jkt.is_empty(), "the signature does not verify")?;
    if app.config.dpop_nonce && !is_current_nonce(app, text("nonce")) {
        return Err(ProofError::UseNonce);
    }
    let iat = parts.claim("iat").as_u64();
    if !iat.is_some_and(|iat| policy.is_fresh_proof(request.place, iat, app.now(), WINDOW)) {
        return Err(ProofError::Invalid("iat is not recent"));
    }
    if let Some(token) = request.access_token {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(token));
        let ath = parts.claim("ath").as_str();
        let fits = policy.token_hash_fits(request.place, ath, &hash);
        demand(Check::TokenHash, fits, "ath is the hash of another token")?;
    }
    // §11.1: a proof is good for one request.
    let once = format!("{jkt} {}", text("jti"));
    if !text("jti").is_empty() && !app.state().use_proof(once, app.now() + 2 * WINDOW) {
        return Err(ProofError::Invalid("the proof has been used"));
    }
    Ok(Some(jkt))
}

/// The nonce that clients are to use now (§8): it says when it was made, and only we can make it.
pub(crate) fn nonce(app: &App) -> String {
    nonce_of(app, app.now() / NONCE_PERIOD)
}

fn nonce_of(app: &App, period: u64) -> String {
    let tag = hmac::sign(&app.nonce_key, &period.to_be_bytes());
    URL_SAFE_NO_PAD.encode(tag.as_ref())
}

fn is_current_nonce(app: &App, presented: &str) -> bool {
    let period = app.now() / NONCE_PERIOD;
    app.policy.accepts_invented_nonce(presented)
        || [period, period.saturating_sub(1)].into_iter().any(|p| nonce_of(app, p) == presented)
}

/// RFC 7638 §3.2: the required members in lexicographic order.
fn thumbprint(jwk: &Value) -> Option<String> {
    p256_point(jwk)?;
    let canonical = json!({"crv": jwk["crv"], "kty": jwk["kty"], "x": jwk["x"], "y": jwk["y"]});
    Some(URL_SAFE_NO_PAD.encode(Sha256::digest(canonical.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_9449() {
        // RFC 9449 §4.1 and §6.1: key and its jkt.
        let jwk = json!({
            "kty": "EC", "crv": "P-256",
            "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
            "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
        });
        let jkt = thumbprint(&jwk);
        assert_eq!(jkt.as_deref(), Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"));
        assert_eq!(thumbprint(&json!({"kty": "oct"})), None);
    }
}
