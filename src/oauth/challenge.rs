//! `WWW-Authenticate` (RFC 9110 §11.6.1): a list of challenges, read strictly.

use crate::model::exchange::Response;

/// One challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Authentication scheme as spelled.
    pub scheme: String,
    /// What stands in place of parameters (RFC 9110 §11.2).
    pub token68: Option<String>,
    /// Parameters in order: names in lower case, values unquoted.
    pub params: Vec<(String, String)>,
}

impl Challenge {
    /// The challenges of a response, as far as they can be read.
    pub fn all_of(response: &Response) -> Vec<Self> {
        let read = |value| {
            let mut reader = Reader::of(value);
            // What comes before a fault counts; `parse` names the fault.
            let _ = reader.read();
            reader.challenges
        };
        response.headers("www-authenticate").flat_map(read).collect()
    }

    /// The scheme is Bearer or DPoP, compared without regard to case (RFC 9110 §11.1).
    pub fn is_for_access_tokens(&self) -> bool {
        ["bearer", "dpop"].iter().any(|scheme| self.scheme.eq_ignore_ascii_case(scheme))
    }

    /// The first parameter of that name, given in lower case.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a field value. The error says what the grammar does not allow.
pub fn parse(value: &str) -> Result<Vec<Challenge>, String> {
    let mut reader = Reader::of(value);
    reader.read().map(|()| reader.challenges)
}

struct Reader<'a> {
    rest: &'a str,
    challenges: Vec<Challenge>,
}

impl<'a> Reader<'a> {
    fn of(value: &'a str) -> Self {
        Self { rest: value, challenges: Vec::new() }
    }

    fn read(&mut self) -> Result<(), String> {
        self.skip_commas();
        while !self.rest.is_empty() {
            let name = self.token().ok_or_else(|| self.unexpected())?;
            // What follows a comma is a parameter of the challenge before it, or the next scheme.
            match self.value()? {
                Some(value) => self.add(name, value)?,
                None => self.challenge(name)?,
            }
            self.skip_spaces();
            if !self.rest.is_empty() && !self.rest.starts_with(',') {
                return Err(self.unexpected());
            }
            self.skip_commas();
        }
        if self.challenges.is_empty() { Err("no challenge at all".into()) } else { Ok(()) }
    }

    fn add(&mut self, name: &str, value: String) -> Result<(), String> {
        match self.challenges.last_mut().filter(|challenge| challenge.token68.is_none()) {
            Some(challenge) => challenge.params.push((name.to_ascii_lowercase(), value)),
            None => return Err(format!("the parameter {name} belongs to no scheme")),
        }
        Ok(())
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    /// Empty list elements are for recipients to ignore (RFC 9110 §5.6.1.2).
    fn skip_commas(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', ',']);
    }

    fn take(&mut self, allowed: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !allowed(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn token(&mut self) -> Option<&'a str> {
        Some(self.take(is_token_character)).filter(|token| !token.is_empty())
    }

    /// `=` and a value, if that is what follows; nothing is read otherwise.
    fn value(&mut self) -> Result<Option<String>, String> {
        let Some(rest) = self.rest.trim_start_matches([' ', '\t']).strip_prefix('=') else {
            return Ok(None);
        };
        self.rest = rest;
        self.skip_spaces();
        if self.rest.starts_with('"') {
            return self.quoted().map(Some);
        }
        match self.token() {
            Some(token) => Ok(Some(token.to_owned())),
            None => Err(self.unexpected()),
        }
    }

    fn quoted(&mut self) -> Result<String, String> {
        let mut value = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(value);
                }
                '\\' => match characters.next() {
                    Some((_, escaped)) => value.push(escaped),
                    None => break,
                },
                '\t' | ' '.. if character != '\u{7f}' => value.push(character),
                _ => return Err("a control character in a quoted string".into()),
            }
        }
        Err("a quoted string without end".into())
    }

    /// A scheme and what follows it: nothing, a token68, or the first parameter.
    fn challenge(&mut self, scheme: &str) -> Result<(), String> {
        self.challenges.push(Challenge {
            scheme: scheme.to_owned(),
            token68: None,
            params: Vec::new(),
        });
        if !self.rest.starts_with([' ', '\t']) {
            return Ok(());
        }
        self.skip_spaces();
        if self.rest.is_empty() || self.rest.starts_with(',') {
            return Ok(());
        }
        let start = self.rest;
        let candidate = self.take(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c));
        let padding = self.take(|c| c == '=');
        let after = self.rest.trim_start_matches([' ', '\t']);
        if !candidate.is_empty() && (after.is_empty() || after.starts_with(',')) {
            if let Some(challenge) = self.challenges.last_mut() {
                challenge.token68 = Some(format!("{candidate}{padding}"));
            }
            return Ok(());
        }
        self.rest = start;
        let name = self.token().ok_or_else(|| self.unexpected())?;
        let value = self.value()?.ok_or_else(|| self.unexpected())?;
        self.add(name, value)
    }

    fn unexpected(&self) -> String {
        match self.rest.chars().next() {
            Some(character) => format!("{character:?} where the grammar does not allow it"),
            None => "an end where more must follow".into(),
        }
    }
}

/// `tchar` of RFC 9110 §5.6.2.
fn is_token_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::samples::answered;

    fn read(value: &str) -> Vec<(String, usize)> {
        parse(value).unwrap().into_iter().map(|c| (c.scheme, c.params.len())).collect()
    }

    #[test]
    fn challenges_of_real_servers_parse() {
        let two = r#"Bearer realm="http://127.0.0.1:7001", DPoP realm="x", algs="ES256 EdDSA""#;
        assert_eq!(read(two), [("Bearer".into(), 1), ("DPoP".into(), 2)]);
        assert_eq!(read("Bearer"), [("Bearer".into(), 0)]);
        assert_eq!(
            read("Basic, Bearer ,, dpop"),
            [("Basic".into(), 0), ("Bearer".into(), 0), ("dpop".into(), 0)]
        );
        // RFC 9110 §11.6.1.
        let example =
            r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#;
        let challenges = parse(example).unwrap();
        assert_eq!(challenges[1].value("title"), Some(r#"Login to "apps""#));
        assert_eq!(
            read("Negotiate YII=, Bearer error = \"invalid_token\""),
            [("Negotiate".into(), 0), ("Bearer".into(), 1)]
        );
    }

    #[test]
    fn names_are_compared_without_case() {
        let challenges = parse("bEARER Error=invalid_token").unwrap();
        assert!(challenges[0].is_for_access_tokens());
        assert_eq!(challenges[0].value("error"), Some("invalid_token"));
    }

    #[test]
    fn what_comes_before_a_fault_counts() {
        let value = "Bearer error=invalid_token, error_description=The token expired";
        let exchange = answered(401, &[("WWW-Authenticate", value)], "");
        let challenges = Challenge::all_of(exchange.response().unwrap());
        assert_eq!(challenges[0].value("error"), Some("invalid_token"));
    }

    #[test]
    fn what_the_grammar_forbids_is_named() {
        for (value, why) in [
            ("", "no challenge"),
            (r#"Bearer realm="x"#, "without end"),
            ("Bearer realm=\"x\", error=", "an end"),
            ("Bearer realm=the api", "'a'"),
            (r#"Bearer realm="x" error="y""#, "'e'"),
            (r#"error="y""#, "belongs to no scheme"),
            ("Bearer error=invalid token", "'t'"),
            ("\"Bearer\"", "'\"'"),
            ("Bearer realm=\"a\u{1}\"", "control"),
        ] {
            let error = parse(value).unwrap_err();
            assert!(error.contains(why), "{value}: {error}");
        }
    }
}
