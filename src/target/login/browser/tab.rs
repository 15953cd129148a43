//! One page of a browser: commands with their answers, and the guard that looks at all it sends.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, timeout, timeout_at};

use super::frame::command;
use super::guard::{Command, Guard, patterns};
use super::process::Process;

/// Time that a browser has to close a page.
const LEAVE: Duration = Duration::from_secs(5);
/// What runs in every page.
const SCRIPT: &str = include_str!("page.js");

/// One page of a browser.
pub(super) struct Tab<'a> {
    process: Process,
    pub(super) guard: Guard<'a>,
    /// Cookies, cache and storage of this page alone.
    context: Value,
    session: Option<String>,
    target: String,
    /// Requests whose body was asked for, by the number of the command.
    bodies: HashMap<u64, String>,
    /// Octets of a body that are kept.
    most: usize,
    /// Where our script runs in the page that is shown.
    world: Option<Value>,
}

impl<'a> Tab<'a> {
    /// A new page, guarded from its first request on. The name of the browser ends with `mark`.
    pub(super) async fn open(
        process: Process,
        guard: Guard<'a>,
        most: usize,
        mark: Option<&str>,
    ) -> Result<Self, String> {
        let (bodies, target) = (HashMap::new(), String::new());
        let context = Value::Null;
        let mut tab =
            Self { process, guard, context, session: None, target, bodies, most, world: None };
        let context = tab.call("Target.createBrowserContext", json!({})).await?;
        tab.context = context["browserContextId"].clone();
        let place = json!({ "url": "about:blank", "browserContextId": tab.context });
        let created = tab.call("Target.createTarget", place).await?;
        tab.target = created["targetId"].as_str().unwrap_or_default().to_owned();
        let attach = json!({ "targetId": tab.target, "flatten": true });
        tab.call("Target.setDiscoverTargets", json!({ "discover": true })).await?;
        let attached = tab.call("Target.attachToTarget", attach).await?;
        tab.session = attached["sessionId"].as_str().map(str::to_owned);
        for (method, params) in [
            ("Fetch.enable", patterns()),
            ("Page.enable", json!({})),
            ("Network.enable", json!({})),
            ("Network.setBypassServiceWorker", json!({ "bypass": true })),
            ("Emulation.setFocusEmulationEnabled", json!({ "enabled": true })),
        ] {
            tab.call(method, params).await?;
        }
        if let Some(mark) = mark {
            let version = tab.call("Browser.getVersion", json!({})).await?;
            // Servers that look for a browser find one.
            let own = version["userAgent"].as_str().unwrap_or_default();
            let name = json!({ "userAgent": format!("{own} {mark}").trim_start() });
            tab.call("Network.setUserAgentOverride", name).await?;
        }
        Ok(tab)
    }

    /// The cookies that the browser holds for this page.
    pub(super) async fn cookies(&mut self) -> Result<Value, String> {
        self.call("Storage.getCookies", json!({ "browserContextId": self.context })).await
    }

    /// The answer to a command; what the browser reports meanwhile is dealt with.
    pub(super) async fn call(&mut self, method: &str, params: Value) -> Result<Value, String> {
        let id = self.send(method, &params).await?;
        loop {
            let mut message = self.process.receive().await?;
            if message["id"] == id {
                return match message["error"]["message"].as_str() {
                    Some(why) => Err(format!("the browser refuses {method}: {why}")),
                    None => Ok(message["result"].take()),
                };
            }
            self.handle(&message).await?;
        }
    }

    /// Deals with what the browser reports, for so long.
    pub(super) async fn attend(&mut self, time: Duration) -> Result<(), String> {
        let end = Instant::now() + time;
        while let Ok(message) = timeout_at(end, self.process.receive()).await {
            self.handle(&message?).await?;
        }
        Ok(())
    }

    async fn send(&mut self, method: &str, params: &Value) -> Result<u64, String> {
        let number = self.process.number();
        let session = self.session.as_deref().filter(|_| !is_for_browser(method));
        self.process.send(&command(number, session, method, params)).await?;
        Ok(number)
    }

    async fn handle(&mut self, message: &Value) -> Result<(), String> {
        // A page that was closed may have had something left to say.
        if message["sessionId"].as_str().is_some_and(|of| Some(of) != self.session.as_deref()) {
            return Ok(());
        }
        let commands = match message["id"].as_u64() {
            Some(id) => match self.bodies.remove(&id) {
                Some(request) => self.guard.with_body(&request, &message["result"], self.most),
                None => vec![],
            },
            None => self.stray(message).into_iter().chain(self.guard.on(message)).collect(),
        };
        for (method, params) in commands {
            let id = self.send(method, &params).await?;
            if method == "Fetch.getResponseBody" {
                let request = params["requestId"].as_str().unwrap_or_default().to_owned();
                self.bodies.insert(id, request);
            }
        }
        Ok(())
    }

    /// Another window, which nobody guards, is closed.
    fn stray(&self, message: &Value) -> Option<Command> {
        let info = &message["params"]["targetInfo"];
        let is_window = message["method"] == "Target.targetCreated" && info["type"] == "page";
        let is_stray = is_window && !self.target.is_empty() && info["openerId"].is_string();
        is_stray.then(|| ("Target.closeTarget", json!({ "targetId": info["targetId"] })))
    }

    /// Visits an address.
    pub(super) async fn visit(&mut self, url: &str) -> Result<(), String> {
        self.world = None;
        self.call("Page.navigate", json!({ "url": url })).await.map(drop)
    }

    /// The value of an expression on our script. A page that has just gone is asked no more; its
    /// successor is.
    pub(super) async fn ask(&mut self, expression: &str) -> Result<Value, String> {
        match self.evaluate(expression).await {
            Ok(value) => Ok(value),
            Err(_) => {
                self.world = None;
                self.evaluate(expression).await
            }
        }
    }

    /// The value of an expression on our script in the page as it was last seen.
    pub(super) async fn evaluate(&mut self, expression: &str) -> Result<Value, String> {
        if self.world.is_none() {
            let tree = self.call("Page.getFrameTree", json!({})).await?;
            let frame = &tree["frameTree"]["frame"]["id"];
            let world = json!({ "frameId": frame, "worldName": "authspec" });
            let created = self.call("Page.createIsolatedWorld", world).await?;
            self.world = Some(created["executionContextId"].clone());
            self.run(SCRIPT).await?;
        }
        self.run(&format!("authspec.{expression}")).await
    }

    async fn run(&mut self, expression: &str) -> Result<Value, String> {
        let params = json!({
            "expression": expression, "contextId": self.world, "returnByValue": true, "userGesture": true,
        });
        let params = match expression == SCRIPT {
            // What the script defines is no value.
            true => json!({ "expression": expression, "contextId": self.world }),
            false => params,
        };
        let mut answer = self.call("Runtime.evaluate", params).await?;
        match answer["exceptionDetails"]["text"].as_str() {
            Some(why) => Err(format!("the page could not be read: {why}")),
            None => Ok(answer["result"]["value"].take()),
        }
    }

    /// Types into what has the focus.
    pub(super) async fn enter(&mut self, text: &str) -> Result<(), String> {
        self.call("Input.insertText", json!({ "text": text })).await.map(drop)
    }

    /// Presses a key by its name.
    pub(super) async fn press(&mut self, key: &str, code: u32) -> Result<(), String> {
        for kind in ["keyDown", "keyUp"] {
            let mut params = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code,
            });
            if key == "Enter" && kind == "keyDown" {
                params["text"] = "\r".into();
            }
            self.call("Input.dispatchKeyEvent", params).await?;
        }
        Ok(())
    }

    /// Closes the page with all that the browser holds for it. The browser is ready for another one.
    pub(super) async fn leave(mut self) -> Result<Process, Self> {
        let context = json!({ "browserContextId": self.context });
        match timeout(LEAVE, self.call("Target.disposeBrowserContext", context)).await {
            Ok(Ok(_)) => Ok(self.process),
            _ => Err(self),
        }
    }

    /// Ends the browser.
    pub(super) async fn close(self) {
        self.process.close().await;
    }
}

fn is_for_browser(method: &str) -> bool {
    ["Browser.", "Target.", "Storage."].iter().any(|domain| method.starts_with(domain))
}
