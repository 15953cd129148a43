//! Form-urlencoded parameters, in order and with repetitions.

use url::form_urlencoded;

/// What to do with a parameter that occurs more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeated {
    Refused,
    FirstWins,
    LastWins,
}

/// The decoded parameters of a query or a form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// The first value. An empty value counts as omitted (RFC 6749 §3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// The first value, be it empty.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value, in order.
    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(n, _)| n.as_str())
    }

    /// The same pairs under the names that `name` yields.
    pub(crate) fn renamed(&self, name: impl Fn(&str) -> String) -> Self {
        Self(self.0.iter().map(|(n, v)| (name(n), v.clone())).collect())
    }

    /// These pairs, and those of `other` under names that are missing here.
    pub(crate) fn completed_by(mut self, other: Self) -> Self {
        let missing = other.0.into_iter().filter(|(n, _)| self.raw(n).is_none());
        let missing: Vec<_> = missing.collect();
        self.0.extend(missing);
        self
    }

    /// All parameters but those of these names.
    pub(crate) fn without(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(n, _)| !names.contains(&n.as_str())).cloned().collect())
    }

    /// One more parameter at the end.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The parameters as a query.
    pub(crate) fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// One value per name, except for `resource`, which may be repeated (RFC 8707 §2).
    ///
    /// # Errors
    /// The name that occurs more than once and may not.
    pub(crate) fn single(&self, rule: impl Fn(&str) -> Repeated) -> Result<Self, String> {
        let mut result: Vec<(String, String)> = Vec::new();
        for (name, value) in &self.0 {
            match result.iter_mut().find(|(n, _)| n == name && n != "resource") {
                None => result.push((name.clone(), value.clone())),
                Some(earlier) => match rule(name) {
                    Repeated::Refused => return Err(name.clone()),
                    Repeated::FirstWins => {}
                    Repeated::LastWins => earlier.1.clone_from(value),
                },
            }
        }
        Ok(Self(result))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_counts_as_omitted() {
        let params = Params::parse(b"a=&b=1+2%20%2B");
        assert_eq!((params.get("a"), params.raw("a")), (None, Some("")));
        assert_eq!(params.get("b"), Some("1 2 +"));
    }

    #[test]
    fn repetition_is_refused_except_for_resource() {
        let params = Params::parse(b"a=1&a=2&resource=x&resource=y");
        assert_eq!(params.single(|_| Repeated::Refused).err(), Some("a".to_owned()));
        let last = params.single(|_| Repeated::LastWins).ok();
        assert_eq!(last.as_ref().and_then(|p| p.get("a")), Some("2"));
        assert_eq!(last.map(|p| p.all("resource").count()), Some(2));
    }
}
