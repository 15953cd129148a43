//! What stops a release, as options and environment say.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{complain, exit, say};
use crate::catalogue::Catalogue;
use crate::gate::waivers::{Remark, Waivers};
use crate::gate::{Binding, Inconclusive, Policy, settle};
use crate::model::report::{Report, RequirementReport};
use crate::model::requirement::Severity;

/// Options of the gate.
#[derive(Args, Clone, Debug)]
pub struct GateOptions {
    /// Least severity of a violation that fails the gate.
    #[arg(long, value_enum, env = "AUTHSPEC_FAIL_ON", default_value = "info", help_heading = GATE)]
    fail_on: SeverityArg,
    /// Least binding level of a violation that fails the gate.
    #[arg(long, value_enum, env = "AUTHSPEC_FAIL_LEVEL", default_value = "must", help_heading = GATE)]
    fail_level: LevelArg,
    /// Whether what could not be judged fails the gate (exit code 5).
    #[arg(long, value_enum, env = "AUTHSPEC_INCONCLUSIVE", default_value = "fail", help_heading = GATE)]
    inconclusive: InconclusiveArg,
    /// Least share of the requirements that apply which must be judged, in percent.
    #[arg(
        long, value_name = "PERCENT", env = "AUTHSPEC_MIN_COVERAGE", default_value_t = 0,
        value_parser = clap::value_parser!(u8).range(0..=100), help_heading = GATE
    )]
    min_coverage: u8,
    /// File of findings that somebody answers for until a day (TOML); authspec waivers lint checks it.
    #[arg(long, value_name = "FILE", env = "AUTHSPEC_WAIVERS", help_heading = GATE)]
    waivers: Option<PathBuf>,
}

const GATE: &str = "Gate";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SeverityArg {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LevelArg {
    /// MUST and MUST NOT.
    Must,
    /// Also SHOULD and SHOULD NOT.
    Should,
    /// Also MAY.
    May,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum InconclusiveArg {
    Fail,
    Allow,
}

/// The rule of the gate with the waivers, read before anything is sent.
pub struct Rules {
    policy: Policy,
    waivers: Waivers,
}

impl GateOptions {
    /// The error says what is wrong with the file of waivers, and where.
    pub fn load(&self) -> Result<Rules, String> {
        let policy = Policy {
            fail_on: match self.fail_on {
                SeverityArg::Info => Severity::Info,
                SeverityArg::Low => Severity::Low,
                SeverityArg::Medium => Severity::Medium,
                SeverityArg::High => Severity::High,
                SeverityArg::Critical => Severity::Critical,
            },
            level: match self.fail_level {
                LevelArg::Must => Binding::Must,
                LevelArg::Should => Binding::Should,
                LevelArg::May => Binding::May,
            },
            inconclusive: match self.inconclusive {
                InconclusiveArg::Fail => Inconclusive::Fail,
                InconclusiveArg::Allow => Inconclusive::Allow,
            },
            least_coverage: self.min_coverage,
        };
        let waivers = self.waivers.as_deref().map(read).transpose()?.unwrap_or_default();
        Ok(Rules { policy, waivers })
    }
}

impl Rules {
    /// Whether the requirement alone stops a release.
    pub fn stops(&self, requirement: &RequirementReport) -> bool {
        self.policy.stops(requirement)
    }

    /// Judges the run by them, as of today.
    pub fn settle(&self, report: &mut Report) {
        settle(report, &self.policy, &self.waivers, today());
    }
}

fn today() -> jiff::civil::Date {
    TimeZone::UTC.to_datetime(Timestamp::now()).date()
}

/// The waivers of a file; an id that does not exist is a mistake in it.
fn read(path: &Path) -> Result<Waivers, String> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|e| format!("cannot read the waivers {name}: {e}"))?;
    Waivers::parse(&name, &text)
}

/// `authspec waivers lint`.
pub(super) fn lint(path: &Path) -> u8 {
    let catalogue = match Catalogue::load() {
        Ok(catalogue) => catalogue,
        Err(message) => {
            complain(message);
            return exit::OWN_ERROR;
        }
    };
    let waivers = match read(path) {
        Ok(waivers) => waivers,
        Err(message) => {
            complain(message);
            return exit::USAGE;
        }
    };
    let remarks = waivers.lint(today(), |id| catalogue.scenarios_of(id));
    let mut faults = 0;
    for remark in &remarks {
        match remark {
            Remark::Fault(text) => {
                faults += 1;
                say(format!("fault   {text}"));
            }
            Remark::Warning(text) => say(format!("warning {text}")),
        }
    }
    say(format!("{} waivers, {faults} faults", waivers.len()));
    if faults == 0 { exit::PASSED } else { exit::FAILED }
}
