//! The profile in layers: file, environment, options. Each value remembers where it came from.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::path::{Path, Segment};
use super::schema;
use super::starter::{PLACEHOLDER, is_unfinished};
use crate::model::report::Place;

/// Variables of the environment by name.
pub type Environment = BTreeMap<String, String>;

/// What the names of our variables begin with.
const PREFIX: &str = "AUTHSPEC_";

/// Short names of the variables that most runs need.
pub const SHORT_NAMES: [(&str, &str); 4] = [
    ("AUTHSPEC_CLIENT_ID", "clients[0].id"),
    ("AUTHSPEC_REDIRECT_URI", "clients[0].redirect_uris"),
    ("AUTHSPEC_SCOPE", "clients[0].scope"),
    ("AUTHSPEC_USERNAME", "user.username"),
];

/// The variable that holds the user's password itself; the profile refers to it.
pub const PASSWORD: &str = "AUTHSPEC_PASSWORD";

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A line of a file, counted from 1.
    Line(String, usize),
    /// A variable of the environment.
    Variable(String),
    /// An option of the command line.
    Option(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(file, line) => write!(f, "{file}:{line}"),
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::Option(name) => write!(f, "option {name}"),
        }
    }
}

/// What is configured, with the origin of each part.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    values: Table,
    origins: BTreeMap<String, Origin>,
    /// Name and text of the file.
    file: Option<(String, String)>,
}

impl Layers {
    /// A profile file; `name` is shown in messages.
    ///
    /// The error names the line where the text is not TOML.
    pub fn read(name: &str, text: &str) -> Result<Self, String> {
        let fault = |e: toml::de::Error| {
            let span = e.span().unwrap_or_default();
            let (line, message) = (line_at(text, span.start), e.message().replace('\n', " "));
            match text.get(span).map(str::trim).filter(|key| !key.is_empty()) {
                Some(key) if message == "duplicate key" => format!(
                    "{name}:{line}: {key} stands here for the second time; merge both, or drop one"
                ),
                _ => format!("{name}:{line}: {message}"),
            }
        };
        let mut layers = Self {
            values: text.parse::<Table>().map_err(fault)?,
            origins: BTreeMap::new(),
            file: Some((name.to_owned(), text.to_owned())),
        };
        let spans = DeTable::parse(text).map_err(fault)?;
        let mut note = |path: &Path, at: usize| {
            layers
                .origins
                .insert(path.to_string(), Origin::Line(name.to_owned(), line_at(text, at)));
        };
        walk_table(spans.get_ref(), &Path::default(), &mut note);
        Ok(layers)
    }

    /// Lays the environment over it: `AUTHSPEC_` and the path of a key in upper case, its parts
    /// joined by two underscores, and the short names.
    ///
    /// The error names the variable.
    pub fn overlay(&mut self, environment: &Environment) -> Result<(), String> {
        for (name, path) in SHORT_NAMES {
            let Some(text) = environment.get(name).filter(|text| !text.is_empty()) else {
                continue;
            };
            self.set_text(&Path::parse(path), text, Origin::Variable(name.to_owned()))?;
        }
        for (name, text) in environment {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            let path = Path::of_variable(rest);
            if schema::at(&path).is_some() {
                self.set_text(&path, text, Origin::Variable(name.clone()))?;
            } else if rest.contains("__") {
                let guess = schema::nearest(&path)
                    .map(|near| format!("; did you mean {PREFIX}{}?", near.variable()));
                return Err(format!(
                    "environment {name}: the profile has no key {path}{}; authspec config keys lists all",
                    guess.unwrap_or_default()
                ));
            }
        }
        Ok(())
    }

    /// Lets the user's password be the variable that holds it, where a user is named and nothing says
    /// where his password is.
    pub fn take_password(&mut self, environment: &Environment) -> Result<(), String> {
        let lacks_it = self
            .values
            .get("user")
            .is_some_and(|user| user.get("username").is_some() && user.get("password").is_none());
        if !lacks_it || environment.get(PASSWORD).is_none_or(String::is_empty) {
            return Ok(());
        }
        let origin = Origin::Variable(PASSWORD.to_owned());
        self.set_text(&Path::parse("user.password"), &format!("env:{PASSWORD}"), origin)
    }

    /// Sets one key to what a text says, by the type of the key: a text verbatim, a list of texts by
    /// blanks or as TOML, all else as TOML.
    pub fn set_text(&mut self, path: &Path, text: &str, origin: Origin) -> Result<(), String> {
        let as_toml = || {
            format!("value = {text}")
                .parse::<Table>()
                .ok()
                .and_then(|mut table| table.remove("value"))
                .ok_or_else(|| format!("{origin}: {path}: not a TOML value: {text}"))
        };
        let value = match schema::kind(path) {
            Some(schema::Kind::Text) => Value::String(text.to_owned()),
            Some(schema::Kind::Texts) if !text.trim_start().starts_with('[') => {
                let words = text.split_ascii_whitespace();
                Value::Array(words.map(|word| Value::String(word.to_owned())).collect())
            }
            _ => as_toml()?,
        };
        self.set(path, value, origin)
    }

    /// Sets one key.
    pub fn set(&mut self, path: &Path, value: Value, origin: Origin) -> Result<(), String> {
        let gap = || format!("{origin}: {path}: the entry before it is missing");
        let Some((Segment::Key(first), rest)) = path.split_first() else { return Err(gap()) };
        let is_list = matches!(rest.first(), Some(Segment::Index(_)));
        let mut place = self.values.entry(first.clone()).or_insert_with(|| empty(is_list));
        for (at, segment) in rest.iter().enumerate() {
            let is_list = matches!(rest.get(at + 1), Some(Segment::Index(_)));
            place = match (segment, place) {
                (Segment::Key(key), Value::Table(table)) => {
                    table.entry(key.clone()).or_insert_with(|| empty(is_list))
                }
                (Segment::Index(index), Value::Array(list)) => {
                    if list.len() == *index {
                        list.push(empty(is_list));
                    }
                    list.get_mut(*index).ok_or_else(gap)?
                }
                _ => return Err(format!("{origin}: {path}: the profile has another type there")),
            };
        }
        *place = value;
        let shown = path.to_string();
        self.origins.retain(|known, _| !known.starts_with(&shown));
        self.origins.insert(shown, origin);
        Ok(())
    }

    /// Whether a value for that key was given anywhere.
    pub fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Where the value of that path, or the table around it, came from.
    pub fn origin(&self, path: &Path) -> Option<&Origin> {
        path.ancestors().find_map(|p| self.origins.get(&p.to_string()))
    }

    /// The line of the file that sets that key, where a line does.
    pub fn place(&self, key: &str) -> Option<Place> {
        match self.origins.get(key)? {
            Origin::Line(file, line) => Some(Place { file: file.clone(), line: *line }),
            Origin::Variable(_) | Origin::Option(_) => None,
        }
    }

    /// All values as one document.
    pub fn values(&self) -> &Table {
        &self.values
    }

    /// The values as a typed profile.
    ///
    /// The error says where, what is wrong, what is accepted and what may have been meant.
    pub fn typed<T: DeserializeOwned>(&self) -> Result<T, String> {
        if let Some(path) = self.unfinished() {
            return Err(self.wrong_at(&path, &format!("{PLACEHOLDER} is left to fill in")));
        }
        serde_path_to_error::deserialize(Value::Table(self.values.clone())).map_err(|e| {
            let message = e.inner().message().trim().replace('\n', " ");
            let mut path = Path::parse(&e.path().to_string());
            let unknown = message.strip_prefix("unknown field `").and_then(|m| m.split('`').next());
            if let Some(key) = unknown.filter(|key| !path.ends_with(key)) {
                path = path.child(key);
            }
            self.wrong_at(&path, &format!("{message}{}", hint(&message, &path)))
        })
    }

    /// A value that nobody filled in yet.
    fn unfinished(&self) -> Option<Path> {
        fn find(value: &Value, path: &Path) -> Option<Path> {
            match value {
                Value::String(text) => is_unfinished(text).then(|| path.clone()),
                Value::Table(table) => {
                    table.iter().find_map(|(key, value)| find(value, &path.child(key)))
                }
                Value::Array(list) => {
                    list.iter().enumerate().find_map(|(at, item)| find(item, &path.item(at)))
                }
                _ => None,
            }
        }
        self.values.iter().find_map(|(key, value)| find(value, &Path::default().child(key)))
    }

    /// `why`, with where the key stands. `sought` is a path, the last part of one, or a piece of
    /// the file's text.
    pub fn wrong(&self, sought: &str, why: &str) -> String {
        let is_it =
            |known: &&String| known.as_str() == sought || known.ends_with(&format!(".{sought}"));
        if let Some(path) = self.origins.keys().find(is_it) {
            return self.wrong_at(&Path::parse(path), why);
        }
        match &self.file {
            Some((name, text)) => {
                let at = text.find(sought).unwrap_or(0);
                format!("{name}:{}: {why}", line_at(text, at))
            }
            None => why.to_owned(),
        }
    }

    fn wrong_at(&self, path: &Path, why: &str) -> String {
        match (self.origin(path), &self.file) {
            (Some(origin), _) => format!("{origin}: {why}"),
            (None, Some((name, _))) => format!("{name}:1: {why}"),
            (None, None) if path.is_empty() => why.to_owned(),
            (None, None) => format!("{path}: {why}"),
        }
    }
}

fn empty(is_list: bool) -> Value {
    if is_list { Value::Array(vec![]) } else { Value::Table(Table::new()) }
}

/// The line of an offset, counted from 1.
fn line_at(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|&&b| b == b'\n').count() + 1
}

fn walk_table(table: &DeTable<'_>, path: &Path, note: &mut impl FnMut(&Path, usize)) {
    for (key, value) in table {
        let path = path.child(key.get_ref());
        note(&path, key.span().start);
        walk(value, &path, note);
    }
}

fn walk(value: &Spanned<DeValue<'_>>, path: &Path, note: &mut impl FnMut(&Path, usize)) {
    match value.get_ref() {
        DeValue::Table(table) => walk_table(table, path, note),
        DeValue::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                let path = path.item(index);
                note(&path, item.span().start);
                walk(item, &path, note);
            }
        }
        _ => {}
    }
}

/// What may have been meant by a name that is not accepted.
fn hint(message: &str, path: &Path) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let (Some(given), true) = (quoted.next(), message.starts_with("unknown ")) else {
        return String::new();
    };
    if path.len() > 1 && schema::at(&Path::default().child(given)).is_some() {
        return format!("; {given} belongs to the top of the file, above the first table");
    }
    let near = quoted
        .map(|name| (strsim::jaro_winkler(given, name), name))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    near.map(|(_, name)| format!("; did you mean `{name}`?")).unwrap_or_default()
}
