//! The report: the only form of a run that is ever written down, redacted on entry.

mod clean;
mod exchange;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::exchange::{ExchangeReport, Party, Route};
use super::redact::Redactor;
use super::requirement::{Impact, Level, Profile, Severity};
use super::verdict::{Deviation, Obstacle, Status, StepOutcome, Weight};

/// Version of the report's shape; raised when a reader of the old one would misread the new one.
pub const REPORT_VERSION: u32 = 2;

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Shape of this document, [`REPORT_VERSION`].
    pub version: u32,
    /// Start of the run and host of the target, fit for a folder name:
    /// `20261123T130501123Z-as.example.test`.
    pub run: String,
    /// Name and version of the tool.
    pub tool: String,
    /// What was audited.
    pub target: TargetSummary,
    /// Start of the run, RFC 3339 in UTC.
    pub started: String,
    /// Length of the run in milliseconds.
    pub duration_ms: u64,
    /// Requests sent.
    pub requests: u64,
    /// The specifications the target was held to.
    pub profile: Profile,
    /// The filter that narrowed the run, where one did.
    pub filter: Option<String>,
    /// Which part of a run this is, where it is one.
    pub part: Option<Part>,
    /// Somebody ended the run before its end.
    pub interrupted: bool,
    /// The verdict on the run and the rule it follows from.
    pub gate: Gate,
    /// Requirements by status.
    pub counts: BTreeMap<Status, usize>,
    /// What was found out about the target before the first scenario.
    pub facts: Vec<String>,
    /// The trace id that every request carried (W3C Trace Context), 32 hexadecimal digits; its first
    /// eight stand in the User-Agent.
    pub trace_id: Option<String>,
    /// What was or was not done for the sake of the target, a line each.
    pub safety: Vec<String>,
    /// What became of what the run was issued, where somebody else depends on the target.
    pub cleanup: Option<Cleanup>,
    /// What the target publishes about itself, as it was fetched.
    pub snapshots: Vec<Snapshot>,
    /// Exchanges before the first scenario, those of the shared working twins, and the first attempts
    /// of scenarios that were repeated.
    pub preflight: Vec<ExchangeReport>,
    /// One entry a requirement, in the order of the features, untested ones last.
    pub requirements: Vec<RequirementReport>,
}

impl Report {
    /// A report as it was written.
    ///
    /// The error says what is wrong with the text, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let fault = |e: serde_json::Error| format!("no report of a run: {e}");
        let found = serde_json::from_str::<Versioned>(text).map_err(fault)?.version;
        if found != REPORT_VERSION {
            return Err(format!(
                "a report of version {found}; this authspec reads version {REPORT_VERSION}"
            ));
        }
        serde_json::from_str(text).map_err(fault)
    }

    /// Ids of the requirements with that status, in the order of the report.
    pub fn with_status(&self, status: Status) -> Vec<&str> {
        self.requirements.iter().filter(|r| r.status == status).map(|r| r.id.as_str()).collect()
    }

    /// Ids of the requirements with a deviation of any weight.
    pub fn deviating(&self) -> BTreeSet<&str> {
        let deviates =
            |r: &&RequirementReport| r.scenarios.iter().any(|s| !s.deviations.is_empty());
        self.requirements.iter().filter(deviates).map(|r| r.id.as_str()).collect()
    }
}

/// What was audited, without any secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetSummary {
    /// Issuer identifier.
    pub issuer: String,
    /// Client identifiers used.
    pub clients: Vec<String>,
    /// Where the profile names the target, if a file does.
    pub stanza: Option<Place>,
}

/// What became of what the run was issued.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cleanup {
    /// Grants that the run was issued, refreshes aside.
    pub issued: usize,
    /// Grants that the revocation endpoint took back at the end, or knew to be over.
    pub revoked: usize,
    /// Grants that are left with a refresh token.
    pub grants_left: usize,
    /// Grants that are left until their access token expires.
    pub access_tokens_left: usize,
    /// Sessions of test users that the end_session_endpoint ended at the end.
    #[serde(default)]
    pub sessions_ended: usize,
    /// Sessions of test users that nobody ended, at most.
    pub sessions_left: usize,
    /// Why not everything was revoked.
    pub obstacle: Option<String>,
    /// Why not every session was ended.
    #[serde(default)]
    pub sessions_obstacle: Option<String>,
}

impl Cleanup {
    /// The same without the secrets that a reason may quote.
    #[must_use]
    pub fn redacted(self, redactor: &Redactor) -> Self {
        let clean = |why: Option<String>| why.map(|why| redactor.redact(&why));
        Self {
            obstacle: clean(self.obstacle),
            sessions_obstacle: clean(self.sessions_obstacle),
            ..self
        }
    }
}

/// One part of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Which one, from 1.
    pub index: usize,
    /// Of how many.
    pub of: usize,
    /// Digest of what all parts of the run have in common: SHA-256 in hexadecimal.
    pub plan: String,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Path as it was given.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
}

/// A public document of the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// `openid-configuration`, `oauth-authorization-server` or `jwks`.
    pub name: String,
    /// Where it was fetched.
    pub url: String,
    /// SHA-256 of the octets that arrived, in hexadecimal.
    pub sha256: String,
    /// Its text.
    pub content: String,
}

/// The verdict on the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Nothing stops the release.
    pub passed: bool,
    /// The exit code that says so: 0, 1, 4 or 5.
    pub exit_code: u8,
    /// The rule, in words.
    pub rule: String,
    /// Why it did not pass.
    pub reasons: Vec<String>,
    /// What is worth a look and stops nothing, for example a waiver that ends soon.
    pub remarks: Vec<String>,
}

/// One requirement with its scenarios.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequirementReport {
    /// Requirement id.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// What a violation costs.
    pub severity: Severity,
    /// What the probe does to the target.
    pub impact: Impact,
    /// Step of the flow.
    pub step: String,
    /// The duty in one sentence.
    pub duty: String,
    /// Where it is written.
    pub sources: Vec<String>,
    /// Address of the governing section.
    pub url: Option<String>,
    /// When the duty applies.
    pub applies: String,
    /// How it is probed.
    pub probe: String,
    /// Every answer that conforms.
    pub accepts: String,
    /// What an attacker gains from a violation.
    pub attack: String,
    /// What to change at the server.
    pub fix: String,
    /// Weaknesses (CWE) that a violation is, the governing one first.
    pub cwe: Vec<u32>,
    /// The worst status of its scenarios.
    pub status: Status,
    /// Why there is no verdict, where there is none.
    pub reason: Option<String>,
    /// Who took the finding on, where somebody did.
    pub waiver: Option<Waiver>,
    /// What was run.
    pub scenarios: Vec<ScenarioReport>,
}

/// Somebody answers for a known finding until a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// Who answers for it.
    pub owner: String,
    /// Why it is taken on.
    pub reason: String,
    /// Where it is followed up.
    pub ticket: Option<String>,
    /// The last day on which it holds, `2027-01-31`.
    pub expires: String,
}

/// One scenario with its evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioReport {
    /// Feature file, relative to the repository.
    pub feature: String,
    /// Line of the scenario, or of its row in an Examples table.
    pub line: usize,
    /// Name of the scenario.
    pub name: String,
    /// Its status.
    pub status: Status,
    /// Why it is inconclusive, not applicable or an error.
    pub reason: Option<String>,
    /// What could not be judged, and what to change.
    pub obstacle: Option<Obstacle>,
    /// What deviates.
    pub deviations: Vec<DeviationReport>,
    /// What was observed beside the verdict, for example how a race went.
    pub observations: Vec<String>,
    /// Microseconds from the start of the run to that of the scenario.
    pub at_us: u64,
    /// Length in microseconds.
    pub elapsed_us: u64,
    /// Its steps, those of the backgrounds first.
    pub steps: Vec<StepReport>,
    /// The wire, redacted.
    pub exchanges: Vec<ExchangeReport>,
}

/// One step of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepReport {
    /// `Given`, `When`, `Then`, `And`, `But` or `*`.
    pub keyword: String,
    /// Its text.
    pub text: String,
    /// Its line in the feature.
    pub line: usize,
    /// How it went.
    pub outcome: StepOutcome,
    /// Length in microseconds.
    pub elapsed_us: u64,
    /// Exchanges of the scenario at the end of the step.
    pub exchanges: usize,
}

/// One deviation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviationReport {
    /// What every conforming server does.
    pub expected: String,
    /// What this one did.
    pub actual: String,
    /// What it counts under level and profile: `note`, `warning` or `failure`.
    pub weight: Weight,
    /// Number of the exchange that shows it.
    pub exchange: Option<usize>,
}

impl DeviationReport {
    /// The deviation as `cap` and `profile` weigh it, redacted.
    pub fn new(deviation: &Deviation, cap: Weight, profile: Profile, redactor: &Redactor) -> Self {
        Self {
            expected: redactor.redact(&deviation.expected),
            actual: redactor.redact(&deviation.actual),
            weight: deviation.weight.effective(cap, profile),
            exchange: deviation.exchange,
        }
    }
}

/// The JSON Schema of a report.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Report).to_value()
}

#[cfg(test)]
pub(crate) mod samples {
    //! Hand-made parts of a report for the tests of its readers.
    use super::*;

    /// A requirement without scenarios.
    pub(crate) fn requirement(id: &str, status: Status) -> RequirementReport {
        RequirementReport {
            id: id.to_owned(),
            level: Level::Must,
            severity: Severity::High,
            impact: Impact::Active,
            step: "token".into(),
            duty: "A code buys tokens only once.".into(),
            sources: vec!["RFC 6749 §4.1.2".into()],
            url: None,
            applies: "always".into(),
            probe: "Repeat the request.".into(),
            accepts: "A refusal.".into(),
            attack: "A code that leaked is worth tokens.".into(),
            fix: "Mark a code as used.".into(),
            cwe: vec![294],
            status,
            reason: None,
            waiver: None,
            scenarios: vec![],
        }
    }

    /// A scenario without exchanges.
    pub(crate) fn scenario(name: &str, status: Status) -> ScenarioReport {
        ScenarioReport {
            feature: "features/token_request.feature".into(),
            line: 1,
            name: name.to_owned(),
            status,
            reason: None,
            obstacle: None,
            deviations: vec![],
            observations: vec![],
            at_us: 0,
            elapsed_us: 1,
            steps: vec![],
            exchanges: vec![],
        }
    }
}
