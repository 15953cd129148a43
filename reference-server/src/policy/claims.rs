//! The contents of ID tokens and access tokens.

use serde_json::{Map, Value, json};

use super::Policy;
use crate::defect::Defect::{
    AccessTokenAudClient, AccessTokenAudMissing, AccessTokenClientIdMissing, AccessTokenForgeable,
    AccessTokenJtiConstant, AccessTokenJtiMissing, AccessTokenSubClient, IdTokenAudMissing,
    IdTokenAudResource, IdTokenExpired, IdTokenFromTheFuture, IdTokenIssForeign,
    IdTokenIssTrailingSlash, IdTokenMilliseconds, IdTokenSubNumber, IdTokenSubOfSession,
    IdTokenSubTooLong, IdTokenTimesAsStrings, NonceLowerCased, NonceMissing, TokensAlike,
};

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
            Some(IdTokenSubNumber) => change(&mut claims, "sub", |_| json!(1001)),
            Some(IdTokenSubTooLong) => change(&mut claims, "sub", |_| json!("a".repeat(256))),
            Some(IdTokenSubOfSession) => {
                let sid = claims.get("sid").cloned().unwrap_or_default();
                change(&mut claims, "sub", |_| sid);
            }
            Some(TokensAlike) => change(&mut claims, "aud", |client| json!([client, resource])),
            Some(NonceMissing) => drop(claims.remove("nonce")),
            Some(NonceLowerCased) => change(&mut claims, "nonce", |nonce| {
                json!(nonce.as_str().unwrap_or_default().to_lowercase())
            }),
            _ => {}
        }
        claims
    }

    /// RFC 9068 §2.2: the claims as they should be.
    pub(crate) fn access_token_claims(&self, mut claims: Claims) -> Claims {
        match self.defect {
            Some(AccessTokenJtiMissing) => drop(claims.remove("jti")),
            Some(AccessTokenJtiConstant) => change(&mut claims, "jti", |_| json!("access-token")),
            Some(AccessTokenClientIdMissing) => drop(claims.remove("client_id")),
            Some(AccessTokenForgeable) => {
                change(&mut claims, "jti", |_| json!(rand::random::<u32>().to_string()));
            }
            Some(AccessTokenAudMissing) => drop(claims.remove("aud")),
            Some(AccessTokenAudClient) => {
                let client = claims.get("client_id").cloned().unwrap_or_default();
                change(&mut claims, "aud", |_| client);
            }
            Some(AccessTokenSubClient) => {
                let client = claims.get("client_id").cloned().unwrap_or_default();
                change(&mut claims, "sub", |_| client);
            }
            Some(TokensAlike) => {
                let client = claims.get("client_id").cloned().unwrap_or_default();
                change(&mut claims, "aud", |resource| json!([client, resource]));
            }
            _ => {}
        }
        claims
    }
}
