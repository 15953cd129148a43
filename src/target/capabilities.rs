//! What is known about the target before the first scenario, and which duties follow from it.

use std::sync::Arc;

use serde_json::Value;

use super::profile::Target;
use crate::model::exchange::Exchange;
use crate::oauth::metadata::Metadata;
use crate::oauth::redirect_uri::Kind;

/// A metadata document with where it was found.
#[derive(Clone, Debug)]
pub struct Document {
    /// Address from which it was fetched.
    pub location: String,
    /// Its exchange.
    pub exchange: Arc<Exchange>,
    /// Its members.
    pub metadata: Metadata,
}

/// Facts from profile, metadata and the one flow of the preflight.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The exchanges with the well-known locations, answered or not.
    pub lookups: Vec<Arc<Exchange>>,
    /// The documents that were found.
    pub documents: Vec<Document>,
    /// The members in force: the first document, completed by the second and by the profile.
    pub metadata: Metadata,
    /// The exchange that fetched the key set.
    pub jwks_exchange: Option<Arc<Exchange>>,
    /// The key set.
    pub jwks: Option<Value>,
    /// The target is an OpenID provider.
    pub oidc: bool,
    /// The first flow showed a consent page.
    pub consent_shown: bool,
    /// The token response of the first flow has a refresh token.
    pub refresh_token: bool,
    /// .. an ID Token.
    pub id_token: bool,
    /// .. `expires_in`.
    pub expires_in: bool,
    /// The issuer that the first flow named, where the profile names none.
    pub named_issuer: Option<String>,
    /// What the preflight advises to change, and why.
    pub advice: Vec<String>,
    /// Seconds that its tokens live, each with where it says so.
    pub lifetimes: Vec<(&'static str, i64)>,
    /// Its access token is a JWT.
    pub jwt_access_token: bool,
    /// .. with this `typ`, in lower case without `application/`.
    pub access_token_typ: Option<String>,
}

impl Facts {
    /// The endpoint of that name, for example `token_endpoint`.
    pub fn endpoint(&self, name: &str) -> Option<&str> {
        self.metadata.text(name)
    }

    /// The issuer identifier for comparisons: the one that metadata returned when it differs from
    /// the configured one by a trailing slash alone.
    pub fn issuer<'a>(&'a self, target: &'a Target) -> &'a str {
        let configured = target.issuer.as_str();
        if !target.has_issuer {
            return self.named_issuer.as_deref().unwrap_or(configured);
        }
        match self.metadata.text("issuer") {
            Some(named) if named.trim_end_matches('/') == configured.trim_end_matches('/') => named,
            _ => configured,
        }
    }
}

/// Whether a duty applies to the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applies {
    /// It does.
    Yes,
    /// It does not: the condition that fails.
    No(String),
    /// Only the probe itself can tell.
    ByProbe,
}

/// Evaluates the `applies` key of a requirement: `always`, or conditions joined by `and` and, more
/// loosely, `or`. Fails on a condition that nobody defined.
pub fn applies(condition: &str, target: &Target, facts: &Facts) -> Result<Applies, String> {
    if condition == "always" {
        return Ok(Applies::Yes);
    }
    let mut best = Applies::No(condition.to_owned());
    for alternative in condition.split(" or ") {
        let mut all = Applies::Yes;
        for atom in alternative.split(" and ") {
            match holds(atom, target, facts)? {
                Some(true) => {}
                Some(false) => {
                    all = Applies::No(format!("condition does not hold: {atom}"));
                    break;
                }
                None => all = Applies::ByProbe,
            }
        }
        match all {
            Applies::Yes => return Ok(Applies::Yes),
            Applies::ByProbe => best = Applies::ByProbe,
            no @ Applies::No(_) if best != Applies::ByProbe => best = no,
            Applies::No(_) => {}
        }
    }
    Ok(best)
}

/// `None`: only another probe can reveal it.
fn holds(atom: &str, target: &Target, facts: &Facts) -> Result<Option<bool>, String> {
    let found = |suffix: &str| facts.documents.iter().any(|d| d.location.contains(suffix));
    Ok(Some(match atom {
        "oidc" => facts.oidc,
        "metadata published" => !facts.documents.is_empty(),
        "oidc discovery document published" => facts.oidc && found("openid-configuration"),
        "both metadata documents published" => {
            found("openid-configuration") && found("oauth-authorization-server")
        }
        "response_modes_supported lists form_post" => facts
            .metadata
            .list("response_modes_supported")
            .is_some_and(|m| m.contains(&"form_post")),
        "refresh_token issued" => facts.refresh_token,
        "an ID Token was issued" => facts.id_token,
        "expires_in present" => facts.expires_in,
        "access token is a JWT" => facts.jwt_access_token,
        "access token typ is at+jwt" => facts.access_token_typ.as_deref() == Some("at+jwt"),
        "a consent page is shown" => facts.consent_shown,
        // Calls that the profile lists are requests that can be looked at just so.
        "a form login driver is configured" => {
            target.user.is_some() && target.login.types_credentials()
        }
        "a wallet login is configured" => target.login.wallet().is_some(),
        "resource configured" => target.resource.is_some(),
        "a second resource is configured" => target.other_resource.is_some(),
        "a scope-protected operation is configured" => target.scoped_operation.is_some(),
        "allowed_origin configured" => target.allowed_origin.is_some(),
        "a second public client is configured" => target.clients.len() > 1,
        "a second user is configured" => target.second_user.is_some(),
        "a loopback IP redirect_uri is registered" => target.loopback_literal().is_some(),
        "a private-use scheme redirect_uri is registered" => {
            target.redirect_uri_of_kind(Kind::PrivateUse).is_some()
        }
        "an https redirect_uri is registered" => target.redirect_uri_of_kind(Kind::Https).is_some(),
        "a configured redirect_uri uses http on a non-loopback host" => {
            target.redirect_uri_of_kind(Kind::Cleartext).is_some()
        }
        "a registered redirect_uri contains a query component" => {
            target.redirect_uris().any(|(_, u)| u.contains('?'))
        }
        "a post_logout_redirect_uri is registered" => target.post_logout_redirect_uri.is_some(),
        "a scope the client must not get is configured" => target.forbidden_scope.is_some(),
        "resource indicators are configured" => !target.resource_indicators.is_empty(),
        "the lifetime of refresh tokens is configured" => {
            target.lifetimes.refresh_token_seconds.is_some()
        }
        "introspection credentials are configured" => target.introspection.is_some(),
        // The harness listens on loopback itself, which only a local target can reach.
        "an out-of-band collaborator URL is configured" => target.is_local(),
        "protected resource metadata published"
        | "iss observed in an authorization response"
        | "an error was redirected to the client"
        | "an endpoint answered 405"
        | "the AS answers use_dpop_nonce"
        | "DPoP-Nonce observed"
        | "a DPoP proof was sent"
        | "refresh_token rotated"
        | "a refresh response contains an id_token"
        | "the access token is DPoP-bound"
        | "at_hash present"
        | "the key set holds more than one key"
        | "a code is issued without code_challenge"
        | "revocation.access-token answered 200" => return Ok(None),
        _ => match (atom.strip_suffix(" published"), atom.strip_suffix(" is true")) {
            (Some(member), _) => facts.metadata.member(member).is_some(),
            (_, Some(member)) => facts.metadata.is_true(member),
            _ => return Err(format!("unknown condition: {atom}")),
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::profile::Client;

    fn target() -> Target {
        let client = Client::new("web", &["https://app.test/cb"], "openid");
        Target::new("https://as.test", client)
    }

    fn evaluate(condition: &str, facts: &Facts) -> Applies {
        applies(condition, &target(), facts).unwrap()
    }

    #[test]
    fn conditions_combine() {
        let facts = Facts { oidc: true, ..Facts::default() };
        assert_eq!(evaluate("always", &facts), Applies::Yes);
        assert_eq!(evaluate("oidc", &facts), Applies::Yes);
        assert!(matches!(evaluate("oidc and refresh_token issued", &facts), Applies::No(_)));
        assert_eq!(evaluate("oidc and at_hash present", &facts), Applies::ByProbe);
        assert!(matches!(
            evaluate("refresh_token issued and at_hash present", &facts),
            Applies::No(_)
        ));
        assert_eq!(evaluate("refresh_token issued or oidc", &facts), Applies::Yes);
        assert_eq!(evaluate("at_hash present or refresh_token issued", &facts), Applies::ByProbe);
    }

    #[test]
    fn members_of_the_metadata_are_conditions() {
        let mut facts = Facts::default();
        facts.metadata.set("jwks_uri", "https://as.test/jwks");
        facts.metadata.set("flag", true);
        assert_eq!(evaluate("jwks_uri published", &facts), Applies::Yes);
        assert_eq!(evaluate("flag is true", &facts), Applies::Yes);
        assert!(matches!(evaluate("revocation_endpoint published", &facts), Applies::No(_)));
    }

    #[test]
    fn an_unknown_condition_is_our_mistake() {
        assert!(applies("the moon is full", &target(), &Facts::default()).is_err());
    }

    #[test]
    fn a_trailing_slash_does_not_make_another_issuer() {
        let mut facts = Facts::default();
        facts.metadata.set("issuer", "https://as.test/");
        assert_eq!(facts.issuer(&target()), "https://as.test/");
        facts.metadata.set("issuer", "https://other.test");
        assert_eq!(facts.issuer(&target()), "https://as.test");
    }
}
