//! What tells the operator of the target which run a request belongs to, and which duty it serves.

use crate::model::exchange::Request;

/// The trace of one run (W3C Trace Context).
pub(super) struct Trace {
    id: String,
}

/// What marks one request.
pub struct Mark {
    /// A product with run and duty in a comment (RFC 9110 §10.1.5).
    pub user_agent: String,
    /// Version 00 of the field (W3C Trace Context §3.2.2), with a span of its own.
    pub traceparent: String,
}

impl Trace {
    /// A trace with an id of its own.
    pub(super) fn begin() -> Self {
        loop {
            let id: u128 = rand::random();
            // An id of zeros is not valid (W3C Trace Context §3.2.2.3).
            if id != 0 {
                return Self { id: format!("{id:032x}") };
            }
        }
    }

    /// The trace id, 32 lower-case hexadecimal digits.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Adds `traceparent` and `User-Agent` behind the header fields, where the caller set none.
    pub(super) fn mark(&self, request: &mut Request, subject: &str) {
        let mark = self.next(subject);
        if request.header("user-agent").is_none() {
            request.headers.push(("User-Agent".into(), mark.user_agent));
        }
        if request.header("traceparent").is_none() {
            request.headers.push(("traceparent".into(), mark.traceparent));
        }
    }

    /// The mark of one request more that serves that subject.
    pub(super) fn next(&self, subject: &str) -> Mark {
        Mark { user_agent: self.user_agent(subject), traceparent: self.parent(span()) }
    }

    fn user_agent(&self, subject: &str) -> String {
        let run = &self.id[..8];
        format!("authspec/{} (run {run}; {subject})", env!("CARGO_PKG_VERSION"))
    }

    /// Version 00, sampled: the operator wants to find the request.
    fn parent(&self, span: u64) -> String {
        format!("00-{}-{span:016x}-01", self.id)
    }
}

/// The id of one exchange.
fn span() -> u64 {
    rand::random::<u64>().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace() -> Trace {
        Trace { id: "4b".repeat(16) }
    }

    #[test]
    fn the_header_has_the_form_of_trace_context() {
        let parent = trace().parent(0x0001_0203_0405_06ff);
        assert_eq!(parent, format!("00-{}-00010203040506ff-01", "4b".repeat(16)));
    }

    #[test]
    fn requests_share_the_trace_and_have_spans_of_their_own() {
        let of = |trace: &Trace| {
            let mut request = Request::get("http://as.test/");
            trace.mark(&mut request, "token.code-single-use");
            request
        };
        let (one, two) = (of(&trace()), of(&trace()));
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
        trace().mark(&mut request, "x");
        assert!(request == before);
    }
}
