//! A program of the operator's that signs in: a request in JSON on its standard input, an answer in
//! one line of JSON on its standard output.
//!
//! It answers one of
//! - `{"callback_url": ".."}`, the address to which the browser was sent, query and fragment included;
//! - `{"callback_url": "..", "form": {"code": "..", ..}}`, where the browser posted a form there, as
//!   it does for `response_mode=form_post`; a field that occurs more than once has a list;
//! - `{"error": "REASON: .."}` with a reason of [`Reason`]: `refused by the server: ..` says that
//!   the server showed the user an error page, which is judged as any error page is; `not possible
//!   with this login: ..` that the program cannot do what is asked, which is nobody's fault.

use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use super::driver::Decision;
use super::memory::Memory;
use super::outside::Brought;
use super::reason::{Reason, Trouble};
use super::user::User;
use crate::oauth::params::Params;

/// Octets of each output that are read; the rest is dropped.
const MOST_OUTPUT: u64 = 64 * 1024;
/// Characters of the standard error that are shown, from its end.
const SHOWN: usize = 600;

/// The program.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its name and arguments; no shell reads them.
    pub command: Vec<String>,
    /// Whether the password goes to it, and a one-time code.
    pub pass_password: bool,
    /// Time that it has for one login.
    pub timeout: Duration,
}

/// What the program is asked.
pub(super) struct Task<'a> {
    pub(super) authorization_url: &'a str,
    pub(super) redirect_uri: &'a str,
    pub(super) response_mode: Option<&'a str>,
    pub(super) issuer: &'a str,
    pub(super) user: &'a User,
    pub(super) decision: Decision,
}

/// The same in JSON.
#[derive(Serialize)]
struct Input<'a> {
    version: u32,
    authorization_url: &'a str,
    redirect_uri: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_mode: Option<&'a str>,
    issuer: &'a str,
    user: &'a str,
    decision: &'static str,
    timeout_s: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    otp: Option<String>,
}

impl Program {
    /// Runs the program once; what it brought back, or why there is nothing.
    pub(super) async fn run(&self, task: &Task<'_>, memory: &Memory) -> Result<Brought, Trouble> {
        let input = self.input(task, memory).await?;
        let (program, arguments) = self.command.split_first().ok_or_else(|| {
            Trouble::new(Reason::PageNotFound, "an empty command", "set command under [login]")
        })?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| {
                let detail = format!("the program {program} cannot be started: {e}");
                Trouble::new(Reason::PageNotFound, detail, "check command under [login]")
            })?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let talk = async {
            let write = async {
                // A program that does not read its input has nothing to lose by it.
                if let Some(mut stdin) = stdin {
                    let _ = stdin.write_all(&input).await;
                }
            };
            let ((), said, complained, status) =
                tokio::join!(write, all_of(stdout), all_of(stderr), child.wait());
            (said, complained, status)
        };
        match tokio::time::timeout(self.timeout, talk).await {
            Ok((said, complained, status)) => {
                let status = status.map_or_else(|e| e.to_string(), |s| s.to_string());
                answer(&said, &complained, &status)
            }
            Err(_) => {
                let detail =
                    format!("no answer of the program within {} s", self.timeout.as_secs());
                Err(Trouble::new(Reason::TimedOut, detail, "raise timeout_seconds under [login]"))
            }
        }
    }

    async fn input(&self, task: &Task<'_>, memory: &Memory) -> Result<Vec<u8>, Trouble> {
        let is_given = self.pass_password && !task.user.password.expose().is_empty();
        let otp = match task.user.totp.as_ref().filter(|_| self.pass_password) {
            Some(totp) => Some(memory.code(task.user, totp).await.value),
            None => None,
        };
        let input = Input {
            version: 1,
            authorization_url: task.authorization_url,
            redirect_uri: task.redirect_uri,
            response_mode: task.response_mode,
            issuer: task.issuer,
            user: &task.user.username,
            decision: match task.decision {
                Decision::Approve => "approve",
                Decision::Deny => "deny",
            },
            timeout_s: self.timeout.as_secs(),
            password: is_given.then(|| task.user.password.expose()),
            otp,
        };
        let mut line = serde_json::to_vec(&input)
            .map_err(|e| Trouble::new(Reason::NotPossible, e.to_string(), "report this"))?;
        line.push(b'\n');
        Ok(line)
    }
}

async fn all_of(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let mut octets = Vec::new();
    if let Some(mut pipe) = pipe {
        let _ = (&mut pipe).take(MOST_OUTPUT).read_to_end(&mut octets).await;
        // A full pipe would stop the program.
        let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    }
    String::from_utf8_lossy(&octets).into_owned()
}

/// Reads the answer: the last line that is a JSON object.
fn answer(said: &str, complained: &str, status: &str) -> Result<Brought, Trouble> {
    let objects = said.lines().rev().filter_map(|line| serde_json::from_str(line.trim()).ok());
    let object = objects.into_iter().find_map(|json| match json {
        Value::Object(object) => Some(object),
        _ => None,
    });
    let complained = shown(complained);
    let text = |name: &str| Some(object.as_ref()?.get(name)?.as_str()?.to_owned());
    if let Some(callback) = text("callback_url") {
        let form = object.as_ref().and_then(|members| members.get("form"));
        return match form.map(fields) {
            None => Ok(Brought::Response(callback, None)),
            Some(Some(form)) => Ok(Brought::Response(callback, Some(form))),
            Some(None) => Err(Trouble::new(
                Reason::CallbackNotReached,
                format!("the program answered with a form that is none{complained}"),
                "let form be an object whose values are texts, or lists of texts",
            )),
        };
    }
    if let Some(error) = text("error") {
        if let Some(words) = error.strip_prefix(Reason::Refused.name()) {
            let words = words.trim_start_matches([':', ' ']);
            return Ok(Brought::ErrorPage(format!("{words}{complained}")));
        }
        let reason = Reason::named_in(&error).unwrap_or(Reason::Refused);
        let detail = format!("the program answered error: {error}{complained}");
        return Err(Trouble::new(reason, detail, "see what the program says"));
    }
    Err(Trouble::new(
        Reason::CallbackNotReached,
        format!("the program ended ({status}) without an answer{complained}"),
        "let it print one line, {\"callback_url\": \"..\"} or {\"error\": \"..\"}",
    ))
}

/// The fields of a form: an object of texts, or of lists of texts.
fn fields(form: &Value) -> Option<Params> {
    let mut fields = Vec::new();
    for (name, value) in form.as_object()? {
        match value {
            Value::String(text) => fields.push((name.clone(), text.clone())),
            Value::Array(texts) => {
                for text in texts {
                    fields.push((name.clone(), text.as_str()?.to_owned()));
                }
            }
            _ => return None,
        }
    }
    Some(Params::new(fields))
}

/// The end of what the program wrote to its standard error, on one line.
fn shown(complained: &str) -> String {
    let line = complained.split_whitespace().collect::<Vec<_>>().join(" ");
    let skipped = line.chars().count().saturating_sub(SHOWN);
    let end: String = line.chars().skip(skipped).collect();
    if end.is_empty() { end } else { format!("; on its standard error: {end}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_object_is_the_answer() {
        let said = "opening the page\n{\"error\":\"x\"}\n{\"callback_url\":\"https://app.test/cb?code=c\"}\n";
        let Ok(Brought::Response(url, None)) = answer(said, "", "0") else { panic!("no response") };
        assert_eq!(url, "https://app.test/cb?code=c");
    }

    #[test]
    fn a_form_comes_beside_the_address() {
        let said = r#"{"callback_url":"https://app.test/cb","form":{"code":"c","x":["1","2"]}}"#;
        let Ok(Brought::Response(_, Some(form))) = answer(said, "", "0") else { panic!("no form") };
        assert_eq!((form.value("code"), form.count("x")), (Some("c"), 2));
        for form in ["{\"code\":7}", "\"code=c\"", "[]", "{\"x\":[1]}"] {
            let said = format!("{{\"callback_url\":\"https://app.test/cb\",\"form\":{form}}}");
            let Err(trouble) = answer(&said, "", "0") else { panic!("{form} is taken for a form") };
            assert!(trouble.detail.contains("a form that is none"), "{}", trouble.detail);
        }
    }

    #[test]
    fn a_program_may_tell_of_an_error_page() {
        let said = "{\"error\":\"refused by the server: no such request\"}";
        let Ok(Brought::ErrorPage(words)) = answer(said, "seen", "0") else { panic!("no page") };
        assert_eq!(words, "no such request; on its standard error: seen");
    }

    #[test]
    fn an_error_has_the_reason_that_it_names() {
        let failed = |said: &str, complained: &str| {
            answer(said, complained, "exit status: 7").err().expect("no answer")
        };
        let trouble = failed("{\"error\":\"wrong password\"}", "line 1\nline 2");
        assert_eq!(trouble.reason, Reason::WrongPassword);
        assert!(trouble.detail.ends_with("on its standard error: line 1 line 2"));
        let trouble = failed("{\"error\":\"no idea\"}", "");
        assert_eq!(trouble.reason, Reason::Refused);
    }

    #[test]
    fn no_answer_shows_how_the_program_ended() {
        for said in ["", "hello", "[]", "{}"] {
            let outcome = answer(said, &"x".repeat(5000), "exit status: 7");
            let trouble = outcome.err().expect("no answer");
            assert_eq!(trouble.reason, Reason::CallbackNotReached);
            assert!(trouble.detail.contains("exit status: 7") && trouble.detail.len() < 800);
        }
    }
}
