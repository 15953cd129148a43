//! A user agent: cookies, redirects within the target, and a stop wherever it would leave.

use std::sync::Arc;

use jiff::Timestamp;
use url::Url;

use super::cookies::{CookieJar, Initiator};
use super::{Http, Origin, Recorder};
use crate::model::exchange::{Exchange, Request};

/// What a browser announces; sent with every navigation.
const ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// Where a navigation came to rest.
#[derive(Clone, Debug)]
pub struct Navigation {
    /// The last exchange.
    pub exchange: Arc<Exchange>,
    /// The address at which the page rests, the base of its links and forms.
    pub url: String,
    /// The `Location` that would leave the target, verbatim; it was not followed.
    pub departed: Option<String>,
    /// The redirects exceeded the limit.
    pub endless: bool,
}

/// One browser with its own cookies.
#[derive(Clone, Debug, Default)]
pub struct UserAgent {
    /// Its cookies.
    pub jar: CookieJar,
    /// Somebody signed in with it in this run.
    pub has_signed_in: bool,
}

impl UserAgent {
    /// A user agent that starts with these cookies.
    pub fn with(jar: CookieJar) -> Self {
        Self { jar, has_signed_in: false }
    }

    /// Sends one request with the cookies that belong there, and keeps those that come back.
    pub async fn send(
        &mut self,
        http: &Http,
        recorder: &Recorder,
        mut request: Request,
        initiator: Initiator,
    ) -> Arc<Exchange> {
        self.dress(&mut request, ACCEPT, initiator);
        let exchange = http.send(recorder, request).await;
        self.keep(&exchange);
        exchange
    }

    /// Listens to a stream of events with the cookies that belong there, until one is enough or
    /// `over` is done.
    pub async fn listen(
        &mut self,
        http: &Http,
        recorder: &Recorder,
        mut request: Request,
        enough: &(dyn Fn(&[u8]) -> bool + Sync),
        over: impl Future<Output = ()>,
    ) -> Arc<Exchange> {
        self.dress(&mut request, "text/event-stream", Initiator::SameSite);
        let exchange = http.listen(recorder, request, enough, over).await;
        self.keep(&exchange);
        exchange
    }

    fn dress(&self, request: &mut Request, accept: &str, initiator: Initiator) {
        let url = Url::parse(&request.url).ok();
        let cookies =
            url.and_then(|url| self.jar.header(&url, &request.method, initiator, Timestamp::now()));
        if let Some(cookies) = cookies {
            request.headers.push(("Cookie".into(), cookies));
        }
        if request.header("accept").is_none() {
            request.headers.push(("Accept".into(), accept.into()));
        }
    }

    fn keep(&mut self, exchange: &Exchange) {
        let Ok(url) = Url::parse(&exchange.request.url) else { return };
        for cookie in exchange.response().into_iter().flat_map(|r| r.headers("set-cookie")) {
            self.jar.store(&url, cookie, Timestamp::now());
        }
    }

    /// Sends `request` and follows redirects while they stay on `home`'s origins and `leaves`
    /// does not claim the address as the client's.
    pub async fn navigate(
        &mut self,
        http: &Http,
        recorder: &Recorder,
        mut request: Request,
        mut initiator: Initiator,
        home: &Home,
        leaves: &(dyn Fn(&str) -> bool + Sync),
    ) -> Navigation {
        let mut followed = 0;
        loop {
            let url = request.url.clone();
            let (method, body) = (request.method.clone(), request.body.clone());
            let headers = request.headers.clone();
            let exchange = self.send(http, recorder, request, initiator).await;
            let rest = |departed| Navigation {
                exchange: exchange.clone(),
                url: url.clone(),
                departed,
                endless: false,
            };
            let Some(location) = exchange.response().and_then(|r| r.location()) else {
                return rest(None);
            };
            let resolved =
                resolve(&url, location).filter(|r| !leaves(location) && home.contains(r));
            let Some(next) = resolved else { return rest(Some(location.to_owned())) };
            if followed == http.limits().redirects {
                return Navigation { endless: true, ..rest(None) };
            }
            followed += 1;
            initiator = Initiator::SameSite;
            // RFC 9110 §15.4: 307 and 308 keep method and body; all others become GET.
            let keeps = matches!(exchange.response().map(|r| r.status), Some(307 | 308));
            request = Request {
                method: if keeps { method } else { "GET".into() },
                url: next,
                headers: if keeps { headers } else { vec![] },
                body: if keeps { body } else { vec![] },
            };
        }
    }
}

/// The origins on which the authorization server itself lives.
#[derive(Clone, Debug, Default)]
pub struct Home(Vec<Origin>);

impl Home {
    /// The origins of these URLs; what is no http URL is left out.
    pub fn of<'a>(urls: impl IntoIterator<Item = &'a str>) -> Self {
        let mut origins = Vec::new();
        for origin in urls.into_iter().filter_map(|url| Origin::of(url).ok()) {
            if !origins.contains(&origin) {
                origins.push(origin);
            }
        }
        Self(origins)
    }

    /// The hosts of these origins in lower case, IPv6 without brackets.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|origin| origin.host.as_str())
    }

    /// Whether the URL lies on one of them.
    pub fn contains(&self, url: &str) -> bool {
        Origin::of(url).is_ok_and(|origin| self.0.contains(&origin))
    }
}

/// The address that `reference` names when it stands on the page `base`, as a browser reads it.
pub fn resolve(base: &str, reference: &str) -> Option<String> {
    let mut url = Url::parse(base).ok()?.join(reference).ok()?;
    url.set_fragment(None);
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_resolve_as_in_a_browser() {
        assert_eq!(
            resolve("http://as.test/a/b?x", "../c?d=1").as_deref(),
            Some("http://as.test/c?d=1")
        );
        assert_eq!(
            resolve("http://as.test/a", "//probe.invalid/x").as_deref(),
            Some("http://probe.invalid/x")
        );
        assert_eq!(
            resolve("http://as.test/a", "/\\probe.invalid").as_deref(),
            Some("http://probe.invalid/")
        );
    }

    #[test]
    fn home_is_an_origin_not_a_prefix() {
        let home = Home::of(["http://127.0.0.1:7001/authorize"]);
        assert!(home.contains("http://127.0.0.1:7001/login"));
        assert!(!home.contains("http://127.0.0.1:70010/login"));
        assert!(!home.contains("http://127.0.0.1:7001@probe.invalid/"));
        assert!(!home.contains("https://127.0.0.1:7001/"));
    }
}
