//! From five numbers per game to its distributions of margin and total, and the loss on its score.
//!
//! `p(k) ∝ base(k) · exp(θ1·z + θ2·z² + θ3·[k = 0])`, with `z` the margin in the league's standard deviations;
//! the total has no third term. The supports are finite, so every tilt is proper; θ2 is bounded from above, so that
//! it cannot pile mass on the ends of the support either. Where a game starts from its price, the price's own tilt (see
//! [`anchor`](crate::anchor)) is added to the bounded ones.

use market::{Distribution, ScoreForecast};
use tch::{Device, Kind, Tensor};

use crate::{LeagueBase, ModelError, forecast::Histograms};

/// Parameters by which the histograms of a game are tilted: three for the margin, then two for the total.
pub(crate) const TILTS: i64 = 5;
/// Those of the margin.
pub(crate) const MARGIN_TILTS: usize = 3;

/// Logarithm of a probability that rounds to 0, yet is a number.
const IMPOSSIBLE: f64 = -1e9;
/// Least probability of an outcome whose logarithm is taken.
const LEAST: f64 = 1e-12;
/// Largest shift per standard deviation.
const LINEAR_LIMIT: f64 = 4.0;
/// Widening stops here: the broad normal under each histogram falls with exp(-z²/8).
const WIDEN_LIMIT: f64 = 0.1;
/// Narrowing stops here.
const NARROW_LIMIT: f64 = 1.0;
/// Largest change of the draw's log-odds beyond margin and width.
const LEVEL_LIMIT: f64 = 3.0;

/// Histograms of all leagues on one common range, as tensors.
#[derive(Debug)]
pub(crate) struct BaseTable {
    margin: Side,
    total: Side,
    /// `[margins, 3]`: 1 where a margin belongs to home, draw, away.
    outcomes: Tensor,
    /// `[leagues, 3]`: [`IMPOSSIBLE`] for the draw of a 2-way league, otherwise 0.
    offered: Tensor,
    histograms: Histograms,
}

#[derive(Debug)]
pub(crate) struct Side {
    first: i32,
    /// `[leagues, values]`.
    log_base: Tensor,
    /// `[leagues, values]`; 0 outside of a league's own range.
    z: Tensor,
    /// `[values]`: 1 at the value 0.
    level: Tensor,
    /// First value and count of each league.
    ranges: Vec<(i32, usize)>,
}

/// Log-probabilities of a batch.
#[derive(Debug)]
pub(crate) struct LogForecast {
    /// `[games, margins]`.
    pub(crate) margin: Tensor,
    /// `[games, totals]`.
    pub(crate) total: Tensor,
    /// `[games, 3]`: home, draw, away; in a 2-way league given that somebody wins.
    pub(crate) outcome: Tensor,
}

/// Final scores of games, as indices into the table.
#[derive(Debug)]
pub(crate) struct Targets {
    margin: Tensor,
    total: Tensor,
    outcome: Tensor,
    /// 0 for a tie in a 2-way league, which has no outcome; otherwise 1.
    decided: Tensor,
    teacher: Option<Teacher>,
}

/// What the closing line says of games, as a target beside their scores.
#[derive(Debug)]
struct Teacher {
    /// `[games]`: its share; 0 without a closing line.
    share: Tensor,
    /// `[games, margins]`: the league's histogram at the closing line's anchor.
    margin: Tensor,
    /// `[games, 3]`.
    outcome: Tensor,
}

impl Targets {
    pub(crate) fn select(&self, index: &Tensor) -> Self {
        let pick = |tensor: &Tensor| tensor.index_select(0, index);
        Self {
            margin: pick(&self.margin),
            total: pick(&self.total),
            outcome: pick(&self.outcome),
            decided: pick(&self.decided),
            teacher: self.teacher.as_ref().map(|teacher| Teacher {
                share: pick(&teacher.share),
                margin: pick(&teacher.margin),
                outcome: pick(&teacher.outcome),
            }),
        }
    }
}

impl BaseTable {
    /// Lays the histograms of `leagues`, in this order, side by side.
    pub(crate) fn new(leagues: &[LeagueBase], device: Device) -> Self {
        let margin = Side::new(&leagues.iter().map(|l| &l.margin).collect::<Vec<_>>(), device);
        let total = Side::new(&leagues.iter().map(|l| &l.total).collect::<Vec<_>>(), device);
        let values = margin.level.size()[0] as i32;
        let mut outcomes = vec![0f32; 3 * values as usize];
        for (row, value) in outcomes.chunks_exact_mut(3).zip(margin.first..) {
            row[outcome_of(value)] = 1.0;
        }
        let three_way: Vec<bool> = leagues.iter().map(|l| l.three_way).collect();
        let offered: Vec<f32> = three_way
            .iter()
            .flat_map(|draw| [0.0, if *draw { 0.0 } else { IMPOSSIBLE as f32 }, 0.0])
            .collect();
        Self {
            outcomes: Tensor::from_slice(&outcomes).view([i64::from(values), 3]).to_device(device),
            offered: Tensor::from_slice(&offered).view([-1, 3]).to_device(device),
            margin,
            total,
            histograms: Histograms::new(leagues),
        }
    }

    /// Returns the histograms in plain numbers.
    pub(crate) fn histograms(&self) -> &Histograms {
        &self.histograms
    }

    /// Returns the tilts `[games, TILTS]` at which each game says what its consensus says, or has the margin and total that
    /// are `expected` of it.
    pub(crate) fn anchors(
        &self,
        leagues: &[usize],
        consensus: &[Option<[f64; 3]>],
        expected: &[[f64; 2]],
    ) -> Tensor {
        let of_game = |((league, consensus), expected): ((&usize, &Option<[f64; 3]>), &[f64; 2])| {
            self.histograms.anchor(*league, *consensus, *expected).map(|tilt| tilt as f32)
        };
        let flat: Vec<f32> = leagues.iter().zip(consensus).zip(expected).flat_map(of_game).collect();
        Tensor::from_slice(&flat).view([-1, TILTS]).to_device(self.device())
    }

    /// Returns where its tensors live.
    pub(crate) fn device(&self) -> Device {
        self.outcomes.device()
    }

    /// Turns scores `(league, margin, total)` into indices; a score beyond the range counts as its nearest end.
    ///
    /// Where there is a closing line it makes `share` of the target.
    pub(crate) fn targets(
        &self,
        scores: &[(usize, i32, i32)],
        closing: &[Option<[f64; 3]>],
        share: f64,
    ) -> Targets {
        let device = self.device();
        let index = |of: &dyn Fn(&(usize, i32, i32)) -> i64| {
            Tensor::from_slice(&scores.iter().map(of).collect::<Vec<i64>>()).to_device(device)
        };
        let decided: Vec<f32> = scores
            .iter()
            .map(
                |(league, margin, _)| {
                    if *margin == 0 && !self.histograms.three_way()[*league] { 0.0 } else { 1.0 }
                },
            )
            .collect();
        Targets {
            margin: index(&|(league, margin, _)| self.margin.index(*league, *margin)),
            total: index(&|(league, _, total)| self.total.index(*league, *total)),
            outcome: index(&|(_, margin, _)| outcome_of(*margin) as i64),
            decided: Tensor::from_slice(&decided).to_device(device),
            teacher: (share > 0.0 && closing.iter().any(Option::is_some))
                .then(|| self.teacher(scores, closing, share)),
        }
    }

    fn teacher(&self, scores: &[(usize, i32, i32)], closing: &[Option<[f64; 3]>], share: f64) -> Teacher {
        let device = self.device();
        let leagues: Vec<usize> = scores.iter().map(|(league, ..)| *league).collect();
        let index: Vec<i64> = leagues.iter().map(|league| *league as i64).collect();
        let anchors = self.anchors(&leagues, closing, &vec![[0.0; 2]; leagues.len()]);
        let none = anchors.zeros_like();
        let log = self.forecast(&none, &anchors, &Tensor::from_slice(&index).to_device(device));
        let said = |(league, line): (&usize, &Option<[f64; 3]>)| {
            line.is_some_and(|line| self.histograms.can_say(*league, line))
        };
        let shares: Vec<f32> =
            leagues.iter().zip(closing).map(|game| if said(game) { share as f32 } else { 0.0 }).collect();
        let share = Tensor::from_slice(&shares).to_device(device);
        Teacher { share, margin: log.margin.exp(), outcome: log.outcome.exp() }
    }

    /// `raw` and `anchor` are `[games, TILTS]`, `league` `[games]`.
    pub(crate) fn forecast(&self, raw: &Tensor, anchor: &Tensor, league: &Tensor) -> LogForecast {
        let raw = |i: i64| raw.narrow(1, i, 1);
        let anchor = |i: i64| anchor.narrow(1, i, 1);
        let level = bounded(&raw(2), LEVEL_LIMIT) + anchor(2);
        let shift = bounded(&raw(0), LINEAR_LIMIT) + anchor(0);
        let margin = self.margin.tilt(league, &shift, &bounded_width(&raw(1)), Some(&level));
        let shift = bounded(&raw(3), LINEAR_LIMIT) + anchor(3);
        let total = self.total.tilt(league, &shift, &bounded_width(&raw(4)), None);
        let by_outcome = margin.exp().matmul(&self.outcomes).clamp_min(LEAST);
        let outcome = (by_outcome.log() + self.offered.index_select(0, league)).log_softmax(1, Kind::Float);
        LogForecast { margin, total, outcome }
    }

    /// Returns one forecast per game of `log`, each on its own league's range.
    pub(crate) fn forecasts(
        &self,
        log: &LogForecast,
        leagues: &[usize],
    ) -> Result<Vec<ScoreForecast>, ModelError> {
        let rows = |log: &Tensor| -> Result<Vec<Vec<f64>>, ModelError> {
            let double = log.to_device(Device::Cpu).to_kind(Kind::Double).exp();
            Vec::<Vec<f64>>::try_from(&double).map_err(ModelError::torch("reading a forecast"))
        };
        let (margins, totals) = (rows(&log.margin)?, rows(&log.total)?);
        leagues
            .iter()
            .zip(margins.iter().zip(&totals))
            .map(|(league, (margin, total))| {
                Ok(ScoreForecast {
                    margin: self.margin.distribution(*league, margin)?,
                    total: self.total.distribution(*league, total)?,
                })
            })
            .collect()
    }
}

impl LogForecast {
    /// Returns the mean over games of the loss: a scalar.
    pub(crate) fn loss(&self, targets: &Targets, total_weight: f64, outcome_weight: f64) -> Tensor {
        let [margin, total, outcome] = self.losses(targets);
        let decided = targets.decided.sum(Kind::Float).clamp_min(1.0);
        let outcome = outcome.sum(Kind::Float) / decided;
        margin.mean(Kind::Float) + total.mean(Kind::Float) * total_weight + outcome * outcome_weight
    }

    /// Returns the loss of each game on its margin, total and outcome (0 where none is offered): three of `[games]`.
    pub(crate) fn losses(&self, targets: &Targets) -> [Tensor; 3] {
        let at = |log: &Tensor, index: &Tensor| -log.gather(1, &index.unsqueeze(1), false).squeeze_dim(1);
        let (mut margin, mut outcome) =
            (at(&self.margin, &targets.margin), at(&self.outcome, &targets.outcome));
        if let Some(teacher) = &targets.teacher {
            let taught = |log: &Tensor, wanted: &Tensor| {
                -(log.clamp_min(LEAST.ln()) * wanted).sum_dim_intlist(1, false, Kind::Float)
            };
            let own = 1.0 - &teacher.share;
            margin = margin * &own + taught(&self.margin, &teacher.margin) * &teacher.share;
            outcome = outcome * &own + taught(&self.outcome, &teacher.outcome) * &teacher.share;
        }
        [margin, at(&self.total, &targets.total), outcome * &targets.decided]
    }
}

impl Side {
    fn new(leagues: &[&Distribution], device: Device) -> Self {
        let ranges: Vec<(i32, usize)> = leagues
            .iter()
            .map(|d| (d.iter().next().map_or(0, |(first, _)| first), d.iter().count()))
            .collect();
        let first = ranges.iter().map(|(first, _)| *first).min().unwrap_or(0);
        let end = ranges.iter().map(|(first, count)| first + *count as i32).max().unwrap_or(1);
        let values = first..end;
        let (mut log_base, mut z) = (Vec::new(), Vec::new());
        for league in leagues {
            let (mean, deviation) = (league.mean(), league.standard_deviation().max(1e-6));
            for value in values.clone() {
                let p = league.probability(value);
                log_base.push(if p > 0.0 { p.ln() } else { IMPOSSIBLE } as f32);
                z.push(if p > 0.0 { (f64::from(value) - mean) / deviation } else { 0.0 } as f32);
            }
        }
        let level: Vec<f32> = values.clone().map(|value| if value == 0 { 1.0 } else { 0.0 }).collect();
        let shape = [leagues.len() as i64, values.len() as i64];
        Self {
            first,
            log_base: Tensor::from_slice(&log_base).view(shape).to_device(device),
            z: Tensor::from_slice(&z).view(shape).to_device(device),
            level: Tensor::from_slice(&level).to_device(device),
            ranges,
        }
    }

    fn index(&self, league: usize, value: i32) -> i64 {
        let (first, count) = self.ranges[league];
        i64::from(value.clamp(first, first + count as i32 - 1) - self.first)
    }

    fn tilt(&self, league: &Tensor, linear: &Tensor, quadratic: &Tensor, level: Option<&Tensor>) -> Tensor {
        let z = self.z.index_select(0, league);
        let tilt = &z * linear + z.square() * quadratic;
        let tilt = match level {
            Some(level) => tilt + level * &self.level,
            None => tilt,
        };
        (self.log_base.index_select(0, league) + tilt).log_softmax(1, Kind::Float)
    }

    fn distribution(&self, league: usize, row: &[f64]) -> Result<Distribution, ModelError> {
        let (first, count) = self.ranges[league];
        let start = (first - self.first) as usize;
        Distribution::new(first, row[start..start + count].to_vec())
            .map_err(|source| ModelError::Torch { doing: "forecasting a score", source: Box::new(source) })
    }
}

/// Returns 0 for home, 1 for draw, 2 for away.
pub(crate) fn outcome_of(margin: i32) -> usize {
    match margin {
        1.. => 0,
        0 => 1,
        ..0 => 2,
    }
}

/// The identity near 0, within `limit` everywhere.
fn bounded(raw: &Tensor, limit: f64) -> Tensor {
    (raw / limit).tanh() * limit
}

/// The identity near 0, from [`NARROW_LIMIT`] below it to [`WIDEN_LIMIT`] above.
fn bounded_width(raw: &Tensor) -> Tensor {
    bounded(&raw.relu(), WIDEN_LIMIT) - bounded(&(-raw).relu(), NARROW_LIMIT)
}

/// Returns the limit of a tilt on the side of `raw`.
fn limit(tilt: usize, raw: f64) -> f64 {
    match tilt {
        0 | 3 => LINEAR_LIMIT,
        2 => LEVEL_LIMIT,
        _ if raw > 0.0 => WIDEN_LIMIT,
        _ => NARROW_LIMIT,
    }
}

/// Bounds a raw tilt as [`BaseTable::forecast`] does.
pub(crate) fn bound(tilt: usize, raw: f64) -> f64 {
    let limit = limit(tilt, raw);
    (raw / limit).tanh() * limit
}

/// Returns the slope of [`bound`].
pub(crate) fn bound_slope(tilt: usize, raw: f64) -> f64 {
    1.0 - (raw / limit(tilt, raw)).tanh().powi(2)
}

#[cfg(test)]
mod tests;
