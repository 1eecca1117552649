//! What `edge serve` answers from: the champion over a graph of now, a challenger beside it, looked for again and again.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
};

use data::{Snapshot, Store};
use graph::Graph;
use jiff::{SignedDuration, Timestamp};
use model::{Ensemble, GraphPredictor};
use serve::{Live, Loaded, Source};

use super::{
    best::{card_of, ensemble, stored},
    champion::challenger,
};
use crate::context::{Context, wall_clock};

/// Where rows lie.
const ROWS: [&str; 3] = ["data/lines", "data/results", "data/context"];

/// The store as a source of models; it keeps its graph warm and adds what landed since.
pub(crate) struct StoreSource {
    context: Arc<Context>,
    /// How often answers move on to a later as-of when no row lands, because some rows become known as time goes by.
    refresh_every: SignedDuration,
    shadow: bool,
    graph: Mutex<Option<Warm>>,
}

/// A graph, and how many rows went into it.
struct Warm {
    graph: Arc<Graph>,
    rows: [usize; 3],
}

impl StoreSource {
    pub(crate) fn new(context: Arc<Context>, refresh_every: SignedDuration, shadow: bool) -> Self {
        Self { context, refresh_every, shadow, graph: Mutex::default() }
    }

    fn version_now(&self) -> anyhow::Result<String> {
        let store = self.context.store()?;
        let mut data = DefaultHasher::new();
        for folder in ROWS {
            let mut files = store.list(folder)?;
            files.sort();
            files.hash(&mut data);
        }
        let period = self.refresh_every.as_secs().max(1);
        let card = model::sha256(&card_of(&self.context)?);
        let challenger = self.challenger(store)?.unwrap_or_default();
        Ok(format!("{card} {challenger} {:x} {}", data.finish(), wall_clock().as_second() / period))
    }

    /// The version that is compared; nobody's beside a model that `MODEL_URI` names.
    fn challenger(&self, store: &Store) -> anyhow::Result<Option<String>> {
        if !self.shadow || self.context.variable("MODEL_URI").is_some() {
            return Ok(None);
        }
        challenger(store)
    }

    fn load_now(&self) -> anyhow::Result<Loaded> {
        let as_of = Timestamp::from_second(wall_clock().as_second())?;
        let champion = ensemble(&self.context, as_of)?;
        let snapshot = self.context.snapshot(as_of)?;
        let graph = self.graph_of(&snapshot);
        let newest = newest(&snapshot).unwrap_or(as_of);
        let live = |ensemble: Ensemble| -> anyhow::Result<Live> {
            let predictor = GraphPredictor::new(ensemble, Arc::clone(&graph))?;
            Ok(Live::new(Arc::new(predictor)).with_newest(newest))
        };
        let store = self.context.store()?;
        let beside = |version: String| {
            let found = stored(store, &version).and_then(&live);
            found
                .inspect_err(|error| tracing::warn!(version, error = format!("{error:#}"), "no challenger"))
                .ok()
        };
        let challenger = self.challenger(store)?.and_then(beside);
        Ok(Loaded { champion: live(champion)?, challenger })
    }

    /// Extends the graph that is there; one that lacks rows of the past, which landed late, is built anew.
    fn graph_of(&self, snapshot: &Snapshot) -> Arc<Graph> {
        let mut warm = self.graph.lock().unwrap_or_else(PoisonError::into_inner);
        let extended = warm.as_ref().and_then(|warm| {
            let later = snapshot.since(warm.graph.as_of());
            let added = counts(&later);
            let is_whole = (0..3).all(|i| warm.rows[i] + added[i] == counts(snapshot)[i]);
            is_whole.then(|| warm.graph.extended(&later).ok()).flatten()
        });
        let graph = Arc::new(extended.unwrap_or_else(|| Graph::build(snapshot)));
        *warm = Some(Warm { graph: Arc::clone(&graph), rows: counts(snapshot) });
        graph
    }
}

impl Source for StoreSource {
    fn version(&self) -> Result<String, String> {
        self.version_now().map_err(|error| format!("{error:#}"))
    }

    fn load(&self) -> Result<Loaded, String> {
        self.load_now().map_err(|error| format!("{error:#}"))
    }
}

fn counts(snapshot: &Snapshot) -> [usize; 3] {
    [snapshot.lines.len(), snapshot.results.len(), snapshot.context.len()]
}

/// When the newest row became known.
fn newest(snapshot: &Snapshot) -> Option<Timestamp> {
    let freshness = snapshot.freshness();
    let of_league = |league: &data::Freshness| {
        [league.newest_line, league.newest_result, league.newest_context].into_iter().flatten().max()
    };
    freshness.iter().filter_map(of_league).max()
}
