//! What the audit does not say: drawn from the run, for whoever relies on it.

use std::fmt::Write as _;

use crate::model::report::{Report, RequirementReport};
use crate::model::verdict::Status;

/// What follows, whatever the run found.
const ALWAYS: &str = "\
- An audit sees what the server answers to a client and a user agent. It reads no source and no
  configuration, and no storage: how passwords, keys and tokens are kept is not judged.
- Passing means that the scenarios found no violation. It is no proof that there is none.
- Secrets are replaced by pseudonyms such as `<access_token#3>`: equal values have equal pseudonyms.
  Digests of snapshots are those of the octets that arrived, before that.
- The signature of a bundle, where there is one, says who made it. It does not say that the audit was
  carried out with care.
";

/// Markdown.
pub(super) fn write(report: &Report) -> String {
    let mut out = format!("# Limits of the audit {}\n\n", word(&report.run));
    let _ = writeln!(out, "- Target: {}", word(&report.target.issuer));
    let _ = writeln!(out, "- Clients: {}", word(&report.target.clients.join(", ")));
    let _ = writeln!(out, "- Held to the profile: {}", report.profile.as_str());
    let filter = report.filter.as_deref().map_or("none: everything was selected".into(), word);
    let _ = writeln!(out, "- Filter: {filter}");
    let _ = writeln!(out, "- Begun {}, {} requests", report.started, report.requests);
    let _ = writeln!(out, "- Gate: {}\n", word(&report.gate.rule));
    out.push_str("## In any case\n\n");
    out.push_str(ALWAYS);
    for (title, statuses) in [
        ("Could not be judged", &[Status::Inconclusive, Status::Error][..]),
        ("Not applicable to this target", &[Status::NotApplicable]),
        ("Not tested", &[Status::Untested]),
    ] {
        let found: Vec<&RequirementReport> =
            report.requirements.iter().filter(|r| statuses.contains(&r.status)).collect();
        let _ = writeln!(out, "\n## {title}: {}\n", found.len());
        for requirement in found {
            let reason = requirement.reason.as_deref().unwrap_or("no reason is recorded");
            let level = requirement.level.as_str();
            let _ = writeln!(out, "- {} ({level}): {}", requirement.id, word(reason));
        }
    }
    let waived = report.requirements.iter().filter_map(|r| Some((r, r.waiver.as_ref()?)));
    let waived: Vec<_> = waived.collect();
    let _ = writeln!(out, "\n## Waived: {}\n", waived.len());
    for (requirement, waiver) in waived {
        let (owner, reason) = (word(&waiver.owner), word(&waiver.reason));
        let _ = writeln!(out, "- {} until {} by {owner}: {reason}", requirement.id, waiver.expires);
    }
    out.push_str("\n## What was found out about the target\n\n");
    for fact in &report.facts {
        let _ = writeln!(out, "- {}", word(fact));
    }
    out
}

/// A text of somebody else's in one line, without markup.
fn word(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            out.push(' ');
        } else {
            if matches!(c, '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '!') {
                out.push('\\');
            }
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_reason_is_text() {
        assert_eq!(word("<b>\n[x](y)"), r"\<b\> \[x\](y)");
    }
}
