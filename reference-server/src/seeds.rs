//! Names and secrets of the seeded clients, users and scopes. They are fixed and public.

/// Host of the server when it speaks TLS; no resolver knows it.
pub const HOST: &str = "login.example.test";
/// A second host with a certificate of its own, which some defects spoil.
pub const DEVICE_HOST: &str = "device.example.test";

/// Public client with https redirect URIs.
pub const WEB: &str = "web";
/// Public client with loopback redirect URIs, on any port.
pub const NATIVE: &str = "native";
/// Public client with a private-use scheme.
pub const MOBILE: &str = "mobile";

/// Redirect URI of [`WEB`].
pub const WEB_REDIRECT_URI: &str = "https://app.example.test/callback";
/// Redirect URI of [`WEB`] with a query.
pub const WEB_REDIRECT_URI_WITH_QUERY: &str = "https://app.example.test/callback?tenant=one";
/// Redirect URI of [`WEB`] from former times: registered, yet refused, since it is cleartext.
pub const WEB_REDIRECT_URI_CLEARTEXT: &str = "http://app.example.test/callback";
/// Redirect URI of [`NATIVE`]; any port is accepted.
pub const NATIVE_REDIRECT_URI: &str = "http://127.0.0.1/callback";
/// Redirect URI of [`NATIVE`] over IPv6; any port is accepted.
pub const NATIVE_REDIRECT_URI_V6: &str = "http://[::1]/callback";
/// Redirect URI of [`MOBILE`].
pub const MOBILE_REDIRECT_URI: &str = "com.example.app:/callback";

/// The only origin that may read answers across origins.
pub const ALLOWED_ORIGIN: &str = "https://app.example.test";
/// Where [`WEB`] wants the browser after logout.
pub const POST_LOGOUT_REDIRECT_URI: &str = "https://app.example.test/signed-out";

/// A user.
pub const ALICE: &str = "alice";
/// The password of [`ALICE`].
pub const ALICE_PASSWORD: &str = "correct horse battery staple";
/// Another user.
pub const BOB: &str = "bob";
/// The password of [`BOB`].
pub const BOB_PASSWORD: &str = "hunter2-but-longer";

/// The resource server, which may call the introspection endpoint.
pub const RESOURCE_SERVER: &str = "api";
/// The password of [`RESOURCE_SERVER`] for HTTP Basic authentication.
pub const RESOURCE_SERVER_SECRET: &str = "api-secret";

/// The scopes that every client may have.
pub const CLIENT_SCOPES: &[&str] =
    &["openid", "profile", "email", "offline_access", "api:read", "api:write"];
/// A scope that no client may have.
pub const FORBIDDEN_SCOPE: &str = "api:admin";
/// The scope of a request without `scope`.
pub const DEFAULT_SCOPE: &str = "openid";
/// The path of the resource below the issuer (RFC 8707).
pub const RESOURCE_PATH: &str = "/api";
/// The path of another resource below the issuer, for which tokens can be had.
pub const OTHER_RESOURCE_PATH: &str = "/files";

/// The email address of [`ALICE`], by which a credential names her.
pub const ALICE_EMAIL: &str = "alice@example.test";
/// The email address of [`BOB`].
pub const BOB_EMAIL: &str = "bob@example.test";

/// The issuer whose credentials sign users in, the whole list of trusted ones (did:key of P-256).
pub const CREDENTIAL_ISSUER: &str = "did:key:zDnaeaRgGTyvRSo9uYtTsxS8WkNALmHTdRLgJaSVs4hrvHYXR";
/// The private key of [`CREDENTIAL_ISSUER`] (PKCS #8, PEM), for credentials of tests: everybody
/// knows it, as he knows the passwords.
pub const CREDENTIAL_ISSUER_KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgKbmmNv+wGB80TgrW
JJxl9wuxSAh9N3/iCVJcZToVjomhRANCAASUgeXCi4sjHP2jvGWEdYj4as5nZAip
y0/F27gP8Yx4MM+3cCVtg5qFPGrr2ZRq+4T2vwQwLKEekuC1C0U4SCLc
-----END PRIVATE KEY-----
";
/// The `vct` of a credential that signs its holder in, an SD-JWT VC with the claim `email`.
pub const CREDENTIAL_VCT: &str = "https://credentials.example.test/login";
/// The same as a JWT VC: one of the values of `vc.type`, with `vc.credentialSubject.email`.
pub const CREDENTIAL_VC_TYPE: &str = "LoginCredential";
