//! The table that says whose a name is.

use std::{collections::HashMap, path::Path};

use market::Name;
use serde::Deserialize;

use super::fold;
use crate::DataError;

/// Names that sources use for a league's teams.
///
/// A table in CSV with the columns `name` (as a source writes it), `team` (as the league calls it) and, when only one
/// source means it so, `source`. A line whose two names are the same says that the team is new and no other's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aliases(HashMap<(Option<String>, String), Name>);

#[derive(Deserialize)]
struct Line {
    name: String,
    team: String,
    #[serde(default)]
    source: Option<String>,
}

impl Aliases {
    /// Reads a table from a file.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|cause| DataError::Setting(format!("the alias file {shown} cannot be read: {cause}")))?;
        Self::parse(&text).map_err(|error| DataError::Setting(format!("{shown}: {error}")))
    }

    /// Reads a table from text.
    pub fn parse(text: &str) -> Result<Self, DataError> {
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).comment(Some(b'#')).from_reader(text.as_bytes());
        let mut aliases = HashMap::new();
        for line in reader.deserialize() {
            let line: Line = line.map_err(|cause| {
                DataError::Setting(format!(
                    "an alias table has the columns `name,team` and may have `source`: {cause}"
                ))
            })?;
            let source = line.source.filter(|source| !source.is_empty());
            let team = Name::from(line.team.as_str());
            let said = aliases.insert((source, fold(&line.name)), team.clone());
            if said.is_some_and(|said| said != team) {
                return Err(DataError::Setting(format!(
                    "the alias table gives `{}` to two teams",
                    line.name
                )));
            }
        }
        let headed = reader.headers().is_ok_and(|header| header.iter().any(|column| column == "team"));
        if !headed && !text.trim().is_empty() {
            let problem = "an alias table has the columns `name,team` and may have `source`";
            return Err(DataError::Setting(problem.to_owned()));
        }
        Ok(Self(aliases))
    }

    /// Returns the number of names.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether the table is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the team that a source means by a name.
    pub(super) fn team(&self, source: &str, name: &str) -> Option<&Name> {
        let folded = fold(name);
        self.0.get(&(Some(source.to_owned()), folded.clone())).or_else(|| self.0.get(&(None, folded)))
    }
}
