//! Who answers: the endpoint at `PREDICT_URL`, or this process.

use std::sync::Arc;

use anyhow::Context as _;
use data::Snapshot;
use jiff::Timestamp;
use market::{Explanation, GameQuery, Predictor};
use serve::{Client, PredictAnswer, PredictRequest, Token};

use crate::{
    command::listening,
    context::{Context, say},
    night::{self, Predicted},
};

/// Where predictions come from.
pub(super) enum Answers {
    Endpoint { client: Client, as_of: Timestamp },
    Here { predictor: Arc<dyn Predictor>, as_of: Timestamp },
}

impl Answers {
    pub(super) fn open(context: &Context, as_of: Timestamp) -> anyhow::Result<Self> {
        let Some(url) = context.variable("PREDICT_URL") else {
            return Ok(Self::Here { predictor: night::best_predictor(context, as_of)?, as_of });
        };
        let token = context.variable("EDGE_SERVE_TOKEN").and_then(Token::new);
        let client = listening::client(context, url, token)?;
        say(&format!("edge: asking {}", client.host()));
        Ok(Self::Endpoint { client, as_of })
    }

    pub(super) fn predict(&self, query: &GameQuery) -> anyhow::Result<Predicted> {
        match self {
            Self::Here { predictor, .. } => {
                let prediction = predictor.predict(std::slice::from_ref(query))?;
                let prediction =
                    prediction.into_iter().next().context("the model answered without a game")?;
                Ok(Predicted::only(prediction, predictor.model()))
            }
            Self::Endpoint { client, .. } => {
                let games = vec![serde_json::from_value(serde_json::to_value(query)?)?];
                ask(client, async |client| {
                    client.predict(&PredictRequest { games, full: true, ..Default::default() }).await
                })
            }
        }
    }

    pub(super) fn explain(&self, query: &GameQuery) -> anyhow::Result<Explanation> {
        let explanation = match self {
            Self::Here { predictor, .. } => predictor.explain(query)?,
            Self::Endpoint { client, .. } => {
                let games = vec![serde_json::from_value(serde_json::to_value(query)?)?];
                let request = PredictRequest { games, ..Default::default() };
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                let answer = runtime.block_on(client.explain(&request))?;
                answer.games.into_iter().find_map(|game| game.explanation)
            }
        };
        explanation.context("whoever answers gave no explanation")
    }

    pub(super) fn slate(&self, hours: u32) -> anyhow::Result<Predicted> {
        match self {
            Self::Here { predictor, as_of } => {
                let until = as_of.checked_add(jiff::SignedDuration::from_hours(hours.into()))?;
                Ok(Predicted { model: predictor.model(), predictions: predictor.slate(*as_of, until)? })
            }
            Self::Endpoint { client, as_of } => {
                ask(client, async |client| client.full_slate(*as_of, hours).await)
            }
        }
    }
}

/// Asks for predictions and for the model that made them.
pub(super) fn ask(
    client: &Client,
    question: impl AsyncFnOnce(&Client) -> Result<PredictAnswer, serve::ClientError>,
) -> anyhow::Result<Predicted> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (answer, model) =
        runtime.block_on(async { anyhow::Ok((question(client).await?, client.model().await?)) })?;
    let predictions = answer.games.into_iter().filter_map(|game| game.prediction).collect();
    Ok(Predicted { model: model.model, predictions })
}

/// Reads prices and results; where the store has none yet, says so and goes on without.
pub(super) fn snapshot_or_note(context: &Context, as_of: Timestamp) -> anyhow::Result<Snapshot> {
    match context.snapshot(as_of) {
        Ok(snapshot) => Ok(snapshot),
        Err(error) if context.variable("PREDICT_URL").is_some() => {
            say(&format!("edge: no prices here, so probabilities only: {error:#}"));
            Ok(Snapshot::new(as_of, Vec::new(), Vec::new(), Vec::new(), Vec::new()))
        }
        Err(error) => Err(error),
    }
}
