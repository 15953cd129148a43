//! Authorization request and authorization response (RFC 6749 §4.1.1, §4.1.2; RFC 9207).

use std::sync::Arc;

use super::params::Params;
use super::{pkce, random};
use crate::model::exchange::{Exchange, Request};

/// The parameters of responses that the specifications define.
pub const RESPONSE_PARAMETERS: [&str; 6] =
    ["code", "state", "iss", "error", "error_description", "error_uri"];

/// An authorization request with the secrets that belong to it.
#[derive(Clone)]
pub struct AuthorizationRequest {
    /// The parameters; mutate them to make the request under test.
    pub params: Params,
    /// The `code_verifier` whose S256 challenge the request carries.
    pub code_verifier: String,
}

impl AuthorizationRequest {
    /// A complete, valid code request with fresh `state`, `nonce` and S256 challenge.
    pub fn new(client_id: &str, redirect_uri: &str, scope: &str) -> Self {
        let code_verifier = pkce::verifier();
        let mut params = Params::new([
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", redirect_uri),
            ("scope", scope),
        ]);
        params.set("state", random(16));
        params.set("nonce", random(16));
        params.set("code_challenge", pkce::s256(&code_verifier));
        params.set("code_challenge_method", "S256");
        Self { params, code_verifier }
    }

    /// Uses another verifier and its S256 challenge.
    pub fn with_verifier(mut self, code_verifier: String) -> Self {
        self.params.set("code_challenge", pkce::s256(&code_verifier));
        self.code_verifier = code_verifier;
        self
    }

    /// The request as a browser sends it with GET.
    pub fn by_get(&self, endpoint: &str) -> Request {
        Request::get(self.params.on(endpoint))
    }

    /// The request as a browser sends it with POST (OpenID Connect Core §3.1.2.1).
    pub fn by_post(&self, endpoint: &str) -> Request {
        form_post(endpoint, &self.params)
    }
}

impl std::fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuthorizationRequest({:?})", self.params)
    }
}

/// A POST of `application/x-www-form-urlencoded` parameters.
pub fn form_post(endpoint: &str, params: &Params) -> Request {
    Request {
        method: "POST".into(),
        url: endpoint.to_owned(),
        headers: vec![("Content-Type".into(), "application/x-www-form-urlencoded".into())],
        body: params.encode().into_bytes(),
    }
}

/// Where a response carried its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Redirect; parameters in query or fragment of the address.
    Redirect,
    /// A self-submitting form on a page of the authorization server.
    FormPost,
    /// A script or meta element of a page navigates.
    Page,
    /// A script of a page navigates to an address in a JSON body.
    Json,
}

/// What the user agent was told to carry to a place outside the authorization server.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationResponse {
    /// The address without query and fragment.
    pub address: String,
    /// Parameters in the query (or in the posted form).
    pub query: Params,
    /// Parameters in the fragment.
    pub fragment: Params,
    /// The fragment as it stands.
    pub raw_fragment: String,
    /// How it travelled.
    pub mode: Mode,
}

impl AuthorizationResponse {
    /// Reads the address to which a user agent is sent.
    pub fn from_url(url: &str, mode: Mode) -> Self {
        let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        Self {
            address: address.to_owned(),
            query: Params::decode(query),
            fragment: Params::decode(fragment),
            raw_fragment: fragment.to_owned(),
            mode,
        }
    }

    /// A form on a page of the authorization server that posts `fields` to `action`.
    pub fn from_form(action: &str, fields: Params) -> Self {
        Self { query: fields, ..Self::from_url(action, Mode::FormPost) }
    }

    /// A parameter, wherever it stands.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.query.value(name).or_else(|| self.fragment.value(name))
    }

    /// The non-empty authorization code.
    pub fn code(&self) -> Option<&str> {
        self.value("code").filter(|code| !code.is_empty())
    }

    /// The error code.
    pub fn error(&self) -> Option<&str> {
        self.value("error")
    }

    /// Names of tokens that are present: they have no business in this response.
    pub fn tokens(&self) -> Vec<&'static str> {
        ["access_token", "refresh_token", "id_token"]
            .into_iter()
            .filter(|n| self.value(n).is_some())
            .collect()
    }

    /// The response went to exactly this redirect URI: same address, and its own query kept.
    pub fn went_to(&self, redirect_uri: &str) -> bool {
        let wanted = Self::from_url(redirect_uri, self.mode);
        self.address == wanted.address
            && wanted.query.iter().all(|(n, v)| self.query.iter().any(|p| p == (n, v)))
    }
}

// Carries codes.
impl std::fmt::Debug for AuthorizationResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuthorizationResponse({}, {:?}, {:?})", self.address, self.query, self.fragment)
    }
}

/// How an authorization request ended for the user agent.
#[derive(Clone, Debug)]
pub struct Landing {
    /// The exchange that ended it.
    pub exchange: Arc<Exchange>,
    /// The response to the client, when the user agent was sent away; otherwise it rests on a page.
    pub response: Option<AuthorizationResponse>,
    /// A form asks for a user name or a password.
    pub asks_to_sign_in: bool,
    /// Redirects never ended.
    pub endless: bool,
    /// The server showed an error to somebody else who signed in, in these words; the exchange is
    /// the last one that was seen before.
    pub shown: Option<String>,
}

impl Landing {
    /// The code delivered to the client.
    pub fn code(&self) -> Option<&str> {
        self.response.as_ref()?.code()
    }

    /// The error redirected to the client.
    pub fn error(&self) -> Option<&str> {
        self.response.as_ref()?.error()
    }

    /// What happened in a few words, without secrets.
    pub fn gist(&self) -> String {
        let exchange = &self.exchange;
        match &self.response {
            _ if self.shown.is_some() => {
                let words = self.shown.as_deref().filter(|words| !words.is_empty());
                let words = words.map_or_else(String::new, |words| format!(": {words}"));
                format!(
                    "an error page, as whoever signed in said{words} (after exchange {})",
                    exchange.number
                )
            }
            _ if self.endless => format!("redirects without end ({})", exchange.gist()),
            Some(response) => {
                let carried = match (response.code(), response.error()) {
                    (Some(_), None) => "a code".to_owned(),
                    (None, Some(error)) => format!("error={error}"),
                    (Some(_), Some(error)) => format!("a code and error={error}"),
                    (None, None) => "neither code nor error".to_owned(),
                };
                format!("{carried} sent to {} (exchange {})", response.address, exchange.number)
            }
            None if self.asks_to_sign_in => {
                format!("a sign-in page (exchange {})", exchange.number)
            }
            None => exchange.gist(),
        }
    }
}

#[cfg(test)]
pub(crate) mod samples {
    //! Hand-made landings for the tests of the judges.
    use super::*;
    use crate::model::exchange::samples::answered;

    /// A user agent that was redirected to `location`.
    pub(crate) fn sent_to(location: &str) -> Landing {
        Landing {
            exchange: Arc::new(answered(302, &[("Location", location)], "")),
            response: Some(AuthorizationResponse::from_url(location, Mode::Redirect)),
            asks_to_sign_in: false,
            endless: false,
            shown: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_complete_and_fresh() {
        let request = AuthorizationRequest::new("web", "https://app.test/cb", "openid");
        let names: Vec<_> = request.params.iter().map(|(n, _)| n.to_owned()).collect();
        assert_eq!(
            names,
            [
                "response_type",
                "client_id",
                "redirect_uri",
                "scope",
                "state",
                "nonce",
                "code_challenge",
                "code_challenge_method"
            ]
        );
        assert_eq!(
            request.params.value("code_challenge"),
            Some(pkce::s256(&request.code_verifier).as_str())
        );
        let other = AuthorizationRequest::new("web", "https://app.test/cb", "openid");
        assert_ne!(request.params.value("state"), other.params.value("state"));
        assert!(!format!("{request:?}").contains(&request.code_verifier));
    }

    #[test]
    fn a_response_is_read_from_query_and_fragment() {
        let response = AuthorizationResponse::from_url(
            "https://app.test/cb?code=c%2B1&state=a+b#x=1",
            Mode::Redirect,
        );
        assert_eq!(
            (response.code(), response.value("state"), response.value("x")),
            (Some("c+1"), Some("a b"), Some("1"))
        );
        assert_eq!(response.address, "https://app.test/cb");
        assert!(!format!("{response:?}").contains("c+1"));
    }

    #[test]
    fn an_empty_code_is_no_code() {
        assert_eq!(
            AuthorizationResponse::from_url("https://app.test/cb?code=", Mode::Redirect).code(),
            None
        );
    }

    #[test]
    fn the_redirect_uri_is_matched_exactly_and_its_query_kept() {
        let response = AuthorizationResponse::from_url(
            "https://app.test/cb?tenant=one&code=c",
            Mode::Redirect,
        );
        assert!(response.went_to("https://app.test/cb?tenant=one"));
        assert!(response.went_to("https://app.test/cb"));
        assert!(!response.went_to("https://app.test/cb?tenant=two"));
        assert!(!response.went_to("https://app.test/cb/"));
        let private =
            AuthorizationResponse::from_url("com.example.app:/callback?code=c", Mode::Redirect);
        assert!(private.went_to("com.example.app:/callback"));
    }
}
