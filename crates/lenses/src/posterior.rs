//! What we believe of a selection once the market has had its say (domain notes, section 5.1).
//!
//! The model's probability is pulled toward the consensus of the books by the measured information weight `w`:
//! `μ = ℓ(q) + w·(mean ℓ(p_k) - ℓ(q))`, and its error says how sure that is. For bets with more than two ends
//! (pushes, half-wins) the same `w` tilts the five-grade probabilities.
//!
//! # Example
//! ```
//! use lenses::{MarketOpinion, Posterior};
//! use market::predictor::InformationWeight;
//! let information = InformationWeight { weight: 0.35, standard_error: 0.08, games: 2000,
//!     calibration_sd: 0.10, market_move_sd: Some(0.12) };
//! let market = MarketOpinion { probability: 0.515, sd_logit: 0.05, books: 5 };
//! let belief = Posterior::new(&[0.545, 0.56, 0.535, 0.57, 0.55], Some(market), Some(&information)).unwrap();
//! assert!((belief.probability - 0.528_000_63).abs() < 1e-8);
//! ```

use market::{
    GradeProbabilities, Selection,
    consensus::{Consensus, logistic, logit},
    predictor::InformationWeight,
};
use serde::{Deserialize, Serialize};

/// Least spread of opinion among books, on the log-odds scale: fewer or equal prices do not make certainty.
pub const LEAST_CONSENSUS_SD: f64 = 0.03;

/// The grades of a bet that only wins or loses, at evens: the shape to tilt when nothing else is offered.
pub const TWO_WAY: GradeProbabilities = GradeProbabilities([0.5, 0.0, 0.0, 0.0, 0.5]);

/// Standard normal quantile of 95 %, half of a 90 % interval on each side.
const NINETY_PER_CENT: f64 = 1.644_853_626_951_472_7;

/// What the books together say of one selection at one number of points, margin taken out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MarketOpinion {
    /// No-vig probability among decided stakes.
    pub probability: f64,
    /// Robust standard deviation of the books' log-odds; below [`LEAST_CONSENSUS_SD`] it counts as that.
    pub sd_logit: f64,
    /// Books behind it.
    pub books: usize,
}

impl MarketOpinion {
    /// Reads one selection out of the books' consensus on its market; none when nobody offers it.
    pub fn of(consensus: &Consensus, selection: Selection) -> Option<Self> {
        let probability = consensus.probability(selection)?;
        Some(Self { probability, sd_logit: consensus.logit_sd, books: consensus.books })
    }
}

/// Belief on one selection: normal on the log-odds scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Posterior {
    /// Mean of the log-odds.
    pub mean_logit: f64,
    /// Standard deviation of the log-odds.
    pub sd_logit: f64,
    /// Probability at the mean of the log-odds, among decided stakes.
    pub probability: f64,
    /// Probabilities between which the truth lies nine times of ten.
    pub interval_90: [f64; 2],
}

impl Posterior {
    /// Mixes the `members` of the ensemble (probability among decided stakes each) with the market.
    ///
    /// Without a market the ensemble stands alone with its calibration error. Without an information weight
    /// nothing shows that the model knows more than the price, so the market stands alone. None when neither
    /// is there, without members, or when a number is not finite.
    pub fn new(
        members: &[f64],
        market: Option<MarketOpinion>,
        information: Option<&InformationWeight>,
    ) -> Option<Self> {
        let ensemble = Ensemble::of(members)?;
        let (mean, variance) = match (market, information) {
            (Some(market), Some(information)) => shrink(&ensemble, market, information),
            (Some(market), None) => {
                (logit(market.probability), market.sd_logit.max(LEAST_CONSENSUS_SD).powi(2))
            }
            (None, Some(information)) => {
                (ensemble.mean, ensemble.variance + information.calibration_sd.powi(2))
            }
            (None, None) => return None,
        };
        Self::from_logit(mean, variance.sqrt())
    }

    /// Builds a belief from its mean and standard deviation on the log-odds scale; none when not finite.
    pub fn from_logit(mean_logit: f64, sd_logit: f64) -> Option<Self> {
        let finite = mean_logit.is_finite() && sd_logit.is_finite() && sd_logit >= 0.0;
        let at = |z: f64| logistic(mean_logit + z * sd_logit);
        finite.then(|| Self {
            mean_logit,
            sd_logit,
            probability: at(0.0),
            interval_90: [at(-NINETY_PER_CENT), at(NINETY_PER_CENT)],
        })
    }
}

struct Ensemble {
    mean: f64,
    variance: f64,
}

impl Ensemble {
    fn of(members: &[f64]) -> Option<Self> {
        let logits: Vec<f64> = members.iter().map(|p| logit(*p)).collect();
        let count = logits.len() as f64;
        let mean = logits.iter().sum::<f64>() / count;
        let squares: f64 = logits.iter().map(|l| (l - mean).powi(2)).sum();
        let variance = if logits.len() > 1 { squares / (count - 1.0) } else { 0.0 };
        mean.is_finite().then_some(Self { mean, variance })
    }
}

/// Delta method: the market's error, the model's error, and the error of the weight itself.
fn shrink(ensemble: &Ensemble, market: MarketOpinion, information: &InformationWeight) -> (f64, f64) {
    let weight = information.weight.clamp(0.0, 1.0);
    let q = logit(market.probability);
    let difference = ensemble.mean - q;
    let market_sd = market.sd_logit.max(LEAST_CONSENSUS_SD);
    let variance = (1.0 - weight).powi(2) * market_sd.powi(2)
        + weight.powi(2) * (ensemble.variance + information.calibration_sd.powi(2))
        + difference.powi(2) * information.standard_error.powi(2);
    (q + weight * difference, variance)
}

/// Tilts `shape` so that its winning share among decided stakes becomes `probability`.
///
/// Wins are multiplied by a factor and losses divided by it, then all is normalised: a push stays possible as it
/// was. None when the shape is one-sided or `probability` is not strictly between 0 and 1.
pub fn tilt_to(shape: &GradeProbabilities, probability: f64) -> Option<GradeProbabilities> {
    let winning = shape.win_share();
    let open = |p: f64| p > 0.0 && p < 1.0;
    if !open(winning) || !open(probability) {
        return None;
    }
    let squared = probability / (1.0 - probability) * (1.0 - winning) / winning;
    let factor = squared.sqrt();
    let [win, half_win, push, half_loss, loss] = shape.0;
    normalised([win * factor, half_win * factor, push, half_loss / factor, loss / factor])
}

/// Mixes each grade's probability on the log scale: `π*(s) ∝ π_market(s)^(1-w) · Π π_k(s)^(w/K)`.
///
/// For a bet that only wins or loses this is exactly [`Posterior::probability`]. The market names no push
/// probability, so its grades are the ensemble's mean shape tilted to the consensus. Without a consensus the
/// ensemble stands alone; none without members or when nothing is left.
pub fn shrunk_grades(
    members: &[GradeProbabilities],
    consensus: Option<f64>,
    weight: f64,
) -> Option<GradeProbabilities> {
    let shape = mean_grades(members)?;
    let (market, weight) = match consensus {
        Some(q) => (tilt_to(&shape, q)?, weight.clamp(0.0, 1.0)),
        None => (shape, 1.0),
    };
    let each = weight / members.len() as f64;
    let mut mixed = [0.0; 5];
    for (grade, probability) in mixed.iter_mut().enumerate() {
        let of_members: f64 = members.iter().map(|member| member.0[grade].powf(each)).product();
        *probability = market.0[grade].powf(1.0 - weight) * of_members;
    }
    normalised(mixed)
}

/// Nodes and weights of Gauss and Hermite's rule for a normal variable: exact for polynomials up to degree 9.
const NORMAL_NODES: [(f64, f64); 5] = [
    (-2.856_970_013_872_806, 0.011_257_411_327_720_7),
    (-1.355_626_179_974_266, 0.222_075_922_005_612_6),
    (0.0, 0.533_333_333_333_333_3),
    (1.355_626_179_974_266, 0.222_075_922_005_612_6),
    (2.856_970_013_872_806, 0.011_257_411_327_720_7),
];

/// Averages grades over the posterior: expected log growth is linear in the probabilities, so that the stake that is best
/// on average over everything believed is the one that is best for the average.
///
/// `shape` is tilted to the probability at each node of a normal quadrature. None when it is one-sided.
pub fn averaged_grades(posterior: &Posterior, shape: &GradeProbabilities) -> Option<GradeProbabilities> {
    let mut sums = [0.0; 5];
    for (node, weight) in NORMAL_NODES {
        let grades = tilt_to(shape, logistic(posterior.mean_logit + node * posterior.sd_logit))?;
        sums.iter_mut().zip(grades.0).for_each(|(sum, p)| *sum += weight * p);
    }
    normalised(sums)
}

/// Returns the ensemble's mean probability of each grade; none without members.
pub fn mean_grades(members: &[GradeProbabilities]) -> Option<GradeProbabilities> {
    let mut sums = [0.0; 5];
    for member in members {
        sums.iter_mut().zip(member.0).for_each(|(sum, p)| *sum += p);
    }
    normalised(sums)
}

fn normalised(masses: [f64; 5]) -> Option<GradeProbabilities> {
    let sum: f64 = masses.iter().sum();
    (sum.is_finite() && sum > 0.0 && masses.iter().all(|p| *p >= 0.0))
        .then(|| GradeProbabilities(masses.map(|p| p / sum)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFORMATION: InformationWeight = InformationWeight {
        weight: 0.35,
        standard_error: 0.08,
        games: 2000,
        calibration_sd: 0.1,
        market_move_sd: None,
    };
    const MARKET: MarketOpinion = MarketOpinion { probability: 0.515, sd_logit: 0.05, books: 5 };

    #[test]
    fn without_a_market_the_ensemble_stands_alone() {
        let belief = Posterior::new(&[0.6], None, Some(&INFORMATION)).unwrap();
        assert!((belief.probability - 0.6).abs() < 1e-12);
        assert!((belief.sd_logit - 0.1).abs() < 1e-12, "one member: only the calibration error is left");
    }

    #[test]
    fn without_a_measured_weight_the_market_stands_alone() {
        let belief = Posterior::new(&[0.9], Some(MARKET), None).unwrap();
        assert!((belief.probability - 0.515).abs() < 1e-12);
        assert!((belief.sd_logit - 0.05).abs() < 1e-12);
    }

    #[test]
    fn nothing_is_believed_without_members_or_without_any_error_estimate() {
        assert_eq!(Posterior::new(&[], Some(MARKET), Some(&INFORMATION)), None);
        assert_eq!(Posterior::new(&[0.5], None, None), None);
        assert_eq!(Posterior::new(&[f64::NAN], Some(MARKET), Some(&INFORMATION)), None);
    }

    #[test]
    fn certain_members_and_agreeing_books_leave_some_doubt() {
        let sure = MarketOpinion { probability: 1.0, sd_logit: 0.0, books: 1 };
        let belief = Posterior::new(&[1.0, 1.0], Some(sure), Some(&INFORMATION)).unwrap();
        assert!(belief.sd_logit > 0.0 && belief.probability < 1.0);
    }

    #[test]
    fn shrunk_grades_of_a_two_way_bet_are_the_posterior() {
        let members = [0.545, 0.56, 0.535, 0.57, 0.55];
        let grades = members.map(|p| GradeProbabilities([p, 0.0, 0.0, 0.0, 1.0 - p]));
        let shrunk = shrunk_grades(&grades, Some(0.515), 0.35).unwrap();
        let belief = Posterior::new(&members, Some(MARKET), Some(&INFORMATION)).unwrap();
        assert!((shrunk.0[0] - belief.probability).abs() < 1e-12, "same formula, rounding only");
    }

    #[test]
    fn tilting_keeps_the_kind_of_bet_and_reaches_the_share() {
        let shape = GradeProbabilities([0.35, 0.22, 0.0, 0.0, 0.43]);
        let tilted = tilt_to(&shape, 0.6).unwrap();
        assert!((tilted.win_share() - 0.6).abs() < 1e-12);
        assert!((tilted.0.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(tilted.0[2].abs() < 1e-15, "what cannot happen stays impossible");
        assert_eq!(tilt_to(&GradeProbabilities([1.0, 0.0, 0.0, 0.0, 0.0]), 0.6), None);
        assert_eq!(tilt_to(&shape, f64::NAN), None);
    }

    #[test]
    fn averaging_over_the_posterior_pulls_towards_even() {
        let posterior = Posterior::from_logit(logit(0.8), 0.5).unwrap();
        let average = averaged_grades(&posterior, &TWO_WAY).unwrap().0[0];
        // The mean of logistic(N(logit 0.8, 0.5²)) by simple summation.
        let step = 1e-3;
        let density = |z: f64| (-z * z / 2.0).exp();
        let (mut top, mut bottom) = (0.0, 0.0);
        for i in -8000..=8000 {
            let z = f64::from(i) * step;
            top += density(z) * logistic(logit(0.8) + 0.5 * z);
            bottom += density(z);
        }
        assert!((average - top / bottom).abs() < 1e-6, "{average} is not {}", top / bottom);
        assert!(average < 0.8);
    }

    #[test]
    fn weight_zero_is_the_market_and_weight_one_the_ensemble() {
        let members = [GradeProbabilities([0.5, 0.0, 0.1, 0.0, 0.4])];
        let market = shrunk_grades(&members, Some(0.5), 0.0).unwrap();
        assert!((market.win_share() - 0.5).abs() < 1e-12);
        let model = shrunk_grades(&members, Some(0.5), 1.0).unwrap();
        assert!((model.win_share() - 5.0 / 9.0).abs() < 1e-12);
    }
}
