//! Who has which browser: one is lent to one scenario at a time, and those in which somebody signed in are
//! kept for the end of the run.

use std::sync::{Mutex, PoisonError};

use super::World;
use super::context::Context;
use crate::http::Recorder;
use crate::http::cookies::Initiator;
use crate::http::user_agent::{SharedJar, UserAgent};
use crate::model::exchange::Request;
use crate::oauth::authorization::Landing;
use crate::target::login::driver::Decision;

/// Pages that may ask whether the user wants to sign out.
const MOST_QUESTIONS: usize = 3;

/// The user agents that nobody uses now.
#[derive(Default)]
pub(super) struct Browsers {
    /// Signed in, to be lent to one scenario at a time: servers change a session with every interaction,
    /// and two copies would disturb each other as no two tabs of a browser do.
    free: Mutex<Vec<UserAgent>>,
    /// The session that was imported, where one was. There is no other to lend, so that whoever asks
    /// gets a tab of it: a server that renews its cookies with each interaction renews them for all.
    imported: Option<SharedJar>,
    /// Used no more; somebody signed in with them.
    over: Mutex<Vec<UserAgent>>,
}

impl Browsers {
    /// None yet, but for tabs of the session that was imported.
    pub(super) fn of(imported: Option<SharedJar>) -> Self {
        Self { imported, ..Self::default() }
    }
}

fn take(from: &Mutex<Vec<UserAgent>>) -> Vec<UserAgent> {
    std::mem::take(&mut *from.lock().unwrap_or_else(PoisonError::into_inner))
}

fn put(to: &Mutex<Vec<UserAgent>>, agent: UserAgent) {
    to.lock().unwrap_or_else(PoisonError::into_inner).push(agent);
}

impl Context {
    /// A user agent to use alone; signed in, if one is free, and otherwise new.
    pub fn borrow_session(&self) -> UserAgent {
        if let Some(session) = &self.browsers.imported {
            return UserAgent::tab(session);
        }
        let free = self.browsers.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.unwrap_or_default()
    }

    /// Gives a user agent back for others to use.
    pub fn return_session(&self, agent: UserAgent) {
        if self.browsers.imported.is_none() && !agent.jar.is_empty() {
            put(&self.browsers.free, agent);
        }
    }

    /// Takes a user agent that is used no more. It is kept where its session will be ended.
    pub fn put_away(&self, agent: UserAgent) {
        if agent.has_signed_in
            && !agent.is_tab()
            && !agent.jar.is_empty()
            && self.target.safety.cleanup
        {
            put(&self.browsers.over, agent);
        }
    }

    /// Takes every user agent in which somebody signed in and that nobody uses.
    pub fn take_signed_in(&self) -> Vec<UserAgent> {
        let mut all = take(&self.browsers.free);
        all.retain(|agent| agent.has_signed_in);
        all.extend(take(&self.browsers.over));
        all
    }

    /// Opens an address of the target where nobody signs in or decides.
    pub async fn visit(
        &self,
        agent: &mut UserAgent,
        recorder: &Recorder,
        request: Request,
    ) -> Landing {
        let uris = self.after_logout();
        self.drive(agent, recorder, request, &uris, None, Decision::Approve).await.0
    }

    /// The user confirms, as long as pages ask, that he wants to sign out. An error: he is asked
    /// again and again.
    pub async fn confirm_logout(
        &self,
        agent: &mut UserAgent,
        recorder: &Recorder,
        mut landing: Landing,
    ) -> Result<Landing, Landing> {
        let uris = self.after_logout();
        let leaves = |location: &str| self.is_client(location, &uris);
        let driver = self.driver(recorder, &leaves, None, Decision::Approve);
        let question = |landing: &Landing| {
            let is_page = landing.response.is_none() && !landing.asks_to_sign_in;
            is_page.then(|| driver.confirmation(landing)).flatten()
        };
        for _ in 0..MOST_QUESTIONS {
            let Some(answer) = question(&landing) else { return Ok(landing) };
            // The form is on a page of the target: its own cookies go with it.
            let by = Initiator::SameSite;
            (landing, _, _) = driver.drive_until(agent, answer, by, |_| false).await;
        }
        if question(&landing).is_some() { Err(landing) } else { Ok(landing) }
    }

    fn after_logout(&self) -> Vec<String> {
        self.target.post_logout_redirect_uri.iter().cloned().collect()
    }
}

impl World {
    /// Gives the browser back, if it was lent, and hands over the others.
    pub fn leave(&mut self) {
        let Some(context) = &self.context else { return };
        let agent = std::mem::take(&mut self.agent);
        match std::mem::take(&mut self.is_lent) {
            true => context.return_session(agent),
            false => context.put_away(agent),
        }
    }

    /// The scenario is over: nobody uses its browsers any more.
    pub fn end(&mut self) {
        self.leave();
        let Some(context) = &self.context else { return };
        self.others.drain(..).for_each(|resting| context.put_away(resting.agent));
    }

    /// Takes a new browser, in which nobody signed in.
    pub fn take_new_browser(&mut self) {
        self.leave();
    }
}
