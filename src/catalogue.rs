//! The embedded features and the catalogue of requirements that they judge.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use cucumber::feature::Ext as _;
use gherkin::{Feature, GherkinEnv};
use serde::Deserialize;

use crate::model::requirement::Requirement;

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Requirements and features, parsed once.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Every requirement, in the order of the files.
    pub requirements: Vec<Requirement>,
    /// Every feature with its outlines expanded, in the order of the files.
    pub features: Vec<Feature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    requirement: Vec<Requirement>,
}

impl Catalogue {
    /// What is embedded, parsed once in the life of the process. Fails, naming the file, on text
    /// that does not parse and on an id that occurs twice.
    pub fn load() -> Result<&'static Self, String> {
        static PARSED: LazyLock<Result<Catalogue, String>> = LazyLock::new(Catalogue::parse);
        PARSED.as_ref().map_err(Clone::clone)
    }

    fn parse() -> Result<Self, String> {
        let mut requirements = Vec::new();
        for (path, text) in CATALOGUE {
            let file: File = toml::from_str(text).map_err(|e| format!("{path}: {e}"))?;
            requirements.extend(file.requirement);
        }
        let mut seen = HashSet::new();
        if let Some(twice) = requirements.iter().find(|r| !seen.insert(r.id.as_str())) {
            return Err(format!("{} occurs twice in the catalogue", twice.id));
        }
        let mut features = Vec::new();
        for (path, text) in FEATURES {
            let mut feature =
                Feature::parse(*text, GherkinEnv::default()).map_err(|e| format!("{path}: {e}"))?;
            feature.path = Some(path.into());
            features.push(feature.expand_examples().map_err(|e| format!("{path}: {e}"))?);
        }
        Ok(Self { requirements, features })
    }

    /// The files that are embedded.
    pub(crate) fn texts() -> impl Iterator<Item = &'static str> {
        CATALOGUE.iter().chain(FEATURES).map(|(_, text)| *text)
    }

    /// The requirement of that id.
    pub fn requirement(&self, id: &str) -> Option<&Requirement> {
        self.requirements.iter().find(|r| r.id == id)
    }

    /// The ids with their position, for lookups.
    pub fn index(&self) -> BTreeMap<&str, &Requirement> {
        self.requirements.iter().map(|r| (r.id.as_str(), r)).collect()
    }
}

/// The requirement id among the tags of a rule: the one with a dot.
pub fn id_of(tags: &[String]) -> Option<&str> {
    tags.iter().map(String::as_str).find(|tag| tag.contains('.'))
}
