//! Request parameters: ordered name and value pairs, a conformant start and named mutations.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986 §2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Ordered parameters; names may repeat, values may be empty.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Parameters from pairs.
    pub fn new<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        Self(pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect())
    }

    /// Decodes a query, fragment or form body (`application/x-www-form-urlencoded`).
    pub fn decode(encoded: &str) -> Self {
        let decode = |text: &str| {
            percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
        };
        Self(
            encoded
                .split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decode(name), decode(value)))
                .collect(),
        )
    }

    /// The value of the first parameter of that name.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// How often the name occurs.
    pub fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|(n, _)| n == name).count()
    }

    /// The pairs in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// Whether there is no parameter.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Mutation: the parameter is left out.
    pub fn omit(&mut self, name: &str) {
        self.0.retain(|(n, _)| n != name);
    }

    /// Mutation: the parameter has this value, in its place or at the end.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self.0.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Mutation: one more occurrence at the end.
    pub fn repeat(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into()));
    }

    /// Mutation: one more occurrence before all others.
    pub fn prepend(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(0, (name.to_owned(), value.into()));
    }

    /// `application/x-www-form-urlencoded`, everything but unreserved characters escaped.
    pub fn encode(&self) -> String {
        let mut encoded = String::with_capacity(256);
        for (name, value) in &self.0 {
            if !encoded.is_empty() {
                encoded.push('&');
            }
            encoded.extend(utf8_percent_encode(name, RESERVED));
            encoded.push('=');
            encoded.extend(utf8_percent_encode(value, RESERVED));
        }
        encoded
    }

    /// `endpoint` with the parameters added to its query, which is kept (RFC 6749 §3.1); a
    /// fragment, which it must not have, is dropped.
    pub fn on(&self, endpoint: &str) -> String {
        let endpoint = endpoint.split('#').next().unwrap_or(endpoint);
        let separator = match endpoint.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        format!("{endpoint}{separator}{}", self.encode())
    }
}

// Values may be codes and verifiers.
impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(n, _)| n)).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn mutations_touch_one_parameter() {
        let mut params = Params::new([("a", "1"), ("b", "2")]);
        params.set("a", "3");
        params.repeat("b", "4");
        params.prepend("c", "");
        assert_eq!(params.encode(), "c=&a=3&b=2&b=4");
        params.omit("b");
        assert_eq!(params.encode(), "c=&a=3");
        assert_eq!((params.count("b"), params.count("c"), params.value("a")), (0, 1, Some("3")));
    }

    #[test]
    fn a_query_of_the_endpoint_is_kept() {
        let params = Params::new([("a", "1")]);
        assert_eq!(
            params.on("https://as.test/authorize?tenant=x"),
            "https://as.test/authorize?tenant=x&a=1"
        );
        assert_eq!(params.on("https://as.test/authorize?"), "https://as.test/authorize?a=1");
        assert_eq!(params.on("https://as.test/authorize"), "https://as.test/authorize?a=1");
        assert_eq!(params.on("https://as.test/authorize#x"), "https://as.test/authorize?a=1");
    }

    proptest! {
        #[test]
        fn encoding_round_trips(pairs in proptest::collection::vec(("\\PC{1,12}", "\\PC{0,20}"), 0..6)) {
            let params = Params::new(pairs);
            prop_assert_eq!(&Params::decode(&params.encode()), &params);
        }

        #[test]
        fn encoding_is_safe_in_a_request_target(value in any::<String>()) {
            let encoded = Params::new([("state", value)]).encode();
            prop_assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%=".contains(&b)));
        }

        #[test]
        fn url_crate_reads_the_same(pairs in proptest::collection::vec(("[a-z]{1,5}", "\\PC{0,20}"), 0..6)) {
            let params = Params::new(pairs);
            let encoded = params.encode();
            let theirs: Vec<_> = url::form_urlencoded::parse(encoded.as_bytes()).into_owned().collect();
            let ours: Vec<_> = params.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            prop_assert_eq!(ours, theirs);
        }
    }
}
