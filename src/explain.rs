//! Explains a requirement: what is known about it, and one good and one bad exchange, observed on the
//! reference server with and without a defect that violates it.

use std::rc::Rc;

use reference_server::{Config, Defect, Login};

use crate::catalogue::Catalogue;
use crate::embedded::{self, seeded};
use crate::model::explanation::{Example, Explanation, Proof};
use crate::model::hint::Flaw;
use crate::model::report::{DeviationReport, ExchangeReport, Report, ScenarioReport};
use crate::model::requirement::{Profile, Requirement};
use crate::model::verdict::Status;
use crate::oauth::dcql::Format;
use crate::plan::Filter;
use crate::run::{Failure, Options, audit};

/// Defects that are tried for one that an exchange shows with full weight.
const MOST_DEFECTS: usize = 8;

/// Everything about the requirement but the example, which only [`demonstrate`] finds.
pub fn describe(catalogue: &Catalogue, requirement: &Requirement) -> Explanation {
    let id = requirement.id.as_str();
    Explanation {
        id: id.to_owned(),
        level: requirement.level,
        severity: requirement.severity,
        impact: requirement.impact,
        cwe: requirement.cwe.clone(),
        step: requirement.step.clone(),
        duty: requirement.duty.clone(),
        sources: requirement.sources.clone(),
        url: requirement.url.clone(),
        applies: requirement.applies.clone(),
        attack: requirement.attack.clone(),
        probe: requirement.probe.clone(),
        gherkin: catalogue.gherkin(id),
        accepts: requirement.accepts.clone(),
        fix: requirement.fix.clone(),
        servers: catalogue.hints.iter().filter(|hint| hint.covers(id)).cloned().collect(),
        defects: violating(id).map(|defect| proof(catalogue, defect)).collect(),
        untested: requirement.untested.clone(),
        example: None,
        no_example: None,
    }
}

/// [`describe`] with an example, or with the reason why there is none.
pub async fn explain(catalogue: &Catalogue, requirement: &Requirement) -> Explanation {
    let mut explanation = describe(catalogue, requirement);
    if requirement.untested.is_none() {
        match demonstrate(requirement).await {
            Ok(example) => explanation.example = Some(example),
            Err(reason) => explanation.no_example = Some(reason),
        }
    }
    explanation
}

fn violating(id: &str) -> impl Iterator<Item = Defect> + '_ {
    Defect::ALL.iter().copied().filter(move |defect| defect.violates().contains(&id))
}

fn proof(catalogue: &Catalogue, defect: Defect) -> Proof {
    let is_of = |flaw: &&Flaw| flaw.defects.iter().any(|d| d == defect.name());
    Proof {
        name: defect.name(),
        description: defect.description(),
        known_as: defect.known_as(),
        flaws: catalogue.flaws.iter().filter(is_of).map(|flaw| flaw.title.clone()).collect(),
    }
}

/// Runs the scenarios of the requirement against reference servers in this process: one with the
/// first defect whose violation an exchange shows with full weight, then the same one without the
/// defect. No secret is in the result.
///
/// The error says why there is nothing to show.
pub async fn demonstrate(requirement: &Requirement) -> Result<Example, String> {
    let id = requirement.id.as_str();
    let mut best: Option<Violation> = None;
    let mut reason = "no seeded defect violates it".to_owned();
    for defect in violating(id).take(MOST_DEFECTS) {
        let report = observe(seeded::config(defect), id).await?;
        match shown(&report, id) {
            Some((scenario, deviation, exchange)) => {
                if best.as_ref().is_none_or(|b| b.deviation.weight < deviation.weight) {
                    best = Some(Violation {
                        defect,
                        scenario: scenario.clone(),
                        deviation: deviation.clone(),
                        exchange: exchange.clone(),
                    });
                }
                if deviation.weight >= requirement.cap(Profile::Baseline) {
                    break;
                }
            }
            None if best.is_none() => reason = nothing_cited(&report, id, defect),
            None => {}
        }
    }
    let Violation { defect, scenario, deviation, exchange } = best.ok_or(reason)?;
    let mut healthy = seeded::conformant(&seeded::config(defect));
    // A server that demands a challenge has no such code to refuse.
    healthy.pkce_required &= !seeded::NEED_OPTIONAL_PKCE.contains(&id);
    let (good, note) = counterpart(&observe(healthy, id).await?, id, &scenario, &exchange)?;
    Ok(Example {
        defect: defect.name(),
        scenario: scenario.name,
        expected: deviation.expected,
        actual: deviation.actual,
        bad: exchange,
        good,
        note,
    })
}

/// What a server with a defect did.
struct Violation {
    defect: Defect,
    scenario: ScenarioReport,
    deviation: DeviationReport,
    exchange: ExchangeReport,
}

/// The report of that requirement alone.
async fn observe(config: Config, id: &str) -> Result<Report, String> {
    let wallet = (config.login == Login::Wallet).then_some(Format::SdJwtVc);
    let (server, serving) =
        embedded::bind(config).map_err(|e| format!("the reference server does not start: {e}"))?;
    let serving = tokio::spawn(serving);
    let options = Options {
        target: seeded::audited(&server, wallet, true)?,
        profile: Profile::Baseline,
        filter: Filter { ids: vec![id.to_owned()], ..Filter::default() },
        clock: embedded::clock(&server),
    };
    let report = audit(options, Rc::new(())).await.map(|outcome| outcome.report);
    serving.abort();
    report.map_err(|failure| match failure {
        Failure::Preflight(obstacle, ..) => {
            format!("the reference server could not be audited: {obstacle}")
        }
        Failure::NothingSelected(text) | Failure::Usage(text) | Failure::Own(text) => text,
    })
}

fn scenarios<'a>(report: &'a Report, id: &'a str) -> impl Iterator<Item = &'a ScenarioReport> {
    report.requirements.iter().filter(move |r| r.id == id).flat_map(|r| &r.scenarios)
}

/// The heaviest deviation that cites an exchange of its scenario.
fn shown<'a>(
    report: &'a Report,
    id: &'a str,
) -> Option<(&'a ScenarioReport, &'a DeviationReport, &'a ExchangeReport)> {
    let all = scenarios(report, id).flat_map(|s| s.deviations.iter().map(move |d| (s, d)));
    let cited = all.filter_map(|(scenario, deviation)| {
        let number = deviation.exchange?;
        let exchange = scenario.exchanges.iter().find(|e| e.number == number)?;
        Some((scenario, deviation, exchange))
    });
    // Of equals the first: max_by_key would take the last.
    cited.min_by_key(|(_, deviation, _)| std::cmp::Reverse(deviation.weight))
}

fn nothing_cited(report: &Report, id: &str, defect: Defect) -> String {
    let said = scenarios(report, id).flat_map(|s| &s.deviations).next();
    match said {
        Some(deviation) => format!(
            "no single exchange shows it: with {defect} the check expects {}, and gets {}",
            deviation.expected, deviation.actual
        ),
        None => format!("the scenarios show no deviation of a server with {defect} when run alone"),
    }
}

/// The exchange of the conformant server at the same place of the same scenario, and what there is to
/// know about it.
///
/// The error says that the scenario does not pass there, which would be a defect of ours.
fn counterpart(
    report: &Report,
    id: &str,
    scenario: &ScenarioReport,
    bad: &ExchangeReport,
) -> Result<(Option<ExchangeReport>, Option<String>), String> {
    let same = |s: &&ScenarioReport| s.feature == scenario.feature && s.line == scenario.line;
    let run = scenarios(report, id).find(same).filter(|run| run.status == Status::Pass);
    let run = run.ok_or("the conformant reference server does not pass the same scenario")?;
    let alike = run.exchanges.iter().filter(|e| place(e) == place(bad));
    if let Some(good) = alike.min_by_key(|e| e.number.abs_diff(bad.number)) {
        return Ok((Some(good.clone()), None));
    }
    let last = run.exchanges.last().cloned();
    let note = match last {
        Some(_) => {
            "the conformant server gets no such request: this is the last one of the scenario"
        }
        None => "the scenario looks at exchanges of the whole run, and cites none of this server",
    };
    Ok((last, Some(note.into())))
}

/// Method and path of a request: two servers have two ports.
fn place(exchange: &ExchangeReport) -> (&str, &str) {
    let (method, url) = exchange.request_line.split_once(' ').unwrap_or_default();
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.find('/').map_or("", |at| &after_scheme[at..]);
    (method, path.split(['?', '#']).next().unwrap_or_default())
}
