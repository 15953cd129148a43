//! What counts as an access token at the API and at UserInfo.

use serde_json::Value;

use super::Policy;
use super::authorization::fetch;
use crate::defect::Defect::{
    AlgNoneAccepted, AlgNoneOtherCaseAccepted, AudienceComparedByOrigin, AudienceUnchecked,
    BasicTokenUnscoped, CodeAsAccessToken, ExpiredTokenAccepted, ExpiredTokenAcceptedForAnHour,
    FormTokenUnscoped, JkuFetched, JkuTrusted, JwkHeaderTrusted, KidReadsFile, PublicJwkAsSecret,
    PublicPemAsSecret, QueryTokenAccepted, RefreshTokenAsAccessToken, SchemeCaseSensitive,
    SchemeUpperCaseUnknown, ScopeUnchecked, SignatureUnchecked, TruncatedTokenAccepted,
    UserinfoCodeAccepted, UserinfoRefreshTokenAccepted, UserinfoWithoutOpenid, X5cHeaderTrusted,
};
use crate::endpoints::access::{Place, Resource};
use crate::jwt::Parts;
use crate::keys::Keys;

/// Shortest beginning of a token that a server with [`TruncatedTokenAccepted`] completes.
const RECOGNISED: usize = 32;

impl Policy {
    /// RFC 9110 §11.1: the scheme is compared without regard to case.
    pub(crate) fn is_bearer_scheme(&self, presented: &str) -> bool {
        match self.defect {
            Some(SchemeCaseSensitive) => presented == "Bearer",
            Some(SchemeUpperCaseUnknown) if presented == "BEARER" => false,
            _ => presented.eq_ignore_ascii_case("Bearer"),
        }
    }

    /// Of the ways of OAuth 2.1 §5.1 this server reads the header field alone.
    pub(crate) fn reads_token_from(&self, resource: Resource, place: Place) -> bool {
        let place_of_defect = match self.defect {
            Some(QueryTokenAccepted) => Place::Query,
            Some(FormTokenUnscoped) => Place::Form,
            Some(BasicTokenUnscoped) => Place::Basic,
            _ => return false,
        };
        resource == Resource::Api && place == place_of_defect
    }

    /// OAuth 2.1 §5.2: the scope counts, wherever the token stands.
    pub(crate) fn enforces_scope(&self, resource: Resource, place: Place) -> bool {
        match (self.defect, resource) {
            (Some(ScopeUnchecked), Resource::Api) => false,
            (Some(FormTokenUnscoped), Resource::Api) => place != Place::Form,
            (Some(BasicTokenUnscoped), Resource::Api) => place != Place::Basic,
            (Some(UserinfoWithoutOpenid), Resource::Userinfo) => false,
            _ => true,
        }
    }

    /// OAuth 2.1 §1.3.2: refresh tokens are for the token endpoint alone.
    pub(crate) fn admits_refresh_token(&self, resource: Resource) -> bool {
        self.defect
            == Some(match resource {
                Resource::Api => RefreshTokenAsAccessToken,
                Resource::Userinfo => UserinfoRefreshTokenAccepted,
            })
    }

    /// The same for codes.
    pub(crate) fn admits_code(&self, resource: Resource) -> bool {
        self.defect
            == Some(match resource {
                Resource::Api => CodeAsAccessToken,
                Resource::Userinfo => UserinfoCodeAccepted,
            })
    }

    /// A token counts as a whole.
    pub(crate) fn completes_tokens(&self, resource: Resource, presented: &str) -> bool {
        let is_recognised = presented.len() >= RECOGNISED;
        self.has(TruncatedTokenAccepted) && resource == Resource::Api && is_recognised
    }

    /// RFC 9068 §4, RFC 8725 §3.1, §3.8: signed with a key of ours, by the algorithm of the key.
    pub(crate) async fn is_genuine(
        &self,
        resource: Resource,
        parts: &Parts<'_>,
        keys: &Keys,
    ) -> bool {
        let genuine = parts.is_signed_by(keys);
        let alg = parts.header("alg");
        let defect = self.defect.filter(|_| resource == Resource::Api);
        genuine
            || match defect {
                Some(SignatureUnchecked) => true,
                Some(AlgNoneAccepted) => alg == "none" && parts.is_unsigned(),
                Some(AlgNoneOtherCaseAccepted) => {
                    alg != "none" && alg.eq_ignore_ascii_case("none") && parts.is_unsigned()
                }
                Some(PublicPemAsSecret) => {
                    parts.is_keyed_with(keys.active().public_pem().as_bytes())
                }
                Some(PublicJwkAsSecret) => {
                    parts.is_keyed_with(keys.active().public_jwk().to_string().as_bytes())
                }
                Some(JwkHeaderTrusted) => parts.is_signed_with(parts.header_member("jwk")),
                Some(X5cHeaderTrusted) => parts.header_member("x5c").is_array(),
                Some(KidReadsFile) => std::fs::read(format!("/{}", parts.header("kid")))
                    .is_ok_and(|secret| parts.is_keyed_with(&secret)),
                Some(JkuFetched) => fetched_keys(parts).await.is_some() && genuine,
                Some(JkuTrusted) => fetched_keys(parts)
                    .await
                    .is_some_and(|keys| keys.iter().any(|key| parts.is_signed_with(key))),
                _ => false,
            }
    }

    /// A server with such a defect accepts tokens that it never issued.
    pub(crate) fn trusts_claims_alone(&self, resource: Resource) -> bool {
        let forgeable = [
            SignatureUnchecked,
            AlgNoneAccepted,
            AlgNoneOtherCaseAccepted,
            PublicPemAsSecret,
            PublicJwkAsSecret,
            JwkHeaderTrusted,
            X5cHeaderTrusted,
            KidReadsFile,
            JkuTrusted,
        ];
        resource == Resource::Api && self.defect.is_some_and(|defect| forgeable.contains(&defect))
    }

    /// RFC 9068 §4: the time by which tokens expire.
    pub(crate) fn time_of_expiry(&self, resource: Resource, now: u64) -> u64 {
        match self.defect.filter(|_| resource == Resource::Api) {
            Some(ExpiredTokenAccepted) => 0,
            Some(ExpiredTokenAcceptedForAnHour) => now.saturating_sub(3600),
            _ => now,
        }
    }

    /// RFC 9068 §4: the audience contains the resource.
    pub(crate) fn is_meant_for(&self, parts: &Parts<'_>, resource: &str, origin: &str) -> bool {
        match self.defect {
            Some(AudienceUnchecked) => true,
            Some(AudienceComparedByOrigin) => {
                parts.claim("aud").as_str().is_some_and(|aud| aud.starts_with(origin))
                    || parts.is_for(resource)
            }
            _ => parts.is_for(resource),
        }
    }
}

/// The keys at the address in the header.
async fn fetched_keys(parts: &Parts<'_>) -> Option<Vec<Value>> {
    let answer = fetch(parts.header_member("jku").as_str()?).await?;
    let body = answer.windows(4).position(|w| w == b"\r\n\r\n")?;
    let document: Value = serde_json::from_slice(&answer[body + 4..]).ok()?;
    document.get("keys")?.as_array().cloned()
}
