//! The command as its users call it, and what they read in its answers.

use std::path::Path;
use std::process::{Command, Stdio};

/// How a call ended.
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Calls the command in that folder, with those variables and none of ours.
pub(crate) fn authspec(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_authspec"));
    #[expect(clippy::disallowed_methods, reason = "a run of the command must see none of ours")]
    let own = std::env::vars();
    for (name, _) in own.filter(|(name, _)| name.starts_with("AUTHSPEC_")) {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(folder).envs(variables.iter().copied());
    let output = command.stdin(Stdio::null()).output().unwrap();
    Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// One item of `doctor`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Item<'a> {
    /// `ok`, `advice`, `bad`, or `-` for one that was not looked at.
    pub(crate) mark: &'a str,
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
}

/// The items that `doctor` shows, without their cures.
pub(crate) fn items(stdout: &str) -> Vec<Item<'_>> {
    stdout.lines().filter_map(item).collect()
}

fn item(line: &str) -> Option<Item<'_>> {
    let (mark, rest) = line.split_once(' ')?;
    let (name, text) = rest.trim_start().split_once(' ')?;
    let is_item = matches!(mark, "ok" | "advice" | "bad" | "-");
    is_item.then_some(Item { mark, name, text: text.trim() })
}

/// What `login test` shows of a login.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Login<'a> {
    /// Each request with its answer.
    pub(crate) steps: Vec<&'a str>,
    /// With what fields were filled in, by kind, as `password`.
    pub(crate) sent: Vec<&'a str>,
    /// Where the code arrived; none where the login failed.
    pub(crate) arrived: Option<&'a str>,
}

/// Reads what `login test` shows. Steps count only in the order of their numbers.
pub(crate) fn login(stdout: &str) -> Login<'_> {
    let mut login = Login::default();
    for line in stdout.lines() {
        let numbered = line.trim_start().split_once("  ");
        if let Some(address) = line.strip_prefix("ok ") {
            login.arrived = address.trim_start().strip_prefix("a code arrived at ");
        } else if let Some(field) = line.trim_start().strip_prefix("sent  ") {
            login.sent.extend(field.rsplit_once(": ").map(|(_, kind)| kind));
        } else if let Some((number, step)) = numbered
            && number == (login.steps.len() + 1).to_string()
            && step.contains(" -> ")
        {
            login.steps.push(step);
        }
    }
    login
}
