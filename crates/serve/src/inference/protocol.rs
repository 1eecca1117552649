//! What the Open Inference Protocol sends in both directions.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::Problem;

/// A problem document that also says its detail as `error`, which is where clients of the protocol look.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WordedProblem<'a> {
    /// The problem.
    #[serde(flatten)]
    pub(crate) problem: &'a Problem,
    /// The same as `detail`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<&'a str>,
}

impl<'a> WordedProblem<'a> {
    /// Words a problem for whoever asked: only clients of the protocol get the second field.
    pub(crate) fn of(problem: &'a Problem) -> Self {
        let is_inference = problem.instance == "/v2" || problem.instance.starts_with("/v2/");
        Self { problem, error: is_inference.then_some(problem.detail.as_str()) }
    }
}

/// Answer of `/v2`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServerMetadata {
    /// The server.
    #[schema(example = "edge")]
    pub(crate) name: &'static str,
    /// Version of the program.
    pub(crate) version: &'static str,
    /// Extensions of the protocol; none.
    #[schema(value_type = Vec<String>)]
    pub(crate) extensions: [&'static str; 0],
}

/// Answer of the health routes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServerHealth {
    /// The process is up.
    pub(crate) live: bool,
    /// A model is loaded and its data is fresh.
    pub(crate) ready: bool,
}

/// Answer of a model's readiness.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelReady {
    /// The model.
    #[schema(example = "edge")]
    pub(crate) name: &'static str,
    /// Whether it answers with fresh data.
    pub(crate) ready: bool,
}

/// Answer of a model's metadata.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelMetadata {
    /// The model.
    #[schema(example = "edge")]
    pub(crate) name: &'static str,
    /// The version that answers now.
    pub(crate) versions: Vec<String>,
    /// What runs it.
    #[schema(example = "edge_hgt")]
    pub(crate) platform: &'static str,
    /// What may be asked.
    pub(crate) inputs: Vec<TensorMetadata>,
    /// What is answered.
    pub(crate) outputs: Vec<TensorMetadata>,
}

/// A tensor's name and kind.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TensorMetadata {
    /// The name.
    pub(crate) name: &'static str,
    /// `BYTES`, `FP64` or `INT64`.
    #[schema(example = "FP64")]
    pub(crate) datatype: &'static str,
    /// One entry per game; -1 stands for any number.
    #[schema(value_type = Vec<i64>)]
    pub(crate) shape: [i64; 1],
}

/// Parameters, as a name with a number, a text or a truth each; those unknown here are passed over.
pub(crate) type Parameters = Map<String, Value>;

/// Body of `infer`.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct InferRequest {
    /// Given back in the answer.
    #[serde(default)]
    pub(crate) id: Option<String>,
    /// Passed over.
    #[serde(default)]
    #[expect(dead_code, reason = "the protocol lets a client send them")]
    #[schema(value_type = Option<Object>)]
    pub(crate) parameters: Option<Parameters>,
    /// `game_id`, or `home` and `away`, and where wanted `league` and `start_time`; all of one length.
    #[schema(min_items = 1)]
    pub(crate) inputs: Vec<InputTensor>,
    /// Which outputs are wanted; all when absent or empty.
    #[serde(default)]
    pub(crate) outputs: Option<Vec<OutputAsked>>,
}

/// One column of the games asked.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct InputTensor {
    /// `game_id`, `league`, `home`, `away` or `start_time`.
    #[schema(example = "game_id")]
    pub(crate) name: String,
    /// How many games: `[n]` or `[n, 1]`.
    #[schema(example = json!([1]))]
    pub(crate) shape: Vec<u64>,
    /// `BYTES`.
    #[schema(example = "BYTES")]
    pub(crate) datatype: String,
    /// `binary_data_size` where the texts follow the JSON; others are passed over.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(crate) parameters: Option<Parameters>,
    /// Texts, one per game; an empty one counts as absent.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Value>>, example = json!(["epl_2022-10-14_brentford_brighton"]))]
    pub(crate) data: Option<Value>,
}

/// An output that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct OutputAsked {
    /// The output's name.
    #[schema(example = "home_win")]
    pub(crate) name: String,
    /// Passed over: outputs are always JSON.
    #[serde(default)]
    #[expect(dead_code, reason = "the protocol lets a client send them")]
    #[schema(value_type = Option<Object>)]
    pub(crate) parameters: Option<Parameters>,
}

/// Answer of `infer`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InferAnswer {
    /// The model.
    #[schema(example = "edge")]
    pub(crate) model_name: &'static str,
    /// The version that answered.
    pub(crate) model_version: String,
    /// The request's id, when it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// From what was known before when, and how old that is.
    pub(crate) parameters: AnswerParameters,
    /// The outputs, in the order asked.
    pub(crate) outputs: Vec<OutputTensor>,
}

/// What every answer carries, as parameters of the protocol.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnswerParameters {
    /// Nothing known at or after this instant was used.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) as_of: String,
    /// Seconds from the as-of to the server's clock.
    #[schema(minimum = 0)]
    pub(crate) data_age_seconds: i64,
    /// Whether that is more than the endpoint calls fresh.
    pub(crate) is_stale: bool,
    /// Version of this schema.
    #[schema(example = "1")]
    pub(crate) schema_version: String,
}

/// One column of the answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OutputTensor {
    /// The name.
    #[schema(example = "home_win")]
    pub(crate) name: &'static str,
    /// `BYTES`, `FP64` or `INT64`.
    #[schema(example = "FP64")]
    pub(crate) datatype: &'static str,
    /// How many games.
    #[schema(value_type = Vec<u64>)]
    pub(crate) shape: [usize; 1],
    /// One value per game: texts or numbers.
    #[schema(value_type = Vec<Value>)]
    pub(crate) data: Vec<Value>,
}
