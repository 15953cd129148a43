//! The report for a person at a terminal. Words carry the meaning, colour only repeats it.

use std::fmt::Write as _;

use super::prometheus::exit_code;
use crate::model::report::{Cleanup, ExchangeReport, Report, RequirementReport, ScenarioReport};
use crate::model::requirement::{Level, Severity};
use crate::model::verdict::{Status, Weight};

/// Whether colour may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// ANSI sequences.
    On,
    /// Plain text.
    Off,
}

impl Colour {
    /// `text` in the colour of a status.
    pub(super) fn paint(self, status: Status, text: &str) -> String {
        let code = match status {
            Status::Pass => "32",
            Status::Note => "36",
            Status::Warn | Status::Waived | Status::Inconclusive => "33",
            Status::Fail | Status::Error => "31;1",
            Status::Untested | Status::NotApplicable => "2",
        };
        match self {
            Self::On => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Self::Off => text.to_owned(),
        }
    }

    /// `text` in bold.
    pub(super) fn strong(self, text: &str) -> String {
        match self {
            Self::On => format!("\u{1b}[1m{text}\u{1b}[0m"),
            Self::Off => text.to_owned(),
        }
    }
}

/// One line for a requirement that has its status.
pub fn line(id: &str, level: Level, severity: Severity, status: Status, colour: Colour) -> String {
    let word = colour.paint(status, &format!("{:<14}", status.as_str()));
    format!("{word} {id} ({}, {})", level.as_str(), severity.as_str())
}

/// Everything after the lines: what deviates, what could not be judged, and the summary.
pub fn summary(report: &Report, paths: &[String], colour: Colour) -> String {
    let mut out = String::new();
    let worth_telling = |s: Status| {
        matches!(
            s,
            Status::Fail
                | Status::Warn
                | Status::Waived
                | Status::Inconclusive
                | Status::Error
                | Status::Note
        )
    };
    let mut told: Vec<&RequirementReport> =
        report.requirements.iter().filter(|r| worth_telling(r.status)).collect();
    told.sort_by_key(|r| (std::cmp::Reverse(r.status), std::cmp::Reverse(r.severity)));
    for requirement in told {
        finding(&mut out, requirement, colour);
    }
    totals(&mut out, report, paths, colour);
    out
}

/// One requirement: the duty, what deviates or could not be judged, and what shows it.
pub fn finding(out: &mut String, requirement: &RequirementReport, colour: Colour) {
    let word = colour.paint(requirement.status, &requirement.status.as_str().to_uppercase());
    let _ = writeln!(
        out,
        "\n{word} {} ({}, {})",
        requirement.id,
        requirement.level.as_str(),
        requirement.severity.as_str()
    );
    let _ = writeln!(out, "  duty      {}", escaped(&requirement.duty));
    let _ = writeln!(
        out,
        "  source    {}",
        escaped(requirement.sources.first().map_or("", String::as_str))
    );
    for scenario in requirement.scenarios.iter().filter(|s| s.status > Status::Pass) {
        of_scenario(out, scenario);
    }
    if requirement.scenarios.iter().any(|s| !s.deviations.is_empty()) {
        for (label, text) in [
            ("attack", &requirement.attack),
            ("to change", &requirement.fix),
            ("accepted", &requirement.accepts),
        ] {
            if !text.is_empty() {
                let _ = writeln!(out, "  {label:<9} {}", escaped(text));
            }
        }
        let _ = writeln!(out, "  more      authspec explain {}", requirement.id);
    }
}

pub(super) fn of_scenario(out: &mut String, scenario: &ScenarioReport) {
    let _ = writeln!(
        out,
        "  scenario  {} ({}:{})",
        escaped(&scenario.name),
        scenario.feature,
        scenario.line
    );
    for deviation in &scenario.deviations {
        let weight = match deviation.weight {
            Weight::Note => " (note)",
            Weight::Warning => " (warning)",
            Weight::Draft | Weight::Failure => "",
        };
        let _ = writeln!(out, "    expected  {}{weight}", escaped(&deviation.expected));
        let _ = writeln!(out, "    actual    {}", escaped(&deviation.actual));
    }
    for observation in &scenario.observations {
        let _ = writeln!(out, "    observed  {}", escaped(observation));
    }
    match (&scenario.obstacle, &scenario.reason) {
        (Some(obstacle), _) => {
            let _ = writeln!(out, "    tried     {}", escaped(&obstacle.tried));
            let _ = writeln!(out, "    came back {}", escaped(&obstacle.came_back));
            let _ = writeln!(out, "    to change {}", escaped(&obstacle.remedy));
        }
        (None, Some(reason)) => {
            let _ = writeln!(out, "    reason    {}", escaped(reason));
        }
        (None, None) => {}
    }
    let shown = relevant(scenario);
    shown.iter().for_each(|exchange| of_exchange(out, exchange));
    if shown.len() < scenario.exchanges.len() {
        let _ = writeln!(out, "    {} exchanges in all, see the report", scenario.exchanges.len());
    }
}

/// One exchange: what was sent, and of the answer what tells most.
pub fn of_exchange(out: &mut String, exchange: &ExchangeReport) {
    let answer = match (exchange.status, &exchange.failure) {
        (Some(status), _) => status.to_string(),
        (None, Some(failure)) => format!("no answer: {}", escaped(failure)),
        (None, None) => "no answer".into(),
    };
    let _ = writeln!(out, "    exchange {} {}", exchange.number, cut(&exchange.request_line, 400));
    if !exchange.request_body.is_empty() {
        let _ = writeln!(out, "      sent    {}", cut(&escaped(&exchange.request_body), 400));
    }
    let _ = writeln!(out, "      answer  {answer}");
    let telling = ["location", "www-authenticate", "cache-control", "content-type"];
    for (name, value) in &exchange.response_headers {
        if telling.iter().any(|t| name.eq_ignore_ascii_case(t)) {
            let _ = writeln!(out, "              {name}: {}", cut(value, 400));
        }
    }
    let is_page = exchange.response_body.trim_start().starts_with('<');
    if !exchange.response_body.is_empty() && !is_page {
        let _ = writeln!(out, "              {}", cut(&escaped(&exchange.response_body), 400));
    }
    let _ = writeln!(out, "      repeat  {}", cut(&exchange.curl, 600));
}

/// The exchanges that show the deviations, or the last one where none is named.
pub(super) fn relevant(scenario: &ScenarioReport) -> Vec<&ExchangeReport> {
    let named: Vec<usize> = scenario.deviations.iter().filter_map(|d| d.exchange).collect();
    let mut shown: Vec<&ExchangeReport> =
        scenario.exchanges.iter().filter(|e| named.contains(&e.number)).collect();
    if shown.is_empty() {
        shown.extend(scenario.exchanges.last());
    }
    shown
}

/// A character that could move the cursor, change colours or turn the direction of writing.
pub fn is_steering(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text on one line, with an escape such as `\u{0}` for whatever could steer the terminal.
pub(super) fn escaped(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => line.push(' '),
            c if is_steering(c) => line.extend(c.escape_unicode()),
            c => line.push(c),
        }
    }
    line
}

pub(super) fn cut(text: &str, most: usize) -> String {
    let text = escaped(text);
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}..", &text[..at]),
        None => text,
    }
}

/// What became of what a run was issued, in one line.
pub(super) fn of_cleanup(cleanup: &Cleanup) -> String {
    let Cleanup { issued, revoked, grants_left, access_tokens_left, .. } = cleanup;
    let Cleanup { sessions_ended, sessions_left, obstacle, sessions_obstacle, .. } = cleanup;
    let over = issued.saturating_sub(revoked + grants_left + access_tokens_left);
    let why = |why: &Option<String>| {
        why.as_ref().map(|why| format!(" ({})", escaped(why))).unwrap_or_default()
    };
    format!(
        "{revoked} of {issued} grants revoked at the end, {over} were over before; left behind: {grants_left} with a refresh token, \
         {access_tokens_left} until the access token expires{}; {sessions_ended} sessions ended at the end, at most {sessions_left} left{}",
        why(obstacle),
        why(sessions_obstacle)
    )
}

/// The summary alone.
pub fn summary_alone(report: &Report, paths: &[String], colour: Colour) -> String {
    let mut out = String::new();
    totals(&mut out, report, paths, colour);
    out
}

fn totals(out: &mut String, report: &Report, paths: &[String], colour: Colour) {
    let counts: Vec<String> = Status::ALL
        .iter()
        .rev()
        .filter_map(|status| Some(format!("{} {}", report.counts.get(status)?, status.as_str())))
        .collect();
    let _ = writeln!(
        out,
        "\ntarget    {} as {}",
        escaped(&report.target.issuer),
        escaped(&report.target.clients.join(", "))
    );
    let _ = writeln!(out, "profile   {}", report.profile.as_str());
    if let Some(filter) = &report.filter {
        let _ = writeln!(out, "filter    {}", escaped(filter));
    }
    let _ = writeln!(out, "result    {}", counts.join(", "));
    if let Some(part) = &report.part {
        let _ = writeln!(
            out,
            "part      {}/{}: no verdict on the whole run before authspec merge",
            part.index, part.of
        );
    }
    if report.interrupted {
        let _ = writeln!(out, "ended     interrupted: what had not begun is inconclusive");
    }
    let (status, word) =
        if report.gate.passed { (Status::Pass, "passed") } else { (Status::Fail, "failed") };
    let _ = writeln!(
        out,
        "gate      {} (exit code {}): {}",
        colour.paint(status, word),
        exit_code(report),
        report.gate.rule
    );
    for reason in &report.gate.reasons {
        let _ = writeln!(out, "          {}", escaped(reason));
    }
    for remark in &report.gate.remarks {
        let _ = writeln!(out, "remark    {}", escaped(remark));
    }
    for line in &report.safety {
        let _ = writeln!(out, "safety    {}", escaped(line));
    }
    if let Some(cleanup) = &report.cleanup {
        let _ = writeln!(out, "cleanup   {}", of_cleanup(cleanup));
    }
    for path in paths {
        let _ = writeln!(out, "report    {path}");
    }
    #[expect(clippy::cast_precision_loss, reason = "a run lasts far less than 2^52 milliseconds")]
    let seconds = report.duration_ms as f64 / 1000.0;
    let _ = writeln!(out, "time      {seconds:.2} s, {} requests", report.requests);
}
