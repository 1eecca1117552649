//! How a study goes about it: how many trials, how many at once, who suggests them and when they are given up.
//!
//! # Example
//! ```
//! use sweep::{Options, Pruning, Sampler};
//! let options: Options = toml::from_str(r#"
//!     trials = 60
//!     at_once = 4
//!     pruning = { rule = "asha", grace = 5 }
//! "#).unwrap();
//! assert_eq!(options.sampler, Sampler::Tpe);
//! assert_eq!(options.pruning, Pruning::Asha { grace: 5, reduction: 3 });
//! assert_eq!(toml::from_str::<Options>(r#"pruning = "none""#).unwrap().pruning, Pruning::None);
//! ```

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// What decides, beside the space and the results, which trials a study makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "snake_case")]
pub struct Options {
    /// Most trials, the base settings and points carried over among them.
    pub trials: usize,
    /// Most trials that may be under way; each is suggested without what these find out.
    pub at_once: usize,
    /// Seed of the suggestions.
    pub seed: u64,
    /// Who suggests.
    pub sampler: Sampler,
    /// When a trial gives up.
    pub pruning: Pruning,
}

impl Default for Options {
    fn default() -> Self {
        Self { trials: 20, at_once: 2, seed: 1, sampler: Sampler::default(), pruning: Pruning::default() }
    }
}

/// Who suggests the next point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Sampler {
    /// The tree-structured Parzen estimator (Bergstra et al. 2011), after some trials at random.
    #[default]
    Tpe,
    /// Chance, within the domains.
    Random,
}

/// When a trial that does worse than others gives up; epochs count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Pruning {
    /// Never.
    None,
    /// Asynchronous successive halving (Li et al. 2020): at epoch `grace`, `grace * reduction`,
    /// `grace * reduction^2` and so on only the best of every `reduction` trials go on.
    ///
    /// This is the variant that stops trials, rather than pausing and promoting them (Klein et al. 2020).
    Asha {
        /// Epoch of the first look, in epochs.
        grace: usize,
        /// One of this many goes on; at least 2.
        reduction: usize,
    },
    /// The median rule (Golovin et al. 2017, section 3.2.2): from epoch `grace` on a trial goes on while its best loss
    /// is no worse than the median of what completed trials had reached by then.
    Median {
        /// Epoch of the first look, in epochs.
        grace: usize,
        /// Completed trials before anything is given up.
        startup: usize,
    },
}

impl Default for Pruning {
    fn default() -> Self {
        Self::Asha { grace: default_grace(), reduction: default_reduction() }
    }
}

fn default_grace() -> usize {
    3
}

fn default_reduction() -> usize {
    3
}

fn default_startup() -> usize {
    5
}

/// The same as a table; a bare name stands for the defaults.
#[derive(Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
enum Written {
    None {},
    Asha {
        #[serde(default = "default_grace")]
        grace: usize,
        #[serde(default = "default_reduction")]
        reduction: usize,
    },
    Median {
        #[serde(default = "default_grace")]
        grace: usize,
        #[serde(default = "default_startup")]
        startup: usize,
    },
}

impl<'de> Deserialize<'de> for Pruning {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrTable)
    }
}

struct NameOrTable;

impl<'de> Visitor<'de> for NameOrTable {
    type Value = Pruning;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "`none`, `asha`, `median`, or a table such as `{ rule = \"asha\", grace = 3, reduction = 3 }`",
        )
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Pruning, E> {
        match name {
            "none" => Ok(Pruning::None),
            "asha" => Ok(Pruning::default()),
            "median" => Ok(Pruning::Median { grace: default_grace(), startup: default_startup() }),
            other => Err(E::unknown_variant(other, &["none", "asha", "median"])),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Pruning, A::Error> {
        Ok(match Written::deserialize(MapAccessDeserializer::new(map))? {
            Written::None {} => Pruning::None,
            Written::Asha { grace, reduction } => Pruning::Asha { grace, reduction },
            Written::Median { grace, startup } => Pruning::Median { grace, startup },
        })
    }
}

/// Why options cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// A count is zero.
    #[error("`{0}` must be at least 1")]
    Zero(&'static str),
    /// Reducing by one keeps everything.
    #[error("`reduction` must be at least 2: one of {0} goes on")]
    Reduction(usize),
}

impl Options {
    /// Refuses counts that cannot be followed.
    pub fn check(&self) -> Result<(), OptionsError> {
        let mut counts = vec![("trials", self.trials), ("at_once", self.at_once)];
        match self.pruning {
            Pruning::None => {}
            Pruning::Asha { grace, reduction } => {
                counts.push(("grace", grace));
                if reduction < 2 {
                    return Err(OptionsError::Reduction(reduction));
                }
            }
            Pruning::Median { grace, startup } => counts.extend([("grace", grace), ("startup", startup)]),
        }
        counts
            .into_iter()
            .find(|(_, count)| *count == 0)
            .map_or(Ok(()), |(name, _)| Err(OptionsError::Zero(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pruning(text: &str) -> Result<Pruning, String> {
        let options: Result<Options, _> = toml::from_str(&format!("pruning = {text}"));
        options.map(|options| options.pruning).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn pruning_is_a_name_or_a_table() {
        assert_eq!(pruning(r#""asha""#), Ok(Pruning::Asha { grace: 3, reduction: 3 }));
        assert_eq!(pruning(r#"{ rule = "none" }"#), Ok(Pruning::None));
        let median = Ok(Pruning::Median { grace: 3, startup: 8 });
        assert_eq!(pruning(r#"{ rule = "median", startup = 8 }"#), median);
    }

    #[test]
    fn unknown_words_are_refused() {
        let cases = [
            (r#""hyperband""#, "unknown variant `hyperband`"),
            (r#"{ rule = "asha", startup = 3 }"#, "unknown field `startup`"),
            (r#"{ rule = "none", grace = 3 }"#, "unknown field `grace`"),
            ("{ grace = 3 }", "missing field `rule`"),
            ("3", "expected `none`, `asha`, `median`"),
        ];
        for (text, reason) in cases {
            let message = pruning(text).unwrap_err();
            assert!(message.contains(reason), "{text}: {message}");
        }
        assert!(toml::from_str::<Options>("trails = 3").is_err());
    }

    #[test]
    fn options_survive_json_and_toml() {
        for pruning in [Pruning::None, Pruning::default(), Pruning::Median { grace: 1, startup: 2 }] {
            let options = Options { pruning, ..Options::default() };
            let json = serde_json::to_string(&options).unwrap();
            assert_eq!(serde_json::from_str::<Options>(&json).unwrap(), options);
            assert_eq!(toml::from_str::<Options>(&toml::to_string(&options).unwrap()).unwrap(), options);
        }
    }

    #[test]
    fn counts_that_cannot_be_followed_are_refused() {
        let check = |options: Options| options.check().unwrap_err().to_string();
        assert_eq!(check(Options { trials: 0, ..Options::default() }), "`trials` must be at least 1");
        assert_eq!(check(Options { at_once: 0, ..Options::default() }), "`at_once` must be at least 1");
        let pruning = Pruning::Asha { grace: 1, reduction: 1 };
        assert!(check(Options { pruning, ..Options::default() }).contains("one of 1 goes on"));
        let pruning = Pruning::Median { grace: 0, startup: 1 };
        assert_eq!(check(Options { pruning, ..Options::default() }), "`grace` must be at least 1");
        assert_eq!(Options::default().check(), Ok(()));
    }
}
