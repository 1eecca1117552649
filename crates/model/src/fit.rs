//! One member's training: `AdamW` over shuffled mini-batches, early stopping on the validation games.

use std::time::{Duration, Instant};

use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use tch::{Device, Tensor, nn, nn::OptimizerConfig};

use crate::{
    ModelError, TrainSettings,
    direct::{Ridge, fit_direct},
    net::{Architecture, FITTED_APART, Net},
    samples::{Labelled, Samples},
    tilt::{BaseTable, LogForecast},
};

/// The step size shrinks by this with every epoch, whatever the number of epochs will be: a refit for the number
/// of epochs found goes through the same steps.
const STEP_DECAY: f64 = 0.93;
/// Group of all parameters that no other group holds.
const MESSAGES: usize = 0;

/// A network with its parameters.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) store: nn::VarStore,
    pub(crate) net: Net,
}

impl Member {
    /// Creates a member whose initial weights follow from `seed`.
    pub(crate) fn new(architecture: Architecture, seed: u64, device: Device) -> Self {
        tch::manual_seed(seed as i64);
        let store = nn::VarStore::new(device);
        let net = Net::new(&store.root(), architecture);
        Self { store, net }
    }

    /// Returns the forecasts of `samples`, without dropout and gradients.
    pub(crate) fn forecast(&self, table: &BaseTable, samples: &Samples) -> LogForecast {
        tch::no_grad(|| {
            let raw = self.net.forward(&samples.tree, &samples.league, false);
            table.forecast(&raw, &samples.anchor, &samples.league)
        })
    }
}

/// What a fit is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FitPlan<'a> {
    pub(crate) settings: &'a TrainSettings,
    pub(crate) table: &'a BaseTable,
    pub(crate) seed: u64,
    pub(crate) epochs: usize,
    pub(crate) ridge: Ridge,
}

/// Where a fit stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FitStep {
    pub(crate) epoch: usize,
    pub(crate) batch: usize,
    pub(crate) batches: usize,
    pub(crate) loss: f64,
    pub(crate) validation_loss: Option<f64>,
    pub(crate) elapsed: Duration,
}

/// How a fit ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fitted {
    /// Epoch whose weights were kept, from 1; 0 when the untrained weights were best.
    pub(crate) epoch: usize,
    /// Epochs run.
    pub(crate) epochs_run: usize,
    /// Validation loss of the kept weights; none without validation games.
    pub(crate) validation_loss: Option<f64>,
    /// Mean over the epochs run.
    pub(crate) seconds_per_epoch: f64,
}

/// Trains `member`; with validation games it stops early and ends with the best epoch's weights.
pub(crate) fn fit(
    member: &mut Member,
    plan: &FitPlan<'_>,
    train: &Labelled,
    validation: Option<&Labelled>,
    watch: &mut dyn FnMut(&FitStep),
) -> Result<Fitted, ModelError> {
    let settings = plan.settings;
    let begin = Instant::now();
    member.net.standardise(&train.samples.tree)?;
    fit_direct(member, plan, train, plan.ridge)?;
    // Dropout draws from libtorch's own generator.
    tch::manual_seed(plan.seed as i64 ^ 0x5eed);
    let mut random = ChaCha8Rng::seed_from_u64(plan.seed);
    let mut optimizer = nn::AdamW { wd: settings.weight_decay, ..nn::AdamW::default() }
        .build(&member.store, settings.learning_rate)
        .map_err(ModelError::torch("starting the optimizer"))?;
    optimizer.set_lr_group(FITTED_APART, 0.0);
    let mut order: Vec<i64> = (0..train.samples.len() as i64).collect();
    let batches = order.len().div_ceil(settings.batch);
    let stopping = validation.filter(|_| settings.patience > 0);
    let mut best = stopping.map(|validation| Best::of(member, loss_over(member, plan, validation), 0));
    let mut epochs_run = 0;
    for epoch in 1..=plan.epochs {
        order.shuffle(&mut random);
        optimizer.set_lr_group(MESSAGES, settings.learning_rate * STEP_DECAY.powi(epoch as i32 - 1));
        let mut sum = 0.0;
        for (batch, index) in order.chunks(settings.batch).enumerate() {
            let piece = train.select(index);
            let loss = loss_of(member, plan, &piece, true);
            optimizer.backward_step_clip_norm(&loss, settings.clip_norm);
            sum += loss.double_value(&[]);
            let batch = batch + 1;
            // The last batch is told together with the validation loss.
            if batch < batches {
                let (loss, elapsed) = (sum / batch as f64, begin.elapsed());
                watch(&FitStep { epoch, batch, batches, loss, validation_loss: None, elapsed });
            }
        }
        let loss = sum / batches as f64;
        if !loss.is_finite() {
            return Err(ModelError::Diverged { epoch, loss });
        }
        epochs_run = epoch;
        let validation_loss = validation.map(|validation| loss_over(member, plan, validation));
        watch(&FitStep { epoch, batch: batches, batches, loss, validation_loss, elapsed: begin.elapsed() });
        if let (Some(best), Some(validation_loss)) = (&mut best, validation_loss) {
            if validation_loss < best.loss {
                *best = Best::of(member, validation_loss, epoch);
            } else if epoch >= best.epoch + settings.patience {
                break;
            }
        }
    }
    let seconds_per_epoch = begin.elapsed().as_secs_f64() / epochs_run.max(1) as f64;
    let (epoch, validation_loss) = match best {
        Some(best) => {
            best.restore(member)?;
            (best.epoch, Some(best.loss))
        }
        None => (epochs_run, validation.map(|validation| loss_over(member, plan, validation))),
    };
    Ok(Fitted { epoch, epochs_run, validation_loss, seconds_per_epoch })
}

fn loss_of(member: &Member, plan: &FitPlan<'_>, piece: &Labelled, train: bool) -> Tensor {
    let samples = &piece.samples;
    let raw = member.net.forward(&samples.tree, &samples.league, train);
    let forecast = plan.table.forecast(&raw, &samples.anchor, &samples.league);
    forecast.loss(&piece.targets, plan.settings.total_weight, plan.settings.outcome_weight)
}

/// Returns the mean loss over all games, without dropout.
pub(crate) fn loss_over(member: &Member, plan: &FitPlan<'_>, games: &Labelled) -> f64 {
    tch::no_grad(|| {
        let mut sum = 0.0;
        for index in games.samples.pieces(1024) {
            sum += loss_of(member, plan, &games.select(&index), false).double_value(&[]) * index.len() as f64;
        }
        sum / games.samples.len() as f64
    })
}

/// The best weights so far.
struct Best {
    loss: f64,
    epoch: usize,
    weights: Vec<Tensor>,
}

impl Best {
    fn of(member: &Member, loss: f64, epoch: usize) -> Self {
        let weights = member.store.trainable_variables().iter().map(Tensor::copy).collect();
        Self { loss, epoch, weights }
    }

    fn restore(&self, member: &Member) -> Result<(), ModelError> {
        let mut variables = member.store.trainable_variables();
        tch::no_grad(|| variables.iter_mut().zip(&self.weights).try_for_each(|(to, from)| to.f_copy_(from)))
            .map_err(ModelError::torch("restoring the best epoch"))
    }
}
