//! One requirement: as a finding at the top of the page, or as an entry in the list of all.

use maud::{Markup, html};

use super::pool::Pool;
use super::scenario::{self, scenario};
use super::text::{Shown, link};
use super::{Page, words};
use crate::model::report::{RequirementReport, Waiver};
use crate::model::verdict::Status;

/// Where the weaknesses are explained.
const CWE: &str = "https://cwe.mitre.org/data/definitions/";

/// Deviations of a finding that are shown at once.
const SHOWN_AT_ONCE: usize = 4;

/// The requirement is a finding, and stands among them.
pub(super) fn is_finding(requirement: &RequirementReport) -> bool {
    use Status::{Error, Fail, Inconclusive, Warn};
    matches!(requirement.status, Fail | Error | Warn | Inconclusive)
}

/// A finding, told from what is wrong to its evidence.
pub(super) fn finding<'a>(page: &Page<'a>, at: usize, pool: &mut Pool<'a>) -> Markup {
    let requirement = &page.report.requirements[at];
    let anchor = page.anchors.requirement(at);
    html! {
        article class={ "finding " (words::tone(requirement.status)) } id=(anchor) {
            (labels(requirement))
            h3 { (Shown(&requirement.duty)) }
            p class="where" { code { (Shown(&requirement.id)) } " " (self_link(anchor)) }
            (what_is_wrong(page, at))
            @if requirement.scenarios.iter().any(|s| !s.deviations.is_empty()) { (advice(requirement)) }
            (written_where(requirement))
            @if !requirement.scenarios.is_empty() { h4 { "Evidence" } }
            @for (index, found) in requirement.scenarios.iter().enumerate() {
                (scenario(found, page.anchors.scenario(at, index), true, pool))
            }
        }
    }
}

/// An entry of the list: closed, or the way to the finding.
pub(super) fn entry<'a>(page: &Page<'a>, at: usize, pool: &mut Pool<'a>) -> Markup {
    let requirement = &page.report.requirements[at];
    let anchor = page.anchors.requirement(at);
    let sources = words::specifications(requirement).join("|");
    let is_finding = is_finding(requirement);
    html! {
        div class="req" data-status=(requirement.status.as_str()) data-severity=(requirement.severity.as_str())
            data-level=(requirement.level.as_str()) data-step=(Shown(&requirement.step))
            data-impact=(requirement.impact.as_str()) data-source=(Shown(&sources))
            data-topic=(Shown(words::topic(&requirement.id))) {
            @if is_finding {
                p class="ref" {
                    (words::badge(requirement.status)) " "
                    a href={ "#" (anchor) } { (Shown(&requirement.duty)) } " "
                    code { (Shown(&requirement.id)) } " " (grade(requirement))
                }
            } @else {
                details id=(anchor) {
                    summary {
                        (words::badge(requirement.status)) " "
                        span class="duty" { (Shown(&requirement.duty)) } " "
                        code { (Shown(&requirement.id)) } " " (grade(requirement))
                    }
                    div class="body" { (body(page, at, pool)) }
                }
            }
        }
    }
}

fn body<'a>(page: &Page<'a>, at: usize, pool: &mut Pool<'a>) -> Markup {
    let requirement = &page.report.requirements[at];
    html! {
        p class="where" { (self_link(page.anchors.requirement(at))) }
        @if let Some(reason) = &requirement.reason { p { (Shown(reason)) } }
        @if let Some(waiver) = &requirement.waiver { (self::waiver(waiver)) }
        (advice(requirement))
        (written_where(requirement))
        @for (index, found) in requirement.scenarios.iter().enumerate() {
            (scenario(found, page.anchors.scenario(at, index), false, pool))
        }
    }
}

fn labels(requirement: &RequirementReport) -> Markup {
    html! {
        p class="labels" {
            (words::badge(requirement.status)) " " (grade(requirement)) " "
            span class="soft" { "step " (Shown(&requirement.step)) }
        }
    }
}

fn grade(requirement: &RequirementReport) -> Markup {
    html! {
        (words::severity(requirement.severity)) " " span class="level" { (requirement.level.as_str()) }
    }
}

fn self_link(anchor: &str) -> Markup {
    html! { a class="link" href={ "#" (anchor) } aria-label={ "link to " (anchor) } { "link" } }
}

/// Deviations, each with its scenario; or what kept us from judging.
fn what_is_wrong(page: &Page<'_>, at: usize) -> Markup {
    let requirement = &page.report.requirements[at];
    let scenarios = requirement.scenarios.iter().enumerate();
    let telling = scenarios
        .filter(|(_, s)| !s.deviations.is_empty() || s.obstacle.is_some() || s.reason.is_some());
    let told: Vec<Markup> = telling
        .map(|(index, found)| {
            let anchor = page.anchors.scenario(at, index);
            html! {
                div class="told" {
                    p class="case" { "Scenario: " a href={ "#" (anchor) } { (Shown(&found.name)) } }
                    (scenario::result(found, anchor))
                }
            }
        })
        .collect();
    let (first, rest) = told.split_at(told.len().min(SHOWN_AT_ONCE));
    html! {
        @if let Some(reason) = &requirement.reason { p { (Shown(reason)) } }
        @for told in first { (told) }
        @if !rest.is_empty() {
            details class="more" { summary { (rest.len()) " more of this requirement" } @for told in rest { (told) } }
        }
    }
}

/// What an attacker gains and what to change.
fn advice(requirement: &RequirementReport) -> Markup {
    let RequirementReport { attack, fix, accepts, .. } = requirement;
    html! {
        @if !attack.is_empty() || !fix.is_empty() || requirement.status > Status::Note {
            div class="advice" {
                @if !attack.is_empty() {
                    div { h4 { "What an attacker gains" } p { (Shown(attack)) } }
                }
                div { h4 { "How to fix" } p {
                    @if fix.is_empty() { "Make the server answer as the specification accepts: " (Shown(accepts)) }
                    @else { (Shown(fix)) }
                } }
            }
        }
    }
}

/// Sources, weaknesses, and how the duty is probed.
fn written_where(requirement: &RequirementReport) -> Markup {
    html! {
        dl class="meta" {
            div { dt { "Written in" } dd {
                @for (index, source) in requirement.sources.iter().enumerate() {
                    @if index > 0 { ", " }
                    @match requirement.url.as_deref().and_then(link).filter(|_| index == 0) {
                        Some(url) => a href=(Shown(url)) rel="noreferrer noopener" { (Shown(source)) },
                        None => (Shown(source)),
                    }
                }
            } }
            @if !requirement.cwe.is_empty() {
                div { dt { "Weakness" } dd {
                    @for (index, number) in requirement.cwe.iter().enumerate() {
                        @if index > 0 { ", " }
                        a href={ (CWE) (number) ".html" } rel="noreferrer noopener" { "CWE-" (number) }
                    }
                } }
            }
            @for (name, text) in [
                ("Applies", &requirement.applies), ("Probe", &requirement.probe), ("Conforms", &requirement.accepts),
            ] {
                @if !text.is_empty() { div { dt { (name) } dd { (Shown(text)) } } }
            }
            div { dt { "Impact of the probe" } dd { (requirement.impact.as_str()) ": it " (requirement.impact.meaning()) } }
        }
    }
}

/// Who took a finding on.
pub(super) fn waiver(waiver: &Waiver) -> Markup {
    html! {
        p class="waiver" {
            "Waived by " (Shown(&waiver.owner)) " until " (Shown(&waiver.expires)) ": " (Shown(&waiver.reason))
            @if let Some(ticket) = &waiver.ticket {
                " ("
                @match link(ticket) {
                    Some(url) => a href=(Shown(url)) rel="noreferrer noopener" { (Shown(ticket)) },
                    None => (Shown(ticket)),
                }
                ")"
            }
        }
    }
}
