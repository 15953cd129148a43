//! What a run may do to the target.

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use crate::model::address::is_loopback;
use crate::model::requirement::Impact;

/// Requests of one run at a target on which others may depend.
const REQUEST_BUDGET: u64 = 5_000;

/// The least budget that leaves room for the preflight and the end of a run.
const LEAST_BUDGET: u64 = 100;

/// What the target is to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// Nobody depends on it: every check runs, as fast as it can.
    Development,
    /// Others may depend on it: no check that may lock accounts or that puts load on it.
    Staging,
    /// Others do depend on it: nothing but what conforming clients send.
    Production,
}

impl Environment {
    /// What a target is taken for whose profile does not say it: a development server where the host
    /// of its issuer is this machine by name. A name that only resolves to it may be a tunnel.
    pub fn of(issuer: &str) -> Self {
        let url = Url::parse(issuer).ok();
        match url.as_ref().and_then(Url::host_str).is_some_and(is_loopback) {
            true => Self::Development,
            false => Self::Staging,
        }
    }

    /// The word in a profile.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }

    /// Others may depend on the target.
    pub fn is_shared(self) -> bool {
        self != Self::Development
    }
}

/// What a run may do to the target, and what it does for its operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Safety {
    /// What the target is to others.
    pub environment: Environment,
    /// Classes that are left out by default and run all the same; production aside.
    pub allow: Vec<Impact>,
    /// Classes that run in production, as asked on the command line.
    pub accepted: Vec<Impact>,
    /// Most requests of a run.
    pub request_budget: Option<u64>,
    /// Requests name run and requirement to the target.
    pub trace_headers: bool,
    /// What the run was issued is revoked at its end.
    pub cleanup: bool,
}

impl Safety {
    /// The defaults for such a target.
    pub fn of(environment: Environment) -> Self {
        Self {
            environment,
            allow: vec![],
            accepted: vec![],
            request_budget: environment.is_shared().then_some(REQUEST_BUDGET),
            trace_headers: true,
            cleanup: environment.is_shared(),
        }
    }

    /// Whether checks of that class run; the error says why not and which option includes them.
    pub fn permits(&self, impact: Impact) -> Result<(), String> {
        let class = impact.as_str();
        let (is_permitted, option) = match self.environment {
            Environment::Development => (true, ""),
            Environment::Staging => {
                (impact <= Impact::StateChanging || self.allow.contains(&impact), "--allow")
            }
            Environment::Production => (
                impact == Impact::Passive || self.accepted.contains(&impact),
                "--accept-impact-on-production",
            ),
        };
        if is_permitted {
            return Ok(());
        }
        let where_it_is = match self.environment {
            Environment::Production => "in production",
            _ => "at a target on which others may depend",
        };
        let what = consequence(impact);
        Err(format!(
            "left out for safety: its impact class is {class}, {what}, {where_it_is}; {option} {class} includes it"
        ))
    }

    /// Lets checks of these classes, by name, run in production.
    ///
    /// The error says which name is none, or that the target is not in production.
    pub fn accept(&mut self, classes: &[String]) -> Result<(), String> {
        for class in classes {
            let impact = Impact::named(class);
            let known = || Impact::ALL.map(Impact::as_str).join(", ");
            self.accepted.push(
                impact
                    .ok_or_else(|| format!("{class} is no impact class; there are {}", known()))?,
            );
        }
        if !classes.is_empty() && self.environment != Environment::Production {
            let is = self.environment.as_str();
            return Err(format!(
                "the target is in {is}, not in production; --allow is the option there"
            ));
        }
        Ok(())
    }

    /// Checks values that types cannot express; names the key at fault.
    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        match self.request_budget {
            Some(budget) if budget < LEAST_BUDGET => {
                Err(("request_budget", format!("request_budget must be at least {LEAST_BUDGET}")))
            }
            _ => Ok(()),
        }
    }
}

/// What checks of that class may do to a target.
pub fn consequence(impact: Impact) -> &'static str {
    match impact {
        Impact::Passive => "what conforming clients send",
        Impact::Active => "requests that conforming clients do not send",
        Impact::StateChanging => "it creates or ends grants, sessions or tokens",
        Impact::LockoutRisk => "failed sign-ins that may lock the account",
        Impact::Load => "bursts, many logins in a row or oversized input",
    }
}

#[cfg(test)]
mod tests {
    use super::Environment::{Development, Production, Staging};
    use super::*;

    fn permitted(safety: &Safety) -> Vec<Impact> {
        Impact::ALL.into_iter().filter(|impact| safety.permits(*impact).is_ok()).collect()
    }

    #[test]
    fn the_name_of_the_host_decides() {
        for issuer in [
            "http://127.0.0.1:8080",
            "https://localhost/realms/a",
            "http://[::1]:1/x",
            "http://127.9.9.9",
        ] {
            assert_eq!(Environment::of(issuer), Development, "{issuer}");
        }
        for issuer in [
            "https://login.example.com",
            "https://localhost.example.com",
            "https://10.0.0.1",
            "https://as.localhost.test",
            "http://127.0.0.1.nip.io",
            "no url",
        ] {
            assert_eq!(Environment::of(issuer), Staging, "{issuer}");
        }
    }

    #[test]
    fn each_environment_has_its_classes() {
        assert_eq!(permitted(&Safety::of(Development)), Impact::ALL);
        assert_eq!(permitted(&Safety::of(Staging)), Impact::ALL[..3]);
        assert_eq!(permitted(&Safety::of(Production)), [Impact::Passive]);
    }

    #[test]
    fn what_is_left_out_names_the_option_that_includes_it() {
        let mut safety = Safety::of(Staging);
        let why = safety.permits(Impact::Load).unwrap_err();
        assert!(why.ends_with("--allow load includes it"), "{why}");
        safety.allow.push(Impact::Load);
        assert!(
            safety.permits(Impact::Load).is_ok() && safety.permits(Impact::LockoutRisk).is_err()
        );
    }

    #[test]
    fn production_needs_a_flag_of_its_own() {
        let mut safety = Safety { allow: Impact::ALL.to_vec(), ..Safety::of(Production) };
        assert_eq!(permitted(&safety), [Impact::Passive]);
        let why = safety.permits(Impact::Active).unwrap_err();
        assert!(why.ends_with("--accept-impact-on-production active includes it"), "{why}");
        safety.accept(&["active".into()]).unwrap();
        assert_eq!(permitted(&safety), [Impact::Passive, Impact::Active]);
        assert!(safety.accept(&["everything".into()]).unwrap_err().contains("state-changing"));
        let staging = Safety::of(Staging).accept(&["active".into()]);
        assert!(staging.unwrap_err().contains("not in production"));
    }

    #[test]
    fn only_shared_targets_have_a_budget_by_default() {
        assert_eq!(Safety::of(Development).request_budget, None);
        let safety = Safety { request_budget: Some(99), ..Safety::of(Staging) };
        assert_eq!(safety.check().unwrap_err().0, "request_budget");
        assert!(Safety::of(Production).check().is_ok());
    }
}
