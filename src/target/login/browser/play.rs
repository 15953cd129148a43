//! Takes the steps that the profile lists for a browser.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::page::Sight;
use super::rest::unreached;
use super::tab::Tab;
use super::visit::broken;
use super::walk::{TICK, Walk};
use crate::oauth::params::Params;
use crate::target::login::User;
use crate::target::login::driver::Driver;
use crate::target::login::reason::{Reason, Trouble};
use crate::target::login::step::{Key, Step};

/// Time in which what a step needs must be on the page.
const APPEARS: Duration = Duration::from_secs(10);

impl Driver<'_> {
    /// Takes the steps in order, until the browser is about to leave for the client. The address of
    /// the page, if they end on one that offers nothing, where a refusal may be what the request
    /// deserves.
    pub(super) async fn perform(
        &self,
        tab: &mut Tab<'_>,
        walk: &mut Walk<'_>,
        steps: &[&Step],
        url: &str,
        user: &User,
    ) -> Result<Option<String>, Trouble> {
        for (at, step) in steps.iter().enumerate() {
            if let Some(page) = self.do_step(tab, walk, step, at + 1, url, user).await? {
                return Ok(Some(page));
            }
            tab.attend(TICK).await.map_err(broken)?;
            self.record(tab);
            if tab.guard.callback.is_some() {
                break;
            }
        }
        Ok(None)
    }

    async fn do_step(
        &self,
        tab: &mut Tab<'_>,
        walk: &mut Walk<'_>,
        step: &Step,
        number: usize,
        url: &str,
        user: &User,
    ) -> Result<Option<String>, Trouble> {
        let names = self.names(tab, step, url, user).await?;
        let value = |name: &str| names.get(name).cloned();
        let unknown = |name: String| {
            let detail = format!("nothing to put for {{{name}}} in step {number}");
            Trouble::new(Reason::FieldNotFound, detail, "see the steps under [login]")
        };
        if let Some(address) = &step.open {
            let address = address.address(value).map_err(unknown)?;
            return tab.visit(&address).await.map(|()| None).map_err(broken);
        }
        if let Some(key) = step.press {
            let (name, code) = match key {
                Key::Enter => ("Enter", 13),
                Key::Tab => ("Tab", 9),
                Key::Escape => ("Escape", 27),
            };
            return tab.press(name, code).await.map(|()| None).map_err(broken);
        }
        let text =
            step.with.as_ref().map(|with| with.render(value).map_err(unknown)).transpose()?;
        let end = Instant::now() + APPEARS;
        walk.stir();
        loop {
            // A page that is being replaced cannot be read.
            let before = tab.look().await;
            if self.try_step(tab, step, text.as_deref()).await.unwrap_or(false) {
                if let Ok(sight) = before {
                    walk.stepped(sight.document);
                }
                return Ok(None);
            }
            tab.attend(TICK).await.map_err(broken)?;
            self.record(tab);
            if tab.guard.callback.is_some() {
                return Ok(None);
            }
            let is_late = Instant::now() >= end;
            match tab.look().await {
                Ok(sight) if sight.is_ready && !tab.guard.is_busy() => {
                    if is_late || self.is_over(&sight, &mut walk.idleness) {
                        return self.end_at(tab, walk, &sight, step, number).map(Some);
                    }
                }
                _ if is_late => return Err(missed(step, number)),
                _ => walk.stir(),
            }
        }
    }

    /// The page, which is complete and has not what the step needs, is where the request ended: as
    /// without steps, if it offers nothing. One in which a step was taken is none to rest on.
    fn end_at(
        &self,
        tab: &Tab<'_>,
        walk: &Walk<'_>,
        sight: &Sight,
        step: &Step,
        number: usize,
    ) -> Result<String, Trouble> {
        if sight.url.starts_with("chrome-error:") || tab.guard.barred.is_some() {
            return Err(unreached(tab));
        }
        if self.demands_code && self.is_error(sight) {
            return Err(self.stuck(sight, walk));
        }
        let offers = self.deed(sight, &self.offered(sight)).is_some();
        match self.demands_code || offers || walk.has_stepped(sight.document) {
            true => Err(missed(step, number)),
            false => Ok(sight.url.clone()),
        }
    }

    /// Does what the step does, if its place is on the page.
    async fn try_step(
        &self,
        tab: &mut Tab<'_>,
        step: &Step,
        text: Option<&str>,
    ) -> Result<bool, String> {
        if let (Some(field), Some(text)) = (&step.fill, text) {
            let Some(at) = tab.find("field", field).await? else { return Ok(false) };
            return tab.fill(at, text).await;
        }
        if let Some(target) = &step.click {
            let Some(at) = tab.find("target", target).await? else { return Ok(false) };
            return tab.click(at).await;
        }
        match &step.wait {
            Some(selector) => tab.shows(selector).await,
            None => Ok(true),
        }
    }

    /// What the names in the step stand for.
    async fn names(
        &self,
        tab: &mut Tab<'_>,
        step: &Step,
        url: &str,
        user: &User,
    ) -> Result<BTreeMap<&'static str, String>, Trouble> {
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let redirect_uri = Params::decode(query).value("redirect_uri").map(str::to_owned);
        let mut names = BTreeMap::from([
            ("authorization_url", url.to_owned()),
            ("issuer", self.issuer.trim_end_matches('/').to_owned()),
            ("redirect_uri", redirect_uri.unwrap_or_default()),
            ("username", user.username.clone()),
            ("password", user.password.expose().to_owned()),
        ]);
        if ["page_url", "page_query"].iter().any(|name| step.has(name)) {
            let page = tab.look().await.map_err(broken)?.url;
            let query = page.split_once('?').map_or("", |(_, query)| query).to_owned();
            names.extend([("page_query", query), ("page_url", page)]);
        }
        if step.has("otp")
            && let Some(totp) = &user.totp
        {
            names.insert("otp", self.memory.code(user, totp).await.value);
        }
        Ok(names)
    }
}

fn missed(step: &Step, number: usize) -> Trouble {
    let sought = [&step.fill, &step.click, &step.wait].into_iter().flatten().next();
    let sought = sought.map_or("", String::as_str);
    let detail = format!("step {number} found no {sought} on the page");
    Trouble::new(Reason::FieldNotFound, detail, "see the page, and the steps under [login]")
}
