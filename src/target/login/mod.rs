//! How a user signs in and consents at the target: one rung of a ladder, chosen in the profile. A
//! rung takes the navigation that an authorization request began and brings it to a [`Landing`];
//! [`Driver::drive_until`] is the one place that chooses between them.
//!
//! [`Landing`]: crate::oauth::authorization::Landing
//! [`Driver::drive_until`]: driver::Driver::drive_until

mod answer;
#[cfg(any(test, feature = "browser"))]
pub mod browser;
pub mod call;
mod choice;
pub mod cookie_file;
pub mod driver;
mod form;
pub mod html;
pub mod intent;
mod limits;
pub mod memory;
mod opaque;
pub mod otp;
pub mod outside;
pub mod person;
mod plain;
pub mod program;
pub mod reason;
pub mod recording;
mod script;
pub mod step;
mod table;
pub mod template;
pub mod trace;
mod user;
pub mod wallet;

use std::path::Path;
use std::time::Duration;

use url::Url;

#[cfg(feature = "browser")]
use self::browser::Browser;
use self::person::Manual;
use self::program::Program;
use self::step::{Hands, Script};
pub use self::table::LoginTable;
pub use self::user::{User, UserTable};
use self::wallet::Wallet;
use super::network::Network;
use crate::http::cookies::CookieJar;

/// What to look for in a profile, and why it is wrong.
type Wrong = (String, String);

/// The `[login]` table of a profile.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// How the user signs in.
    pub rung: Rung,
    /// Names of form fields and buttons, where the automatic choice is wrong.
    pub hints: LoginHints,
    /// Origins of other servers on which the user signs in; their pages are followed, not judged.
    pub origins: Vec<String>,
    /// Part of the path of the pages on which the user signs in, where not every page may be one.
    pub sign_in_page: Option<String>,
    /// Part of the path of the pages on which the user decides.
    pub consent_page: Option<String>,
    /// Most sign-ins of a run; a default that depends on the target when absent.
    pub budget: Option<usize>,
}

/// How a user signs in.
#[derive(Clone, Debug, Default)]
pub enum Rung {
    /// HTML forms over plain HTTP.
    #[default]
    Form,
    /// Calls that the profile lists.
    Http(Script),
    /// A session that somebody else began: its cookies.
    Session(CookieJar),
    /// A program of the operator's.
    Exec(Program),
    /// A person with a browser.
    Manual(Manual),
    /// A credential in a wallet.
    Wallet(Wallet),
    /// A browser without a person.
    #[cfg(feature = "browser")]
    Browser(Browser),
}

/// Names of form fields and buttons, where the automatic choice is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginHints {
    /// Name of the user name field.
    pub username_field: Option<String>,
    /// Name of the password field.
    pub password_field: Option<String>,
    /// Name of the field for the one-time code.
    pub otp_field: Option<String>,
    /// Name or value of the button that approves.
    pub approve: Option<String>,
    /// Name or value of the button that denies.
    pub deny: Option<String>,
}

impl Login {
    /// A login of that rung, with nothing else said.
    pub fn by(rung: Rung) -> Self {
        Self { rung, ..Self::default() }
    }

    /// The name of the rung, as profiles write it.
    pub fn driver(&self) -> &'static str {
        match self.rung {
            Rung::Form => "form",
            Rung::Http(_) => "http",
            Rung::Session(_) => "session",
            Rung::Exec(_) => "exec",
            Rung::Manual(_) => "manual",
            Rung::Wallet(_) => "wallet",
            #[cfg(feature = "browser")]
            Rung::Browser(_) => "browser",
        }
    }

    /// The harness itself sends name and password, in requests that it can look at.
    pub fn types_credentials(&self) -> bool {
        matches!(self.rung, Rung::Form | Rung::Http(_))
    }

    /// The pages of the login are seen: the user does not sign in where nobody could stop him.
    pub fn is_seen(&self) -> bool {
        !self.is_elsewhere() && (!self.is_browser() || self.walks_by_itself())
    }

    /// The user signs in in a browser that is none of the harness.
    pub fn is_elsewhere(&self) -> bool {
        matches!(self.rung, Rung::Exec(_) | Rung::Manual(_))
    }

    /// A browser signs in that the harness drives itself.
    pub fn is_browser(&self) -> bool {
        self.driver() == "browser"
    }

    /// A browser that the harness drives without the steps of a profile: it finds what a reader of
    /// the page finds.
    pub fn walks_by_itself(&self) -> bool {
        match &self.rung {
            #[cfg(feature = "browser")]
            Rung::Browser(browser) => browser.script.is_empty(),
            _ => false,
        }
    }

    /// The wallet, where one signs in.
    pub fn wallet(&self) -> Option<&Wallet> {
        match &self.rung {
            Rung::Wallet(wallet) => Some(wallet),
            _ => None,
        }
    }

    /// The cookies of the session that was imported, where one was.
    pub fn jar(&self) -> Option<CookieJar> {
        match &self.rung {
            Rung::Session(jar) => Some(jar.clone()),
            _ => None,
        }
    }

    /// Scenarios that may run side by side: an imported session is one, and so is a person.
    pub fn lanes(&self, concurrency: usize) -> usize {
        match self.rung {
            Rung::Session(_) | Rung::Manual(_) => 1,
            _ => concurrency,
        }
    }

    /// Every address outside the target that the login may reach.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        let steps = match &self.rung {
            Rung::Http(script) => script.addresses(),
            #[cfg(feature = "browser")]
            Rung::Browser(browser) => browser.script.addresses(),
            _ => vec![],
        };
        self.origins.iter().map(String::as_str).chain(steps)
    }

    /// Checks the login against the users. The error has what to look for in the profile, and why.
    pub fn check(
        &self,
        user: Option<&User>,
        second_user: Option<&User>,
    ) -> Result<(), (String, String)> {
        match &self.rung {
            Rung::Wallet(wallet) => return wallet.check(user, second_user),
            Rung::Http(script) => script.check(Hands::Calls, user)?,
            #[cfg(feature = "browser")]
            Rung::Browser(browser) => browser.script.check(Hands::Browser, user)?,
            _ => {}
        }
        match [user, second_user].into_iter().flatten().any(|user| user.claims.is_some()) {
            true => Err(("claims".into(), "claims belongs to driver = wallet".into())),
            false => Ok(()),
        }
    }

    /// Keeps what shows why a login failed in that folder, where the login leaves any such thing.
    pub fn keep_in(
        &mut self,
        #[cfg_attr(not(feature = "browser"), expect(unused_variables, reason = "for browsers"))]
        folder: &Path,
    ) {
        #[cfg(feature = "browser")]
        if let Rung::Browser(browser) = &mut self.rung {
            browser.evidence = Some(folder.to_owned());
        }
    }

    /// The way to the target that a browser must know by itself. The error has the key at fault, and
    /// why.
    pub(super) fn route(
        &mut self,
        #[cfg_attr(not(feature = "browser"), expect(unused_variables, reason = "for browsers"))]
        network: &Network,
    ) -> Result<(), (&'static str, String)> {
        #[cfg(feature = "browser")]
        if let Rung::Browser(browser) = &mut self.rung {
            browser.route = browser::arguments::Route::of(network)?;
        }
        Ok(())
    }

    /// The user may sign in on this page.
    fn is_sign_in_page(&self, url: &str) -> bool {
        self.sign_in_page.as_ref().is_none_or(|part| path_of(url).contains(part.as_str()))
    }

    /// The user decides on this page, as far as its address tells.
    fn is_consent_page(&self, url: &str) -> Option<bool> {
        self.consent_page.as_ref().map(|part| path_of(url).contains(part.as_str()))
    }
}

fn path_of(url: &str) -> String {
    Url::parse(url).map(|url| url.path().to_owned()).unwrap_or_default()
}

/// Time that a program or a person has for one login, unless the profile says otherwise.
const OUTSIDE: Duration = Duration::from_secs(120);
