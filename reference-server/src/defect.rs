//! The seeded defects: what each one does wrong and which requirements it violates.

use std::fmt;
use std::str::FromStr;

macro_rules! defects {
    ($(
        $variant:ident: $description:literal => [$($id:literal),+ $(,)?]
        $(known as [$($flaw:literal),+ $(,)?])?;
    )+) => {
        /// One way in which the server departs from the specifications.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Defect {
            $(#[doc = concat!($description $($(, "; ", $flaw)+)?)] $variant,)+
        }

        impl Defect {
            /// Every defect, in the order of the protocol.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name of the variant, for example `CodeReusable`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)+ }
            }

            /// What the server does wrong, in one line.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => $description,)+ }
            }

            /// The ids of all requirements that the server violates, for example `token.code-single-use`.
            pub const fn violates(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($id),+],)+ }
            }

            /// Published flaws of this kind, for example `CVE-2023-48228`.
            pub const fn known_as(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($($flaw),+)?],)+ }
            }
        }
    };
}

mod table;

pub use table::Defect;

/// A name that no defect has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownDefect(String);

impl fmt::Display for UnknownDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no defect is named {:?}", self.0)
    }
}

impl std::error::Error for UnknownDefect {}

impl FromStr for Defect {
    type Err = UnknownDefect;

    fn from_str(name: &str) -> Result<Self, UnknownDefect> {
        Self::ALL
            .iter()
            .copied()
            .find(|d| d.name() == name)
            .ok_or_else(|| UnknownDefect(name.to_owned()))
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_round_trip_and_are_unique() {
        let names: HashSet<_> = Defect::ALL.iter().map(|d| d.name()).collect();
        assert_eq!(names.len(), Defect::ALL.len());
        for defect in Defect::ALL {
            assert_eq!(defect.name().parse(), Ok(*defect));
            assert_eq!(format!("{defect:?}"), defect.name());
        }
        assert!("Nonsense".parse::<Defect>().is_err());
    }

    #[test]
    fn descriptions_are_unique_fragments() {
        let all: HashSet<_> = Defect::ALL.iter().map(|d| d.description()).collect();
        assert_eq!(all.len(), Defect::ALL.len());
        assert!(all.iter().all(|d| !d.ends_with('.')));
    }

    #[test]
    fn violated_ids_are_kebab_case_and_distinct() {
        for defect in Defect::ALL {
            let ids: HashSet<_> = defect.violates().iter().collect();
            assert_eq!(ids.len(), defect.violates().len(), "{defect}");
            for id in ids {
                let words = |part: &str| {
                    !part.is_empty()
                        && part.split('-').all(|w| {
                            !w.is_empty()
                                && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
                        })
                };
                assert!(id.split('.').count() >= 2 && id.split('.').all(words), "{defect}: {id}");
            }
        }
    }
}
