//! Margin of safety: is the bet still good after our own error and a hurdle? (domain notes, section 5.3)
//!
//! # Example
//! ```
//! use lenses::{Posterior, margin_of_safety::{Belief, Inputs, score}, posterior::TWO_WAY};
//! use market::Price;
//! let posterior = Posterior::from_logit(0.112_119_819_823, 0.052_812_347_535).unwrap();
//! let inputs = Inputs { belief: Some(Belief::Normal { posterior, shape: TWO_WAY }),
//!     price: Price::new(1.97).unwrap(), hurdle: 0.01 };
//! assert!((score(&inputs).value().unwrap() - 0.754_607_185).abs() < 1e-8);
//! ```

use market::consensus::logit;
use market::{GradeProbabilities, Price};

use crate::{Lens, Posterior, normal};

/// Least expected return that a bet must pass before it counts as good, beside any commission.
pub const DEFAULT_HURDLE: f64 = 0.01;

/// What is believed of the bet, with its error.
#[derive(Debug, Clone, PartialEq)]
pub enum Belief {
    /// Log-odds of the winning share are normal; `shape` says how pushes and halves come with it.
    Normal {
        /// The belief.
        posterior: Posterior,
        /// Any grades of this bet; [`crate::posterior::TWO_WAY`] where it only wins or loses.
        shape: GradeProbabilities,
    },
    /// Draws from the posterior of the grades.
    Draws(Vec<GradeProbabilities>),
}

/// What the lens looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// The belief; none when there is no posterior.
    pub belief: Option<Belief>,
    /// The price on offer.
    pub price: Price,
    /// Least expected net return, commission included; at least 0.
    pub hurdle: f64,
}

/// Scores `max(0, 2·P - 1)`, where P is the chance that the expected return passes the hurdle.
pub fn score(inputs: &Inputs) -> Lens {
    let Some(belief) = &inputs.belief else {
        return Lens::missing("there is no probability with an error to judge the price by");
    };
    let Some(chance) = chance_of_value(belief, inputs.price, inputs.hurdle) else {
        return Lens::missing("the belief holds no draw and no two sides");
    };
    Lens::of(2.0 * chance - 1.0, || {
        format!(
            "a return above {:.1} % at {} is no more likely than not: {:.0} %",
            100.0 * inputs.hurdle,
            inputs.price,
            100.0 * chance
        )
    })
}

/// Returns the chance that the expected net return at `price` passes `hurdle`; none without a usable belief.
pub fn chance_of_value(belief: &Belief, price: Price, hurdle: f64) -> Option<f64> {
    match belief {
        Belief::Normal { posterior, shape } => {
            let winning = shape.win_share();
            let usable = winning > 0.0 && winning < 1.0;
            let distance = |even: f64| {
                let gap = posterior.mean_logit - even;
                if posterior.sd_logit > 0.0 { gap / posterior.sd_logit } else { gap.signum() * f64::INFINITY }
            };
            // A hurdle that no probability passes leaves no chance.
            usable.then(|| {
                break_even_logit(shape, price, hurdle)
                    .map_or(0.0, |even| normal::distribution_function(distance(even)))
            })
        }
        Belief::Draws(draws) => {
            let good = draws.iter().filter(|draw| draw.expected_net(price) > hurdle).count();
            (!draws.is_empty()).then(|| (good as f64 + 0.5) / (draws.len() as f64 + 1.0))
        }
    }
}

/// Returns the log-odds of the winning share at which the expected return equals `hurdle`; none when none does.
///
/// `shape` is tilted as by [`crate::posterior::tilt_to`]. With a tilt of `a` the condition is the quadratic
/// `a²·(b·for - h·wins) - a·h·push - (against + h·losses) = 0`; for a bet without pushes it is `ℓ((1 + h)/o)`.
pub fn break_even_logit(shape: &GradeProbabilities, price: Price, hurdle: f64) -> Option<f64> {
    let [win, half_win, push, half_loss, loss] = shape.0;
    let (gain, pain) = (win + half_win / 2.0, loss + half_loss / 2.0);
    let square = (price.decimal() - 1.0) * gain - hurdle * (win + half_win);
    let linear = hurdle * push;
    let constant = pain + hurdle * (loss + half_loss);
    let tilt = (linear + (linear * linear + 4.0 * square * constant).sqrt()) / (2.0 * square);
    (square > 0.0 && tilt > 0.0).then(|| 2.0 * tilt.ln() + logit(shape.win_share()))
}

/// Returns Graham's literal margin, `1 - 1/(p·o)`: shown to readers, not scored because it ignores the error.
pub fn graham_margin(probability: f64, price: Price) -> f64 {
    1.0 - 1.0 / (probability * price.decimal())
}

#[cfg(test)]
mod tests {
    use market::consensus::logistic;

    use super::*;
    use crate::posterior::{TWO_WAY, tilt_to};

    fn price(decimal: f64) -> Price {
        Price::new(decimal).unwrap()
    }

    fn inputs(probability: f64, sd: f64, decimal: f64) -> Inputs {
        let posterior = Posterior::from_logit(logit(probability), sd).unwrap();
        Inputs {
            belief: Some(Belief::Normal { posterior, shape: TWO_WAY }),
            price: price(decimal),
            hurdle: DEFAULT_HURDLE,
        }
    }

    #[test]
    fn a_bet_that_is_more_likely_bad_than_good_is_a_veto() {
        assert_eq!(score(&inputs(0.45, 0.05, 2.0)).value(), Some(0.0));
        assert_eq!(score(&inputs(0.999_999, 0.05, 1.005)).value(), Some(0.0), "the hurdle is out of reach");
    }

    #[test]
    fn without_any_error_the_answer_is_yes_or_no() {
        assert_eq!(score(&inputs(0.6, 0.0, 2.0)).value(), Some(1.0));
        assert_eq!(score(&inputs(0.4, 0.0, 2.0)).value(), Some(0.0));
    }

    #[test]
    fn no_belief_is_missing() {
        assert_eq!(score(&Inputs { belief: None, ..inputs(0.6, 0.1, 2.0) }).value(), None);
        let empty = Inputs { belief: Some(Belief::Draws(Vec::new())), ..inputs(0.6, 0.1, 2.0) };
        assert_eq!(score(&empty).value(), None);
    }

    #[test]
    fn the_break_even_of_a_two_way_bet_is_the_price_with_its_hurdle() {
        let even = break_even_logit(&TWO_WAY, price(1.97), 0.01).unwrap();
        assert!((even - logit(1.01 / 1.97)).abs() < 1e-12);
    }

    #[test]
    fn at_break_even_a_quarter_line_returns_exactly_the_hurdle() {
        let shape = GradeProbabilities([0.35, 0.22, 0.03, 0.1, 0.3]);
        let even = break_even_logit(&shape, price(1.95), 0.01).unwrap();
        let tilted = tilt_to(&shape, logistic(even)).unwrap();
        assert!((tilted.expected_net(price(1.95)) - 0.01).abs() < 1e-12);
    }

    #[test]
    fn draws_are_counted_with_half_a_doubt() {
        let good = GradeProbabilities([0.6, 0.0, 0.0, 0.0, 0.4]);
        let bad = GradeProbabilities([0.4, 0.0, 0.0, 0.0, 0.6]);
        let belief = Belief::Draws(vec![good, good, bad]);
        assert_eq!(chance_of_value(&belief, price(2.0), 0.01), Some(2.5 / 4.0));
    }

    #[test]
    fn graham_would_call_it_a_discount() {
        assert!((graham_margin(0.55, price(2.0)) - 1.0 / 11.0).abs() < 1e-12);
    }
}
