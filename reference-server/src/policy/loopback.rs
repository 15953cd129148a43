//! How far the rule for loopback redirect URIs goes (RFC 8252 §7.3): the port, and no more.

use std::net::Ipv4Addr;

use url::{Host, Url};

use super::Policy;
use crate::defect::Defect::{
    LoopbackAnyAddress, LoopbackAnyPath, LoopbackForEveryClient, LoopbackHostPrefix,
    LoopbackLocalhostAccepted, LoopbackQueryIgnored, LoopbackSchemeIgnored,
    LoopbackSpellingIgnored, LoopbackUnspecifiedAddress,
};
use crate::redirect_uri::loopback_without_port;

impl Policy {
    /// Whether the rule covers a URI that only resembles the registered one: it does not.
    pub(super) fn matches_loopback_loosely(&self, registered: &str, presented: &str) -> bool {
        let own = loopback_without_port(presented).map(|(_, rest)| rest);
        let of_registered = loopback_without_port(registered);
        if self.has(LoopbackForEveryClient) {
            return own.is_some() && of_registered.is_none();
        }
        let Some((_, path)) = of_registered.filter(|(start, _)| start.ends_with("127.0.0.1"))
        else {
            return false;
        };
        let Some((scheme, authority, other_path)) = split(presented) else { return false };
        let host = authority.split(':').next().unwrap_or_default();
        let same_but_host = scheme == "http" && path == other_path;
        match self.defect {
            Some(LoopbackAnyPath) => own.is_some_and(|rest| !rest.contains(['?', '#'])),
            Some(LoopbackQueryIgnored) => {
                own.is_some_and(|rest| rest.split('?').next() == Some(path))
            }
            Some(LoopbackAnyAddress) => {
                same_but_host && host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
            }
            Some(LoopbackUnspecifiedAddress) => same_but_host && host == "0.0.0.0",
            Some(LoopbackHostPrefix) => same_but_host && host.starts_with("127.0.0.1"),
            Some(LoopbackSchemeIgnored) => {
                scheme != "http" && path == other_path && host == "127.0.0.1"
            }
            Some(LoopbackLocalhostAccepted) => same_but_host && host == "localhost",
            Some(LoopbackSpellingIgnored) => {
                let means_loopback = |url: Url| url.host() == Some(Host::Ipv4(Ipv4Addr::LOCALHOST));
                same_but_host
                    && !authority.contains('@')
                    && Url::parse(presented).is_ok_and(means_loopback)
            }
            _ => false,
        }
    }
}

/// Scheme, authority, and all the rest.
fn split(uri: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = uri.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/')?);
    Some((scheme, authority, path))
}
