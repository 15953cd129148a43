//! Proofs of possession.

use aws_lc_rs::hmac;
use serde_json::{Map, Value, json};

use super::Policy;
use crate::defect::Defect::{
    ApiProofKeyUnchecked, ApiProofMethodUnchecked, ApiProofOptional, ApiProofTargetUnchecked,
    ApiProofTokenHashOptional, ApiProofTokenHashUnchecked, ApiProofTwice, BoundTokenAsBearer,
    BoundTokenAsBearerWithProof, CodeKeyIgnored, CodeKeyOptional, ConfirmationMissing,
    ConfirmationOfAnotherKey, DpopNonceTwice, DpopNonceUnchecked, DpopSymmetricAlgListed,
    ProofAlgNone, ProofFromTheFuture, ProofFromThePast, ProofJtiOptional, ProofKeyOptional,
    ProofMethodUnchecked, ProofOfHost, ProofOfPath, ProofPrivateKey, ProofSignatureUnchecked,
    ProofSymmetric, ProofTargetUnchecked, ProofTargetWithQueryRefused, ProofTwice,
    ProofTypeUnchecked, PushedCodeKeyIgnored, RefreshByAnyKey, RefreshWithoutProof,
    SenderConstraintNotOffered,
};
use crate::dpop::{Check, Place};
use crate::endpoints::access::Resource;
use crate::jwt::Parts;

const API: Place = Place::Resource(Resource::Api);

impl Policy {
    /// RFC 9449 §5.1: asymmetric algorithms.
    pub(crate) fn dpop_algs(&self) -> Option<Value> {
        match self.defect {
            Some(SenderConstraintNotOffered) => None,
            Some(DpopSymmetricAlgListed) => Some(json!(["ES256", "HS256"])),
            _ => Some(json!(["ES256"])),
        }
    }

    /// RFC 9449 §4.3: everything is verified, everywhere.
    pub(crate) fn verifies_proof(&self, place: Place, check: Check) -> bool {
        let skipped = match self.defect {
            Some(ProofTwice) => (Place::Token, Check::Single),
            Some(ProofTypeUnchecked) => (Place::Token, Check::Type),
            Some(ProofJtiOptional) => (Place::Token, Check::Jti),
            Some(ProofMethodUnchecked) => (Place::Token, Check::Method),
            Some(ProofTargetUnchecked) => (Place::Token, Check::Target),
            Some(ProofKeyOptional) => (Place::Token, Check::Key),
            Some(ProofPrivateKey) => (Place::Token, Check::PrivateKey),
            Some(ProofSignatureUnchecked) => (Place::Token, Check::Signature),
            Some(ApiProofTwice) => (API, Check::Single),
            Some(ApiProofMethodUnchecked) => (API, Check::Method),
            Some(ApiProofTargetUnchecked) => (API, Check::Target),
            Some(ApiProofTokenHashUnchecked) => (API, Check::TokenHash),
            _ => return true,
        };
        skipped != (place, check)
    }

    /// RFC 9449 §4.3: `htu` is this URI, query and fragment aside.
    pub(crate) fn is_target(&self, place: Place, here: &str, htu: &str) -> bool {
        let bare = htu.split(['?', '#']).next().unwrap_or_default();
        let path = |url: &str| url.splitn(4, '/').nth(3).map(str::to_owned);
        let host = |url: &str| url.split('/').nth(2).map(str::to_owned);
        match self.defect {
            Some(ProofTargetWithQueryRefused) if place == Place::Token => here == htu,
            Some(ProofOfPath) if place == Place::Token => path(here) == path(bare),
            Some(ProofOfHost) if place == Place::Token => host(here) == host(bare),
            _ => here == bare,
        }
    }

    /// Whether an algorithm other than ES256 protects the proof; the conformant policy knows none.
    pub(crate) fn accepts_proof_alg(
        &self,
        place: Place,
        alg: &str,
        proof: &Parts<'_>,
        jwk: &Value,
    ) -> bool {
        match self.defect {
            Some(ProofAlgNone) => place == Place::Token && alg == "none",
            // The public key taken for a shared secret.
            Some(ProofSymmetric) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, jwk.to_string().as_bytes());
                let tag = proof.signature();
                place == Place::Token
                    && alg == "HS256"
                    && hmac::verify(&key, proof.input().as_bytes(), tag).is_ok()
            }
            _ => false,
        }
    }

    /// RFC 9449 §11.1: `iat` is within a brief window around now.
    pub(crate) fn is_fresh_proof(&self, place: Place, iat: u64, now: u64, window: u64) -> bool {
        let here = place == Place::Token;
        let is_old = iat.saturating_add(window) < now && !(here && self.has(ProofFromThePast));
        let is_early = iat > now + window && !(here && self.has(ProofFromTheFuture));
        !is_old && !is_early
    }

    /// RFC 9449 §4.3: the hash of the token at hand.
    pub(crate) fn token_hash_fits(&self, place: Place, ath: Option<&str>, hash: &str) -> bool {
        match ath {
            None => place == API && self.has(ApiProofTokenHashOptional),
            Some(ath) => ath == hash,
        }
    }

    /// RFC 9449 §8: only nonces of our own.
    pub(crate) fn accepts_invented_nonce(&self, nonce: &str) -> bool {
        self.has(DpopNonceUnchecked) && !nonce.is_empty()
    }

    /// RFC 9449 §8.1: how often `DPoP-Nonce` is sent.
    pub(crate) fn nonces_per_answer(&self) -> usize {
        if self.has(DpopNonceTwice) { 2 } else { 1 }
    }

    /// RFC 9449 §6.1: the key to which the token is bound, as the token says.
    pub(crate) fn confirmation(&self, jkt: &str) -> Map<String, Value> {
        let jkt = match self.defect {
            Some(ConfirmationMissing) => return Map::new(),
            Some(ConfirmationOfAnotherKey) => "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
            _ => jkt,
        };
        Map::from_iter([("cnf".to_owned(), json!({"jkt": jkt}))])
    }

    /// RFC 9449 §10: the code is for the key that the request named.
    pub(crate) fn code_key_fits(
        &self,
        bound: Option<&str>,
        proven: Option<&str>,
        was_pushed: bool,
    ) -> bool {
        match self.defect {
            Some(CodeKeyIgnored) => true,
            Some(PushedCodeKeyIgnored) if was_pushed => true,
            Some(CodeKeyOptional) if proven.is_none() => true,
            _ => bound.is_none() || bound == proven,
        }
    }

    /// RFC 9449 §5: the refresh token of a public client is for the key of its proof.
    pub(crate) fn refresh_key_fits(&self, bound: Option<&str>, proven: Option<&str>) -> bool {
        match self.defect {
            Some(RefreshByAnyKey) if proven.is_some() => true,
            Some(RefreshWithoutProof) if proven.is_none() => true,
            _ => bound.is_none() || bound == proven,
        }
    }

    /// RFC 9449 §7.2: a bound token is no bearer token.
    pub(crate) fn admits_bound_as_bearer(&self, resource: Resource, has_proof: bool) -> bool {
        resource == Resource::Api
            && match self.defect {
                Some(BoundTokenAsBearer) => true,
                Some(BoundTokenAsBearerWithProof) => has_proof,
                _ => false,
            }
    }

    /// RFC 9449 §7.1: the proof is made with the key of the token.
    pub(crate) fn resource_key_fits(
        &self,
        resource: Resource,
        bound: &str,
        proven: Option<&str>,
    ) -> bool {
        match self.defect {
            Some(ApiProofOptional) if resource == Resource::Api && proven.is_none() => true,
            Some(ApiProofKeyUnchecked) if resource == Resource::Api && proven.is_some() => true,
            _ => proven == Some(bound),
        }
    }
}
