//! One member's training: `AdamW` over shuffled mini-batches, early stopping on the validation games.

use std::time::{Duration, Instant};

use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor, nn};

use crate::{
    Checkpoints, ModelError, Rung, TrainSettings,
    adam::AdamW,
    checkpoint::{self, Kept, Standing},
    direct::{Ridge, fit_direct},
    evaluate::mean_and_error,
    net::{Architecture, FITTED_APART, Net},
    samples::{Labelled, Samples},
    stopwatch::{Phase, time},
    tilt::{BaseTable, LogForecast},
};

/// The step size shrinks by this with every epoch, whatever the number of epochs will be: a refit for the number
/// of epochs found goes through the same steps.
const STEP_DECAY: f64 = 0.93;

/// Fewer validation games show nothing.
const FEWEST_TO_BELIEVE: usize = 30;
/// Confidences that are tried; the one in the middle changes nothing.
const CONFIDENCES: [f64; 13] = [0.76, 0.80, 0.84, 0.88, 0.92, 0.96, 1.0, 1.04, 1.08, 1.12, 1.16, 1.20, 1.24];

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

    /// Returns what the messages learn, by name: every trainable parameter that is not fitted apart.
    fn learnt(&self) -> Vec<(String, Tensor)> {
        let mut learnt: Vec<(String, Tensor)> = self.store.variables().into_iter().collect();
        learnt.retain(|(name, variable)| variable.requires_grad() && !FITTED_APART.contains(&name.as_str()));
        learnt.sort_by(|a, b| a.0.cmp(&b.0));
        learnt
    }

    /// Takes over every weight of a member of the same sizes.
    pub(crate) fn take_up(&self, other: &Self) -> Result<(), ModelError> {
        let theirs = other.store.variables();
        self.store.variables().into_iter().try_for_each(|(name, mut variable)| {
            let from = theirs.get(&name).ok_or_else(|| ModelError::Weights(name.clone()))?;
            tch::no_grad(|| variable.f_copy_(from)).map_err(ModelError::torch("taking up a model"))
        })
    }

    fn copy(&self) -> Vec<(String, Tensor)> {
        self.learnt().into_iter().map(|(name, tensor)| (name, tensor.detach().copy())).collect()
    }

    fn restore(&self, weights: &[(String, Tensor)]) -> Result<(), ModelError> {
        let mut learnt = self.learnt();
        tch::no_grad(|| learnt.iter_mut().zip(weights).try_for_each(|((_, to), (_, from))| to.f_copy_(from)))
            .map_err(ModelError::torch("restoring the best epoch"))
    }

    /// Returns the forecasts of `samples`, without dropout and gradients.
    pub(crate) fn forecast(&self, table: &BaseTable, samples: &Samples) -> LogForecast {
        tch::no_grad(|| {
            let raw = self.net.forward(&samples.tree, &samples.league, false);
            self.forecast_of(table, &raw, samples)
        })
    }

    fn forecast_of(&self, table: &BaseTable, raw: &Tensor, samples: &Samples) -> LogForecast {
        let (raw, anchor) = (self.net.calibrated(raw), self.net.calibrated(&samples.anchor));
        table.forecast(&raw, &anchor, &samples.league)
    }

    pub(crate) fn set_earned(&self, earned: Earned) {
        self.net.set_trust(earned.trust);
        self.net.set_confidence(earned.confidence);
    }
}

/// What the validation games have shown of a member.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Earned {
    /// How much of what the messages add is believed, from 0 to 1.
    pub(crate) trust: f64,
    /// Factor of the margin's shift: a temperature, but on the tilt, so that every market of a game stays coherent.
    pub(crate) confidence: f64,
}

impl Default for Earned {
    fn default() -> Self {
        Self { trust: 1.0, confidence: 1.0 }
    }
}

/// Where a fit's checkpoint is kept.
pub(crate) struct Place<'a> {
    pub(crate) keeper: &'a dyn Checkpoints,
    pub(crate) name: String,
}

/// What a fit is told.
pub(crate) struct FitPlan<'a> {
    pub(crate) settings: &'a TrainSettings,
    pub(crate) table: &'a BaseTable,
    pub(crate) seed: u64,
    pub(crate) epochs: usize,
    /// Epochs after which the member's own weights go on; a member that begins has none.
    pub(crate) goes_on: Option<usize>,
    pub(crate) ridge: Ridge,
    /// How much of it to believe; found on the validation games where it is not given.
    pub(crate) earned: Option<Earned>,
    pub(crate) checkpoint: Option<Place<'a>>,
    /// Where a trial gives up.
    pub(crate) rungs: &'a [Rung],
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
    pub(crate) earned: Earned,
}

/// Trains `member`; with validation games it stops early and ends with the best epoch's weights.
///
/// A fit whose checkpoint is kept goes on from it. What is drawn at random depends on the seed, the epoch and the batch
/// alone, so it ends with the bits of one that was never cut short.
pub(crate) fn fit(
    member: &mut Member,
    plan: &FitPlan<'_>,
    train: &Labelled,
    validation: Option<&Labelled>,
    watch: &mut dyn FnMut(&FitStep),
) -> Result<Fitted, ModelError> {
    let stopping = validation.filter(|_| plan.settings.patience > 0);
    let mut run = Run::start(member, plan, train, stopping)?;
    if run.standing.over.is_none() {
        while run.standing.epoch <= plan.epochs && !run.standing.stopped {
            run.pass(train, watch)?;
            run.judge(validation, stopping.is_some(), watch)?;
        }
        run.finish(validation, stopping)?;
    }
    let (epoch, epochs_run, validation_loss, earned) =
        run.standing.over.unwrap_or((0, 0, None, Earned::default()));
    let seconds_per_epoch = run.begin.elapsed().as_secs_f64() / epochs_run.max(1) as f64;
    Ok(Fitted { epoch, epochs_run, validation_loss, seconds_per_epoch, earned })
}

/// A fit under way.
struct Run<'a> {
    member: &'a mut Member,
    plan: &'a FitPlan<'a>,
    adam: AdamW,
    standing: Standing,
    /// The best weights so far.
    best: Vec<(String, Tensor)>,
    /// The lowest validation loss since the first epoch.
    lowest: f64,
    begin: Instant,
    saved: Instant,
}

impl<'a> Run<'a> {
    /// Begins, or takes up the checkpoint.
    fn start(
        member: &'a mut Member,
        plan: &'a FitPlan<'a>,
        train: &Labelled,
        stopping: Option<&Labelled>,
    ) -> Result<Self, ModelError> {
        let now = Instant::now();
        let adam = AdamW::new(member.learnt(), plan.settings.weight_decay);
        let standing =
            Standing { epoch: 1, batch: 0, sum: 0.0, steps: 0, best: None, stopped: false, over: None };
        let mut run = Self {
            member,
            plan,
            adam,
            standing,
            best: Vec::new(),
            lowest: f64::INFINITY,
            begin: now,
            saved: now,
        };
        let device = run.member.store.device();
        let kept = plan.checkpoint.as_ref().and_then(|place| place.keeper.load(&place.name));
        let kept = kept.and_then(|bytes| Kept::read(&bytes, device));
        if let Some(kept) = kept.filter(|kept| kept.fits(run.member)) {
            kept.restore(run.member)?;
            run.adam.restore(kept.standing.steps, &|name| kept.find(name))?;
            run.best = kept.best();
            run.standing = kept.standing;
            return Ok(run);
        }
        if plan.goes_on.is_none() {
            run.member.net.standardise(&train.samples.tree)?;
        }
        fit_direct(run.member, plan, train, plan.ridge)?;
        if let Some(validation) = stopping {
            run.standing.best = Some((loss_over(run.member, plan, validation), 0));
            run.best = run.member.copy();
        }
        Ok(run)
    }

    /// Goes through what is left of the epoch.
    fn pass(&mut self, train: &Labelled, watch: &mut dyn FnMut(&FitStep)) -> Result<(), ModelError> {
        let (plan, settings, epoch) = (self.plan, self.plan.settings, self.standing.epoch);
        let mut order: Vec<i64> = (0..train.samples.len() as i64).collect();
        let before = plan.goes_on.unwrap_or(0);
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(drawn_from(plan.seed, before + epoch, 0)));
        let batches = order.len().div_ceil(settings.batch);
        let rate = settings.learning_rate * STEP_DECAY.powi((before + epoch) as i32 - 1);
        for (batch, index) in order.chunks(settings.batch).enumerate().skip(self.standing.batch) {
            // Dropout draws from libtorch's own generator.
            tch::manual_seed(drawn_from(plan.seed, before + epoch, batch + 1) as i64);
            let gathering = time(Phase::Batch);
            let piece = train.select(index);
            drop(gathering);
            let forward = time(Phase::Forward);
            let loss = loss_of(self.member, plan, &piece, true);
            drop(forward);
            let _backward = time(Phase::Backward);
            self.adam.step(&loss, rate, settings.clip_norm)?;
            self.standing.sum += loss.double_value(&[]);
            self.standing.batch = batch + 1;
            // The last batch is told together with the validation loss.
            if self.standing.batch < batches {
                let (batch, loss) = (self.standing.batch, self.standing.sum / self.standing.batch as f64);
                let elapsed = self.begin.elapsed();
                watch(&FitStep { epoch, batch, batches, loss, validation_loss: None, elapsed });
                self.save_when_due()?;
            }
        }
        Ok(())
    }

    /// Ends the epoch, and finds out whether it was the last one worth training.
    fn judge(
        &mut self,
        validation: Option<&Labelled>,
        may_stop: bool,
        watch: &mut dyn FnMut(&FitStep),
    ) -> Result<(), ModelError> {
        let (epoch, batches) = (self.standing.epoch, self.standing.batch);
        let loss = self.standing.sum / batches.max(1) as f64;
        if !loss.is_finite() {
            return Err(ModelError::Diverged { epoch, loss });
        }
        let validation_loss = validation.map(|validation| {
            let _judging = time(Phase::Validate);
            loss_over(self.member, self.plan, validation)
        });
        let elapsed = self.begin.elapsed();
        watch(&FitStep { epoch, batch: batches, batches, loss, validation_loss, elapsed });
        if let (true, Some(found), Some((best, when))) = (may_stop, validation_loss, self.standing.best) {
            if found < best {
                self.standing.best = Some((found, epoch));
                self.best = self.member.copy();
            } else {
                self.standing.stopped = epoch >= when + self.plan.settings.patience;
            }
        }
        self.lowest = self.lowest.min(validation_loss.unwrap_or(f64::INFINITY));
        let missed = |rung: &Rung| rung.epoch == epoch && rung.is_missed_by(self.lowest);
        self.standing.stopped |= self.plan.rungs.iter().any(missed);
        (self.standing.epoch, self.standing.batch, self.standing.sum) = (epoch + 1, 0, 0.0);
        self.save_when_due()
    }

    /// Goes back to the best weights and finds out how much of them to believe.
    fn finish(
        &mut self,
        validation: Option<&Labelled>,
        stopping: Option<&Labelled>,
    ) -> Result<(), ModelError> {
        let epochs_run = self.standing.epoch - 1;
        let (epoch, validation_loss) = match self.standing.best {
            Some((loss, epoch)) => {
                self.member.restore(&self.best)?;
                (epoch, Some(loss))
            }
            None => (epochs_run, validation.map(|games| loss_over(self.member, self.plan, games))),
        };
        let _judging = time(Phase::Validate);
        let found = stopping.map(|games| earned(self.member, self.plan, games)).transpose()?;
        let earned = self.plan.earned.or(found).unwrap_or_default();
        self.member.set_earned(earned);
        self.standing.over = Some((epoch, epochs_run, validation_loss, earned));
        self.best.clear();
        self.save()
    }

    fn save_when_due(&mut self) -> Result<(), ModelError> {
        let due = self.saved.elapsed().as_secs_f64() >= self.plan.settings.checkpoint_seconds;
        if due { self.save() } else { Ok(()) }
    }

    fn save(&mut self) -> Result<(), ModelError> {
        if let Some(place) = &self.plan.checkpoint {
            self.standing.steps = self.adam.state().0;
            let bytes = checkpoint::to_bytes(&self.standing, self.member, &self.adam, &self.best)?;
            place.keeper.save(&place.name, &bytes).map_err(ModelError::Checkpoint)?;
        }
        self.saved = Instant::now();
        Ok(())
    }
}

/// Returns the seed of one draw: the order of an epoch (batch 0), or the dropout of one of its batches.
fn drawn_from(seed: u64, epoch: usize, batch: usize) -> u64 {
    let place = (epoch as u64) << 32 | batch as u64;
    seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ place.wrapping_mul(0xd1b5_4a32_d192_ed03)
}

/// Finds out on the validation games how much of the messages to believe, then how confident to be.
///
/// Both are shrunk towards what holds without evidence by `gain² / (gain² + error²)`, with the gain in loss per game and
/// its standard error.
fn earned(member: &Member, plan: &FitPlan<'_>, validation: &Labelled) -> Result<Earned, ModelError> {
    let mut earned = Earned::default();
    let with = losses_over(member, plan, validation, &[1.0])?;
    member.net.set_trust(0.0);
    let without = losses_over(member, plan, validation, &[1.0])?;
    earned.trust = believed(&without[0], &with[0]);
    member.net.set_trust(earned.trust);
    let losses = losses_over(member, plan, validation, &CONFIDENCES)?;
    let sums = losses.iter().map(|losses| losses.iter().sum::<f64>());
    let best = sums.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(best, _)| best);
    let plain = CONFIDENCES.len() / 2;
    earned.confidence = 1.0 + (CONFIDENCES[best] - 1.0) * believed(&losses[plain], &losses[best]);
    Ok(earned)
}

/// Returns the share of a change to be believed, given each game's loss without and with it; 0 without a gain, and of so few
/// games that their spread is not known.
fn believed(without: &[f64], with: &[f64]) -> f64 {
    if without.len() < FEWEST_TO_BELIEVE {
        return 0.0;
    }
    let gains: Vec<f64> = without.iter().zip(with).map(|(without, with)| without - with).collect();
    let (gain, error) = mean_and_error(&gains);
    if gain > 0.0 { gain * gain / (gain * gain + error * error) } else { 0.0 }
}

/// Returns the loss of each game at each confidence, without dropout.
fn losses_over(
    member: &Member,
    plan: &FitPlan<'_>,
    games: &Labelled,
    confidences: &[f64],
) -> Result<Vec<Vec<f64>>, ModelError> {
    tch::no_grad(|| {
        let mut losses = vec![Vec::with_capacity(games.samples.len()); confidences.len()];
        for index in games.samples.pieces(1024) {
            let piece = games.select(&index);
            let raw = member.net.forward(&piece.samples.tree, &piece.samples.league, false);
            for (losses, confidence) in losses.iter_mut().zip(confidences) {
                member.net.set_confidence(*confidence);
                let forecast = member.forecast_of(plan.table, &raw, &piece.samples);
                let [margin, total, outcome] = forecast.losses(&piece.targets);
                let sum =
                    margin + total * plan.settings.total_weight + outcome * plan.settings.outcome_weight;
                let sum = sum.to_device(Device::Cpu).to_kind(Kind::Double);
                losses.extend(Vec::<f64>::try_from(&sum).map_err(ModelError::torch("reading losses"))?);
            }
        }
        Ok(losses)
    })
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
