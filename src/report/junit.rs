//! JUnit XML as Jenkins and GitLab read it: a suite a step of the flow, a case a requirement.
//!
//! A failure is the target's fault. An error is ours, or says that no verdict was possible. Waived,
//! not applicable and untested duties are skipped, with the reason. JUnit knows no warning: what
//! deviates from a SHOULD passes, and its `system-out` says what was found.

use std::fmt::Write as _;
use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::finding::{absence, one_line, printable, reason, shortened};
use super::moment::{Moments, seconds};
use super::terminal::of_scenario;
use crate::model::report::{Report, RequirementReport};
use crate::model::verdict::Status;

/// Characters of the text of one case: test reporters show it in one page.
const BODY: usize = 16_000;

type Xml = Writer<Vec<u8>>;

/// The report as JUnit XML.
pub(super) fn render(report: &Report) -> Result<String, String> {
    let fault = |e: io::Error| e.to_string();
    let started = format!("{:.3}", Moments::of(report)?.at(0));
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None))).map_err(fault)?;
    let all: Vec<&RequirementReport> = report.requirements.iter().collect();
    let name = format!("authspec {}", one_line(&report.target.issuer));
    let time = seconds(report.duration_ms.saturating_mul(1000));
    let [tests, failures, errors, _] = counts(&all);
    let root = xml.create_element("testsuites").with_attributes([
        ("name", name.as_str()),
        ("tests", &tests),
        ("failures", &failures),
        ("errors", &errors),
        ("time", &time),
    ]);
    root.write_inner_content(|xml| {
        steps(report)
            .into_iter()
            .try_for_each(|(step, cases)| suite(xml, report, &started, step, &cases))
    })
    .map_err(fault)?;
    String::from_utf8(xml.into_inner()).map(|text| text + "\n").map_err(|e| e.to_string())
}

/// Requirements by step, both in the order of the report.
fn steps(report: &Report) -> Vec<(&str, Vec<&RequirementReport>)> {
    let mut steps: Vec<(&str, Vec<&RequirementReport>)> = Vec::new();
    for requirement in &report.requirements {
        match steps.iter_mut().find(|(step, _)| *step == requirement.step) {
            Some((_, cases)) => cases.push(requirement),
            None => steps.push((&requirement.step, vec![requirement])),
        }
    }
    steps
}

/// Tests, failures, errors, skipped.
fn counts(cases: &[&RequirementReport]) -> [String; 4] {
    let of = |kind| cases.iter().filter(|r| Kind::of(r.status) == kind).count().to_string();
    [cases.len().to_string(), of(Kind::Failure), of(Kind::Error), of(Kind::Skipped)]
}

fn suite(
    xml: &mut Xml,
    report: &Report,
    started: &str,
    step: &str,
    cases: &[&RequirementReport],
) -> io::Result<()> {
    let [tests, failures, errors, skipped] = counts(cases);
    let time = seconds(cases.iter().map(|r| spent(r)).sum());
    let element = xml.create_element("testsuite").with_attributes([
        ("name", step),
        ("tests", &tests),
        ("failures", &failures),
        ("errors", &errors),
        ("skipped", &skipped),
        ("time", &time),
        ("timestamp", started),
    ]);
    element.write_inner_content(|xml| {
        xml.create_element("properties").write_inner_content(|xml| {
            properties(report).into_iter().try_for_each(|(name, value)| {
                let value = one_line(&value);
                let property = xml.create_element("property");
                property.with_attributes([("name", name), ("value", &value)]).write_empty()?;
                Ok(())
            })
        })?;
        cases.iter().try_for_each(|requirement| case(xml, requirement))
    })?;
    Ok(())
}

fn properties(report: &Report) -> Vec<(&'static str, String)> {
    let gate = if report.gate.passed { "passed" } else { "failed" };
    vec![
        ("run", report.run.clone()),
        ("tool", report.tool.clone()),
        ("issuer", report.target.issuer.clone()),
        ("clients", report.target.clients.join(", ")),
        ("profile", report.profile.as_str().into()),
        ("filter", report.filter.clone().unwrap_or_default()),
        ("gate", format!("{gate}: {}", report.gate.rule)),
        ("gate_reasons", report.gate.reasons.join("; ")),
        ("exit_code", report.gate.exit_code.to_string()),
        ("interrupted", report.interrupted.to_string()),
    ]
}

fn case(xml: &mut Xml, requirement: &RequirementReport) -> io::Result<()> {
    let group = requirement.id.split('.').next().unwrap_or_default();
    let class = one_line(&format!("{}.{group}", requirement.step));
    let (name, time) = (one_line(&requirement.id), seconds(spent(requirement)));
    let element = xml.create_element("testcase").with_attributes([
        ("classname", class.as_str()),
        ("name", &name),
        ("time", &time),
    ]);
    let status = requirement.status;
    let (tag, message) = match Kind::of(status) {
        Kind::Failure => ("failure", deviation(requirement)),
        Kind::Error => ("error", no_verdict(requirement)),
        Kind::Skipped => {
            element.write_inner_content(|xml| {
                let message = format!("{}: {}", status.as_str(), absence(requirement));
                let skipped = xml.create_element("skipped");
                skipped.with_attribute(("message", message.as_str())).write_empty()?;
                match status {
                    Status::Waived => text(xml, "system-out", &body(requirement)),
                    _ => Ok(()),
                }
            })?;
            return Ok(());
        }
        Kind::Passed if matches!(status, Status::Warn | Status::Note) => {
            let told =
                format!("{}: {}\n{}", status.as_str(), deviation(requirement), body(requirement));
            element.write_inner_content(|xml| text(xml, "system-out", &told))?;
            return Ok(());
        }
        Kind::Passed => {
            element.write_empty()?;
            return Ok(());
        }
    };
    element.write_inner_content(|xml| {
        let inner = xml.create_element(tag);
        let inner = inner.with_attributes([("type", status.as_str()), ("message", &message)]);
        inner.write_text_content(BytesText::new(&body(requirement)))?;
        Ok(())
    })?;
    Ok(())
}

fn text(xml: &mut Xml, tag: &str, text: &str) -> io::Result<()> {
    xml.create_element(tag).write_text_content(BytesText::new(text))?;
    Ok(())
}

/// Expected and actual of each deviation, on one line.
fn deviation(requirement: &RequirementReport) -> String {
    let all = requirement.scenarios.iter().flat_map(|s| &s.deviations);
    let told = all.map(|d| format!("expected {}; got {}", d.expected, d.actual));
    shortened(&one_line(&told.collect::<Vec<_>>().join(". ")), 2_000)
}

fn no_verdict(requirement: &RequirementReport) -> String {
    let worst = requirement.scenarios.iter().find(|s| s.status == requirement.status);
    let told = worst.map(reason).filter(|r| !r.is_empty());
    shortened(&told.unwrap_or_else(|| absence(requirement)), 2_000)
}

fn body(requirement: &RequirementReport) -> String {
    let mut out = String::new();
    let sources = requirement.sources.join(", ");
    for (name, value) in [
        ("duty", requirement.duty.as_str()),
        ("source", &sources),
        ("", requirement.url.as_deref().unwrap_or_default()),
        ("attack", &requirement.attack),
        ("to change", &requirement.fix),
        ("accepts", &requirement.accepts),
    ] {
        if !value.is_empty() {
            let _ = writeln!(out, "{name:<9} {}", one_line(value));
        }
    }
    requirement.scenarios.iter().filter(|s| s.status > Status::Pass).for_each(|scenario| {
        of_scenario(&mut out, scenario);
    });
    shortened(&printable(out.trim_end()), BODY)
}

/// Microseconds that its scenarios took.
fn spent(requirement: &RequirementReport) -> u64 {
    requirement.scenarios.iter().map(|s| s.elapsed_us).sum()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Passed,
    Failure,
    Error,
    Skipped,
}

impl Kind {
    fn of(status: Status) -> Self {
        match status {
            Status::Pass | Status::Note | Status::Warn => Self::Passed,
            Status::Fail => Self::Failure,
            Status::Error | Status::Inconclusive => Self::Error,
            Status::Waived | Status::NotApplicable | Status::Untested => Self::Skipped,
        }
    }
}
