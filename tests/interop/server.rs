//! A real server as a child process: its recipe's `setup.sh` and `start.sh`.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::secrets::Secrets;

/// How long a server may take until it listens; the slowest makes keys and a database first.
const PATIENCE: Duration = Duration::from_secs(180);

/// How long a server may take to end when asked to.
const GRACE: Duration = Duration::from_secs(10);

/// Between two looks at a process or a port.
const INTERVAL: Duration = Duration::from_millis(100);

/// Lines of a log that a failure shows.
const SHOWN_LINES: usize = 15;

/// Where servers are installed and reports are written: `INTEROP_HOME`, or a folder of the build.
pub(crate) fn target_folder() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "the operator says where servers are installed")]
    let chosen = std::env::var_os("INTEROP_HOME");
    let folder = chosen.map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join("interop"),
        PathBuf::from,
    );
    // Commands run in folders of their own.
    std::path::absolute(&folder).unwrap_or(folder)
}

/// Installs what the recipe pins. Quick when that is done already.
pub(crate) fn set_up(recipe: &Path) -> Result<(), String> {
    let output = command(&recipe.join("setup.sh"))
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("cannot run setup.sh: {e}; bash is needed"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(format!("setup.sh ended with {}:\n{}", output.status, last_lines(&text)))
}

/// The script, run by bash, with the place of the installation.
fn command(script: &Path) -> Command {
    let mut command = Command::new("bash");
    command.arg(script).env("INTEROP_HOME", target_folder());
    command
}

/// A running server; dropped, it is stopped with all its processes.
pub(crate) struct Server {
    child: Child,
    port: u16,
    home: PathBuf,
}

impl Server {
    /// Starts it on a free port of the loopback interface and waits until it listens.
    pub(crate) fn start(recipe: &Path, secrets: &Secrets) -> Result<Self, String> {
        let port = free_port().map_err(|e| format!("no free port on loopback: {e}"))?;
        let home = target_folder().join(recipe.file_name().unwrap_or_default());
        let log = home.join("server.log");
        let open = || File::create(&log).and_then(|file| Ok((file.try_clone()?, file)));
        let (out, err) = open().map_err(|e| format!("{}: {e}", log.display()))?;
        let child = command(&recipe.join("start.sh"))
            .env("PORT", port.to_string())
            .envs(secrets.variables())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            // Of its own, so that workers that the server forks are stopped with it.
            .process_group(0)
            .spawn()
            .map_err(|e| format!("cannot run start.sh: {e}"))?;
        let mut server = Self { child, port, home };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result<(), String> {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if TcpStream::connect_timeout(&address, INTERVAL).is_ok() {
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("start.sh ended with {status}:\n{}", self.last_words()));
            }
            pause();
        }
        let seconds = PATIENCE.as_secs();
        Err(format!(
            "nothing listens on port {} after {seconds} s:\n{}",
            self.port,
            self.last_words()
        ))
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Folder of this run, as `fresh_state` in `interop/common.sh` makes it.
    pub(crate) fn state(&self) -> PathBuf {
        self.home.join(format!("state-{}", self.port))
    }

    /// The end of its log.
    pub(crate) fn last_words(&self) -> String {
        last_lines(&fs::read(self.home.join("server.log")).unwrap_or_default())
    }

    /// Sends a signal to the process group.
    fn signal(&self, name: &str) {
        let group = format!("-{}", self.child.id());
        // A group that is gone already is as good as one that ends now.
        let _ =
            Command::new("kill").args(["-s", name, "--", &group]).stderr(Stdio::null()).status();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal("TERM");
        let end = Instant::now() + GRACE;
        while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            pause();
        }
        self.signal("KILL");
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(self.state());
    }
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn pause() {
    #[expect(clippy::disallowed_methods, reason = "a server of others starts in real time")]
    std::thread::sleep(INTERVAL);
}

fn last_lines(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
}
