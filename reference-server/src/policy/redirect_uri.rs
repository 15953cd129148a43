//! Which redirect URIs are accepted.

use super::Policy;
use crate::clients::Client;
use crate::defect::Defect::{
    CleartextRedirectAccepted, DataSchemeAccepted, JavascriptSchemeAccepted, LoopbackPortCompared,
    PrivateUseSchemeAnyPath, PrivateUseSchemeRefused, RedirectUriArrayUsed,
    RedirectUriBackslashMisread, RedirectUriCutAtNul, RedirectUriDefaultPortIgnored,
    RedirectUriDefaulted, RedirectUriDotSegmentsRemoved, RedirectUriFragmentIgnored,
    RedirectUriHostCaseIgnored, RedirectUriHostNotCompared, RedirectUriHostPrefix,
    RedirectUriHostSuffix, RedirectUriIdnaMapped, RedirectUriListAccepted, RedirectUriNotChecked,
    RedirectUriOriginOnly, RedirectUriPathCaseIgnored, RedirectUriPercentDecoded,
    RedirectUriPortIgnored, RedirectUriPrefix, RedirectUriQueryIgnored, RedirectUriSlashesMerged,
    RedirectUriTrailingSlashIgnored, RedirectUriUserinfoIgnored, RedirectUriUserinfoTakenForHost,
    RedirectUriWhitespaceStripped, RepeatedRedirectUriFirstUsed, RepeatedRedirectUriFirstWins,
    RepeatedRedirectUriLastUsed, TenantRedirectUriRefused,
};
use crate::redirect_uri::{is_cleartext, matches};
use crate::seeds;

/// An https URI in parts: authority, path, and the rest from `?` or `#` on. Anything that parsers
/// could read in different ways has no parts.
pub(super) fn parts(uri: &str) -> Option<(&str, &str, &str)> {
    let rest = uri.strip_prefix("https://")?;
    if !rest.bytes().all(|b| b.is_ascii_graphic() && !b"\\\"<>[]^`{|}".contains(&b)) {
        return None;
    }
    let (rest, tail) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Some((authority, path, tail))
}

pub(super) fn without_dot_segments(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            ".." => drop(segments.pop()),
            "." => {}
            other => segments.push(other),
        }
    }
    segments.join("/")
}

pub(super) fn percent_decoded(text: &str) -> String {
    // The form decoder, with the characters protected that mean something to it.
    let protected = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(protected.as_bytes()).map(|(name, _)| name.into_owned()).collect()
}

impl Policy {
    /// RFC 9700 §2.1: simple string comparison; RFC 8252 §7.3: any loopback port.
    pub(crate) fn redirect_uri_matches(&self, registered: &str, presented: &str) -> bool {
        match self.defect {
            Some(TenantRedirectUriRefused) if presented == seeds::WEB_REDIRECT_URI_WITH_QUERY => {
                false
            }
            Some(PrivateUseSchemeRefused) if presented == seeds::MOBILE_REDIRECT_URI => false,
            Some(LoopbackPortCompared) => registered == presented,
            _ => matches(registered, presented) || self.matches_loosely(registered, presented),
        }
    }

    fn matches_loosely(&self, registered: &str, presented: &str) -> bool {
        match self.defect {
            Some(RedirectUriWhitespaceStripped | RedirectUriCutAtNul) => {
                registered == self.redirect_uri_as_used(presented)
            }
            Some(JavascriptSchemeAccepted) => presented.starts_with("javascript:"),
            Some(DataSchemeAccepted) => {
                ["data:", "vbscript:", "about:"].iter().any(|scheme| presented.starts_with(scheme))
            }
            Some(PrivateUseSchemeAnyPath) => {
                registered == seeds::MOBILE_REDIRECT_URI
                    && presented.starts_with("com.example.app:/")
            }
            Some(RedirectUriBackslashMisread) => authority_at_backslash(registered, presented),
            _ => {
                let both = parts(registered).zip(parts(presented));
                both.is_some_and(|(r, p)| {
                    self.matches_https_loosely(r, p) || self.looks_like_registered(r, p)
                }) || self.matches_loopback_loosely(registered, presented)
                    || self.reads_as_registered(registered, presented)
            }
        }
    }

    fn matches_https_loosely(
        &self,
        registered: (&str, &str, &str),
        presented: (&str, &str, &str),
    ) -> bool {
        let ((host, path, tail), (authority, other_path, other_tail)) = (registered, presented);
        let same_path = (path, tail) == (other_path, other_tail);
        let same_host = host == authority;
        let without_query = || other_tail.find('#').map_or("", |at| &other_tail[at..]);
        match self.defect {
            Some(RedirectUriNotChecked) => !other_tail.contains('#'),
            Some(RedirectUriHostNotCompared) => {
                same_path
                    && !authority.contains(['@', ':'])
                    && !host.eq_ignore_ascii_case(authority)
            }
            Some(RedirectUriHostSuffix) => same_path && authority.ends_with(host),
            Some(RedirectUriHostPrefix) => {
                same_path && authority.starts_with(host) && !authority.contains(':')
            }
            Some(RedirectUriUserinfoIgnored) => {
                same_path && authority.rsplit('@').next() == Some(host)
            }
            Some(RedirectUriUserinfoTakenForHost) => {
                same_path
                    && authority
                        .split_once('@')
                        .is_some_and(|(user, _)| user.split(':').next() == Some(host))
            }
            Some(RedirectUriPrefix) => {
                let with_tail = |path: &str, tail: &str| format!("{path}{tail}");
                same_host && with_tail(other_path, other_tail).starts_with(&with_tail(path, tail))
            }
            Some(RedirectUriOriginOnly) => same_host && other_tail.is_empty(),
            Some(RedirectUriPathCaseIgnored) => {
                same_host && path.eq_ignore_ascii_case(other_path) && tail == other_tail
            }
            Some(RedirectUriHostCaseIgnored) => host.eq_ignore_ascii_case(authority) && same_path,
            Some(RedirectUriTrailingSlashIgnored) => {
                same_host
                    && path.trim_end_matches('/') == other_path.trim_end_matches('/')
                    && tail == other_tail
            }
            Some(RedirectUriDotSegmentsRemoved) => {
                same_host && path == without_dot_segments(other_path) && tail == other_tail
            }
            Some(RedirectUriPercentDecoded) => {
                same_host && path == percent_decoded(other_path) && tail == other_tail
            }
            Some(RedirectUriSlashesMerged) => {
                same_host && path == other_path.replace("//", "/") && tail == other_tail
            }
            Some(RedirectUriQueryIgnored) => {
                same_host
                    && path == other_path
                    && (tail.is_empty() || tail.starts_with('?'))
                    && without_query().is_empty()
            }
            Some(RedirectUriFragmentIgnored) => {
                same_host && path == other_path && other_tail.split('#').next() == Some(tail)
            }
            Some(RedirectUriPortIgnored) => {
                same_path && !authority.contains('@') && authority.split(':').next() == Some(host)
            }
            Some(RedirectUriDefaultPortIgnored) => {
                same_path && authority.strip_suffix(":443") == Some(host)
            }
            _ => false,
        }
    }

    /// RFC 9700 §2.6: no code crosses the network in cleartext, whatever was registered once.
    pub(crate) fn may_redirect_to(&self, uri: &str) -> bool {
        !is_cleartext(uri)
            || self.has(CleartextRedirectAccepted)
            || self.matches_loopback_loosely(seeds::NATIVE_REDIRECT_URI, uri)
    }

    /// The redirect URI to check and the one to use: the only one. `None` if there is no such one.
    pub(crate) fn redirect_uri_of<'a>(
        &self,
        client: &Client,
        presented: &[&'a str],
    ) -> Option<(&'a str, &'a str)> {
        match (self.defect, presented) {
            (_, [one]) => Some((one, one)),
            (Some(RedirectUriDefaulted), []) => {
                client.redirect_uris.first().map(|uri| (*uri, *uri))
            }
            (Some(RepeatedRedirectUriLastUsed | RedirectUriArrayUsed), [first, .., last]) => {
                Some((first, last))
            }
            (Some(RepeatedRedirectUriFirstUsed), [first, .., last]) => Some((last, first)),
            (Some(RepeatedRedirectUriFirstWins), [first, ..]) => Some((first, first)),
            _ => None,
        }
    }

    /// The names of the parameter: one.
    pub(crate) fn redirect_uri_names(&self) -> &'static [&'static str] {
        if self.has(RedirectUriArrayUsed) {
            &["redirect_uri", "redirect_uri[]"]
        } else {
            &["redirect_uri"]
        }
    }

    /// The accepted URI as it is used afterwards: unchanged.
    pub(crate) fn redirect_uri_as_used(&self, accepted: &str) -> String {
        match self.defect {
            Some(RedirectUriWhitespaceStripped) => {
                accepted.chars().filter(|c| !c.is_whitespace()).collect()
            }
            Some(RedirectUriCutAtNul) => accepted.split('\0').next().unwrap_or_default().to_owned(),
            Some(RedirectUriListAccepted) => {
                accepted.rsplit(',').next().unwrap_or_default().to_owned()
            }
            Some(RedirectUriIdnaMapped) => {
                url::Url::parse(accepted).map_or_else(|_| accepted.to_owned(), Into::into)
            }
            _ => accepted.to_owned(),
        }
    }
}

/// A reader for whom a backslash is an ordinary character of the userinfo, or ends the host.
fn authority_at_backslash(registered: &str, presented: &str) -> bool {
    let Some((host, path, _)) = parts(registered) else { return false };
    let Some(authority) =
        presented.strip_prefix("https://").and_then(|rest| rest.strip_suffix(path))
    else {
        return false;
    };
    let in_userinfo = authority.split_once("\\@").is_some_and(|(_, after)| after == host);
    let behind_host = authority.split_once('\\').is_some_and(|(before, _)| before == host);
    in_userinfo || behind_host
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defect::Defect::{
        self, JavascriptAnyCaseAccepted, LoopbackAnyAddress, LoopbackAnyPath,
        LoopbackForEveryClient, LoopbackHostPrefix, LoopbackLocalhostAccepted,
        LoopbackQueryIgnored, LoopbackSchemeIgnored, LoopbackSpellingIgnored,
        LoopbackUnspecifiedAddress, RedirectUriAnySubdomain, RedirectUriAsRegex,
        RedirectUriAuthorityDecoded, RedirectUriDecodedTwice, RedirectUriDomainOnly,
        RedirectUriOfOtherClient, RedirectUriPathParametersDropped, RedirectUriPortOverflows,
        RedirectUriPresetFragmentKept, RedirectUriPresetParametersKept, RedirectUriSchemeIgnored,
        RedirectUriSecondAtIgnored,
    };

    const WEB: &str = seeds::WEB_REDIRECT_URI;

    #[test]
    fn each_defect_accepts_its_variant_and_the_conformant_policy_none() {
        let rows: &[(Defect, &str, &str)] = &[
            (RedirectUriNotChecked, WEB, "https://probe.invalid/cb"),
            (RedirectUriHostNotCompared, WEB, "https://probe.invalid/callback"),
            (RedirectUriHostSuffix, WEB, "https://evil.app.example.test/callback"),
            (RedirectUriHostPrefix, WEB, "https://app.example.test.probe.invalid/callback"),
            (RedirectUriUserinfoIgnored, WEB, "https://probe.invalid@app.example.test/callback"),
            (
                RedirectUriUserinfoTakenForHost,
                WEB,
                "https://app.example.test:443@probe.invalid/callback",
            ),
            (RedirectUriPrefix, WEB, "https://app.example.test/callback/probe"),
            (RedirectUriOriginOnly, WEB, "https://app.example.test"),
            (RedirectUriPathCaseIgnored, WEB, "https://app.example.test/callbacK"),
            (RedirectUriHostCaseIgnored, WEB, "https://APP.EXAMPLE.TEST/callback"),
            (RedirectUriTrailingSlashIgnored, WEB, "https://app.example.test/callback/"),
            (RedirectUriDotSegmentsRemoved, WEB, "https://app.example.test/probe/../callback"),
            (RedirectUriPercentDecoded, WEB, "https://app.example.test/callbac%6B"),
            (RedirectUriSlashesMerged, WEB, "https://app.example.test//callback"),
            (RedirectUriQueryIgnored, WEB, "https://app.example.test/callback?conformance_probe=1"),
            (RedirectUriFragmentIgnored, WEB, "https://app.example.test/callback#probe"),
            (RedirectUriPortIgnored, WEB, "https://app.example.test:8444/callback"),
            (RedirectUriDefaultPortIgnored, WEB, "https://app.example.test:443/callback"),
            (RedirectUriBackslashMisread, WEB, "https://probe.invalid\\@app.example.test/callback"),
            (RedirectUriWhitespaceStripped, WEB, " https://app.example.test/callback"),
            (RedirectUriCutAtNul, WEB, "https://app.example.test/callback\0.probe.invalid"),
            (JavascriptSchemeAccepted, WEB, "javascript:alert(1)"),
            (DataSchemeAccepted, WEB, "about:blank"),
            (LoopbackAnyPath, seeds::NATIVE_REDIRECT_URI, "http://127.0.0.1/probe"),
            (
                LoopbackQueryIgnored,
                seeds::NATIVE_REDIRECT_URI,
                "http://127.0.0.1/callback?conformance_probe=1",
            ),
            (LoopbackAnyAddress, seeds::NATIVE_REDIRECT_URI, "http://127.0.0.2/callback"),
            (LoopbackUnspecifiedAddress, seeds::NATIVE_REDIRECT_URI, "http://0.0.0.0/callback"),
            (
                LoopbackHostPrefix,
                seeds::NATIVE_REDIRECT_URI,
                "http://127.0.0.1.probe.invalid/callback",
            ),
            (LoopbackSchemeIgnored, seeds::NATIVE_REDIRECT_URI, "https://127.0.0.1/callback"),
            (LoopbackLocalhostAccepted, seeds::NATIVE_REDIRECT_URI, "http://localhost/callback"),
            (LoopbackSpellingIgnored, seeds::NATIVE_REDIRECT_URI, "http://127.1/callback"),
            (LoopbackForEveryClient, WEB, "http://127.0.0.1:49152/probe"),
            (RedirectUriSecondAtIgnored, WEB, "https://x@app.example.test@probe.invalid/callback"),
            (RedirectUriAuthorityDecoded, WEB, "https://app.example.test%40probe.invalid/callback"),
            (RedirectUriAsRegex, WEB, "https://appxexample.test/callback"),
            (RedirectUriDomainOnly, WEB, "https://example.test/callback"),
            (RedirectUriAnySubdomain, WEB, "https://*.example.test/callback"),
            (RedirectUriPathParametersDropped, WEB, "https://app.example.test/x/..;/callback"),
            (RedirectUriDecodedTwice, WEB, "https://app.example.test/callbac%256B"),
            (RedirectUriPortOverflows, WEB, "https://app.example.test:65979/callback"),
            (RedirectUriSchemeIgnored, WEB, "ftp://app.example.test/callback"),
            (RedirectUriPresetParametersKept, WEB, "https://app.example.test/callback?code=probe"),
            (RedirectUriPresetFragmentKept, WEB, "https://app.example.test/callback#code=probe"),
            (RedirectUriOfOtherClient, WEB, seeds::MOBILE_REDIRECT_URI),
            (RedirectUriListAccepted, WEB, "https://app.example.test/callback,https://x.test/"),
            (RedirectUriIdnaMapped, WEB, "https://\u{ad}app.example.test/callback"),
            (JavascriptAnyCaseAccepted, WEB, "JavaScript:alert(1)"),
            (PrivateUseSchemeAnyPath, seeds::MOBILE_REDIRECT_URI, "com.example.app:/probe"),
        ];
        for (defect, registered, presented) in rows {
            let policy = Policy::with(*defect);
            assert!(
                policy.redirect_uri_matches(registered, presented)
                    && policy.may_redirect_to(presented),
                "{defect}"
            );
            assert!(policy.redirect_uri_matches(registered, registered), "{defect}");
            assert!(
                !Policy::conformant().redirect_uri_matches(registered, presented),
                "{presented}"
            );
        }
    }
}
