//! Names of parameters, members and header fields that carry secrets.

/// Names whose value is a secret, with the kind shown in its place.
const SECRET_NAMES: &[(&str, &str)] = &[
    ("access_token", "access_token"),
    ("assertion", "assertion"),
    ("authorization_code", "code"),
    ("client_assertion", "assertion"),
    ("client_secret", "client_secret"),
    ("code", "code"),
    ("code_verifier", "code_verifier"),
    ("device_code", "code"),
    ("id_token", "id_token"),
    ("id_token_hint", "id_token"),
    ("logout_token", "id_token"),
    ("otp", "otp"),
    ("password", "password"),
    ("refresh_token", "refresh_token"),
    ("registration_access_token", "access_token"),
    ("request_uri", "request_uri"),
    ("token", "token"),
    ("totp", "otp"),
    ("user_code", "code"),
    ("vp_token", "vp_token"),
];

/// Every kind of secret.
pub(super) const KINDS: &[&str] = &[
    "access_token",
    "assertion",
    "authorization",
    "captured",
    "client_secret",
    "code",
    "code_verifier",
    "cookie",
    "form_field",
    "header",
    "id_token",
    "jwt",
    "nonce",
    "otp",
    "password",
    "private_key",
    "refresh_token",
    "request_uri",
    "token",
    "vp_token",
];

/// Parts of the names of members and fields that hold what somebody thought up.
const SECRET_PARTS: &[(&str, &str)] = &[
    ("password", "password"),
    ("passwd", "password"),
    ("secret", "client_secret"),
    ("csrf", "form_field"),
    ("xsrf", "form_field"),
];

/// Header fields whose whole value is a secret, `Cookie` and `Set-Cookie` aside.
const SECRET_HEADERS: &[&str] =
    &["authorization", "proxy-authorization", "dpop", "authentication-info"];

/// Parts of the names of header fields whose whole value is a secret.
const SECRET_HEADER_PARTS: &[&str] =
    &["token", "secret", "csrf", "xsrf", "session-id", "api-key", "apikey", "password"];

/// Fields of login and consent pages that are public and worth reading in a report.
const PUBLIC_NAMES: &[&str] = &[
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "prompt",
    "nonce",
    "decision",
    "code_challenge",
    "code_challenge_method",
    "grant_type",
    "username",
    "user",
    "login",
    "email",
    "login_hint",
    "sub",
    "iss",
    "max_age",
    "resource",
    "token_type_hint",
    "error",
];

/// The kind of secret that a value of this name is.
pub(super) fn secret_kind(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    if let Some((_, kind)) = SECRET_NAMES.iter().find(|(n, _)| *n == name) {
        return Some(kind);
    }
    // What a server says of itself is named by plurals: `.._supported`, `.._required`.
    // What names the place of a secret is none: `csrf-param`, `csrf_header_name`.
    let of_itself = ["_supported", "_required", "_at"];
    let of_a_place = ["param", "parameter", "header", "name"];
    if of_itself.iter().chain(&of_a_place).any(|end| name.ends_with(end)) {
        return None;
    }
    if name.ends_with("_token") || name.len() > 5 && name.ends_with("token") {
        return Some("token");
    }
    SECRET_PARTS.iter().find(|(part, _)| name.contains(part)).map(|(_, kind)| *kind)
}

/// The value of the header field of this name, in lower case, is a secret.
pub(super) fn is_secret_header(name: &str) -> bool {
    SECRET_HEADERS.contains(&name) || SECRET_HEADER_PARTS.iter().any(|part| name.contains(part))
}

/// The value of this name may be read by anybody.
pub(super) fn is_public(name: &str) -> bool {
    PUBLIC_NAMES.iter().any(|public| name.eq_ignore_ascii_case(public))
}

/// Words that stand where secrets stand and are none, and those of the protocol and of the report.
/// A secret that is one of them is replaced where its name says so, and nowhere else.
pub(super) const ORDINARY: &str = "probe null none true false deleted expired undefined invalid unknown empty \
 authorization_code refresh_token client_credentials password token bearer basic dpop code id_token \
 access_token plain S256 RS256 ES256 PS256 EdDSA HS256 query fragment form_post consent login \
 select_account approve deny allow cancel submit yes no \
 invalid_request invalid_client invalid_grant unauthorized_client unsupported_grant_type invalid_scope \
 access_denied unsupported_response_type server_error temporarily_unavailable invalid_token \
 insufficient_scope login_required consent_required interaction_required account_selection_required \
 invalid_request_uri invalid_request_object request_not_supported request_uri_not_supported \
 registration_not_supported invalid_dpop_proof use_dpop_nonce invalid_target unsupported_token_type \
 client_id client_secret redirect_uri response_type response_mode scope state nonce prompt max_age \
 code_challenge code_challenge_method code_verifier grant_type username request request_uri resource \
 token_type token_type_hint expires_in error error_description error_uri issuer iss sub aud exp iat nbf \
 authorization_endpoint token_endpoint userinfo_endpoint introspection_endpoint revocation_endpoint \
 jwks_uri keys kty kid alg use enc typ cty jwt jwk openid profile email address phone offline_access \
 application/json application/x-www-form-urlencoded application/jwt text/html text/plain text/event-stream \
 charset=utf-8 no-store no-cache no-referrer nosniff deny sameorigin max-age=0 keep-alive close chunked \
 Accept Authorization Cache-Control Connection Content-Length Content-Type Content-Security-Policy Cookie \
 Date Host Location Origin Pragma Referer Referrer-Policy Server Set-Cookie Strict-Transport-Security \
 Transfer-Encoding User-Agent Vary WWW-Authenticate X-Content-Type-Options X-Frame-Options \
 Access-Control-Allow-Origin HttpOnly Secure SameSite Lax Strict Path Domain Expires Max-Age \
 version tool target clients started duration_ms requests filter gate passed exit_code rule counts facts \
 preflight requirements id level severity step duty sources url accepts status reason scenarios feature \
 line name obstacle tried came_back remedy deviations observations exchanges expected actual weight \
 exchange number at_us elapsed_us request_line request_headers request_body response_headers \
 response_body failure curl pass note warn fail inconclusive not_applicable not-applicable untested waived \
 baseline oauth21 critical high medium low info must should may header html body head title form input \
 button label hidden value method action post get put delete patch options";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_the_place_of_a_secret_is_none() {
        for name in [
            "csrf-param",
            "csrf_header_name",
            "secret_parameter",
            "token_endpoint_auth_methods_supported",
        ] {
            assert_eq!(secret_kind(name), None, "{name}");
        }
        for name in ["csrf", "csrf-token", "csrfmiddlewaretoken", "xsrf_value", "new_password"] {
            assert!(secret_kind(name).is_some(), "{name}");
        }
    }
}
