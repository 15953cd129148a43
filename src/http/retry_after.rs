//! How long a server asks to be left alone (RFC 9110 §10.2.3).

use std::time::Duration;

use jiff::Timestamp;

use crate::model::exchange::Response;

/// What `Retry-After` asks of a client whose clock shows `now`: seconds, or the time until a date.
/// Nothing where it is absent or unreadable, or where the server is not busy.
pub(super) fn asked(response: &Response, now: Timestamp) -> Option<Duration> {
    if !matches!(response.status, 429 | 503) {
        return None;
    }
    let value = response.header("retry-after")?.trim();
    if !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_digit()) {
        // More digits than fit say no more than the largest number.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::exchange::samples::answered;

    fn of(status: u16, value: &str) -> Option<u64> {
        let now = "2026-11-26T06:00:00Z".parse().unwrap();
        let exchange = answered(status, &[("Retry-After", value)], "");
        asked(exchange.response().unwrap(), now).map(|asked| asked.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_read() {
        assert_eq!(of(429, "7"), Some(7));
        assert_eq!(of(503, " 120 "), Some(120));
        assert_eq!(of(503, "Thu, 26 Nov 2026 06:01:30 GMT"), Some(90));
        assert_eq!(of(429, "Thu, 26 Nov 2026 05:00:00 GMT"), Some(0));
    }

    #[test]
    fn what_asks_for_nothing_is_left_alone() {
        for value in ["", "-1", "soon", "1.5", "0x10", "Thu, 99 Nov 2026 06:01:30 GMT"] {
            assert_eq!(of(429, value), None, "{value}");
        }
        for status in [200, 302, 400, 500] {
            assert_eq!(of(status, "7"), None, "{status}");
        }
    }

    proptest! {
        #[test]
        fn any_number_is_a_number_of_seconds_and_no_value_is_fatal(digits in "[0-9]{1,40}", text in "\\PC*") {
            prop_assert!(of(429, &digits).is_some());
            let _ = of(429, &text);
        }
    }
}
