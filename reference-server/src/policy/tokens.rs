//! Tokens apart from their claims: signature, header, hash and chance.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::Policy;
use crate::defect::Defect::{
    AccessTokenAudClient, AccessTokenAudMissing, AccessTokenForgeable, AccessTokenSignatureWrong,
    AccessTokenUnsigned, AccessTokenUntyped, AtHashRightHalf, AtHashWhole, IdTokenKeyEmbedded,
    IdTokenKeyPointer, IdTokenKidMissing, IdTokenKidUnknown, IdTokenMac, IdTokenSignatureWrong,
    IdTokenTypedAsAccessToken, IdTokenUnsigned, MobileIdTokenMac, RefreshTokenPadded,
    RefreshTokenSequential, RefreshTokenShort, TokensAlike,
};
use crate::http::random;
use crate::jwt::Sealing;
use crate::keys::Key;
use crate::seeds;

impl Policy {
    /// How ID tokens are protected (OpenID Connect Core 1.0 §10.1).
    pub(crate) fn id_token_sealing(&self, client: &str) -> Sealing {
        match self.defect {
            Some(IdTokenSignatureWrong) => Sealing::WronglySigned,
            Some(IdTokenUnsigned) => Sealing::Unsigned,
            Some(IdTokenMac) => Sealing::Mac,
            Some(MobileIdTokenMac) if client == seeds::MOBILE => Sealing::Mac,
            _ => Sealing::Signed,
        }
    }

    /// The header of ID tokens: type, algorithm and the name of the key (OpenID Connect Core 1.0
    /// §2, §10.1).
    pub(crate) fn id_token_header(
        &self,
        mut header: Map<String, Value>,
        key: &Key,
    ) -> Map<String, Value> {
        let (name, value) = match self.defect {
            Some(IdTokenKidMissing) => ("kid", None),
            Some(IdTokenKidUnknown) => ("kid", Some(json!("a-key-of-yesterday"))),
            Some(IdTokenKeyEmbedded) => ("jwk", Some(key.public_jwk())),
            Some(IdTokenKeyPointer) => ("jku", Some(json!("https://as.example.test/jwks"))),
            Some(IdTokenTypedAsAccessToken) => ("typ", Some(json!("at+jwt"))),
            _ => return header,
        };
        match value {
            Some(value) => drop(header.insert(name.to_owned(), value)),
            None => drop(header.remove(name)),
        }
        header
    }

    /// OpenID Connect Core 1.0 §3.1.3.6: the left half.
    pub(crate) fn half_of_hash<'a>(&self, hash: &'a [u8]) -> &'a [u8] {
        let (left, right) = hash.split_at(hash.len() / 2);
        match self.defect {
            Some(AtHashRightHalf) => right,
            Some(AtHashWhole) => hash,
            _ => left,
        }
    }

    /// How access tokens are protected (RFC 9068 §2.1).
    pub(crate) fn access_token_sealing(&self) -> Sealing {
        match self.defect {
            Some(AccessTokenSignatureWrong) => Sealing::WronglySigned,
            Some(AccessTokenUnsigned | AccessTokenForgeable) => Sealing::Unsigned,
            _ => Sealing::Signed,
        }
    }

    /// RFC 9068 §4: resources verify the signature.
    pub(crate) fn verifies_access_tokens(&self) -> bool {
        self.access_token_sealing() == Sealing::Signed
    }

    /// RFC 9068 §2.1: the type, by which resources know access tokens.
    pub(crate) fn access_token_typ(&self) -> &'static str {
        match self.defect {
            Some(AccessTokenUntyped | TokensAlike) => "JWT",
            _ => "at+jwt",
        }
    }

    /// RFC 9068 §4: resources compare `aud`, which the server therefore sets.
    pub(crate) fn names_audience(&self) -> bool {
        !matches!(self.defect, Some(AccessTokenAudMissing | AccessTokenAudClient))
    }

    /// A refresh token that nobody can guess (RFC 6749 §10.10). `count` is the number of those
    /// that were issued before.
    pub(crate) fn refresh_token(&self, count: usize) -> String {
        let short = || URL_SAFE_NO_PAD.encode(rand::random::<[u8; 4]>());
        match self.defect {
            Some(RefreshTokenShort) => short(),
            Some(RefreshTokenSequential) => format!("{:032}", 1_000_000 + count),
            Some(RefreshTokenPadded) => {
                format!("refresh-token-of-the-example-server-{}-end-of-the-token", short())
            }
            _ => random(),
        }
    }
}
