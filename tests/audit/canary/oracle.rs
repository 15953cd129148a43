//! Looks for values in a text by writing them in every encoding; it shares nothing with the canary.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Octets by which forms are told apart at first.
const KEY: usize = 8;

/// Number of a value, name of an encoding, and what the value is in it.
type Form = (usize, &'static str, Vec<u8>);

/// The forms of all values, by how they begin.
pub(crate) struct Oracle(HashMap<Vec<u8>, Vec<Form>>);

impl Oracle {
    pub(crate) fn of<'a>(values: impl IntoIterator<Item = &'a String>) -> Self {
        let mut forms: HashMap<Vec<u8>, Vec<_>> = HashMap::new();
        for (number, value) in values.into_iter().enumerate() {
            for (name, form) in encodings(value) {
                let form = form.into_bytes();
                forms.entry(form[..KEY].to_vec()).or_default().push((number, name, form));
            }
        }
        Self(forms)
    }

    /// Number of the value, name of the encoding and place of everything that is found.
    pub(crate) fn find(&self, text: &[u8]) -> Vec<(usize, &'static str, usize)> {
        let mut found = Vec::new();
        for (at, key) in text.windows(KEY).enumerate() {
            for (number, name, form) in self.0.get(key).into_iter().flatten() {
                if text[at..].starts_with(form) {
                    found.push((*number, *name, at));
                }
            }
        }
        found
    }
}

fn percent(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn encodings(value: &str) -> Vec<(&'static str, String)> {
    let json = |text: &str| {
        let quoted = serde_json::Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let each = |write: &dyn Fn(char) -> String| value.chars().map(write).collect::<String>();
    let mut all = vec![
        ("plain", value.to_owned()),
        ("percent", percent(value)),
        (
            "percent, lower",
            each(&|c| match c.is_ascii_alphanumeric() {
                true => c.to_string(),
                false => percent(&c.to_string()).to_lowercase(),
            }),
        ),
        ("percent twice", percent(&percent(value))),
        ("form", url::form_urlencoded::byte_serialize(value.as_bytes()).collect()),
        ("json", json(value)),
        ("json twice", json(&json(value))),
        ("entities", each(&|c| format!("&#{};", u32::from(c)))),
        ("hexadecimal entities", each(&|c| format!("&#x{:x};", u32::from(c)))),
        ("units", each(&|c| format!("\\u{:04x}", u32::from(c)))),
        ("hexadecimal", value.bytes().map(|b| format!("{b:02x}")).collect()),
    ];
    for (before, first) in [("", 0), ("x", 4), ("xy", 4)] {
        // The digits that depend on nothing but the value.
        let octets = format!("{before}{value}");
        let last = octets.len() * 8 / 6;
        all.push(("base64", STANDARD_NO_PAD.encode(&octets)[first..last].to_owned()));
        all.push(("base64url", URL_SAFE_NO_PAD.encode(&octets)[first..last].to_owned()));
    }
    all.retain(|(_, form)| form.len() >= KEY);
    all
}

#[test]
fn the_oracle_finds_what_is_there_and_nothing_else() {
    let values = ["s3cr3t value/+".to_owned(), "another-0ne".to_owned()];
    let oracle = Oracle::of(&values);
    for (_, form) in encodings(&values[1]) {
        let found = oracle.find(format!("before {form} after").as_bytes());
        assert!(found.iter().any(|(number, _, _)| *number == 1), "{form}");
    }
    assert!(oracle.find(b"s3cr3t valu another-0n").is_empty());
}
