//! What tells the operator of the target which run and which duty a request of the browser belongs
//! to: as for every other request, but only where no page is hindered by it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use url::Url;

/// The header field (W3C Trace Context).
const NAME: &str = "traceparent";

/// Marks the requests of one browser.
pub struct Marks<'a> {
    /// The value for one request more; none where requests are not to be marked.
    next: &'a (dyn Fn() -> Option<String> + Sync),
    /// The origin of the document in each frame.
    frames: BTreeMap<String, String>,
}

impl<'a> Marks<'a> {
    /// Marks with the values that `next` makes.
    pub fn new(next: &'a (dyn Fn() -> Option<String> + Sync)) -> Self {
        Self { next, frames: BTreeMap::new() }
    }

    /// A document of that frame has arrived.
    pub fn arrived(&mut self, frame: &Value, url: &str) {
        if let (Some(frame), Some(origin)) = (frame.as_str(), origin(url)) {
            self.frames.insert(frame.to_owned(), origin);
        }
    }

    /// All header fields of a request that is paused before it is sent, the mark among them, as
    /// `Fetch.continueRequest` takes them; nothing where the request goes as it is.
    ///
    /// The field is none that a page may send to another origin without asking first, and the
    /// server need not agree (Fetch §4.8, CORS-preflight fetch).
    pub fn headers(&self, params: &Value, url: &str) -> Option<Value> {
        let is_page = params["resourceType"] == "Document";
        let own = params["frameId"].as_str().and_then(|frame| self.frames.get(frame));
        if !is_page && own.is_none_or(|own| Some(own) != origin(url).as_ref()) {
            return None;
        }
        let fields = params["request"]["headers"].as_object()?;
        // A redirect repeats the fields of the request.
        if fields.keys().any(|name| name.eq_ignore_ascii_case(NAME)) {
            return None;
        }
        let mark = (self.next)()?;
        let field = |name: &str, value: &Value| json!({ "name": name, "value": value });
        let all = fields.iter().map(|(name, value)| field(name, value));
        Some(all.chain([field(NAME, &mark.into())]).collect())
    }
}

/// The origin of an address of the web.
fn origin(url: &str) -> Option<String> {
    let origin = Url::parse(url).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value() -> Option<String> {
        Some("00-1-2-01".into())
    }

    fn paused(kind: &str, frame: &str) -> Value {
        let headers = json!({ "Accept": "*/*", "Referer": "https://as.test/" });
        json!({ "resourceType": kind, "frameId": frame, "request": { "headers": headers } })
    }

    #[test]
    fn a_mark_stands_beside_the_fields_of_the_browser() {
        let marks = Marks::new(&value);
        let all = marks.headers(&paused("Document", "f"), "https://as.test/a").unwrap();
        let expected = json!([
            { "name": "Accept", "value": "*/*" },
            { "name": "Referer", "value": "https://as.test/" },
            { "name": "traceparent", "value": "00-1-2-01" },
        ]);
        assert_eq!(all, expected);
        assert!(
            Marks::new(&|| None).headers(&paused("Document", "f"), "https://as.test/").is_none()
        );
    }

    #[test]
    fn a_script_asks_no_other_origin_for_leave() {
        let mut marks = Marks::new(&value);
        let is_marked = |marks: &Marks<'_>, frame: &str, url: &str| {
            marks.headers(&paused("Fetch", frame), url).is_some()
        };
        assert!(!is_marked(&marks, "f", "https://as.test/api"), "nobody knows the page");
        marks.arrived(&"f".into(), "https://as.test/login?a=b");
        assert!(is_marked(&marks, "f", "https://as.test:443/api"));
        for url in ["https://idp.test/api", "https://as.test:8443/api", "http://as.test/api"] {
            assert!(!is_marked(&marks, "f", url), "{url}");
        }
        assert!(!is_marked(&marks, "other", "https://as.test/api"));
        marks.arrived(&"f".into(), "https://idp.test/");
        assert!(is_marked(&marks, "f", "https://idp.test/api"));
    }

    #[test]
    fn a_page_that_marks_its_requests_itself_is_left_alone() {
        let mut params = paused("Document", "f");
        params["request"]["headers"]["Traceparent"] = "00-3-4-01".into();
        assert!(Marks::new(&value).headers(&params, "https://as.test/").is_none());
    }
}
