//! Signs in by the calls that the profile lists, in the same browser.

use std::collections::BTreeMap;
use std::sync::Arc;

use url::Url;

use super::driver::Driver;
use super::form::read;
use super::reason::{Reason, Trouble, WRONG_CODE};
use super::step::{Source, Step};
use super::{User, answer};
use crate::http::cookies::Initiator;
use crate::http::user_agent::{Navigation, UserAgent, resolve};
use crate::model::exchange::{Exchange, Request};
use crate::oauth::authorization::form_post;
use crate::oauth::params::Params;

/// What went wrong, and the exchange that shows it.
pub(super) type Failed = (Trouble, Arc<Exchange>);

/// Where a script stands.
struct Stage {
    names: BTreeMap<String, String>,
    /// The page on which the browser rests.
    page: Navigation,
    /// The last answer, the page at first.
    answer: Arc<Exchange>,
}

impl Stage {
    fn value(&self, name: &str) -> Option<String> {
        self.names.get(name).cloned()
    }

    fn rest(&mut self, page: Navigation) {
        let query = page.url.split_once('?').map_or("", |(_, query)| query).to_owned();
        self.names.insert("page_url".into(), page.url.clone());
        self.names.insert("page_query".into(), query);
        self.answer = page.exchange.clone();
        self.page = page;
    }

    /// The value that a capture names.
    fn find(&self, source: &Source, agent: &UserAgent) -> Option<String> {
        let response = self.answer.response()?;
        match source {
            Source::Json(pointer) => {
                let json: serde_json::Value = serde_json::from_slice(&response.body).ok()?;
                match json.pointer(pointer)? {
                    serde_json::Value::String(text) => Some(text.clone()),
                    serde_json::Value::Null => None,
                    other => Some(other.to_string()),
                }
            }
            Source::Header(name) => response.header(name).map(str::to_owned),
            Source::Query(name) => {
                let url = response.location().unwrap_or(&self.page.url);
                let (_, query) = url.split_once('?')?;
                let query = query.split('#').next().unwrap_or(query);
                Params::decode(query).value(name).map(str::to_owned)
            }
            Source::Field(name) => {
                let is_page = response.is_html();
                let page = read(if is_page { &self.answer } else { &self.page.exchange });
                let mut fields = page.forms.iter().flat_map(|form| &form.fields);
                fields.find(|field| field.name == *name).map(|field| field.value.clone())
            }
            Source::Cookie(name) => agent.jar.value(name).map(str::to_owned),
        }
    }
}

impl Driver<'_> {
    /// Takes the steps in order, and goes where the last answer leads: to the client, to another
    /// page, or back to the authorization request.
    pub(super) async fn play(
        &self,
        agent: &mut UserAgent,
        steps: &[&Step],
        user: &User,
        first: &Request,
        resting: &Navigation,
    ) -> Result<Navigation, Failed> {
        let mut stage = self.stage(user, first, resting);
        for (at, step) in steps.iter().enumerate() {
            if step.has("otp") {
                let code = match &user.totp {
                    Some(totp) => self.memory.code(user, totp).await.value,
                    None => String::new(),
                };
                stage.names.insert("otp".into(), code);
            }
            self.take(agent, step, &mut stage, user).await?;
            self.capture(agent, step, &mut stage, at + 1)?;
            if stage.page.departed.is_some()
                || answer::callback(&stage.answer, self.leaves).is_some()
            {
                return Ok(stage.page);
            }
        }
        self.memory.accepted(user);
        self.leave(agent, stage, first).await
    }

    fn stage(&self, user: &User, first: &Request, resting: &Navigation) -> Stage {
        let redirect_uri = first
            .url
            .split_once('?')
            .and_then(|(_, query)| Params::decode(query).value("redirect_uri").map(str::to_owned));
        let names = BTreeMap::from([
            ("authorization_url".to_owned(), first.url.clone()),
            ("issuer".to_owned(), self.issuer.trim_end_matches('/').to_owned()),
            ("redirect_uri".to_owned(), redirect_uri.unwrap_or_default()),
            ("username".to_owned(), user.username.clone()),
            ("password".to_owned(), user.password.expose().to_owned()),
        ]);
        let answer = resting.exchange.clone();
        let mut stage = Stage { names, page: resting.clone(), answer };
        stage.rest(resting.clone());
        stage
    }

    /// Sends what the step sends, and sees whether it succeeded.
    async fn take(
        &self,
        agent: &mut UserAgent,
        step: &Step,
        stage: &mut Stage,
        user: &User,
    ) -> Result<(), Failed> {
        let request = built(step, stage).map_err(|name| {
            let detail = format!("nothing to put for {{{name}}}");
            let remedy = "see the steps under [login] in the profile";
            (Trouble::new(Reason::FieldNotFound, detail, remedy), stage.answer.clone())
        })?;
        let Some(request) = request else { return Ok(()) };
        if step.open.is_some() {
            stage.rest(self.navigate(agent, request, Initiator::SameSite).await);
        } else {
            let url = request.url.clone();
            let exchange = agent.send(self.http, self.recorder, request, Initiator::SameSite).await;
            let location = exchange.response().and_then(|r| r.location());
            let away = |to: &&str| {
                (self.leaves)(to) || !resolve(&url, to).is_some_and(|to| self.home.contains(&to))
            };
            stage.page.departed = location.filter(away).map(str::to_owned);
            stage.answer = exchange;
            if stage.page.departed.is_some()
                || answer::callback(&stage.answer, self.leaves).is_some()
            {
                stage.page.exchange = stage.answer.clone();
            }
        }
        match self.fault(step, &stage.answer, user) {
            Some(trouble) => Err((trouble, stage.answer.clone())),
            None => Ok(()),
        }
    }

    /// Why the answer is none of success.
    fn fault(&self, step: &Step, answer: &Exchange, user: &User) -> Option<Trouble> {
        let gist = format!("{}{}", answer.gist(), answer::message(answer));
        let Some(response) = answer.response() else {
            return Some(Trouble::new(Reason::PageNotFound, gist, "check the address of the step"));
        };
        let status = response.status;
        if answer::callback(answer, self.leaves).is_some() {
            return None;
        }
        if answer::asks_second_factor(answer) && !step.has("otp") && user.totp.is_none() {
            let remedy = "give the user totp in the profile, and add a step that sends {otp}";
            return Some(Trouble::new(Reason::SecondFactor, gist, remedy));
        }
        if step.status.map_or(status < 400, |wanted| wanted == status) {
            return None;
        }
        let is_refusal = matches!(status, 400 | 401 | 403 | 422);
        Some(if is_refusal && step.has("password") {
            self.memory.refused(user);
            Trouble::new(Reason::WrongPassword, gist, "check user name and password")
        } else if is_refusal && step.has("otp") {
            Trouble::new(Reason::SecondFactor, gist, WRONG_CODE)
        } else if status == 404 {
            Trouble::new(Reason::PageNotFound, gist, "check the address of the step")
        } else {
            let wanted = step.status.map_or("below 400".into(), |s| s.to_string());
            let remedy = format!("see the answer: the step expects status {wanted}");
            Trouble::new(Reason::Refused, gist, remedy)
        })
    }

    fn capture(
        &self,
        agent: &UserAgent,
        step: &Step,
        stage: &mut Stage,
        number: usize,
    ) -> Result<(), Failed> {
        let mut captured = Vec::new();
        for (name, source) in &step.capture {
            let Some(value) = stage.find(source, agent) else {
                let detail = format!("no {source} for {{{name}}} in step {number}");
                let remedy = "see what the answer holds, and change capture in the profile";
                let trouble = Trouble::new(Reason::FieldNotFound, detail, remedy);
                return Err((trouble, stage.answer.clone()));
            };
            if !["true", "false"].contains(&value.as_str()) {
                self.memory.learn("captured", &value);
            }
            captured.push(format!("{name} from {source}"));
            stage.names.insert(name.clone(), value);
        }
        if !captured.is_empty() {
            let note = format!("step {number} captured {}", captured.join(", "));
            self.memory.note(stage.answer.number, note);
        }
        Ok(())
    }

    /// From the answer of the last step to the page that follows.
    async fn leave(
        &self,
        agent: &mut UserAgent,
        stage: Stage,
        first: &Request,
    ) -> Result<Navigation, Failed> {
        let url = stage.answer.request.url.clone();
        let location = stage.answer.response().and_then(|r| r.location()).map(str::to_owned);
        let named = location.into_iter().chain(answer::addresses(&stage.answer));
        let next = named
            .filter_map(|address| resolve(&url, &address))
            .find(|address| self.home.contains(address));
        let request = next.map_or_else(|| first.clone(), Request::get);
        Ok(self.navigate(agent, request, Initiator::SameSite).await)
    }
}

/// The request of the step. The error is a name without a value.
fn built(step: &Step, stage: &Stage) -> Result<Option<Request>, String> {
    let value = |name: &str| stage.value(name);
    if let Some(url) = &step.open {
        return Ok(Some(Request::get(resolved(stage, url.address(value)?))));
    }
    let Some(call) = &step.request else { return Ok(None) };
    let url = resolved(stage, call.url.address(value)?);
    let mut request = Request::get(url.clone());
    if let Some(json) = &step.json {
        request.headers.push(("Content-Type".into(), "application/json".into()));
        request.headers.push(("Accept".into(), "application/json".into()));
        request.body = json.render(&value)?.to_string().into_bytes();
    } else if let Some(form) = &step.form {
        let mut fields = Params::default();
        for (name, template) in form {
            fields.repeat(name, template.render(value)?);
        }
        request = form_post(&url, &fields);
    }
    request.method.clone_from(&call.method);
    // As the script of a page sends it (Fetch §3.1): servers that mind it refuse calls without.
    let origin = Url::parse(&stage.page.url).map(|page| page.origin().ascii_serialization());
    if let Some(origin) = origin.ok().filter(|_| call.method != "GET") {
        request.headers.push(("Origin".into(), origin));
    }
    for (name, template) in &step.headers {
        request.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        request.headers.push((name.clone(), template.render(value)?));
    }
    Ok(Some(request))
}

/// The address as a link on the page names it.
fn resolved(stage: &Stage, address: String) -> String {
    resolve(&stage.page.url, &address).unwrap_or(address)
}
