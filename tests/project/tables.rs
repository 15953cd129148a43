//! The tables in `fixtures/`: every row of an attack table is tried, and under one requirement; every
//! known flaw has a seeded defect, or a reason why it has none.

use std::collections::BTreeSet;

use authspec::catalogue::Catalogue;
use authspec::model::hint::Flaw;
use authspec::oauth::vectors::tables;
use reference_server::Defect;

/// Flags that say something about a row and choose none by themselves.
const QUALIFIERS: [&str; 2] = ["discouraged", "representative"];

/// The flags that the steps of all scenarios choose rows by, one entry a scenario.
fn drawn() -> Vec<String> {
    let catalogue = Catalogue::load().unwrap();
    let scenarios = catalogue.features.iter().flat_map(|f| &f.rules).flat_map(|r| &r.scenarios);
    let flag = |text: &str| {
        let rest = text.rsplit_once("flagged ")?.1;
        Some(rest.split(' ').next().unwrap_or_default().to_owned())
    };
    scenarios.flat_map(|s| &s.steps).filter_map(|step| flag(&step.value)).collect()
}

#[test]
fn every_flag_is_drawn_by_one_scenario() {
    let drawn = drawn();
    let unique: BTreeSet<&str> = drawn.iter().map(String::as_str).collect();
    assert_eq!(unique.len(), drawn.len(), "{drawn:?}");
    let declared: BTreeSet<&str> = tables()
        .unwrap()
        .values()
        .flat_map(|table| table.flags.keys())
        .map(String::as_str)
        .filter(|flag| !QUALIFIERS.contains(flag))
        .collect();
    assert_eq!(unique, declared);
}

#[test]
fn every_row_is_drawn_once() {
    for (name, table) in tables().unwrap() {
        for row in &table.rows {
            let choosing =
                row.flags.iter().filter(|flag| !QUALIFIERS.contains(&flag.as_str())).count();
            assert_eq!(choosing, 1, "{name}: {}", row.name);
        }
    }
}

#[test]
fn rows_of_one_flag_start_from_the_same_kind_of_uri() {
    let table = &tables().unwrap()["redirect_uri"];
    for flag in table.flags.keys().filter(|flag| !QUALIFIERS.contains(&flag.as_str())) {
        let kinds: Vec<_> =
            table.rows.iter().filter(|row| row.has(flag)).map(|row| row.on).collect();
        assert!(kinds.windows(2).all(|pair| pair[0] == pair[1]), "{flag}");
    }
}

fn flaws() -> Vec<Flaw> {
    Catalogue::load().unwrap().flaws.clone()
}

#[test]
fn every_known_flaw_is_in_the_register() {
    let numbers: Vec<usize> = flaws().iter().map(|flaw| flaw.number).collect();
    assert_eq!(numbers, (1..=54).collect::<Vec<_>>());
    let titles: BTreeSet<String> = flaws().into_iter().map(|flaw| flaw.title).collect();
    assert_eq!(titles.len(), 54);
}

#[test]
fn every_known_flaw_has_defects_or_a_reason() {
    for flaw in flaws() {
        let defects: Vec<Defect> =
            flaw.defects.iter().map(|name| name.parse().expect("a defect of that name")).collect();
        let has_reason = flaw.out_of_flow.as_ref().is_some_and(|reason| !reason.is_empty());
        assert!(!defects.is_empty() || has_reason, "{}: {}", flaw.number, flaw.title);
        let carried: BTreeSet<&str> =
            defects.iter().flat_map(|defect| defect.known_as()).copied().collect();
        // A reason beside defects is one for the ids that it names.
        let is_explained = |id: &str| {
            let names = |reason: &String| defects.is_empty() || reason.contains(id);
            flaw.out_of_flow.as_ref().is_some_and(names)
        };
        for id in &flaw.published {
            assert!(
                carried.contains(id.as_str()) || is_explained(id),
                "{}: {id} is the name of none of its defects",
                flaw.number
            );
        }
    }
}

#[test]
fn every_published_name_of_a_defect_is_in_the_register() {
    let flaws = flaws();
    let published: BTreeSet<&str> =
        flaws.iter().flat_map(|flaw| &flaw.published).map(String::as_str).collect();
    let unknown: Vec<&str> = Defect::ALL
        .iter()
        .flat_map(|defect| defect.known_as())
        .copied()
        .filter(|id| !published.contains(id))
        .collect();
    assert_eq!(unknown, Vec::<&str>::new());
}
