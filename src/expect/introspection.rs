//! Judges of introspection (RFC 7662).

use serde_json::{Map, Value};

use super::{Findings, check, or_list};
use crate::model::exchange::Exchange;
use crate::model::verdict::{Deviation, Weight};

fn status(exchange: &Exchange) -> u16 {
    exchange.response().map_or(0, |r| r.status)
}

fn members(exchange: &Exchange) -> Option<Map<String, Value>> {
    exchange.response().filter(|r| r.status == 200)?.json_object()
}

fn is_inactive(members: &Map<String, Value>) -> bool {
    members.get("active") == Some(&Value::Bool(false))
}

/// `active` is the boolean true; `scope` is a string, `exp` and `iat` are numbers when present.
pub fn active(exchange: &Exchange) -> Findings {
    let Some(members) = members(exchange).filter(|m| m.get("active") == Some(&Value::Bool(true)))
    else {
        return vec![Deviation::new("200 with active=true", exchange.gist()).seen_in(exchange)];
    };
    let wrong: Vec<&str> = [
        ("scope", Value::is_string as fn(&Value) -> bool),
        ("exp", Value::is_number),
        ("iat", Value::is_number),
    ]
    .into_iter()
    .filter(|(name, fits)| members.get(*name).is_some_and(|value| !fits(value)))
    .map(|(name, _)| name)
    .collect();
    check(wrong.is_empty(), || {
        let expected = "scope as a string, exp and iat as numbers";
        Deviation::new(expected, format!("{} of another type", or_list(&wrong))).seen_in(exchange)
    })
}

/// 200 and `active` is the boolean false.
pub fn inactive(exchange: &Exchange) -> Findings {
    check(members(exchange).is_some_and(|m| is_inactive(&m)), || {
        Deviation::new("200 with active=false", actual(exchange)).seen_in(exchange)
    })
}

/// An inactive answer has no other member; one that is not inactive says nothing here.
pub fn reveals_nothing(exchange: &Exchange) -> Findings {
    let others: Vec<String> = members(exchange)
        .filter(is_inactive)
        .into_iter()
        .flat_map(|members| members.into_iter().map(|(name, _)| name))
        .filter(|name| name != "active")
        .collect();
    check(others.is_empty(), || {
        let expected = "active as the only member";
        Deviation::new(expected, format!("also {}", others.join(", ")))
            .weighing(Weight::Warning)
            .seen_in(exchange)
    })
}

/// The caller is refused; `active=false` tells little and is a warning.
pub fn learns_nothing(exchange: &Exchange) -> Findings {
    refuses_caller(exchange, Weight::Warning, Weight::Failure)
}

/// The same for a caller that is nothing but a public client: `active=false` is a note, and what it
/// learns about its own token is a warning.
pub fn learns_nothing_as_client(exchange: &Exchange, is_its_own: bool) -> Findings {
    let learned = if is_its_own { Weight::Warning } else { Weight::Failure };
    refuses_caller(exchange, Weight::Note, learned)
}

fn refuses_caller(exchange: &Exchange, inactive: Weight, learned: Weight) -> Findings {
    let weight = match (status(exchange), members(exchange)) {
        (200, Some(members)) if is_inactive(&members) => inactive,
        (200..300, _) => learned,
        (400 | 401 | 403, _) => return vec![],
        // Nothing is learned, but not because the caller was refused.
        _ => Weight::Warning,
    };
    let expected = "401, 400 or 403";
    vec![Deviation::new(expected, actual(exchange)).weighing(weight).seen_in(exchange)]
}

fn actual(exchange: &Exchange) -> String {
    match members(exchange).and_then(|m| m.get("active").cloned()) {
        Some(active) => format!("200 with active={active} (exchange {})", exchange.number),
        None => exchange.gist(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::json;

    const ACTIVE: &str = r#"{"active":true}"#;
    const INACTIVE: &str = r#"{"active":false}"#;

    #[test]
    fn active_is_a_boolean_with_typed_companions() {
        assert!(active(&json(200, r#"{"active":true,"scope":"a","exp":1,"iat":1}"#)).is_empty());
        for bad in [INACTIVE, r#"{"active":"true"}"#, r#"{"active":true,"exp":"1"}"#] {
            assert_eq!(active(&json(200, bad)).len(), 1, "{bad}");
        }
    }

    #[test]
    fn inactive_is_no_error() {
        assert!(inactive(&json(200, INACTIVE)).is_empty());
        for (status, body) in
            [(200, ACTIVE), (200, r#"{"active":"false"}"#), (400, INACTIVE), (404, "{}")]
        {
            assert_eq!(inactive(&json(status, body)).len(), 1, "{status} {body}");
        }
    }

    #[test]
    fn an_inactive_answer_has_one_member() {
        assert!(reveals_nothing(&json(200, INACTIVE)).is_empty());
        assert!(reveals_nothing(&json(200, r#"{"active":true,"sub":"a"}"#)).is_empty());
        let told = reveals_nothing(&json(200, r#"{"active":false,"sub":"a","exp":1}"#));
        assert!(told[0].actual.contains("sub, exp"), "{}", told[0]);
    }

    #[test]
    fn callers_are_refused() {
        for status in [400, 401, 403] {
            assert!(learns_nothing(&json(status, "{}")).is_empty());
            assert!(learns_nothing_as_client(&json(status, "{}"), false).is_empty());
        }
        assert_eq!(learns_nothing(&json(200, INACTIVE))[0].weight, Weight::Warning);
        assert_eq!(learns_nothing(&json(200, ACTIVE))[0].weight, Weight::Failure);
        for status in [302, 404, 500] {
            assert_eq!(learns_nothing(&json(status, ""))[0].weight, Weight::Warning, "{status}");
        }
        let as_client = |body, own| learns_nothing_as_client(&json(200, body), own)[0].weight;
        assert_eq!(as_client(INACTIVE, false), Weight::Note);
        assert_eq!(
            (as_client(ACTIVE, true), as_client(ACTIVE, false)),
            (Weight::Warning, Weight::Failure)
        );
    }
}
