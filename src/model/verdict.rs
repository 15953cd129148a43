//! From what a scenario recorded to its verdict.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exchange::Exchange;
use super::requirement::Profile;

/// How much a deviation counts before level and profile of its requirement cap it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Recorded, nothing more.
    Note,
    /// A warning.
    Warning,
    /// A failure under the `oauth21` profile, a warning under `baseline`.
    Draft,
    /// A failure.
    Failure,
}

impl Weight {
    /// The weight under `profile`, at most `cap`.
    pub fn effective(self, cap: Weight, profile: Profile) -> Weight {
        let own = match (self, profile) {
            (Self::Draft, Profile::Baseline) => Self::Warning,
            (Self::Draft, Profile::Oauth21) => Self::Failure,
            (weight, _) => weight,
        };
        own.min(cap)
    }
}

/// The target did what the requirement forbids, or left out what it demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// What every conforming server does.
    pub expected: String,
    /// What this one did.
    pub actual: String,
    /// How much it counts.
    pub weight: Weight,
    /// Number of the exchange that shows it.
    pub exchange: Option<usize>,
}

impl Deviation {
    /// A deviation with full weight.
    pub fn new(expected: impl Into<String>, actual: impl Into<String>) -> Self {
        Self {
            expected: expected.into(),
            actual: actual.into(),
            weight: Weight::Failure,
            exchange: None,
        }
    }

    /// The same deviation with another weight.
    #[must_use]
    pub fn weighing(mut self, weight: Weight) -> Self {
        self.weight = weight;
        self
    }

    /// The same deviation, shown by `exchange`.
    #[must_use]
    pub fn seen_in(mut self, exchange: &Exchange) -> Self {
        self.exchange = Some(exchange.number);
        self
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}; got {}", self.expected, self.actual)
    }
}

/// Why a scenario could not get far enough to judge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Obstacle {
    /// What was tried.
    pub tried: String,
    /// What came back instead.
    pub came_back: String,
    /// What to change.
    pub remedy: String,
    /// The login that is configured cannot do what the scenario asks: no fault of anybody's.
    #[serde(skip)]
    pub is_beyond_the_login: bool,
}

impl Obstacle {
    /// An obstacle in three fragments: what was tried, what came back, what to change.
    pub fn new(
        tried: impl Into<String>,
        came_back: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            tried: tried.into(),
            came_back: came_back.into(),
            remedy: remedy.into(),
            is_beyond_the_login: false,
        }
    }

    /// The same as what the login that is configured cannot do.
    #[must_use]
    pub fn beyond_the_login(self) -> Self {
        Self { is_beyond_the_login: true, ..self }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tried {}; got {}; {}", self.tried, self.came_back, self.remedy)
    }
}

/// Everything a scenario recorded.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Every exchange of the scenario, in order.
    pub exchanges: Vec<Arc<Exchange>>,
    /// How many expectations were checked, met or not.
    pub judgements: usize,
    /// Expectations that were not met; several of full weight only where a table was judged.
    pub deviations: Vec<Deviation>,
    /// What is worth knowing whatever the verdict, for example how a race went.
    pub observations: Vec<String>,
    /// What kept the scenario from judging.
    pub obstacle: Option<Obstacle>,
    /// A condition, revealed by the probe itself, under which the duty does not apply.
    pub not_applicable: Option<String>,
    /// Answers since the preflight were judged, so the flow of this client (by index) must still
    /// work at the end.
    pub rests_on_flow_of: Option<usize>,
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// It ran and met what it expects.
    Passed,
    /// It met something else than it expects.
    Deviated,
    /// It ended the scenario without a deviation of its own.
    Stopped,
    /// The scenario had ended before.
    NotRun,
}

/// How the runner left the scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All steps ran.
    Completed,
    /// A step stopped the scenario; the text is the runner's.
    Stopped(String),
    /// A step has no definition.
    Undefined(String),
}

/// The outcome of one scenario. Deviations stay in the ledger beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The probe itself showed that the duty does not apply.
    NotApplicable(String),
    /// Judged; deviations, if any, weigh less than a failure.
    Pass,
    /// Could not judge.
    Inconclusive(Obstacle),
    /// A deviation of full weight.
    Fail,
    /// Our own fault.
    Error(String),
}

/// The verdict that follows from what was recorded and how the scenario ended.
pub fn conclude(ledger: &Ledger, ending: Ending) -> Verdict {
    if let Ending::Undefined(step) = ending {
        return Verdict::Error(format!("no definition for the step: {step}"));
    }
    // What rests on a request that was never made is no verdict, whatever the judges say of it.
    if let Some(obstacle) = ledger.exchanges.iter().find_map(|e| withheld(e)) {
        return Verdict::Inconclusive(obstacle);
    }
    if ledger.deviations.iter().any(|d| d.weight >= Weight::Draft) {
        return Verdict::Fail;
    }
    if let Some(obstacle) = &ledger.obstacle {
        return Verdict::Inconclusive(obstacle.clone());
    }
    if let Some(reason) = &ledger.not_applicable {
        return Verdict::NotApplicable(reason.clone());
    }
    match ending {
        Ending::Stopped(text) => {
            Verdict::Error(format!("the scenario stopped without a record: {text}"))
        }
        _ if ledger.judgements == 0 => {
            Verdict::Error("the scenario ended without a judgement".into())
        }
        _ => Verdict::Pass,
    }
}

/// The obstacle of a request that was not sent for the sake of the target.
pub fn withheld(exchange: &Exchange) -> Option<Obstacle> {
    let remedy = exchange.withheld?.remedy();
    let url = exchange.request.url.split(['?', '#']).next().unwrap_or_default();
    let why = exchange.outcome.as_ref().err().cloned().unwrap_or_default();
    Some(Obstacle::new(format!("{} {url}", exchange.request.method), why, remedy))
}

/// The status of a scenario or requirement after level and profile are applied, best first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// No scenario judges the duty, or none was meant to in this run; the report says why.
    Untested,
    /// The condition of the duty does not hold for this target.
    NotApplicable,
    /// Conforms.
    Pass,
    /// Conforms; something worth knowing was recorded.
    Note,
    /// Deviates from a SHOULD, or in a way that counts as a warning only.
    Warn,
    /// Violates the duty, and somebody answers for it until a day.
    Waived,
    /// Could not be judged.
    Inconclusive,
    /// Violates the duty.
    Fail,
    /// The harness is at fault.
    Error,
}

impl Status {
    /// All statuses, best first.
    pub const ALL: [Self; 9] = [
        Self::Untested,
        Self::NotApplicable,
        Self::Pass,
        Self::Note,
        Self::Warn,
        Self::Waived,
        Self::Inconclusive,
        Self::Fail,
        Self::Error,
    ];

    /// The word printed in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Untested => "untested",
            Self::NotApplicable => "not applicable",
            Self::Pass => "pass",
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Waived => "waived",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }

    /// The status of one scenario.
    pub fn of(verdict: &Verdict, deviations: &[Deviation], cap: Weight, profile: Profile) -> Self {
        let heaviest = deviations.iter().map(|d| d.weight.effective(cap, profile)).max();
        match (verdict, heaviest) {
            (Verdict::Error(_), _) => Self::Error,
            (_, Some(Weight::Failure | Weight::Draft)) => Self::Fail,
            (Verdict::Inconclusive(_), _) => Self::Inconclusive,
            (_, Some(Weight::Warning)) => Self::Warn,
            (_, Some(Weight::Note)) => Self::Note,
            (Verdict::NotApplicable(_), None) => Self::NotApplicable,
            (Verdict::Pass, None) => Self::Pass,
            (Verdict::Fail, None) => Self::Error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn obstacle() -> Obstacle {
        Obstacle::new("a request", "nothing", "start the server")
    }

    #[test]
    fn nothing_judged_is_never_a_pass() {
        assert!(matches!(conclude(&Ledger::default(), Ending::Completed), Verdict::Error(_)));
    }

    #[test]
    fn a_judgement_without_deviation_passes() {
        let ledger = Ledger { judgements: 1, ..Ledger::default() };
        assert_eq!(conclude(&ledger, Ending::Completed), Verdict::Pass);
    }

    #[test]
    fn an_undefined_step_is_our_error_whatever_was_judged() {
        let ledger = Ledger { judgements: 3, ..Ledger::default() };
        assert!(matches!(conclude(&ledger, Ending::Undefined("x".into())), Verdict::Error(_)));
    }

    #[test]
    fn a_stop_without_a_record_is_our_error() {
        let ledger = Ledger { judgements: 3, ..Ledger::default() };
        assert!(matches!(conclude(&ledger, Ending::Stopped("index".into())), Verdict::Error(_)));
    }

    #[test]
    fn a_failure_outweighs_an_obstacle_and_a_warning_does_not() {
        let mut ledger = Ledger { judgements: 1, obstacle: Some(obstacle()), ..Ledger::default() };
        ledger.deviations.push(Deviation::new("a", "b").weighing(Weight::Warning));
        assert_eq!(
            conclude(&ledger, Ending::Stopped(String::new())),
            Verdict::Inconclusive(obstacle())
        );
        ledger.deviations.push(Deviation::new("a", "b"));
        assert_eq!(conclude(&ledger, Ending::Stopped(String::new())), Verdict::Fail);
    }

    #[test]
    fn what_rests_on_a_request_that_was_not_sent_is_inconclusive() {
        let sent = crate::model::exchange::samples::answered(200, &[], "");
        let unsent = Exchange {
            outcome: Err("nothing was sent".into()),
            withheld: Some(crate::model::exchange::Withheld::BudgetSpent),
            ..sent.clone()
        };
        let exchanges = vec![Arc::new(sent), Arc::new(unsent)];
        let mut ledger = Ledger { judgements: 1, exchanges, ..Ledger::default() };
        let is_inconclusive = |ledger: &Ledger| {
            matches!(
                conclude(ledger, Ending::Completed),
                Verdict::Inconclusive(o) if o.remedy.contains("request_budget")
            )
        };
        assert!(is_inconclusive(&ledger));
        ledger.deviations.push(Deviation::new("a", "b"));
        assert!(is_inconclusive(&ledger));
    }

    #[test]
    fn the_cap_turns_a_failure_into_a_warning_or_a_note() {
        let full = [Deviation::new("a", "b")];
        for (cap, status) in [
            (Weight::Failure, Status::Fail),
            (Weight::Warning, Status::Warn),
            (Weight::Note, Status::Note),
        ] {
            assert_eq!(Status::of(&Verdict::Fail, &full, cap, Profile::Baseline), status);
        }
    }

    #[test]
    fn a_draft_deviation_fails_only_under_oauth21() {
        let draft = [Deviation::new("a", "b").weighing(Weight::Draft)];
        assert_eq!(
            Status::of(&Verdict::Fail, &draft, Weight::Failure, Profile::Baseline),
            Status::Warn
        );
        assert_eq!(
            Status::of(&Verdict::Fail, &draft, Weight::Failure, Profile::Oauth21),
            Status::Fail
        );
    }

    #[test]
    fn the_worst_scenario_decides() {
        assert!(Status::Fail > Status::Inconclusive);
        assert!(Status::Inconclusive > Status::Warn);
        assert!(Status::Pass > Status::NotApplicable);
    }
}
