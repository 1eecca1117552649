//! Loading the model that predicts a night.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail, ensure};
use data::Store;
use jiff::Timestamp;
use market::{ModelCard, Predictor};
use model::{Ensemble, GraphPredictor, ModelFile};
use serde::{Deserialize, Serialize};

use super::{champion::champion_at, graph_as_of};
use crate::{context::Context, paths::Key};

/// What `best.json` tells: the champion's card, since when it is that, and the whole model file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Best {
    #[serde(flatten)]
    pub(super) card: ModelCard,
    pub(super) promoted_as_of: Timestamp,
    pub(super) model: ModelFile,
}

/// Loads what `MODEL_URI` names, or the champion of the time, over the graph as of an instant.
pub(crate) fn best_predictor(context: &Context, as_of: Timestamp) -> anyhow::Result<Arc<dyn Predictor>> {
    Ok(Arc::new(GraphPredictor::new(ensemble(context, as_of)?, graph_as_of(context, as_of)?)?))
}

/// Loads what `MODEL_URI` names, or the champion of the time.
pub(super) fn ensemble(context: &Context, as_of: Timestamp) -> anyhow::Result<Ensemble> {
    let Some(uri) = context.variable("MODEL_URI") else { return of_the_time(context.store()?, as_of) };
    let ensemble = beside(context, uri)?;
    let card = ensemble.card();
    ensure!(
        card.data_as_of <= as_of,
        "model {} of MODEL_URI was trained with data as of {}, later than {as_of}: unset it, or name an older one",
        card.version,
        card.data_as_of
    );
    Ok(ensemble)
}

/// Reads the card of what `MODEL_URI` names, or of the published champion.
pub(super) fn card_of(context: &Context) -> anyhow::Result<Vec<u8>> {
    if let Some(uri) = context.variable("MODEL_URI") {
        let (store, _, card) = place(context, uri)?;
        return store.get(&card).with_context(|| format!("{uri} has no card beside it"));
    }
    context.store()?.try_get(&Key::BestCard.to_string())?.context(NO_MODEL)
}

const NO_MODEL: &str = "there is no model yet: run `edge train` or `edge nightly`";

/// Loads the published champion, or for a past night the champion that it had.
fn of_the_time(store: &Store, as_of: Timestamp) -> anyhow::Result<Ensemble> {
    let champion = champion_at(store, as_of)?.map(|champion| champion.card.version);
    let live = champion_at(store, Timestamp::MAX)?.map(|champion| champion.card.version);
    if champion == live {
        let ensemble = published(store).or_else(|_| {
            // A promotion replaces the weights first and then the card: looked at in between, they do not match.
            std::thread::sleep(Duration::from_millis(200));
            published(store)
        })?;
        let trained = ensemble.card().data_as_of;
        ensure!(trained <= as_of, "{}", none_so_early(as_of));
        return Ok(ensemble);
    }
    let Some(version) = champion else { bail!(none_so_early(as_of)) };
    stored(store, &version)
}

/// Reads a version as it was trained.
pub(super) fn stored(store: &Store, version: &str) -> anyhow::Result<Ensemble> {
    let (weights, card) = (Key::Model(version).to_string(), Key::ModelCard(version).to_string());
    let card = String::from_utf8_lossy(&store.get(&card)?).into_owned();
    Ensemble::from_bytes(&store.get(&weights)?, &card)
        .with_context(|| format!("{weights} cannot be used; run `edge train --date` for that night again"))
}

fn none_so_early(as_of: Timestamp) -> String {
    format!(
        "no model was trained with data up to {as_of}: run `edge nightly --date` or `edge train --date` for that night"
    )
}

fn beside(context: &Context, uri: &str) -> anyhow::Result<Ensemble> {
    let (store, weights, card) = place(context, uri)?;
    let card = store.get(&card).with_context(|| format!("{uri} has no card beside it"))?;
    read(&store.get(&weights)?, &card, uri)
}

/// Returns the store of a model, and the names of its weights and its card there.
fn place(context: &Context, uri: &str) -> anyhow::Result<(Store, String, String)> {
    let (folder, file) = uri.rsplit_once('/').unwrap_or((".", uri));
    let card = format!("{}.json", file.strip_suffix(".pt").unwrap_or(file));
    Ok((context.store_at(folder)?, file.to_owned(), card))
}

/// Reads the champion that is published in a store.
pub(crate) fn published(store: &Store) -> anyhow::Result<Ensemble> {
    let name = Key::Best.to_string();
    let card = store.try_get(&Key::BestCard.to_string())?;
    let card = card.context(NO_MODEL)?;
    let weights = store.try_get(&name)?;
    let weights = weights.with_context(|| format!("{name} is missing; run `edge train` to put it back"))?;
    read(&weights, &card, &name)
}

fn read(weights: &[u8], card: &[u8], name: &str) -> anyhow::Result<Ensemble> {
    let read = || -> anyhow::Result<Ensemble> {
        let best: Best = serde_json::from_slice(card).context("the card beside it is not whole")?;
        Ok(Ensemble::from_bytes(weights, &serde_json::to_string(&best.model)?)?)
    };
    read().with_context(|| format!("{name} cannot be used; run `edge train` to make a new one"))
}
