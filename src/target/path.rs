//! The place of a value in a profile, such as `clients[0].redirect_uris`.

use std::fmt;

/// One step from a value to a value within.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// A member of a table.
    Key(String),
    /// An entry of a list, counted from 0.
    Index(usize),
}

/// The place of a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(Vec<Segment>);

impl Path {
    /// Reads the written form.
    pub fn parse(text: &str) -> Self {
        let mut path = Self::default();
        for part in text.split(['.', '[']).filter(|part| !part.is_empty()) {
            path = match part.strip_suffix(']').and_then(|index| index.parse().ok()) {
                Some(index) => path.item(index),
                None => path.child(part),
            };
        }
        path
    }

    /// The path that the name of an environment variable stands for, without the prefix.
    pub fn of_variable(name: &str) -> Self {
        name.split("__").fold(Self::default(), |path, part| match part.parse() {
            Ok(index) => path.item(index),
            Err(_) => path.child(&part.to_ascii_lowercase()),
        })
    }

    /// The name of the environment variable, without the prefix.
    pub fn variable(&self) -> String {
        let parts = self.0.iter().map(|segment| match segment {
            Segment::Key(key) => key.to_ascii_uppercase(),
            Segment::Index(index) => index.to_string(),
        });
        parts.collect::<Vec<_>>().join("__")
    }

    /// The member of that name.
    pub fn child(&self, key: &str) -> Self {
        Self([&self.0[..], &[Segment::Key(key.to_owned())]].concat())
    }

    /// The entry at that index.
    pub fn item(&self, index: usize) -> Self {
        Self([&self.0[..], &[Segment::Index(index)]].concat())
    }

    /// Its last part is that member.
    pub fn ends_with(&self, key: &str) -> bool {
        matches!(self.0.last(), Some(Segment::Key(last)) if last == key)
    }

    /// Itself, what contains it, and so on.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        (1..=self.0.len()).rev().map(|length| Self(self.0[..length].to_vec()))
    }
}

impl std::ops::Deref for Path {
    type Target = [Segment];

    fn deref(&self) -> &[Segment] {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if at == 0 => write!(f, "{key}")?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_variable_stands_for_a_path() {
        let path = Path::of_variable("CLIENTS__0__REDIRECT_URIS");
        assert_eq!(path.to_string(), "clients[0].redirect_uris");
        assert_eq!(path.variable(), "CLIENTS__0__REDIRECT_URIS");
        let outward: Vec<String> = path.ancestors().map(|p| p.to_string()).collect();
        assert_eq!(outward, ["clients[0].redirect_uris", "clients[0]", "clients"]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(keys in proptest::collection::vec(("[a-z_]{1,8}", proptest::option::of(0usize..9)), 1..4)) {
            let path = keys.iter().fold(Path::default(), |path, (key, index)| {
                let path = path.child(key);
                index.map_or_else(|| path.clone(), |index| path.item(index))
            });
            prop_assert_eq!(Path::parse(&path.to_string()), path);
        }
    }
}
