//! Reads a recording of Chrome's DevTools Recorder (JSON) as steps of a login. What was typed is read
//! to tell what it was for, and is never kept.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Recording {
    #[serde(default)]
    title: String,
    steps: Vec<Recorded>,
}

/// One step as the Recorder writes it; members beyond these are of no use here.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Recorded {
    #[serde(rename = "type")]
    kind: String,
    url: String,
    key: String,
    value: String,
    /// Alternatives, each a text or a path of texts through shadow roots.
    selectors: Vec<Value>,
}

/// What becomes of a recorded step.
#[derive(Debug, PartialEq, Eq)]
enum Became {
    /// Members of a step.
    Step(Vec<(&'static str, String)>),
    /// Nothing, for that reason.
    Comment(String),
    /// Nothing that anybody misses.
    Nothing,
}

/// The `[[login.steps]]` of a recording, as text for a profile.
///
/// The error says what is wrong, and repeats no value.
pub fn steps(recording: &str) -> Result<String, String> {
    let recording: Recording = serde_json::from_str(recording).map_err(|e| {
        // The message of the parser would quote what it found.
        format!("line {}: no recording of the DevTools Recorder with a list of steps", e.line())
    })?;
    let title: String = recording.title.chars().filter(|c| !c.is_control()).collect();
    let mut out = format!("# Steps of a recording{}.\n", quoted(&title));
    out.push_str("[login]\ndriver = \"browser\"\n");
    let mut reader = Reader::default();
    let mut count = 0;
    for step in &recording.steps {
        match reader.read(step) {
            Became::Nothing => {}
            Became::Comment(why) => {
                let _ = writeln!(out, "\n# {why}");
            }
            Became::Step(members) => {
                count += 1;
                out.push_str("\n[[login.steps]]\n");
                for (key, value) in members {
                    let _ = writeln!(out, "{key} = {}", toml::Value::String(value));
                }
            }
        }
    }
    match count {
        0 => Err("the recording holds no step that a login could take".into()),
        _ => Ok(out),
    }
}

fn quoted(title: &str) -> String {
    if title.is_empty() { String::new() } else { format!(", \"{title}\"") }
}

/// What was read so far decides what a field is for.
#[derive(Default)]
struct Reader {
    has_navigated: bool,
    /// The field that was filled last: the Recorder writes every change of it.
    filled: Option<String>,
}

impl Reader {
    fn read(&mut self, step: &Recorded) -> Became {
        let before = self.filled.take();
        let became = match step.kind.as_str() {
            "setViewport" | "keyUp" | "hover" | "scroll" | "close" => Became::Nothing,
            "navigate" => self.navigate(&step.url),
            "click" | "doubleClick" => click(step),
            "change" => self.change(step, before.as_deref()),
            "keyDown" => match step.key.as_str() {
                "Enter" | "Tab" | "Escape" => Became::Step(vec![("press", step.key.clone())]),
                // A letter may be one of the password.
                _ => Became::Comment(
                    "left out: keyDown of another key than Enter, Tab or Escape".into(),
                ),
            },
            "waitForElement" => match css(step) {
                Some(selector) => Became::Step(vec![("wait", selector)]),
                None => Became::Comment("left out: waitForElement without a CSS selector".into()),
            },
            other => Became::Comment(format!("left out: unknown step of type {}", plain(other))),
        };
        if matches!(became, Became::Nothing) {
            self.filled = before;
        }
        became
    }

    /// The first address is that of an authorization request, which is another in every login.
    fn navigate(&mut self, url: &str) -> Became {
        let is_first = !std::mem::replace(&mut self.has_navigated, true);
        if is_first || ["response_type=", "request_uri="].iter().any(|part| url.contains(part)) {
            return Became::Step(vec![("open", "{authorization_url}".into())]);
        }
        // Its parameters belong to one session.
        let bare = url.split(['?', '#']).next().unwrap_or_default();
        Became::Step(vec![("open", bare.replace('{', "{{").replace('}', "}}"))])
    }

    fn change(&mut self, step: &Recorded, before: Option<&str>) -> Became {
        let Some(field) = css(step).or_else(|| words(step)) else {
            return Became::Comment("left out: a change without a CSS selector or label".into());
        };
        if before == Some(field.as_str()) {
            self.filled = Some(field);
            return Became::Nothing;
        }
        self.filled = Some(field.clone());
        Became::Step(vec![("fill", field), ("with", reference(step).into())])
    }
}

/// What was typed is the password or a code where the field says so, and the user name else: no
/// value of a recording is ever repeated.
fn reference(step: &Recorded) -> &'static str {
    let about: String = texts(step).map(str::to_ascii_lowercase).collect::<Vec<_>>().join(" ");
    let says = |words: &[&str]| words.iter().any(|word| about.contains(word));
    let is_code =
        (6..=8).contains(&step.value.len()) && step.value.chars().all(|c| c.is_ascii_digit());
    if says(&["otp", "one-time", "2fa", "mfa", "passcode", "verification"]) {
        "{otp}"
    } else if says(&["pass", "pwd", "secret", "pin"]) {
        "{password}"
    } else if is_code && says(&["code", "token"]) {
        "{otp}"
    } else {
        "{username}"
    }
}

fn click(step: &Recorded) -> Became {
    // An identifier holds longer than a place in the tree, and so do the words on a button.
    let by_id = css(step).filter(|selector| selector.starts_with(['#', '[']));
    match by_id.or_else(|| words(step)).or_else(|| css(step)) {
        Some(target) => Became::Step(vec![("click", target)]),
        None => Became::Comment("left out: a click without a CSS selector or text".into()),
    }
}

/// Every alternative that lies in one document.
fn texts(step: &Recorded) -> impl Iterator<Item = &str> {
    step.selectors.iter().filter_map(|alternative| match alternative {
        Value::String(text) => Some(text.as_str()),
        Value::Array(path) if path.len() == 1 => path[0].as_str(),
        _ => None,
    })
}

/// The first alternative in CSS.
fn css(step: &Recorded) -> Option<String> {
    let is_other = |text: &&str| {
        ["aria/", "text/", "xpath/"].iter().any(|kind| text.starts_with(kind)) || text.is_empty()
    };
    texts(step)
        .find(|text| !is_other(text))
        .map(|text| text.strip_prefix("pierce/").unwrap_or(text).to_owned())
}

/// The first alternative in words: a label or a text.
fn words(step: &Recorded) -> Option<String> {
    let named = texts(step).find_map(|text| {
        let words = text.strip_prefix("aria/").or_else(|| text.strip_prefix("text/"))?;
        Some(words.split("[role=").next().unwrap_or(words).trim().to_owned())
    });
    named.filter(|words| !words.is_empty())
}

fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).take(40).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::target::login::step::{Hands, Script, Step};
    use crate::target::login::{LoginTable, User};
    use crate::target::secret::Secret;

    const RECORDING: &str = r##"{"title":"sign in","steps":[
        {"type":"setViewport","width":800,"height":600},
        {"type":"navigate","url":"https://as.test/authorize?client_id=web&state=xyzzy&response_type=code"},
        {"type":"click","selectors":[["aria/E-mail"],["#email"],["xpath///*[@id=\"email\"]"]],"offsetX":3},
        {"type":"change","value":"alice@as.te","selectors":[["aria/E-mail"],["#email"]]},
        {"type":"change","value":"alice@as.test","selectors":[["aria/E-mail"],["#email"]]},
        {"type":"keyDown","key":"Tab"},{"type":"keyUp","key":"Tab"},
        {"type":"change","value":"hunter2!","selectors":[["aria/Password"],["input[type=password]"]]},
        {"type":"keyDown","key":"h"},
        {"type":"click","selectors":[["aria/Sign in[role=\"button\"]"],["div > button.b3"]]},
        {"type":"waitForElement","selectors":[["#code"]]},
        {"type":"change","value":"123456","selectors":[["#code"],["aria/Verification code"]]},
        {"type":"keyDown","key":"Enter"},
        {"type":"customStep","name":"x","parameters":{"secret":"hunter2!"}},
        {"type":"navigate","url":"https://as.test/next?ticket=hunter2!"}
    ]}"##;

    #[test]
    fn a_recording_becomes_steps_and_no_value_of_it_remains() {
        let text = steps(RECORDING).unwrap();
        let expected = r##"# Steps of a recording, "sign in".
[login]
driver = "browser"

[[login.steps]]
open = "{authorization_url}"

[[login.steps]]
click = "#email"

[[login.steps]]
fill = "#email"
with = "{username}"

[[login.steps]]
press = "Tab"

[[login.steps]]
fill = "input[type=password]"
with = "{password}"

# left out: keyDown of another key than Enter, Tab or Escape

[[login.steps]]
click = "Sign in"

[[login.steps]]
wait = "#code"

[[login.steps]]
fill = "#code"
with = "{otp}"

[[login.steps]]
press = "Enter"

# left out: unknown step of type customStep

[[login.steps]]
open = "https://as.test/next"
"##;
        assert_eq!(text, expected);
        for value in ["alice", "hunter2", "123456", "xyzzy"] {
            assert!(!text.contains(value), "{value}");
        }
    }

    #[test]
    fn the_steps_are_a_login() {
        #[derive(Deserialize)]
        struct File {
            login: Table,
        }
        #[derive(Deserialize)]
        struct Table {
            steps: Vec<Step>,
        }
        let text = steps(RECORDING).unwrap().replace("{otp}", "{password}");
        let script = Script::new(toml::from_str::<File>(&text).unwrap().login.steps);
        let user = User::new("alice", Secret::new("pw"));
        assert_eq!(script.check(Hands::Browser, Some(&user)), Ok(()));
        let login = text.replace("[[login.", "[[").replace("[login]\n", "");
        assert!(toml::from_str::<LoginTable>(&login).unwrap().needs_password());
    }

    #[test]
    fn what_is_no_recording_is_named_and_not_repeated() {
        for text in ["", "hunter2", "{\"steps\":\n\"hunter2\"}", "{\"steps\":[]}"] {
            let error = steps(text).unwrap_err();
            assert!(error.contains("record") && !error.contains("hunter2"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_typed_value_is_repeated(value in "[A-Za-z0-9!?]{9,20}", kind in "change|keyDown|click|paste") {
            let step = serde_json::json!({
                "type": kind, "value": value, "key": value, "selectors": [["#field"]],
            });
            let open = serde_json::json!({ "type": "navigate", "url": "https://as.test/" });
            let text = steps(&serde_json::json!({ "steps": [open, step] }).to_string()).unwrap();
            prop_assert!(!text.contains(&value), "{}", text);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]{}\":,a-z]{0,60}") {
            let _ = steps(&text);
        }
    }
}
