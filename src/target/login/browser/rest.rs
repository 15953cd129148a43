//! When a page that offers nothing is taken for the answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::page::Sight;
use super::tab::Tab;
use super::walk::{End, Walk};
use crate::model::exchange::{Exchange, Response};
use crate::target::login::driver::Driver;
use crate::target::login::plain::is_plain;
use crate::target::login::reason::{Reason, Trouble};

/// Time for which a page that cannot change is looked at.
const LOOKED_AT: Duration = Duration::from_millis(300);
/// Time for which an error page must stay as it is: its script has nothing to build.
const SETTLES: Duration = Duration::from_secs(1);
/// Time that script has to show something to do.
const SHOWS: Duration = Duration::from_secs(8);

/// What may still come of a page that is complete and waits for no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    /// Nothing: no script, no frame, nothing that moves.
    Settled,
    /// Little: the status is that of an error.
    Error,
    /// Anything: it has script, or nobody knows where it came from.
    Open,
}

impl Outlook {
    /// Of a page which that answer brought, and which moves or not.
    fn of(answer: Option<&Exchange>, is_lively: bool) -> Self {
        match answer.and_then(Exchange::response) {
            Some(response) if is_plain(response) && !is_lively => Self::Settled,
            Some(response) if response.status >= 400 => Self::Error,
            _ => Self::Open,
        }
    }

    /// It is over for a page that has offered nothing for so long, and not changed for so long.
    fn is_over(self, idle: Duration, still: Duration) -> bool {
        match self {
            Self::Settled => still > LOOKED_AT,
            Self::Error => still > SETTLES || idle > SHOWS,
            Self::Open => idle > SHOWS,
        }
    }
}

/// How long there has been nothing to do.
#[derive(Default)]
pub(super) struct Idleness {
    /// Since when.
    idle: Option<Instant>,
    /// The page as it was last seen, and since when.
    still: Option<((f64, u64), Instant)>,
}

impl Idleness {
    /// Takes another look; for how long there has been nothing to do, and for how long the page has
    /// stayed as it is.
    fn look(&mut self, sight: &Sight) -> (Duration, Duration) {
        let now = Instant::now();
        let idle = *self.idle.get_or_insert(now);
        let seen = (sight.document, sight.size);
        let still = match self.still {
            Some((before, since)) if before == seen => since,
            _ => now,
        };
        self.still = Some((seen, still));
        (now - idle, now - still)
    }
}

impl Driver<'_> {
    /// Nothing more is to be expected of a page that offers nothing.
    pub(super) fn is_over(&self, sight: &Sight, idleness: &mut Idleness) -> bool {
        let (idle, still) = idleness.look(sight);
        let answer = self.document_at(&sight.url);
        Outlook::of(answer.as_deref(), sight.is_lively).is_over(idle, still)
    }

    /// The page came with the status of an error.
    pub(super) fn is_error(&self, sight: &Sight) -> bool {
        let answer = self.document_at(&sight.url);
        answer.is_some_and(|e| e.response().is_some_and(|r| r.status >= 400))
    }

    /// The exchange that brought the page of exactly that address; a call of its script is none.
    fn document_at(&self, url: &str) -> Option<Arc<Exchange>> {
        let address = url.split('#').next().unwrap_or_default();
        let is_shown = |r: &Response| {
            r.location().is_none() && !r.media_type().is_some_and(|kind| kind.ends_with("json"))
        };
        let is_page =
            |e: &&Arc<Exchange>| e.request.url == address && e.response().is_some_and(is_shown);
        self.recorder.exchanges().iter().rev().find(is_page).cloned()
    }

    /// The exchange that brought the page of that address, or the last page where script changed
    /// the address.
    pub(super) fn page_at(&self, url: &str) -> Option<Arc<Exchange>> {
        let exchanges = self.recorder.exchanges();
        let is_page = |e: &&Arc<Exchange>| e.response().is_some_and(|r| r.is_html());
        self.document_at(url).or_else(|| exchanges.iter().rev().find(is_page).cloned())
    }

    /// The browser rests on a page that offers nothing. As with forms over plain HTTP, that is how
    /// the request ended, except where it should have brought a code.
    pub(super) fn at_rest(
        &self,
        tab: &Tab<'_>,
        sight: &Sight,
        walk: &Walk<'_>,
    ) -> Result<End, Trouble> {
        if tab.guard.barred.is_some() {
            return Err(unreached(tab));
        }
        match self.demands_code {
            true => Err(self.stuck(sight, walk)),
            false => Ok(End::Rests(sight.url.clone(), None)),
        }
    }

    /// Why a page that offers nothing is none to rest on.
    pub(super) fn stuck(&self, sight: &Sight, walk: &Walk) -> Trouble {
        let page = sight.url.split(['?', '#']).next().unwrap_or_default();
        let exchanges = self.recorder.exchanges();
        let is_error = exchanges.last().and_then(|e| e.response()).is_some_and(|r| r.status >= 400);
        match (is_error, walk.has_signed_in) {
            (true, _) => {
                let gist = exchanges.last().map(|e| e.gist()).unwrap_or_default();
                let remedy = "see the page, and the log of the server";
                Trouble::new(Reason::Refused, format!("{gist} at {page}"), remedy)
            }
            (false, true) if walk.coded.is_some() && walk.decisions == 0 => {
                Trouble::code_refused(format!("the browser rests at {page}"))
            }
            (false, true) => {
                let remedy =
                    "see the page on which the user rests: something is left for him to do";
                Trouble::new(
                    Reason::CallbackNotReached,
                    format!("the browser rests at {page}"),
                    remedy,
                )
            }
            (false, false) => {
                let remedy = "name fields and buttons under [login], or list [[login.steps]]";
                let detail = format!("nothing to fill in or press at {page}");
                Trouble::new(Reason::FieldNotFound, detail, remedy)
            }
        }
    }
}

/// Why there is no page.
pub(super) fn unreached(tab: &Tab<'_>) -> Trouble {
    if let Some(origin) = tab.guard.barred.as_ref().or(tab.guard.blocked.keys().next()) {
        let detail = format!("the browser was about to leave for {origin}");
        let remedy = "name its origin under origins in [login], if the user signs in there";
        return Trouble::new(Reason::CallbackNotReached, detail, remedy);
    }
    let failure = tab.guard.failure.as_deref().unwrap_or("nothing");
    let detail = format!("no page: the browser says {failure}");
    let remedy = "check that the browser reaches the target and trusts its certificate: it does not read ca_file, only its own trust store";
    Trouble::new(Reason::PageNotFound, detail, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::answered;

    fn page(status: u16, body: &str) -> Exchange {
        answered(status, &[("Content-Type", "text/html")], body)
    }

    #[test]
    fn script_may_still_show_something() {
        let of = |exchange: &Exchange, is_lively| Outlook::of(Some(exchange), is_lively);
        assert_eq!(of(&page(200, "<p>No</p>"), false), Outlook::Settled);
        assert_eq!(of(&page(400, "<p>No</p>"), false), Outlook::Settled);
        assert_eq!(of(&page(200, "<p>No</p>"), true), Outlook::Open);
        assert_eq!(of(&page(200, "<script></script>"), false), Outlook::Open);
        assert_eq!(of(&page(500, "<script></script>"), true), Outlook::Error);
        assert_eq!(Outlook::of(None, false), Outlook::Open);
    }

    #[test]
    fn a_page_gets_the_time_that_may_change_it() {
        let [short, long] = [Duration::from_secs(2), Duration::from_secs(9)];
        assert!(Outlook::Settled.is_over(short, short) && Outlook::Error.is_over(short, short));
        assert!(!Outlook::Open.is_over(short, short) && Outlook::Open.is_over(long, short));
        let moving = Duration::from_millis(50);
        assert!(!Outlook::Settled.is_over(short, moving) && !Outlook::Error.is_over(short, moving));
        assert!(Outlook::Error.is_over(long, moving), "a page that never stays as it is");
    }
}
