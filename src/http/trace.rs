//! What tells the operator of the target which run a request belongs to, and which duty it serves.

use std::fmt::Write as _;

use crate::model::exchange::Request;

/// The trace of one run (W3C Trace Context).
pub(super) struct Trace {
    id: [u8; 16],
}

impl Trace {
    /// A trace with an id of its own.
    pub(super) fn begin() -> Self {
        loop {
            let id = rand::random();
            // An id of zeros is not valid (W3C Trace Context §3.2.2.3).
            if id != [0; 16] {
                return Self { id };
            }
        }
    }

    /// The trace id, 32 lower-case hexadecimal digits.
    pub(super) fn id(&self) -> String {
        hex(&self.id)
    }

    /// Adds `traceparent` and `User-Agent` behind the header fields, where the caller set none.
    pub(super) fn mark(&self, request: &mut Request, subject: &str) {
        if request.header("user-agent").is_none() {
            request.headers.push(("User-Agent".into(), self.user_agent(subject)));
        }
        if request.header("traceparent").is_none() {
            request.headers.push(("traceparent".into(), self.parent(span())));
        }
    }

    fn user_agent(&self, subject: &str) -> String {
        let run = &self.id()[..8];
        format!("authspec/{} (run {run}; {subject})", env!("CARGO_PKG_VERSION"))
    }

    /// Version 00, sampled: the operator wants to find the request.
    fn parent(&self, span: [u8; 8]) -> String {
        format!("00-{}-{}-01", self.id(), hex(&span))
    }
}

/// The id of one exchange.
fn span() -> [u8; 8] {
    let id: u64 = rand::random();
    id.max(1).to_be_bytes()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: Trace = Trace { id: [0x4b; 16] };

    #[test]
    fn the_header_has_the_form_of_trace_context() {
        let parent = TRACE.parent([0, 1, 2, 3, 4, 5, 6, 0xff]);
        assert_eq!(parent, format!("00-{}-00010203040506ff-01", "4b".repeat(16)));
    }

    #[test]
    fn requests_share_the_trace_and_have_spans_of_their_own() {
        let of = |trace: &Trace| {
            let mut request = Request::get("http://as.test/");
            trace.mark(&mut request, "token.code-single-use");
            request
        };
        let (one, two) = (of(&TRACE), of(&TRACE));
        let parts = |request: &Request| -> Vec<String> {
            let parent = request.header("traceparent").unwrap();
            parent.split('-').map(str::to_owned).collect()
        };
        assert_eq!(parts(&one)[1], parts(&two)[1]);
        assert_ne!(parts(&one)[2], parts(&two)[2]);
        assert_ne!(Trace::begin().id(), Trace::begin().id());
        let agent = one.header("User-Agent").unwrap();
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(agent, format!("authspec/{version} (run 4b4b4b4b; token.code-single-use)"));
    }

    #[test]
    fn what_the_caller_set_stays() {
        let mut request = Request::get("http://as.test/");
        request.headers =
            vec![("user-agent".into(), "curl".into()), ("Traceparent".into(), "00-1-2-00".into())];
        let before = request.clone();
        TRACE.mark(&mut request, "x");
        assert!(request == before);
    }
}
