//! The token request: authorization codes, clients, grants.

use std::time::Duration;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Policy;
use crate::defect::Defect::{
    BadReplayRevokes, ClientCredentialsGranted, CodeExpiresLate, CodeNeverExpires,
    CodeNotBoundToClient, CodePadded, CodeRace, CodeReusable, CodeSequential, CodeShort,
    CodeSpliceable, CodeTailIgnored, CodeTruncatable, EmptySecretAccepted, ForeignIdentifierAsCode,
    GrantTypeOptional, MissingCodeGranted, MissingCodeUnsupportedGrant,
    MissingGrantTypeInvalidScope, MobileExchangeRefused, MobileSecretRequired,
    OmittedRedirectUriInvalidClient, OmittedRedirectUriServerError, PasswordGrantEnabled,
    PasswordGrantPublished, RepeatedTokenParameterFirstWins, RepeatedTokenParameterLastWins,
    ReplayDoesNotRevoke, ReplayKeepsAccessToken, ReplayKeepsRefreshToken, TokenClientIdOptional,
    TokenClientUnchecked, TokenErrorAsHtml, TokenErrorForbidden, TokenErrorOk,
    TokenErrorUnregistered, TokenGetHonoured, TokenQueryCompletesBody, TokenQueryHonoured,
    TokenRedirectUriAnyRegistered, TokenRedirectUriNotCompared, UnknownCodeAccepted,
    UnknownCodeWithoutVerifier, UnknownGrantTypeGranted, UnknownGrantTypeInvalidScope,
    UnknownTokenParameterRefused, UsedCodeWithoutVerifier,
};
use crate::endpoints::token::{GrantType, TokenError};
use crate::http::random;
use crate::params::{Params, Repeated};
use crate::seeds;
use crate::state::{Code, State};

const KNOWN: &[&str] = &[
    "grant_type",
    "code",
    "redirect_uri",
    "client_id",
    "client_secret",
    "code_verifier",
    "refresh_token",
    "scope",
    "resource",
    "username",
    "password",
];

impl Policy {
    /// A code that nobody can guess (RFC 6749 §10.10). `count` is the number of grants so far.
    pub(crate) fn authorization_code(&self, count: u64, client: &str) -> String {
        let short = || URL_SAFE_NO_PAD.encode(rand::random::<[u8; 4]>());
        match self.defect {
            Some(CodeShort) => short(),
            Some(CodeSequential) => format!("{:016}", 1_000_000 + count),
            Some(CodePadded) => {
                format!("authorization-code-of-the-example-server-{}-end-of-the-code", short())
            }
            Some(CodeSpliceable) => format!("{}.{client}", random()),
            _ => random(),
        }
    }

    /// RFC 6749 §4.1.2: ten minutes at most, in seconds; `None` is forever.
    pub(crate) fn code_lifetime(&self, configured: u64) -> Option<u64> {
        match self.defect {
            Some(CodeNeverExpires) => None,
            Some(CodeExpiresLate) => Some(3600),
            _ => Some(configured),
        }
    }

    /// OAuth 2.1 §3.2: POST only.
    pub(crate) fn answers_token_get(&self) -> bool {
        self.has(TokenGetHonoured)
    }

    /// RFC 6749 §4.1.3: parameters travel in the body.
    pub(crate) fn reads_token_query(&self) -> bool {
        self.has(TokenQueryHonoured)
    }

    /// RFC 6749 §4.1.3: what the body lacks is missing.
    pub(crate) fn completes_body_by_query(&self) -> bool {
        self.has(TokenQueryCompletesBody)
    }

    /// RFC 6749 §3.2: parameters occur once.
    pub(crate) fn repeated_token_parameter(&self, _name: &str) -> Repeated {
        match self.defect {
            Some(RepeatedTokenParameterLastWins) => Repeated::LastWins,
            Some(RepeatedTokenParameterFirstWins) => Repeated::FirstWins,
            _ => Repeated::Refused,
        }
    }

    /// RFC 6749 §3.2: unknown parameters are ignored.
    pub(crate) fn refuses_token_parameters(&self, params: &Params) -> bool {
        self.has(UnknownTokenParameterRefused) && params.names().any(|name| !KNOWN.contains(&name))
    }

    /// The grants on offer.
    pub(crate) fn grant_type(&self, presented: Option<&str>) -> Option<GrantType> {
        match (self.defect, presented) {
            (_, Some("authorization_code")) => Some(GrantType::AuthorizationCode),
            (_, Some("refresh_token")) => Some(GrantType::RefreshToken),
            (Some(PasswordGrantEnabled | PasswordGrantPublished), Some("password")) => {
                Some(GrantType::Password)
            }
            (Some(ClientCredentialsGranted | EmptySecretAccepted), Some("client_credentials")) => {
                Some(GrantType::ClientCredentials)
            }
            (Some(GrantTypeOptional), None) => Some(GrantType::ClientCredentials),
            (Some(UnknownGrantTypeGranted), Some(other)) if other.contains(':') => {
                Some(GrantType::ClientCredentials)
            }
            _ => None,
        }
    }

    /// OAuth 2.1 §4.2: not for public clients. `secret` is the empty secret, if one was sent.
    pub(crate) fn client_credentials_suffice(&self, secret: Option<&str>) -> bool {
        match self.defect {
            Some(ClientCredentialsGranted | GrantTypeOptional | UnknownGrantTypeGranted) => true,
            Some(EmptySecretAccepted) => secret.is_some(),
            _ => false,
        }
    }

    /// RFC 6749 §5.2: the error for a missing grant type.
    pub(crate) fn missing_grant_type_error(&self) -> &'static str {
        if self.has(MissingGrantTypeInvalidScope) { "invalid_scope" } else { "invalid_request" }
    }

    /// RFC 6749 §5.2: the error for an unknown grant type.
    pub(crate) fn unknown_grant_type(
        &self,
        presented: Option<&str>,
        conformant: TokenError,
    ) -> TokenError {
        if presented.is_none_or(|grant_type| !grant_type.contains(':')) {
            return conformant;
        }
        match self.defect {
            Some(UnknownGrantTypeInvalidScope) => {
                TokenError::new("invalid_scope", conformant.description)
            }
            Some(TokenErrorOk) => TokenError { status: StatusCode::OK, ..conformant },
            Some(TokenErrorForbidden) => TokenError { status: StatusCode::FORBIDDEN, ..conformant },
            Some(TokenErrorUnregistered) => TokenError { error: "bad_grant_type", ..conformant },
            Some(TokenErrorAsHtml) => TokenError { error: "", ..conformant },
            _ => conformant,
        }
    }

    /// The page in place of a JSON error: none.
    pub(crate) fn token_error_page(&self, error: TokenError) -> Option<&'static str> {
        match self.defect {
            Some(TokenErrorAsHtml) if error.error.is_empty() => {
                Some("<!DOCTYPE html><title>Bad request</title><p>Bad request")
            }
            Some(OmittedRedirectUriServerError) if error.status.is_server_error() => {
                Some("<!DOCTYPE html><title>Error</title><p>Error")
            }
            _ => None,
        }
    }

    /// OAuth 2.1 §4.1.3: a client that does not authenticate names itself.
    pub(crate) fn infers_missing_client(&self) -> bool {
        self.has(TokenClientIdOptional)
    }

    /// RFC 6749 §5.2: an unknown client is `invalid_client`.
    pub(crate) fn replaces_unknown_client(&self) -> bool {
        self.has(TokenClientUnchecked)
    }

    /// A reason not to redeem any code of the client: none, and no secret is needed.
    pub(crate) fn refuses_exchange_of(&self, client: &str) -> Option<TokenError> {
        match self.defect {
            Some(MobileExchangeRefused) if client == seeds::MOBILE => {
                Some(TokenError::new("invalid_grant", "the code is not known"))
            }
            Some(MobileSecretRequired) if client == seeds::MOBILE => {
                Some(TokenError::new("invalid_client", "client_secret is missing"))
            }
            _ => None,
        }
    }

    /// RFC 6749 §5.2: the error for a missing code.
    pub(crate) fn missing_code_error(&self) -> &'static str {
        if self.has(MissingCodeUnsupportedGrant) {
            "unsupported_grant_type"
        } else {
            "invalid_request"
        }
    }

    /// Whether an invented code is as good as a real one.
    pub(crate) fn redeems_unknown_code(&self, verifier: Option<&str>) -> bool {
        match self.defect {
            Some(UnknownCodeAccepted) => true,
            Some(UnknownCodeWithoutVerifier) => verifier.is_none(),
            _ => false,
        }
    }

    /// RFC 6749 §4.1.3: code is required.
    pub(crate) fn grants_without_code(&self) -> bool {
        self.has(MissingCodeGranted)
    }

    /// The code of the store that is presented: the one with exactly these characters.
    pub(crate) fn stored_code(&self, state: &State, presented: &str) -> Option<String> {
        let head = |code: &str| code.split('.').next().map(str::to_owned);
        let names = |text: &str, code: &Code| match self.defect {
            Some(CodeSpliceable) => head(text) == head(presented),
            Some(CodeTruncatable) => {
                text.starts_with(presented) && presented.len() + 1 == text.len()
            }
            Some(CodeTailIgnored) => presented.starts_with(text),
            Some(ForeignIdentifierAsCode) => {
                let grant = state.grants.get(&code.grant);
                grant.and_then(|g| g.nonce.as_deref()) == Some(presented)
            }
            _ => false,
        };
        if state.codes.contains_key(presented) {
            return Some(presented.to_owned());
        }
        state.codes.iter().find(|(text, code)| names(text, code)).map(|(text, _)| text.clone())
    }

    /// RFC 6749 §4.1.3: the code belongs to the client of the authorization request, whatever
    /// stands in it.
    pub(crate) fn binds_code_to_client(&self, presented: &str, client: &str) -> bool {
        match self.defect {
            Some(CodeNotBoundToClient) => false,
            Some(CodeSpliceable) => presented.split('.').nth(1) != Some(client),
            _ => true,
        }
    }

    /// RFC 6749 §4.1.3: identical to the authorization request.
    pub(crate) fn redirect_uri_repeated_correctly(
        &self,
        of_request: &str,
        presented: &str,
        registered: &[&str],
    ) -> bool {
        match self.defect {
            Some(TokenRedirectUriNotCompared) => true,
            Some(TokenRedirectUriAnyRegistered) => {
                of_request == presented || registered.contains(&presented)
            }
            _ => of_request == presented,
        }
    }

    /// OAuth 2.1 §10.2: a token request may omit redirect_uri.
    pub(crate) fn omitted_redirect_uri(&self) -> Result<(), TokenError> {
        let error = TokenError::new("invalid_client", "redirect_uri is missing");
        match self.defect {
            Some(OmittedRedirectUriServerError) => Err(TokenError {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                error: "server_error",
                ..error
            }),
            Some(OmittedRedirectUriInvalidClient) => Err(error),
            _ => Ok(()),
        }
    }

    /// OAuth 2.1 §4.1.3: a code works once.
    pub(crate) fn code_is_single_use(&self, verifier: Option<&str>) -> bool {
        match self.defect {
            Some(CodeReusable) => false,
            Some(UsedCodeWithoutVerifier) => verifier.is_some(),
            _ => true,
        }
    }

    /// How long others may pass between the check of a code and its use: not at all.
    pub(crate) fn gap_between_check_and_use(&self) -> Option<Duration> {
        self.has(CodeRace).then_some(Duration::from_millis(20))
    }

    /// RFC 6749 §4.1.2: a replay ends the access tokens of the code.
    pub(crate) fn replay_revokes_access(&self) -> bool {
        !matches!(self.defect, Some(ReplayDoesNotRevoke | ReplayKeepsAccessToken))
    }

    /// RFC 6749 §4.1.2: a replay ends the refresh tokens of the code.
    pub(crate) fn replay_revokes_refresh(&self) -> bool {
        !matches!(self.defect, Some(ReplayDoesNotRevoke | ReplayKeepsRefreshToken))
    }

    /// OAuth 2.1 §7.5.3: a replay without the verifier is no proof of theft.
    pub(crate) fn bad_replay_revokes(&self) -> bool {
        self.has(BadReplayRevokes)
    }
}
