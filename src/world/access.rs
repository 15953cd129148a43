//! Calls of what tokens open: the resource, UserInfo, introspection.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::context::Context;
use crate::model::exchange::Request;
use crate::model::verdict::Obstacle;
use crate::oauth::authorization::form_post;
use crate::oauth::params::Params;

/// The request with a bearer token, if there is one (RFC 6750 §2.1).
pub fn with_token(mut request: Request, token: Option<&str>) -> Request {
    if let Some(token) = token {
        request.headers.push(("Authorization".into(), format!("Bearer {token}")));
    }
    request
}

/// A call of the protected resource, without a token.
pub fn resource_request(context: &Context) -> Result<Request, Obstacle> {
    let resource = context.target.resource.as_ref();
    let resource = resource.ok_or_else(|| {
        Obstacle::new(
            "to call the protected resource",
            "none is configured",
            "add [resource] to the profile",
        )
    })?;
    Ok(Request { method: resource.method.clone(), ..Request::get(&resource.url) })
}

/// A call of the UserInfo endpoint, without a token.
pub fn userinfo_request(context: &Context) -> Result<Request, Obstacle> {
    Ok(Request::get(context.endpoint("userinfo_endpoint")?))
}

/// Asks the introspection endpoint about a token, with the credentials of the profile (RFC 7662
/// §2.1).
pub fn introspection_request(context: &Context, token: &str) -> Result<Request, Obstacle> {
    let server = context.target.introspection.as_ref().ok_or_else(|| {
        Obstacle::new(
            "to introspect a token",
            "no credentials are configured",
            "add [introspection] to the profile",
        )
    })?;
    let credentials =
        STANDARD.encode(format!("{}:{}", server.client_id, server.client_secret.expose()));
    let endpoint = context.endpoint("introspection_endpoint")?;
    let mut request = form_post(endpoint, &Params::new([("token", token)]));
    request.headers.push(("Authorization".into(), format!("Basic {credentials}")));
    Ok(request)
}
