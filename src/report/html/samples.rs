//! Exchanges for tests.

use crate::model::report::{ExchangeReport, Party, Route};

/// An exchange at the token endpoint.
pub(super) fn exchange(number: usize, request_line: &str) -> ExchangeReport {
    ExchangeReport {
        number,
        route: Route {
            from: Party::Client,
            to: Party::AuthorizationServer,
            endpoint: "token_endpoint".into(),
        },
        at_us: 1000 * number as u64,
        elapsed_us: 800,
        request_line: request_line.into(),
        request_headers: vec![],
        request_body: String::new(),
        status: Some(200),
        response_headers: vec![],
        response_body: String::new(),
        failure: None,
        curl: "curl".into(),
    }
}

/// An exchange between these parties.
pub(super) fn routed(number: usize, from: Party, to: Party) -> ExchangeReport {
    let route = Route { from, to, endpoint: "resource".into() };
    ExchangeReport { route, ..exchange(number, "GET https://as.example.test/x") }
}
