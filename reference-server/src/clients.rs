//! The registered clients and the users.

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::config::SigningAlgorithm;
use crate::seeds;

/// A registered public client.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) redirect_uris: &'static [&'static str],
    pub(crate) post_logout_redirect_uris: &'static [&'static str],
    pub(crate) scopes: &'static [&'static str],
    /// Whether a consent counts for later requests. Clients that anyone can impersonate, because
    /// their redirect URI is not exclusively theirs, ask every time (RFC 8252 §8.6).
    pub(crate) remembers_consent: bool,
    /// The algorithm of ID tokens, where the client wants one of its own (OpenID Connect Dynamic
    /// Client Registration 1.0 §2).
    pub(crate) id_token_signed_response_alg: Option<SigningAlgorithm>,
}

const CLIENTS: &[Client] = &[
    Client {
        id: seeds::WEB,
        name: "Example Web",
        redirect_uris: &[
            seeds::WEB_REDIRECT_URI,
            seeds::WEB_REDIRECT_URI_WITH_QUERY,
            seeds::WEB_REDIRECT_URI_CLEARTEXT,
        ],
        post_logout_redirect_uris: &[seeds::POST_LOGOUT_REDIRECT_URI],
        scopes: seeds::CLIENT_SCOPES,
        remembers_consent: true,
        id_token_signed_response_alg: None,
    },
    Client {
        id: seeds::NATIVE,
        name: "Example Desktop",
        redirect_uris: &[seeds::NATIVE_REDIRECT_URI, seeds::NATIVE_REDIRECT_URI_V6],
        post_logout_redirect_uris: &[],
        scopes: seeds::CLIENT_SCOPES,
        remembers_consent: false,
        id_token_signed_response_alg: None,
    },
    Client {
        id: seeds::MOBILE,
        name: "Example Mobile",
        redirect_uris: &[seeds::MOBILE_REDIRECT_URI],
        post_logout_redirect_uris: &[],
        scopes: seeds::CLIENT_SCOPES,
        remembers_consent: false,
        id_token_signed_response_alg: Some(SigningAlgorithm::Rs256),
    },
];

/// The client with this identifier.
pub(crate) fn client(id: &str) -> Option<&'static Client> {
    CLIENTS.iter().find(|c| c.id == id)
}

/// Whether any client has registered the redirect URI.
pub(crate) fn is_registered_anywhere(redirect_uri: &str) -> bool {
    CLIENTS.iter().any(|c| c.redirect_uris.contains(&redirect_uri))
}

/// A user account.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) username: &'static str,
    password: &'static str,
    /// The `sub` value.
    pub(crate) subject: &'static str,
    pub(crate) name: &'static str,
    pub(crate) email: &'static str,
}

pub(crate) static ALICE: User = User {
    username: seeds::ALICE,
    password: seeds::ALICE_PASSWORD,
    subject: "5c6e1f3a-8d0b-4a5e-9b1d-2f7c30a1e901",
    name: "Alice Example",
    email: seeds::ALICE_EMAIL,
};

static BOB: User = User {
    username: seeds::BOB,
    password: seeds::BOB_PASSWORD,
    subject: "b1a7d0c4-62ce-4f0e-8a83-0d94c1e7f502",
    name: "Bob Example",
    email: seeds::BOB_EMAIL,
};

impl User {
    /// The account with this name.
    pub(crate) fn named(username: &str) -> Option<&'static Self> {
        [&ALICE, &BOB].into_iter().find(|u| u.username == username)
    }

    /// The account with this email address.
    pub(crate) fn with_email(email: &str) -> Option<&'static Self> {
        [&ALICE, &BOB].into_iter().find(|u| u.email == email)
    }

    /// Somebody else.
    pub(crate) fn other_than(user: &Self) -> &'static Self {
        if user.username == ALICE.username { &BOB } else { &ALICE }
    }

    /// Whether this is the user's password.
    pub(crate) fn has_password(&self, password: &str) -> bool {
        verify_slices_are_equal(self.password.as_bytes(), password.as_bytes()).is_ok()
    }
}
