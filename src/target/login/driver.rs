//! A user in front of a user agent, whichever way he signs in.

use std::sync::Arc;

use super::form::read;
use super::html::{Form, Page};
use super::memory::Memory;
use super::reason::{Reason, Trouble};
use super::wallet::invitation::{Invitation, awaits_wallet};
use super::{Login, Rung, User, answer};
use crate::http::cookies::Initiator;
use crate::http::user_agent::{Home, Navigation, UserAgent, resolve};
use crate::http::{Http, Recorder};
use crate::model::exchange::{Exchange, Request};
use crate::oauth::authorization::{AuthorizationResponse, Landing, Mode};
use crate::oauth::params::Params;
use crate::target::profile::Client;

/// What the user answers on the consent page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Approve.
    Approve,
    /// Deny.
    Deny,
}

/// A user in front of a user agent.
pub struct Driver<'a> {
    /// The wire.
    pub http: &'a Http,
    /// Where the exchanges go.
    pub recorder: &'a Recorder,
    /// The origins of the authorization server, and those of its login.
    pub home: &'a Home,
    /// Whether an address is the client's, even on an origin of the server.
    pub leaves: &'a (dyn Fn(&str) -> bool + Sync),
    /// Who signs in; nobody does when absent: forms are then recognised and left alone.
    pub user: Option<&'a User>,
    /// What is answered on the consent page.
    pub decision: Decision,
    /// How he signs in.
    pub login: &'a Login,
    /// What the sign-ins of the run remember.
    pub memory: &'a Memory,
    /// The clients of the target.
    pub clients: &'a [Client],
    /// Issuer of the target, a name in steps.
    pub issuer: &'a str,
    /// The time at the target, in seconds since the epoch.
    pub now: i64,
    /// The request is valid, so that an end without a code is a failure of the login.
    pub demands_code: bool,
}

/// What the user met on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// The password was sent.
    pub signed_in: bool,
    /// A consent form was answered.
    pub consented: bool,
    /// A credential was presented, which is the sign-in, and the decision where no page asks for it.
    pub presented: bool,
    /// He signed in somewhere else: nobody saw what he met.
    pub unseen: bool,
    /// He may have answered a consent form: steps that the profile lists did something that nobody
    /// can tell from it.
    pub undecided: bool,
    /// What ended it early.
    pub trouble: Option<Trouble>,
    /// The name alone was sent.
    pub(super) identified: bool,
    /// A one-time code was sent; `Some(true)` where that code had been sent before in this run.
    pub(super) coded: Option<bool>,
    /// Forms of consent that were answered.
    pub(super) decisions: usize,
    /// The authorization request was sent once more.
    pub(super) reopened: bool,
}

impl Way {
    /// The user decided about the client.
    pub fn decided(&self) -> bool {
        self.consented || self.presented
    }
}

impl Driver<'_> {
    pub(super) async fn navigate(
        &self,
        agent: &mut UserAgent,
        request: Request,
        initiator: Initiator,
    ) -> Navigation {
        agent.navigate(self.http, self.recorder, request, initiator, self.home, self.leaves).await
    }

    /// Signs in as [`Self::drive`] does and demands an authorization code; what kept the user from
    /// it is told apart.
    pub async fn code(
        &self,
        agent: &mut UserAgent,
        request: Request,
    ) -> Result<(Landing, Way), Trouble> {
        let demanding = Driver { demands_code: true, ..*self };
        let (landing, way) = demanding.drive(agent, request).await;
        if landing.code().is_some() {
            return Ok((landing, way));
        }
        Err(self.trouble(&landing, &way))
    }

    /// Why no code arrived.
    pub fn trouble(&self, landing: &Landing, way: &Way) -> Trouble {
        if let Some(trouble) = &way.trouble {
            return trouble.clone();
        }
        let (reason, remedy) = match (&landing.response, landing.exchange.response()) {
            _ if landing.shown.is_some() => {
                (Reason::Refused, "see the page, and the log of the server")
            }
            _ if self.login.wallet().is_none() && awaits_wallet_at(landing) => (
                Reason::FieldNotFound,
                "the server waits for a credential from a wallet: set driver = \"wallet\" under [login], and [login.wallet]",
            ),
            (Some(response), _) => self.misdirected(response),
            (None, None) => silence(&landing.exchange),
            (None, Some(_)) if landing.endless => {
                (Reason::CallbackNotReached, "see where the redirects lead: cookies may get lost")
            }
            (None, Some(_)) if landing.asks_to_sign_in && self.user.is_none() => (
                Reason::NoUser,
                "give the harness a user: --username and --password-env, or [user] in the profile",
            ),
            (None, Some(r)) if r.status == 404 => (
                Reason::PageNotFound,
                "check authorization_endpoint, and the addresses of the steps under [login]",
            ),
            (None, Some(r)) if r.status >= 500 => {
                (Reason::Refused, "see the log of the server: it failed")
            }
            (None, Some(r)) if r.status >= 400 && !way.signed_in => (
                Reason::Refused,
                "check that client_id is known and redirect_uri registered exactly as given",
            ),
            (None, Some(r)) if r.status >= 400 => {
                (Reason::Refused, "see the page, and the log of the server")
            }
            (None, Some(r)) if r.is_html() && self.offers_a_form(landing, way) => (
                Reason::FieldNotFound,
                "no form on the page could be filled in: name its fields and buttons under [login] in the profile, or choose driver = http or browser if script makes the page",
            ),
            (None, Some(_)) if way.coded.is_some() && !way.consented => {
                return Trouble::code_refused(landing.gist());
            }
            (None, Some(_)) if way.signed_in => (
                Reason::CallbackNotReached,
                "see the page on which the user rests: an error, or something left for him to do; are client and redirect URI registered?",
            ),
            (None, Some(_)) => (
                Reason::CallbackNotReached,
                "check that authorization_endpoint is the one of the authorization server",
            ),
        };
        Trouble::new(reason, landing.gist(), remedy)
    }

    /// The page would be a form to fill in, as far as forms sign in at all.
    fn offers_a_form(&self, landing: &Landing, way: &Way) -> bool {
        let is_form = matches!(self.login.rung, Rung::Form | Rung::Session(_));
        is_form && (!way.signed_in || !read(&landing.exchange).forms.is_empty())
    }

    /// Why a response that carries no code carries none.
    fn misdirected(&self, response: &AuthorizationResponse) -> (Reason, &'static str) {
        match response.error() {
            Some("invalid_scope") => (Reason::Refused, "set a scope that the client may ask for"),
            Some("access_denied") => {
                (Reason::Refused, "check that the user may approve this client")
            }
            Some("unauthorized_client") => {
                (Reason::Refused, "check that the client may use the authorization code grant")
            }
            None if !(self.leaves)(&response.address) => (
                Reason::CallbackNotReached,
                "name the origin of the login under origins in [login], if it is another server's",
            ),
            _ => (
                Reason::Refused,
                "check client_id, redirect_uri and scope against the registration",
            ),
        }
    }

    /// What the navigation came to, with the page that it rests on.
    pub(super) fn land(&self, navigation: &Navigation) -> (Landing, Page) {
        let exchange = &navigation.exchange;
        let mut landing = Landing {
            exchange: exchange.clone(),
            response: None,
            asks_to_sign_in: false,
            endless: navigation.endless,
            shown: None,
        };
        if self.is_portal(navigation) {
            landing.asks_to_sign_in = true;
            return (landing, Page::default());
        }
        if let Some(location) = &navigation.departed {
            landing.response = Some(AuthorizationResponse::from_url(location, Mode::Redirect));
            return (landing, Page::default());
        }
        let page = read(exchange);
        landing.response = self.departure(&navigation.url, exchange, &page);
        landing.asks_to_sign_in = self.is_known_sign_in_page(navigation)
            || page.forms.iter().any(|form| self.asks_to_sign_in(form) || self.asks_for_code(form));
        (landing, page)
    }

    /// A page that waits for the wallet.
    pub(super) fn is_portal(&self, navigation: &Navigation) -> bool {
        self.login.wallet().is_some()
            && Invitation::is_at(navigation)
            && navigation.exchange.response().is_some_and(|r| r.status < 400)
    }

    /// A page of a script, by its address.
    fn is_known_sign_in_page(&self, navigation: &Navigation) -> bool {
        !matches!(self.login.rung, Rung::Form | Rung::Session(_))
            && self.login.sign_in_page.is_some()
            && self.login.is_sign_in_page(&navigation.url)
            && navigation.exchange.response().is_some_and(|r| r.status < 400)
    }

    /// The response that a page sends off by itself: a posted form, a meta refresh, or the address
    /// in a JSON body that its script reads.
    fn departure(
        &self,
        base: &str,
        exchange: &Exchange,
        page: &Page,
    ) -> Option<AuthorizationResponse> {
        let away = |reference: &str| {
            (self.leaves)(reference)
                || !resolve(base, reference).is_some_and(|url| self.home.contains(&url))
        };
        let is_response = |form: &&Form| {
            form.method == "POST"
                && form.fields.iter().any(|f| {
                    matches!(
                        f.name.as_str(),
                        "code" | "error" | "access_token" | "id_token" | "response"
                    )
                })
        };
        if let Some(form) = page.forms.iter().filter(is_response).find(|form| away(&form.action)) {
            let fields = Params::new(form.fields.iter().map(|f| (f.name.clone(), f.value.clone())));
            return Some(AuthorizationResponse::from_form(&form.action, fields));
        }
        if let Some(refresh) = page.refresh.as_deref().filter(|address| away(address)) {
            return Some(AuthorizationResponse::from_url(refresh, Mode::Page));
        }
        let address = answer::callback(exchange, self.leaves)?;
        Some(AuthorizationResponse::from_url(&address, Mode::Json))
    }

    /// Where a JSON answer to a form or a call leads within the target: to the address that it
    /// names, or back to the authorization request, once.
    pub(super) fn onward(
        &self,
        navigation: &Navigation,
        first: &Request,
        way: &mut Way,
    ) -> Option<Request> {
        let exchange: &Arc<Exchange> = &navigation.exchange;
        if exchange.response().is_none_or(|r| r.status >= 400) {
            return None;
        }
        let named = answer::addresses(exchange).into_iter();
        let named = named.filter_map(|address| resolve(&navigation.url, &address));
        if let Some(url) = named.into_iter().find(|url| self.home.contains(url)) {
            return Some(Request::get(url));
        }
        let is_second = std::mem::replace(&mut way.reopened, true);
        (!is_second).then(|| first.clone())
    }
}

/// The user came to a portal that waits for a wallet, or would leave for one.
fn awaits_wallet_at(landing: &Landing) -> bool {
    let away = landing.response.as_ref().map(|response| response.address.as_str());
    awaits_wallet(away.unwrap_or(&landing.exchange.request.url))
        || landing.exchange.response().and_then(|r| r.location()).is_some_and(awaits_wallet)
}

/// Why nothing came back.
fn silence(exchange: &Exchange) -> (Reason, &'static str) {
    if let Some(withheld) = exchange.withheld {
        return (Reason::Withheld, withheld.remedy());
    }
    let reason = exchange.outcome.as_ref().err().map_or("", String::as_str);
    match [" within ", " in time"].iter().any(|words| reason.contains(words)) {
        true => (Reason::TimedOut, "see the log of the server, or raise pace_ms in the profile"),
        false => {
            (Reason::PageNotFound, "check that the authorization endpoint is reachable from here")
        }
    }
}
