//! Judges of token revocation (RFC 7009).

use super::{Findings, check};
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Weight};

/// Where an access token can be shown to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The introspection endpoint.
    Introspection,
    /// The UserInfo endpoint.
    Userinfo,
    /// The protected resource of the profile.
    Resource,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::Introspection => "introspection",
            Self::Userinfo => "UserInfo",
            Self::Resource => "the resource",
        }
    }
}

/// 200; 400 with `unsupported_token_type` is a warning (RFC 7009 §2.2.1).
pub fn revoked(exchange: &Exchange) -> Findings {
    let Some(response) = exchange.response() else { return vec![] };
    check(response.status == 200, || {
        let error = response.json_object().and_then(|members| members.get("error").cloned());
        let is_unsupported = error.is_some_and(|error| error == "unsupported_token_type");
        let weight = if is_unsupported { Weight::Warning } else { Weight::Failure };
        Deviation::new("status 200", exchange.gist()).weighing(weight).seen_in(exchange)
    })
}

/// A revoked access token no longer works at that place; a resource may validate it offline.
pub fn access_token_ended(exchange: &Exchange, is_alive: bool, place: Place) -> Findings {
    let weight = if place == Place::Resource { Weight::Warning } else { Weight::Failure };
    ended(exchange, is_alive, place, weight)
}

/// The access token ended with its refresh token; self-contained ones may live on.
pub fn sibling_ended(
    exchange: &Exchange,
    is_alive: bool,
    place: Place,
    is_self_contained: bool,
) -> Findings {
    let weight = if is_self_contained { Weight::Note } else { Weight::Warning };
    ended(exchange, is_alive, place, weight)
}

fn ended(exchange: &Exchange, is_alive: bool, place: Place, weight: Weight) -> Findings {
    check(!is_alive, || {
        let expected = format!("an access token that no longer works at {}", place.name());
        Deviation::new(expected, exchange.gist()).weighing(weight).seen_in(exchange)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::json;

    #[test]
    fn revocation_answers_200_or_at_least_says_unsupported() {
        assert!(revoked(&json(200, "")).is_empty() && revoked(&json(200, "{}")).is_empty());
        for (status, body, weight) in [
            (400, r#"{"error":"unsupported_token_type"}"#, Weight::Warning),
            (400, r#"{"error":"invalid_grant"}"#, Weight::Failure),
            (401, r#"{"error":"invalid_client"}"#, Weight::Failure),
            (204, "", Weight::Failure),
            (404, "", Weight::Failure),
            (500, "", Weight::Failure),
        ] {
            assert_eq!(revoked(&json(status, body))[0].weight, weight, "{status} {body}");
        }
    }

    #[test]
    fn life_after_revocation_weighs_by_place() {
        let answer = json(200, "{}");
        assert!(access_token_ended(&answer, false, Place::Userinfo).is_empty());
        for (place, weight) in [
            (Place::Introspection, Weight::Failure),
            (Place::Userinfo, Weight::Failure),
            (Place::Resource, Weight::Warning),
        ] {
            assert_eq!(access_token_ended(&answer, true, place)[0].weight, weight);
        }
        let sibling = |is_self_contained| {
            sibling_ended(&answer, true, Place::Userinfo, is_self_contained)[0].weight
        };
        assert_eq!((sibling(true), sibling(false)), (Weight::Note, Weight::Warning));
    }
}
