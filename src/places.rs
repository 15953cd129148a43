//! Who spoke to whom: what an address is for at this target.

use std::collections::BTreeMap;

use crate::model::exchange::{Exchange, Request};
use crate::model::report::{Party, Route};
use crate::world::context::Context;

/// The addresses of the target that have a name.
pub(crate) struct Places {
    endpoints: BTreeMap<String, String>,
    resources: Vec<String>,
    redirect_uris: Vec<String>,
}

impl Places {
    pub(crate) fn of(context: &Context) -> Self {
        let (target, facts) = (&context.target, &context.facts);
        let endpoints = facts.metadata.endpoints();
        let named = endpoints.into_iter().map(|(name, url)| (bare(url), name.to_owned()));
        let documents = facts.lookups.iter().map(|e| (bare(&e.request.url), "metadata".to_owned()));
        let resources = [
            target.resource.as_ref().map(|r| bare(&r.url)),
            target.scoped_operation.as_ref().map(|o| bare(&o.url)),
        ];
        Self {
            endpoints: documents.chain(named).collect(),
            resources: resources.into_iter().flatten().collect(),
            redirect_uris: target.redirect_uris().map(|(_, uri)| bare(uri)).collect(),
        }
    }

    /// Who sent the request of an exchange, to whom, and to which of its endpoints.
    pub(crate) fn route(&self, exchange: &Exchange) -> Route {
        let request = &exchange.request;
        let url = bare(&request.url);
        let (from, to, endpoint) = if self.resources.contains(&url) {
            (Party::Client, Party::ResourceServer, "resource")
        } else if url.contains("/.well-known/oauth-protected-resource") {
            (Party::Client, Party::ResourceServer, "metadata")
        } else if let Some(name) = self.endpoints.get(&url) {
            (sender(name, request), Party::AuthorizationServer, name.as_str())
        } else if is_of_wallet(exchange) {
            (Party::Wallet, Party::AuthorizationServer, "page")
        } else if self.redirect_uris.contains(&url) {
            (Party::UserAgent, Party::Client, "redirect_uri")
        } else if url.contains("/.well-known/") {
            (Party::Client, Party::AuthorizationServer, "metadata")
        } else {
            (Party::UserAgent, Party::AuthorizationServer, "page")
        };
        Route { from, to, endpoint: endpoint.to_owned() }
    }
}

/// Who uses an endpoint of that name.
fn sender(endpoint: &str, request: &Request) -> Party {
    match endpoint {
        "authorization_endpoint" | "end_session_endpoint" | "check_session_iframe" => {
            Party::UserAgent
        }
        // Only a resource server has credentials there.
        "introspection_endpoint" if request.header("authorization").is_some() => {
            Party::ResourceServer
        }
        _ => Party::Client,
    }
}

/// RFC 9101 §5.2.3 and OpenID4VP 1.0 §8.2: the wallet fetches the request object and posts its presentation.
fn is_of_wallet(exchange: &Exchange) -> bool {
    let posts = exchange.request.body.windows(9).any(|octets| octets == b"vp_token=");
    let media_type = exchange.response().and_then(|r| r.media_type());
    posts || media_type.is_some_and(|m| m == "application/oauth-authz-req+jwt")
}

/// The address without query and fragment.
fn bare(url: &str) -> String {
    url.split(['?', '#']).next().unwrap_or(url).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::answered;

    fn places() -> Places {
        let endpoints = [
            ("https://as.test/authorize", "authorization_endpoint"),
            ("https://as.test/token", "token_endpoint"),
            ("https://as.test/introspect", "introspection_endpoint"),
        ];
        Places {
            endpoints: endpoints.map(|(url, name)| (url.to_owned(), name.to_owned())).into(),
            resources: vec!["https://api.test/me".into()],
            redirect_uris: vec!["http://127.0.0.1:7/cb".into()],
        }
    }

    fn route(url: &str) -> (Party, Party, String) {
        let mut exchange = answered(200, &[], "");
        exchange.request.url = url.into();
        let Route { from, to, endpoint } = places().route(&exchange);
        (from, to, endpoint)
    }

    #[test]
    fn an_address_tells_who_speaks_to_whom() {
        use Party::{AuthorizationServer, Client, ResourceServer, UserAgent};
        for (url, from, to, endpoint) in [
            (
                "https://as.test/authorize?x=1",
                UserAgent,
                AuthorizationServer,
                "authorization_endpoint",
            ),
            ("https://as.test/login", UserAgent, AuthorizationServer, "page"),
            ("https://as.test/token", Client, AuthorizationServer, "token_endpoint"),
            ("https://as.test/introspect", Client, AuthorizationServer, "introspection_endpoint"),
            ("https://as.test/.well-known/x", Client, AuthorizationServer, "metadata"),
            ("https://api.test/me?access_token=x", Client, ResourceServer, "resource"),
            ("http://127.0.0.1:7/cb?code=x", UserAgent, Client, "redirect_uri"),
        ] {
            assert_eq!(route(url), (from, to, endpoint.to_owned()), "{url}");
        }
    }

    #[test]
    fn who_presents_a_credential_is_the_wallet() {
        let mut exchange = answered(200, &[], "");
        exchange.request.url = "https://as.test/response".into();
        exchange.request.body = b"state=x&vp_token=y".to_vec();
        assert_eq!(places().route(&exchange).from, Party::Wallet);
    }
}
