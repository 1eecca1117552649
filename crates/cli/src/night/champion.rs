//! The champion: who it is, what it takes to replace it, and how it is loaded.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use coordinator::{TaskContext, TaskOutput};
use data::{Snapshot, Store};
use jiff::Timestamp;
use market::{
    GameId, GameStatus, ModelCard, Predictor, ResultRow,
    score::{ReliabilityBin, log_loss, reliability},
};
use model::{Ensemble, GraphPredictor, ModelFile};
use serde::{Deserialize, Serialize};

use super::{
    Night, graph_as_of, read_step,
    training::{Challenger, HeldOutForecasts},
};
use crate::{
    context::Context,
    guard::{self, Guarded},
    paths::Key,
};

/// Bins of the reliability plot, as many as the expected calibration error has.
const CALIBRATION_BINS: usize = 10;

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
    let _alone = guard::wait(context, Guarded::Models)?;
    let store = context.store()?;
    let champion = champion(context)?;
    if let Some(champion) = &champion {
        heal(store, champion)?;
    }
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
    // Written down before it is done: a promotion that is cut off is decided again, and found here.
    log_decision(store, &decision)?;
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
    Ok(decision)
}

/// Puts the champion's weights back where they are looked for, when a promotion was cut off between weights and card.
fn heal(store: &Store, champion: &ModelCard) -> anyhow::Result<()> {
    let is_champion = |weights: &[u8]| model::sha256(weights) == champion.sha256;
    if store.try_get(&Key::Best.to_string())?.is_some_and(|weights| is_champion(&weights)) {
        return Ok(());
    }
    if let Some(weights) =
        store.try_get(&Key::Model(&champion.version).to_string())?.filter(|w| is_champion(w))
    {
        tracing::warn!(version = %champion.version, "models/best.pt was not the champion's and is put back");
        store.put(&Key::Best.to_string(), &weights)?;
    }
    Ok(())
}

fn compare(
    context: &Context,
    as_of: Timestamp,
    decision: &mut Decision,
    champion: &str,
) -> anyhow::Result<()> {
    let (mine, other) = (held_out(context, &decision.challenger)?, held_out(context, champion)?);
    let snapshot = context.snapshot(as_of)?;
    let differences: Vec<f64> = finals(&snapshot)
        .filter_map(|(game, outcome)| {
            Some(log_loss(mine.games.get(game)?, outcome) - log_loss(other.games.get(game)?, outcome))
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

/// Reads a version's held-out forecasts; empty for a version that left none.
fn held_out(context: &Context, version: &str) -> anyhow::Result<HeldOutForecasts> {
    let bytes = context.store()?.try_get(&Key::HeldOut(version).to_string())?;
    Ok(bytes.map(|bytes| serde_json::from_slice(&bytes)).transpose()?.unwrap_or_default())
}

/// Returns the games that were played to their end, with what came of them: 0 home, 1 draw, 2 away.
fn finals(snapshot: &Snapshot) -> impl Iterator<Item = (&GameId, usize)> {
    let is_final = |result: &&ResultRow| result.status == GameStatus::Final;
    snapshot.results.iter().filter(is_final).map(|result| {
        let outcome = match result.margin() {
            1.. => 0,
            0 => 1,
            ..0 => 2,
        };
        (&result.game.game_id, outcome)
    })
}

/// Returns what a version forecast for the home sides of its held-out games against what came true.
pub(super) fn calibration(
    context: &Context,
    version: &str,
    snapshot: &Snapshot,
) -> anyhow::Result<Vec<ReliabilityBin>> {
    let held_out = held_out(context, version)?;
    let forecasts: Vec<(f64, bool)> = finals(snapshot)
        .filter_map(|(game, outcome)| Some((held_out.games.get(game)?[0], outcome == 0)))
        .collect();
    Ok(reliability(&forecasts, CALIBRATION_BINS))
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
    let ensemble = match read_best(context) {
        // A promotion replaces the weights first and then the card: looked at in between, they do not match.
        Err(_) => {
            std::thread::sleep(Duration::from_millis(200));
            read_best(context)?
        }
        read => read?,
    };
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

fn read_best(context: &Context) -> anyhow::Result<Ensemble> {
    let (weights, card, name) = read_uri_or_champion(context)?;
    let read = || -> anyhow::Result<Ensemble> {
        let best: Best = serde_json::from_slice(&card).context("the card beside it is not whole")?;
        Ok(Ensemble::from_bytes(&weights, &serde_json::to_string(&best.model)?)?)
    };
    read().with_context(|| format!("{name} cannot be used; run `edge train` to make a new one"))
}
