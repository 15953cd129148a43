//! The contents of ID tokens and access tokens.

use serde_json::{Map, Value, json};

use super::Policy;
use crate::defect::Defect::{
    AccessTokenClientIdMissing, AccessTokenJtiConstant, AccessTokenJtiMissing,
    AccessTokenSignatureWrong, AccessTokenUnsigned, IdTokenAudMissing, IdTokenAudResource,
    IdTokenExpired, IdTokenFromTheFuture, IdTokenIssForeign, IdTokenIssTrailingSlash,
    IdTokenMilliseconds, IdTokenSignatureWrong, IdTokenTimesAsStrings, IdTokenUnsigned,
    NonceLowerCased, NonceMissing,
};
use crate::jwt::Sealing;

type Claims = Map<String, Value>;

fn change(claims: &mut Claims, name: &str, to: impl FnOnce(Value) -> Value) {
    if let Some(value) = claims.get_mut(name) {
        *value = to(value.take());
    }
}

fn seconds(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

impl Policy {
    /// OpenID Connect Core 1.0 §2: the claims as they should be. `resource` is the API.
    pub(crate) fn id_token_claims(&self, mut claims: Claims, resource: &str) -> Claims {
        let times = ["iat", "exp", "auth_time"];
        match self.defect {
            Some(IdTokenIssTrailingSlash) => change(&mut claims, "iss", |iss| {
                json!(format!("{}/", iss.as_str().unwrap_or_default()))
            }),
            Some(IdTokenIssForeign) => {
                change(&mut claims, "iss", |_| json!("https://as.example.test"))
            }
            Some(IdTokenAudResource) => change(&mut claims, "aud", |_| json!(resource)),
            Some(IdTokenAudMissing) => drop(claims.remove("aud")),
            Some(IdTokenExpired) => {
                let iat = claims.get("iat").cloned().unwrap_or_default();
                change(&mut claims, "exp", |_| json!(seconds(&iat).saturating_sub(600)));
            }
            Some(IdTokenFromTheFuture) => {
                for name in ["iat", "exp"] {
                    change(&mut claims, name, |at| json!(seconds(&at) + 3600));
                }
            }
            Some(IdTokenMilliseconds) => times
                .iter()
                .for_each(|name| change(&mut claims, name, |at| json!(seconds(&at) * 1000))),
            Some(IdTokenTimesAsStrings) => {
                times.iter().for_each(|name| change(&mut claims, name, |at| json!(at.to_string())))
            }
            Some(NonceMissing) => drop(claims.remove("nonce")),
            Some(NonceLowerCased) => change(&mut claims, "nonce", |nonce| {
                json!(nonce.as_str().unwrap_or_default().to_lowercase())
            }),
            _ => {}
        }
        claims
    }

    /// How ID tokens are protected.
    pub(crate) fn id_token_sealing(&self) -> Sealing {
        match self.defect {
            Some(IdTokenSignatureWrong) => Sealing::WronglySigned,
            Some(IdTokenUnsigned) => Sealing::Unsigned,
            _ => Sealing::Signed,
        }
    }

    /// RFC 9068 §2.2: the claims as they should be.
    pub(crate) fn access_token_claims(&self, mut claims: Claims) -> Claims {
        match self.defect {
            Some(AccessTokenJtiMissing) => drop(claims.remove("jti")),
            Some(AccessTokenJtiConstant) => change(&mut claims, "jti", |_| json!("access-token")),
            Some(AccessTokenClientIdMissing) => drop(claims.remove("client_id")),
            _ => {}
        }
        claims
    }

    /// How access tokens are protected (RFC 9068 §2.1).
    pub(crate) fn access_token_sealing(&self) -> Sealing {
        match self.defect {
            Some(AccessTokenSignatureWrong) => Sealing::WronglySigned,
            Some(AccessTokenUnsigned) => Sealing::Unsigned,
            _ => Sealing::Signed,
        }
    }

    /// RFC 9068 §4: resources verify the signature.
    pub(crate) fn verifies_access_tokens(&self) -> bool {
        self.access_token_sealing() == Sealing::Signed
    }
}
