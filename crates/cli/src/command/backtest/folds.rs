//! Folds as processes of their own, a few at a time; a fold that is done is not done again.

use std::{
    collections::BTreeMap,
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
    TrainSettings,
    backtest::{Fold, FoldForecast, forecast_fold},
};
use serde::{Deserialize, Serialize};

use crate::{
    context::{Context, say},
    progress,
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

impl FoldOrder {
    /// Trains and forecasts.
    pub(crate) fn run(&self, context: &Context) -> anyhow::Result<FoldForecast> {
        let history = Graph::build(&snapshot(context, &self.league, self.fold.cutoff)?);
        let graph = Graph::build(&snapshot(context, &self.league, self.as_of)?);
        Ok(forecast_fold(&history, &graph, &self.fold, &self.settings, self.with_market, &mut ())?)
    }
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

/// Runs every order that `folder` holds no result of; returns the results in order.
pub(super) fn run_all(
    context: &Context,
    orders: &[FoldOrder],
    folder: &Path,
) -> anyhow::Result<Vec<FoldForecast>> {
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

fn read(path: &PathBuf) -> anyhow::Result<FoldForecast> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is no fold; delete it", path.display()))
}
