//! One duty of the server under test, as the catalogue in `features/requirements/` states it.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

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

/// What the probe of a requirement does to the target, from harmless to heavy.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Impact {
    /// Nothing that a conforming client does not send: public documents, ordinary flows.
    Passive,
    /// Deviating requests that leave nothing behind at a conforming server.
    Active,
    /// Creates or ends grants, sessions, tokens or data beyond those of an ordinary login.
    StateChanging,
    /// Failed sign-ins, which may lock the account.
    LockoutRisk,
    /// Bursts, many logins in a row, or oversized input.
    Load,
}

impl Impact {
    /// Every class, the harmless one first.
    pub const ALL: [Self; 5] =
        [Self::Passive, Self::Active, Self::StateChanging, Self::LockoutRisk, Self::Load];

    /// The word of the catalogue, which is also the filter tag: `passive`, `state-changing`, ..
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passive => "passive",
            Self::Active => "active",
            Self::StateChanging => "state-changing",
            Self::LockoutRisk => "lockout-risk",
            Self::Load => "load",
        }
    }

    /// The class of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|impact| impact.as_str() == word)
    }

    /// What the class means, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Passive => "sends nothing that a conforming client does not send",
            Self::Active => "sends deviating requests that leave nothing behind",
            Self::StateChanging => "creates or ends grants, sessions, tokens or data",
            Self::LockoutRisk => "fails to sign in, which may lock the account",
            Self::Load => "sends bursts, many logins in a row, or oversized input",
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
    /// The level rests on the OAuth 2.1 draft alone.
    #[serde(default)]
    pub draft_only: bool,
    /// Ceiling in the baseline profile.
    #[serde(default)]
    pub max_verdict: Option<MaxVerdict>,
    /// What an attacker, or an outage, gains from a violation.
    pub attack: String,
    /// What the operator or the developer changes at the server.
    pub fix: String,
    /// Weaknesses of the CWE list that fit, first the governing one; none where nothing fits.
    #[serde(default, deserialize_with = "one_or_many")]
    pub cwe: Vec<u32>,
    /// What the probe does to the target. A scenario that does more has that class as a tag.
    pub impact: Impact,
    /// Why no scenario judges the duty; absent when one does.
    #[serde(default)]
    pub untested: Option<String>,
}

/// A number, or an array of them.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a CWE number or an array of them")]
    enum Numbers {
        One(u32),
        Many(Vec<u32>),
    }
    Ok(match Numbers::deserialize(deserializer)? {
        Numbers::One(number) => vec![number],
        Numbers::Many(numbers) => numbers,
    })
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
            draft_only,
            max_verdict,
            attack: String::new(),
            fix: String::new(),
            cwe: vec![],
            impact: Impact::Passive,
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
