//! Search and filters over the list of requirements. They need script, which shows them.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::text::{Shown, count};
use super::{flow, words};
use crate::model::report::{Report, RequirementReport};
use crate::model::verdict::Status;

/// The choices of one filter: its attribute, its label, and values with what is shown for them.
struct Choice<'a> {
    name: &'static str,
    label: &'static str,
    values: Vec<(&'a str, &'a str)>,
}

pub(super) fn toolbar(report: &Report) -> Markup {
    let all = report.requirements.len();
    html! {
        search id="filter" aria-label="Requirements" hidden {
            p class="field wide" {
                label for="search" { "Search" }
                input type="search" id="search" autocomplete="off" spellcheck="false"
                    placeholder="id, duty, source, scenario";
            }
            fieldset {
                legend { "Status" }
                @for status in Status::ALL.iter().rev() {
                    @if let Some(number) = report.counts.get(status) {
                        label class=(words::tone(*status)) {
                            input type="checkbox" name="status" value=(status.as_str());
                            span aria-hidden="true" { (words::sign(*status)) }
                            " " (status.as_str()) " " span class="soft" { (number) }
                        }
                    }
                }
            }
            @for Choice { name, label, values } in choices(report) {
                p class="field" {
                    label for={ "by-" (name) } { (label) }
                    select id={ "by-" (name) } name=(name) {
                        option value="" { "any" }
                        @for (value, text) in values { option value=(Shown(value)) { (Shown(text)) } }
                    }
                }
            }
            p class="field" { button type="button" id="clear" { "Clear" } }
            p class="field" { button type="button" id="unfold" { "Open all shown" } }
        }
        p id="found" role="status" { (count(all, "requirement")) }
    }
}

/// Values that are shown as they are.
fn same<'a>(values: &BTreeSet<&'a str>) -> Vec<(&'a str, &'a str)> {
    values.iter().map(|value| (*value, *value)).collect()
}

fn choices(report: &Report) -> Vec<Choice<'_>> {
    let of = |value: for<'a> fn(&'a RequirementReport) -> Vec<&'a str>| -> BTreeSet<&str> {
        report.requirements.iter().flat_map(value).collect()
    };
    let plain = |values: BTreeSet<&'static str>, order: &[&'static str]| {
        let known = order.iter().filter(|value| values.contains(*value));
        known.map(|value| (*value, *value)).collect()
    };
    let each = |value: fn(&RequirementReport) -> &'static str| {
        report.requirements.iter().map(value).collect::<BTreeSet<&'static str>>()
    };
    let steps = flow::steps(report).into_iter().map(|(step, _)| (step, flow::label(step)));
    vec![
        Choice {
            name: "severity",
            label: "Severity",
            values: plain(
                each(|r| r.severity.as_str()),
                &["critical", "high", "medium", "low", "info"],
            ),
        },
        Choice {
            name: "level",
            label: "Level",
            values: plain(
                each(|r| r.level.as_str()),
                &["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"],
            ),
        },
        Choice { name: "step", label: "Step", values: steps.collect() },
        Choice { name: "source", label: "Source", values: same(&of(words::specifications)) },
        Choice {
            name: "impact",
            label: "Impact",
            values: plain(
                each(|r| r.impact.as_str()),
                &["passive", "active", "state-changing", "lockout-risk", "load"],
            ),
        },
        Choice { name: "topic", label: "Tag", values: same(&of(|r| vec![words::topic(&r.id)])) },
    ]
}
