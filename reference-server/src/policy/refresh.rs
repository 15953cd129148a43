//! The refresh token grant.

use std::time::Duration;

use super::Policy;
use crate::clients::User;
use crate::defect::Defect::{
    AccessTokenRefreshes, IdTokenRefreshes, LogoutKeepsRefreshToken, MissingRefreshTokenAccepted,
    OldRefreshTokenGrace, OldRefreshTokenWorks, OldRefreshTokenWorksForAnHour,
    RefreshClientIdOptional, RefreshForUnknownClient, RefreshLifetimeProlonged,
    RefreshNotBoundToClient, RefreshRace, RefreshRefused, RefreshResourceAdded,
    RefreshResourceWidened, RefreshScopeNarrowingIgnored, RefreshScopeUnbounded,
    RefreshScopeWidened, RefreshScopeWidenedSilently, RefreshTokenKept, RefreshTokenNeverExpires,
    RefreshTokenRepeated, RefreshedAuthTimeNew, RefreshedForAnotherUser, RefreshedIatKept,
    RefreshedNonceNew, ReuseEndsSuccessorOnly, ReuseKeepsAccessToken, ReuseKeepsFamily,
    UnknownRefreshTokenAccepted,
};
use crate::http::random;
use crate::scope::Scope;
use crate::state::Grant;

impl Policy {
    /// Whether refresh tokens are of any use.
    pub(crate) fn refresh_tokens_work(&self) -> bool {
        !self.has(RefreshRefused)
    }

    /// Whether an invented refresh token is as good as a real one.
    pub(crate) fn refreshes_unknown_token(&self) -> bool {
        self.has(UnknownRefreshTokenAccepted)
    }

    /// Whether a refresh needs no refresh token.
    pub(crate) fn refreshes_without_token(&self) -> bool {
        self.has(MissingRefreshTokenAccepted)
    }

    /// Whether an access token serves as refresh token.
    pub(crate) fn access_token_refreshes(&self) -> bool {
        self.has(AccessTokenRefreshes)
    }

    /// Whether an ID token serves as refresh token.
    pub(crate) fn id_token_refreshes(&self) -> bool {
        self.has(IdTokenRefreshes)
    }

    /// RFC 6749 §10.4: the token belongs to the client that it was issued to.
    pub(crate) fn binds_refresh_to_client(&self) -> bool {
        !self.has(RefreshNotBoundToClient)
    }

    /// A public client names itself here as well, though OAuth 2.1 §4.3.1 leaves that open.
    pub(crate) fn infers_missing_client_of_refresh(&self) -> bool {
        self.has(RefreshClientIdOptional)
    }

    /// RFC 6749 §5.2: an unknown client is `invalid_client` here as well.
    pub(crate) fn replaces_unknown_client_of_refresh(&self) -> bool {
        self.has(RefreshForUnknownClient)
    }

    /// RFC 9700 §4.14.2: every refresh yields a new refresh token, and the used one dies.
    pub(crate) fn rotates_refresh_tokens(&self) -> bool {
        !matches!(self.defect, Some(RefreshTokenRepeated | RefreshTokenKept))
    }

    /// Whether a response without rotation repeats the refresh token.
    pub(crate) fn repeats_refresh_token(&self) -> bool {
        self.has(RefreshTokenRepeated)
    }

    /// Whether a refresh token works again that many seconds after its first use: never.
    pub(crate) fn used_refresh_token_works(&self, seconds: u64) -> bool {
        match self.defect {
            Some(OldRefreshTokenWorks) => true,
            Some(OldRefreshTokenWorksForAnHour) => seconds < 3600,
            Some(OldRefreshTokenGrace) => seconds < 30,
            _ => false,
        }
    }

    /// How long others may pass between the check of a refresh token and its use: not at all.
    pub(crate) fn gap_between_check_and_rotation(&self) -> Option<Duration> {
        self.has(RefreshRace).then_some(Duration::from_millis(20))
    }

    /// RFC 9700 §4.14.2: a reuse ends the active refresh token.
    pub(crate) fn reuse_ends_refresh(&self) -> bool {
        !matches!(self.defect, Some(ReuseKeepsFamily | ReuseEndsSuccessorOnly))
    }

    /// And whatever took the place of the reused token.
    pub(crate) fn reuse_ends_successor(&self) -> bool {
        !self.has(ReuseKeepsFamily)
    }

    /// Access tokens of the grant end with it.
    pub(crate) fn reuse_ends_access(&self) -> bool {
        !matches!(
            self.defect,
            Some(ReuseKeepsFamily | ReuseEndsSuccessorOnly | ReuseKeepsAccessToken)
        )
    }

    /// RFC 6749 §6: the scope of the grant or a part of it; `None` for more or for nothing.
    pub(crate) fn refreshed_scope(
        &self,
        granted: &Scope,
        requested: Scope,
        of_client: &[&str],
    ) -> Option<Scope> {
        let is_covered = granted.covers(&requested);
        match self.defect {
            Some(RefreshScopeWidened) if !is_covered => {
                Some(requested.filter(|token| of_client.contains(&token)))
            }
            Some(RefreshScopeUnbounded) => Some(requested),
            // The response will not tell.
            Some(RefreshScopeWidenedSilently) if !is_covered => Some(granted.clone()),
            _ => Some(requested).filter(|scope| is_covered && !scope.is_empty()),
        }
    }

    /// The scope inside the access token: the one that the response reports.
    pub(crate) fn scope_of_refreshed_token(&self, grant: &Grant, reported: &Scope) -> Scope {
        match self.defect {
            Some(RefreshScopeWidenedSilently) => {
                crate::seeds::CLIENT_SCOPES.iter().fold(grant.scope.clone(), |s, t| s.with(t))
            }
            Some(RefreshScopeNarrowingIgnored) => grant.scope.clone(),
            _ => reported.clone(),
        }
    }

    /// RFC 8707 §2.2: resources of the grant or a part of them; `None` for others.
    pub(crate) fn refreshed_audience(
        &self,
        granted: &[String],
        named: &[&str],
    ) -> Option<Vec<String>> {
        let chosen = || named.iter().map(|resource| (*resource).to_owned());
        match self.defect {
            Some(RefreshResourceWidened) if !named.is_empty() => Some(chosen().collect()),
            Some(RefreshResourceAdded) => {
                let more = chosen().filter(|resource| !granted.contains(resource));
                Some(granted.iter().cloned().chain(more).collect())
            }
            _ if named.is_empty() => Some(granted.to_vec()),
            _ => Some(chosen().collect())
                .filter(|all: &Vec<_>| all.iter().all(|resource| granted.contains(resource))),
        }
    }

    /// RFC 10017 §6.3.2.3: a rotated token ends when the first of its chain would have ended.
    pub(crate) fn rotated_token_expires_at(&self, end_of_chain: u64, prolonged: u64) -> u64 {
        if self.has(RefreshLifetimeProlonged) { prolonged } else { end_of_chain }
    }

    /// The lifetime of a chain of refresh tokens in seconds.
    pub(crate) fn refresh_token_lifetime(&self, configured: u64) -> u64 {
        const CENTURY: u64 = 100 * 365 * 86_400;
        if self.has(RefreshTokenNeverExpires) { CENTURY } else { configured }
    }

    /// OpenID Connect Core 1.0 §12.2: the same subject.
    pub(crate) fn refreshed_user(&self, user: &'static User) -> &'static User {
        if self.has(RefreshedForAnotherUser) { User::other_than(user) } else { user }
    }

    /// OpenID Connect Core 1.0 §12.2: no nonce, or the same.
    pub(crate) fn refreshed_nonce(&self) -> Option<String> {
        self.has(RefreshedNonceNew).then(random)
    }

    /// OpenID Connect Core 1.0 §12.2: the time of the original authentication.
    pub(crate) fn refreshed_auth_time(&self, original: u64, now: u64) -> u64 {
        if self.has(RefreshedAuthTimeNew) { now } else { original }
    }

    /// OpenID Connect Core 1.0 §12.2: the time of the refresh.
    pub(crate) fn refreshed_iat(&self, original: u64, now: u64) -> u64 {
        if self.has(RefreshedIatKept) { original } else { now }
    }

    /// RFC 10017 §6.3.2.3: with the session end its refresh tokens, unless access is offline
    /// (OpenID Connect Core 1.0 §11).
    pub(crate) fn logout_ends_refresh(&self) -> bool {
        !self.has(LogoutKeepsRefreshToken)
    }
}
