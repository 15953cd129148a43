//! Scope values (RFC 6749 §3.3).

use std::fmt;

/// An ordered set of scope tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Scope(Vec<String>);

impl Scope {
    pub(crate) fn parse(text: &str) -> Self {
        let mut tokens: Vec<String> = Vec::new();
        for token in text.split(' ').filter(|t| !t.is_empty()) {
            if !tokens.iter().any(|t| t == token) {
                tokens.push(token.to_owned());
            }
        }
        Self(tokens)
    }

    /// The tokens for which `keep` holds.
    pub(crate) fn filter(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(self.iter().filter(|t| keep(t)).map(str::to_owned).collect())
    }

    pub(crate) fn with(mut self, token: &str) -> Self {
        if !self.contains(token) {
            self.0.push(token.to_owned());
        }
        self
    }

    pub(crate) fn contains(&self, token: &str) -> bool {
        self.0.iter().any(|t| t == token)
    }

    pub(crate) fn covers(&self, other: &Self) -> bool {
        other.iter().all(|t| self.contains(t))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The tokens in alphabetical order, to compare sets.
    pub(crate) fn sorted(&self) -> String {
        let mut tokens = self.0.clone();
        tokens.sort();
        tokens.join(" ")
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_sets() {
        let scope = Scope::parse("b  a b");
        assert_eq!((scope.to_string(), scope.sorted()), ("b a".to_owned(), "a b".to_owned()));
        assert!(scope.covers(&Scope::parse("a")) && !Scope::parse("a").covers(&scope));
        assert!(scope.filter(|t| t == "c").is_empty());
    }
}
