//! A command that runs beside the test.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Output, output};

const LONG: Duration = Duration::from_secs(60);

/// Ends with the test, however that ends.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Standard error up to these words.
    pub(crate) fn says(&mut self, words: &str) -> String {
        let (stderr, mut told) = (self.0.stderr.as_mut().unwrap(), String::new());
        while !told.contains(words) {
            let mut octets = [0; 4096];
            let length = stderr.read(&mut octets).unwrap();
            assert!(length > 0, "{words} is missing in {told}");
            told.push_str(&String::from_utf8_lossy(&octets[..length]));
        }
        told
    }

    pub(crate) fn end(mut self) -> Output {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        self.0.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
        self.0.stderr.take().unwrap().read_to_end(&mut stderr).unwrap();
        output(std::process::Output { status: self.0.wait().unwrap(), stdout, stderr })
    }
}

/// Waits until something holds.
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LONG, "{what} did not happen");
        #[expect(clippy::disallowed_methods, reason = "another process needs real time")]
        std::thread::sleep(Duration::from_millis(20));
    }
}
