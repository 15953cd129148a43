//! Known findings that somebody answers for until a day.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use crate::model::report::{RequirementReport, Waiver};
use crate::model::verdict::Status;

/// Days before its end on which a waiver is pointed out.
const NOTICE: i64 = 14;

/// What stands in a waiver that nobody filled in yet.
const PLACEHOLDER: &str = "CHANGE-ME";

/// A file of waivers.
#[derive(Clone, Debug, Default)]
pub struct Waivers(Vec<Entry>);

/// One waiver with its place.
#[derive(Clone, Debug)]
struct Entry {
    /// `waivers.toml:3`.
    place: String,
    id: String,
    variant: Option<String>,
    /// The last day, or why the text is none.
    expires: Result<Date, String>,
    terms: Waiver,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "waiver")]
    waivers: Vec<Spanned<Table>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    id: String,
    variant: Option<String>,
    owner: String,
    reason: String,
    ticket: Option<String>,
    expires: String,
}

/// What is wrong with a waiver, and what will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// It does not hold.
    Fault(String),
    /// It is worth a look.
    Warning(String),
}

impl Waivers {
    /// The waivers of a TOML text; `name` is shown in messages.
    ///
    /// The error names the line.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let line = |at: usize| text.as_bytes()[..at].iter().filter(|&&b| b == b'\n').count() + 1;
        let file: File = toml::from_str(text).map_err(|e| {
            let at = e.span().map_or(0, |span| span.start);
            format!("{name}:{}: {}", line(at), e.message().replace('\n', " "))
        })?;
        let entries = file.waivers.into_iter().map(|table| {
            let place = format!("{name}:{}", line(table.span().start));
            let table = table.into_inner();
            Entry {
                place,
                id: table.id,
                variant: table.variant,
                expires: table
                    .expires
                    .parse()
                    .map_err(|_| format!("{} is no date; write it as 2027-01-31", table.expires)),
                terms: Waiver {
                    owner: table.owner,
                    reason: table.reason,
                    ticket: table.ticket,
                    expires: table.expires,
                },
            }
        });
        Ok(Self(entries.collect()))
    }

    /// How many there are.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// What is wrong with them whatever a run finds. `variants` names the scenarios of a
    /// requirement; there are none for an id that does not exist.
    pub fn lint<'a>(
        &self,
        today: Date,
        variants: impl Fn(&str) -> Option<Vec<&'a str>>,
    ) -> Vec<Remark> {
        let mut seen = BTreeSet::new();
        let mut remarks = Vec::new();
        for entry in &self.0 {
            let mut fault = |why: String| remarks.push(Remark::Fault(entry.said(&why)));
            match (variants(&entry.id), &entry.variant) {
                (None, _) => fault("no such requirement; authspec list shows all".into()),
                (Some(known), Some(variant)) if !known.contains(&variant.as_str()) => {
                    fault(format!(
                        "no scenario is named {variant:?}; there are: {}",
                        known.join("; ")
                    ));
                }
                _ => {}
            }
            if !seen.insert((&entry.id, &entry.variant)) {
                fault("waived twice".into());
            }
            remarks.extend(entry.terms(today));
        }
        remarks
    }

    /// Turns findings that are waived into [`Status::Waived`]. Returns what stops a release, and
    /// what is worth a look.
    pub(super) fn apply(
        &self,
        requirements: &mut [RequirementReport],
        today: Date,
    ) -> (Vec<String>, Vec<String>) {
        let (mut faults, mut remarks) = (Vec::new(), Vec::new());
        for entry in &self.0 {
            let mut holds = true;
            for remark in entry.terms(today) {
                match remark {
                    Remark::Fault(text) => {
                        faults.push(text);
                        holds = false;
                    }
                    Remark::Warning(text) => remarks.push(text),
                }
            }
            match requirements.iter_mut().find(|r| r.id == entry.id) {
                None => remarks.push(entry.said("not part of this run")),
                Some(requirement) => match entry.cover(requirement, holds) {
                    Found::Finding => {}
                    Found::Conforms => faults.push(
                        entry.said("the check passes: the waiver is no longer needed; remove it"),
                    ),
                    Found::Nothing => {
                        remarks.push(entry.said("what it waives was not judged in this run"));
                    }
                },
            }
        }
        for requirement in requirements.iter_mut().filter(|r| !r.scenarios.is_empty()) {
            let worst = requirement.scenarios.iter().map(|s| s.status).max();
            requirement.status = worst.unwrap_or(requirement.status);
        }
        (faults, remarks)
    }
}

/// What a waiver met.
enum Found {
    Finding,
    Conforms,
    Nothing,
}

impl Entry {
    fn said(&self, what: &str) -> String {
        let variant = self.variant.as_ref().map(|v| format!(", {v}")).unwrap_or_default();
        format!("{}: waiver of {}{variant}: {what}", self.place, self.id)
    }

    /// What its own words are worth on that day.
    fn terms(&self, today: Date) -> Vec<Remark> {
        let mut remarks = Vec::new();
        let terms = &self.terms;
        for (name, text) in [("owner", &terms.owner), ("reason", &terms.reason)] {
            if text.trim().is_empty() || text.contains(PLACEHOLDER) {
                remarks.push(Remark::Fault(self.said(&format!("{name} is left to fill in"))));
            }
        }
        match &self.expires {
            Err(why) => remarks.push(Remark::Fault(self.said(&format!("expired: {why}")))),
            Ok(last) if *last < today => {
                let why = format!("expired on {last}; fix the finding or ask {}", terms.owner);
                remarks.push(Remark::Fault(self.said(&why)));
            }
            Ok(last) => {
                let left = last.duration_since(today).as_hours() / 24;
                if left <= NOTICE {
                    let text = format!("expires on {last}, in {left} days");
                    remarks.push(Remark::Warning(self.said(&text)));
                }
            }
        }
        remarks
    }

    /// Marks what it covers, where it holds.
    fn cover(&self, requirement: &mut RequirementReport, holds: bool) -> Found {
        let mut found = Found::Nothing;
        for scenario in &mut requirement.scenarios {
            if self.variant.as_ref().is_some_and(|variant| *variant != scenario.name) {
                continue;
            }
            match scenario.status {
                Status::Fail | Status::Warn | Status::Waived => {
                    found = Found::Finding;
                    if holds {
                        scenario.status = Status::Waived;
                        requirement.waiver = Some(self.terms.clone());
                    }
                }
                Status::Pass | Status::Note if matches!(found, Found::Nothing) => {
                    found = Found::Conforms;
                }
                _ => {}
            }
        }
        found
    }
}

/// A waiver to paste for a finding, in TOML.
pub fn to_paste(requirement: &RequirementReport) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    format!(
        "[[waiver]]\nid = {}\nowner = {PLACEHOLDER:?}\nreason = {PLACEHOLDER:?}\nticket = {PLACEHOLDER:?}\nexpires = {PLACEHOLDER:?}\n",
        quoted(&requirement.id)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::report::samples::{requirement, scenario};

    fn today() -> Date {
        "2026-11-26".parse().unwrap()
    }

    fn waiver(id: &str, rest: &str) -> Waivers {
        let owner = "owner = 'identity team'\nreason = 'next release'";
        Waivers::parse("w.toml", &format!("# known\n[[waiver]]\nid = '{id}'\n{owner}\n{rest}\n"))
            .unwrap()
    }

    fn apply(waivers: &Waivers, status: Status) -> (Status, Vec<String>, Vec<String>) {
        let mut all = [requirement("token.code-single-use", status)];
        all[0].scenarios = vec![scenario("twice", status), scenario("in parallel", Status::Pass)];
        let (faults, remarks) = waivers.apply(&mut all, today());
        (all[0].status, faults, remarks)
    }

    #[test]
    fn a_waiver_covers_a_finding_until_its_last_day() {
        let holds = waiver("token.code-single-use", "expires = '2026-11-26'");
        let (status, faults, remarks) = apply(&holds, Status::Fail);
        assert_eq!((status, faults.len()), (Status::Waived, 0));
        assert!(remarks[0].ends_with("expires on 2026-11-26, in 0 days"), "{remarks:?}");
        let long = waiver("token.code-single-use", "expires = '2026-12-11'");
        assert_eq!(apply(&long, Status::Fail).2, Vec::<String>::new());
        let over = waiver("token.code-single-use", "expires = '2026-11-25'");
        let (status, faults, _) = apply(&over, Status::Fail);
        assert_eq!(status, Status::Fail);
        assert!(faults[0].starts_with("w.toml:2: waiver of token.code-single-use: expired on"));
    }

    #[test]
    fn a_bad_date_is_an_expired_one() {
        for date in ["soon", "2026-13-01", "01.02.2027", "9999-99-99"] {
            let waivers = waiver("token.code-single-use", &format!("expires = '{date}'"));
            let (status, faults, _) = apply(&waivers, Status::Fail);
            assert_eq!(status, Status::Fail);
            assert!(faults[0].contains("expired") && faults[0].contains(date), "{faults:?}");
        }
    }

    #[test]
    fn a_waiver_whose_check_passes_stops_the_release() {
        let waivers = waiver("token.code-single-use", "expires = '2027-11-26'");
        let (_, faults, _) = apply(&waivers, Status::Pass);
        assert!(faults[0].contains("no longer needed"), "{faults:?}");
        for status in [Status::Inconclusive, Status::NotApplicable] {
            let mut all = [requirement("token.code-single-use", status)];
            all[0].scenarios = vec![scenario("twice", status)];
            let (faults, remarks) = waivers.apply(&mut all, today());
            assert_eq!((faults.len(), remarks.len(), all[0].status), (0, 1, status));
        }
    }

    #[test]
    fn a_variant_covers_its_own_scenario_alone() {
        let other = "expires = '2027-11-26'\nvariant = 'in parallel'";
        let (status, faults, _) = apply(&waiver("token.code-single-use", other), Status::Fail);
        assert_eq!((status, faults.len()), (Status::Fail, 1));
        let own = "expires = '2027-11-26'\nvariant = 'twice'";
        let (status, faults, _) = apply(&waiver("token.code-single-use", own), Status::Fail);
        assert_eq!((status, faults.len()), (Status::Waived, 0));
    }

    #[test]
    fn what_nobody_filled_in_does_not_hold() {
        let pasted = to_paste(&requirement("token.code-single-use", Status::Fail));
        let waivers = Waivers::parse("w.toml", &pasted).unwrap();
        let (status, faults, _) = apply(&waivers, Status::Fail);
        assert_eq!((status, faults.len()), (Status::Fail, 3));
    }

    #[test]
    fn lint_knows_ids_variants_and_doubles() {
        let text = "[[waiver]]\nid = 'a.b'\nowner = 'o'\nreason = 'r'\nexpires = '2027-11-26'\n";
        let lint = |text: &str| {
            let known = |id: &str| (id == "a.b").then(|| vec!["one", "two"]);
            Waivers::parse("w.toml", text).unwrap().lint(today(), known)
        };
        assert_eq!(lint(text), []);
        let fault = |text: &str| match &lint(text)[..] {
            [Remark::Fault(why)] => why.clone(),
            other => panic!("{other:?}"),
        };
        assert!(fault(&text.replace("a.b", "a.c")).contains("no such requirement"));
        assert!(fault(&text.replace("owner", "variant = 'three'\nowner")).contains("one; two"));
        assert!(fault(&text.repeat(2)).starts_with("w.toml:6: waiver of a.b: waived twice"));
    }

    #[test]
    fn a_text_that_is_none_is_named_with_its_line() {
        let error = Waivers::parse("w.toml", "\n[[waiver]]\nid = 'a.b'\nowned = 'x'").unwrap_err();
        assert!(error.starts_with("w.toml:4: unknown field `owned`"), "{error}");
        let error = Waivers::parse("w.toml", "[[waiver]]\nid = 'a.b'").unwrap_err();
        assert!(error.starts_with("w.toml:1: missing field"), "{error}");
    }
}
