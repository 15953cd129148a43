//! The authorization request, except for redirect URI and PKCE.

use std::time::Duration;

use axum::http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::Policy;
use super::session::EDITED_RESPONSE_TYPE;
use crate::defect::Defect::{
    AccessTokenInResponse, AcrValuesRefused, ApprovalResponseTypeTrusted, AuthorizePostBodyIgnored,
    AuthorizePostRefused, ClientIdDefaulted, ClientIdMissingRedirects, DisplayRefused,
    ErrorCodeUnregistered, ErrorPageBlank, ErrorPageOk, ForbiddenScopeBehindComma,
    ForbiddenScopeCaseIgnored, ForbiddenScopeGranted, HybridGranted, IdTokenInResponse,
    ImplicitGranted, LocalesRefused, ParameterArraysMerged, ParameterNamesCaseIgnored,
    RepeatedChallengeFirstWins, RepeatedParameterLastWins, RepeatedStateFirstWins,
    RequestUriFetched, ResourceFragmentAccepted, ResourceParameterIgnored, ResponseTypeOptional,
    ScopeAsteriskExpanded, ScopeRequired, ScopeWidened, StateLostWithoutScope,
    UnknownClientRedirects, UnknownClientRedirectsToRegistered, UnknownParameterRefused,
    UnknownResourceGranted, UnknownResponseTypeAsCode,
};
use crate::params::{Params, Repeated};
use crate::scope::Scope;
use crate::seeds;

/// What travels through the browser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FrontChannel {
    pub(crate) code: bool,
    pub(crate) access_token: bool,
    pub(crate) id_token: bool,
    pub(crate) in_fragment: bool,
}

impl FrontChannel {
    pub(crate) fn is_offered(self) -> bool {
        self.code || self.access_token || self.id_token
    }
}

const KNOWN: &[&str] = &[
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "response_mode",
    "prompt",
    "max_age",
    "login_hint",
    "display",
    "ui_locales",
    "claims_locales",
    "acr_values",
    "id_token_hint",
    "resource",
    "request",
    "request_uri",
    "claims",
    "registration",
];

impl Policy {
    /// Whether the authorization endpoint takes forms (OpenID Connect Core 1.0 §3.1.2.1).
    pub(crate) fn accepts_authorization_by_post(&self) -> bool {
        !self.has(AuthorizePostRefused)
    }

    /// Whether the parameters of a POST are those of its body.
    pub(crate) fn reads_authorization_body(&self) -> bool {
        !self.has(AuthorizePostBodyIgnored)
    }

    /// The client of a request without `client_id`: none.
    pub(crate) fn default_client(&self) -> Option<&'static str> {
        self.has(ClientIdDefaulted).then_some(seeds::WEB)
    }

    /// RFC 6749 §4.1.2.1: without a client there is nowhere to redirect to.
    pub(crate) fn reports_missing_client_to_redirect_uri(&self) -> bool {
        self.has(ClientIdMissingRedirects)
    }

    /// The same for an unknown client, whether or not another client registered the URI.
    pub(crate) fn reports_unknown_client_to_redirect_uri(&self, registered: bool) -> bool {
        match self.defect {
            Some(UnknownClientRedirects) => true,
            Some(UnknownClientRedirectsToRegistered) => registered,
            _ => false,
        }
    }

    /// OAuth 2.1 §4.1.2.1: an error that cannot be redirected.
    pub(crate) fn error_page_status(&self) -> StatusCode {
        if self.has(ErrorPageOk) { StatusCode::OK } else { StatusCode::BAD_REQUEST }
    }

    /// Whether the user is left without an explanation.
    pub(crate) fn error_page_is_blank(&self) -> bool {
        self.has(ErrorPageBlank)
    }

    /// RFC 6749 §1.9: names are case-sensitive, and taken to the letter.
    pub(crate) fn authorization_parameter_name(&self, name: &str) -> String {
        match self.defect {
            Some(ParameterNamesCaseIgnored) => name.to_lowercase(),
            Some(ParameterArraysMerged) => name.trim_end_matches("[]").to_owned(),
            _ => name.to_owned(),
        }
    }

    /// OAuth 2.1 §3.1: parameters occur once.
    pub(crate) fn repeated_authorization_parameter(&self, name: &str) -> Repeated {
        match (self.defect, name) {
            // Decided together with the client and its redirect URI.
            (_, "client_id" | "redirect_uri") => Repeated::FirstWins,
            (Some(RepeatedParameterLastWins), _) => Repeated::LastWins,
            (Some(ParameterNamesCaseIgnored | ParameterArraysMerged), "state") => {
                Repeated::LastWins
            }
            (Some(RepeatedStateFirstWins), "state") => Repeated::FirstWins,
            (Some(RepeatedChallengeFirstWins), "code_challenge") => Repeated::FirstWins,
            _ => Repeated::Refused,
        }
    }

    /// RFC 6749 §4.1.2.1: the error for a response type that is not offered.
    pub(crate) fn response_type_error(&self, response_type: &str) -> &'static str {
        let is_unknown = !response_type.contains("token");
        if self.has(ErrorCodeUnregistered) && is_unknown {
            "unknown_response_type"
        } else {
            "unsupported_response_type"
        }
    }

    /// RFC 6749 §3.1: unknown parameters are ignored, and so are the optional ones of OpenID Connect
    /// (Core 1.0 §15.1). A reason to refuse them nevertheless.
    pub(crate) fn refuses_parameters(&self, params: &Params) -> Option<&'static str> {
        let present = |name: &str| params.get(name).is_some();
        match self.defect {
            Some(UnknownParameterRefused) => {
                params.names().any(|n| !KNOWN.contains(&n)).then_some("a parameter is not known")
            }
            Some(DisplayRefused) => present("display").then_some("display is not supported"),
            Some(AcrValuesRefused) => {
                present("acr_values").then_some("acr_values is not supported")
            }
            Some(LocalesRefused) => (present("ui_locales") || present("claims_locales"))
                .then_some("the locale is not supported"),
            _ => None,
        }
    }

    /// RFC 6749 §3.1.1: the response type is required.
    pub(crate) fn response_type<'a>(&self, presented: Option<&'a str>) -> Option<&'a str> {
        presented.or(self.has(ResponseTypeOptional).then_some("code"))
    }

    /// What a response type delivers. OAuth 2.1 knows `code` alone.
    pub(crate) fn front_channel(&self, response_type: &str) -> FrontChannel {
        let code = FrontChannel { code: true, ..FrontChannel::default() };
        let in_fragment =
            FrontChannel { access_token: true, in_fragment: true, ..FrontChannel::default() };
        match (self.defect, response_type) {
            (Some(AccessTokenInResponse), "code") => FrontChannel { access_token: true, ..code },
            (Some(IdTokenInResponse), "code") => FrontChannel { id_token: true, ..code },
            (_, "code") => code,
            (Some(ApprovalResponseTypeTrusted), EDITED_RESPONSE_TYPE) => in_fragment,
            (Some(ImplicitGranted), "token") => in_fragment,
            (Some(ImplicitGranted), "id_token token") => {
                FrontChannel { id_token: true, ..in_fragment }
            }
            (Some(HybridGranted), "code token") => FrontChannel { code: true, ..in_fragment },
            (Some(HybridGranted), "code id_token token") => {
                FrontChannel { code: true, id_token: true, ..in_fragment }
            }
            (Some(UnknownResponseTypeAsCode), other) if !other.contains("token") => code,
            _ => FrontChannel::default(),
        }
    }

    /// RFC 6749 §3.3: a request without scope gets the default.
    pub(crate) fn scope_may_be_omitted(&self) -> bool {
        !self.has(ScopeRequired)
    }

    /// RFC 6749 §4.1.2: state comes back, whatever else is missing.
    pub(crate) fn keeps_state_without_scope(&self) -> bool {
        !self.has(StateLostWithoutScope)
    }

    /// The part of the request that the registration allows.
    pub(crate) fn granted_scope(&self, allowed: &[&str], requested: &Scope) -> Scope {
        let granted = requested.filter(|token| allowed.contains(&token));
        match self.defect {
            Some(ForbiddenScopeGranted) => requested
                .filter(|token| allowed.contains(&token) || token == seeds::FORBIDDEN_SCOPE),
            Some(ForbiddenScopeCaseIgnored) => requested.iter().fold(granted, |scope, token| {
                let is_disguised = token != seeds::FORBIDDEN_SCOPE
                    && token.eq_ignore_ascii_case(seeds::FORBIDDEN_SCOPE);
                if is_disguised { scope.with(seeds::FORBIDDEN_SCOPE) } else { scope }
            }),
            Some(ForbiddenScopeBehindComma) => requested.iter().fold(granted, |scope, token| {
                let is_disguised = token.contains(',')
                    && token.split(',').any(|part| part == seeds::FORBIDDEN_SCOPE);
                if is_disguised { scope.with(seeds::FORBIDDEN_SCOPE) } else { scope }
            }),
            Some(ScopeAsteriskExpanded) if requested.contains("*") => {
                allowed.iter().copied().fold(granted, Scope::with)
            }
            Some(ScopeWidened) if !granted.is_empty() => granted.with("api:write"),
            _ => granted,
        }
    }

    /// RFC 8707 §2.1: a token is had for the resources of this server alone.
    pub(crate) fn is_known_resource(&self, known: &[String], resource: &str) -> bool {
        match self.defect {
            Some(UnknownResourceGranted) => !resource.contains('#'),
            Some(ResourceFragmentAccepted) if resource.contains('#') => true,
            _ => known.iter().any(|known| known == resource),
        }
    }

    /// RFC 8707 §2: the token is meant for the named resource and no other.
    pub(crate) fn restricts_audience(&self) -> bool {
        !self.has(ResourceParameterIgnored)
    }

    /// RFC 9101 §10.4.1: nothing is fetched on behalf of a stranger.
    pub(crate) async fn follow_request_uri(&self, request_uri: Option<&str>) {
        if let Some(url) = request_uri.filter(|_| self.has(RequestUriFetched)) {
            // The answer does not matter, nor whether there is one.
            let _ = tokio::time::timeout(Duration::from_secs(2), fetch(url)).await;
        }
    }
}

/// The answer to a GET, head and body.
pub(super) async fn fetch(url: &str) -> Option<Vec<u8>> {
    let url = url::Url::parse(url).ok().filter(|u| u.scheme() == "http")?;
    let host = url.host_str()?;
    #[expect(clippy::disallowed_methods, reason = "the defect is that it sends")]
    let mut stream = tokio::net::TcpStream::connect((
        host.trim_matches(['[', ']']),
        url.port_or_known_default()?,
    ))
    .await
    .ok()?;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        &url[url::Position::BeforePath..],
        url.authority()
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.take(65_536).read_to_end(&mut answer).await.ok()?;
    Some(answer)
}
