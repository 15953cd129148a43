//! The user acts page by page, or stops before an act and leaves it to the scenario.

use super::choice::{denies, is_about_logout, is_form_without_questions};
use super::form::{Driver, Way, read};
use crate::http::cookies::Initiator;
use crate::http::user_agent::UserAgent;
use crate::model::exchange::Request;
use crate::oauth::authorization::Landing;

/// Pages that one sign-in may take, consent included.
const MOST_PAGES: usize = 10;

/// What an act of the user is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The page goes on by itself.
    Follow,
    /// To say who he is, on a page that does not ask for the password.
    Identify,
    /// To send the password.
    SignIn,
    /// To approve or to deny.
    Decide,
}

/// An act that the user has not done yet.
#[derive(Clone, Debug)]
pub struct Intent {
    /// What it is about.
    pub act: Act,
    /// What it sends.
    pub request: Request,
}

impl Driver<'_> {
    /// Sends `request` and goes on, page by page, until the user agent leaves for the client or
    /// rests on a page that offers nothing more.
    pub async fn drive(&self, agent: &mut UserAgent, request: Request) -> (Landing, Way) {
        let (landing, way, _) =
            self.drive_until(agent, request, Initiator::CrossSite, |_| false).await;
        (landing, way)
    }

    /// [`Self::drive`], except that the user does not do the first act which `is_stop` names; it is
    /// returned with the page on which he rests.
    pub async fn drive_until(
        &self,
        agent: &mut UserAgent,
        request: Request,
        initiator: Initiator,
        is_stop: impl Fn(Act) -> bool,
    ) -> (Landing, Way, Option<Intent>) {
        let mut way = Way::default();
        let mut navigation = self.navigate(agent, request, initiator).await;
        for _ in 0..MOST_PAGES {
            let (landing, page) = self.land(&navigation);
            if landing.response.is_some() || landing.endless {
                return (landing, way, None);
            }
            let Some(user) = self.user else { return (landing, way, None) };
            let before = way;
            let Some(request) = self.next(&navigation, &page, user, &mut way) else {
                return (landing, way, None);
            };
            let act = match (before, way) {
                (Way { signed_in: false, .. }, Way { signed_in: true, .. }) => Act::SignIn,
                _ if landing.asks_to_sign_in => Act::Identify,
                _ if page.refresh.is_some() => Act::Follow,
                _ => Act::Decide,
            };
            if is_stop(act) {
                return (landing, before, Some(Intent { act, request }));
            }
            navigation = self.navigate(agent, request, Initiator::SameSite).await;
        }
        (self.land(&navigation).0, way, None)
    }

    /// The request by which the user confirms that he wants to sign out, if the page asks for it.
    pub fn confirmation(&self, landing: &Landing) -> Option<Request> {
        let page = read(&landing.exchange);
        let asked = || page.forms.iter().filter(|form| is_form_without_questions(form));
        let form = asked().find(|form| is_about_logout(&form.action)).or_else(|| asked().next())?;
        let button = form.buttons.iter().find(|b| !denies(b));
        self.submit(&landing.exchange.request.url, form, button, None)
    }
}
