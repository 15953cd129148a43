//! Parts of a redacted exchange, as other tools name them.

use serde_json::{Value, json};
use url::Url;

/// The value of the first header field of that name.
pub(super) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Method and URL. A pseudonym in the URL, `<code#1>`, is percent-encoded: its `#` would begin a
/// fragment. Where the whole URL is a secret, its scheme is `redacted`.
pub(super) fn request_target(request_line: &str) -> (String, String) {
    let (method, url) = request_line.split_once(' ').unwrap_or(("", request_line));
    let scheme = if url.starts_with('<') { "redacted:" } else { "" };
    (method.to_owned(), format!("{scheme}{}", uri(url)))
}

/// The text as a URI: what no URI may hold where it stands is percent-encoded.
pub(super) fn uri(text: &str) -> String {
    let scheme = text.find("://").map_or(0, |at| at + 3);
    let path = text[scheme..].find(['/', '?', '#']).map_or(text.len(), |at| scheme + at);
    let (mut out, mut in_pseudonym, mut in_fragment) = (String::new(), false, false);
    for (at, c) in text.char_indices() {
        let is_kept = match c {
            '<' | '>' => {
                in_pseudonym = c == '<';
                false
            }
            '#' if in_pseudonym || in_fragment => false,
            '#' => {
                in_fragment = true;
                true
            }
            '%' => is_escape(&text[at..]),
            '[' | ']' => at < path,
            '"' | '\\' | '^' | '`' | '{' | '|' | '}' => false,
            c => c.is_ascii_graphic(),
        };
        if is_kept {
            out.push(c);
            continue;
        }
        let mut octets = [0; 4];
        c.encode_utf8(&mut octets).bytes().for_each(|octet| out.push_str(&format!("%{octet:02X}")));
    }
    out
}

/// The text begins with a percent-encoded octet.
fn is_escape(text: &str) -> bool {
    text.as_bytes().get(1..3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// The parameters of a URL's query, decoded.
pub(super) fn query(url: &str) -> Vec<(String, String)> {
    let query = url.split('#').next().unwrap_or_default().split_once('?').map(|(_, query)| query);
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect()
}

/// Scheme, host and port of a URL, and its path; all of it is the path where it is no URL.
pub(super) fn origin_and_path(url: &str) -> (String, String) {
    match Url::parse(url) {
        Ok(parsed) if parsed.has_host() => {
            (parsed.origin().ascii_serialization(), parsed.path().to_owned())
        }
        _ => (String::new(), url.split(['?', '#']).next().unwrap_or_default().to_owned()),
    }
}

/// The cookies of a request.
pub(super) fn cookies(headers: &[(String, String)]) -> Value {
    let fields = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("cookie"));
    let pairs = fields.flat_map(|(_, value)| value.split(';')).filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        Some(json!({ "name": name, "value": value }))
    });
    pairs.collect()
}

/// The cookies that a response sets.
pub(super) fn set_cookies(headers: &[(String, String)]) -> Value {
    let fields = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    fields.filter_map(|(_, value)| set_cookie(value)).collect()
}

fn set_cookie(field: &str) -> Option<Value> {
    let mut parts = field.split(';').map(str::trim);
    let (name, value) = parts.next()?.split_once('=')?;
    let mut cookie = json!({ "name": name, "value": value, "httpOnly": false, "secure": false });
    for part in parts {
        let (attribute, value) = part.split_once('=').unwrap_or((part, ""));
        match attribute.to_ascii_lowercase().as_str() {
            "path" => cookie["path"] = json!(value),
            "domain" => cookie["domain"] = json!(value),
            "httponly" => cookie["httpOnly"] = json!(true),
            "secure" => cookie["secure"] = json!(true),
            // HAR wants ISO 8601, which no server sends.
            "expires" | "max-age" | "samesite" => {
                let told = cookie["comment"].as_str().map(|c| format!("{c}; ")).unwrap_or_default();
                cookie["comment"] = json!(format!("{told}{part}"));
            }
            _ => {}
        }
    }
    Some(cookie)
}

/// The reason phrase that RFC 9110 gives a status code; the wire's own is not recorded.
pub(super) fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_request_has_an_absolute_uri_even_where_all_of_it_is_secret() {
        let read = |line| request_target(line);
        assert_eq!(read("GET https://as.test/<a#1>").1, "https://as.test/%3Ca%231%3E");
        let (method, url) = read("GET <request_uri#1>");
        assert_eq!((method.as_str(), url.as_str()), ("GET", "redacted:%3Crequest_uri%231%3E"));
        assert!(Url::parse(&url).is_ok());
    }

    #[test]
    fn a_pseudonym_in_a_url_is_part_of_its_query() {
        let url = uri("https://as.test/token?code=<code#1>&x=a b#end");
        assert_eq!(url, "https://as.test/token?code=%3Ccode%231%3E&x=a%20b#end");
        assert_eq!(query(&url), [("code".into(), "<code#1>".into()), ("x".into(), "a b".into())]);
        let expected = ("https://as.test:8443".into(), "/a".into());
        assert_eq!(origin_and_path("https://as.test:8443/a?b"), expected);
        assert_eq!(origin_and_path("/a?b"), (String::new(), "/a".into()));
        assert_eq!(
            uri("http://[::1]:80/[a]?100%&%20#x#y"),
            "http://[::1]:80/%5Ba%5D?100%25&%20#x%23y"
        );
    }

    #[test]
    fn cookies_are_taken_apart() {
        let fields =
            [("Set-Cookie".to_owned(), "s=<cookie#1>; Path=/; HttpOnly; Max-Age=5".to_owned())];
        let expected = json!([{ "name": "s", "value": "<cookie#1>", "httpOnly": true, "secure": false,
            "path": "/", "comment": "Max-Age=5" }]);
        assert_eq!(set_cookies(&fields), expected);
        let fields = [("cookie".to_owned(), "a=1; b=2=3; c".to_owned())];
        let expected = json!([{ "name": "a", "value": "1" }, { "name": "b", "value": "2=3" }]);
        assert_eq!(cookies(&fields), expected);
    }

    proptest! {
        #[test]
        fn a_uri_is_printable_ascii(text in any::<String>()) {
            prop_assert!(uri(&text).bytes().all(|b| b.is_ascii_graphic()));
        }
    }
}
