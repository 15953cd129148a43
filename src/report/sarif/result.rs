//! A finding as a result.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::MESSAGE;
use crate::model::report::{Place, Report};
use crate::model::verdict::Weight;
use crate::report::finding::{Finding, absence, one_line, shortened};

/// Stands for the root of the repository.
pub(super) const ROOT: &str = "%SRCROOT%";

/// Where results are placed when no profile names the target: an upload with an unlocated result
/// is rejected.
const WITHOUT_PROFILE: (&str, usize) = ("authspec.toml", 1);

/// What needs no escape in a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The result of a finding; `rule` is the index of its rule.
pub(super) fn result(report: &Report, finding: &Finding<'_>, rule: usize) -> Value {
    let (requirement, scenario) = (finding.requirement, finding.scenario);
    let (uri, line) = location(report.target.stanza.as_ref());
    let fingerprint = &finding.fingerprint;
    let mut result = json!({
        "ruleId": requirement.id,
        "ruleIndex": rule,
        "level": level(finding.weight),
        "message": { "text": message(finding) },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri, "uriBaseId": ROOT },
                // Code scanning wants all four; the columns are those of the line's first character.
                "region": { "startLine": line, "startColumn": 1, "endLine": line, "endColumn": 2 },
            },
            "logicalLocations": [{
                "fullyQualifiedName": format!("{}:{}", scenario.feature, scenario.line),
                "name": one_line(&scenario.name),
            }],
        }],
        // Code scanning tells alerts apart by the first alone; without it, it would hash the line of
        // the stanza, which all findings share.
        "partialFingerprints": {
            "primaryLocationLineHash": format!("{}:1", &fingerprint[..16]),
            "authspec/v1": fingerprint,
        },
        "properties": {
            "issuer": report.target.issuer,
            "scenario": one_line(&scenario.name),
            "status": requirement.status.as_str(),
        },
    });
    if let Some(exchange) = finding.exchange() {
        result["properties"]["repeat"] = json!(shortened(&one_line(&exchange.curl), MESSAGE));
    }
    if let Some(waiver) = &requirement.waiver {
        result["suppressions"] = json!([{
            "kind": "external",
            "status": "accepted",
            "justification": absence(requirement),
            "properties": { "owner": waiver.owner, "expires": waiver.expires },
        }]);
    }
    result
}

fn message(finding: &Finding<'_>) -> String {
    let mut text = format!("{}: {}", one_line(&finding.scenario.name), finding.message());
    if let Some(exchange) = finding.exchange() {
        let answer = match (exchange.status, &exchange.failure) {
            (Some(status), _) => status.to_string(),
            (None, failure) => {
                format!("no answer: {}", one_line(failure.as_deref().unwrap_or_default()))
            }
        };
        text.push_str(&format!(
            ". Exchange {}: {} -> {answer}",
            exchange.number,
            one_line(&exchange.request_line)
        ));
    }
    // SARIF §3.11.6: what looks like a link in a message is one.
    shortened(&text, MESSAGE).replace("](", "] (")
}

fn level(weight: Weight) -> &'static str {
    match weight {
        Weight::Note => "note",
        Weight::Warning => "warning",
        Weight::Draft | Weight::Failure => "error",
    }
}

/// Path relative to the root of the repository, as a URI, and line.
fn location(stanza: Option<&Place>) -> (String, usize) {
    let (fallback, line) = WITHOUT_PROFILE;
    let Some(place) = stanza else { return (fallback.into(), line) };
    let path = place.file.replace('\\', "/");
    let is_drive = path.as_bytes().get(1) == Some(&b':');
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/').filter(|s| !matches!(*s, "" | ".")) {
        match segment {
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    // Where the repository begins in an absolute path is unknown here: the file's name remains.
    if path.starts_with('/') || is_drive {
        segments = segments.split_off(segments.len().saturating_sub(1));
    }
    let encoded: Vec<String> =
        segments.iter().map(|s| utf8_percent_encode(s, SEGMENT).to_string()).collect();
    match encoded.is_empty() {
        true => (fallback.into(), line),
        false => (encoded.join("/"), place.line.max(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(file: &str, line: usize) -> (String, usize) {
        location(Some(&Place { file: file.into(), line }))
    }

    #[test]
    fn a_result_is_always_located_within_the_repository() {
        assert_eq!(location(None), ("authspec.toml".into(), 1));
        assert_eq!(at("targets/my server.toml", 4), ("targets/my%20server.toml".into(), 4));
        assert_eq!(at("./a/../staging.toml", 0), ("staging.toml".into(), 1));
        assert_eq!(at("/home/ci/repo/staging.toml", 7), ("staging.toml".into(), 7));
        assert_eq!(at(r"C:\repo\staging.toml", 7), ("staging.toml".into(), 7));
        assert_eq!(at(r"targets\staging.toml", 7), ("targets/staging.toml".into(), 7));
        assert_eq!(at("/", 7), ("authspec.toml".into(), 1));
    }
}
