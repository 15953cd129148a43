//! A request as octets.

use std::io::Write as _;

use super::Origin;
use crate::model::exchange::Request;

/// Adds `Host` in front and `Content-Length` behind, where the caller set none, so that the
/// recorded request is the one that was sent.
pub(super) fn complete(origin: &Origin, request: &mut Request) {
    if request.header("host").is_none() {
        let host = match origin.host.contains(':') {
            true => format!("[{}]", origin.host),
            false => origin.host.clone(),
        };
        let is_default = origin.port == if origin.tls { 443 } else { 80 };
        let host = if is_default { host } else { format!("{host}:{}", origin.port) };
        request.headers.insert(0, ("Host".into(), host));
    }
    let has_body =
        !request.body.is_empty() || matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
    if has_body && request.header("content-length").is_none() {
        request.headers.push(("Content-Length".into(), request.body.len().to_string()));
    }
}

/// The request as octets: its target verbatim, its header fields in order.
pub(super) fn serialize(request: &Request) -> Result<Vec<u8>, String> {
    let after_scheme = request.url.split_once("://").map_or("", |(_, rest)| rest);
    let target = after_scheme.find(['/', '?']).map_or("/", |at| &after_scheme[at..]);
    let target = target.split('#').next().unwrap_or(target);
    let lines = request.headers.iter().flat_map(|(name, value)| [name, value]);
    if lines.chain([&request.method, &target.to_owned()]).any(|text| text.contains(['\r', '\n'])) {
        return Err(
            "a line break in the request line or a header field would make it another request"
                .into(),
        );
    }
    let mut out = Vec::with_capacity(512 + request.body.len());
    let slash = if target.starts_with('/') { "" } else { "/" };
    let _ = write!(out, "{} {slash}{target} HTTP/1.1\r\n", request.method);
    for (name, value) in &request.headers {
        let _ = write!(out, "{name}: {value}\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&request.body);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, url: &str) -> Request {
        Request {
            method: method.into(),
            url: url.into(),
            headers: vec![("A".into(), "b".into())],
            body: vec![],
        }
    }

    fn origin() -> Origin {
        Origin { tls: false, host: "127.0.0.1".into(), port: 8080 }
    }

    /// What goes over the wire for that request.
    fn sent(method: &str, url: &str) -> Result<Vec<u8>, String> {
        let mut request = request(method, url);
        complete(&origin(), &mut request);
        serialize(&request)
    }

    #[test]
    fn the_target_is_sent_verbatim() {
        let octets = sent("GET", "http://127.0.0.1:8080/a/../b?x=<\">&&#frag").unwrap();
        let text = String::from_utf8(octets).unwrap();
        assert_eq!(text, "GET /a/../b?x=<\">&& HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nA: b\r\n\r\n");
    }

    #[test]
    fn what_the_caller_set_is_not_added() {
        let mut own = request("POST", "http://127.0.0.1:8080/");
        own.headers.push(("host".into(), "other.test".into()));
        own.body = b"x".to_vec();
        complete(&origin(), &mut own);
        let names: Vec<&str> = own.headers.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, ["A", "host", "Content-Length"]);
    }

    #[test]
    fn a_query_without_a_path_gets_a_slash() {
        let octets = sent("GET", "http://127.0.0.1:8080?x=1").unwrap();
        assert!(octets.starts_with(b"GET /?x=1 HTTP/1.1\r\n"));
    }

    #[test]
    fn a_line_break_never_reaches_the_wire() {
        assert!(sent("GET", "http://127.0.0.1:8080/\r\nX: y").is_err());
    }
}
