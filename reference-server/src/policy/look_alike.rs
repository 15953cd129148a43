//! Redirect URIs that resemble a registered one, as attackers write them (RFC 9700 §4.1).

use url::Url;

use super::Policy;
use super::redirect_uri::{parts, percent_decoded, without_dot_segments};
use crate::clients::is_registered_anywhere;
use crate::defect::Defect::{
    JavascriptAnyCaseAccepted, RedirectUriAnySubdomain, RedirectUriAsRegex,
    RedirectUriAuthorityDecoded, RedirectUriDecodedTwice, RedirectUriDomainOnly,
    RedirectUriIdnaMapped, RedirectUriListAccepted, RedirectUriOfOtherClient,
    RedirectUriPathParametersDropped, RedirectUriPortOverflows, RedirectUriPresetFragmentKept,
    RedirectUriPresetParametersKept, RedirectUriSchemeIgnored, RedirectUriSecondAtIgnored,
};

/// Authority, path, and the rest from `?` or `#` on.
type Parts<'a> = (&'a str, &'a str, &'a str);

impl Policy {
    /// Whether an https URI passes for the registered one: only if it is the same string.
    pub(super) fn looks_like_registered(
        &self,
        registered: Parts<'_>,
        presented: Parts<'_>,
    ) -> bool {
        let ((host, path, tail), (authority, other_path, other_tail)) = (registered, presented);
        let same_path = (path, tail) == (other_path, other_tail);
        let same_host = host == authority;
        let parent = host.split_once('.').map_or(host, |(_, parent)| parent);
        match self.defect {
            Some(RedirectUriSecondAtIgnored) => {
                let mut names = authority.split('@').skip(1);
                same_path && names.next() == Some(host) && names.next().is_some()
            }
            Some(RedirectUriAuthorityDecoded) => {
                let decoded = percent_decoded(authority);
                same_path && decoded != authority && decoded.split('@').next() == Some(host)
            }
            Some(RedirectUriAsRegex) => {
                let matches = |(pattern, c)| pattern == '.' || pattern == c;
                same_path
                    && !same_host
                    && !host.eq_ignore_ascii_case(authority)
                    && host.len() == authority.len()
                    && host.chars().zip(authority.chars()).all(matches)
            }
            Some(RedirectUriDomainOnly) => same_path && authority == parent,
            Some(RedirectUriAnySubdomain) => {
                let label = authority.strip_suffix(parent).and_then(|rest| rest.strip_suffix('.'));
                same_path
                    && !host.eq_ignore_ascii_case(authority)
                    && label.is_some_and(|label| !label.contains(['@', '.']))
            }
            Some(RedirectUriPathParametersDropped) => {
                same_host && tail == other_tail && path == without_parameters(other_path)
            }
            Some(RedirectUriDecodedTwice) => {
                same_host
                    && tail == other_tail
                    && path == percent_decoded(&percent_decoded(other_path))
            }
            Some(RedirectUriPortOverflows) => {
                let port = |text: &str| Some(text.parse::<u64>().ok()? % 65_536);
                same_path
                    && authority.strip_prefix(host).is_some_and(|rest| {
                        rest.len() > 4 && rest.strip_prefix(':').and_then(port) == Some(443)
                    })
            }
            Some(RedirectUriPresetParametersKept) => {
                same_host && path == other_path && tail.is_empty() && is_preset(other_tail, '?')
            }
            Some(RedirectUriPresetFragmentKept) => {
                same_host && path == other_path && tail.is_empty() && is_preset(other_tail, '#')
            }
            _ => false,
        }
    }

    /// Whether a string that is no https URI, or that parsers read in several ways, passes for the
    /// registered one: never.
    pub(super) fn reads_as_registered(&self, registered: &str, presented: &str) -> bool {
        match self.defect {
            Some(RedirectUriOfOtherClient) => is_registered_anywhere(presented),
            Some(RedirectUriListAccepted) => presented.split(',').next() == Some(registered),
            Some(JavascriptAnyCaseAccepted) => {
                let scheme = presented.split(':').next().unwrap_or_default();
                scheme != "javascript" && scheme.eq_ignore_ascii_case("javascript")
            }
            Some(RedirectUriSchemeIgnored) => {
                let rest = |uri: &str| uri.split_once("://").map(|(_, rest)| rest.to_owned());
                parts(registered).is_some()
                    && !presented.to_ascii_lowercase().starts_with("https:")
                    && rest(registered) == rest(presented)
            }
            Some(RedirectUriIdnaMapped) => {
                !presented.is_ascii()
                    && parts(registered).is_some()
                    && Url::parse(presented).ok() == Url::parse(registered).ok()
            }
            _ => false,
        }
    }
}

/// The path as a servlet container reads it: parameters dropped, then dot segments removed.
fn without_parameters(path: &str) -> String {
    let bare = |segment: &str| segment.split(';').next().unwrap_or_default().to_owned();
    let segments: Vec<String> = path.split('/').map(bare).collect();
    without_dot_segments(&segments.join("/"))
}

/// The rest of the URI, from `start` on, holds parameters of the response and nothing else.
fn is_preset(tail: &str, start: char) -> bool {
    const RESPONSE: [&str; 4] = ["code", "state", "iss", "error"];
    let known = |pair: &str| RESPONSE.contains(&pair.split('=').next().unwrap_or_default());
    tail.strip_prefix(start).is_some_and(|pairs| pairs.split('&').all(known))
}
