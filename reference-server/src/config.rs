//! What a server is started with.

use std::net::{Ipv4Addr, SocketAddr};

use crate::policy::Policy;

/// How the server behaves and where it listens.
#[derive(Clone, Debug)]
pub struct Config {
    /// The conformant policy, or one with a defect.
    pub policy: Policy,
    /// How users sign in.
    pub login: Login,
    /// The algorithm of access tokens, and of ID tokens where the client registered no other.
    pub signing: SigningAlgorithm,
    /// How long things live.
    pub lifetimes: Lifetimes,
    /// The address to listen on; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Whether it speaks TLS, as [`crate::seeds::HOST`] with a certificate of a throw-away authority,
    /// beside a cleartext port that leads pages to https and refuses the rest.
    pub tls: bool,
    /// Whether the authorization endpoint refuses a request without `code_challenge`. If not, such
    /// a request yields a code, which the token endpoint then refuses: conformant with RFC 9700,
    /// not with OAuth 2.1.
    pub pkce_required: bool,
    /// Whether a code is lost as soon as somebody presents it with a wrong verifier. The
    /// specifications leave it open, and servers differ.
    pub wrong_verifier_burns_code: bool,
    /// Whether the authorization endpoint takes pushed requests only (RFC 9126 §5).
    pub par_required: bool,
    /// Whether an access token is a random value that stands for its claims. Resource servers that
    /// cannot look into it ask the authorization server (RFC 7662).
    pub opaque_access_tokens: bool,
    /// Whether DPoP proofs need a nonce of the server (RFC 9449 §8).
    pub dpop_nonce: bool,
    /// Whether requests are logged to standard error as JSON lines.
    pub logging: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            policy: Policy::conformant(),
            login: Login::default(),
            signing: SigningAlgorithm::default(),
            lifetimes: Lifetimes::default(),
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: false,
            pkce_required: true,
            wrong_verifier_burns_code: false,
            par_required: false,
            opaque_access_tokens: false,
            dpop_nonce: false,
            logging: false,
        }
    }
}

/// How users sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Login {
    /// With user name and password on a page, and consent on another.
    #[default]
    Password,
    /// With a credential from the wallet (OpenID for Verifiable Presentations 1.0), which is login
    /// and consent in one. The response reaches the browser as the address in a server-sent event,
    /// hence `response_mode=query` only.
    Wallet,
}

impl Login {
    /// The values of `response_mode` that the server offers.
    pub(crate) const fn response_modes(self) -> &'static [&'static str] {
        match self {
            Self::Password => &["query", "form_post"],
            Self::Wallet => &["query"],
        }
    }
}

/// A signature algorithm (RFC 7518 §3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// ECDSA with P-256 and SHA-256.
    #[default]
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 and a key of 2048 bits.
    Rs256,
}

impl SigningAlgorithm {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Es256 => Self::Rs256,
            Self::Rs256 => Self::Es256,
        }
    }

    /// The `alg` value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

/// Lifetimes in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Of an unused authorization code.
    pub code: u64,
    /// Of a pushed authorization request.
    pub pushed_request: u64,
    /// Of an access token.
    pub access_token: u64,
    /// Of an ID token.
    pub id_token: u64,
    /// Of a refresh token, counted from the first of its chain.
    pub refresh_token: u64,
    /// Of a login session.
    pub session: u64,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            code: 60,
            pushed_request: 60,
            access_token: 600,
            id_token: 300,
            refresh_token: 3_600,
            session: 28_800,
        }
    }
}
