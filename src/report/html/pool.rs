//! Exchanges that several scenarios cite are written once.

use std::collections::HashMap;

use crate::model::report::ExchangeReport;

/// What was written so far, by start and length.
#[derive(Default)]
pub(super) struct Pool<'a> {
    written: HashMap<(u64, u64), Vec<(&'a ExchangeReport, String)>>,
}

impl<'a> Pool<'a> {
    /// Where the same exchange was written before; nothing where this is the first time, at `anchor`.
    pub(super) fn place(&mut self, exchange: &'a ExchangeReport, anchor: &str) -> Option<String> {
        let alike = self.written.entry((exchange.at_us, exchange.elapsed_us)).or_default();
        let found = alike.iter().find(|(other, _)| same(other, exchange));
        let found = found.map(|(_, anchor)| anchor.clone());
        if found.is_none() {
            alike.push((exchange, anchor.to_owned()));
        }
        found
    }
}

/// The same exchange, whatever its number in the scenario.
pub(super) fn same(a: &ExchangeReport, b: &ExchangeReport) -> bool {
    let ExchangeReport {
        number: _,
        route,
        at_us,
        elapsed_us,
        request_line,
        request_headers,
        request_body,
        status,
        response_headers,
        response_body,
        failure,
        curl,
    } = a;
    *at_us == b.at_us
        && *elapsed_us == b.elapsed_us
        && *status == b.status
        && *route == b.route
        && *request_line == b.request_line
        && *request_headers == b.request_headers
        && *request_body == b.request_body
        && *response_headers == b.response_headers
        && *response_body == b.response_body
        && *failure == b.failure
        && *curl == b.curl
}
