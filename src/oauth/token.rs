//! Token request and token response (RFC 6749 §4.1.3, §5, §6).

use serde_json::{Map, Value};

use super::authorization::form_post;
use super::params::Params;
use crate::model::exchange::{Request, Response};

/// The parameters of a code exchange by a public client.
pub fn code_exchange(
    client_id: &str,
    code: &str,
    redirect_uri: &str,
    code_verifier: &str,
) -> Params {
    Params::new([
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("client_id", client_id),
        ("code_verifier", code_verifier),
    ])
}

/// The parameters of a refresh by a public client.
pub fn refresh(client_id: &str, refresh_token: &str) -> Params {
    Params::new([
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
        ("client_id", client_id),
    ])
}

/// The request as a POST of form parameters.
pub fn post(endpoint: &str, params: &Params) -> Request {
    let mut request = form_post(endpoint, params);
    request.headers.push(("Accept".into(), "application/json".into()));
    request
}

/// The members of a token response.
#[derive(Clone, Default)]
pub struct TokenResponse(Map<String, Value>);

impl TokenResponse {
    /// Reads a response that carries an `access_token`; `None` for all others.
    pub fn read(response: &Response) -> Option<Self> {
        if !(200..300).contains(&response.status) {
            return None;
        }
        response.json_object().filter(|members| members.contains_key("access_token")).map(Self)
    }

    /// A member as it stands.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A member that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// The access token.
    pub fn access_token(&self) -> Option<&str> {
        self.text("access_token").filter(|token| !token.is_empty())
    }

    /// The refresh token, where one was issued.
    pub fn refresh_token(&self) -> Option<&str> {
        self.text("refresh_token").filter(|token| !token.is_empty())
    }

    /// The ID Token, where one was issued.
    pub fn id_token(&self) -> Option<&str> {
        self.text("id_token").filter(|token| !token.is_empty())
    }
}

// Carries tokens.
impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// A scope as an unordered set of its values (RFC 6749 §3.3).
pub fn scope_set(scope: &str) -> std::collections::BTreeSet<&str> {
    scope.split(' ').filter(|value| !value.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::json;

    #[test]
    fn a_token_response_needs_success_and_an_access_token() {
        let read = |status, body| TokenResponse::read(json(status, body).response().unwrap());
        assert_eq!(read(200, r#"{"access_token":"a"}"#).unwrap().access_token(), Some("a"));
        assert!(read(400, r#"{"access_token":"a"}"#).is_none());
        assert!(read(200, r#"{"error":"invalid_grant"}"#).is_none());
        assert!(read(200, "[]").is_none());
    }

    #[test]
    fn an_empty_token_is_no_token() {
        let read = TokenResponse::read(
            json(200, r#"{"access_token":"","refresh_token":7}"#).response().unwrap(),
        );
        let tokens = read.unwrap();
        assert_eq!(
            (tokens.access_token(), tokens.refresh_token(), tokens.id_token()),
            (None, None, None)
        );
    }

    #[test]
    fn scopes_compare_as_sets() {
        assert_eq!(scope_set("b a  c"), scope_set("a c b"));
        assert_ne!(scope_set("A"), scope_set("a"));
    }
}
