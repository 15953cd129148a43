//! A user agent: cookies, redirects within the target, and a stop wherever it would leave.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use url::Url;

use super::cookies::{CookieJar, Initiator};
use super::{Http, Listening, Origin, Recorder};
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

/// The cookies of one session in a browser with several tabs: what one of them is sent, all have.
#[derive(Clone, Default)]
pub struct SharedJar(Arc<Mutex<CookieJar>>);

impl SharedJar {
    /// A session that begins with these cookies.
    pub fn new(jar: CookieJar) -> Self {
        Self(Arc::new(Mutex::new(jar)))
    }

    /// Changes the cookies; a copy of them as they are then.
    fn change(&self, change: impl FnOnce(&mut CookieJar)) -> CookieJar {
        let mut jar = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut jar);
        jar.clone()
    }
}

// It holds nothing but secrets.
impl fmt::Debug for SharedJar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedJar(..)")
    }
}

/// One browser with its own cookies, or a tab of one that has others.
#[derive(Clone, Debug, Default)]
pub struct UserAgent {
    /// Its cookies, as they were when it last sent anything.
    pub jar: CookieJar,
    /// Somebody signed in with it in this run.
    pub has_signed_in: bool,
    shared: Option<SharedJar>,
}

impl UserAgent {
    /// A user agent of its own that starts with these cookies.
    pub fn with(jar: CookieJar) -> Self {
        Self { jar, has_signed_in: false, shared: None }
    }

    /// One more tab of the browser that holds the session.
    pub fn tab(session: &SharedJar) -> Self {
        Self { jar: session.change(|_| ()), has_signed_in: false, shared: Some(session.clone()) }
    }

    /// It is a tab of a browser that holds a session.
    pub fn is_tab(&self) -> bool {
        self.shared.is_some()
    }

    /// Takes the cookies of a browser that the target may have sent newer ones.
    pub fn adopt(&mut self, newer: &Self) {
        let adopt = |jar: &mut CookieJar| jar.adopt(&newer.jar);
        match &self.shared {
            Some(session) => self.jar = session.change(adopt),
            None => adopt(&mut self.jar),
        }
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

    /// Listens with the cookies that belong there, until that is enough or `over` is done.
    pub async fn listen(
        &mut self,
        http: &Http,
        recorder: &Recorder,
        mut request: Request,
        listening: Listening<'_>,
        over: impl Future<Output = ()>,
    ) -> Arc<Exchange> {
        let accept = match listening {
            Listening::Body(_) => "text/event-stream",
            Listening::Socket(..) => "*/*",
        };
        self.dress(&mut request, accept, Initiator::SameSite);
        let exchange = http.listen(recorder, request, listening, over).await;
        self.keep(&exchange);
        exchange
    }

    fn dress(&mut self, request: &mut Request, accept: &str, initiator: Initiator) {
        if let Some(session) = &self.shared {
            self.jar = session.change(|_| ());
        }
        let url = Some(&request.url).filter(|_| !self.jar.is_empty());
        let url = url.and_then(|url| Url::parse(url).ok());
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
        let mut cookies =
            exchange.response().into_iter().flat_map(|r| r.headers("set-cookie")).peekable();
        if cookies.peek().is_none() {
            return;
        }
        let Ok(url) = Url::parse(&exchange.request.url) else { return };
        let store = |jar: &mut CookieJar| {
            for cookie in cookies {
                jar.store(&url, cookie, Timestamp::now());
            }
        };
        match &self.shared {
            Some(session) => self.jar = session.change(store),
            None => store(&mut self.jar),
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
            request = match keeps {
                true => Request { url: next, headers, ..exchange.request.clone() },
                false => Request::get(next),
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
    use crate::model::exchange::samples::answered;

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

    fn exchange(set_cookie: &str) -> Exchange {
        let request = Request::get("http://as.test/authorize");
        Exchange { request, ..answered(200, &[("Set-Cookie", set_cookie)], "") }
    }

    #[test]
    fn tabs_share_their_cookies_and_other_browsers_have_their_own() {
        let session = SharedJar::new(CookieJar::default());
        let (mut one, mut other) = (UserAgent::tab(&session), UserAgent::tab(&session));
        let mut stranger = UserAgent::default();
        one.keep(&exchange("sid=first; Path=/"));
        stranger.keep(&exchange("sid=another-user; Path=/"));
        let sent = |agent: &mut UserAgent| {
            let mut request = Request::get("http://as.test/authorize");
            agent.dress(&mut request, ACCEPT, Initiator::SameSite);
            request.header("cookie").unwrap_or_default().to_owned()
        };
        assert_eq!(sent(&mut other), "sid=first");
        other.keep(&exchange("sid=second; Path=/"));
        assert_eq!((&*sent(&mut one), &*sent(&mut stranger)), ("sid=second", "sid=another-user"));
        assert_eq!(sent(&mut UserAgent::tab(&session)), "sid=second");
        let mut probe = UserAgent::with(one.jar.clone());
        probe.keep(&exchange("sid=third; Path=/"));
        assert_eq!(sent(&mut one), "sid=second");
        one.adopt(&probe);
        assert_eq!(sent(&mut other), "sid=third");
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
