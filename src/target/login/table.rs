//! The `[login]` table as a profile writes it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

#[cfg(feature = "browser")]
use super::browser::Browser;
use super::person::Manual;
use super::program::Program;
use super::step::{Script, Step};
use super::wallet::WalletTable;
use super::{Login, LoginHints, OUTSIDE, Rung, Wrong, cookie_file};
use crate::http::user_agent::Home;
use crate::target::secret::Secret;

/// The names of the rungs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum DriverName {
    #[default]
    Form,
    Http,
    Session,
    Exec,
    Manual,
    Wallet,
    /// In builds with the feature of that name.
    Browser,
}

/// The `[login]` table as a profile writes it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginTable {
    /// How the user signs in.
    #[serde(default)]
    driver: DriverName,
    /// Name of the user name field.
    #[serde(default)]
    username_field: Option<String>,
    /// Name of the password field.
    #[serde(default)]
    password_field: Option<String>,
    /// Name of the field for the one-time code.
    #[serde(default)]
    otp_field: Option<String>,
    /// Name or value of the button that approves.
    #[serde(default)]
    approve: Option<String>,
    /// Name or value of the button that denies.
    #[serde(default)]
    deny: Option<String>,
    /// Part of the path of the pages on which the user signs in.
    #[serde(default)]
    sign_in_page: Option<String>,
    /// Part of the path of the pages on which the user decides.
    #[serde(default)]
    consent_page: Option<String>,
    /// Origins of other servers on which the user signs in; followed, not judged.
    #[serde(default)]
    origins: Vec<String>,
    /// Most sign-ins of a run. Default: 200, and 1000 in development.
    #[serde(default)]
    budget: Option<usize>,
    /// Of `http` and `browser`: the steps that sign in.
    #[serde(default)]
    steps: Vec<Step>,
    /// Of `session`: a file.
    #[serde(default)]
    cookies: Option<String>,
    /// Of `exec`: name and arguments.
    #[serde(default)]
    command: Vec<String>,
    /// Of `exec`.
    #[serde(default)]
    pass_password: bool,
    /// Of `browser`: the program, where `CHROMIUM` and the usual names on `PATH` do not find it.
    #[serde(default)]
    browser: Option<String>,
    /// Of `exec`, `manual` and `browser`.
    #[serde(default)]
    timeout_seconds: Option<u64>,
    /// Of `wallet`.
    #[serde(default)]
    wallet: Option<WalletTable>,
}

impl LoginTable {
    /// The user must have a password: the harness sends it.
    pub fn needs_password(&self) -> bool {
        match self.driver {
            DriverName::Form => true,
            DriverName::Browser if self.steps.is_empty() => true,
            DriverName::Http | DriverName::Browser => {
                self.steps.iter().any(|step| step.has("password"))
            }
            DriverName::Exec => self.pass_password,
            DriverName::Session | DriverName::Manual | DriverName::Wallet => false,
        }
    }

    /// The harness goes on without a user: somebody signed in already, or will elsewhere.
    pub fn needs_no_user(&self) -> bool {
        !matches!(self.driver, DriverName::Form | DriverName::Http | DriverName::Browser)
    }

    /// The login that the table describes; a file of cookies is read, `secret` takes a key and its
    /// reference, and a browser is looked for by the environment `variable`. The error has what to
    /// look for in the profile, and why.
    pub fn load(
        self,
        secret: &dyn Fn(&str, &str) -> Result<Secret, Wrong>,
        #[cfg_attr(not(feature = "browser"), expect(unused_variables, reason = "for browsers"))]
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Login, Wrong> {
        self.check_keys()?;
        let timeout = self.timeout_seconds.map_or(OUTSIDE, Duration::from_secs);
        let rung = match self.driver {
            DriverName::Form => Rung::Form,
            DriverName::Http => Rung::Http(Script::new(self.steps)),
            DriverName::Session => Rung::Session(imported(self.cookies.as_deref())?),
            DriverName::Exec => {
                let (command, pass_password) = (self.command, self.pass_password);
                Rung::Exec(Program { command, pass_password, timeout })
            }
            DriverName::Manual => Rung::Manual(Manual { timeout, console: None, most: None }),
            DriverName::Wallet => Rung::Wallet(self.wallet.unwrap_or_default().load(secret)?),
            #[cfg(feature = "browser")]
            DriverName::Browser => {
                let script = Script::new(self.steps);
                Rung::Browser(Browser::new(self.browser, variable, script, timeout))
            }
            #[cfg(not(feature = "browser"))]
            DriverName::Browser => {
                let why = "driver = browser needs a build with it: cargo build --features browser";
                return Err(("driver".into(), why.into()));
            }
        };
        Ok(Login {
            rung,
            hints: LoginHints {
                username_field: self.username_field,
                password_field: self.password_field,
                otp_field: self.otp_field,
                approve: self.approve,
                deny: self.deny,
            },
            origins: self.origins,
            sign_in_page: self.sign_in_page,
            consent_page: self.consent_page,
            budget: self.budget,
        })
    }

    /// Keys of one rung are an error on another, which would not heed them.
    fn check_keys(&self) -> Result<(), (String, String)> {
        use DriverName::{Browser, Exec, Form, Http, Manual, Session, Wallet};
        let given = [
            ("steps", !self.steps.is_empty(), &[Http, Browser][..]),
            ("cookies", self.cookies.is_some(), &[Session]),
            ("command", !self.command.is_empty(), &[Exec]),
            ("pass_password", self.pass_password, &[Exec]),
            ("timeout_seconds", self.timeout_seconds.is_some(), &[Exec, Manual, Browser]),
            ("browser", self.browser.is_some(), &[Browser]),
            ("username_field", self.username_field.is_some(), &[Form, Browser]),
            ("password_field", self.password_field.is_some(), &[Form, Browser]),
            ("otp_field", self.otp_field.is_some(), &[Form, Browser]),
            ("approve", self.approve.is_some(), &[Form, Http, Session, Browser]),
            ("deny", self.deny.is_some(), &[Form, Http, Session, Browser]),
            ("sign_in_page", self.sign_in_page.is_some(), &[Http, Exec, Manual, Browser]),
            ("consent_page", self.consent_page.is_some(), &[Http]),
            ("wallet", self.wallet.is_some(), &[Wallet]),
        ];
        for (key, is_given, drivers) in given {
            if is_given && !drivers.contains(&self.driver) {
                let drivers: Vec<String> =
                    drivers.iter().map(|d| format!("{d:?}").to_lowercase()).collect();
                let own = format!("{:?}", self.driver).to_lowercase();
                let why = format!(
                    "{key} belongs to driver = {}; this one is {own}",
                    drivers.join(" or ")
                );
                return Err((key.into(), why));
            }
        }
        let missing = match self.driver {
            Http if self.steps.is_empty() => Some("[[login.steps]]"),
            Session if self.cookies.is_none() => Some("cookies, a file"),
            Exec if self.command.is_empty() => Some("command, a list of program and arguments"),
            _ => None,
        };
        if let Some(what) = missing {
            return Err(("driver".into(), format!("this driver needs {what} under [login]")));
        }
        let wrong =
            self.origins.iter().find(|origin| !Home::of([origin.as_str()]).contains(origin));
        match wrong {
            Some(origin) => {
                let why = format!("an origin is https://HOST or http://HOST:PORT; got {origin}");
                Err(("origins".into(), why))
            }
            None => Ok(()),
        }
    }
}

fn imported(path: Option<&str>) -> Result<crate::http::cookies::CookieJar, (String, String)> {
    let path = path.unwrap_or_default();
    let wrong = |why: String| ("cookies".to_owned(), format!("cookies: {path}: {why}"));
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    cookie_file::parse(&text).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Login, (String, String)> {
        toml::from_str::<LoginTable>(text)
            .map_err(|e| (String::new(), e.message().to_owned()))
            .and_then(|table| table.load(&|_, text| Ok(Secret::new(text)), &|_| None))
    }

    #[test]
    fn every_rung_is_named_and_form_is_the_default() {
        for (text, driver) in [
            ("", "form"),
            ("driver = 'http'\n[[steps]]\nopen = '{issuer}'", "http"),
            ("driver = 'exec'\ncommand = ['a', 'b c']\npass_password = true", "exec"),
            ("driver = 'manual'\ntimeout_seconds = 5", "manual"),
        ] {
            assert_eq!(load(text).unwrap().driver(), driver);
        }
    }

    #[test]
    fn mistakes_name_their_key_and_what_is_accepted() {
        for (text, key, part) in [
            (
                "driver = 'forms'",
                "",
                "expected one of `form`, `http`, `session`, `exec`, `manual`, `wallet`, `browser`",
            ),
            ("step = []", "", "unknown field `step`, expected one of"),
            ("command = ['x']", "command", "command belongs to driver = exec; this one is form"),
            ("driver = 'exec'", "driver", "needs command"),
            ("driver = 'http'", "driver", "needs [[login.steps]]"),
            ("driver = 'session'", "driver", "needs cookies"),
            ("driver = 'session'\ncookies = '/nonexistent'", "cookies", "cookies: /nonexistent: "),
            ("browser = '/x'", "browser", "browser belongs to driver = browser; this one is form"),
            #[cfg(not(feature = "browser"))]
            ("driver = 'browser'", "driver", "cargo build --features browser"),
            ("origins = ['idp.test']", "origins", "got idp.test"),
        ] {
            let (sought, why) = load(text).unwrap_err();
            assert!(sought == key && why.contains(part), "{text}: {sought}: {why}");
        }
    }
}
