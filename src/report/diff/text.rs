//! A comparison for people.

use std::fmt::Write as _;

use super::{Change, Difference, Side};
use crate::model::verdict::Status;
use crate::report::escape::{code, prose};
use crate::report::finding::one_line;

/// Lines shown of one list in Markdown; a note has an end.
const SHOWN: usize = 200;

/// For a terminal.
pub fn text(difference: &Difference) -> String {
    let mut out = String::new();
    for (word, side) in [("before", &difference.before), ("after", &difference.after)] {
        let _ = writeln!(out, "{word:<7} {} {}, {}", side.run, side.issuer, gate(side));
    }
    for note in notes(difference) {
        let _ = writeln!(out, "note    {note}");
    }
    for change in &difference.changes {
        let _ = writeln!(out, "\n{}", heading(change));
        change.told_before.iter().for_each(|line| {
            let _ = writeln!(out, "  - {}", one_line(line));
        });
        change.told_after.iter().for_each(|line| {
            let _ = writeln!(out, "  + {}", one_line(line));
        });
    }
    for (word, ids) in [("added", &difference.added), ("removed", &difference.removed)] {
        if !ids.is_empty() {
            let _ = writeln!(out, "\n{word} requirements: {}", ids.join(", "));
        }
    }
    for drift in &difference.drift {
        let scenario = drift.scenario.iter().map(|s| format!(", {}", one_line(s)));
        let _ = writeln!(out, "\nBEHAVES OTHERWISE {}{}", drift.of, scenario.collect::<String>());
        drift.before.iter().for_each(|line| {
            let _ = writeln!(out, "  - {}", one_line(line));
        });
        drift.after.iter().for_each(|line| {
            let _ = writeln!(out, "  + {}", one_line(line));
        });
    }
    for document in &difference.documents {
        let _ = writeln!(out, "\nPUBLISHES OTHERWISE {}", document.name);
        document.lines.iter().for_each(|line| {
            let _ = writeln!(out, "  {}", one_line(line));
        });
    }
    let _ = writeln!(out, "\n{}", summary(difference));
    out
}

/// For a note on a change.
pub fn markdown(difference: &Difference) -> String {
    let mut out = format!("## authspec: {}\n\n", summary(difference));
    for (word, side) in [("before", &difference.before), ("after", &difference.after)] {
        let _ =
            writeln!(out, "- {word}: {} {}, {}", code(&side.run), code(&side.issuer), gate(side));
    }
    for note in notes(difference) {
        let _ = writeln!(out, "- {}", prose(&note));
    }
    for change in &difference.changes {
        let _ = writeln!(out, "\n**{}**\n", prose(&heading(change)));
        lines(&mut out, "before", &change.told_before);
        lines(&mut out, "after", &change.told_after);
    }
    for (word, ids) in [("Added", &difference.added), ("Removed", &difference.removed)] {
        if !ids.is_empty() {
            let _ = writeln!(out, "\n{word} requirements: {}", prose(&ids.join(", ")));
        }
    }
    for drift in difference.drift.iter().take(SHOWN) {
        let scenario = drift.scenario.iter().map(|s| format!(", {}", prose(s)));
        let _ = writeln!(
            out,
            "\n**Behaves otherwise: {}{}**\n",
            prose(&drift.of),
            scenario.collect::<String>()
        );
        lines(&mut out, "before", &drift.before);
        lines(&mut out, "after", &drift.after);
    }
    if difference.drift.len() > SHOWN {
        let _ = writeln!(out, "\n{} more that behave otherwise.", difference.drift.len() - SHOWN);
    }
    for document in &difference.documents {
        let _ = writeln!(out, "\n**Publishes otherwise: {}**\n", prose(&document.name));
        lines(&mut out, "changed", &document.lines);
    }
    out
}

fn lines(out: &mut String, word: &str, list: &[String]) {
    for line in list.iter().take(SHOWN) {
        let _ = writeln!(out, "- {word}: {}", code(line));
    }
    if list.len() > SHOWN {
        let _ = writeln!(out, "- {} more", list.len() - SHOWN);
    }
}

fn gate(side: &Side) -> String {
    let word = if side.gate.passed { "passed" } else { "failed" };
    format!("gate {word} (exit code {})", side.gate.exit_code)
}

/// What makes the runs hard to compare.
fn notes(difference: &Difference) -> Vec<String> {
    let (before, after) = (&difference.before, &difference.after);
    let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".into());
    let (old_filter, new_filter) = (shown(&before.filter), shown(&after.filter));
    [
        ("the targets differ", &before.issuer, &after.issuer),
        ("the profiles differ", &before.profile, &after.profile),
        ("the filters differ", &old_filter, &new_filter),
        ("the versions of the tool differ", &before.tool, &after.tool),
    ]
    .into_iter()
    .filter(|(_, old, new)| old != new)
    .map(|(what, old, new)| format!("{what}: {old}, then {new}"))
    .collect()
}

fn heading(change: &Change) -> String {
    let before = change.before.map_or("absent", Status::as_str);
    format!(
        "{} {} ({}): {before}, then {}",
        change.kind.as_str().to_uppercase(),
        change.id,
        change.severity.as_str(),
        change.after.as_str()
    )
}

fn summary(difference: &Difference) -> String {
    if difference.is_empty() {
        return "no difference".into();
    }
    let mut parts: Vec<String> = Vec::new();
    let mut kinds: Vec<_> = difference.changes.iter().map(|c| c.kind).collect();
    kinds.dedup();
    for kind in kinds {
        let count = difference.changes.iter().filter(|c| c.kind == kind).count();
        parts.push(format!("{count} {}", kind.as_str()));
    }
    for (count, word) in [
        (difference.added.len(), "added"),
        (difference.removed.len(), "removed"),
        (difference.drift.len(), "with other behaviour"),
        (difference.documents.len(), "documents changed"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    parts.join(", ")
}
