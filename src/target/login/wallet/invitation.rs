//! The invitation of a wallet: what the portal is told, and hands on as a QR code.

use std::sync::Arc;

use url::Url;

use super::Wallet;
use super::channel::Channel;
use crate::http::user_agent::{Navigation, resolve};
use crate::model::exchange::Exchange;

/// A login that waits for a wallet.
#[derive(Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The verifier.
    pub client_id: String,
    /// Where the request object is.
    pub request_uri: String,
    /// What the browser listens to for the outcome.
    pub events: Channel,
    /// The portal, without query.
    pub portal: String,
}

// The addresses lead into a login.
impl std::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Invitation({})", self.portal)
    }
}

/// The address that carries an invitation: where the navigation rests, or where it would leave to.
fn carrier(navigation: &Navigation) -> Option<(&str, String)> {
    let away = navigation.departed.as_deref();
    let all = away.into_iter().chain(away.is_none().then_some(navigation.url.as_str()));
    let mut carried = all.filter_map(|url| Some((url, carried(&resolve(&navigation.url, url)?)?)));
    carried.next()
}

/// The request for a wallet in an address.
fn carried(url: &str) -> Option<String> {
    match url.starts_with("openid4vp:") {
        // On one device the browser is sent to the wallet itself.
        true => Some(url.to_owned()),
        false => parameter(url, "authRequest"),
    }
}

/// Whether the address is that of a portal which waits for a wallet, or of the wallet itself.
pub fn awaits_wallet(url: &str) -> bool {
    carried(url).is_some_and(|request| request.starts_with("openid4vp:"))
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let mut pairs = url.query_pairs();
    pairs.find(|(n, value)| n == name && !value.is_empty()).map(|(_, value)| value.into_owned())
}

impl Invitation {
    /// The invitation of the portal at which a browser rests with this exchange, or to which it would
    /// leave. The error says what is missing.
    pub fn of(exchange: &Arc<Exchange>, wallet: &Wallet) -> Result<Self, String> {
        let departed = exchange.response().and_then(|r| r.location()).map(str::to_owned);
        let (exchange, url) = (exchange.clone(), exchange.request.url.clone());
        Self::read(&Navigation { exchange, url, departed, endless: false }, wallet)
    }

    /// The origin of the page that waits: the portal, or where there is none, the server itself.
    pub fn origin(&self) -> Option<String> {
        let page = [&self.portal, &self.events.url].into_iter().find(|url| url.starts_with("http"));
        Some(Url::parse(page?).ok()?.origin().ascii_serialization())
    }

    /// Whether the navigation came to a portal, readable or not.
    pub fn is_at(navigation: &Navigation) -> bool {
        carrier(navigation).is_some()
    }

    /// The invitation to which the navigation came. The error says what is missing.
    pub fn read(navigation: &Navigation, wallet: &Wallet) -> Result<Self, String> {
        let (portal, request) = carrier(navigation).ok_or("no authRequest in the address")?;
        if !request.starts_with("openid4vp:") {
            return Err("an authRequest that is no openid4vp:// address".into());
        }
        let of_request = |name: &str| parameter(&request, name);
        let lack = |name: &str| format!("an authRequest without {name}");
        let client_id = of_request("client_id").ok_or_else(|| lack("client_id"))?;
        let request_uri = of_request("request_uri").ok_or_else(|| lack("request_uri"))?;
        let portal = resolve(&navigation.url, portal).unwrap_or_default();
        let state = parameter(&portal, "state").or_else(|| of_request("state"));
        if state.is_none() && wallet.events.needs_state() {
            return Err("a portal without state, which names the login".into());
        }
        let mut events = wallet.events.of(&state.unwrap_or_default());
        // A portal that is not among the origins of the login may serve no more than a page.
        events.url = resolve(&navigation.url, &events.url).ok_or("no address of events")?;
        let portal = portal.split(['?', '#']).next().unwrap_or_default().to_owned();
        Ok(Self { client_id, request_uri, events, portal })
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::samples::wallet;
    use super::*;
    use crate::model::exchange::samples::answered;

    const REQUEST: &str = "openid4vp%3A%2F%2F%3Fclient_id%3Ddid%253Akey%253Az1%26request_uri%3Dhttps%253A%252F%252Fas.test%252Fr%252F1";

    fn navigation(url: &str, departed: Option<&str>) -> Navigation {
        let exchange = Arc::new(answered(200, &[], ""));
        Navigation {
            exchange,
            url: url.into(),
            departed: departed.map(str::to_owned),
            endless: false,
        }
    }

    #[test]
    fn an_invitation_is_read_here_and_on_another_host() {
        let portal = format!("https://as.test/login?authRequest={REQUEST}&state=a%2Bb&homeUri=x");
        let away = portal.replacen("as.test", "portal.test", 1);
        for (url, departed, host) in [
            (portal.as_str(), None, "as.test"),
            (away.as_str(), None, "portal.test"),
            ("https://as.test/authorize", Some(away.as_str()), "as.test"),
        ] {
            let read = Invitation::read(&navigation(url, departed), &wallet()).unwrap();
            assert_eq!(read.client_id, "did:key:z1");
            assert_eq!(read.request_uri, "https://as.test/r/1");
            assert_eq!(read.events.url, format!("https://{host}/api/login/events?state=a%2Bb"));
            assert!(read.portal.ends_with(".test/login"), "{}", read.portal);
            // The page of the portal asks, whichever host has the events.
            let origin = read.portal.strip_suffix("/login").map(str::to_owned);
            assert_eq!(read.origin(), origin);
        }
    }

    #[test]
    fn a_wallet_on_the_same_device_is_invited_too() {
        let to = "openid4vp://?client_id=did:key:z1&request_uri=https://as.test/r/1&state=s";
        let navigation = navigation("https://as.test/authorize", Some(to));
        let read = Invitation::read(&navigation, &wallet()).unwrap();
        assert_eq!(read.events.url, "https://as.test/api/login/events?state=s");
        assert_eq!(read.origin().as_deref(), Some("https://as.test"));
    }

    #[test]
    fn what_is_missing_is_named() {
        for (query, why) in [
            ("authRequest=https%3A%2F%2Fx&state=s", "no openid4vp://"),
            ("authRequest=openid4vp%3A%2F%2F%3Fclient_id%3Dx&state=s", "without request_uri"),
            (&format!("authRequest={REQUEST}"), "without state"),
        ] {
            let navigation = navigation(&format!("https://as.test/login?{query}"), None);
            assert!(Invitation::is_at(&navigation));
            assert!(Invitation::read(&navigation, &wallet()).unwrap_err().contains(why), "{query}");
        }
        assert!(!Invitation::is_at(&navigation("https://as.test/login?state=s", None)));
        assert!(!Invitation::is_at(&navigation(
            "https://as.test/x",
            Some("https://app.test/cb?code=c")
        )));
    }
}
