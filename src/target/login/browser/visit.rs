//! One login in a browser of its own, from its start to its end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::arguments::{Route, find};
use super::cookies;
use super::guard::Guard;
use super::mark::Marks;
use super::pool::{Make, Used};
use super::process::Process;
use super::tab::Tab;
use super::walk::{End, TICK, Walk};
use crate::http::user_agent::{Navigation, UserAgent};
use crate::model::exchange::Exchange;
use crate::oauth::params::Params;
use crate::target::login::User;
use crate::target::login::driver::{Decision, Driver};
use crate::target::login::intent::Act;
use crate::target::login::outside::{Brought, Met, Seen};
use crate::target::login::reason::{Reason, Trouble};
use crate::target::login::step::{Script, Step, When};

/// Time that the browser has to start.
const START: Duration = Duration::from_secs(30);
/// What a browser needs of the environment. The rest may hold secrets, which are none of its business.
const ENVIRONMENT: [&str; 5] = ["HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "TMPDIR"];
/// Time for picture and cookies at the end.
const END: Duration = Duration::from_secs(10);

/// The system's Chromium.
#[derive(Clone, Debug)]
pub struct Browser {
    /// Where it is, or why it was not found.
    program: Result<PathBuf, String>,
    /// What it gets of the environment.
    environment: Vec<(&'static str, String)>,
    /// Steps in place of the automatic choice.
    pub script: Script,
    /// Time that one login has.
    pub timeout: Duration,
    /// The way to the target.
    pub route: Route,
    /// Folder for pictures of failed logins; none are kept without it.
    pub evidence: Option<PathBuf>,
}

impl Browser {
    /// A browser that is looked for as [`find`] says.
    pub fn new(
        configured: Option<String>,
        variable: &dyn Fn(&str) -> Option<String>,
        script: Script,
        timeout: Duration,
    ) -> Self {
        let program = find(configured.as_deref(), variable);
        let given = |name: &&'static str| Some((*name, variable(name)?));
        let environment = ENVIRONMENT.iter().filter_map(given).collect();
        Self { program, environment, script, timeout, route: Route::default(), evidence: None }
    }
}

/// The browser itself failed.
pub(super) fn broken(why: String) -> Trouble {
    Trouble::new(Reason::CallbackNotReached, why, "see whether the browser works by itself")
}

impl Driver<'_> {
    /// Signs in with a browser that has the cookies of the user agent and gives them back; what the
    /// authorization request at `url` came to, or why nothing. The browser goes on where the user
    /// agent rests: a server may count how often a request is opened.
    pub(in crate::target::login) async fn browse(
        &self,
        browser: &Browser,
        agent: &mut UserAgent,
        url: &str,
        resting: &Navigation,
        (user, is_stop): (&User, &dyn Fn(Act) -> bool),
    ) -> Result<Brought, Trouble> {
        let missing = |why: String| {
            let remedy = "install Chromium, or name it as browser under [login] or in CHROMIUM";
            Trouble::new(Reason::PageNotFound, why, remedy)
        };
        let make = Make {
            program: browser.program.clone().map_err(missing)?,
            environment: browser.environment.clone(),
            hosts: self.home.hosts().map(str::to_owned).collect(),
            route: browser.route.clone(),
        };
        let next = || self.http.next_mark(self.recorder).map(|mark| mark.traceparent);
        let (mut tab, logins) = self.tab(&make, &next).await.map_err(missing)?;
        let before = self.recorder.len();
        let sign_in = self.sign_in(&mut tab, browser, agent, (url, &resting.url), (user, is_stop));
        let walk = timeout(browser.timeout, sign_in).await;
        let outcome = walk.unwrap_or_else(|_| {
            let detail = format!("no callback within {} s", browser.timeout.as_secs());
            Err(Trouble::new(Reason::TimedOut, detail, "raise timeout_seconds under [login]"))
        });
        self.record(&mut tab);
        self.tell_blocked(&tab);
        let held = timeout(END, tab.cookies()).await;
        let is_well = outcome.is_ok() && matches!(held, Ok(Ok(_)));
        if let Ok(Ok(held)) = held {
            agent.jar = cookies::jar(&held);
        }
        let outcome = match outcome {
            Err(trouble) => Err(self.shown(trouble, &mut tab, browser, agent, user).await),
            Ok((End::Left(departure), met)) => {
                let exchanges = self.recorder.exchanges();
                let last = exchanges.into_iter().skip(before).rfind(|e| e.response().is_some());
                let form = departure.form.as_deref().map(Params::decode);
                Ok(Brought::Seen(Seen {
                    exchange: last.unwrap_or_else(|| Arc::clone(&resting.exchange)),
                    response: Some((departure.url, form)),
                    stopped: None,
                    met,
                }))
            }
            Ok((End::Rests(page, stopped), met)) => Ok(Brought::Seen(Seen {
                exchange: self.page_at(&page).unwrap_or_else(|| Arc::clone(&resting.exchange)),
                response: None,
                stopped,
                met,
            })),
        };
        match is_well {
            true => self.part(tab, make, logins + 1).await,
            false => tab.close().await,
        }
        outcome
    }

    /// A page in a browser of that make: one that waits, or a new one. With it, how many logins the
    /// browser has seen. `next` marks its requests.
    async fn tab<'t>(
        &'t self,
        make: &Make,
        next: &'t (dyn Fn() -> Option<String> + Sync),
    ) -> Result<(Tab<'t>, usize), String> {
        let mark = self.http.next_mark(self.recorder).map(|mark| mark.user_agent);
        let open = async |process| {
            let guard = Guard::new(self.home, self.leaves, Marks::new(next));
            let most = self.http.limits().body;
            let open = timeout(START, Tab::open(process, guard, most, mark.as_deref())).await;
            let late = |_| Err(format!("the browser did not start within {} s", START.as_secs()));
            open.unwrap_or_else(late)
        };
        if let Some(Used { process, logins }) = self.memory.browsers.take(make)
            && let Ok(tab) = open(process).await
        {
            return Ok((tab, logins));
        }
        Ok((open(Process::start(make)?).await?, 0))
    }

    /// Leaves the browser to the next login.
    async fn part(&self, tab: Tab<'_>, make: Make, logins: usize) {
        match tab.leave().await {
            Ok(process) => {
                if let Some(process) = self.memory.browsers.keep(make, Used { process, logins }) {
                    process.close().await;
                }
            }
            Err(tab) => tab.close().await,
        }
    }

    /// The trouble with what shows it.
    async fn shown(
        &self,
        mut trouble: Trouble,
        tab: &mut Tab<'_>,
        browser: &Browser,
        agent: &UserAgent,
        user: &User,
    ) -> Trouble {
        let Some(folder) = browser.evidence.as_ref().filter(|_| self.memory.admit_picture()) else {
            return trouble;
        };
        let kept = timeout(END, self.keep(tab, folder, &agent.jar, user)).await;
        trouble.detail += &match kept {
            Ok(Ok(paths)) => format!("; see {paths}"),
            Ok(Err(why)) => format!("; no picture was kept ({why})"),
            Err(_) => "; no picture could be had in time".to_owned(),
        };
        trouble
    }

    /// Writes down what pages and scripts sent since the last time.
    pub(super) fn record(&self, tab: &mut Tab<'_>) {
        let at = self.http.since(Duration::ZERO);
        for exchange in tab.guard.seen.drain(..) {
            self.recorder.cite(&Arc::new(Exchange { at, ..exchange }));
        }
    }

    fn tell_blocked(&self, tab: &Tab<'_>) {
        let blocked = &tab.guard.blocked;
        if !blocked.is_empty() {
            let origins = blocked.iter().map(|(origin, count)| format!("{origin} ({count})"));
            let origins = origins.collect::<Vec<_>>().join(", ");
            let note = format!("requests that were not sent, to {origins}");
            self.memory.note(self.recorder.exchanges().len(), note);
        }
    }

    async fn sign_in(
        &self,
        tab: &mut Tab<'_>,
        browser: &Browser,
        agent: &UserAgent,
        (url, page): (&str, &str),
        (user, is_stop): (&User, &dyn Fn(Act) -> bool),
    ) -> Result<(End, Met), Trouble> {
        for cookie in cookies::commands(&agent.jar) {
            // A cookie that the browser refuses would not have come from it.
            let _ = tab.call("Network.setCookie", cookie).await;
        }
        let decision = match self.decision {
            Decision::Approve => When::Consent,
            Decision::Deny => When::Deny,
        };
        let (login, decide) = (browser.script.of(When::Login), browser.script.of(decision));
        if login.first().is_none_or(|step| step.open.is_none()) {
            tab.visit(page).await.map_err(broken)?;
        }
        let mut walk = Walk::new(!login.is_empty(), is_stop);
        let is_past = self.is_past(tab, &login).await?;
        let end =
            match self.take_steps(tab, &mut walk, (&login, is_past), &decide, url, user).await? {
                Some(page) => End::Rests(page, None),
                None => self.walk(tab, &mut walk, user).await?,
            };
        if walk.has_signed_in {
            self.memory.accepted(user);
        }
        let decided = walk.decisions > 0 || walk.has_decided;
        let met = Met {
            signed_in: walk.has_signed_in,
            consented: decided,
            may_have_consented: !decided && !is_past && may_decide(&login),
        };
        Ok((end, met))
    }

    /// Takes the steps of the profile, if there are any; the page on which they end, if they do not
    /// find there what they need.
    async fn take_steps(
        &self,
        tab: &mut Tab<'_>,
        walk: &mut Walk<'_>,
        (login, is_past): (&[&Step], bool),
        decide: &[&Step],
        url: &str,
        user: &User,
    ) -> Result<Option<String>, Trouble> {
        if !is_past {
            if let Some(page) = self.perform(tab, walk, login, url, user).await? {
                return Ok(Some(page));
            }
            walk.has_signed_in = login.iter().any(|step| step.has("password"));
        }
        if tab.guard.callback.is_none() && !decide.is_empty() {
            if let Some(page) = self.perform(tab, walk, decide, url, user).await? {
                return Ok(Some(page));
            }
            walk.has_decided = true;
        }
        Ok(None)
    }

    /// The page asks for a decision already, so that the steps of the sign-in are not for it.
    async fn is_past(&self, tab: &mut Tab<'_>, steps: &[&Step]) -> Result<bool, Trouble> {
        if steps.first().is_none_or(|step| step.open.is_some()) {
            return Ok(false);
        }
        tab.attend(TICK).await.map_err(broken)?;
        self.record(tab);
        let Ok(sight) = tab.look().await else { return Ok(false) };
        let page = self.offered(&sight);
        let asks = page.forms.iter().any(|form| self.asks_to_sign_in(form));
        Ok(tab.guard.callback.is_some() || !asks && self.choose(&page).is_some())
    }
}

/// Steps that sign in, and may decide as well: something is pressed after what sends the password.
fn may_decide(steps: &[&Step]) -> bool {
    let Some(at) = steps.iter().rposition(|step| step.has("password")) else { return false };
    let pressed = steps[at..].iter().filter(|step| step.click.is_some() || step.press.is_some());
    pressed.count() > 1
}
