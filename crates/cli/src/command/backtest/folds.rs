//! Folds as processes of their own, a few at a time; a fold that is done is not done again.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use coordinator::{Executor, JobSpec, JobState, LocalExecutor};
use data::{League, Snapshot};
use graph::Graph;
use jiff::Timestamp;
use market::LeagueId;
use model::{
    ModelError, TrainSettings,
    backtest::{Fold, FoldForecast, forecast_fold},
};
use serde::{Deserialize, Serialize};

use crate::{
    checkpoints,
    context::{Context, say},
    night, progress,
};

/// No fold takes longer.
const TIMEOUT: Duration = Duration::from_hours(12);

/// What a fold's process is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FoldOrder {
    /// What the games are forecast on holds what was known before this instant.
    pub(crate) as_of: Timestamp,
    pub(crate) league: LeagueId,
    pub(crate) fold: Fold,
    pub(crate) settings: TrainSettings,
    pub(crate) with_market: bool,
}

/// How a fold ended.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FoldEnd {
    /// It was trained and its games forecast.
    Forecast(Box<FoldForecast>),
    /// There was too little before it to train on, in words.
    TooEarly(String),
}

impl FoldOrder {
    /// Trains and forecasts.
    pub(crate) fn run(
        &self,
        context: &Context,
        checkpoints: &checkpoints::Folder,
    ) -> anyhow::Result<FoldEnd> {
        let before = snapshot(context, &self.league, self.fold.cutoff)?;
        let history = Graph::build(&before);
        let later = snapshot(context, &self.league, self.as_of)?.since(self.fold.cutoff);
        let graph = history.extended(&later)?;
        let with_market = self.with_market;
        let ended =
            forecast_fold(&history, &graph, &self.fold, &self.settings, with_market, checkpoints, &mut ());
        match ended {
            Ok(mut forecast) => {
                checkpoints.remove();
                night::measure(&mut forecast.card.scores, &forecast.held_out, &before);
                Ok(FoldEnd::Forecast(Box::new(forecast)))
            }
            Err(error @ ModelError::TooFewGames { .. }) => Ok(FoldEnd::TooEarly(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }
}

/// Counts the different settings that were tried on a league, by the orders that their folds have left.
pub(super) fn settings_tried(folder: &Path, league: &LeagueId) -> usize {
    let orders = first_orders(folder).filter_map(|order| {
        let Ok(super::super::trial::Order::Fold(order)) = serde_json::from_slice(&order) else { return None };
        (order.league == *league).then(|| serde_json::to_string(&order.settings).ok()).flatten()
    });
    orders.collect::<BTreeSet<String>>().len().max(1)
}

/// Returns the first order in each folder below `folder`.
fn first_orders(folder: &Path) -> impl Iterator<Item = Vec<u8>> {
    let folders = std::fs::read_dir(folder).into_iter().flatten().flatten();
    folders.filter_map(|entry| std::fs::read(entry.path().join("order-0000.json")).ok())
}

/// Returns what was known of one league before `as_of`.
pub(super) fn snapshot(context: &Context, league: &LeagueId, as_of: Timestamp) -> anyhow::Result<Snapshot> {
    let lake = context.lake()?;
    let known: Vec<League> = lake.leagues()?.into_iter().filter(|known| known.id == *league).collect();
    anyhow::ensure!(
        !known.is_empty(),
        "nothing of {league} is in the store yet: run `edge fetch --league {league}`"
    );
    Ok(lake.snapshot(&known, as_of)?)
}

/// Runs every order that `folder` holds no result of; returns how each ended, in order.
pub(super) fn run_all(
    context: &Context,
    orders: &[FoldOrder],
    folder: &Path,
) -> anyhow::Result<Vec<FoldEnd>> {
    let result_of = |index: usize| folder.join(format!("fold-{index:04}.json"));
    let missing: Vec<usize> = (0..orders.len()).filter(|index| read(&result_of(*index)).is_err()).collect();
    let done = orders.len() - missing.len();
    if done > 0 {
        say(&format!("edge: {done} of {} folds are done already ({})", orders.len(), folder.display()));
    }
    let bar = progress::bar(orders.len() as u64, "backtest");
    bar.set_position(done as u64);
    let mut executor = LocalExecutor::new(folder.join("folds"), context.settings.sweep.at_once);
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let mut running = BTreeMap::new();
    for index in missing {
        let order = folder.join(format!("order-{index:04}.json"));
        std::fs::write(
            &order,
            serde_json::to_vec(&super::super::trial::Order::Fold(orders[index].clone()))?,
        )?;
        let flags = context.flags_of_self().into_iter().map(|flag| flag.to_string_lossy().into_owned());
        let id = format!("fold-{index:04}");
        let told = ["trial".to_owned(), "--spec".to_owned(), order.display().to_string()];
        let job = JobSpec::new(&id, &program).args(flags).args(told).timeout(TIMEOUT);
        executor.submit(job.args(["--out".to_owned(), "{output}".to_owned()]))?;
        running.insert(id, index);
    }
    while !running.is_empty() {
        let mut ended = Vec::new();
        for (id, index) in &running {
            let state = executor.poll(id)?;
            if !state.is_final() {
                continue;
            }
            if state != JobState::Done {
                let log = executor.logs(id).unwrap_or_default();
                let last = log.lines().last().unwrap_or("it said nothing").to_owned();
                anyhow::bail!("fold {} failed: {last}", orders[*index].fold.name);
            }
            std::fs::rename(executor.output(id)?.join("result.json"), result_of(*index))?;
            bar.set_message(orders[*index].fold.name.clone());
            bar.inc(1);
            ended.push(id.clone());
        }
        for id in ended {
            running.remove(&id);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bar.finish_and_clear();
    (0..orders.len()).map(|index| read(&result_of(index))).collect()
}

fn read(path: &PathBuf) -> anyhow::Result<FoldEnd> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is no fold; delete it", path.display()))
}
