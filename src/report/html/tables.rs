//! The matrix of requirements, what has no verdict, and what is known of the target.

use maud::{Markup, html};

use super::pool::Pool;
use super::text::{Shown, link};
use super::{Page, exchange, flow, requirement, scenario, words};
use crate::model::report::{Report, RequirementReport};
use crate::model::verdict::Status;

/// Every requirement in one line, in the order of the list.
pub(super) fn matrix(page: &Page<'_>) -> Markup {
    html! {
        section id="matrix" aria-labelledby="matrix-title" {
            h2 id="matrix-title" { "Requirement matrix" }
            div class="scroll" tabindex="0" role="group" aria-label="Requirement matrix" {
                table {
                    caption { "Every requirement of the run. The filters of the list choose among these lines too." }
                    thead { tr {
                        @for head in ["Id", "Level", "Severity", "Status", "Step", "Scenarios"] {
                            th scope="col" { (head) }
                        }
                    } }
                    tbody id="rows" {
                        @for at in flow::steps(page.report).into_iter().flat_map(|(_, members)| members) {
                            @let requirement = &page.report.requirements[at];
                            tr {
                                th scope="row" { (to_requirement(page, at)) }
                                td { (requirement.level.as_str()) }
                                td { (words::severity(requirement.severity)) }
                                td { (words::badge(requirement.status)) }
                                td { (Shown(&requirement.step)) }
                                td { (scenario::tally(&requirement.scenarios)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn to_requirement(page: &Page<'_>, at: usize) -> Markup {
    html! {
        a href={ "#" (page.anchors.requirement(at)) } { (Shown(&page.report.requirements[at].id)) }
    }
}

/// What was not judged, and what somebody answers for, with reasons.
pub(super) fn unjudged(page: &Page<'_>) -> Markup {
    use Status::{Inconclusive, NotApplicable, Untested, Waived};
    html! {
        section id="unjudged" aria-labelledby="unjudged-title" {
            h2 id="unjudged-title" { "Without a verdict, or waived" }
            p class="soft" { "None of these counts as a pass." }
            @for (status, title) in [
                (Inconclusive, "Inconclusive"), (Waived, "Waived"), (NotApplicable, "Not applicable"),
                (Untested, "Untested"),
            ] {
                @let all = page.report.requirements.iter().enumerate();
                @let members: Vec<_> = all.filter(|(_, r)| r.status == status).collect();
                @if !members.is_empty() {
                    h3 { (title) " " span class="soft" { (members.len()) } }
                    table {
                        caption class="vh" { (title) " requirements with reasons" }
                        thead { tr { th scope="col" { "Id" } th scope="col" { "Reason" } } }
                        tbody { @for (at, requirement) in members { tr {
                            th scope="row" { (to_requirement(page, at)) }
                            td { (reasons(requirement)) }
                        } } }
                    }
                }
            }
        }
    }
}

fn reasons(requirement: &RequirementReport) -> Markup {
    let mut told: Vec<&str> = Vec::new();
    let own = requirement.reason.iter();
    for reason in own.chain(requirement.scenarios.iter().filter_map(|s| s.reason.as_ref())) {
        if !told.contains(&reason.as_str()) {
            told.push(reason);
        }
    }
    let obstacles = requirement.scenarios.iter().filter_map(|s| s.obstacle.as_ref());
    html! {
        @if let Some(waiver) = &requirement.waiver { (requirement::waiver(waiver)) }
        @for reason in told { p { (Shown(reason)) } }
        @for obstacle in obstacles { (scenario::obstacle(obstacle)) }
    }
}

/// What was found out about the target, and what it publishes.
pub(super) fn target<'a>(report: &'a Report, pool: &mut Pool<'a>) -> Markup {
    html! {
        section id="target" aria-labelledby="target-title" {
            h2 id="target-title" { "Target" }
            @if !report.facts.is_empty() {
                h3 { "Facts" }
                ul class="plain" { @for fact in &report.facts { li { (Shown(fact)) } } }
            }
            @if !report.snapshots.is_empty() {
                h3 { "Documents as they were fetched" }
                div class="scroll" tabindex="0" role="group" aria-label="Documents" {
                    table {
                        caption class="vh" { "Documents that the target publishes" }
                        thead { tr { @for head in ["Name", "Address", "SHA-256"] { th scope="col" { (head) } } } }
                        tbody { @for snapshot in &report.snapshots { tr {
                            th scope="row" { (Shown(&snapshot.name)) }
                            td { @match link(&snapshot.url) {
                                Some(url) => a href=(Shown(url)) rel="noreferrer noopener" { (Shown(&snapshot.url)) },
                                None => (Shown(&snapshot.url)),
                            } }
                            td { code { (Shown(&snapshot.sha256)) } }
                        } } }
                    }
                }
                @for snapshot in &report.snapshots {
                    details class="more" { summary { "Content of " (Shown(&snapshot.name)) }
                        pre { "\n" (Shown(&snapshot.content)) } }
                }
            }
            @if !report.preflight.is_empty() {
                h3 { "Before the scenarios" }
                p class="soft" { "Those of the preflight, of shared working twins and of first attempts." }
                (exchange::list(&report.preflight, &[], "preflight", pool))
            }
        }
    }
}
