//! Why training, loading or predicting failed.

use std::error::Error;

/// Failures of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// libtorch refused an operation.
    #[error("libtorch failed while {doing}")]
    Torch {
        /// What was attempted.
        doing: &'static str,
        /// libtorch's own words.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The weights are not those that the model file speaks of.
    #[error(
        "model.pt is corrupt: its sha256 is {found}, model.json says {expected}; fetch it again or train"
    )]
    Corrupt {
        /// sha256 in model.json.
        expected: String,
        /// sha256 of the bytes.
        found: String,
    },
    /// The model file cannot be read.
    #[error("model.json is not a model file of this version; train again")]
    ModelFile(#[source] serde_json::Error),
    /// The weights lack a tensor that the architecture asks for, or hold it in another shape.
    #[error(
        "model.pt does not fit the architecture in model.json: tensor `{0}` is missing or has another shape"
    )]
    Weights(String),
    /// A fold's graph knows what the fold has yet to forecast.
    #[error(
        "the graph holds what was known up to {as_of}, the fold may know only what was known before {cutoff}"
    )]
    LookAhead {
        /// As-of of the graph.
        as_of: jiff::Timestamp,
        /// First decision of the fold.
        cutoff: jiff::Timestamp,
    },
    /// A checkpoint could not be kept.
    #[error("cannot keep a checkpoint of the training")]
    Checkpoint(#[source] Box<dyn Error + Send + Sync>),
    /// The graph bytes cannot be read.
    #[error("the graph file is corrupt: {0}; build the graph again")]
    GraphFile(String),
    /// There are too few finished games.
    #[error(
        "{found} finished games are too few to train on: at least {needed} are needed; fetch more seasons"
    )]
    TooFewGames {
        /// Finished games found.
        found: usize,
        /// Games needed.
        needed: usize,
    },
    /// A setting is out of range.
    #[error("setting `{name}` is {value}: {wanted}")]
    Setting {
        /// The key in edge.toml.
        name: &'static str,
        /// As given.
        value: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// A GPU was asked for and there is none.
    #[error("device `cuda` was asked for, but libtorch sees no GPU; use `cpu` or `auto`")]
    NoGpu,
    /// The sampled neighbourhood differs from the one that the model was built for.
    #[error("the graph does not fit the model: {0}; train on this graph")]
    Mismatch(String),
    /// A model cannot be brought up to date.
    #[error("this model cannot be updated: {0}; train anew")]
    NoUpdate(String),
    /// The loss became infinite or no number.
    #[error("training diverged in epoch {epoch}: loss {loss}; lower `learning_rate`")]
    Diverged {
        /// Epoch, from 1.
        epoch: usize,
        /// The loss.
        loss: f64,
    },
}

impl ModelError {
    /// Wraps an error of libtorch.
    pub(crate) fn torch(doing: &'static str) -> impl FnOnce(tch::TchError) -> Self {
        move |source| Self::Torch { doing, source: Box::new(source) }
    }
}
