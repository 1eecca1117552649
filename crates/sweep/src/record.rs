//! What is written down of a study: all of it, so that it can be read, tabulated and gone on with.
//!
//! A [`Record`] suggests nothing. It can be read whatever version wrote its trials, which is how last night's best
//! points are carried over; only [`Study::resume`](crate::Study::resume) asks that they follow from one another.
//!
//! # Example
//! ```
//! use sweep::{Options, Record, Space, Study};
//! let space: Space = toml::from_str("dropout = { float = [0.0, 0.5] }").unwrap();
//! let study = Study::new(space.clone(), Options::default(), serde_json::json!({"dropout": 0.1}), Vec::new()).unwrap();
//! let folder = tempfile::tempdir().unwrap();
//! let path = folder.path().join("study.json");
//! study.record().save(&path).unwrap();
//! let last_night = Record::open(&path).unwrap();
//! assert!(last_night.warm_start(&space, 3).is_empty());
//! ```

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Options, Point, Space, StudyError, Trial, error::json};

/// Format of the file; a change that older programs could not read counts it up.
const FORMAT: u32 = 1;

/// A study as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    format: u32,
    pub(crate) space: Space,
    pub(crate) options: Options,
    /// The settings that trial 0 keeps, as their owner describes them.
    pub(crate) base: Value,
    /// Points that come right after the base settings.
    pub(crate) warm_start: Vec<Point>,
    pub(crate) trials: Vec<Trial>,
}

impl Record {
    pub(crate) fn new(space: Space, options: Options, base: Value, warm_start: Vec<Point>) -> Self {
        Self { format: FORMAT, space, options, base, warm_start, trials: Vec::new() }
    }

    /// Returns the space.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Returns the options.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Returns the description of the base settings.
    pub fn base(&self) -> &Value {
        &self.base
    }

    /// Returns the points that come right after the base settings.
    pub fn warm_start_points(&self) -> &[Point] {
        &self.warm_start
    }

    /// Returns the trials by number.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// Returns the trials under way.
    pub fn pending(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| trial.outcome.is_none())
    }

    /// Returns the complete trial with the lowest loss; the earlier of equals.
    pub fn best(&self) -> Option<&Trial> {
        let complete = self.trials.iter().filter_map(|trial| Some((trial, trial.completed_loss()?)));
        complete.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(trial, _)| trial)
    }

    /// Returns how many suggestions had been tried already and were drawn again.
    pub fn duplicates_skipped(&self) -> usize {
        self.trials.iter().map(|trial| trial.redrawn).sum()
    }

    /// Returns the best `count` complete points that lie within `space`, from the best on.
    ///
    /// The base settings are not among them, since each study begins with its own. A point that lacks a parameter
    /// of `space` keeps the base setting there.
    pub fn warm_start(&self, space: &Space, count: usize) -> Vec<Point> {
        let complete = self.trials.iter().filter_map(|trial| Some((&trial.point, trial.completed_loss()?)));
        let mut fitting: Vec<_> =
            complete.filter(|(point, _)| !point.is_empty() && space.admits(point)).collect();
        fitting.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mut seen = BTreeSet::new();
        let new = fitting.into_iter().map(|(point, _)| point).filter(|point| seen.insert(json(point)));
        new.take(count).cloned().collect()
    }

    /// Reads a study.
    pub fn from_json(text: &str) -> Result<Self, StudyError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let Head { format } = serde_json::from_str(text)?;
        if format != FORMAT {
            return Err(StudyError::Format { found: format, known: FORMAT });
        }
        Ok(serde_json::from_str(text)?)
    }

    /// Writes the study as JSON, for people and programs.
    pub fn to_json(&self) -> String {
        // Keys are texts and numbers finite, so that nothing is left that could fail.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads a study's file.
    pub fn open(path: &Path) -> Result<Self, StudyError> {
        let text =
            fs::read_to_string(path).map_err(|source| StudyError::Read { path: path.into(), source })?;
        Self::from_json(&text)
    }

    /// Writes the study's file: whoever reads it sees the old study or this one, also after a power cut.
    ///
    /// Only one program may write it at a time.
    pub fn save(&self, path: &Path) -> Result<(), StudyError> {
        let failed = |source| StudyError::Write { path: path.into(), source };
        write_whole(path, self.to_json().as_bytes()).map_err(failed)
    }
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    // A bare file name lies in the current folder, which has an empty name.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let space: Space = toml::from_str("dropout = { float = [0.0, 0.5] }").unwrap();
        Record::new(space, Options::default(), Value::Null, Vec::new())
    }

    #[test]
    fn another_format_is_named_before_anything_else_is_read() {
        let error = Record::from_json(r#"{"format": 2, "news": true}"#).unwrap_err();
        assert_eq!(error.to_string(), "the study has format 2; this program reads format 1");
        assert!(matches!(Record::from_json("{"), Err(StudyError::Json(_))));
        let strange = record().to_json().replacen("\"base\"", "\"bass\"", 1);
        assert!(matches!(Record::from_json(&strange), Err(StudyError::Json(_))));
    }

    #[test]
    fn a_file_is_whole_and_leaves_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("study.json");
        fs::write(&path, "old").unwrap();
        record().save(&path).unwrap();
        assert_eq!(Record::open(&path).unwrap(), record());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let missing = folder.path().join("none/study.json");
        assert!(matches!(record().save(&missing), Err(StudyError::Write { .. })));
        assert!(matches!(Record::open(&missing), Err(StudyError::Read { .. })));
    }
}
