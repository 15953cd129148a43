//! Addresses of this machine.

use std::net::IpAddr;

/// The address or name belongs to this machine: 127.0.0.0/8, `::1` with or without brackets, or
/// `localhost`.
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// An address rather than a name; IPv6 with or without brackets.
pub fn is_ip(host: &str) -> bool {
    host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_recognised() {
        for host in ["127.0.0.1", "127.9.8.7", "::1", "[::1]", "localhost", "LOCALHOST"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["127.0.0.1.probe.invalid", "10.0.0.1", "localhost.probe.invalid", "app.test"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
