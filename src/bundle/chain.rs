//! The exchanges of a run, one a line, each with the digest of the line before.
//!
//! A line is a JSON object with the members `entry` (from 1), `previous` (SHA-256 in hexadecimal of
//! the octets of the line before without its line break; 64 zeros in the first), `requirement`
//! (absent in the preflight), `scenario` and `exchange`. Whoever changes, removes or moves a line
//! must change all that follow, and the manifest with them.

use serde::{Deserialize, Serialize};

use super::manifest::sha256;
use crate::model::report::{ExchangeReport, Report};

/// What the first line has in place of a digest.
const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

#[derive(Serialize)]
struct Line<'a> {
    entry: usize,
    previous: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    requirement: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: Option<String>,
    exchange: &'a ExchangeReport,
}

#[derive(Deserialize)]
struct Link {
    entry: usize,
    previous: String,
}

/// The lines of a run.
///
/// The error says what cannot be written; it is our own fault.
pub(super) fn write(report: &Report) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut previous = NOTHING.to_owned();
    let shared = report.preflight.iter().map(|exchange| (None, None, exchange));
    let judged = report.requirements.iter().flat_map(|requirement| {
        requirement.scenarios.iter().flat_map(move |scenario| {
            let place = format!("{}:{}", scenario.feature, scenario.line);
            let id = requirement.id.as_str();
            scenario.exchanges.iter().map(move |exchange| (Some(id), Some(place.clone()), exchange))
        })
    });
    for (at, (requirement, scenario, exchange)) in shared.chain(judged).enumerate() {
        let line = Line { entry: at + 1, previous: &previous, requirement, scenario, exchange };
        let line = serde_json::to_string(&line).map_err(|e| format!("exchanges: {e}"))?;
        previous = sha256(line.as_bytes());
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    Ok(out)
}

/// The first break of the chain: the entry, and octets before it.
pub(super) fn check(lines: &[u8]) -> Option<(usize, usize)> {
    let mut previous = NOTHING.to_owned();
    let (mut entry, mut at) = (0, 0);
    for line in lines.split_inclusive(|octet| *octet == b'\n') {
        entry += 1;
        let text = line.strip_suffix(b"\n").unwrap_or_default();
        match serde_json::from_slice::<Link>(text) {
            Ok(link) if link.entry == entry && link.previous == previous => {}
            // The digest is that of the line before: there is the change, if it reads as itself.
            _ => return Some((entry, at)),
        }
        previous = sha256(text);
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> Vec<u8> {
        let mut previous = NOTHING.to_owned();
        let mut out = String::new();
        for entry in 1..=3 {
            let line = format!(r#"{{"entry":{entry},"previous":"{previous}","exchange":{entry}}}"#);
            previous = sha256(line.as_bytes());
            out += &(line + "\n");
        }
        out.into_bytes()
    }

    #[test]
    fn a_chain_holds_until_something_changes() {
        let whole = chain();
        assert_eq!(check(&whole), None);
        let lines: Vec<&[u8]> = whole.split_inclusive(|octet| *octet == b'\n').collect();
        assert_eq!(check(&[lines[0], lines[2]].concat()), Some((2, lines[0].len())));
        assert_eq!(check(&[lines[1], lines[0], lines[2]].concat()), Some((1, 0)));
        let changed =
            String::from_utf8(whole.clone()).unwrap().replace("\"exchange\":1", "\"exchange\":9");
        assert_eq!(check(changed.as_bytes()).map(|(entry, _)| entry), Some(2));
        assert_eq!(check(&whole[..whole.len() - 1]).map(|(entry, _)| entry), Some(3));
    }
}
