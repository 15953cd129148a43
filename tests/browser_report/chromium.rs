//! The system's Chromium with one page, driven over the DevTools protocol.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use authspec::target::login::browser::arguments::{Route, arguments, find};
use authspec::target::login::browser::frame::{Frames, command};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::runtime::Runtime;

/// Time that one command has.
const PATIENCE: Duration = Duration::from_secs(60);

/// Descriptors 3 and 4 are the browser's pipe.
const PLUMBING: &str = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1";

pub(crate) struct Chromium {
    runtime: Runtime,
    input: ChildStdin,
    output: ChildStdout,
    frames: Frames,
    session: Option<String>,
    last: u64,
    /// What the browser reported since the last visit.
    pub(crate) events: Vec<Value>,
    _child: Child,
    _data: tempfile::TempDir,
}

impl Chromium {
    /// A browser that reaches no host, with an empty page.
    pub(crate) fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the browser is the system's")]
        let variable = |name: &str| std::env::var(name).ok();
        let program = find(None, &variable).unwrap_or_else(|why| {
            panic!("Chromium is missing ({why}): install it, or name it in CHROMIUM")
        });
        let data = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let is_root = rustix::process::geteuid().is_root();
        let mut child = runtime.block_on(async {
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", PLUMBING]).arg(program);
            shell.args(arguments(data.path(), &[], &Route::default(), is_root));
            shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            shell.kill_on_drop(true).spawn().unwrap()
        });
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut browser = Self {
            runtime,
            input,
            output,
            frames: Frames::default(),
            session: None,
            last: 0,
            events: vec![],
            _child: child,
            _data: data,
        };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", &attach);
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        browser.window(1280, 900);
        browser
    }

    /// The answer to a command.
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        self.last += 1;
        let session = self.session.as_deref();
        let octets = command(self.last, session, method, params);
        let input = &mut self.input;
        self.runtime.block_on(async { input.write_all(&octets).await }).unwrap();
        loop {
            let mut message = self.receive();
            if message["id"] == self.last {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].take();
            }
            self.events.push(message);
        }
    }

    fn receive(&mut self) -> Value {
        let (output, frames) = (&mut self.output, &mut self.frames);
        let next = async {
            let mut part = vec![0; 64 * 1024];
            loop {
                if let Some(message) = frames.pull() {
                    return message;
                }
                let count = output.read(&mut part).await.unwrap();
                assert!(count > 0, "the browser ended early");
                frames.push(&part[..count]).unwrap();
            }
        };
        let patient = async { tokio::time::timeout(PATIENCE, next).await };
        self.runtime.block_on(patient).expect("the browser answers in time")
    }

    /// Size of the window in CSS pixels.
    pub(crate) fn window(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// The medium and the preferred colours, as the page is told.
    pub(crate) fn medium(&mut self, medium: &str, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", &json!({ "media": medium, "features": features }));
    }

    /// Visits a file at a fragment and says how long it took until all of it was there.
    pub(crate) fn visit(&mut self, file: &Path, fragment: &str) -> Duration {
        // Otherwise another fragment of the same file would be no visit.
        self.events.clear();
        self.call("Page.navigate", &json!({ "url": "about:blank" }));
        self.loaded();
        self.events.clear();
        let began = Instant::now();
        let url = format!("file://{}{fragment}", file.canonicalize().unwrap().display());
        self.call("Page.navigate", &json!({ "url": url }));
        self.loaded();
        began.elapsed()
    }

    fn loaded(&mut self) {
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = self.receive();
            self.events.push(event);
        }
    }

    /// The value of an expression in the page.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let params = json!({
            "expression": expression, "returnByValue": true, "awaitPromise": true, "userGesture": true,
        });
        let mut answer = self.call("Runtime.evaluate", &params);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].take()
    }

    /// What the browser reported under that name.
    pub(crate) fn reported(&self, method: &str) -> Vec<&Value> {
        self.events.iter().filter(|event| event["method"] == method).collect()
    }
}
