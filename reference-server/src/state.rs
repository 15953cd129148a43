//! Everything the server remembers, in memory.

use std::collections::{HashMap, HashSet};

use crate::clients::User;
use crate::endpoints::authorization_request::AuthorizationRequest;
use crate::params::Params;
use crate::pkce::Challenge;
use crate::scope::Scope;
use crate::wallet::WalletLogin;

/// Codes are kept for a day after their expiry, to notice a replay; other things as long.
const REMEMBERED: u64 = 86_400;

/// The stores, by the secret that names an entry.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) browsers: HashMap<String, Browser>,
    /// By the `state` of the request for a presentation.
    pub(crate) logins: HashMap<String, WalletLogin>,
    pub(crate) codes: HashMap<String, Code>,
    pub(crate) pushed: HashMap<String, Pushed>,
    pub(crate) grants: HashMap<u64, Grant>,
    pub(crate) access_tokens: HashMap<String, AccessToken>,
    pub(crate) refresh_tokens: HashMap<String, RefreshToken>,
    pub(crate) id_tokens: HashMap<String, IdToken>,
    /// Proofs that have been used, with the time until which they would be fresh.
    proofs: HashMap<String, u64>,
    consents: HashSet<(&'static str, &'static str, String)>,
    issued: u64,
}

/// A user agent, known by its cookie.
#[derive(Default)]
pub(crate) struct Browser {
    pub(crate) session: Option<Session>,
    pub(crate) pending: HashMap<String, Pending>,
    /// When it was last sent to a page, in seconds since the epoch.
    pub(crate) seen_at: u64,
    /// Guards the logout form.
    pub(crate) csrf: String,
}

/// A signed-in user.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) user: &'static User,
    pub(crate) auth_time: u64,
    pub(crate) sid: String,
    pub(crate) expires_at: u64,
}

/// An authorization request that waits for the user.
#[derive(Clone)]
pub(crate) struct Pending {
    pub(crate) request: AuthorizationRequest,
    pub(crate) csrf: String,
    /// The user signed in during this request, which satisfies `prompt=login` and `max_age`.
    pub(crate) signed_in: bool,
}

/// What the user allowed the client.
#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) id: u64,
    pub(crate) client: &'static str,
    pub(crate) user: &'static User,
    pub(crate) scope: Scope,
    pub(crate) requested: Scope,
    pub(crate) audience: Vec<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) auth_time: u64,
    pub(crate) sid: String,
    pub(crate) access_revoked: bool,
    pub(crate) refresh_revoked: bool,
}

/// A pushed authorization request.
pub(crate) struct Pushed {
    pub(crate) client: &'static str,
    pub(crate) params: Params,
    pub(crate) expires_at: u64,
}

/// An authorization code.
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) grant: u64,
    pub(crate) client: &'static str,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<Challenge>,
    /// Thumbprint of the key that must redeem it.
    pub(crate) key: Option<String>,
    pub(crate) was_pushed: bool,
    pub(crate) expires_at: u64,
    pub(crate) used: bool,
}

/// An access token as issued.
#[derive(Clone)]
pub(crate) struct AccessToken {
    /// What it stands for, where it is opaque.
    pub(crate) jwt: Option<String>,
    pub(crate) grant: u64,
    pub(crate) scope: Scope,
    /// Thumbprint of the key that it is bound to.
    pub(crate) key: Option<String>,
    pub(crate) expires_at: u64,
    pub(crate) revoked: bool,
}

/// A refresh token, valid for one use.
#[derive(Clone)]
pub(crate) struct RefreshToken {
    pub(crate) grant: u64,
    /// Thumbprint of the key that it is bound to.
    pub(crate) key: Option<String>,
    /// The end of the whole chain, in seconds since the epoch.
    pub(crate) expires_at: u64,
    /// When it was first used.
    pub(crate) used_at: Option<u64>,
    /// The token that took its place.
    pub(crate) successor: Option<String>,
    pub(crate) revoked: bool,
}

/// An ID token as issued, to recognise it as `id_token_hint`.
#[derive(Clone)]
pub(crate) struct IdToken {
    pub(crate) client: &'static str,
    pub(crate) sid: String,
    pub(crate) issued_at: u64,
}

impl State {
    /// Stores a grant under a fresh number.
    pub(crate) fn add_grant(&mut self, mut grant: Grant) -> Grant {
        self.issued += 1;
        grant.id = self.issued;
        self.grants.insert(grant.id, grant.clone());
        grant
    }

    /// Gives a browser another identifier, under which its logins go on.
    pub(crate) fn rename_browser(&mut self, from: &str, to: &str) {
        if let Some(browser) = self.browsers.remove(from) {
            self.browsers.insert(to.to_owned(), browser);
        }
        for login in self.logins.values_mut().filter(|login| login.browser == from) {
            to.clone_into(&mut login.browser);
        }
    }

    /// Takes note of a proof; false, if it has been used.
    pub(crate) fn use_proof(&mut self, proof: String, fresh_until: u64) -> bool {
        self.proofs.insert(proof, fresh_until).is_none()
    }

    /// How many grants have been given, for a policy that counts.
    pub(crate) fn count(&self) -> u64 {
        self.issued
    }

    /// Ends a grant: none of its tokens works any more.
    pub(crate) fn revoke(&mut self, grant: u64) {
        if let Some(grant) = self.grants.get_mut(&grant) {
            grant.access_revoked = true;
            grant.refresh_revoked = true;
        }
    }

    /// Ends the refresh tokens of a login session, except those for offline access.
    pub(crate) fn end_session(&mut self, sid: &str) {
        for grant in self.grants.values_mut().filter(|g| g.sid == sid) {
            grant.refresh_revoked |= !grant.scope.contains("offline_access");
        }
    }

    /// The token and its grant, unless expired or revoked.
    pub(crate) fn live_access_token(
        &self,
        token: &str,
        now: u64,
    ) -> Option<(&AccessToken, &Grant)> {
        let entry = self.access_tokens.get(token).filter(|t| !t.revoked && t.expires_at > now)?;
        let grant = self.grants.get(&entry.grant).filter(|g| !g.access_revoked)?;
        Some((entry, grant))
    }

    pub(crate) fn remember_consent(
        &mut self,
        user: &'static User,
        client: &'static str,
        scope: &Scope,
    ) {
        self.consents.insert((user.username, client, scope.sorted()));
    }

    pub(crate) fn has_consent(
        &self,
        user: &'static User,
        client: &'static str,
        scope: &Scope,
    ) -> bool {
        self.consents.contains(&(user.username, client, scope.sorted()))
    }

    /// The user approved the client once, whatever the scope was.
    pub(crate) fn has_any_consent(&self, user: &'static User, client: &'static str) -> bool {
        self.consents.iter().any(|(name, id, _)| *name == user.username && *id == client)
    }

    /// Drops what can no longer matter. Called now and then, since it looks at every entry.
    pub(crate) fn tidy(&mut self, now: u64) {
        if self.issued.is_multiple_of(1024) {
            self.codes.retain(|_, c| c.expires_at.saturating_add(REMEMBERED) > now);
            self.pushed.retain(|_, p| p.expires_at > now);
            self.proofs.retain(|_, fresh_until| *fresh_until > now);
            self.access_tokens.retain(|_, t| t.expires_at > now);
            self.refresh_tokens.retain(|_, t| t.expires_at > now);
            self.browsers.retain(|_, b| {
                b.seen_at + REMEMBERED > now
                    || b.session.as_ref().is_some_and(|s| s.expires_at > now)
            });
            self.id_tokens.retain(|_, t| t.issued_at + 30 * REMEMBERED > now);
        }
    }
}
