//! What the sign-ins of a run remember: how many there may be, which credentials were refused, which
//! one-time codes are used up, and the secrets that were typed or captured.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::otp::Totp;
use super::reason::{Reason, Trouble};
use super::user::User;

/// Sign-ins of one run, unless the profile says otherwise, at a target on this machine and at one
/// on which others may depend.
const BUDGET: (usize, usize) = (1000, 200);

/// Refusals in a row after which credentials that worked before are not tried again: a server that
/// cannot keep up shows its sign-in form, too.
const MOST_REFUSALS: usize = 2;

/// Logins of one run of which a picture is kept.
#[cfg(feature = "browser")]
const MOST_PICTURES: usize = 5;

/// What the sign-ins of a run remember.
pub struct Memory {
    budget: usize,
    state: Mutex<State>,
    /// Held while a person signs in.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// Browsers that wait for the next login.
    #[cfg(feature = "browser")]
    pub(super) browsers: super::browser::Pool,
}

#[derive(Default)]
struct State {
    spent: usize,
    /// By user name and password.
    credentials: HashMap<(String, String), Standing>,
    codes: HashMap<String, Codes>,
    secrets: BTreeSet<(&'static str, String)>,
    notes: Vec<(usize, String)>,
    #[cfg(feature = "browser")]
    pictures: usize,
}

#[derive(Clone, Copy, Default)]
struct Standing {
    has_worked: bool,
    refusals: usize,
}

impl Standing {
    fn is_spoiled(self) -> bool {
        self.refusals >= if self.has_worked { MOST_REFUSALS } else { 1 }
    }
}

/// The one-time codes of a user.
#[derive(Clone, Copy, Default)]
struct Codes {
    /// The last period whose code was sent.
    last: Option<u64>,
    /// The server takes a code once (RFC 6238 §5.2).
    is_single_use: bool,
}

/// A one-time code, and whether another sign-in sent it before.
pub(super) struct Code {
    pub(super) value: String,
    pub(super) is_used: bool,
}

impl Memory {
    /// Remembers nothing yet; `budget` is the profile's.
    pub fn new(budget: Option<usize>, is_local: bool) -> Self {
        let default = if is_local { BUDGET.0 } else { BUDGET.1 };
        let budget = budget.unwrap_or(default);
        Self {
            budget,
            state: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            #[cfg(feature = "browser")]
            browsers: super::browser::Pool::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sign-ins so far.
    pub fn spent(&self) -> usize {
        self.state().spent
    }

    /// Sign-ins that there may be.
    pub fn budget(&self) -> usize {
        self.budget
    }

    /// Counts one more sign-in, unless it must not be tried.
    pub(super) fn admit(&self, user: &User) -> Result<(), Trouble> {
        let mut state = self.state();
        if state.credentials.get(&key(user)).is_some_and(|standing| standing.is_spoiled()) {
            return Err(Trouble::new(
                Reason::Withheld,
                "the server refused this password before in this run, and one more attempt could lock the account",
                "check user name and password, and that the account is not locked",
            ));
        }
        if state.spent >= self.budget {
            return Err(Trouble::new(
                Reason::Withheld,
                format!("the budget of {} sign-ins is spent", self.budget),
                "raise budget under [login] in the profile, or choose fewer checks",
            ));
        }
        state.spent += 1;
        Ok(())
    }

    /// These credentials worked.
    pub(super) fn accepted(&self, user: &User) {
        self.state().credentials.insert(key(user), Standing { has_worked: true, refusals: 0 });
    }

    /// These credentials were refused by a server that was not busy.
    pub(super) fn refused(&self, user: &User) {
        self.state().credentials.entry(key(user)).or_default().refusals += 1;
    }

    /// Keeps a secret for the redaction: one that was typed, captured or made.
    pub fn learn(&self, kind: &'static str, value: &str) {
        self.state().secrets.insert((kind, value.to_owned()));
    }

    /// Every secret that was typed, captured or made, with its kind.
    pub fn secrets(&self) -> Vec<(&'static str, String)> {
        self.state().secrets.iter().cloned().collect()
    }

    /// Counts one more picture of a failed login, unless there are enough.
    #[cfg(feature = "browser")]
    pub(super) fn admit_picture(&self) -> bool {
        let mut state = self.state();
        let is_free = state.pictures < MOST_PICTURES;
        state.pictures += usize::from(is_free);
        is_free
    }

    /// Notes what was done with the exchange of that number.
    pub(super) fn note(&self, exchange: usize, what: impl Into<String>) {
        self.state().notes.push((exchange, what.into()));
    }

    /// What was noted, by the number of the exchange.
    pub fn notes(&self) -> Vec<(usize, String)> {
        self.state().notes.clone()
    }

    /// The code of now; where the server takes each once, that of the next period that is free,
    /// when it has come.
    pub(super) async fn code(&self, user: &User, totp: &Totp) -> Code {
        let now = u64::try_from(Timestamp::now().as_second()).unwrap_or_default();
        let (period, is_used) = self.reserve(user, totp.period_of(now));
        let wait = totp.begin(period).saturating_sub(now);
        tokio::time::sleep(Duration::from_secs(wait)).await;
        let value = totp.code(period);
        self.learn("otp", &value);
        Code { value, is_used }
    }

    /// The period whose code is to be sent, and whether that was done before.
    fn reserve(&self, user: &User, current: u64) -> (u64, bool) {
        let mut state = self.state();
        let codes = state.codes.entry(user.username.clone()).or_default();
        let is_used = codes.last.is_some_and(|last| last >= current);
        let free = codes.last.filter(|_| codes.is_single_use).map_or(0, |last| last + 1);
        let period = current.max(free);
        codes.last = codes.last.max(Some(period));
        (period, is_used && !codes.is_single_use)
    }

    /// A code that had been sent before was refused: the server takes each once.
    pub(super) fn codes_are_single_use(&self, user: &User) {
        self.state().codes.entry(user.username.clone()).or_default().is_single_use = true;
    }
}

fn key(user: &User) -> (String, String) {
    let claims =
        user.claims.iter().map(|claims| serde_json::Value::from(claims.clone()).to_string());
    (user.username.clone(), claims.chain([user.password.expose().to_owned()]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::secret::Secret;

    fn user(password: &str) -> User {
        User::new("alice", Secret::new(password))
    }

    #[test]
    fn credentials_that_never_worked_are_tried_once() {
        let memory = Memory::new(None, true);
        assert!(memory.admit(&user("right")).is_ok());
        memory.refused(&user("wrong"));
        assert_eq!(memory.admit(&user("wrong")).unwrap_err().reason, Reason::Withheld);
        assert!(memory.admit(&user("right")).is_ok(), "another password is another attempt");
    }

    #[test]
    fn credentials_that_worked_survive_one_refusal() {
        let memory = Memory::new(None, true);
        memory.accepted(&user("pw"));
        memory.refused(&user("pw"));
        assert!(memory.admit(&user("pw")).is_ok());
        memory.refused(&user("pw"));
        assert!(memory.admit(&user("pw")).is_err());
    }

    #[test]
    fn the_budget_ends() {
        let memory = Memory::new(Some(1), true);
        assert!(memory.admit(&user("pw")).is_ok());
        assert!(memory.admit(&user("pw")).unwrap_err().detail.contains("budget of 1 sign-ins"));
        assert_eq!(memory.spent(), 1);
    }

    #[cfg(feature = "browser")]
    #[test]
    fn few_failures_of_a_run_are_pictured() {
        let memory = Memory::new(None, true);
        let kept = (0..9).filter(|_| memory.admit_picture()).count();
        assert_eq!(kept, MOST_PICTURES);
    }

    #[test]
    fn a_code_is_sent_again_until_the_server_minds() {
        let (memory, user) = (Memory::new(None, true), user("pw"));
        assert_eq!(memory.reserve(&user, 7), (7, false));
        assert_eq!(memory.reserve(&user, 7), (7, true));
        memory.codes_are_single_use(&user);
        assert_eq!(memory.reserve(&user, 7), (8, false));
        assert_eq!(memory.reserve(&user, 7), (9, false));
        assert_eq!(memory.reserve(&user, 12), (12, false));
    }
}
