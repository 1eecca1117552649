//! What a person may set about the network and its training: the `[model]` table of edge.toml.
//!
//! # Example
//! ```
//! use model::TrainSettings;
//! let settings = TrainSettings::default();
//! assert_eq!((settings.hidden, settings.heads, settings.layers), (32, 4, 2));
//! assert!(settings.check().is_ok());
//! assert!(TrainSettings { hidden: 30, ..settings }.check().is_err(), "30 is no multiple of 4 heads");
//! ```

use serde::{Deserialize, Serialize};
use tch::{Device, Kind};

use crate::ModelError;

/// Where tensors live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceChoice {
    /// The GPU when there is one.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The first GPU.
    Cuda,
}

impl DeviceChoice {
    /// Returns libtorch's device.
    pub(crate) fn resolve(self) -> Result<Device, ModelError> {
        match self {
            Self::Auto => Ok(Device::cuda_if_available()),
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda if tch::Cuda::is_available() => Ok(Device::Cuda(0)),
            Self::Cuda => Err(ModelError::NoGpu),
        }
    }
}

/// What messages are computed in; weights are 32-bit floats in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// bfloat16 on a GPU, 32-bit floats on the CPU.
    #[default]
    Auto,
    /// 32-bit floats.
    Float32,
    /// bfloat16, which needs half of the memory traffic and keeps three digits.
    Bfloat16,
}

impl Precision {
    /// Returns libtorch's kind on a device.
    pub(crate) fn resolve(self, device: Device) -> Kind {
        match self {
            Self::Auto if device.is_cuda() => Kind::BFloat16,
            Self::Bfloat16 => Kind::BFloat16,
            Self::Auto | Self::Float32 => Kind::Float,
        }
    }
}

/// Settings of network and training; every key is optional, an unknown key is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainSettings {
    /// Width of every node's state; a multiple of `heads`.
    pub hidden: i64,
    /// Attention heads.
    pub heads: i64,
    /// Layers, hence hops that are sampled.
    pub layers: usize,
    /// Past outcomes sampled per team, coach, player, venue and referee, the most recent first.
    pub fan_out: usize,
    /// Whether half of those are drawn from all earlier outcomes in place of the most recent.
    pub reservoir: bool,
    /// Members of the ensemble, each with its own seed and, when there are several, its own bootstrap of the games.
    pub ensemble: usize,
    /// Most passes over the training games.
    pub epochs: usize,
    /// Epochs without a better validation loss before training stops and goes back to the best epoch; 0 trains all
    /// epochs and keeps the last.
    pub patience: usize,
    /// Games per step.
    pub batch: usize,
    /// Step size of `AdamW`.
    pub learning_rate: f64,
    /// Weight decay of `AdamW`.
    pub weight_decay: f64,
    /// Share of each layer's output that is dropped in training.
    pub dropout: f64,
    /// Largest norm of the gradient.
    pub clip_norm: f64,
    /// Weight of the total's log-likelihood beside the margin's.
    pub total_weight: f64,
    /// Weight of the outcome's cross-entropy beside the margin's log-likelihood.
    pub outcome_weight: f64,
    /// Share of the closing line, beside the result, in what the variant with prices learns from a finished game: a
    /// closing price says more of the chances than the one score that came of them. 0 learns from results alone.
    pub closing_share: f64,
    /// Share of games, the last by start, that only score the model.
    pub test_share: f64,
    /// Share of games, those before the test, that decide when to stop.
    pub validation_share: f64,
    /// Seconds between checkpoints of a fit, where they are kept at all; 0 keeps one after every batch.
    pub checkpoint_seconds: f64,
    /// Whether messages carry the age of their edge.
    pub relative_time: bool,
    /// Whether the deployed members are fitted again, from scratch, on all games for the number of epochs found.
    pub refit: bool,
    /// Where tensors live.
    pub device: DeviceChoice,
    /// What messages are computed in.
    pub precision: Precision,
    /// Threads of one libtorch operation on the CPU; 0 leaves it to libtorch. One is fast for networks of this size,
    /// does not wait for other programs, and gives the same bits on any number of cores.
    pub threads: usize,
    /// Seed of everything random.
    pub seed: u64,
}

impl Default for TrainSettings {
    fn default() -> Self {
        Self {
            hidden: 32,
            heads: 4,
            layers: 2,
            fan_out: 8,
            reservoir: false,
            ensemble: 3,
            epochs: 30,
            patience: 5,
            batch: 256,
            learning_rate: 1e-3,
            weight_decay: 0.1,
            dropout: 0.3,
            clip_norm: 1.0,
            total_weight: 0.5,
            outcome_weight: 1.0,
            closing_share: 0.9,
            test_share: 0.15,
            validation_share: 0.15,
            checkpoint_seconds: 60.0,
            relative_time: true,
            refit: true,
            device: DeviceChoice::Auto,
            precision: Precision::Auto,
            threads: 1,
            seed: 7,
        }
    }
}

impl TrainSettings {
    /// Tells libtorch, for the whole process, how many threads to use.
    pub(crate) fn use_threads(&self) {
        if let (1.., Ok(threads)) = (self.threads, i32::try_from(self.threads)) {
            tch::set_num_threads(threads);
        }
    }

    /// Refuses values that cannot work, naming the key.
    pub fn check(&self) -> Result<(), ModelError> {
        let counts = [
            ("heads", self.heads),
            ("layers", self.layers as i64),
            ("fan_out", self.fan_out as i64),
            ("ensemble", self.ensemble as i64),
            ("epochs", self.epochs as i64),
            ("batch", self.batch as i64),
        ];
        for (name, value) in counts {
            require(value >= 1, name, &value, "it must be at least 1")?;
        }
        let divisible = self.hidden >= self.heads && self.hidden % self.heads == 0 && self.hidden % 2 == 0;
        require(divisible, "hidden", &self.hidden, "it must be even and a multiple of `heads`")?;
        require(self.layers <= 4, "layers", &self.layers, "more than 4 hops do not fit into memory")?;
        let positive = |x: f64| x > 0.0 && x.is_finite();
        require(positive(self.learning_rate), "learning_rate", &self.learning_rate, "it must be positive")?;
        require(positive(self.clip_norm), "clip_norm", &self.clip_norm, "it must be positive")?;
        let weights = [
            ("weight_decay", self.weight_decay),
            ("total_weight", self.total_weight),
            ("outcome_weight", self.outcome_weight),
        ];
        for (name, value) in weights {
            require(value >= 0.0 && value.is_finite(), name, &value, "it must not be negative")?;
        }
        require((0.0..1.0).contains(&self.dropout), "dropout", &self.dropout, "it must be in [0, 1)")?;
        let share = |x: f64| (0.01..=0.5).contains(&x);
        require(share(self.test_share), "test_share", &self.test_share, "it must be in [0.01, 0.5]")?;
        require(
            share(self.validation_share) && self.validation_share + self.test_share <= 0.8,
            "validation_share",
            &self.validation_share,
            "it must be in [0.01, 0.5], and at most 0.8 together with `test_share`",
        )
    }
}

fn require(
    holds: bool,
    name: &'static str,
    value: &dyn ToString,
    wanted: &'static str,
) -> Result<(), ModelError> {
    if holds { Ok(()) } else { Err(ModelError::Setting { name, value: value.to_string(), wanted }) }
}
