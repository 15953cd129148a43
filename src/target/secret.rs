//! Secrets of the operator's: usable, never printable.

use std::fmt;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Time that a command has to name a secret.
const COMMAND: Duration = Duration::from_secs(10);
/// Octets of its output that are read.
const MOST_OUTPUT: u64 = 64 * 1024;

/// A password or client secret. It has no `Display`, and its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// Resolves a reference: `env:NAME`, `file:PATH` (one trailing line break is dropped), or
    /// `exec:COMMAND`, the first line that a command prints; no shell reads it.
    ///
    /// `variable` looks an environment variable up. Fails when the reference names nothing, and
    /// when it is no reference: a profile can be shared only as long as no secret stands in it.
    pub fn resolve(
        reference: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        match reference.split_once(':') {
            Some(("env", name)) => variable(name)
                .map(Self)
                .ok_or_else(|| format!("the environment variable {name} is not set; export it before the run")),
            Some(("file", path)) => std::fs::read_to_string(path)
                .map(|text| Self(text.strip_suffix('\n').unwrap_or(&text).to_owned()))
                .map_err(|e| format!("cannot read {path}: {e}")),
            Some(("exec", command)) => first_line(command, COMMAND).map(Self),
            _ => Err("a secret must be a reference, env:NAME, file:PATH or exec:COMMAND, so that the profile can be shared".into()),
        }
    }

    /// The value itself, for the wire.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The first line that the command prints. What it writes to its standard error is the operator's
/// to see.
fn first_line(command: &str, patience: Duration) -> Result<String, String> {
    let mut words = command.split_whitespace();
    let program = words.next().ok_or("exec: needs a command: exec:PROGRAM ARGUMENTS")?;
    let mut child = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("the command {program} cannot be started: {e}"))?;
    let (send, receive) = mpsc::channel();
    let stdout = child.stdout.take();
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.map(|pipe| pipe.take(MOST_OUTPUT).read_to_string(&mut text));
        let _ = send.send(matches!(read, Some(Ok(_))).then_some(text));
    });
    let said = receive.recv_timeout(patience);
    let is_late = matches!(said, Err(mpsc::RecvTimeoutError::Timeout));
    if is_late {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|e| format!("the command {program}: {e}"))?;
    if is_late {
        let seconds = patience.as_secs();
        return Err(format!("the command {program} did not end within {seconds} s"));
    }
    if !status.success() {
        return Err(format!("the command {program} failed ({status})"));
    }
    let text = said.ok().flatten().unwrap_or_default();
    match text.lines().next().filter(|line| !line.is_empty()) {
        Some(line) => Ok(line.to_owned()),
        None => Err(format!("the command {program} printed no text in its first line")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_command_names_a_secret_in_its_first_line() {
        let of = |command: &str| Secret::resolve(command, &|_| None);
        assert_eq!(of("exec:printf s3cret\\nrest").unwrap().expose(), "s3cret");
        assert!(of("exec:false").unwrap_err().contains("false failed"));
        assert!(of("exec:true").unwrap_err().contains("no text"));
        assert!(of("exec:").unwrap_err().contains("needs a command"));
        assert!(of("exec:/nonexistent/program").unwrap_err().contains("cannot be started"));
        let late = first_line("sleep 30", Duration::from_millis(20)).unwrap_err();
        assert!(late.contains("did not end within"));
    }

    #[test]
    fn references_are_resolved() {
        let variable = |name: &str| (name == "PW").then(|| "s3cret".to_owned());
        assert_eq!(Secret::resolve("env:PW", &variable).unwrap().expose(), "s3cret");
        assert!(Secret::resolve("env:OTHER", &variable).unwrap_err().contains("OTHER is not set"));
        assert!(
            Secret::resolve("file:/nonexistent/x", &variable).unwrap_err().contains("cannot read")
        );
    }

    #[test]
    fn a_literal_secret_is_refused_and_not_repeated() {
        let error = Secret::resolve("hunter2", &|_| None).unwrap_err();
        assert!(error.contains("must be a reference") && !error.contains("hunter2"));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(..)");
    }
}
