//! Pure judges: an answer and what the catalogue accepts go in, deviations come out. An empty list
//! means that the answer conforms. No judge sends anything.

pub mod access_token;
pub mod authorization;
pub mod challenge;
pub mod cors;
pub mod discovery;
pub mod dpop;
pub mod entropy;
pub mod id_token;
pub mod interaction;
pub mod introspection;
pub mod keys;
pub mod logout;
pub mod metadata;
pub mod operation;
pub mod page_headers;
pub mod pages;
pub mod par;
pub mod race;
pub mod refresh;
pub mod resource;
pub mod resource_metadata;
pub mod response;
pub mod revocation;
pub mod token;
pub mod token_response;
pub mod tokens;
pub mod transport;
pub mod userinfo;
pub mod vectors;
pub mod wallet;

use crate::model::verdict::Deviation;

/// What deviates; empty when the answer conforms.
pub type Findings = Vec<Deviation>;

/// No deviation when `holds`, otherwise the one that `deviation` makes.
pub(crate) fn check(holds: bool, deviation: impl FnOnce() -> Deviation) -> Findings {
    if holds { vec![] } else { vec![deviation()] }
}

/// Joins words for messages: `a, b or c`.
pub(crate) fn or_list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}
