//! A study as a table and as pictures, for people who would rather look than read.

use std::path::Path;

use anyhow::Context as _;
use report::chart::sweep::{Axis, SweepTrial, TrialEnd, history, parallel};
use sweep::{Domain, Point, Record, Space, State, Trial};

/// Writes `study.parquet`, and `history` and `parallel` as SVG and PNG, into `folder`.
pub(super) fn write(study: &Record, folder: &Path) -> anyhow::Result<()> {
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    };
    put("study.parquet", &study.to_parquet()?)?;
    let base = base_point(study);
    let trials: Vec<SweepTrial> =
        study.trials().iter().map(|trial| drawn(study.space(), &base, trial)).collect();
    let axes: Vec<Axis> = study.space().parameters().iter().map(|(name, p)| axis(name, &p.domain)).collect();
    for (name, chart) in [("history", history(&trials)?), ("parallel", parallel(&axes, &trials)?)] {
        if let Some(chart) = chart {
            put(&format!("{name}.svg"), chart.svg.as_bytes())?;
            put(&format!("{name}.png"), &chart.png)?;
        }
    }
    Ok(())
}

/// Returns what the base settings say of the parameters.
fn base_point(study: &Record) -> Point {
    let named = |name: &String| Some((name.clone(), study.base().get(name)?.clone()));
    study.space().parameters().keys().filter_map(named).collect()
}

fn axis(name: &str, domain: &Domain) -> Axis {
    match domain {
        Domain::Float { low, high, .. } => Axis::linear(name, *low, *high),
        Domain::Log { low, high } => Axis::log(name, *low, *high),
        Domain::Int { low, high, .. } => Axis::linear(name, *low as f64, *high as f64),
        Domain::Choice(values) => Axis::labels(name, values.iter().map(plain)),
        _ => Axis::labels(name, [String::new()]),
    }
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn drawn(space: &Space, base: &Point, trial: &Trial) -> SweepTrial {
    let value = |name: &String, domain: &Domain| {
        let value = trial.point.get(name).or_else(|| base.get(name))?;
        match domain {
            Domain::Choice(values) => values.iter().position(|known| known == value).map(|at| at as f64),
            _ => value.as_f64(),
        }
    };
    let values = space.parameters().iter().map(|(name, p)| value(name, &p.domain)).collect();
    let outcome = trial.outcome.as_ref();
    let end = match outcome.map(|outcome| &outcome.state) {
        Some(State::Complete) => TrialEnd::Complete,
        Some(State::Pruned { .. }) => TrialEnd::Pruned,
        _ => TrialEnd::Failed,
    };
    SweepTrial { end, loss: outcome.and_then(|outcome| outcome.loss), values }
}
