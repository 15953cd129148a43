//! Looks at every request of the browser before it is sent, and at every answer that a page or its
//! script gets: what goes to the target goes on, what goes to the client is the authorization
//! response, and all else is held back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::Url;

use super::mark::Marks;
use crate::http::user_agent::Home;
use crate::model::exchange::{Exchange, Request, Response};

/// A command that follows from an event, to be sent to the page.
pub type Command = (&'static str, Value);

/// What is watched (`Fetch.enable`): every request, and the answers to pages and their scripts.
pub fn patterns() -> Value {
    let answers = ["Document", "XHR", "Fetch"]
        .map(|kind| json!({ "urlPattern": "*", "resourceType": kind, "requestStage": "Response" }));
    let mut all = vec![json!({ "urlPattern": "*", "requestStage": "Request" })];
    all.extend(answers);
    json!({ "patterns": all })
}

/// Where the browser was about to leave for, with what it carries.
#[derive(Clone, PartialEq, Eq)]
pub struct Departure {
    /// The address, query and fragment included.
    pub url: String,
    /// What a form posts there, as it would be sent (OAuth 2.0 Form Post Response Mode §2).
    pub form: Option<String>,
}

/// Watches one browser.
pub struct Guard<'a> {
    home: &'a Home,
    leaves: &'a (dyn Fn(&str) -> bool + Sync),
    marks: Marks<'a>,
    /// What carries the authorization response; it was not sent.
    pub callback: Option<Departure>,
    /// Requests that were held back, by origin.
    pub blocked: BTreeMap<String, usize>,
    /// The origin of a page among them, the last one.
    pub barred: Option<String>,
    /// What pages and scripts sent and got, not handed over yet.
    pub seen: Vec<Exchange>,
    /// Why the last page could not be had, as the browser says it.
    pub failure: Option<String>,
    /// Requests of pages and scripts that have no answer yet.
    pending: BTreeSet<String>,
    /// Answers whose body was asked for, by the request for it.
    waiting: Vec<(String, Exchange)>,
}

impl<'a> Guard<'a> {
    /// A guard that lets the browser reach `home`, except where the client is, with requests that
    /// are marked.
    pub fn new(
        home: &'a Home,
        leaves: &'a (dyn Fn(&str) -> bool + Sync),
        marks: Marks<'a>,
    ) -> Self {
        Self {
            home,
            leaves,
            marks,
            callback: None,
            blocked: BTreeMap::new(),
            barred: None,
            seen: vec![],
            failure: None,
            pending: BTreeSet::new(),
            waiting: vec![],
        }
    }

    /// A page or its script waits for an answer.
    pub fn is_busy(&self) -> bool {
        !self.pending.is_empty() || !self.waiting.is_empty()
    }

    /// What follows from an event. The answer to a command `Fetch.getResponseBody` goes to
    /// [`Self::with_body`].
    pub fn on(&mut self, event: &Value) -> Vec<Command> {
        let params = &event["params"];
        match event["method"].as_str() {
            Some("Fetch.requestPaused") if is_answer(params) => self.answered(params),
            Some("Fetch.requestPaused") => vec![self.asked(params)],
            // Addresses of private-use schemes are no requests; all others are seen as such, with
            // what is posted to them.
            Some("Page.frameRequestedNavigation" | "Page.frameStartedNavigating") => {
                let url = params["url"].as_str().unwrap_or_default();
                if !url.starts_with("http:") && !url.starts_with("https:") {
                    self.note_departure(url, None);
                }
                vec![]
            }
            Some("Page.javascriptDialogOpening") => {
                vec![("Page.handleJavaScriptDialog", json!({ "accept": true }))]
            }
            _ => vec![],
        }
    }

    fn note_departure(&mut self, url: &str, form: Option<&str>) -> bool {
        let is_departure = (self.leaves)(url);
        if is_departure && self.callback.is_none() {
            self.callback = Some(Departure { url: url.into(), form: form.map(str::to_owned) });
        }
        is_departure
    }

    /// A request that is about to be sent.
    fn asked(&mut self, params: &Value) -> Command {
        let id = &params["requestId"];
        let request = &params["request"];
        let url = address(request);
        let hold =
            |reason| ("Fetch.failRequest", json!({ "requestId": id, "errorReason": reason }));
        if (self.leaves)(&url) {
            if params["resourceType"] == "Document" {
                let form = request["postData"].as_str().filter(|_| request["method"] == "POST");
                self.note_departure(&url, form);
            }
            return hold("Aborted");
        }
        if !is_inert(&url) && !self.home.contains(&url) {
            let origin = origin_of(&url);
            if params["resourceType"] == "Document" {
                self.barred = Some(origin.clone());
            }
            *self.blocked.entry(origin).or_default() += 1;
            return hold("BlockedByClient");
        }
        if let Some(key) = key(params).filter(|_| is_watched(params)) {
            self.pending.insert(key);
        }
        let mut go_on = json!({ "requestId": id });
        if let Some(headers) = self.marks.headers(params, &url).filter(|_| !is_inert(&url)) {
            go_on["headers"] = headers;
        }
        ("Fetch.continueRequest", go_on)
    }

    /// An answer whose head is here.
    fn answered(&mut self, params: &Value) -> Vec<Command> {
        if let Some(key) = key(params) {
            self.pending.remove(&key);
        }
        let id = params["requestId"].clone();
        let on = ("Fetch.continueRequest", json!({ "requestId": id }));
        let exchange = exchange(params);
        if params["resourceType"] == "Document" {
            self.failure = params["responseErrorReason"].as_str().map(str::to_owned);
        }
        let location = exchange.response().and_then(Response::location).map(str::to_owned);
        if params["resourceType"] == "Document" && location.is_none() {
            self.marks.arrived(&params["frameId"], &exchange.request.url);
        }
        let has_body = exchange.response().is_some_and(is_readable) && location.is_none();
        if !has_body {
            self.seen.push(exchange);
            // The browser would resolve what the server wrote.
            let is_page = params["resourceType"] == "Document";
            let is_over = is_page && location.is_some_and(|to| self.note_departure(&to, None));
            let stop = json!({ "requestId": id, "errorReason": "Aborted" });
            return vec![if is_over { ("Fetch.failRequest", stop) } else { on }];
        }
        self.waiting.push((id.as_str().unwrap_or_default().to_owned(), exchange));
        vec![("Fetch.getResponseBody", json!({ "requestId": id }))]
    }

    /// The body of an answer, for the request that the command named; the answer goes on to the page.
    pub fn with_body(&mut self, id: &str, result: &Value, most: usize) -> Vec<Command> {
        let Some(at) = self.waiting.iter().position(|(waiting, _)| waiting == id) else {
            return vec![];
        };
        let (_, mut exchange) = self.waiting.swap_remove(at);
        let text = result["body"].as_str().unwrap_or_default();
        let mut body = match result["base64Encoded"].as_bool() {
            Some(true) => STANDARD.decode(text).unwrap_or_default(),
            _ => text.as_bytes().to_vec(),
        };
        if let Ok(response) = &mut exchange.outcome {
            response.truncated = body.len() > most;
            body.truncate(most);
            response.body = body;
        }
        self.seen.push(exchange);
        vec![("Fetch.continueRequest", json!({ "requestId": id }))]
    }
}

fn is_answer(params: &Value) -> bool {
    params.get("responseStatusCode").is_some() || params.get("responseErrorReason").is_some()
}

fn is_watched(params: &Value) -> bool {
    ["Document", "XHR", "Fetch"].iter().any(|kind| params["resourceType"] == *kind)
}

/// What names a request in both of its stages; a redirect continues it.
fn key(params: &Value) -> Option<String> {
    params["networkId"].as_str().or_else(|| params["requestId"].as_str()).map(str::to_owned)
}

/// Addresses whose content is in themselves or in the browser.
fn is_inert(url: &str) -> bool {
    ["data:", "blob:", "about:"].iter().any(|scheme| url.starts_with(scheme))
}

fn origin_of(url: &str) -> String {
    let origin = Url::parse(url).map(|url| (url.origin().ascii_serialization(), url));
    match origin {
        Ok((origin, _)) if origin != "null" => origin,
        Ok((_, url)) => format!("{}:", url.scheme()),
        Err(_) => "an address that does not parse".into(),
    }
}

fn address(request: &Value) -> String {
    let fragment = request["urlFragment"].as_str().unwrap_or_default();
    format!("{}{fragment}", request["url"].as_str().unwrap_or_default())
}

/// A body that tells something: of a page or of a call.
fn is_readable(response: &Response) -> bool {
    response.media_type().is_some_and(|t| t.ends_with("html") || t.ends_with("json"))
}

fn fields(headers: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match headers {
        Value::Object(members) => members.iter().map(|(n, v)| (n.clone(), text(v))).collect(),
        Value::Array(items) => {
            items.iter().map(|item| (text(&item["name"]), text(&item["value"]))).collect()
        }
        _ => vec![],
    }
}

/// What the browser says of a request and its answer; the body is not here yet.
fn exchange(params: &Value) -> Exchange {
    let request = &params["request"];
    let status = params["responseStatusCode"].as_u64().and_then(|s| u16::try_from(s).ok());
    let outcome = match (status, params["responseErrorReason"].as_str()) {
        (Some(status), None) => Ok(Response {
            status,
            headers: fields(&params["responseHeaders"]),
            body: vec![],
            truncated: false,
        }),
        (_, reason) => Err(format!("the browser says {}", reason.unwrap_or("nothing"))),
    };
    Exchange {
        number: 0,
        at: Duration::ZERO,
        elapsed: Duration::ZERO,
        request: Request {
            method: request["method"].as_str().unwrap_or("GET").to_owned(),
            url: request["url"].as_str().unwrap_or_default().to_owned(),
            headers: fields(&request["headers"]),
            body: request["postData"].as_str().unwrap_or_default().as_bytes().to_vec(),
        },
        outcome,
        withheld: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "https://app.test/cb";

    fn leaves(url: &str) -> bool {
        url.starts_with(CLIENT) || url.starts_with("com.example.app:/cb")
    }

    fn left<'g>(guard: &'g Guard<'_>) -> Option<(&'g str, Option<&'g str>)> {
        guard.callback.as_ref().map(|left| (left.url.as_str(), left.form.as_deref()))
    }

    fn paused(url: &str, kind: &str, more: &Value) -> Value {
        let mut params = json!({
            "requestId": "r1", "networkId": "n1", "resourceType": kind,
            "request": { "method": "GET", "url": url, "headers": {} },
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            params[name] = value.clone();
        }
        json!({ "method": "Fetch.requestPaused", "params": params })
    }

    #[test]
    fn the_target_is_reached_and_everybody_else_is_counted() {
        let home = Home::of(["http://127.0.0.1:7001"]);
        let mut guard = Guard::new(&home, &leaves, Marks::new(&|| None));
        let ask =
            |guard: &mut Guard<'_>, url: &str| guard.on(&paused(url, "Image", &json!({})))[0].0;
        assert_eq!(ask(&mut guard, "http://127.0.0.1:7001/a.png"), "Fetch.continueRequest");
        assert_eq!(ask(&mut guard, "data:image/png;base64,AA"), "Fetch.continueRequest");
        for url in ["http://127.0.0.1:7002/", "https://cdn.test/x?secret", "ftp://127.0.0.1:7001/"]
        {
            assert_eq!(ask(&mut guard, url), "Fetch.failRequest", "{url}");
        }
        let origins: Vec<&str> = guard.blocked.keys().map(String::as_str).collect();
        assert_eq!(origins, ["ftp://127.0.0.1:7001", "http://127.0.0.1:7002", "https://cdn.test"]);
        assert!(guard.callback.is_none() && !guard.is_busy());
    }

    #[test]
    fn nothing_is_sent_to_the_client() {
        let home = Home::of(["https://app.test"]);
        let mut guard = Guard::new(&home, &leaves, Marks::new(&|| None));
        let fragment =
            json!({ "request": { "method": "GET", "url": CLIENT, "urlFragment": "#code=c" } });
        assert_eq!(guard.on(&paused(CLIENT, "Document", &fragment))[0].0, "Fetch.failRequest");
        assert!(left(&guard) == Some(("https://app.test/cb#code=c", None)));

        let mut guard = Guard::new(&home, &leaves, Marks::new(&|| None));
        let form =
            json!({ "request": { "method": "POST", "url": CLIENT, "postData": "code=c&state=s" } });
        guard.on(&paused(CLIENT, "Document", &form));
        assert!(left(&guard) == Some((CLIENT, Some("code=c&state=s"))));

        let mut guard = Guard::new(&home, &leaves, Marks::new(&|| None));
        assert_eq!(guard.on(&paused(CLIENT, "Image", &json!({})))[0].0, "Fetch.failRequest");
        assert!(guard.callback.is_none(), "an image is no authorization response");
    }

    #[test]
    fn a_redirect_to_the_client_is_stopped_at_its_location() {
        let home = Home::of(["http://127.0.0.1:7001"]);
        for to in ["https://app.test/cb?code=c%20d", "com.example.app:/cb?code=c"] {
            let mut guard = Guard::new(&home, &leaves, Marks::new(&|| None));
            let head = json!({ "responseStatusCode": 302, "responseHeaders": [{ "name": "Location", "value": to }] });
            let commands = guard.on(&paused("http://127.0.0.1:7001/login", "Document", &head));
            assert!(commands[0].0 == "Fetch.failRequest" && left(&guard) == Some((to, None)));
            assert_eq!(guard.seen[0].response().unwrap().status, 302);
        }
        let mut guard = Guard::new(&home, &leaves, Marks::new(&|| None));
        let event = json!({ "method": "Page.frameRequestedNavigation", "params": { "url": "com.example.app:/cb?code=c" } });
        assert!(guard.on(&event).is_empty() && guard.callback.is_some());
        let mut guard = Guard::new(&home, &leaves, Marks::new(&|| None));
        let event =
            json!({ "method": "Page.frameRequestedNavigation", "params": { "url": CLIENT } });
        assert!(guard.on(&event).is_empty() && guard.callback.is_none(), "a form may come with it");
    }

    #[test]
    fn an_answer_is_kept_with_its_body_and_goes_on() {
        let home = Home::of(["http://127.0.0.1:7001"]);
        let mut guard = Guard::new(&home, &leaves, Marks::new(&|| None));
        guard.on(&paused("http://127.0.0.1:7001/login", "Document", &json!({})));
        assert!(guard.is_busy());
        let head = json!({ "responseStatusCode": 200, "responseHeaders": [{ "name": "content-type", "value": "text/html" }] });
        let commands = guard.on(&paused("http://127.0.0.1:7001/login", "Document", &head));
        assert!(commands[0].0 == "Fetch.getResponseBody" && guard.is_busy());
        let body = json!({ "body": "PGgxPg==", "base64Encoded": true });
        assert_eq!(guard.with_body("r1", &body, 3)[0].0, "Fetch.continueRequest");
        let response = guard.seen[0].response().unwrap();
        assert!(response.text() == "<h1" && response.truncated && !guard.is_busy());
        assert!(guard.with_body("r1", &body, 3).is_empty());
    }

    #[test]
    fn a_page_that_cannot_be_had_is_an_exchange_without_an_answer() {
        let home = Home::of(["https://as.test"]);
        let mut guard = Guard::new(&home, &leaves, Marks::new(&|| None));
        let failed = json!({ "responseErrorReason": "ConnectionRefused" });
        guard.on(&paused("https://as.test/", "Document", &failed));
        assert_eq!(guard.failure.as_deref(), Some("ConnectionRefused"));
        assert!(guard.seen[0].gist().contains("the browser says ConnectionRefused"));
    }
}
