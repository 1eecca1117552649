//! The linear part of the head, fitted by penalised maximum likelihood before any message is learnt.
//!
//! A tilted histogram is an exponential family: with `η = anchor + B·x`, the gradient of the log-likelihood in η is the
//! difference between the statistics that were seen and those expected, and the Fisher information is their covariance.
//! So a handful of scoring steps finds the maximum exactly, margin and total apart since they share no parameter.
//! The penalty `ridge / 2 · |B|²` on standardised features is chosen on the validation games: the strongest that is not
//! worse than the best by more than a standard error, since a step away from the anchor has to be earned.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::{
    ModelError,
    anchor::{Bin, anchor},
    evaluate::mean_and_error,
    fit::{FitPlan, Member},
    newton::solve,
    samples::Labelled,
    stopwatch::{Phase, time},
    tilt::{BaseTable, MARGIN_TILTS, TILTS, bound, bound_slope, outcome_of},
};

/// Penalties that are tried, from next to nothing to next to no step away from the anchor.
const RIDGES: [f64; 6] = [30.0, 100.0, 300.0, 1e3, 1e4, 1e5];
/// A penalty times the games that it is fitted on is at least this: 1,000 with 200 games, 50 with 4,000. A few games to
/// choose by would now and then choose too weak a one.
const LEAST_RIDGE_GAMES: f64 = 2e5;
/// Penalty on a league's own level, which every game of it shows.
const LEVEL_RIDGE: f64 = 300.0;
const STEPS: usize = 25;
/// A step that promises less log-likelihood is the last.
const ENOUGH: f64 = 1e-4;

/// Penalties of the margin's and the total's coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Ridge {
    pub(crate) margin: f64,
    pub(crate) total: f64,
}

/// What the scoring steps see of some games, in plain numbers.
struct Table {
    /// `[games][features, then one per league]`.
    rows: Vec<Vec<f64>>,
    leagues: Vec<usize>,
    anchors: Vec<[f64; TILTS as usize]>,
    /// Margin and total.
    scores: Vec<(i32, i32)>,
    /// Closing lines and their share of what is learnt.
    closing: Vec<Option<[f64; 3]>>,
    closing_share: f64,
}

/// Fits the linear part under `ridge`.
pub(crate) fn fit_direct(
    member: &Member,
    plan: &FitPlan<'_>,
    train: &Labelled,
    ridge: Ridge,
) -> Result<(), ModelError> {
    let _fitting = time(Phase::Linear);
    let table = Table::of(member, train)?;
    let margin = Fit::margin(plan, &table).run(ridge.margin, None);
    let total = Fit::total(plan, &table).run(ridge.total, None);
    store(member, &margin, &total)
}

/// Chooses the penalties under which games fitted on `train` forecast `validation` best.
pub(crate) fn choose_ridge(
    member: &Member,
    plan: &FitPlan<'_>,
    train: &Labelled,
    validation: &Labelled,
) -> Result<Ridge, ModelError> {
    let _fitting = time(Phase::Linear);
    let (train, validation) = (Table::of(member, train)?, Table::of(member, validation)?);
    let best = |fit: &Fit<'_>, held_out: &Fit<'_>| {
        let mut from = None;
        let mut tried: Vec<(f64, Vec<f64>)> = Vec::new();
        // From the strongest to the weakest, each from where the last one ended.
        let least = LEAST_RIDGE_GAMES / train.leagues.len().max(1) as f64;
        let strong = RIDGES.into_iter().rev().enumerate().filter(|(i, ridge)| *i == 0 || *ridge >= least);
        for (_, ridge) in strong {
            let found = fit.run(ridge, from.take());
            tried.push((ridge, held_out.losses(&found)));
            from = Some(found);
        }
        strongest_within_error(&tried)
    };
    Ok(Ridge {
        margin: best(&Fit::margin(plan, &train), &Fit::margin(plan, &validation)),
        total: best(&Fit::total(plan, &train), &Fit::total(plan, &validation)),
    })
}

/// Returns the first penalty whose losses exceed the best one's by no more than the standard error of the difference.
fn strongest_within_error(tried: &[(f64, Vec<f64>)]) -> f64 {
    let sum = |losses: &Vec<f64>| losses.iter().sum::<f64>();
    let best = tried.iter().min_by(|a, b| sum(&a.1).total_cmp(&sum(&b.1)));
    let Some((_, best)) = best else { return RIDGES[RIDGES.len() - 1] };
    let is_near = |(_, losses): &&(f64, Vec<f64>)| {
        let differences: Vec<f64> = losses.iter().zip(best).map(|(own, best)| own - best).collect();
        let (mean, error) = mean_and_error(&differences);
        mean <= error
    };
    tried.iter().find(is_near).map_or(RIDGES[0], |(ridge, _)| *ridge)
}

/// Writes the coefficients into the head.
fn store(member: &Member, margin: &[Vec<f64>], total: &[Vec<f64>]) -> Result<(), ModelError> {
    let all: Vec<&Vec<f64>> = margin.iter().chain(total).collect();
    let leagues = member.net.architecture().leagues as usize;
    let features = all.first().map_or(0, |tilt| tilt.len() - leagues);
    let direct: Vec<f32> = all.iter().flat_map(|tilt| tilt[..features].iter().map(|b| *b as f32)).collect();
    let league: Vec<f32> =
        (0..leagues).flat_map(|l| all.iter().map(move |tilt| tilt[features + l] as f32)).collect();
    member.net.set_direct(
        &Tensor::from_slice(&direct).view([TILTS, features as i64]),
        &Tensor::from_slice(&league).view([leagues as i64, TILTS]),
    )
}

impl Table {
    fn of(member: &Member, games: &Labelled) -> Result<Self, ModelError> {
        let read = |tensor: Tensor| {
            Vec::<Vec<f64>>::try_from(&tensor).map_err(ModelError::torch("reading a batch's features"))
        };
        let mut rows = read(member.net.direct_features(&games.samples.tree))?;
        let leagues = games.samples.leagues.clone();
        for (row, league) in rows.iter_mut().zip(&leagues) {
            let one = row.len() + league;
            row.resize(row.len() + member.net.architecture().leagues as usize, 0.0);
            row[one] = 1.0;
        }
        let anchors = read(games.samples.anchor.shallow_clone())?;
        let anchors = anchors.into_iter().map(|row| std::array::from_fn(|i| row[i])).collect();
        let (scores, closing) = (games.scores.clone(), games.closing.clone());
        Ok(Self { rows, leagues, anchors, scores, closing, closing_share: games.closing_share })
    }
}

/// One side's fit: which tilts it has, what it counts, and how much the outcome weighs beside the score.
struct Fit<'a> {
    /// Histograms of the side, by league.
    bins: &'a [Vec<Bin>],
    table: &'a Table,
    three_way: &'a [bool],
    /// First tilt of the side, and how many it has.
    tilts: (usize, usize),
    outcome_weight: f64,
    is_margin: bool,
    /// What the closing line says of each game; of margins only.
    taught: Vec<Option<Taught>>,
}

/// Statistics and outcome that the closing line expects.
#[derive(Debug, Clone, Copy)]
struct Taught {
    statistics: [f64; 3],
    outcome: [f64; 3],
}

/// Returns what each game's closing line expects: the histogram at its anchor.
fn taught(base: &BaseTable, table: &Table) -> Vec<Option<Taught>> {
    let of_game = |(league, closing): (&usize, &Option<[f64; 3]>)| {
        let base = base.histograms();
        let bins = &base.margin()[*league];
        let (shift, level) = anchor(bins, (*closing)?, base.three_way()[*league])?;
        let mut moments = [Moments::default(); 3];
        for bin in bins {
            let zero = f64::from(u8::from(bin.value == 0));
            let weight = bin.mass * (shift * bin.z + level * zero).exp();
            moments[outcome_of(bin.value)].add(weight, &[bin.z, bin.z * bin.z, zero]);
        }
        let statistics = moments[0].with(&moments[1]).with(&moments[2]).mean();
        let offered = if base.three_way()[*league] { [1.0; 3] } else { [1.0, 0.0, 1.0] };
        let masses: [f64; 3] = std::array::from_fn(|o| offered[o] * moments[o].mass);
        let sum: f64 = masses.iter().sum();
        Some(Taught { statistics, outcome: masses.map(|mass| mass / sum) })
    };
    if table.closing_share <= 0.0 {
        return Vec::new();
    }
    table.leagues.iter().zip(&table.closing).map(of_game).collect()
}

/// Coefficients with the penalised likelihood there.
struct Point {
    at: Vec<Vec<f64>>,
    objective: f64,
    gradient: Vec<f64>,
    information: Vec<Vec<f64>>,
}

/// A game's log-likelihood at some tilts with its gradient and Fisher information in η.
struct Local {
    log_likelihood: f64,
    gradient: [f64; 3],
    information: [[f64; 3]; 3],
}

impl<'a> Fit<'a> {
    fn margin(plan: &'a FitPlan<'_>, table: &'a Table) -> Self {
        Self {
            bins: plan.table.histograms().margin(),
            table,
            three_way: plan.table.histograms().three_way(),
            tilts: (0, MARGIN_TILTS),
            outcome_weight: plan.settings.outcome_weight,
            is_margin: true,
            taught: taught(plan.table, table),
        }
    }

    fn total(plan: &'a FitPlan<'_>, table: &'a Table) -> Self {
        Self {
            bins: plan.table.histograms().total(),
            table,
            three_way: plan.table.histograms().three_way(),
            tilts: (MARGIN_TILTS, TILTS as usize - MARGIN_TILTS),
            outcome_weight: 0.0,
            is_margin: false,
            taught: Vec::new(),
        }
    }

    /// Returns the coefficients `[tilts][features, then leagues]` at the maximum.
    fn run(&self, ridge: f64, from: Option<Vec<Vec<f64>>>) -> Vec<Vec<f64>> {
        let width = self.table.rows.first().map_or(0, Vec::len);
        let levels = self.three_way.len();
        let penalty = |feature: usize| if feature + levels < width { ridge } else { LEVEL_RIDGE };
        let at = from.unwrap_or_else(|| vec![vec![0.0; width]; self.tilts.1]);
        let mut here = self.point(at, &penalty);
        for _ in 0..STEPS {
            let Some(step) = solve(here.information.clone(), here.gradient.clone()) else { break };
            let gain: f64 = step.iter().zip(&here.gradient).map(|(step, slope)| step * slope).sum();
            let mut size = 1.0;
            let moved = loop {
                let mut next = here.at.clone();
                for (value, step) in next.iter_mut().flatten().zip(&step) {
                    *value += size * step;
                }
                let next = self.point(next, &penalty);
                if next.objective >= here.objective {
                    break Some(next);
                }
                size /= 2.0;
                if size < 1e-3 {
                    break None;
                }
            };
            let Some(next) = moved else { break };
            here = next;
            if gain < ENOUGH {
                break;
            }
        }
        here.at
    }

    /// Returns the loss on each game.
    fn losses(&self, at: &[Vec<f64>]) -> Vec<f64> {
        let games = 0..self.table.rows.len();
        games.map(|game| -self.local(game, &self.eta(game, at)).log_likelihood).collect()
    }

    /// Evaluates the penalised likelihood with its derivatives, flat over `[tilts][features]`.
    fn point(&self, at: Vec<Vec<f64>>, penalty: &dyn Fn(usize) -> f64) -> Point {
        let width = at.first().map_or(0, Vec::len);
        let size = self.tilts.1 * width;
        let mut objective = 0.0;
        let mut gradient = vec![0.0; size];
        let mut information = vec![vec![0.0; size]; size];
        for (game, row) in self.table.rows.iter().enumerate() {
            let local = self.local(game, &self.eta(game, &at));
            objective += local.log_likelihood;
            let seen: Vec<(usize, f64)> =
                row.iter().copied().enumerate().filter(|(_, x)| *x != 0.0).collect();
            for s in 0..self.tilts.1 {
                for (i, x) in &seen {
                    gradient[s * width + i] += local.gradient[s] * x;
                    for t in 0..self.tilts.1 {
                        let weight = local.information[s][t] * x;
                        let line = &mut information[s * width + i][t * width..];
                        for (j, y) in &seen {
                            line[*j] += weight * y;
                        }
                    }
                }
            }
        }
        for (s, tilt) in at.iter().enumerate() {
            for (feature, b) in tilt.iter().enumerate() {
                let place = s * width + feature;
                objective -= 0.5 * penalty(feature) * b * b;
                gradient[place] -= penalty(feature) * b;
                information[place][place] += penalty(feature) + 1e-9;
            }
        }
        Point { at, objective, gradient, information }
    }

    /// Returns the raw tilts of a game before its anchor.
    fn eta(&self, game: usize, at: &[Vec<f64>]) -> [f64; 3] {
        let row = &self.table.rows[game];
        let mut eta = [0.0; 3];
        for (eta, tilt) in eta.iter_mut().zip(at) {
            *eta = tilt.iter().zip(row).map(|(b, x)| b * x).sum();
        }
        eta
    }

    fn local(&self, game: usize, eta: &[f64; 3]) -> Local {
        let league = self.table.leagues[game];
        let (first, count) = self.tilts;
        let mut tilt = [0.0; 3];
        let mut slope = [0.0; 3];
        for s in 0..count {
            tilt[s] = bound(first + s, eta[s]) + self.table.anchors[game][first + s];
            slope[s] = bound_slope(first + s, eta[s]);
        }
        let bins = &self.bins[league];
        let (margin, total) = self.table.scores[game];
        let (least, most) = (bins[0].value, bins[bins.len() - 1].value);
        let score = if self.is_margin { margin } else { total }.clamp(least, most);
        let statistics =
            |bin: &Bin| [bin.z, bin.z * bin.z, f64::from(u8::from(self.is_margin && bin.value == 0))];
        let energy = |t: &[f64; 3]| t[0] * tilt[0] + t[1] * tilt[1] + t[2] * tilt[2];
        let top = bins.iter().map(|bin| energy(&statistics(bin))).fold(f64::NEG_INFINITY, f64::max);
        let mut moments = [Moments::default(); 3];
        for bin in bins {
            let t = statistics(bin);
            moments[outcome_of(bin.value)].add(bin.mass * (energy(&t) - top).exp(), &t);
        }
        let all = moments[0].with(&moments[1]).with(&moments[2]);
        let seen = &bins[(score - least) as usize];
        let taught = self.taught.get(game).copied().flatten();
        let share = if taught.is_some() { self.table.closing_share } else { 0.0 };
        let mut observed = statistics(seen).map(|t| (1.0 - share) * t);
        let mut happened = [0.0; 3];
        happened[outcome_of(margin)] = 1.0 - share;
        if let Some(taught) = taught {
            for s in 0..3 {
                observed[s] += share * taught.statistics[s];
                happened[s] += share * taught.outcome[s];
            }
        }
        let mean = all.mean();
        // Up to a constant, the logarithm of the base at what was seen and taught.
        let mut log_likelihood = (0..3).map(|s| observed[s] * tilt[s]).sum::<f64>() - top - all.mass.ln();
        let mut gradient: [f64; 3] = std::array::from_fn(|s| observed[s] - mean[s]);
        let mut information = all.covariance();
        if self.outcome_weight > 0.0 && (self.three_way[league] || margin != 0) {
            let offered: Vec<usize> = if self.three_way[league] { vec![0, 1, 2] } else { vec![0, 2] };
            let among = offered.iter().fold(Moments::default(), |sum, o| sum.with(&moments[*o]));
            let of_all = among.mean();
            let w = self.outcome_weight;
            for o in &offered {
                let log = (moments[*o].mass / among.mass).max(1e-300).ln();
                log_likelihood += w * happened[*o] * log;
                let own = moments[*o].mean();
                for s in 0..3 {
                    gradient[s] += w * happened[*o] * (own[s] - of_all[s]);
                }
            }
            for s in 0..3 {
                for t in 0..3 {
                    let spread: f64 = offered
                        .iter()
                        .map(|o| {
                            let own = moments[*o].mean();
                            moments[*o].mass / among.mass * (own[s] - of_all[s]) * (own[t] - of_all[t])
                        })
                        .sum();
                    information[s][t] += w * spread;
                }
            }
        }
        for s in 0..3 {
            gradient[s] *= slope[s];
            for t in 0..3 {
                information[s][t] *= slope[s] * slope[t];
            }
        }
        Local { log_likelihood, gradient, information }
    }
}

/// Mass, first and second moments of the statistics over some bins.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    mass: f64,
    sum: [f64; 3],
    squares: [[f64; 3]; 3],
}

impl Moments {
    fn add(&mut self, weight: f64, t: &[f64; 3]) {
        self.mass += weight;
        for s in 0..3 {
            self.sum[s] += weight * t[s];
            for u in 0..3 {
                self.squares[s][u] += weight * t[s] * t[u];
            }
        }
    }

    fn with(mut self, other: &Self) -> Self {
        self.mass += other.mass;
        for s in 0..3 {
            self.sum[s] += other.sum[s];
            for u in 0..3 {
                self.squares[s][u] += other.squares[s][u];
            }
        }
        self
    }

    fn mean(&self) -> [f64; 3] {
        let mass = self.mass.max(1e-300);
        self.sum.map(|sum| sum / mass)
    }

    fn covariance(&self) -> [[f64; 3]; 3] {
        let (mass, mean) = (self.mass.max(1e-300), self.mean());
        std::array::from_fn(|s| std::array::from_fn(|t| self.squares[s][t] / mass - mean[s] * mean[t]))
    }
}
