//! The log of the command itself: one line an event on standard error.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::OnceLock;

use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The form of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogForm {
    /// One JSON object a line, whatever is said there: time, level, event and what belongs to it.
    Json,
    /// One line an event: time, level, event, and names with values.
    Text,
}

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Debug,
    Info,
    Warn,
    Error,
}

impl Weight {
    fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// Chosen once, before anything is said.
static FORM: OnceLock<LogForm> = OnceLock::new();

/// Turns the log on for the life of the process.
pub(super) fn open(form: Option<LogForm>) {
    if let Some(form) = form {
        let _ = FORM.set(form);
    }
}

/// Logs an event, if there is a log. `members` is an object; none of its values may be a secret.
pub(super) fn event(weight: Weight, name: &str, members: Value) {
    if let Some(form) = FORM.get() {
        let _ =
            writeln!(std::io::stderr(), "{}", line(*form, Timestamp::now(), weight, name, members));
    }
}

/// Logs a message to people where nothing but the log may stand on standard error. Says whether it
/// did.
pub(super) fn message(text: &str) -> bool {
    let is_json = FORM.get() == Some(&LogForm::Json);
    if is_json {
        event(Weight::Warn, "message", json!({ "text": text }));
    }
    is_json
}

fn line(form: LogForm, at: Timestamp, weight: Weight, name: &str, members: Value) -> String {
    let time = format!("{at:.3}");
    let members = match members {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    match form {
        LogForm::Json => {
            let mut all = Map::new();
            all.insert("time".into(), time.into());
            all.insert("level".into(), weight.as_str().into());
            all.insert("event".into(), name.into());
            all.extend(members);
            Value::Object(all).to_string()
        }
        LogForm::Text => {
            let mut text = format!("{time} {:<5} {name}", weight.as_str());
            for (name, value) in members {
                // Bare words stay bare; what has spaces or control characters is quoted as in JSON.
                let is_bare = |c: char| c.is_ascii_graphic() && c != '"' && c != '=';
                let _ = match value.as_str().filter(|t| !t.is_empty() && t.chars().all(is_bare)) {
                    Some(word) => write!(text, " {name}={word}"),
                    None => write!(text, " {name}={value}"),
                };
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at() -> Timestamp {
        "2026-11-23T13:05:01.123Z".parse().unwrap()
    }

    #[test]
    fn a_line_begins_with_time_level_and_event() {
        let members =
            || json!({ "id": "token.code-single-use", "actual": "200 (exchange 3)", "n": 2 });
        assert_eq!(
            line(LogForm::Json, at(), Weight::Info, "requirement_concluded", members()),
            r#"{"time":"2026-11-23T13:05:01.123Z","level":"info","event":"requirement_concluded","id":"token.code-single-use","actual":"200 (exchange 3)","n":2}"#
        );
        assert_eq!(
            line(LogForm::Text, at(), Weight::Warn, "x", members()),
            r#"2026-11-23T13:05:01.123Z warn  x id=token.code-single-use actual="200 (exchange 3)" n=2"#
        );
    }

    proptest! {
        #[test]
        fn no_value_breaks_a_line(text in any::<String>()) {
            for form in [LogForm::Json, LogForm::Text] {
                let line = line(form, at(), Weight::Debug, "x", json!({ "text": text }));
                prop_assert!(!line.contains(['\n', '\r', '\u{1b}']), "{line:?}");
            }
            let line = line(LogForm::Json, at(), Weight::Debug, "x", json!({ "text": text }));
            let back: Value = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(back["text"].as_str(), Some(text.as_str()));
        }
    }
}
