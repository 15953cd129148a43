//! Draws the report from what the scenarios recorded.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::catalogue::Catalogue;
use crate::gate::strict;
use crate::model::exchange::Exchange;
use crate::model::redact::{Canary, Redactor};
use crate::model::report::{
    Cleanup, DeviationReport, ExchangeReport, Part, REPORT_VERSION, Report, RequirementReport,
    ScenarioReport, Snapshot, StepReport, TargetSummary,
};
use crate::model::requirement::{Profile, Requirement};
use crate::model::verdict::{Deviation, Ledger, Obstacle, Status, Verdict, Weight};
use crate::notes::notes;
use crate::places::Places;
use crate::plan::{Filter, Omitted, Plan};
use crate::shard::{Shard, digest};
use crate::taint::redactor;
use crate::world::context::Context;

/// A scenario that ended.
pub(crate) struct Ended {
    pub(crate) feature: String,
    pub(crate) line: usize,
    pub(crate) name: String,
    /// From the start of the run to that of the scenario.
    pub(crate) at: Duration,
    pub(crate) elapsed: Duration,
    pub(crate) steps: Vec<StepReport>,
    pub(crate) ledger: Ledger,
    pub(crate) verdict: Verdict,
}

/// Shows exchanges without their secrets, and who spoke to whom.
pub(crate) struct Pen {
    pub(crate) redactor: Redactor,
    places: Places,
}

impl Pen {
    pub(crate) fn new<'a>(
        context: &Context,
        exchanges: impl Iterator<Item = &'a Arc<Exchange>>,
    ) -> Self {
        Self { redactor: redactor(context, exchanges), places: Places::of(context) }
    }

    pub(crate) fn exchanges(&self, all: &[Arc<Exchange>]) -> Vec<ExchangeReport> {
        let drawn =
            |e: &Arc<Exchange>| ExchangeReport::new(e, self.places.route(e), &self.redactor);
        all.iter().map(drawn).collect()
    }
}

pub(crate) fn clean(obstacle: &Obstacle, redactor: &Redactor) -> Obstacle {
    Obstacle {
        tried: redactor.redact(&obstacle.tried),
        came_back: redactor.redact(&obstacle.came_back),
        remedy: redactor.redact(&obstacle.remedy),
        is_beyond_the_login: obstacle.is_beyond_the_login,
    }
}

pub(crate) type ById = BTreeMap<String, Vec<Ended>>;

pub(crate) fn status_of(
    requirement: &Requirement,
    scenarios: &[Ended],
    profile: Profile,
) -> Status {
    let cap = requirement.cap(profile);
    let of = |ended: &Ended| Status::of(&ended.verdict, &ended.ledger.deviations, cap, profile);
    scenarios.iter().map(of).max().unwrap_or(Status::Error)
}

pub(crate) fn draw(
    catalogue: &Catalogue,
    plan: &Plan,
    context: &Context,
    ended: ById,
    filter: &Filter,
    cleanup: Option<Cleanup>,
    (started, elapsed): (Timestamp, Duration),
) -> (Report, Canary) {
    let shared = context.shared.exchanges();
    let pen = Pen::new(
        context,
        shared.iter().chain(ended.values().flatten().flat_map(|e| &e.ledger.exchanges)),
    );
    let mut requirements: Vec<RequirementReport> = Vec::new();
    for requirement in catalogue.order().filter_map(|id| catalogue.requirement(id)) {
        if let Some(scenarios) = ended.get(&requirement.id) {
            requirements.push(judged(requirement, scenarios, context.profile, &pen));
        } else if let Some(omitted) = plan.omitted.get(&requirement.id) {
            requirements.push(unjudged(requirement, omitted));
        }
    }
    let mut counts = BTreeMap::new();
    for requirement in &requirements {
        *counts.entry(requirement.status).or_default() += 1;
    }
    let started = format!("{started:.3}");
    let mut report = Report {
        version: REPORT_VERSION,
        run: run_name(&started, &context.target.issuer),
        tool: format!("authspec {}", env!("CARGO_PKG_VERSION")),
        target: TargetSummary {
            issuer: context.target.issuer.clone(),
            clients: context.target.clients.iter().map(|c| c.id.clone()).collect(),
            stanza: context.target.stanza.clone(),
        },
        started,
        duration_ms: millis(elapsed),
        requests: context.http.requests(),
        profile: context.profile,
        filter: filter.describe(),
        part: None,
        interrupted: false,
        gate: strict(&requirements),
        counts,
        facts: describe(context).iter().map(|fact| pen.redactor.redact(fact)).collect(),
        trace_id: context.http.trace_id(),
        safety: notes(plan, context).iter().map(|note| pen.redactor.redact(note)).collect(),
        cleanup: cleanup.map(|cleanup| cleanup.redacted(&pen.redactor)),
        snapshots: snapshots(context, &pen.redactor),
        preflight: pen.exchanges(&shared),
        requirements,
    };
    report.part = filter.shard.map(|Shard { index, of }| {
        let all = filter.select(catalogue).unwrap_or_default();
        let plan = digest(&report, of, all.iter().map(|s| s.requirement.id.as_str()));
        Part { index, of, plan }
    });
    (report, pen.redactor.canary())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Start of the run and host of the target, fit for a folder name: `20261123T130501123Z-as.test`.
fn run_name(started: &str, issuer: &str) -> String {
    let time: String = started.chars().filter(char::is_ascii_alphanumeric).collect();
    let host = issuer.split_once("://").map_or("", |(_, rest)| rest);
    let host: String =
        host.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
    format!("{time}-{}", host.trim_matches('-'))
}

/// The public documents of the target as they were fetched.
fn snapshots(context: &Context, redactor: &Redactor) -> Vec<Snapshot> {
    let facts = &context.facts;
    let of = |name: &str, exchange: &Exchange| {
        let body = &exchange.response()?.body;
        Some(Snapshot {
            name: name.to_owned(),
            url: redactor.redact(&exchange.request.url),
            sha256: Sha256::digest(body).iter().map(|octet| format!("{octet:02x}")).collect(),
            content: redactor.redact(&String::from_utf8_lossy(body)),
        })
    };
    let known = ["openid-configuration", "oauth-authorization-server"];
    let documents = facts.documents.iter().filter_map(|document| {
        let name = known.into_iter().find(|name| document.location.contains(name))?;
        of(name, &document.exchange)
    });
    let jwks = facts.jwks_exchange.iter().filter_map(|exchange| of("jwks", exchange));
    documents.chain(jwks).collect()
}

fn describe(context: &Context) -> Vec<String> {
    let facts = &context.facts;
    let yes_no = |what: &str, holds: bool| format!("{what}: {}", if holds { "yes" } else { "no" });
    let mut all: Vec<String> =
        facts.documents.iter().map(|d| format!("metadata: {}", d.location)).collect();
    all.push(yes_no("OpenID provider", facts.oidc));
    all.push(yes_no("consent page in the first flow", facts.consent_shown));
    all.push(yes_no("refresh token issued", facts.refresh_token));
    all.push(yes_no("access token is a JWT", facts.jwt_access_token));
    if context.target.network.insecure {
        all.push("certificates were not verified: the profile or --insecure says so".into());
    }
    all.extend(facts.advice.iter().map(|advice| format!("to change: {advice}")));
    let (spent, budget) = (context.memory.spent(), context.memory.budget());
    all.push(format!(
        "login: {}, {spent} sign-ins of at most {budget}",
        context.target.login.driver()
    ));
    let lifetimes = facts.lifetimes.iter();
    all.extend(lifetimes.map(|(place, seconds)| format!("lifetime by {place}: {seconds} s")));
    all
}

fn unjudged(requirement: &Requirement, omitted: &Omitted) -> RequirementReport {
    let reason = Some(omitted.reason().to_owned());
    RequirementReport { status: omitted.status(), reason, ..frame(requirement) }
}

fn frame(requirement: &Requirement) -> RequirementReport {
    RequirementReport {
        id: requirement.id.clone(),
        level: requirement.level,
        severity: requirement.severity,
        impact: requirement.impact,
        step: requirement.step.clone(),
        duty: requirement.duty.clone(),
        sources: requirement.sources.clone(),
        url: requirement.url.clone(),
        applies: requirement.applies.clone(),
        probe: requirement.probe.clone(),
        accepts: requirement.accepts.clone(),
        attack: requirement.attack.clone(),
        fix: requirement.fix.clone(),
        cwe: requirement.cwe.clone(),
        status: Status::Error,
        reason: None,
        waiver: None,
        scenarios: vec![],
    }
}

fn judged(
    requirement: &Requirement,
    scenarios: &[Ended],
    profile: Profile,
    pen: &Pen,
) -> RequirementReport {
    let cap = requirement.cap(profile);
    let status = status_of(requirement, scenarios, profile);
    let scenarios: Vec<ScenarioReport> =
        scenarios.iter().map(|ended| scenario_report(ended, cap, profile, pen)).collect();
    let reason = scenarios.iter().filter(|s| s.status == status).find_map(|s| s.reason.clone());
    RequirementReport { status, reason, scenarios, ..frame(requirement) }
}

fn scenario_report(ended: &Ended, cap: Weight, profile: Profile, pen: &Pen) -> ScenarioReport {
    let redactor = &pen.redactor;
    let (reason, obstacle) = match &ended.verdict {
        Verdict::NotApplicable(reason) | Verdict::Error(reason) => {
            (Some(redactor.redact(reason)), None)
        }
        Verdict::Inconclusive(obstacle) => {
            let clean = clean(obstacle, redactor);
            (Some(clean.to_string()), Some(clean))
        }
        Verdict::Pass | Verdict::Fail => (None, None),
    };
    let weigh = |deviation: &Deviation| DeviationReport::new(deviation, cap, profile, redactor);
    ScenarioReport {
        feature: ended.feature.clone(),
        line: ended.line,
        name: ended.name.clone(),
        status: Status::of(&ended.verdict, &ended.ledger.deviations, cap, profile),
        reason,
        obstacle,
        deviations: ended.ledger.deviations.iter().map(weigh).collect(),
        observations: ended.ledger.observations.iter().map(|o| redactor.redact(o)).collect(),
        at_us: micros(ended.at),
        elapsed_us: micros(ended.elapsed),
        steps: ended.steps.clone(),
        exchanges: pen.exchanges(&ended.ledger.exchanges),
    }
}
