//! The last pass over a report: no text of it holds a secret that is known.
//!
//! Exchanges are redacted on entry, by the names of what they carry as well. This pass is for all
//! else: each member of each part is named here, so that one that is added later has to be thought of.

use super::{
    Cleanup, DeviationReport, Gate, Place, Report, RequirementReport, ScenarioReport, Snapshot,
    StepReport, TargetSummary, Waiver,
};
use crate::model::redact::Canary;
use crate::model::verdict::Obstacle;

impl Report {
    /// Replaces every secret that `canary` knows, wherever it stands in a text that is no exchange.
    /// Times, digests and the trace id are authspec's own and stay.
    pub fn clean(&mut self, canary: &Canary) {
        let Self {
            version: _,
            run,
            tool,
            target: TargetSummary { issuer, clients, stanza },
            started: _,
            duration_ms: _,
            requests: _,
            profile: _,
            filter,
            part: _,
            interrupted: _,
            gate: Gate { passed: _, exit_code: _, rule, reasons, remarks },
            counts: _,
            facts,
            trace_id: _,
            safety,
            cleanup,
            snapshots,
            preflight: _,
            requirements,
        } = self;
        let clean = |text: &mut String| canary.clean(text);
        [run, tool, issuer, rule].into_iter().for_each(clean);
        [clients, reasons, remarks, facts, safety].into_iter().flatten().for_each(clean);
        filter.iter_mut().for_each(clean);
        if let Some(Place { file, line: _ }) = stanza {
            clean(file);
        }
        if let Some(Cleanup {
            issued: _,
            revoked: _,
            grants_left: _,
            access_tokens_left: _,
            sessions_left: _,
            obstacle,
            sessions_ended: _,
            sessions_obstacle,
        }) = cleanup
        {
            [obstacle, sessions_obstacle].into_iter().flatten().for_each(clean);
        }
        for Snapshot { name, url, sha256: _, content } in snapshots {
            [name, url, content].into_iter().for_each(clean);
        }
        requirements.iter_mut().for_each(|requirement| of_requirement(requirement, canary));
    }
}

fn of_requirement(requirement: &mut RequirementReport, canary: &Canary) {
    let RequirementReport {
        id,
        level: _,
        severity: _,
        impact: _,
        step,
        duty,
        sources,
        url,
        applies,
        probe,
        accepts,
        attack,
        fix,
        cwe: _,
        status: _,
        reason,
        waiver,
        scenarios,
    } = requirement;
    let clean = |text: &mut String| canary.clean(text);
    [id, step, duty, applies, probe, accepts, attack, fix].into_iter().for_each(clean);
    sources.iter_mut().chain(url).chain(reason).for_each(clean);
    if let Some(Waiver { owner, reason, ticket, expires: _ }) = waiver {
        [owner, reason].into_iter().chain(ticket).for_each(clean);
    }
    scenarios.iter_mut().for_each(|scenario| of_scenario(scenario, canary));
}

fn of_scenario(scenario: &mut ScenarioReport, canary: &Canary) {
    let ScenarioReport {
        feature,
        line: _,
        name,
        status: _,
        reason,
        obstacle,
        deviations,
        observations,
        at_us: _,
        elapsed_us: _,
        steps,
        exchanges: _,
    } = scenario;
    let clean = |text: &mut String| canary.clean(text);
    [feature, name].into_iter().chain(reason).chain(observations).for_each(clean);
    if let Some(Obstacle { tried, came_back, remedy, is_beyond_the_login: _ }) = obstacle {
        [tried, came_back, remedy].into_iter().for_each(clean);
    }
    for DeviationReport { expected, actual, weight: _, exchange: _ } in deviations {
        [expected, actual].into_iter().for_each(clean);
    }
    for StepReport { keyword, text, line: _, outcome: _, elapsed_us: _, exchanges: _ } in steps {
        [keyword, text].into_iter().for_each(clean);
    }
}
