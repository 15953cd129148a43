//! `authspec list --format ..`: from each requirement to its scenarios, and to the defects that
//! prove them.

use std::collections::BTreeMap;

use reference_server::Defect;
use serde::Serialize;

use super::arguments::ListFormat;
use super::run::explain;
use super::{exit, say};
use crate::catalogue::Catalogue;
use crate::model::requirement::{Impact, Level, Severity};
use crate::plan::{Filter, Selected};
use crate::run::Failure;

/// A requirement and what judges it.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    level: Level,
    severity: Severity,
    impact: Impact,
    cwe: &'a [u32],
    /// The governing specification, for example `RFC 6749`.
    source: &'a str,
    /// Its section without the sign, for example `4.1.3`.
    section: &'a str,
    duty: &'a str,
    /// `FILE:LINE NAME` of each scenario.
    scenarios: Vec<String>,
    /// Defects of the reference server that violate the requirement.
    defects: Vec<&'static str>,
    /// Why nothing judges it.
    untested: Option<&'a str>,
}

impl<'a> Row<'a> {
    fn of(selected: &Selected<'a>) -> Self {
        let requirement = selected.requirement;
        let governing = requirement.sources.first().map_or("", String::as_str);
        let (source, section) = governing.split_once(" §").unwrap_or((governing, ""));
        let violates = |defect: &&Defect| defect.violates().contains(&requirement.id.as_str());
        Self {
            id: &requirement.id,
            level: requirement.level,
            severity: requirement.severity,
            impact: requirement.impact,
            cwe: &requirement.cwe,
            source,
            section,
            duty: &requirement.duty,
            scenarios: selected
                .scenarios
                .iter()
                .map(|(file, s)| format!("{file}:{} {}", s.position.line, s.name))
                .collect(),
            defects: Defect::ALL.iter().filter(violates).map(|d| d.name()).collect(),
            untested: requirement.untested.as_deref(),
        }
    }

    /// The columns of [`COLUMNS`]; lists are joined by `; `.
    fn cells(&self) -> [String; COLUMNS.len()] {
        [
            self.id.to_owned(),
            self.level.as_str().to_owned(),
            self.severity.as_str().to_owned(),
            self.source.to_owned(),
            self.section.to_owned(),
            self.duty.to_owned(),
            self.scenarios.join("; "),
            self.defects.join("; "),
            self.untested.unwrap_or_default().to_owned(),
            self.impact.as_str().to_owned(),
            self.cwe.iter().map(u32::to_string).collect::<Vec<_>>().join("; "),
        ]
    }
}

const COLUMNS: [&str; 11] = [
    "id",
    "level",
    "severity",
    "source",
    "section",
    "duty",
    "scenarios",
    "defects",
    "untested",
    "impact",
    "cwe",
];

/// Prints what `filter` selects.
pub(super) fn print(filter: &Filter, format: ListFormat) -> u8 {
    let text = Catalogue::load().map_err(Failure::Own).and_then(|catalogue| {
        let selected = filter.select(catalogue).map_err(Failure::Usage)?;
        if selected.is_empty() {
            let asked = filter.describe().unwrap_or_default();
            return Err(Failure::NothingSelected(format!("{asked} selects no requirement")));
        }
        let rows: Vec<Row> = selected.iter().map(Row::of).collect();
        match format {
            ListFormat::Json => serde_json::to_string_pretty(&rows)
                .map_err(|e| Failure::Own(format!("the rows cannot be written as JSON: {e}"))),
            ListFormat::Csv => csv(&rows).map_err(Failure::Own),
            ListFormat::Coverage => Ok(coverage(&rows)),
            ListFormat::Markdown | ListFormat::Table => Ok(markdown(&rows)),
        }
    });
    match text {
        Ok(text) => {
            say(text.trim_end());
            exit::PASSED
        }
        Err(failure) => explain(&failure),
    }
}

fn csv(rows: &[Row]) -> Result<String, String> {
    let mut writer = csv::Writer::from_writer(vec![]);
    let wrong = |e: csv::Error| format!("the rows cannot be written as CSV: {e}");
    writer.write_record(COLUMNS).map_err(wrong)?;
    for row in rows {
        writer.write_record(row.cells()).map_err(wrong)?;
    }
    let octets = writer.into_inner().map_err(|e| e.to_string())?;
    String::from_utf8(octets).map_err(|e| e.to_string())
}

fn markdown(rows: &[Row]) -> String {
    let line = |cells: &[String]| {
        let escaped: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", escaped.join(" | "))
    };
    let head = line(&COLUMNS.map(str::to_owned));
    let rule = line(&COLUMNS.map(|_| "---".to_owned()));
    rows.iter().fold(head + &rule, |text, row| text + &line(&row.cells()))
}

/// Counts of one group.
#[derive(Default)]
struct Count {
    requirements: usize,
    automated: usize,
    scenarios: usize,
    defects: std::collections::BTreeSet<&'static str>,
}

impl Count {
    fn add(&mut self, row: &Row) {
        self.requirements += 1;
        self.automated += usize::from(row.untested.is_none());
        self.scenarios += row.scenarios.len();
        self.defects.extend(&row.defects);
    }

    fn line(&self, name: &str) -> String {
        let Self { requirements, automated, scenarios, defects } = self;
        format!("| {name} | {automated} | {requirements} | {scenarios} | {} |\n", defects.len())
    }
}

fn coverage(rows: &[Row]) -> String {
    let (mut groups, mut all) = (BTreeMap::<&str, Count>::new(), Count::default());
    for row in rows {
        let group = row.id.split('.').next().unwrap_or(row.id);
        groups.entry(group).or_default().add(row);
        all.add(row);
    }
    let head =
        "| group | automated | requirements | scenarios | defects |\n|---|---|---|---|---|\n";
    let lines: String = groups.iter().map(|(g, count)| count.line(&format!("`{g}`"))).collect();
    format!("{head}{lines}{}", all.line("all"))
}
