//! A study and its settings: begun, taken up again, and warmed by the nights before.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use jiff::Timestamp;
use model::TrainSettings;
use serde_json::{Value, json};
use sweep::{Domain, Options, Parameter, Point, Record, Space, State, Study, Trial};

use super::{STUDY, Sweep};
use crate::{context::Context, exit::Usage, settings::SweepSettings};

impl Sweep<'_> {
    /// Goes on with the study that lies in the folder, or begins one.
    pub(crate) fn study(&self, context: &Context) -> anyhow::Result<Study> {
        let space = space(context, self.settings)?;
        let options = options(context, self.settings);
        let base = self.base(context)?;
        if let Some(before) = self.before()? {
            if is_lost(before.record()) {
                (self.log)("machines let the last sweep down: it begins anew");
            } else if (before.record().space(), before.record().options(), before.record().base())
                == (&space, &options, &base)
            {
                (self.log)(&format!("goes on after {}", self.ended(&before)));
                return Ok(before);
            } else {
                (self.log)("the settings or the graph have changed: the sweep begins anew");
            }
        }
        let warm = warm_start(context, &space, self.as_of, self.settings.warm_start)?;
        if !warm.is_empty() {
            (self.log)(&format!("begins with the best of the last study: {}", warm.len()));
        }
        Ok(Study::new(space, options, base, warm)?)
    }

    /// Returns the study that lies in the folder; one that cannot be gone on with is set aside, so that no night fails for it twice.
    fn before(&self) -> anyhow::Result<Option<Study>> {
        let path = self.folder.join(STUDY);
        if !path.exists() {
            return Ok(None);
        }
        let error =
            match Record::open(&path).map_err(anyhow::Error::from).and_then(|it| Ok(Study::resume(it)?)) {
                Ok(study) => return Ok(Some(study)),
                Err(error) => error,
            };
        let aside = path.with_extension("json.unusable");
        std::fs::rename(&path, &aside).with_context(|| format!("cannot set {} aside", path.display()))?;
        (self.log)(&format!(
            "the last sweep cannot be gone on with, {error:#}: it lies in {}",
            aside.display()
        ));
        Ok(None)
    }

    /// Describes the settings that every trial starts from, and what they are tried on.
    pub(super) fn base(&self, context: &Context) -> anyhow::Result<Value> {
        let settings = TrainSettings { epochs: self.settings.epochs, ..context.settings.model.clone() };
        let mut base = serde_json::to_value(settings)?;
        base[OCCASION] = json!({"as_of": self.as_of, "graph": self.graph, "smoke_test": self.smoke_test});
        Ok(base)
    }
}

/// Where a study's base says what it is for, beside the settings.
const OCCASION: &str = "occasion";

/// Tells whether a sweep has ended of which machines brought trials to nothing: then it is worth doing again.
fn is_lost(study: &Record) -> bool {
    let failed = |trial: &Trial| {
        trial.outcome.as_ref().is_some_and(|outcome| matches!(outcome.state, State::Failed { .. }))
    };
    study.trials().len() >= study.options().trials
        && study.pending().next().is_none()
        && study.trials().iter().any(failed)
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

/// Returns the settings of one trial.
pub(super) fn settings_of(base: &Value, point: &Point) -> anyhow::Result<TrainSettings> {
    let mut settings = base.clone();
    if let Some(settings) = settings.as_object_mut() {
        settings.remove(OCCASION);
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
    let base = serde_json::to_value(&context.settings.model)?;
    for (name, parameter) in space.parameters() {
        if base.get(name).is_none() {
            return Err(Usage(format!("sweep.space.{name} is no setting of [model]")).into());
        }
        if FIXED.contains(&name.as_str()) {
            let told = format!("sweep.space.{name} cannot be searched: a trial does not depend on it");
            return Err(Usage(told).into());
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

/// Settings that make no difference to what a trial is judged by, or that a sweep has an own word for.
const FIXED: [&str; 7] = ["epochs", "ensemble", "refit", "seed", "device", "threads", "checkpoint_seconds"];

fn extremes(domain: &Domain) -> Vec<Value> {
    match domain {
        Domain::Float { low, high, .. } | Domain::Log { low, high } => vec![json!(low), json!(high)],
        Domain::Int { low, high, .. } => vec![json!(low), json!(high)],
        Domain::Choice(values) => values.clone(),
        _ => Vec::new(),
    }
}

/// What is searched when nothing is configured; the width stays even and a multiple of the heads.
fn usual(heads: i64) -> anyhow::Result<Space> {
    let unit = if heads % 2 == 0 { heads } else { 2 * heads };
    let mut widths: Vec<i64> = [16, 32, 64].iter().map(|width| width.max(&unit) / unit * unit).collect();
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
    let earlier =
        studies.filter_map(|path| before(&path, as_of)).max_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    Ok(earlier.map_or_else(Vec::new, |(_, _, study)| study.warm_start(space, count)))
}

/// Reads a study that found something before `as_of`, with its night and its place; those of smoke tests do not count.
fn before(path: &Path, as_of: Timestamp) -> Option<(Timestamp, PathBuf, Record)> {
    let study = Record::open(path).ok()?;
    let occasion = &study.base()[OCCASION];
    let night: Timestamp = occasion["as_of"].as_str()?.parse().ok()?;
    let counts = night < as_of && occasion["smoke_test"] == false && study.best().is_some();
    counts.then(|| (night, path.to_owned(), study))
}

#[cfg(test)]
mod tests {
    use sweep::Outcome;

    use super::*;

    #[test]
    fn a_point_replaces_settings_and_leaves_the_others() {
        let mut base = serde_json::to_value(TrainSettings::default()).unwrap();
        base[OCCASION] = json!({"as_of": "2026-03-02T09:00:00Z"});
        let point = Point::from([("layers".to_owned(), json!(2)), ("dropout".to_owned(), json!(0.25))]);
        let wanted = TrainSettings { layers: 2, dropout: 0.25, ..TrainSettings::default() };
        assert_eq!(settings_of(&base, &point).unwrap(), wanted);
    }

    #[test]
    fn the_usual_space_can_be_trained_with_any_number_of_heads() {
        for heads in 1..9 {
            let space = usual(heads).unwrap();
            let Domain::Choice(widths) = &space.parameters()["hidden"].domain else { panic!("{space:?}") };
            for width in widths {
                let hidden = width.as_i64().unwrap();
                let settings = TrainSettings { hidden, heads, ..TrainSettings::default() };
                assert!(settings.check().is_ok(), "{hidden} with {heads} heads");
            }
        }
    }

    /// A study of one trial for a morning that ended like this.
    fn study_of(smoke_test: bool, state: State, loss: Option<f64>) -> Record {
        let occasion = json!({"as_of": "2026-03-02T09:00:00Z", "graph": null, "smoke_test": smoke_test});
        let options = Options { trials: 1, ..Options::default() };
        let mut study =
            Study::new(usual(4).unwrap(), options, json!({OCCASION: occasion}), Vec::new()).unwrap();
        study.ask(Timestamp::UNIX_EPOCH);
        let outcome =
            Outcome { state, loss, curve: vec![], seconds: 1.0, seed: 1, attempts: 3, worker: None };
        study.tell(0, outcome, Timestamp::UNIX_EPOCH).unwrap();
        study.record().clone()
    }

    #[test]
    fn only_earlier_nights_that_found_something_are_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(STUDY);
        let counts = |study: Record, as_of: &str| {
            study.save(&path).unwrap();
            before(&path, as_of.parse().unwrap()).is_some()
        };
        let found = || study_of(false, State::Complete, Some(6.7));
        assert!(counts(found(), "2026-03-03T09:00:00Z"));
        assert!(!counts(found(), "2026-03-02T09:00:00Z"), "a night learns nothing from itself");
        assert!(!counts(study_of(true, State::Complete, Some(9.0)), "2026-03-03T09:00:00Z"));
        assert!(!counts(study_of(false, State::Diverged, None), "2026-03-03T09:00:00Z"));
    }

    #[test]
    fn a_sweep_that_machines_brought_to_nothing_is_done_again() {
        let why = "the disk is full".to_owned();
        assert!(is_lost(&study_of(false, State::Failed { why }, None)));
        assert!(!is_lost(&study_of(false, State::Diverged, None)));
    }
}
