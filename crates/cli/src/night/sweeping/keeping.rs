//! A study and its settings: begun, taken up again, and warmed by the nights before.

use std::{collections::BTreeMap, path::Path};

use jiff::Timestamp;
use model::TrainSettings;
use serde_json::{Value, json};
use sweep::{Domain, Options, Parameter, Point, Record, Space, Study};

use super::{STUDY, Sweep};
use crate::{context::Context, exit::Usage, settings::SweepSettings};

impl Sweep<'_> {
    /// Goes on with the study that lies in the folder, or begins one.
    pub(crate) fn study(&self, context: &Context) -> anyhow::Result<Study> {
        let space = space(context, self.settings)?;
        let options = options(context, self.settings);
        let base = base(context, self.settings, self.as_of)?;
        let path = self.folder.join(STUDY);
        if path.exists() {
            let before = Record::open(&path)?;
            if (before.space(), before.options(), before.base()) == (&space, &options, &base) {
                let study = Study::resume(before)?;
                (self.log)(&format!("goes on after {}", self.ended(&study)));
                return Ok(study);
            }
            (self.log)("the settings have changed: the sweep begins anew");
        }
        let warm = warm_start(context, &space, self.as_of, self.settings.warm_start)?;
        if !warm.is_empty() {
            (self.log)(&format!("begins with the best of the last study: {}", warm.len()));
        }
        Ok(Study::new(space, options, base, warm)?)
    }
}

fn options(context: &Context, settings: &SweepSettings) -> Options {
    Options {
        trials: settings.trials,
        at_once: settings.at_once.max(1),
        seed: context.settings.model.seed,
        sampler: settings.sampler,
        pruning: settings.pruning,
    }
}

/// Describes the settings that every trial starts from, and the night that they are for.
pub(crate) fn base(context: &Context, settings: &SweepSettings, as_of: Timestamp) -> anyhow::Result<Value> {
    let mut base =
        serde_json::to_value(TrainSettings { epochs: settings.epochs, ..context.settings.model.clone() })?;
    base["as_of"] = json!(as_of);
    Ok(base)
}

/// Returns the settings of one trial.
pub(super) fn settings_of(base: &Value, point: &Point) -> anyhow::Result<TrainSettings> {
    let mut settings = base.clone();
    if let Some(settings) = settings.as_object_mut() {
        settings.remove("as_of");
        settings.extend(point.clone());
    }
    Ok(serde_json::from_value(settings)?)
}

/// Returns the configured space, or the usual one, each of whose parameters is one of `[model]` and can be trained with.
fn space(context: &Context, settings: &SweepSettings) -> anyhow::Result<Space> {
    let space = match &settings.space {
        Some(space) => space.clone(),
        None => usual(context.settings.model.heads)?,
    };
    let base = base(context, settings, Timestamp::UNIX_EPOCH)?;
    for (name, parameter) in space.parameters() {
        if base.get(name).is_none() || name == "as_of" {
            return Err(Usage(format!("sweep.space.{name} is no setting of [model]")).into());
        }
        for value in extremes(&parameter.domain) {
            let point = Point::from([(name.clone(), value.clone())]);
            let refusal = match settings_of(&base, &point) {
                Ok(settings) => settings.check().err().map(|error| error.to_string()),
                Err(error) => Some(error.to_string()),
            };
            if let Some(refusal) = refusal {
                return Err(Usage(format!("sweep.space.{name} cannot be {value}: {refusal}")).into());
            }
        }
    }
    Ok(space)
}

fn extremes(domain: &Domain) -> Vec<Value> {
    match domain {
        Domain::Float { low, high, .. } | Domain::Log { low, high } => vec![json!(low), json!(high)],
        Domain::Int { low, high, .. } => vec![json!(low), json!(high)],
        Domain::Choice(values) => values.clone(),
        _ => Vec::new(),
    }
}

/// What is searched when nothing is configured; the width stays a multiple of the heads.
fn usual(heads: i64) -> anyhow::Result<Space> {
    let mut widths: Vec<i64> = [16, 32, 64].iter().map(|width| width.max(&heads) / heads * heads).collect();
    widths.dedup();
    let widths = widths.into_iter().map(Value::from).collect();
    let domains = [
        ("hidden", Domain::Choice(widths)),
        ("layers", Domain::Int { low: 1, high: 2, step: None }),
        ("fan_out", Domain::Int { low: 4, high: 12, step: None }),
        ("learning_rate", Domain::Log { low: 5e-4, high: 2e-2 }),
        ("dropout", Domain::Float { low: 0.0, high: 0.5, step: None }),
        ("weight_decay", Domain::Log { low: 1e-4, high: 0.3 }),
    ];
    let parameter =
        |(name, domain): (&str, Domain)| (name.to_owned(), Parameter { domain, when: BTreeMap::new() });
    Ok(Space::new(domains.into_iter().map(parameter).collect())?)
}

/// Returns the best points of the last study for a night before this one.
fn warm_start(
    context: &Context,
    space: &Space,
    as_of: Timestamp,
    count: usize,
) -> anyhow::Result<Vec<Point>> {
    let runs = context.runs_folder()?;
    let folders = std::fs::read_dir(&runs).into_iter().flatten().flatten().map(|entry| entry.path());
    let studies = folders.flat_map(|run| [run.join(STUDY), run.join("sweep").join(STUDY)]);
    let earlier = studies.filter_map(|path| before(&path, as_of)).max_by_key(|(night, _)| *night);
    Ok(earlier.map_or_else(Vec::new, |(_, study)| study.warm_start(space, count)))
}

fn before(path: &Path, as_of: Timestamp) -> Option<(Timestamp, Record)> {
    let study = Record::open(path).ok()?;
    let night: Timestamp = study.base()["as_of"].as_str()?.parse().ok()?;
    (night < as_of && study.best().is_some()).then_some((night, study))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_replaces_settings_and_leaves_the_others() {
        let mut base = serde_json::to_value(TrainSettings::default()).unwrap();
        base["as_of"] = json!("2026-03-02T09:00:00Z");
        let point = Point::from([("layers".to_owned(), json!(2)), ("dropout".to_owned(), json!(0.25))]);
        let wanted = TrainSettings { layers: 2, dropout: 0.25, ..TrainSettings::default() };
        assert_eq!(settings_of(&base, &point).unwrap(), wanted);
    }

    #[test]
    fn the_usual_space_can_be_trained_with_any_number_of_heads() {
        for heads in 1..9 {
            let space = usual(heads).unwrap();
            let Domain::Choice(widths) = &space.parameters()["hidden"].domain else { panic!("{space:?}") };
            assert!(widths.iter().all(|width| width.as_i64().unwrap() % heads == 0), "{widths:?}");
        }
    }
}
