//! Secrets of the operator's: usable, never printable.

use std::fmt;

/// A password or client secret. It has no `Display`, and its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// Resolves a reference: `env:NAME` or `file:PATH` (one trailing line break is dropped).
    ///
    /// `variable` looks an environment variable up. Fails when the reference names nothing, and
    /// when it is no reference: a profile can be shared only as long as no secret stands in it.
    pub fn resolve(
        reference: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        match reference.split_once(':') {
            Some(("env", name)) => variable(name)
                .map(Self)
                .ok_or_else(|| format!("the environment variable {name} is not set; export it before the run")),
            Some(("file", path)) => std::fs::read_to_string(path)
                .map(|text| Self(text.strip_suffix('\n').unwrap_or(&text).to_owned()))
                .map_err(|e| format!("cannot read {path}: {e}")),
            _ => Err("a secret must be a reference, env:NAME or file:PATH, so that the profile can be shared".into()),
        }
    }

    /// The value itself, for the wire.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved() {
        let variable = |name: &str| (name == "PW").then(|| "s3cret".to_owned());
        assert_eq!(Secret::resolve("env:PW", &variable).unwrap().expose(), "s3cret");
        assert!(Secret::resolve("env:OTHER", &variable).unwrap_err().contains("OTHER is not set"));
        assert!(
            Secret::resolve("file:/nonexistent/x", &variable).unwrap_err().contains("cannot read")
        );
    }

    #[test]
    fn a_literal_secret_is_refused_and_not_repeated() {
        let error = Secret::resolve("hunter2", &|_| None).unwrap_err();
        assert!(error.contains("must be a reference") && !error.contains("hunter2"));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(..)");
    }
}
