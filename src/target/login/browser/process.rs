//! A browser that runs, with data of its own, and that ends with its owner.

use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::arguments::arguments;
use super::frame::{Frames, command};
use super::pool::Make;
#[cfg(unix)]
use rustix::process::{WaitId, WaitIdOptions};
use serde_json::{Value, json};

/// Time that the browser has to end by itself.
const FAREWELL: Duration = Duration::from_secs(2);

/// Octets that are read at once.
const AT_ONCE: usize = 64 * 1024;

/// Makes descriptors 3 and 4 of standard input and output, where the browser expects its pipe. No
/// argument passes through the shell's reading.
const PLUMBING: &str = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1";

/// A browser that runs.
pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    frames: Frames,
    /// The number of the last command: none is used twice, so that no answer is taken for another.
    last: u64,
    /// Where octets arrive; in a future it would be copied with it.
    part: Vec<u8>,
    /// Removed with the process.
    _folder: TempDir,
}

impl Process {
    /// Starts a browser of that make. The error says why it did not start.
    pub(super) fn start(make: &Make) -> Result<Self, String> {
        let Make { program, environment, hosts, route } = make;
        let folder = tempfile::Builder::new()
            .prefix("authspec-browser-")
            .tempdir()
            .map_err(|e| format!("no folder for the data of the browser: {e}"))?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", PLUMBING]).arg(program);
        command.args(arguments(folder.path(), hosts, route, is_root()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // What the browser starts itself ends with it.
        #[cfg(unix)]
        command.process_group(0);
        command.env_clear().envs(environment.iter().map(|(name, value)| (*name, value)));
        // What it keeps about itself is removed with it. `HOME` stays: its trust store is there.
        for name in ["XDG_CONFIG_HOME", "XDG_CACHE_HOME"] {
            command.env(name, folder.path());
        }
        command.kill_on_drop(true);
        let wrong =
            |e: std::io::Error| format!("the browser {} cannot be started: {e}", program.display());
        let mut child = command.spawn().map_err(wrong)?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the browser was started without pipes".into());
        };
        let (frames, part) = (Frames::default(), vec![0; AT_ONCE]);
        Ok(Self { child, input, output, frames, last: 0, part, _folder: folder })
    }

    /// The number of the next command.
    pub(super) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// It runs.
    pub(super) fn is_well(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub(super) async fn send(&mut self, octets: &[u8]) -> Result<(), String> {
        self.input.write_all(octets).await.map_err(|e| gone(&e.to_string()))
    }

    /// The next message. To give up waiting for it loses none.
    pub(super) async fn receive(&mut self) -> Result<Value, String> {
        loop {
            if let Some(message) = self.frames.pull() {
                return Ok(message);
            }
            match self.output.read(&mut self.part).await {
                Ok(0) => return Err(gone("it closed the pipe")),
                Ok(count) => self.frames.push(&self.part[..count])?,
                Err(e) => return Err(gone(&e.to_string())),
            }
        }
    }

    /// Tells the browser to end, waits a little, then ends it.
    pub(super) async fn close(mut self) {
        let number = self.number();
        let _ = self.send(&command(number, None, "Browser.close", &json!({}))).await;
        if tokio::time::timeout(FAREWELL, self.child.wait()).await.is_err() {
            self.kill();
            let _ = tokio::time::timeout(FAREWELL, self.child.wait()).await;
        }
    }

    fn kill(&self) {
        // The leader is not reaped before, so that the number is still its group's.
        #[cfg(unix)]
        if let Some(group) = self.child.id().and_then(|id| i32::try_from(id).ok())
            && let Some(group) = rustix::process::Pid::from_raw(group)
        {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            // Its folder is about to be removed, in which it may write as long as it lives. The
            // owner of the child reaps it.
            let ends = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            let _ = rustix::process::waitid(WaitId::Pid(group), ends);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn gone(why: &str) -> String {
    format!("the browser ended early ({why}): see whether it starts at all")
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}
