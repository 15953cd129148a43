//! Why a login failed, by name.

use std::fmt;

use crate::model::verdict::Obstacle;

/// Why a login failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The page of the sign-in does not exist or cannot be reached.
    PageNotFound,
    /// No form can be filled in, or an answer lacks what a step takes from it.
    FieldNotFound,
    /// The sign-in form came back, or a call with the password was refused.
    WrongPassword,
    /// A one-time code is asked for and none is configured, or it was refused.
    SecondFactor,
    /// Approval leads to a page that asks for approval.
    ConsentLoop,
    /// The browser rests somewhere else, or left for somebody else.
    CallbackNotReached,
    /// An answer, a program or a person took too long.
    TimedOut,
    /// The server sent an error to the client or showed one.
    Refused,
    /// Nobody is configured who could sign in.
    NoUser,
    /// A session was imported, and here the user would have to sign in.
    FreshLogin,
    /// What the scenario needs cannot be done with this kind of login.
    NotPossible,
    /// Not tried: these credentials were refused before, or the budget is spent.
    Withheld,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 12] = [
        Self::PageNotFound,
        Self::FieldNotFound,
        Self::WrongPassword,
        Self::SecondFactor,
        Self::ConsentLoop,
        Self::CallbackNotReached,
        Self::TimedOut,
        Self::Refused,
        Self::NoUser,
        Self::FreshLogin,
        Self::NotPossible,
        Self::Withheld,
    ];

    /// The name, part of the contract of `authspec login test`.
    pub fn name(self) -> &'static str {
        match self {
            Self::PageNotFound => "page not found",
            Self::FieldNotFound => "field not found",
            Self::WrongPassword => "wrong password",
            Self::SecondFactor => "second factor asked",
            Self::ConsentLoop => "consent loop",
            Self::CallbackNotReached => "callback not reached",
            Self::TimedOut => "timed out",
            Self::Refused => "refused by the server",
            Self::NoUser => "no user configured",
            Self::FreshLogin => "fresh login needed",
            Self::NotPossible => "not possible with this login",
            Self::Withheld => "not tried again",
        }
    }

    /// The reason that a program named at the beginning of its message, if it named one.
    pub fn named_in(message: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| message.starts_with(reason.name()))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A login that failed: why, what came back, and what to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Why.
    pub reason: Reason,
    /// What came back.
    pub detail: String,
    /// What to change.
    pub remedy: String,
}

/// What to change where a one-time code is refused. A command knows only the codes that it sent itself
/// (RFC 6238 §5.2: a server takes each once).
pub(super) const WRONG_CODE: &str = "check totp of the user (secret, algorithm, digits and period) and both clocks, and see the page; a code that another command or person used is used up, and half a minute later the next one is good";

impl Trouble {
    /// A login that failed.
    pub fn new(reason: Reason, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), remedy: remedy.into() }
    }

    /// What the login that is configured cannot do.
    pub fn not_possible(what: impl Into<String>) -> Self {
        Self::new(Reason::NotPossible, what, "sign in with driver = \"form\" to have it judged")
    }

    /// A one-time code was sent, and the page after it leads nowhere.
    pub(super) fn code_refused(detail: impl Into<String>) -> Self {
        let remedy = format!("the one-time code was sent and refused, as it seems: {WRONG_CODE}");
        Self::new(Reason::SecondFactor, detail, remedy)
    }

    /// A request that the wallet cannot answer.
    pub fn unanswered(detail: impl Into<String>) -> Self {
        let remedy = "check credential, format, vct and claims under [login.wallet] against what the server asks for";
        Self::new(Reason::FieldNotFound, detail, remedy)
    }

    /// The same as what keeps a scenario from judging.
    pub fn obstacle(&self) -> Obstacle {
        let tried = "to sign in and obtain an authorization code";
        let came_back = format!("{}: {}", self.reason, self.detail);
        let obstacle = Obstacle::new(tried, came_back, self.remedy.clone());
        match self.reason {
            Reason::NotPossible => obstacle.beyond_the_login(),
            _ => obstacle,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_names_a_reason_or_none() {
        assert_eq!(Reason::named_in("wrong password for alice"), Some(Reason::WrongPassword));
        assert_eq!(Reason::named_in("it broke"), None);
        let names: std::collections::BTreeSet<_> = Reason::ALL.map(Reason::name).into();
        assert_eq!(names.len(), Reason::ALL.len());
    }
}
