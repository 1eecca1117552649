//! Moat: does the edge survive another method, less evidence and a worse price? (domain notes, section 5.5)
//!
//! # Example
//! ```
//! use lenses::moat::{ClvRecord, Inputs, score};
//! let returns = vec![0.03, 0.02, 0.01, -0.005, 0.015, 0.02, 0.01, 0.005, 0.03, -0.01];
//! let past = ClvRecord { mean: 0.004, standard_error: 0.004, games: 40 };
//! let lens = score(&Inputs { scenario_returns: returns, past_clv: Some(past) });
//! assert!((lens.value().unwrap() - 0.673_075_797).abs() < 1e-8);
//! ```

use std::collections::BTreeMap;

use market::{
    GameId, GradeProbabilities, Price,
    consensus::{logistic, logit},
};
use serde::{Deserialize, Serialize};

use crate::{Lens, normal, posterior::tilt_to};

/// Fewer scenarios than this prove nothing.
pub const LEAST_SCENARIOS: usize = 8;

/// Games of past bets after which their mean closing line value counts one half.
const HALF_WAY_CLV_GAMES: f64 = 10.0;

/// What the lens looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// Expected net return of the bet in each scenario; see [`Scenarios::returns`].
    pub scenario_returns: Vec<f64>,
    /// How our past bets of the segment fared against the close; none without two games.
    pub past_clv: Option<ClvRecord>,
}

/// Scores the share of scenarios with an expected gain, times `Φ(mean CLV / its error)`; one half without a past.
pub fn score(inputs: &Inputs) -> Lens {
    let count = inputs.scenario_returns.len();
    if count < LEAST_SCENARIOS {
        return Lens::missing(format!(
            "only {count} of at least {LEAST_SCENARIOS} scenarios could be formed"
        ));
    }
    let survived = inputs.scenario_returns.iter().filter(|value| **value > 0.0).count();
    let past = inputs.past_clv.map_or(0.0, |clv| clv.mean / clv.standard_error);
    Lens::of(survived as f64 / count as f64 * normal::distribution_function(past), || {
        if survived == 0 {
            format!("the edge survives none of {count} scenarios")
        } else {
            "past bets of this kind were beaten by the close".to_owned()
        }
    })
}

/// Our past bets against the close, on the log-odds scale, shrunk to 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClvRecord {
    /// Time-decayed mean logit CLV, shrunk to 0 while games are few.
    pub mean: f64,
    /// Its standard error, one observation per game.
    pub standard_error: f64,
    /// Games behind it.
    pub games: usize,
}

/// One past bet whose close was known before the as-of.
#[derive(Debug, Clone, PartialEq)]
pub struct PastClv {
    /// The game; several bets on it count once.
    pub game_id: GameId,
    /// Days from the bet to the as-of.
    pub age_days: f64,
    /// Logit CLV.
    pub logit_clv: f64,
}

impl ClvRecord {
    /// Averages per game first, then over games with a half-life; none below two games or without any spread.
    pub fn of(past: &[PastClv], half_life_days: f64) -> Option<Self> {
        let mut games: BTreeMap<&GameId, (f64, f64, f64)> = BTreeMap::new();
        for bet in past {
            let (sum, count, age) = games.entry(&bet.game_id).or_insert((0.0, 0.0, bet.age_days));
            *sum += bet.logit_clv;
            *count += 1.0;
            *age = age.min(bet.age_days);
        }
        let weighted: Vec<(f64, f64)> =
            games.values().map(|(sum, count, age)| ((-age / half_life_days).exp2(), sum / count)).collect();
        let total: f64 = weighted.iter().map(|(weight, _)| weight).sum();
        let mean = weighted.iter().map(|(weight, clv)| weight * clv).sum::<f64>() / total;
        let count = weighted.len() as f64;
        let squares: f64 =
            weighted.iter().map(|(weight, clv)| (weight / total * (clv - mean)).powi(2)).sum::<f64>();
        let standard_error = (squares * count / (count - 1.0)).sqrt();
        let usable = weighted.len() >= 2 && standard_error > 0.0 && mean.is_finite();
        let shrunk = mean * total / (total + HALF_WAY_CLV_GAMES);
        usable.then_some(Self { mean: shrunk, standard_error, games: weighted.len() })
    }
}

/// The worlds in which a bet must stay good: every no-vig method, every member dropped, no price inputs at all,
/// and one or two ticks less.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenarios {
    /// Any grades of the bet; says how pushes and halves come with a win.
    pub shape: GradeProbabilities,
    /// Probability among decided stakes, one per member.
    pub members: Vec<f64>,
    /// The same of the variant that sees no prices; may be empty.
    pub members_without_market: Vec<f64>,
    /// The consensus by each no-vig method; see [`GameQuotes`](crate::GameQuotes).
    pub consensus: Vec<f64>,
    /// Information weight in use; 0 when it was not measured.
    pub weight: f64,
    /// The price on offer.
    pub price: Price,
}

impl Scenarios {
    /// Returns the expected net return in each scenario; equal methods count once, impossible ones not at all.
    pub fn returns(&self) -> Vec<f64> {
        let mut opinions = Vec::new();
        for mean in self.mean_logits() {
            if self.consensus.is_empty() {
                opinions.push(mean);
            }
            for q in distinct(&self.consensus) {
                opinions.push(logit(q) + self.weight * (mean - logit(q)));
            }
        }
        let one_less = tick_down(self.price);
        let prices = [one_less, one_less.and_then(tick_down)];
        let prices: Vec<Price> = prices.into_iter().flatten().collect();
        let net = |opinion: &f64| {
            let grades = tilt_to(&self.shape, logistic(*opinion))?;
            Some(prices.iter().map(move |price| grades.expected_net(*price)))
        };
        opinions.iter().filter_map(net).flatten().collect()
    }

    /// Mean log-odds of all members, of all but each one, and of the variant without prices.
    fn mean_logits(&self) -> Vec<f64> {
        let logits: Vec<f64> = self.members.iter().map(|p| logit(*p)).collect();
        let (sum, count) = (logits.iter().sum::<f64>(), logits.len() as f64);
        let mut means = if logits.is_empty() { Vec::new() } else { vec![sum / count] };
        if logits.len() > 1 {
            means.extend(logits.iter().map(|dropped| (sum - dropped) / (count - 1.0)));
        }
        if !self.members_without_market.is_empty() {
            let alone: f64 = self.members_without_market.iter().map(|p| logit(*p)).sum();
            means.push(alone / self.members_without_market.len() as f64);
        }
        means
    }
}

/// Two-way books make some methods equal; the same number twice is no second witness.
fn distinct(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup_by(|a, b| (*a - *b).abs() < 1e-9);
    sorted
}

/// Returns the next lower price on the usual ladder; none when there is no price below.
pub fn tick_down(price: Price) -> Option<Price> {
    let decimal = price.decimal();
    let tick = match decimal {
        d if d <= 2.0 => 0.01,
        d if d <= 3.0 => 0.02,
        d if d <= 4.0 => 0.05,
        d if d <= 6.0 => 0.1,
        d if d <= 10.0 => 0.2,
        d if d <= 20.0 => 0.5,
        _ => 1.0,
    };
    Price::new(decimal - tick).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::posterior::TWO_WAY;

    fn scenarios() -> Scenarios {
        Scenarios {
            shape: TWO_WAY,
            members: vec![0.55, 0.56, 0.54],
            members_without_market: vec![0.53],
            consensus: vec![0.51, 0.512, 0.51],
            weight: 0.5,
            price: Price::new(2.0).unwrap(),
        }
    }

    #[test]
    fn scenarios_are_every_opinion_at_every_worse_price() {
        // (all, three dropped, no prices) x two distinct methods x two ticks
        assert_eq!(scenarios().returns().len(), 5 * 2 * 2);
        let alone = Scenarios { members: vec![0.55], members_without_market: vec![], ..scenarios() };
        assert_eq!(alone.returns().len(), 4, "one member and few methods: too few to judge");
    }

    #[test]
    fn a_lost_edge_is_a_veto_and_too_few_scenarios_are_missing() {
        let lens = |returns| score(&Inputs { scenario_returns: returns, past_clv: None });
        assert_eq!(lens(vec![-0.01; 8]).value(), Some(0.0));
        assert_eq!(lens(vec![0.01; 7]).value(), None);
        assert_eq!(lens(vec![0.01; 8]).value(), Some(0.5), "no history is one half");
    }

    #[test]
    fn several_bets_on_one_game_are_one_observation() {
        let bet =
            |game: &str, logit_clv| PastClv { game_id: GameId::from_text(game), age_days: 0.0, logit_clv };
        let once = ClvRecord::of(&[bet("a", 0.02), bet("b", 0.04)], 90.0).unwrap();
        let doubled = ClvRecord::of(&[bet("a", 0.02), bet("a", 0.02), bet("b", 0.04)], 90.0).unwrap();
        assert_eq!(once, doubled);
        assert!((once.mean - 0.03 * 2.0 / 12.0).abs() < 1e-12, "two games against ten of doubt");
        assert!(ClvRecord::of(&[bet("a", 0.02)], 90.0).is_none());
    }

    #[test]
    fn the_ladder_ends_above_one() {
        assert_eq!(tick_down(Price::new(1.005).unwrap()), None);
        assert!((tick_down(Price::new(2.5).unwrap()).unwrap().decimal() - 2.48).abs() < 1e-12);
    }
}
