//! Everything there is to say about one requirement, for a reader who meets it for the first time.

use serde::Serialize;

use super::hint::Hint;
use super::report::ExchangeReport;
use super::requirement::{Impact, Level, Severity};

/// A requirement with its scenarios, its proof and an example from the reference server.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// Requirement id.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// What a violation costs.
    pub severity: Severity,
    /// What the probe does to the target.
    pub impact: Impact,
    /// Weaknesses of the CWE list, first the governing one.
    pub cwe: Vec<u32>,
    /// Step of the flow.
    pub step: String,
    /// The duty in one sentence.
    pub duty: String,
    /// Where it is written, first the governing one.
    pub sources: Vec<String>,
    /// Address of the governing section.
    pub url: Option<String>,
    /// When it applies.
    pub applies: String,
    /// What an attacker, or an outage, gains from a violation.
    pub attack: String,
    /// How it is probed, in words.
    pub probe: String,
    /// How it is probed, as it runs.
    pub gherkin: Option<Gherkin>,
    /// Every answer that conforms.
    pub accepts: String,
    /// What to change at the server.
    pub fix: String,
    /// What to change at common servers.
    pub servers: Vec<Hint>,
    /// The defects that prove the check: with each of them it fails.
    pub defects: Vec<Proof>,
    /// Why no scenario judges it.
    pub untested: Option<String>,
    /// A good and a bad exchange.
    pub example: Option<Example>,
    /// Why there is no example.
    pub no_example: Option<String>,
}

/// The rule of a requirement, as its feature file has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gherkin {
    /// Feature file, relative to the repository.
    pub feature: String,
    /// Line of the rule, from 1.
    pub line: usize,
    /// The rule with its scenarios, without the indentation of the file.
    pub text: String,
}

/// A seeded defect that violates a requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Name of the defect, for example `CodeReusable`.
    pub name: &'static str,
    /// What the server does wrong, in one line.
    pub description: &'static str,
    /// Published flaws of this kind, for example `CVE-2023-48228`.
    pub known_as: &'static [&'static str],
    /// Titles of the known flaws that it stands for.
    pub flaws: Vec<String>,
}

/// One scenario against the conformant reference server and against one with a defect, redacted.
#[derive(Clone, Debug, Serialize)]
pub struct Example {
    /// The defect.
    pub defect: &'static str,
    /// Name of the scenario.
    pub scenario: String,
    /// What every conforming server does.
    pub expected: String,
    /// What the server with the defect did.
    pub actual: String,
    /// The exchange of the server with the defect that shows it.
    pub bad: ExchangeReport,
    /// The exchange of the conformant server that corresponds to it.
    pub good: Option<ExchangeReport>,
    /// What there is to know about the good exchange, or why there is none.
    pub note: Option<String>,
}
