//! Several targets side by side: a row a requirement, a column a target.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::escape::{code, prose};
use super::finding::{one_line, shortened};
use super::matrix::inert;
use crate::model::report::Report;
use crate::model::requirement::{Level, Severity};
use crate::model::verdict::Status;

/// One of several targets, after its audit.
#[derive(Clone, Debug)]
pub struct Audited {
    /// What the user calls it.
    pub name: String,
    /// Its issuer, where one is known.
    pub issuer: String,
    /// The exit code of its audit.
    pub exit_code: u8,
    /// What was found, or why it could not be audited.
    pub outcome: Result<Found, String>,
}

/// What an audit found.
#[derive(Clone, Debug)]
pub struct Found {
    run: String,
    has_passed: bool,
    is_interrupted: bool,
    counts: BTreeMap<Status, usize>,
    requirements: Vec<(Duty, Status)>,
}

/// A requirement, as the matrix names it.
#[derive(Clone, Debug, PartialEq)]
struct Duty {
    id: String,
    level: Level,
    severity: Severity,
}

impl Found {
    /// What the report says.
    pub fn of(report: &Report) -> Self {
        let requirements = report.requirements.iter().map(|r| {
            let duty = Duty { id: r.id.clone(), level: r.level, severity: r.severity };
            (duty, r.status)
        });
        Self {
            run: report.run.clone(),
            has_passed: report.gate.passed,
            is_interrupted: report.interrupted,
            counts: report.counts.clone(),
            requirements: requirements.collect(),
        }
    }

    fn status(&self, id: &str) -> Option<Status> {
        self.requirements.iter().find(|(duty, _)| duty.id == id).map(|(_, status)| *status)
    }
}

impl Audited {
    /// The result in one line: gate and counts, or why there is none.
    pub fn gist(&self) -> String {
        match &self.outcome {
            Err(reason) => format!("not audited: {}", one_line(reason)),
            Ok(found) => {
                let word = if found.has_passed { "passed" } else { "failed" };
                let end = if found.is_interrupted { "; interrupted" } else { "" };
                let counts = Status::ALL.iter().rev().filter_map(|status| {
                    Some(format!("{} {}", found.counts.get(status)?, status.as_str()))
                });
                format!("gate {word}: {}{end}", counts.collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn cell(&self, id: &str) -> &'static str {
        match &self.outcome {
            Err(_) => "not audited",
            Ok(found) => found.status(id).map_or("not selected", Status::as_str),
        }
    }
}

/// Every requirement of any target, in the order in which they come first.
fn duties(all: &[Audited]) -> Vec<&Duty> {
    let mut duties: Vec<&Duty> = Vec::new();
    for found in all.iter().filter_map(|target| target.outcome.as_ref().ok()) {
        for (duty, _) in &found.requirements {
            if !duties.iter().any(|known| known.id == duty.id) {
                duties.push(duty);
            }
        }
    }
    duties
}

/// Two tables: the targets, and the requirements with a column a target.
pub fn markdown(all: &[Audited]) -> String {
    let mut out = String::from(
        "## authspec: targets side by side\n\n| target | issuer | exit code | result | run |\n|---|---|---|---|---|\n",
    );
    for target in all {
        let run = target.outcome.as_ref().map_or("", |found| found.run.as_str());
        // A reason may quote the target.
        let cell = |text: &str| code(&shortened(text, 400)).replace('|', "\\|");
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            prose(&target.name),
            cell(&target.issuer),
            target.exit_code,
            cell(&target.gist()),
            cell(run),
        );
    }
    let names: Vec<String> = all.iter().map(|target| prose(&target.name)).collect();
    let _ = writeln!(out, "\n| requirement | level | severity | {} |", names.join(" | "));
    let _ = writeln!(out, "|---|---|---|{}", "---|".repeat(all.len()));
    for duty in duties(all) {
        let cells: Vec<&str> = all.iter().map(|target| target.cell(&duty.id)).collect();
        let (level, severity) = (duty.level.as_str(), duty.severity.as_str());
        let _ =
            writeln!(out, "| {} | {level} | {severity} | {} |", prose(&duty.id), cells.join(" | "));
    }
    out
}

/// The same as comma-separated values (RFC 4180): a header, a row of exit codes, a row of results, and
/// a row a requirement.
///
/// The error says what cannot be written.
pub fn csv(all: &[Audited]) -> Result<String, String> {
    let fault = |e: csv::Error| e.to_string();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut row = |first: [&str; 3], cells: Vec<String>| {
        let first = first.into_iter().map(str::to_owned);
        writer.write_record(first.chain(cells).map(|cell| inert(&cell))).map_err(fault)
    };
    let of = |cell: fn(&Audited) -> String| all.iter().map(cell).collect();
    row(["id", "level", "severity"], of(|target| target.name.clone()))?;
    row(["(issuer)", "", ""], of(|target| target.issuer.clone()))?;
    row(["(exit code)", "", ""], of(|target| target.exit_code.to_string()))?;
    row(["(result)", "", ""], of(Audited::gist))?;
    for duty in duties(all) {
        let cells = all.iter().map(|target| target.cell(&duty.id).to_owned()).collect();
        row([&duty.id, duty.level.as_str(), duty.severity.as_str()], cells)?;
    }
    let octets = writer.into_inner().map_err(|e| e.to_string())?;
    String::from_utf8(octets).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(statuses: &[(&str, Status)]) -> Found {
        let duty = |id: &str| Duty { id: id.into(), level: Level::Must, severity: Severity::High };
        let mut counts = BTreeMap::new();
        statuses.iter().for_each(|(_, status)| *counts.entry(*status).or_default() += 1);
        Found {
            run: "r".into(),
            has_passed: !counts.contains_key(&Status::Fail),
            is_interrupted: false,
            counts,
            requirements: statuses.iter().map(|(id, status)| (duty(id), *status)).collect(),
        }
    }

    fn all() -> Vec<Audited> {
        let audited = |name: &str, exit_code, outcome| Audited {
            name: name.into(),
            issuer: format!("https://{name}.test"),
            exit_code,
            outcome,
        };
        vec![
            audited("a", 1, Ok(found(&[("x.one", Status::Fail), ("x.two", Status::Pass)]))),
            audited("b|b", 0, Ok(found(&[("x.two", Status::Pass), ("x.three", Status::Note)]))),
            audited("=c", 3, Err("no connection\nto c.test".into())),
        ]
    }

    #[test]
    fn the_table_has_a_cell_for_every_pair() {
        let text = csv(&all()).unwrap();
        assert_eq!(
            text,
            "id,level,severity,a,b|b,'=c\n\
             (issuer),,,https://a.test,https://b|b.test,https://=c.test\n\
             (exit code),,,1,0,3\n\
             (result),,,\"gate failed: 1 fail, 1 pass\",\"gate passed: 1 note, 1 pass\",not audited: no connection to c.test\n\
             x.one,MUST,high,fail,not selected,not audited\n\
             x.two,MUST,high,pass,pass,not audited\n\
             x.three,MUST,high,not selected,note,not audited\n"
        );
    }

    #[test]
    fn every_row_of_a_markdown_table_has_as_many_cells() {
        let text = markdown(&all());
        let rows = |table: &str| -> Vec<usize> {
            let cells = |line: &str| line.replace("\\|", "").matches('|').count();
            table.lines().filter(|line| line.starts_with('|')).map(cells).collect()
        };
        let (targets, matrix) = text.split_once("\n| requirement").unwrap();
        assert_eq!(rows(targets), [6; 5], "{text}");
        assert_eq!(rows(&format!("| requirement{matrix}")), [7; 5], "{text}");
        assert!(text.contains("not audited: no connection to c"), "{text}");
    }
}
