//! The step language of logins: one call or one visit a step, and what is taken from its answer.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

pub use super::call::{Call, Json};
use super::template::{NAMES, Template};
use super::user::User;

/// When a step is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// To sign in.
    #[default]
    Login,
    /// To approve.
    Consent,
    /// To deny.
    Deny,
}

/// One step.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// When it is taken.
    #[serde(default)]
    pub when: When,
    /// A call: method and address; its redirects are not followed.
    #[serde(default)]
    pub request: Option<Call>,
    /// An address that the browser visits; redirects within the target are followed.
    #[serde(default)]
    pub open: Option<Template>,
    /// The body of the call as JSON; its texts are templates.
    #[serde(default)]
    pub json: Option<Json>,
    /// The body of the call as a form.
    #[serde(default)]
    pub form: Option<BTreeMap<String, Template>>,
    /// Header fields of the call.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// The status of success; any below 400 when left out.
    #[serde(default)]
    pub status: Option<u16>,
    /// Names for parts of the answer, or of the page on which the browser rests where the step does
    /// nothing else.
    #[serde(default)]
    pub capture: BTreeMap<String, Source>,
    /// Of `browser`: the field that is filled, by name or CSS selector.
    #[serde(default)]
    pub fill: Option<String>,
    /// Of `browser`: what is typed into it.
    #[serde(default)]
    pub with: Option<Template>,
    /// Of `browser`: what is clicked, by CSS selector or visible text.
    #[serde(default)]
    pub click: Option<String>,
    /// Of `browser`: the key that is pressed, such as `Enter`.
    #[serde(default)]
    pub press: Option<Key>,
    /// Of `browser`: what is awaited, by CSS selector.
    #[serde(default)]
    pub wait: Option<String>,
}

/// A key that a step presses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Key {
    /// Sends a form off.
    Enter,
    /// Goes to the next control.
    Tab,
    /// Closes what lies above the page.
    Escape,
}

/// Where a captured value stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub enum Source {
    /// A JSON pointer (RFC 6901) into the body.
    Json(String),
    /// A header field.
    Header(String),
    /// A parameter of `Location`, or else of the address of the page.
    Query(String),
    /// A field of a form on the page.
    Field(String),
    /// A cookie of the browser.
    Cookie(String),
}

impl TryFrom<String> for Source {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (kind, name) = text.split_once(' ').unwrap_or((&text, ""));
        let name = name.trim().to_owned();
        let is_pointer = name.is_empty() || name.starts_with('/');
        match kind {
            "json" if is_pointer => Ok(Self::Json(name)),
            "json" => Err(format!("a JSON pointer begins with a slash; got \"{text}\"")),
            "header" if !name.is_empty() => Ok(Self::Header(name)),
            "query" if !name.is_empty() => Ok(Self::Query(name)),
            "field" if !name.is_empty() => Ok(Self::Field(name)),
            "cookie" if !name.is_empty() => Ok(Self::Cookie(name)),
            _ => Err(format!(
                "a capture is \"json /POINTER\", \"header NAME\", \"query NAME\", \"field NAME\" or \"cookie NAME\"; got \"{text}\""
            )),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(name) => write!(f, "json {name}"),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Query(name) => write!(f, "query {name}"),
            Self::Field(name) => write!(f, "field {name}"),
            Self::Cookie(name) => write!(f, "cookie {name}"),
        }
    }
}

impl Step {
    fn templates(&self) -> Vec<Template> {
        let json =
            self.json.iter().flat_map(Json::templates).filter_map(|t| Template::parse(t).ok());
        let named = self.form.iter().flat_map(BTreeMap::values).chain(self.headers.values());
        let urls = self.request.iter().map(|call| &call.url).chain(&self.open).chain(&self.with);
        json.chain(named.chain(urls).cloned()).collect()
    }

    /// The step sends the password or a code made of the user's secret.
    pub fn has(&self, name: &str) -> bool {
        self.templates().iter().any(|template| template.names().any(|n| n == name))
    }

    /// What a step of that rung may say, and whether this one says it well.
    fn check_shape(&self, hands: Hands) -> Result<(), String> {
        let is_acted = [self.fill.is_some(), self.click.is_some(), self.wait.is_some()];
        let acts = is_acted.into_iter().chain([self.press.is_some()]).filter(|is| *is).count();
        match hands {
            Hands::Calls if acts > 0 || self.with.is_some() => {
                Err("fill, with, click, press and wait belong to driver = browser".into())
            }
            Hands::Calls => self.check_call(),
            Hands::Browser if self.request.is_some() || self.status.is_some() => {
                Err("request and status belong to driver = http".into())
            }
            Hands::Browser if self.fill.is_some() != self.with.is_some() => {
                Err("fill and with belong together: fill = \"password\", with = \"{password}\""
                    .into())
            }
            Hands::Browser if self.json.is_some() || self.form.is_some() => {
                Err("json and form belong to driver = http".into())
            }
            Hands::Browser if !self.headers.is_empty() || !self.capture.is_empty() => {
                Err("headers and capture belong to driver = http".into())
            }
            Hands::Browser if acts + usize::from(self.open.is_some()) != 1 => {
                Err("a step of the browser is one of open, fill, click, press and wait".into())
            }
            Hands::Browser => Ok(()),
        }
    }

    fn check_call(&self) -> Result<(), String> {
        let has_body = self.json.is_some() || self.form.is_some();
        if self.request.is_some() && self.open.is_some() {
            return Err("a step has request or open, not both".into());
        }
        if self.json.is_some() && self.form.is_some() {
            return Err("a step has json or form, not both".into());
        }
        if self.request.is_none() && (has_body || !self.headers.is_empty()) {
            return Err("json, form and headers belong to a request".into());
        }
        if self.request.is_none() && self.open.is_none() && self.capture.is_empty() {
            return Err("a step needs request, open or capture".into());
        }
        Ok(())
    }
}

/// Who takes the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hands {
    /// The harness, by calls of its own.
    Calls,
    /// A browser.
    Browser,
}

/// The steps of a login.
#[derive(Clone, Debug, Default)]
pub struct Script(Vec<Step>);

impl Script {
    /// These steps, in order.
    pub fn new(steps: Vec<Step>) -> Self {
        Self(steps)
    }

    /// The steps for that moment.
    pub fn of(&self, when: When) -> Vec<&Step> {
        self.0.iter().filter(|step| step.when == when).collect()
    }

    /// There is none at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The addresses that steps name in full.
    pub(super) fn addresses(&self) -> Vec<&str> {
        let named = self.0.iter().flat_map(|s| s.request.iter().map(|c| &c.url).chain(&s.open));
        named.map(Template::prefix).filter(|text| text.starts_with("http")).collect()
    }

    /// Every name is known where it is used: by itself, from [`NAMES`], or from a capture of an
    /// earlier step for the same moment. The error has what to look for in the profile, and why.
    pub fn check(&self, hands: Hands, user: Option<&User>) -> Result<(), (String, String)> {
        let mut captured: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for step in &self.0 {
            step.check_shape(hands).map_err(|why| ("[login.steps]".to_owned(), why))?;
            let moment = match step.when {
                When::Login => "login",
                When::Consent => "consent",
                When::Deny => "deny",
            };
            let known = captured.entry(moment).or_default();
            for template in step.templates() {
                for name in template.names() {
                    lacks(name, user, known)
                        .map_or(Ok(()), |why| Err((format!("{{{name}}}"), why)))?;
                }
            }
            known.extend(step.capture.keys().map(String::as_str));
        }
        Ok(())
    }
}

/// Why a name means nothing in a step.
fn lacks(name: &str, user: Option<&User>, captured: &BTreeSet<&str>) -> Option<String> {
    let why = match (name, user) {
        _ if captured.contains(name) => return None,
        ("username" | "password" | "otp", None) => "there is no [user] in the profile",
        ("password", Some(user)) if user.password.expose().is_empty() => {
            "[user] has no password in the profile"
        }
        ("otp", Some(User { totp: None, .. })) => "[user] has no totp in the profile",
        _ if NAMES.contains(&name) => return None,
        _ => {
            let known: Vec<&str> = NAMES.iter().chain(captured).copied().collect();
            return Some(format!("unknown name {{{name}}}, expected one of {}", known.join(", ")));
        }
    };
    Some(format!("{{{name}}} has no value: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::secret::Secret;

    fn script(text: &str) -> Result<Script, String> {
        #[derive(Deserialize)]
        struct Table {
            steps: Vec<Step>,
        }
        toml::from_str::<Table>(text).map(|t| Script::new(t.steps)).map_err(|e| e.to_string())
    }

    fn fault(text: &str) -> String {
        let user = User::new("alice", Secret::new("pw"));
        script(text).unwrap().check(Hands::Calls, Some(&user)).unwrap_err().1
    }

    #[test]
    fn a_login_api_is_written_in_a_few_lines() {
        let script = script(
            r#"
            [[steps]]
            request = "POST {issuer}/sign-in"
            json = { email = "{username}", password = "{password}", remember = true }
            status = 200
            capture = { token = "json /token", csrf = "header x-csrf-token", id = "query id" }
            [[steps]]
            open = "https://idp.test/next?t={token}"
            [[steps]]
            when = "consent"
            request = "POST {page_url}"
            form = { accept = "yes" }
            "#,
        )
        .unwrap();
        assert!(script.check(Hands::Calls, Some(&User::new("alice", Secret::new("pw")))).is_ok());
        assert_eq!((script.of(When::Login).len(), script.of(When::Consent).len()), (2, 1));
        assert_eq!(script.addresses(), ["https://idp.test/next?t="]);
        let json = script.of(When::Login)[0].json.clone().unwrap();
        let value = |name: &str| Some(format!("<{name}>"));
        let rendered = json.render(&value).unwrap().to_string();
        assert_eq!(rendered, r#"{"email":"<username>","password":"<password>","remember":true}"#);
    }

    #[test]
    fn a_name_must_be_known_where_it_is_used() {
        assert!(
            fault("[[steps]]\nopen = '{usrname}'")
                .contains("unknown name {usrname}, expected one of authorization_url")
        );
        assert!(fault("[[steps]]\nopen = '{otp}'").contains("no totp"));
        let later = "[[steps]]\nopen = '{issuer}/{a}'\n[[steps]]\ncapture = { a = 'query a' }";
        assert!(fault(later).contains("unknown name {a}"));
        // A browser that is signed in already takes no step of the sign-in before it consents.
        let elsewhere = "[[steps]]\ncapture = { a = 'query a' }\n[[steps]]\nwhen = 'consent'\nopen = '{issuer}/{a}'";
        assert!(fault(elsewhere).contains("unknown name {a}"));
        let nobody = script("[[steps]]\nopen = '{issuer}?{username}'").unwrap();
        assert!(nobody.check(Hands::Calls, None).unwrap_err().1.contains("no [user]"));
    }

    #[test]
    fn mistakes_list_what_is_accepted() {
        for (text, part) in [
            ("request = 'FETCH /x'", "methods are GET, POST"),
            ("request = '/x'", "a request is a method and an address"),
            ("capture = { a = 'xpath //b' }", "\"field NAME\""),
            ("capture = { a = 'json token' }", "begins with a slash"),
            ("open = '{'", "stands alone"),
            ("json = { a = ['{'] }\nrequest = 'POST {issuer}'", "stands alone"),
            ("when = 'never'", "expected one of `login`, `consent`, `deny`"),
            ("body = 'x'", "unknown field `body`"),
        ] {
            let error = script(&format!("[[steps]]\n{text}")).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(fault("[[steps]]").contains("needs request, open or capture"));
        assert!(fault("[[steps]]\nclick = 'Go'").contains("belong to driver = browser"));
        assert!(fault("[[steps]]\nopen = '{issuer}'\njson = {}").contains("belong to a request"));
        for (text, part) in [
            ("fill = '#a'", "fill and with belong together"),
            ("click = 'Go'\nwait = '#b'", "is one of open, fill"),
            ("request = 'GET /'", "belong to driver = http"),
            ("fill = 'otp'\nwith = '{otp}'", "no totp"),
        ] {
            let user = User::new("alice", Secret::new("pw"));
            let steps = script(&format!("[[steps]]\n{text}")).unwrap();
            let (_, why) = steps.check(Hands::Browser, Some(&user)).unwrap_err();
            assert!(why.contains(part), "{text}: {why}");
        }
    }
}
