//! Options that say what a run may do to the target.

use clap::Args;
use toml::Value;

use crate::target::layers::{Layers, Origin};
use crate::target::path::Path;
use crate::target::profile::Target;

/// What a run may do to the target; laid over environment and profile like all options.
#[derive(Args, Clone, Debug, Default)]
pub struct SafetyOptions {
    /// What the target is to others: development, staging or production. Default: development on
    /// loopback, else staging.
    #[arg(long, value_name = "NAME", help_heading = "Safety")]
    pub environment: Option<String>,
    /// Impact classes to run although others may depend on the target: lockout-risk, load.
    #[arg(long, value_name = "CLASSES", value_delimiter = ',', help_heading = "Safety")]
    pub allow: Vec<String>,
    /// Impact classes beside passive to run in production; the report says so.
    #[arg(long, value_name = "CLASSES", value_delimiter = ',', help_heading = "Safety")]
    pub accept_impact_on_production: Vec<String>,
    /// Most requests of the run.
    #[arg(long, value_name = "NUMBER", help_heading = "Safety")]
    pub request_budget: Option<u32>,
    /// Most sign-ins of the run.
    #[arg(long, value_name = "NUMBER", help_heading = "Safety")]
    pub login_budget: Option<u32>,
    /// Least interval between the starts of two requests, in milliseconds.
    #[arg(long, value_name = "MILLISECONDS", help_heading = "Safety")]
    pub pace_ms: Option<u32>,
    /// Do not name run and requirement to the target (traceparent, User-Agent).
    #[arg(long, help_heading = "Safety")]
    pub no_trace_headers: bool,
    /// Revoke at the end what the run was issued.
    #[arg(long, conflicts_with = "no_cleanup", help_heading = "Safety")]
    pub cleanup: bool,
    /// Leave what the run was issued to expire by itself.
    #[arg(long, help_heading = "Safety")]
    pub no_cleanup: bool,
}

impl SafetyOptions {
    /// The first option that is given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let given = [
            ("--environment", self.environment.is_some()),
            ("--allow", !self.allow.is_empty()),
            ("--accept-impact-on-production", !self.accept_impact_on_production.is_empty()),
            ("--request-budget", self.request_budget.is_some()),
            ("--login-budget", self.login_budget.is_some()),
            ("--pace-ms", self.pace_ms.is_some()),
            ("--no-trace-headers", self.no_trace_headers),
            ("--cleanup", self.cleanup),
            ("--no-cleanup", self.no_cleanup),
        ];
        given.into_iter().find(|(_, is_given)| *is_given).map(|(option, _)| option)
    }

    /// Lays the options over the profile. The error names the option.
    pub(super) fn overlay(&self, layers: &mut Layers) -> Result<(), String> {
        let number = |number: Option<u32>| number.map(|n| Value::Integer(n.into()));
        let words = |words: &[String]| {
            let words: Vec<Value> = words.iter().cloned().map(Value::String).collect();
            (!words.is_empty()).then_some(Value::Array(words))
        };
        let values = [
            ("environment", "--environment", self.environment.clone().map(Value::String)),
            ("allow", "--allow", words(&self.allow)),
            ("request_budget", "--request-budget", number(self.request_budget)),
            ("login.budget", "--login-budget", number(self.login_budget)),
            ("pace_ms", "--pace-ms", number(self.pace_ms)),
            ("trace_headers", "--no-trace-headers", self.no_trace_headers.then_some(false.into())),
            ("cleanup", "--cleanup", self.cleanup.then_some(true.into())),
            ("cleanup", "--no-cleanup", self.no_cleanup.then_some(false.into())),
        ];
        for (path, option, value) in values {
            if let Some(value) = value {
                layers.set(&Path::parse(path), value, Origin::Option(option))?;
            }
        }
        Ok(())
    }

    /// What no profile may say.
    pub(super) fn accept(&self, target: &mut Target) -> Result<(), String> {
        let accepted = target.safety.accept(&self.accept_impact_on_production);
        accepted.map_err(|why| format!("option --accept-impact-on-production: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::TargetOptions;
    use super::*;
    use crate::model::requirement::Impact;
    use crate::target::layers::Environment as Variables;
    use crate::target::safety::Environment;

    fn target(safety: SafetyOptions, variables: &Variables) -> Result<Target, String> {
        let options = TargetOptions {
            issuer: Some("https://as.test".into()),
            client_id: Some("web".into()),
            redirect_uris: vec!["https://app.test/cb".into()],
            safety,
            ..TargetOptions::default()
        };
        options.resolve(variables).map(Option::unwrap)
    }

    #[test]
    fn options_go_before_the_environment() {
        let variables: Variables = [
            ("AUTHSPEC_ALLOW", "load lockout-risk"),
            ("AUTHSPEC_REQUEST_BUDGET", "300"),
            ("AUTHSPEC_TRACE_HEADERS", "false"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let by_environment = target(SafetyOptions::default(), &variables).unwrap().safety;
        assert_eq!(by_environment.allow, [Impact::Load, Impact::LockoutRisk]);
        assert_eq!(by_environment.request_budget, Some(300));
        assert!(!by_environment.trace_headers && by_environment.cleanup);
        let options = SafetyOptions {
            allow: vec!["load".into()],
            request_budget: Some(400),
            login_budget: Some(7),
            pace_ms: Some(5),
            no_cleanup: true,
            ..SafetyOptions::default()
        };
        let target = target(options, &variables).unwrap();
        assert_eq!(
            (&target.safety.allow[..], target.safety.request_budget),
            (&[Impact::Load][..], Some(400))
        );
        assert_eq!((target.login.budget, target.pace.as_millis()), (Some(7), 5));
        assert!(!target.safety.cleanup);
    }

    #[test]
    fn mistakes_name_the_option() {
        let fault = |options| target(options, &Variables::new()).unwrap_err();
        let unknown = SafetyOptions { allow: vec!["loads".into()], ..SafetyOptions::default() };
        let why = fault(unknown);
        assert!(why.starts_with("option --allow") && why.contains("lockout-risk"), "{why}");
        let small = SafetyOptions { request_budget: Some(3), ..SafetyOptions::default() };
        assert!(fault(small).starts_with("option --request-budget: request_budget must be"));
        let accepts = vec!["active".to_owned()];
        let staging = SafetyOptions {
            accept_impact_on_production: accepts.clone(),
            ..SafetyOptions::default()
        };
        assert!(fault(staging).contains("not in production"));
        let production = SafetyOptions {
            environment: Some("production".into()),
            accept_impact_on_production: accepts,
            ..SafetyOptions::default()
        };
        let safety = target(production, &Variables::new()).unwrap().safety;
        assert_eq!(
            (safety.environment, &safety.accepted[..]),
            (Environment::Production, &[Impact::Active][..])
        );
    }
}
