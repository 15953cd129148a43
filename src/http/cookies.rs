//! A cookie jar that behaves like a browser's (RFC 6265 §5), loopback included.

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use crate::model::address::is_loopback;

/// How a request came about, which decides about SameSite cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initiator {
    /// The page itself: a redirect, link or form of the same site.
    SameSite,
    /// Another site; `Strict` cookies stay at home, and `Lax` ones too unless the method is safe.
    /// Cookies without the attribute travel, as not every browser takes them for `Lax`.
    CrossSite,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SameSite {
    Strict,
    Lax,
    Unset,
    None,
}

impl SameSite {
    fn named(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "strict" => Self::Strict,
            "none" => Self::None,
            "lax" => Self::Lax,
            _ => Self::Unset,
        }
    }

    fn name(self) -> Option<&'static str> {
        match self {
            Self::Strict => Some("Strict"),
            Self::Lax => Some("Lax"),
            Self::None => Some("None"),
            Self::Unset => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    host_only: bool,
    path: String,
    secure: bool,
    same_site: SameSite,
    expires: Option<Timestamp>,
}

/// A cookie that another browser held.
#[derive(Clone, PartialEq, Eq)]
pub struct Imported {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
    /// Host or domain, with or without a leading dot.
    pub domain: String,
    /// It goes to that host alone.
    pub is_host_only: bool,
    /// Path.
    pub path: String,
    /// `Secure`.
    pub is_secure: bool,
    /// `SameSite`, where it was given.
    pub same_site: Option<String>,
    /// Seconds since the epoch; for the life of the browser when absent.
    pub expires: Option<i64>,
}

/// The cookies of one user agent.
#[derive(Clone, Debug, Default)]
pub struct CookieJar {
    cookies: Vec<Cookie>,
}

impl CookieJar {
    /// Whether the jar holds nothing.
    pub fn is_empty(&self) -> bool {
        self.cookies.is_empty()
    }

    /// The names of its cookies.
    pub fn names(&self) -> Vec<String> {
        self.cookies.iter().map(|c| c.name.clone()).collect()
    }

    /// The same jar without the cookies of that name.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        Self { cookies: self.cookies.iter().filter(|c| c.name != name).cloned().collect() }
    }

    /// Takes the cookies of another jar; where both have one, the other's is the newer.
    pub fn adopt(&mut self, newer: &Self) {
        newer.cookies.iter().cloned().for_each(|cookie| self.put(cookie));
    }

    /// RFC 6265 §5.3: name, domain and path make a cookie the same.
    fn put(&mut self, cookie: Cookie) {
        self.remove(&cookie);
        self.cookies.push(cookie);
    }

    fn remove(&mut self, cookie: &Cookie) {
        self.cookies.retain(|c| {
            !(c.name == cookie.name && c.domain == cookie.domain && c.path == cookie.path)
        });
    }

    /// The value of the first cookie of that name.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|c| c.name == name).map(|c| c.value.as_str())
    }

    /// The cookies as another browser takes them.
    pub fn export(&self) -> impl Iterator<Item = Imported> {
        self.cookies.iter().map(|cookie| Imported {
            name: cookie.name.clone(),
            value: cookie.value.clone(),
            domain: cookie.domain.clone(),
            is_host_only: cookie.host_only,
            path: cookie.path.clone(),
            is_secure: cookie.secure,
            same_site: cookie.same_site.name().map(str::to_owned),
            expires: cookie.expires.map(Timestamp::as_second),
        })
    }

    /// Takes a cookie that another browser held.
    pub fn import(&mut self, cookie: Imported) {
        let domain = cookie.domain.trim_start_matches('.').to_ascii_lowercase();
        // Hosts of URLs have brackets around IPv6 addresses.
        let is_bare = domain.parse::<std::net::Ipv6Addr>().is_ok();
        self.cookies.push(Cookie {
            name: cookie.name,
            value: cookie.value,
            domain: if is_bare { format!("[{domain}]") } else { domain },
            host_only: cookie.is_host_only,
            path: cookie.path,
            secure: cookie.is_secure,
            same_site: cookie.same_site.map_or(SameSite::Unset, |name| SameSite::named(&name)),
            expires: cookie.expires.and_then(|at| Timestamp::from_second(at).ok()),
        });
    }

    /// Takes a `Set-Cookie` value received from `url`. What a browser would ignore is ignored.
    pub fn store(&mut self, url: &Url, set_cookie: &str, now: Timestamp) {
        let Some(cookie) = parse(url, set_cookie, now) else { return };
        match cookie.expires.is_none_or(|at| at > now) {
            true => self.put(cookie),
            false => self.remove(&cookie),
        }
    }

    /// The `Cookie` header value for a request to `url`, if any cookie belongs there.
    pub fn header(
        &self,
        url: &Url,
        method: &str,
        initiator: Initiator,
        now: Timestamp,
    ) -> Option<String> {
        let host = url.host_str()?;
        let secure = url.scheme() == "https" || is_loopback(host);
        let safe = matches!(method, "GET" | "HEAD");
        let mut fitting: Vec<&Cookie> = self
            .cookies
            .iter()
            .filter(
                |c| if c.host_only { c.domain == host } else { domain_matches(host, &c.domain) },
            )
            .filter(|c| path_matches(url.path(), &c.path))
            .filter(|c| secure || !c.secure)
            .filter(|c| c.expires.is_none_or(|at| at > now))
            .filter(|c| match (initiator, c.same_site) {
                (Initiator::SameSite, _) | (_, SameSite::None | SameSite::Unset) => true,
                (Initiator::CrossSite, SameSite::Lax) => safe,
                (Initiator::CrossSite, SameSite::Strict) => false,
            })
            .collect();
        // RFC 6265 §5.4: longer paths first.
        fitting.sort_by_key(|c| std::cmp::Reverse(c.path.len()));
        let pairs: Vec<String> =
            fitting.iter().map(|c| format!("{}={}", c.name, c.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

fn parse(url: &Url, set_cookie: &str, now: Timestamp) -> Option<Cookie> {
    let mut parts = set_cookie.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let host = url.host_str()?.to_ascii_lowercase();
    let mut cookie = Cookie {
        name: name.trim().to_owned(),
        value: value.trim().to_owned(),
        domain: host.clone(),
        host_only: true,
        path: default_path(url.path()),
        secure: false,
        same_site: SameSite::Unset,
        expires: None,
    };
    let mut max_age = None;
    for attribute in parts {
        let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "domain" if !value.is_empty() => {
                let domain = value.trim_start_matches('.').to_ascii_lowercase();
                if !domain_matches(&host, &domain) {
                    return None;
                }
                cookie.host_only = false;
                cookie.domain = domain;
            }
            "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
            "secure" => cookie.secure = true,
            "samesite" => cookie.same_site = SameSite::named(value),
            "max-age" => max_age = value.parse::<i64>().ok(),
            "expires" => cookie.expires = http_date(value),
            _ => {}
        }
    }
    if let Some(seconds) = max_age {
        let ahead = Duration::from_secs(u64::try_from(seconds).unwrap_or(0).min(400 * 24 * 3600));
        cookie.expires = now.checked_add(ahead).ok();
    }
    // A Secure cookie from cleartext counts only on loopback, where browsers trust the channel.
    let trusted = url.scheme() == "https" || is_loopback(&host);
    (!cookie.name.is_empty() && (!cookie.secure || trusted)).then_some(cookie)
}

fn http_date(text: &str) -> Option<Timestamp> {
    // Old servers write `Thu, 01-Jan-1970`, which differs from RFC 9110 in its hyphens alone.
    let text = text.replace('-', " ");
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

fn default_path(path: &str) -> String {
    match path.rfind('/') {
        Some(0) | None => "/".to_owned(),
        Some(end) => path[..end].to_owned(),
    }
}

fn domain_matches(host: &str, domain: &str) -> bool {
    let is_address = host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok();
    host == domain
        || (!is_address
            && host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
            && domain.contains('.'))
}

fn path_matches(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn sent(jar: &CookieJar, to: &str, method: &str, initiator: Initiator) -> String {
        jar.header(&url(to), method, initiator, at(10)).unwrap_or_default()
    }

    fn jar(from: &str, cookies: &[&str]) -> CookieJar {
        let mut jar = CookieJar::default();
        for cookie in cookies {
            jar.store(&url(from), cookie, at(0));
        }
        jar
    }

    #[test]
    fn a_cookie_goes_back_to_its_host_and_path_only() {
        let jar = jar("https://as.test/a/login", &["s=1", "t=2; Path=/"]);
        assert_eq!(sent(&jar, "https://as.test/a/consent", "GET", Initiator::SameSite), "s=1; t=2");
        assert_eq!(sent(&jar, "https://as.test/ab", "GET", Initiator::SameSite), "t=2");
        assert_eq!(sent(&jar, "https://www.as.test/a/x", "GET", Initiator::SameSite), "");
    }

    #[test]
    fn secure_and_domain_cookies_work_on_loopback() {
        let jar = jar(
            "http://127.0.0.1:7001/",
            &["s=1; Secure", "d=2; Domain=.127.0.0.1", "x=3; Domain=as.test"],
        );
        assert_eq!(sent(&jar, "http://127.0.0.1:7001/", "GET", Initiator::SameSite), "s=1; d=2");
    }

    #[test]
    fn a_secure_cookie_from_cleartext_is_ignored_elsewhere() {
        assert!(jar("http://as.test/", &["s=1; Secure"]).is_empty());
    }

    #[test]
    fn same_site_holds_cookies_back() {
        let jar = jar(
            "https://as.test/",
            &["s=1; SameSite=Strict", "l=2; SameSite=Lax", "n=3; SameSite=None; Secure", "u=4"],
        );
        assert_eq!(
            sent(&jar, "https://as.test/", "GET", Initiator::SameSite),
            "s=1; l=2; n=3; u=4"
        );
        assert_eq!(sent(&jar, "https://as.test/", "GET", Initiator::CrossSite), "l=2; n=3; u=4");
        assert_eq!(sent(&jar, "https://as.test/", "POST", Initiator::CrossSite), "n=3; u=4");
    }

    #[test]
    fn expiry_deletes() {
        let mut jar = jar("https://as.test/", &["a=1; Max-Age=5", "b=2; Max-Age=60", "c=3"]);
        assert_eq!(sent(&jar, "https://as.test/", "GET", Initiator::SameSite), "b=2; c=3");
        jar.store(&url("https://as.test/"), "c=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", at(1));
        jar.store(&url("https://as.test/"), "b=; expires=Thu, 01-Jan-1970 00:00:00 GMT", at(1));
        assert_eq!(sent(&jar, "https://as.test/", "GET", Initiator::SameSite), "");
    }

    #[test]
    fn the_newer_value_wins() {
        let jar = jar("https://as.test/", &["a=1", "a=2"]);
        assert_eq!(sent(&jar, "https://as.test/", "GET", Initiator::SameSite), "a=2");
    }

    #[test]
    fn a_suffix_is_no_parent_domain() {
        assert!(domain_matches("login.as.test", "as.test"));
        assert!(!domain_matches("evilas.test", "as.test"));
        assert!(!domain_matches("1.127.0.0.1", "0.1") || domain_matches("a.0.1", "0.1"));
        assert!(!domain_matches("127.0.0.1", "0.0.1"));
    }
}
