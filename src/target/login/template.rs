//! Texts with names in braces, `{issuer}/login?user={username}`. A brace of the text is doubled.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::Deserialize;

/// What a value must not contain to stand within an address: all but RFC 3986 unreserved characters.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Names that every template knows.
pub const NAMES: [&str; 8] = [
    "authorization_url",
    "page_url",
    "page_query",
    "issuer",
    "redirect_uri",
    "username",
    "password",
    "otp",
];

/// A text with names in braces.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(String),
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl Template {
    /// Reads a template. The error says which brace is at fault.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            let name = rest.split_once('}').filter(|(name, _)| brace == "{" && is_name(name));
            let Some((name, after)) = name else {
                return Err(format!(
                    "a brace stands alone in \"{text}\": write a name as {{name}} and a brace itself twice"
                ));
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Name(name.to_owned()));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// The names in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Name(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text before the first name.
    pub fn prefix(&self) -> &str {
        match self.0.first() {
            Some(Part::Text(text)) => text,
            _ => "",
        }
    }

    /// The text with every name replaced. The error is the name that `value` does not know.
    pub fn render(&self, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
        self.fill(|_, name| value(name))
    }

    /// The text as an address: what stands at its beginning and `page_query` are parts of addresses
    /// already, all other values are percent-encoded.
    pub fn address(&self, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
        self.fill(|at, name| {
            let value = value(name)?;
            let is_part = at == 0 || name == "page_query";
            Some(if is_part { value } else { utf8_percent_encode(&value, COMPONENT).to_string() })
        })
    }

    fn fill(&self, value: impl Fn(usize, &str) -> Option<String>) -> Result<String, String> {
        let mut text = String::new();
        for (at, part) in self.0.iter().enumerate() {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Name(name) => text.push_str(&value(at, name).ok_or_else(|| name.clone())?),
            }
        }
        Ok(text)
    }
}

/// Letters, figures, `_` and `-`, as TOML writes bare keys.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(name: &str) -> Option<String> {
        match name {
            "issuer" => Some("http://as.test/a".into()),
            "username" => Some("a b&c".into()),
            "page_query" => Some("x=1&y=%20".into()),
            _ => None,
        }
    }

    #[test]
    fn names_are_replaced_and_braces_doubled() {
        let template = Template::parse("{{{username}}} in {issuer}").unwrap();
        assert_eq!(template.names().collect::<Vec<_>>(), ["username", "issuer"]);
        assert_eq!(template.render(value).unwrap(), "{a b&c} in http://as.test/a");
        assert_eq!(Template::parse("{nobody}").unwrap().render(value), Err("nobody".into()));
    }

    #[test]
    fn an_address_encodes_what_is_no_address() {
        let template = Template::parse("{issuer}/in?u={username}&{page_query}").unwrap();
        assert_eq!(template.address(value).unwrap(), "http://as.test/a/in?u=a%20b%26c&x=1&y=%20");
    }

    #[test]
    fn a_lonely_brace_is_named() {
        for text in ["{", "}", "{a", "a}", "{}", "{a b}", "{a{b}}"] {
            assert!(Template::parse(text).unwrap_err().contains("stands alone"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_text_without_names_renders_to_itself(text in "\\PC{0,40}") {
            let doubled = text.replace('{', "{{").replace('}', "}}");
            let template = Template::parse(&doubled).unwrap();
            prop_assert_eq!(template.names().count(), 0);
            prop_assert_eq!(template.render(|_| None).unwrap(), text);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[{}a-z_ ]{0,30}") {
            let _ = Template::parse(&text);
        }

        #[test]
        fn an_encoded_value_adds_no_parameter(value in "\\PC{1,20}") {
            let template = Template::parse("http://as.test/?u={username}").unwrap();
            let url = url::Url::parse(&template.address(|_| Some(value.clone())).unwrap()).unwrap();
            let pairs: Vec<_> = url.query_pairs().collect();
            prop_assert_eq!(pairs.len(), 1);
            prop_assert_eq!(&*pairs[0].1, value.as_str());
        }
    }
}
