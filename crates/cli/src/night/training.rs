//! Graph, sweep, training and promotion: from rows to the champion.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use coordinator::{Executor, JobSpec, JobState, LocalExecutor, Output, TaskContext, TaskOutput};
use data::Store;
use graph::Graph;
use jiff::Timestamp;
use market::{GameId, GameStatus, ModelCard, Predictor, ResultRow, predictor::LeagueScores, score::log_loss};
use model::{
    Ensemble, GraphPredictor, ModelFile, Progress, Provenance, Search, Stage, Step, TrainSettings, Trained,
    Trainer, TrialResult, TrialSpec,
};
use serde::{Deserialize, Serialize};

use super::{Night, read_step, write_step};
use crate::{context::Context, paths::Key};

/// An object of the store by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Published {
    pub(crate) key: String,
    pub(crate) sha256: String,
}

impl Published {
    fn put(store: &Store, key: &str, bytes: &[u8]) -> anyhow::Result<Self> {
        store.put(key, bytes)?;
        Ok(Self { key: key.to_owned(), sha256: model::sha256(bytes) })
    }

    fn output(&self, name: &str) -> Output {
        Output::new(name, format!("store:{}", self.key), &self.sha256)
    }
}

/// What `latest.json` says of the graph beside it.
#[derive(Debug, Serialize, Deserialize)]
struct GraphCard {
    as_of: Timestamp,
    sha256: String,
    games: usize,
}

fn graph_name(as_of: Timestamp) -> String {
    as_of.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Stores the graph under its as-of and as the latest.
pub(crate) fn publish_graph(context: &Context, graph: &Graph) -> anyhow::Result<Published> {
    let store = context.store()?;
    let bytes = model::graph_to_bytes(graph)?;
    let name = graph_name(graph.as_of());
    let published = Published::put(store, &Key::Graph(&name).to_string(), &bytes)?;
    let card =
        GraphCard { as_of: graph.as_of(), sha256: published.sha256.clone(), games: graph.games().len() };
    let card = serde_json::to_vec_pretty(&card)?;
    store.put(&Key::GraphCard(&name).to_string(), &card)?;
    // The card goes last: who finds it finds the graph that it speaks of.
    store.put(&Key::Graph("latest").to_string(), &bytes)?;
    store.put(&Key::GraphCard("latest").to_string(), &card)?;
    Ok(published)
}

/// Reads the latest published graph.
pub(crate) fn latest_graph(context: &Context) -> anyhow::Result<Graph> {
    let store = context.store()?;
    let bytes = store.try_get(&Key::Graph("latest").to_string())?;
    let bytes = bytes.context("no graph is published yet: run `edge graph build`")?;
    Ok(model::graph_from_bytes(&bytes)?)
}

/// Returns the graph as of an instant: the published one where it is whole, else built from the rows.
pub(crate) fn graph_as_of(context: &Context, as_of: Timestamp) -> anyhow::Result<Graph> {
    let name = graph_name(as_of);
    let store = context.store()?;
    let card = store.try_get(&Key::GraphCard(&name).to_string())?;
    let card = card.and_then(|bytes| serde_json::from_slice::<GraphCard>(&bytes).ok());
    if let Some(card) = card.filter(|card| card.as_of == as_of)
        && let Some(bytes) = store.try_get(&Key::Graph(&name).to_string())?
        && model::sha256(&bytes) == card.sha256
    {
        return Ok(model::graph_from_bytes(&bytes)?);
    }
    Ok(Graph::build(&context.snapshot(as_of)?))
}

pub(super) fn graph_step(
    context: &Arc<Context>,
    night: &Night,
    task: &TaskContext<'_>,
) -> anyhow::Result<TaskOutput> {
    let snapshot = context.snapshot(night.as_of)?;
    let graph = Graph::build(&snapshot);
    ensure!(!graph.games().is_empty(), "no game is known before {}", night.as_of);
    let published = publish_graph(context, &graph)?;
    let output = write_step(task, &published)?;
    let summary = format!("{} games, {} lines", graph.games().len(), snapshot.lines.len());
    Ok(TaskOutput::new(summary).output(output).output(published.output("graph")))
}

/// What a trial's process is told: which graph, which settings.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TrialOrder {
    pub(crate) as_of: Timestamp,
    pub(crate) spec: TrialSpec,
}

/// What the sweep found.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Swept {
    pub(crate) best: TrainSettings,
    pub(crate) best_trial: usize,
    pub(crate) trials: Vec<(TrialSpec, TrialResult)>,
    pub(crate) failed: Vec<(usize, String)>,
}

pub(super) fn sweep_step(
    context: &Arc<Context>,
    night: &Night,
    task: &TaskContext<'_>,
) -> anyhow::Result<TaskOutput> {
    let swept =
        sweep(context, night.as_of, context.settings.sweep.trials, task.folder(), &|line| task.log(line))?;
    let output = write_step(task, &swept)?;
    let summary = format!("{} trials, best is trial {}", swept.trials.len(), swept.best_trial);
    Ok(TaskOutput::new(summary).output(output))
}

/// Runs the trials as processes of their own, a few at a time, and returns the best settings.
pub(crate) fn sweep(
    context: &Context,
    as_of: Timestamp,
    wanted: usize,
    folder: &Path,
    log: &dyn Fn(&str),
) -> anyhow::Result<Swept> {
    let settings = &context.settings.sweep;
    let base = TrainSettings { epochs: settings.epochs, ..context.settings.model.clone() };
    let mut search = Search::new(base, context.settings.model.seed);
    let (mut trials, mut failed) = (Vec::new(), Vec::new());
    while search.asked() < wanted {
        let wave = settings.at_once.max(1).min(wanted - search.asked());
        let specs = (0..wave).map(|_| search.ask()).collect::<Result<Vec<_>, _>>()?;
        for (spec, ended) in run_wave(context, as_of, folder, specs)? {
            match ended {
                Ok(result) => {
                    let loss =
                        result.validation_loss.map_or_else(|| "diverged".to_owned(), |l| format!("{l:.4}"));
                    log(&format!("trial {} of {wanted}: loss {loss}, {:.0} s", spec.id + 1, result.seconds));
                    search.tell(&result);
                    trials.push((spec, result));
                }
                Err(error) => {
                    log(&format!("trial {} failed: {error:#}", spec.id));
                    failed.push((spec.id, format!("{error:#}")));
                }
            }
        }
    }
    let (best, result) =
        search.best().context("no trial of the sweep ended with a loss; see the trials' logs")?;
    let best_trial = result.id;
    let best = TrainSettings { epochs: context.settings.model.epochs, ..best.settings.clone() };
    Ok(Swept { best, best_trial, trials, failed })
}

type Ended = (TrialSpec, anyhow::Result<TrialResult>);

fn run_wave(
    context: &Context,
    as_of: Timestamp,
    folder: &Path,
    specs: Vec<TrialSpec>,
) -> anyhow::Result<Vec<Ended>> {
    let mut executor = LocalExecutor::new(folder.join("trials"), specs.len());
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    for spec in &specs {
        let order = folder.join(format!("trial-{}.json", spec.id));
        std::fs::write(&order, serde_json::to_vec(&TrialOrder { as_of, spec: spec.clone() })?)?;
        let flags = context.flags_of_self().into_iter().map(|flag| flag.to_string_lossy().into_owned());
        let job = JobSpec::new(format!("trial-{}", spec.id), &program).args(flags).args([
            "trial".to_owned(),
            "--spec".to_owned(),
            order.display().to_string(),
            "--out".to_owned(),
            "{output}".to_owned(),
        ]);
        executor.submit(job)?;
    }
    let mut ended = Vec::new();
    for spec in specs {
        let id = format!("trial-{}", spec.id);
        let state = loop {
            let state = executor.poll(&id)?;
            if state.is_final() {
                break state;
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let result = match state {
            JobState::Done => read_trial(&executor.output(&id)?),
            JobState::Failed(failure) => {
                let tail = executor.logs(&id).unwrap_or_default();
                Err(anyhow::anyhow!("{failure}: {}", tail.lines().last().unwrap_or("it said nothing")))
            }
            _ => Err(anyhow::anyhow!("it was cancelled")),
        };
        ended.push((spec, result));
    }
    Ok(ended)
}

fn read_trial(folder: &Path) -> anyhow::Result<TrialResult> {
    Ok(serde_json::from_slice(&std::fs::read(folder.join("result.json"))?)?)
}

/// Held-out forecasts of one version, by which it is compared with the next.
#[derive(Debug, Default, Serialize, Deserialize)]
struct HeldOutForecasts {
    /// Home, draw, away of the variant that is bet with, by game.
    games: BTreeMap<GameId, [f64; 3]>,
}

/// What training leaves for promotion.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Challenger {
    pub(crate) card: ModelCard,
    pub(crate) model: Published,
    pub(crate) seconds_per_epoch: f64,
    pub(crate) seconds: f64,
}

pub(super) fn train_step(
    context: &Arc<Context>,
    night: &Night,
    task: &TaskContext<'_>,
) -> anyhow::Result<TaskOutput> {
    let swept: Option<Swept> = read_step(task, "sweep").ok();
    let tried = swept.as_ref().map_or(1, |swept| swept.trials.len());
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
    let Trained { ensemble, held_out } = Trainer::new(&graph, settings, provenance).train(progress)?;
    let (weights, json) = ensemble.to_bytes()?;
    let card = ensemble.card().clone();
    let store = context.store()?;
    let forecasts = HeldOutForecasts {
        games: held_out.iter().map(|p| (p.game.game_id.clone(), mean_outcome(&p.members))).collect(),
    };
    store.put(&Key::HeldOut(&card.version).to_string(), &serde_json::to_vec(&forecasts)?)?;
    store.put(&Key::ModelCard(&card.version).to_string(), json.as_bytes())?;
    let model = Published::put(store, &Key::Model(&card.version).to_string(), &weights)?;
    let members = &ensemble.file().members;
    let seconds_per_epoch =
        members.iter().map(|m| m.seconds_per_epoch).sum::<f64>() / members.len().max(1) as f64;
    Ok(Challenger { card, model, seconds_per_epoch, seconds: begun.elapsed().as_secs_f64() })
}

fn mean_outcome(members: &[market::ScoreForecast]) -> [f64; 3] {
    let count = members.len().max(1) as f64;
    let mut mean = [0.0; 3];
    for member in members {
        for (sum, p) in mean.iter_mut().zip(member.moneyline_three_way()) {
            *sum += p / count;
        }
    }
    mean
}

/// The champion as `best.json` tells it: its card, since when, and the whole model file.
#[derive(Debug, Serialize, Deserialize)]
struct Best {
    #[serde(flatten)]
    card: ModelCard,
    promoted_as_of: Timestamp,
    model: ModelFile,
}

/// One line of the promotion log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Decision {
    pub(crate) as_of: Timestamp,
    pub(crate) challenger: String,
    pub(crate) champion: Option<String>,
    /// Held-out games that both forecast without having trained on them.
    pub(crate) games: usize,
    /// Mean log-loss of challenger minus champion on those games.
    pub(crate) difference: Option<f64>,
    pub(crate) promoted: bool,
    pub(crate) why: String,
}

pub(super) fn promote_step(
    context: &Arc<Context>,
    night: &Night,
    task: &TaskContext<'_>,
) -> anyhow::Result<TaskOutput> {
    let challenger: Challenger = read_step(task, "train")?;
    let decision = promote(context, night.as_of, &challenger)?;
    Ok(TaskOutput::new(decision.why.clone()).fact("promoted", decision.promoted))
}

/// Makes the challenger the champion when it is better on games that neither was trained on.
pub(crate) fn promote(
    context: &Context,
    as_of: Timestamp,
    challenger: &Challenger,
) -> anyhow::Result<Decision> {
    let store = context.store()?;
    let champion = champion(context)?;
    let version = &challenger.card.version;
    let mut decision = Decision {
        as_of,
        challenger: version.clone(),
        champion: champion.as_ref().map(|card| card.version.clone()),
        games: 0,
        difference: None,
        promoted: true,
        why: format!("{version} is the first champion"),
    };
    if let Some(champion) = &champion {
        if champion.version == *version {
            decision.promoted = false;
            decision.why = format!("{version} is the champion already");
            return Ok(decision);
        }
        compare(context, as_of, &mut decision, &champion.version)?;
    }
    if decision.promoted {
        let weights = store.get(&challenger.model.key)?;
        let json = store.get(&Key::ModelCard(version).to_string())?;
        let best = Best {
            card: challenger.card.clone(),
            promoted_as_of: as_of,
            model: serde_json::from_slice(&json)?,
        };
        // The weights go first; the card with their hash makes them count.
        store.put(&Key::Best.to_string(), &weights)?;
        store.put(&Key::BestCard.to_string(), &serde_json::to_vec_pretty(&best)?)?;
    }
    log_decision(store, &decision)?;
    Ok(decision)
}

fn compare(
    context: &Context,
    as_of: Timestamp,
    decision: &mut Decision,
    champion: &str,
) -> anyhow::Result<()> {
    let store = context.store()?;
    let read = |version: &str| -> anyhow::Result<HeldOutForecasts> {
        let bytes = store.try_get(&Key::HeldOut(version).to_string())?;
        Ok(bytes.map(|bytes| serde_json::from_slice(&bytes)).transpose()?.unwrap_or_default())
    };
    let (mine, other) = (read(&decision.challenger)?, read(champion)?);
    let results = context.snapshot(as_of)?.results;
    let outcome = |result: &ResultRow| match result.margin() {
        1.. => 0,
        0 => 1,
        ..0 => 2,
    };
    let differences: Vec<f64> = results
        .iter()
        .filter(|result| result.status == GameStatus::Final)
        .filter_map(|result| {
            let (mine, other) =
                (mine.games.get(&result.game.game_id)?, other.games.get(&result.game.game_id)?);
            Some(log_loss(mine, outcome(result)) - log_loss(other, outcome(result)))
        })
        .collect();
    decision.games = differences.len();
    if differences.is_empty() {
        decision.why =
            format!("{} and {champion} share no held-out game: the newer one is taken", decision.challenger);
        return Ok(());
    }
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    decision.difference = Some(mean);
    decision.promoted = mean < 0.0;
    let verdict = if decision.promoted { "promoted" } else { "the champion stays" };
    decision.why = format!("{verdict}: log-loss {mean:+.5} against {champion} on {} games", decision.games);
    Ok(())
}

/// Appends the decision once; a night that is resumed decides the same again.
fn log_decision(store: &Store, decision: &Decision) -> anyhow::Result<()> {
    let key = Key::Promotions.to_string();
    let mut text = String::from_utf8(store.try_get(&key)?.unwrap_or_default())?;
    let mut decided = text.lines().filter_map(|line| serde_json::from_str::<Decision>(line).ok());
    if decided.any(|old| old.as_of == decision.as_of && old.challenger == decision.challenger) {
        return Ok(());
    }
    text.push_str(&serde_json::to_string(decision)?);
    text.push('\n');
    store.put(&key, text.as_bytes())?;
    Ok(())
}

/// Returns the champion's card; none before the first promotion.
pub(crate) fn champion(context: &Context) -> anyhow::Result<Option<ModelCard>> {
    let bytes = context.store()?.try_get(&Key::BestCard.to_string())?;
    let best = bytes.map(|bytes| serde_json::from_slice::<Best>(&bytes)).transpose();
    Ok(best.context("models/best.json cannot be read: run `edge train`")?.map(|best| best.card))
}

/// Returns since when a version is the champion.
pub(super) fn champion_since(context: &Context, version: &str) -> anyhow::Result<Option<Timestamp>> {
    let bytes = context.store()?.try_get(&Key::BestCard.to_string())?;
    let best = bytes.and_then(|bytes| serde_json::from_slice::<Best>(&bytes).ok());
    Ok(best.filter(|best| best.card.version == version).map(|best| best.promoted_as_of))
}

/// Loads the champion (or what `MODEL_URI` names) over the graph as of an instant.
pub(crate) fn best_predictor(context: &Context, as_of: Timestamp) -> anyhow::Result<Arc<dyn Predictor>> {
    let (weights, card, name) = read_uri_or_champion(context)?;
    let ensemble = read_best(&weights, &card)
        .with_context(|| format!("{name} cannot be used; run `edge train` to make a new one"))?;
    let trained = ensemble.card().data_as_of;
    ensure!(
        trained <= as_of,
        "model {} was trained with data as of {trained}, later than {as_of}: run `edge nightly --date` for a past night",
        ensemble.card().version
    );
    Ok(Arc::new(GraphPredictor::new(ensemble, graph_as_of(context, as_of)?)?))
}

/// Returns the weights, the card beside them, and what they are called.
fn read_uri_or_champion(context: &Context) -> anyhow::Result<(Vec<u8>, Vec<u8>, String)> {
    if let Some(uri) = context.variable("MODEL_URI") {
        let (folder, file) = uri.rsplit_once('/').unwrap_or((".", uri));
        let beside = Store::open(folder)?;
        let card = beside.get(&format!("{}.json", file.strip_suffix(".pt").unwrap_or(file)))?;
        return Ok((beside.get(file)?, card, uri.to_owned()));
    }
    let store = context.store()?;
    let card = store.try_get(&Key::BestCard.to_string())?;
    let card = card.context("there is no model yet: run `edge train` or `edge nightly`")?;
    Ok((store.get(&Key::Best.to_string())?, card, Key::Best.to_string()))
}

fn read_best(weights: &[u8], card: &[u8]) -> anyhow::Result<Ensemble> {
    let best: Best = serde_json::from_slice(card).context("the card beside it is not whole")?;
    Ok(Ensemble::from_bytes(weights, &serde_json::to_string(&best.model)?)?)
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
    let stage = if step.stage == Stage::Refit { "refit" } else { "fit" };
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
