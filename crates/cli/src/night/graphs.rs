//! The as-of graph of a night: built, published, found again.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use coordinator::{Output, TaskContext, TaskOutput};
use data::Store;
use graph::Graph;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Night, write_step};
use crate::{
    context::Context,
    guard::{self, Guarded},
    paths::Key,
};

/// An object of the store by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Published {
    pub(crate) key: String,
    pub(crate) sha256: String,
}

impl Published {
    pub(super) fn put(store: &Store, key: &str, bytes: &[u8]) -> anyhow::Result<Self> {
        store.put(key, bytes)?;
        Ok(Self { key: key.to_owned(), sha256: model::sha256(bytes) })
    }

    pub(super) fn output(&self, name: &str) -> Output {
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
    let _alone = guard::wait(context, Guarded::Models)?;
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
