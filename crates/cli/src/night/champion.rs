//! The champion: who it is, and what it takes to replace it.
//!
//! The log of promotions says which version was champion for which night; `best.pt` and `best.json` are a copy of the
//! latest one for those who only serve.

use std::sync::Arc;

use anyhow::Context as _;
use coordinator::{TaskContext, TaskOutput};
use data::{Snapshot, Store};
use jiff::{SignedDuration, Timestamp};
use market::{
    GameId, GameStatus, ModelCard, ResultRow,
    score::{ReliabilityBin, log_loss, reliability},
};
use model::ModelFile;
use serde::{Deserialize, Serialize};

use super::{
    Night,
    best::Best,
    read_step,
    training::{Challenger, HeldOutForecasts},
};
use crate::{
    context::Context,
    exit::Usage,
    guard::{self, Guarded},
    paths::Key,
};

/// Bins of the reliability plot, as many as the expected calibration error has.
const CALIBRATION_BINS: usize = 10;

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
///
/// It is measured against the champion of its own time: what was promoted for later nights was trained on what this
/// night may not know. The decision is written down before anything is published, so that a promotion that is cut
/// off is found again, and finished, by whoever promotes next.
pub(crate) fn promote(
    context: &Context,
    as_of: Timestamp,
    challenger: &Challenger,
) -> anyhow::Result<Decision> {
    let _alone = guard::wait(context, Guarded::Models)?;
    let store = context.store()?;
    let version = &challenger.card.version;
    let before = decisions(store)?;
    if let Some(decided) = before.iter().find(|old| old.as_of == as_of && old.challenger == *version) {
        publish_live(store)?;
        return Ok(decided.clone());
    }
    let champion = champion_at(store, as_of)?.map(|champion| champion.card.version);
    let mut decision = Decision {
        as_of,
        challenger: version.clone(),
        champion: champion.clone(),
        games: 0,
        difference: None,
        promoted: true,
        why: format!("{version} is the first champion"),
    };
    match champion {
        Some(champion) if champion == *version => {
            decision.promoted = false;
            decision.why = format!("{version} is the champion already");
        }
        Some(champion) if challenger.updated_from.as_ref() == Some(&champion) => {
            decision.why = format!("{version} is {champion} brought up to date");
        }
        Some(champion) => compare(context, as_of, &mut decision, &champion)?,
        None => {}
    }
    log_decision(store, &decision)?;
    publish_live(store)?;
    Ok(decision)
}

/// A promoted version.
pub(super) struct Champion {
    pub(super) card: ModelCard,
    /// As-of of its promotion.
    since: Timestamp,
    model: ModelFile,
}

/// Returns the version that was promoted last for a night up to `as_of`; one whose card is lost is passed over.
pub(super) fn champion_at(store: &Store, as_of: Timestamp) -> anyhow::Result<Option<Champion>> {
    let mut promoted: Vec<Decision> = decisions(store)?
        .into_iter()
        .filter(|decision| decision.promoted && decision.as_of <= as_of)
        .collect();
    promoted.sort_by_key(|decision| decision.as_of);
    for decision in promoted.into_iter().rev() {
        let card = store.try_get(&Key::ModelCard(&decision.challenger).to_string())?;
        if let Some(Ok(model)) = card.map(|bytes| serde_json::from_slice::<ModelFile>(&bytes)) {
            return Ok(Some(Champion { card: model.card.clone(), since: decision.as_of, model }));
        }
        tracing::warn!(version = decision.challenger, "the card of a promoted model is lost");
    }
    Ok(None)
}

/// Returns the version that was last found worse than the champion of today, if its card is still there.
pub(super) fn challenger(store: &Store) -> anyhow::Result<Option<String>> {
    let Some(champion) = champion_at(store, Timestamp::MAX)? else { return Ok(None) };
    let last = decisions(store)?
        .pop()
        .filter(|decision| !decision.promoted && decision.champion.as_ref() == Some(&champion.card.version));
    let last = last.map(|decision| decision.challenger).filter(|version| *version != champion.card.version);
    Ok(last.filter(|version| store.exists(&Key::ModelCard(version).to_string()).unwrap_or(false)))
}

/// Puts the champion of the latest night where others look for it, unless it is there.
fn publish_live(store: &Store) -> anyhow::Result<()> {
    let Some(live) = champion_at(store, Timestamp::MAX)? else { return Ok(()) };
    let is_live = |weights: &Vec<u8>| model::sha256(weights) == live.card.sha256;
    let published = store.try_get(&Key::BestCard.to_string())?;
    let published = published.and_then(|bytes| serde_json::from_slice::<Best>(&bytes).ok());
    let same_card = published.is_some_and(|best| best.card.version == live.card.version);
    let same_weights = store.try_get(&Key::Best.to_string())?.as_ref().is_some_and(is_live);
    if same_card && same_weights {
        return Ok(());
    }
    let weights = store.try_get(&Key::Model(&live.card.version).to_string())?.filter(is_live);
    let weights = weights.with_context(|| {
        format!(
            "the weights of champion {0} are lost or changed: remove models/{0} and run `edge train`",
            live.card.version
        )
    })?;
    let best = Best { card: live.card, promoted_as_of: live.since, model: live.model };
    // The weights go first; the card with their hash makes them count.
    store.put(&Key::Best.to_string(), &weights)?;
    store.put(&Key::BestCard.to_string(), &serde_json::to_vec_pretty(&best)?)?;
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

/// Returns the champion of the night before `as_of`.
pub(super) fn champion_before(store: &Store, as_of: Timestamp) -> anyhow::Result<Option<String>> {
    let before = as_of.checked_sub(SignedDuration::from_nanos(1))?;
    Ok(champion_at(store, before)?.map(|champion| champion.card.version))
}

/// Reads a version's held-out forecasts; empty for a version that left none.
pub(super) fn held_out(context: &Context, version: &str) -> anyhow::Result<HeldOutForecasts> {
    let bytes = context.store()?.try_get(&Key::HeldOut(version).to_string())?;
    Ok(bytes.map(|bytes| serde_json::from_slice(&bytes)).transpose()?.unwrap_or_default())
}

/// Returns the games that were played to their end, with what came of them: 0 home, 1 draw, 2 away.
fn finals(snapshot: &Snapshot) -> impl Iterator<Item = (&GameId, usize)> {
    let is_final = |result: &&ResultRow| result.status == GameStatus::Final;
    snapshot.latest_results().into_iter().filter(is_final).map(|result| {
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

/// Returns every decision in the order in which it was made; a line that cannot be read is passed over.
fn decisions(store: &Store) -> anyhow::Result<Vec<Decision>> {
    let bytes = store.try_get(&Key::Promotions.to_string())?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

fn log_decision(store: &Store, decision: &Decision) -> anyhow::Result<()> {
    let key = Key::Promotions.to_string();
    let mut text = String::from_utf8_lossy(&store.try_get(&key)?.unwrap_or_default()).into_owned();
    text.push_str(&serde_json::to_string(decision)?);
    text.push('\n');
    store.put(&key, text.as_bytes())?;
    Ok(())
}

/// Returns since when a version is a champion.
pub(super) fn champion_since(context: &Context, version: &str) -> anyhow::Result<Option<Timestamp>> {
    let mut promoted = decisions(context.store()?)?.into_iter().filter(|decision| decision.promoted);
    Ok(promoted.find(|decision| decision.challenger == version).map(|decision| decision.as_of))
}

/// Returns the live champion's card, and since when it is that.
pub(crate) fn live_champion(context: &Context) -> anyhow::Result<Option<(ModelCard, Timestamp)>> {
    let live = champion_at(context.store()?, Timestamp::MAX)?;
    Ok(live.map(|champion| (champion.card, champion.since)))
}

/// Returns what made the live champion, with the hash of its weights, where it was this night that did.
pub(super) fn promotion_of(
    context: &Context,
    as_of: Timestamp,
) -> anyhow::Result<Option<(Decision, String)>> {
    let store = context.store()?;
    let made = decisions(store)?.into_iter().rfind(|decision| decision.promoted && decision.as_of == as_of);
    let live = champion_at(store, Timestamp::MAX)?;
    let live = made.zip(live).filter(|(decision, live)| decision.challenger == live.card.version);
    Ok(live.map(|(decision, live)| (decision, live.card.sha256)))
}

/// Returns every decision, oldest first, and who is champion now.
pub(crate) fn decisions_and_champion(context: &Context) -> anyhow::Result<(Vec<Decision>, Option<String>)> {
    let store = context.store()?;
    let champion = champion_at(store, Timestamp::MAX)?.map(|champion| champion.card.version);
    Ok((decisions(store)?, champion))
}

/// Makes a version the champion from now on because a person says so; past nights keep theirs.
pub(crate) fn promote_by_hand(context: &Context, version: &str) -> anyhow::Result<Decision> {
    let _alone = guard::wait(context, Guarded::Models)?;
    by_hand(context, version, "promoted")
}

/// Makes the version that the champion once replaced the champion again.
pub(crate) fn roll_back(context: &Context) -> anyhow::Result<Decision> {
    let _alone = guard::wait(context, Guarded::Models)?;
    let (decisions, champion) = decisions_and_champion(context)?;
    let champion =
        champion.ok_or_else(|| Usage("there is no champion to roll back: run `edge train`".into()))?;
    // The first time it was promoted says whom it replaced; a rollback to it says something else.
    let first = decisions.iter().find(|decision| decision.promoted && decision.challenger == champion);
    let before = first.and_then(|decision| decision.champion.clone());
    let before =
        before.ok_or_else(|| Usage(format!("{champion} is the first champion: there is none before it")))?;
    by_hand(context, &before, "rolled back to")
}

fn by_hand(context: &Context, version: &str, verb: &str) -> anyhow::Result<Decision> {
    let store = context.store()?;
    let card = Key::ModelCard(version).to_string();
    if version.contains(['/', '\\']) || store.try_get(&card)?.is_none() {
        return Err(Usage(format!("there is no model `{version}`: `edge model list` names them")).into());
    }
    let champion = champion_at(store, Timestamp::MAX)?.map(|champion| champion.card.version);
    if champion.as_deref() == Some(version) {
        return Err(Usage(format!("{version} is the champion already")).into());
    }
    let instead = champion.as_ref().map_or_else(String::new, |champion| format!(", in place of {champion}"));
    let decision = Decision {
        as_of: context.now,
        challenger: version.to_owned(),
        champion,
        games: 0,
        difference: None,
        promoted: true,
        why: format!("{verb} {version} by hand{instead}"),
    };
    log_decision(store, &decision)?;
    publish_live(store)?;
    Ok(decision)
}
