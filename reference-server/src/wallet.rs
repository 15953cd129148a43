//! The login with a wallet: what the server asks for, what it remembers of it, and what it accepts
//! (OpenID for Verifiable Presentations 1.0).

pub(crate) mod dcql;
pub(crate) mod did_key;
pub(crate) mod presentation;
pub(crate) mod sd_jwt;

use std::io;

use tokio::sync::oneshot;

use crate::config::SigningAlgorithm;
use crate::keys::Key;
use crate::state::Pending;
use did_key::PublicKey;

/// How long a login may take, in seconds from the authorization request.
pub(crate) const LIFETIME: u64 = 120;
/// How many logins may wait at a time.
pub(crate) const MOST_LOGINS: usize = 10_000;

/// The server as a verifier, which wallets know by its key.
pub(crate) struct Verifier {
    pub(crate) key: Key,
    /// The did:key.
    pub(crate) client_id: String,
}

impl Verifier {
    pub(crate) fn generate() -> io::Result<Self> {
        let mut key = Key::generate(SigningAlgorithm::Es256)?;
        let public = PublicKey::of_jwk(&key.public_jwk());
        let client_id = public.as_ref().map(PublicKey::did).unwrap_or_default();
        // The DID URL of the only key of a did:key (The did:key Method v0.9).
        let id = client_id.strip_prefix("did:key:").unwrap_or_default();
        key.kid = format!("{client_id}#{id}");
        Ok(Self { key, client_id })
    }
}

/// A login that waits for a presentation, known by its `state`.
pub(crate) struct WalletLogin {
    /// The cookie of the browser that it belongs to.
    pub(crate) browser: String,
    /// The cookie of that browser before it subscribed.
    pub(crate) former: Option<String>,
    pub(crate) pending: Pending,
    /// The end of `request_uri`.
    pub(crate) reference: String,
    pub(crate) nonce: String,
    /// The wallet has fetched the request object.
    pub(crate) fetched: bool,
    /// The streams that wait for the event; the conformant policy has one at most.
    pub(crate) streams: Vec<oneshot::Sender<String>>,
    pub(crate) expires_at: u64,
}

impl WalletLogin {
    /// Whether the browser with this cookie began it.
    pub(crate) fn is_owned_by(&self, cookie: Option<&str>) -> bool {
        cookie.is_some_and(|id| id == self.browser || self.former.as_deref() == Some(id))
    }

    /// Whether a browser is there to receive the event.
    pub(crate) fn is_awaited(&self) -> bool {
        self.streams.iter().any(|stream| !stream.is_closed())
    }
}
