//! The sample as a hostile target would like it.

use authspec::model::report::Report;
use serde_json::Value;

use super::sample::sample;

/// Members of a report that the target, or whoever wrote the profile, has a say in.
pub(crate) const FOREIGN: [&str; 31] = [
    "accepts",
    "actual",
    "attack",
    "came_back",
    "clients",
    "content",
    "curl",
    "duty",
    "endpoint",
    "expected",
    "facts",
    "failure",
    "fix",
    "issuer",
    "name",
    "observations",
    "owner",
    "probe",
    "reason",
    "reasons",
    "remarks",
    "remedy",
    "request_body",
    "request_headers",
    "request_line",
    "response_body",
    "response_headers",
    "safety",
    "sources",
    "tool",
    "tried",
];

/// The sample with `payload` at the end of all that is foreign.
pub(crate) fn with(payload: &str) -> Report {
    let mut value = serde_json::to_value(sample()).unwrap();
    spoil(&mut value, false, payload);
    serde_json::from_value(value).unwrap()
}

fn spoil(value: &mut Value, is_foreign: bool, payload: &str) {
    match value {
        Value::String(text) if is_foreign => text.push_str(payload),
        Value::Array(items) => items.iter_mut().for_each(|item| spoil(item, is_foreign, payload)),
        Value::Object(members) => {
            for (name, member) in members {
                spoil(member, FOREIGN.contains(&name.as_str()), payload);
            }
        }
        _ => {}
    }
}

/// What would be markup, if it could.
pub(crate) const PAYLOADS: [&str; 9] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</style><style>*{display:none}</style>",
    "</script><script>alert(1)</script>",
    "</title></pre></svg><!--",
    "<![CDATA[<svg onload=alert(1)>]]>",
    "&lt;b&gt;&#60;i&#62;&NewLine;",
    "\0\u{1b}]8;;http://evil.test\u{7}\u{202e}\r\n<a href=javascript:alert(1)>x",
];
