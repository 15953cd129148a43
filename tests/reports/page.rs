//! A page taken apart: its tags and its texts, as a parser of HTML sees them.

use std::collections::BTreeMap;

use html5gum::{Token, Tokenizer};

/// A start tag with its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Tag {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// The tag without the values of its attributes.
    pub(crate) fn shape(&self) -> String {
        let names: Vec<&str> = self.attributes.keys().map(String::as_str).collect();
        format!("<{} {}>", self.name, names.join(" "))
    }
}

/// What a page consists of.
pub(crate) struct Page {
    pub(crate) tags: Vec<Tag>,
    /// The texts of all elements, one after the other.
    pub(crate) text: String,
    /// The texts of `style` and `script`.
    pub(crate) assets: BTreeMap<String, String>,
    pub(crate) comments: usize,
}

/// Takes a page apart.
pub(crate) fn parse(html: &str) -> Page {
    let utf8 = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    let mut page = Page { tags: vec![], text: String::new(), assets: BTreeMap::new(), comments: 0 };
    let mut within: Option<String> = None;
    for token in Tokenizer::new(html) {
        match token.unwrap() {
            Token::StartTag(tag) => {
                let name = utf8(&tag.name);
                within = matches!(name.as_str(), "style" | "script").then(|| name.clone());
                let attributes =
                    tag.attributes.iter().map(|(name, value)| (utf8(name), utf8(value)));
                page.tags.push(Tag { name, attributes: attributes.collect() });
            }
            Token::EndTag(_) => within = None,
            Token::String(text) => match &within {
                Some(name) => page.assets.entry(name.clone()).or_default().push_str(&utf8(&text)),
                None => page.text.push_str(&utf8(&text)),
            },
            Token::Comment(_) => page.comments += 1,
            Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    page
}
