//! One duty of the server under test, as the catalogue in `features/requirements/` states it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::verdict::Weight;

/// The obligation of a requirement in the words of RFC 2119.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Level {
    /// A violation fails the run.
    #[serde(rename = "MUST")]
    Must,
    /// A violation fails the run.
    #[serde(rename = "MUST NOT")]
    MustNot,
    /// A violation is a warning.
    #[serde(rename = "SHOULD")]
    Should,
    /// A violation is a warning.
    #[serde(rename = "SHOULD NOT")]
    ShouldNot,
    /// An observation is recorded, nothing more.
    #[serde(rename = "MAY")]
    May,
}

impl Level {
    /// The word as the RFCs print it, for example `MUST NOT`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::MustNot => "MUST NOT",
            Self::Should => "SHOULD",
            Self::ShouldNot => "SHOULD NOT",
            Self::May => "MAY",
        }
    }

    /// The tag that selects the level in a filter: `must`, `should` or `may`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Must | Self::MustNot => "must",
            Self::Should | Self::ShouldNot => "should",
            Self::May => "may",
        }
    }

    /// The heaviest weight that a violation can have.
    fn cap(self) -> Weight {
        match self {
            Self::Must | Self::MustNot => Weight::Failure,
            Self::Should | Self::ShouldNot => Weight::Warning,
            Self::May => Weight::Note,
        }
    }
}

/// What a violation costs the operator, `info` to `critical`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Recorded for completeness.
    Info,
    /// Interoperability or hygiene.
    Low,
    /// Weakens a defence.
    Medium,
    /// Removes a defence.
    High,
    /// Gives an attacker codes, tokens or accounts.
    Critical,
}

impl Severity {
    /// The lower-case word, which is also the filter tag.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Which body of specifications a run holds the target to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// RFCs, BCPs and final OpenID specifications.
    #[default]
    Baseline,
    /// The baseline plus the OAuth 2.1 draft at face value.
    Oauth21,
}

impl Profile {
    /// The name used in options and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Oauth21 => "oauth21",
        }
    }
}

/// What a probe does to the target, mildest first.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Impact {
    /// Reads public documents or looks at an ordinary flow.
    #[default]
    Passive,
    /// Sends requests that deviate and that leave nothing behind.
    Active,
    /// Creates or ends grants, sessions or tokens beyond an ordinary login.
    StateChanging,
    /// Fails logins, for which an account may be locked.
    LockoutRisk,
    /// Sends many requests at once, or large ones.
    Load,
}

/// A ceiling on what a violation may count for in the baseline profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MaxVerdict {
    /// At most a warning.
    Warn,
    /// At most a note.
    Info,
}

/// One duty of the authorization server or of a protected resource.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// `group.duty` in kebab-case, for example `token.code-single-use`. Never reused.
    pub id: String,
    /// How binding the duty is.
    pub level: Level,
    /// What a violation costs.
    pub severity: Severity,
    /// Step of the flow, for example `token` or `authorization-response`.
    pub step: String,
    /// The duty in one sentence.
    pub duty: String,
    /// Where the duty is written, first the governing one: `RFC 6749 §4.1.2`.
    pub sources: Vec<String>,
    /// Address of the governing section.
    #[serde(default)]
    pub url: Option<String>,
    /// When the duty applies: `always` or conditions joined by `and`, `or`.
    pub applies: String,
    /// How the duty is probed on the wire.
    pub probe: String,
    /// Every answer that conforms.
    pub accepts: String,
    /// What an attacker gains from a violation.
    #[serde(default)]
    pub attack: String,
    /// What to change at the server.
    #[serde(default)]
    pub fix: String,
    /// Weaknesses (CWE) that a violation is, the governing one first.
    #[serde(default)]
    pub cwe: Vec<u32>,
    /// What the probe does to the target.
    #[serde(default)]
    pub impact: Impact,
    /// The level rests on the OAuth 2.1 draft alone.
    #[serde(default)]
    pub draft_only: bool,
    /// Ceiling in the baseline profile.
    #[serde(default)]
    pub max_verdict: Option<MaxVerdict>,
    /// Why no scenario judges the duty; absent when one does.
    #[serde(default)]
    pub untested: Option<String>,
}

impl Requirement {
    /// The part of the id before the first dot, for example `pkce`.
    pub fn group(&self) -> &str {
        self.id.split('.').next().unwrap_or(&self.id)
    }

    /// The heaviest weight that a violation can have under `profile`.
    pub fn cap(&self, profile: Profile) -> Weight {
        let level = self.level.cap();
        if profile == Profile::Oauth21 && self.draft_only {
            return level;
        }
        let ceiling = match (self.max_verdict, self.draft_only) {
            (Some(MaxVerdict::Info), _) => Weight::Note,
            (Some(MaxVerdict::Warn), _) | (None, true) => Weight::Warning,
            (None, false) => Weight::Failure,
        };
        level.min(ceiling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(level: Level, draft_only: bool, max_verdict: Option<MaxVerdict>) -> Requirement {
        Requirement {
            id: "token.code-single-use".into(),
            level,
            severity: Severity::High,
            step: "token".into(),
            duty: String::new(),
            sources: vec![],
            url: None,
            applies: "always".into(),
            probe: String::new(),
            accepts: String::new(),
            attack: String::new(),
            fix: String::new(),
            cwe: vec![],
            impact: Impact::Passive,
            draft_only,
            max_verdict,
            untested: None,
        }
    }

    #[test]
    fn the_group_is_the_first_part_of_the_id() {
        assert_eq!(requirement(Level::Must, false, None).group(), "token");
    }

    #[test]
    fn the_level_caps_the_weight() {
        for (level, weight) in [
            (Level::Must, Weight::Failure),
            (Level::MustNot, Weight::Failure),
            (Level::Should, Weight::Warning),
            (Level::ShouldNot, Weight::Warning),
            (Level::May, Weight::Note),
        ] {
            assert_eq!(requirement(level, false, None).cap(Profile::Baseline), weight);
        }
    }

    #[test]
    fn a_draft_duty_has_full_weight_only_under_oauth21() {
        let draft = requirement(Level::Must, true, None);
        assert_eq!(draft.cap(Profile::Baseline), Weight::Warning);
        assert_eq!(draft.cap(Profile::Oauth21), Weight::Failure);
        let capped = requirement(Level::Must, true, Some(MaxVerdict::Info));
        assert_eq!(capped.cap(Profile::Baseline), Weight::Note);
        assert_eq!(capped.cap(Profile::Oauth21), Weight::Failure);
    }

    #[test]
    fn max_verdict_holds_in_both_profiles_when_the_duty_is_no_draft() {
        let capped = requirement(Level::Must, false, Some(MaxVerdict::Warn));
        assert_eq!(capped.cap(Profile::Baseline), Weight::Warning);
        assert_eq!(capped.cap(Profile::Oauth21), Weight::Warning);
    }
}
