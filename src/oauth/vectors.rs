//! The attack tables of `fixtures/vectors/`: inputs with a class, in the manner of Wycheproof.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::params::Params;
use super::redirect_uri::{FOREIGN_HOST, Kind};
use super::{pkce, random};

/// What a conforming server does with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// It accepts it.
    Valid,
    /// It refuses it.
    Invalid,
    /// Either: the specifications leave it open.
    Acceptable,
}

/// One input. Strings hold parts in braces, which [`fill`] replaces; each table says which.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Unique in its table; deviations cite it.
    pub name: String,
    /// The value under test, in tables about one parameter.
    #[serde(default)]
    pub value: String,
    /// The kind of registered redirect URI that the row starts from; the main one if absent.
    pub on: Option<Kind>,
    /// Parameters copied into the query of the token endpoint.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Parameters with another value.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// Parameters left out.
    #[serde(default)]
    pub omit: Vec<String>,
    /// Parameters once more, before all others.
    #[serde(default)]
    pub first: BTreeMap<String, String>,
    /// Parameters once more, behind all others.
    #[serde(default)]
    pub last: BTreeMap<String, String>,
    /// What a conforming server does with it.
    pub class: Class,
    /// Words that scenarios choose rows by; the table declares them.
    pub flags: Vec<String>,
    /// Why the row is here.
    pub note: String,
    /// A published flaw or a section, for example `CVE-2026-28512` or `RFC 8252 §7.3`.
    pub source: String,
}

impl Row {
    /// Whether the row has that flag.
    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|f| f == flag)
    }

    /// Applies the mutations to the parameters of a good request and yields those that travel in
    /// the query.
    pub fn bend(&self, params: &mut Params) -> Params {
        let good = params.clone();
        let filled = |name: &str, value: &str| {
            fill(value, |part| match part {
                "own" => Some(good.value(name).unwrap_or_default().to_owned()),
                "random" => Some(random(32)),
                "challenge" => Some(pkce::s256(&pkce::verifier())),
                "foreign" => Some(format!("https://{FOREIGN_HOST}/cb")),
                _ => None,
            })
        };
        let pairs = |from: &BTreeMap<String, String>| -> Vec<(String, String)> {
            from.iter().map(|(name, value)| (name.clone(), filled(name, value))).collect()
        };
        let query = Params::new(pairs(&self.query));
        for (name, value) in pairs(&self.set) {
            params.set(&name, value);
        }
        for name in &self.omit {
            params.omit(name);
        }
        for (name, value) in pairs(&self.first) {
            params.prepend(&name, value);
        }
        for (name, value) in pairs(&self.last) {
            params.repeat(&name, value);
        }
        query
    }
}

/// A file of rows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Every flag with its meaning.
    pub flags: BTreeMap<String, String>,
    /// The rows in the order of the file.
    #[serde(rename = "row")]
    pub rows: Vec<Row>,
}

/// The tables by name, which is that of the file without `.toml`.
const TEXTS: [(&str, &str); 6] = [
    ("pkce", include_str!("../../fixtures/vectors/pkce.toml")),
    ("pollution", include_str!("../../fixtures/vectors/pollution.toml")),
    ("redirect_uri", include_str!("../../fixtures/vectors/redirect_uri.toml")),
    ("scope", include_str!("../../fixtures/vectors/scope.toml")),
    ("state", include_str!("../../fixtures/vectors/state.toml")),
    ("trigger", include_str!("../../fixtures/vectors/trigger.toml")),
];

/// The tables that come with the crate, by name; parsed once. Fails with the fault of a file.
pub fn tables() -> Result<&'static BTreeMap<&'static str, Table>, String> {
    static PARSED: LazyLock<Result<BTreeMap<&'static str, Table>, String>> = LazyLock::new(|| {
        let parse = |(name, text): (&'static str, &str)| match toml::from_str(text) {
            Ok(table) => Ok((name, table)),
            Err(fault) => Err(format!("fixtures/vectors/{name}.toml: {fault}")),
        };
        TEXTS.into_iter().map(parse).collect()
    });
    PARSED.as_ref().map_err(Clone::clone)
}

/// The rows of a table that have that flag.
pub fn rows(table: &str, flag: &str) -> Result<Vec<&'static Row>, String> {
    let rows = tables()?.get(table).map(|t| t.rows.iter()).into_iter().flatten();
    Ok(rows.filter(|row| row.has(flag)).collect())
}

/// Replaces the parts in braces that `part` knows, or that any table may use: `{random:n}` and
/// `{many:n}`, and `{space:n}`, `{tilde:n}`, `{hyphen:n}`, `{dot:n}` and `{digit:n}` for n such
/// characters. Other braces stay as they are.
pub fn fill(template: &str, part: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        let name = from[1..].split('}').next().unwrap_or_default();
        let value = from[1..].contains('}').then(|| part(name).or_else(|| repeated(name)));
        match value.flatten() {
            Some(value) => {
                filled.push_str(&value);
                rest = &from[name.len() + 2..];
            }
            None => {
                filled.push('{');
                rest = &from[1..];
            }
        }
    }
    filled + rest
}

fn repeated(part: &str) -> Option<String> {
    let (what, count) = part.split_once(':')?;
    let count: usize = count.parse().ok()?;
    Some(match what {
        "random" => random(count)[..count].to_owned(),
        "many" => (0..count).map(|n| format!(" probe{n}")).collect(),
        "space" => " ".repeat(count),
        "tilde" => "~".repeat(count),
        "hyphen" => "-".repeat(count),
        "dot" => ".".repeat(count),
        "digit" => "7".repeat(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_table_is_sound() {
        for (table, content) in tables().unwrap() {
            let names: BTreeSet<_> = content.rows.iter().map(|row| &row.name).collect();
            assert_eq!(names.len(), content.rows.len(), "{table}: a name occurs twice");
            let used: BTreeSet<_> = content.rows.iter().flat_map(|row| &row.flags).collect();
            let declared: BTreeSet<_> = content.flags.keys().collect();
            assert_eq!(used, declared, "{table}: flags");
            for row in &content.rows {
                assert!(!row.flags.is_empty() && !row.note.is_empty(), "{table}: {}", row.name);
                assert!(is_source(&row.source), "{table}: {}: {}", row.name, row.source);
                let is_lenient = row.class == Class::Acceptable;
                assert!(is_lenient || !row.has("discouraged"), "{table}: {}", row.name);
            }
        }
        assert!(tables().unwrap()["redirect_uri"].rows.len() >= 80);
    }

    /// A published flaw, or a document with a section.
    fn is_source(text: &str) -> bool {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if let Some((year, number)) = text.strip_prefix("CVE-").and_then(|id| id.split_once('-')) {
            return year.len() == 4 && digits(year) && digits(number) && number.len() >= 4;
        }
        if let Some(id) = text.strip_prefix("GHSA-") {
            return id.split('-').count() == 3 && id.split('-').all(|part| part.len() == 4);
        }
        if let Some(number) = text.strip_prefix("CWE-") {
            return digits(number);
        }
        text.split_once(" §").is_some_and(|(document, section)| {
            ["RFC ", "UTS ", "W3C "].iter().any(|start| document.starts_with(start))
                && !section.is_empty()
        })
    }

    #[test]
    fn parts_are_filled_and_other_braces_stay() {
        let own = |part: &str| (part == "own").then(|| "x".to_owned());
        for (template, filled) in [
            ("{own}{own}", "xx"),
            ("${7*191}{{7*191}}", "${7*191}{{7*191}}"),
            (r#"{"a":[{own}]}"#, r#"{"a":[x]}"#),
            ("{own", "{own"),
            ("{dot:3}{space:1}~", "... ~"),
            ("a{many:2}", "a probe0 probe1"),
        ] {
            assert_eq!(fill(template, own), filled);
        }
        assert_eq!(fill("{random:43}", own).len(), 43);
    }

    #[test]
    fn a_row_bends_a_request() {
        let row = Row {
            set: BTreeMap::from([("a".into(), "3".into())]),
            omit: vec!["b".into()],
            first: BTreeMap::from([("c".into(), "{own}".into())]),
            last: BTreeMap::from([("a[]".into(), "4".into())]),
            query: BTreeMap::from([("b".into(), "{own}".into())]),
            ..tables().unwrap()["pollution"].rows[0].clone()
        };
        let mut params = Params::new([("a", "1"), ("b", "2"), ("c", "5")]);
        let row = Row { last: row.last.clone(), ..row };
        let query = row.bend(&mut params);
        assert_eq!(params.encode(), "c=5&a=3&c=5&a%5B%5D=4");
        assert_eq!(query.encode(), "b=2");
    }
}
