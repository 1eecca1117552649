//! Training: from the graph to a scored challenger.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use anyhow::{Context as _, ensure};
use coordinator::{TaskContext, TaskOutput, TaskState};
use jiff::Timestamp;
use market::{GameId, ModelCard, predictor::LeagueScores};
use model::{Ensemble, Progress, Provenance, Stage, Step, TrainSettings, Trained, Trainer};
use serde::{Deserialize, Serialize};

use super::{
    Night,
    best::stored,
    champion::{champion_before, held_out},
    graph_as_of,
    graphs::Published,
    outcome_probabilities, read_step,
    sweeping::Swept,
    write_step,
};
use crate::{checkpoints, context::Context, paths::Key};

/// Held-out forecasts of one version, by which it is compared with the next.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct HeldOutForecasts {
    /// Home, draw, away of the variant that is bet with, by game.
    pub(super) games: BTreeMap<GameId, [f64; 3]>,
}

/// What training leaves for promotion.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Challenger {
    pub(crate) card: ModelCard,
    pub(crate) model: Published,
    pub(crate) seconds_per_epoch: f64,
    pub(crate) seconds: f64,
    /// The version that it brings up to date; none for one that was trained anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) updated_from: Option<String>,
}

pub(super) fn train_step(
    context: &Arc<Context>,
    night: &Night,
    task: &TaskContext<'_>,
) -> anyhow::Result<TaskOutput> {
    // A sweep that ran out of time has found something all the same.
    let so_far = || Swept::so_far(context, &task.run_folder().join("sweep"));
    let is_done = task.earlier("sweep").is_some_and(|sweep| sweep.state == TaskState::Done);
    let swept: Option<Swept> = if is_done { Some(read_step(task, "sweep")?) } else { None };
    let swept = swept.or_else(so_far);
    let tried = swept.as_ref().map_or(1, |swept| swept.study.trials().len());
    let settings = swept.map_or_else(|| context.settings.model.clone(), |swept| swept.best);
    let mut progress = LogProgress { log: &|line| task.log(line), begun: Instant::now() };
    let challenger = train(context, night.as_of, settings, tried, &mut progress)?;
    let output = write_step(task, &challenger)?;
    let summary =
        format!("{}; {:.2} s per epoch", told(&challenger.card.scores), challenger.seconds_per_epoch);
    Ok(TaskOutput::new(summary).output(output).output(challenger.model.output("model")))
}

/// Returns each league's model loss beside the closing line's, in words.
fn told(scores: &[LeagueScores]) -> String {
    let of = |scores: &LeagueScores, name: &str| {
        scores
            .forecasts
            .iter()
            .find(|f| f.name == name)
            .map_or_else(|| "–".to_owned(), |f| format!("{:.4}", f.log_loss))
    };
    let leagues = scores.iter().map(|scores| {
        format!(
            "{}: log-loss {} (closing {})",
            scores.league,
            of(scores, "hgt_market"),
            of(scores, "closing_line")
        )
    });
    leagues.collect::<Vec<_>>().join(", ")
}

/// Trains, scores and stores a version; the champion stays what it is.
pub(crate) fn train(
    context: &Context,
    as_of: Timestamp,
    settings: TrainSettings,
    configurations_tried: usize,
    progress: &mut dyn Progress,
) -> anyhow::Result<Challenger> {
    let graph = graph_as_of(context, as_of)?;
    ensure!(!graph.games().is_empty(), "no game is known before {as_of}: fetch more, or choose a later date");
    let begun = Instant::now();
    let provenance = Provenance {
        git_commit: env!("EDGE_GIT_COMMIT").to_owned(),
        inputs: BTreeMap::from([("graph".to_owned(), model::sha256(&model::graph_to_bytes(&graph)?))]),
        configurations_tried,
    };
    let known = serde_json::to_vec(&(&provenance.inputs, &settings, &provenance.git_commit))?;
    let name = format!("training-{}", &model::sha256(&known)[..16]);
    let checkpoints = checkpoints::Folder::new(context.runs_folder()?.join(name));
    let trainer = Trainer::new(&graph, settings, provenance).checkpoints(&checkpoints);
    let Trained { mut ensemble, held_out, .. } = trainer.train(progress)?;
    super::measure(ensemble.scores_mut(), &held_out, &context.snapshot(as_of)?);
    let forecasts = HeldOutForecasts {
        games: held_out
            .iter()
            .map(|p| (p.game.game_id.clone(), outcome_probabilities(&p.members, true)))
            .collect(),
    };
    let challenger = publish(context, &ensemble, &forecasts, begun)?;
    checkpoints.remove();
    Ok(challenger)
}

/// Brings the champion of the night before up to date, and stores it as a version of its own.
///
/// It goes on under the settings that it was trained with; only where it is computed follows `here`. The held-out
/// forecasts stay those of its last whole training, by which later challengers are compared with it.
pub(crate) fn update(
    context: &Context,
    as_of: Timestamp,
    here: &TrainSettings,
    progress: &mut dyn Progress,
) -> anyhow::Result<Challenger> {
    let store = context.store()?;
    let before = champion_before(store, as_of)?;
    let before = before
        .with_context(|| format!("there is no champion from before {as_of} to update: run `edge train`"))?;
    let previous = stored(store, &before)?;
    let graph = graph_as_of(context, as_of)?;
    let begun = Instant::now();
    let graph_hash = model::sha256(&model::graph_to_bytes(&graph)?);
    let provenance = Provenance {
        git_commit: env!("EDGE_GIT_COMMIT").to_owned(),
        inputs: BTreeMap::from([
            ("graph".to_owned(), graph_hash),
            ("model".to_owned(), previous.card().sha256.clone()),
        ]),
        configurations_tried: previous.card().configurations_tried,
    };
    let settings = TrainSettings {
        device: here.device,
        threads: here.threads,
        checkpoint_seconds: here.checkpoint_seconds,
        ..previous.file().settings.clone()
    };
    let trainer = Trainer::new(&graph, settings, provenance);
    let ensemble = trainer.update(&previous, progress)?;
    let challenger = publish(context, &ensemble, &held_out(context, &before)?, begun)?;
    Ok(Challenger { updated_from: Some(before), ..challenger })
}

/// Stores a version with the forecasts that it is judged by.
fn publish(
    context: &Context,
    ensemble: &Ensemble,
    forecasts: &HeldOutForecasts,
    begun: Instant,
) -> anyhow::Result<Challenger> {
    let (weights, json) = ensemble.to_bytes()?;
    let card = ensemble.card().clone();
    let store = context.store()?;
    store.put(&Key::HeldOut(&card.version).to_string(), &serde_json::to_vec(forecasts)?)?;
    store.put(&Key::ModelCard(&card.version).to_string(), json.as_bytes())?;
    let model = Published::put(store, &Key::Model(&card.version).to_string(), &weights)?;
    let members = &ensemble.file().members;
    let seconds_per_epoch =
        members.iter().map(|m| m.seconds_per_epoch).sum::<f64>() / members.len().max(1) as f64;
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Challenger { card, model, seconds_per_epoch, seconds, updated_from: None })
}

/// Writes training's progress as lines of a task's log.
struct LogProgress<'a> {
    log: &'a dyn Fn(&str),
    begun: Instant,
}

impl Progress for LogProgress<'_> {
    fn step(&mut self, step: &Step) {
        if step.batch == step.batches {
            (self.log)(&format!("{} · {:.0} s", line_of(step), self.begun.elapsed().as_secs_f64()));
        }
    }
}

/// Returns where training stands, in one line.
pub(crate) fn line_of(step: &Step) -> String {
    let stage = match step.stage {
        Stage::Fit => "fit",
        Stage::Refit => "refit",
        Stage::Update => "update",
    };
    let validation = step.validation_loss.map_or_else(String::new, |loss| format!(" val {loss:.4}"));
    format!(
        "{} {}/{} {stage} epoch {}/{} loss {:.4}{validation}",
        step.variant.as_str(),
        step.member + 1,
        step.members,
        step.epoch,
        step.epochs,
        step.loss
    )
}
