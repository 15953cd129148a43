//! A run in parts is the whole run, or no run at all.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use authspec::catalogue::Catalogue;
use authspec::embedded;
use authspec::model::report::Report;
use authspec::model::requirement::Profile;
use authspec::plan::Filter;
use authspec::run::{Options, audit_blocking};
use authspec::shard::{Shard, costs, merge};
use reference_server::{Config, Defect, Policy, Server};

fn audit(server: &Server, shard: Option<Shard>, tags: Option<&str>) -> Report {
    let options = Options {
        target: embedded::target(server),
        profile: Profile::Baseline,
        filter: Filter { shard, tags: tags.map(str::to_owned), ..Filter::default() },
        clock: embedded::clock(server),
    };
    audit_blocking(options, Rc::new(())).unwrap().report
}

fn parts(server: &Server, of: usize, tags: Option<&str>) -> Vec<(String, Report)> {
    let all = (1..=of).map(|index| Shard { index, of });
    all.map(|s| (format!("part-{}", s.index), audit(server, Some(s), tags))).collect()
}

fn statuses(report: &Report) -> Vec<(&str, &str)> {
    report.requirements.iter().map(|r| (r.id.as_str(), r.status.as_str())).collect()
}

/// `AUTHSPEC_BLESS=1` writes the costs anew.
#[test]
fn every_requirement_has_a_cost() {
    let catalogue = Catalogue::load().unwrap();
    if std::env::var_os("AUTHSPEC_BLESS").is_some() {
        let server = embedded::start(Config::default()).unwrap();
        let report = audit(&server, None, None);
        let mut text = "id,requests\n".to_owned();
        let all: BTreeMap<&str, usize> = report
            .requirements
            .iter()
            .map(|r| (r.id.as_str(), r.scenarios.iter().map(|s| s.exchanges.len()).sum()))
            .collect();
        all.iter().for_each(|(id, requests)| text.push_str(&format!("{id},{requests}\n")));
        std::fs::write("fixtures/costs.csv", text).unwrap();
    }
    let known: BTreeSet<&str> = catalogue.requirements.iter().map(|r| r.id.as_str()).collect();
    assert_eq!(costs().into_keys().collect::<BTreeSet<_>>(), known);
}

#[test]
fn the_parts_together_are_the_whole_run_and_carry_about_the_same_weight() {
    let ids: Vec<&str> =
        Catalogue::load().unwrap().requirements.iter().map(|r| r.id.as_str()).collect();
    for of in [1, 2, 3, 7, 16] {
        let mut seen = Vec::new();
        let mut loads = Vec::new();
        for index in 1..=of {
            let own = Shard { index, of }.select(ids.iter().copied());
            loads.push(own.iter().map(|id| costs()[id]).sum::<usize>());
            seen.extend(own);
        }
        seen.sort_unstable();
        let mut all = ids.clone();
        all.sort_unstable();
        assert_eq!(seen, all, "{of} parts");
        let dearest = costs().into_values().max().unwrap();
        let spread = loads.iter().max().unwrap() - loads.iter().min().unwrap();
        assert!(spread <= dearest, "{of} parts: {loads:?}");
    }
}

#[test]
fn a_merged_run_says_what_the_whole_run_says() {
    let policy = Policy::with("CodeReusable".parse::<Defect>().unwrap());
    let server = embedded::start(Config { policy, ..Config::default() }).unwrap();
    let whole = audit(&server, None, Some("@token"));
    let merged = merge(parts(&server, 3, Some("@token")), Catalogue::load().unwrap()).unwrap();
    assert_eq!(statuses(&merged), statuses(&whole));
    assert_eq!((merged.gate.exit_code, &merged.counts), (1, &whole.counts));
    assert!(merged.part.is_none() && merged.filter == whole.filter && !merged.interrupted);
}

#[test]
fn a_part_that_is_missing_doubled_or_foreign_is_refused() {
    let catalogue = Catalogue::load().unwrap();
    let server = embedded::start(Config::default()).unwrap();
    let parts = parts(&server, 3, Some("@pkce"));
    let refused = |parts: Vec<(String, Report)>| merge(parts, catalogue).unwrap_err();
    let [one, two, three] = parts.as_slice() else { panic!("three parts") };
    assert_eq!(refused(vec![one.clone(), three.clone()]), "missing parts: 2/3");
    let doubled = refused(vec![one.clone(), two.clone(), two.clone(), three.clone()]);
    assert_eq!(doubled, "part 2 of 3 is there twice: part-2, part-2");
    let foreign = ("other".to_owned(), audit(&server, "2/3".parse().ok(), Some("@token")));
    assert!(
        refused(vec![one.clone(), foreign, three.clone()])
            .contains("other is a part of another run")
    );
    let mut thin = two.clone();
    thin.1.requirements.pop();
    assert!(refused(vec![one.clone(), thin, three.clone()]).contains("does not hold what part"));
    let mut swapped = (one.clone(), two.clone());
    std::mem::swap(&mut swapped.0.1.requirements, &mut swapped.1.1.requirements);
    assert!(refused(vec![swapped.0, swapped.1, three.clone()]).contains("does not hold"));
    let whole = ("whole".to_owned(), audit(&server, None, Some("@pkce")));
    assert!(refused(vec![whole]).contains("is a whole run"));
    assert_eq!(refused(vec![]), "no parts are given");
    let mut cut_short = parts.clone();
    cut_short[1].1.interrupted = true;
    assert!(merge(cut_short, catalogue).unwrap().interrupted);
    assert!(merge(parts, catalogue).is_ok());
}
