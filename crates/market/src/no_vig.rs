//! What a market's prices say once the bookmaker's margin is taken out (domain notes, section 6.2).
//!
//! Six methods that really differ; others in use are the same under another name: weights proportional
//! to odds equals additive, the logit shift equals odds-ratio, and Shin equals additive for two outcomes.
//!
//! # Example
//! ```
//! use market::no_vig::{Method, no_vig};
//! let fair = no_vig(&[2.6, 2.4, 4.3], Method::Shin).unwrap();
//! assert!((fair.probabilities[0] - 0.372_994_06).abs() < 1e-8);
//! assert!((fair.overround - 0.033_840_19).abs() < 1e-8);
//! ```

/// How the margin is shared among the selections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// In proportion to the implied probabilities.
    Multiplicative,
    /// In equal parts; can go negative.
    Additive,
    /// By a common power: `p = r^k`.
    Power,
    /// Against insiders (Shin 1993); refused for an underround market.
    Shin,
    /// By a common odds ratio; solvable for every market.
    OddsRatio,
    /// In proportion to each probability's standard error relative to itself, `√(1 - r)`; can go negative.
    StandardError,
}

impl Method {
    /// All methods.
    pub const ALL: [Self; 6] =
        [Self::Multiplicative, Self::Additive, Self::Power, Self::Shin, Self::OddsRatio, Self::StandardError];
}

/// Fair probabilities with what a reader of them should know.
#[derive(Debug, Clone, PartialEq)]
pub struct NoVig {
    /// One per price, in order; they sum to 1.
    pub probabilities: Vec<f64>,
    /// How they were made.
    pub method: Method,
    /// Overround `Σ 1/o - 1`; negative for an underround.
    pub overround: f64,
    /// The method's parameter: power `k`, Shin's `z`, odds ratio `c`.
    pub parameter: Option<f64>,
    /// Some probability is not positive (additive and standard-error on long shots).
    pub negative: bool,
    /// The prices sum to less than 1: somebody may be wrong, or it is an arbitrage.
    pub underround: bool,
}

impl NoVig {
    /// Returns what the book keeps of each unit staked: `1 - 1/Σ(1/o)`.
    pub fn hold(&self) -> f64 {
        1.0 - 1.0 / (1.0 + self.overround)
    }
}

/// Prices from which no fair probabilities follow.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoVigError {
    /// Fewer than two prices, or one that is no price.
    #[error("{0:?} is no complete market: at least two decimal odds above 1 are needed")]
    NoMarket(Vec<f64>),
    /// Shin's model assumes a margin.
    #[error("shin's method needs an overround, the prices sum to {0}: use the odds-ratio method")]
    Underround(f64),
    /// The equation had no root where one was sought.
    #[error("no {0:?} parameter fits these prices")]
    NotConverged(Method),
}

/// Takes the margin out of a complete market of decimal odds.
pub fn no_vig(odds: &[f64], method: Method) -> Result<NoVig, NoVigError> {
    if odds.len() < 2 || odds.iter().any(|o| !o.is_finite() || *o <= 1.0) {
        return Err(NoVigError::NoMarket(odds.to_vec()));
    }
    let implied: Vec<f64> = odds.iter().map(|o| 1.0 / o).collect();
    let sum: f64 = implied.iter().sum();
    let (probabilities, parameter) = match method {
        Method::Multiplicative => (implied.iter().map(|r| r / sum).collect(), None),
        Method::Additive => {
            let share = (sum - 1.0) / implied.len() as f64;
            (implied.iter().map(|r| r - share).collect(), None)
        }
        Method::StandardError => {
            let errors: Vec<f64> = implied.iter().map(|r| (1.0 - r).sqrt()).collect();
            let unit = (sum - 1.0) / errors.iter().sum::<f64>();
            (implied.iter().zip(&errors).map(|(r, error)| r - unit * error).collect(), None)
        }
        Method::Power => solve(&implied, method, f64::powf, (1e-3, 1e3))?,
        Method::OddsRatio => solve(&implied, method, |r, c| r / (c + r - c * r), (1e-6, 1e6))?,
        Method::Shin if sum < 1.0 => return Err(NoVigError::Underround(sum)),
        Method::Shin => shin(&implied, sum)?,
    };
    let negative = probabilities.iter().any(|p| *p <= 0.0);
    Ok(NoVig { probabilities, method, overround: sum - 1.0, parameter, negative, underround: sum < 1.0 })
}

type Solved = (Vec<f64>, Option<f64>);

/// Finds the parameter, on a logarithmic scale, at which the probabilities sum to 1.
///
/// `probability` falls with the parameter, so bisection cannot miss.
fn solve(
    implied: &[f64],
    method: Method,
    probability: impl Fn(f64, f64) -> f64,
    (low, high): (f64, f64),
) -> Result<Solved, NoVigError> {
    let excess = |log: f64| implied.iter().map(|r| probability(*r, log.exp())).sum::<f64>() - 1.0;
    let log = bisect(excess, low.ln(), high.ln()).ok_or(NoVigError::NotConverged(method))?;
    let parameter = log.exp();
    Ok((implied.iter().map(|r| probability(*r, parameter)).collect(), Some(parameter)))
}

/// Shin's share of insiders `z`, which falls to 0 as the overround does.
fn shin(implied: &[f64], sum: f64) -> Result<Solved, NoVigError> {
    let probability =
        |r: f64, z: f64| ((z * z + 4.0 * (1.0 - z) * r * r / sum).sqrt() - z) / (2.0 * (1.0 - z));
    let excess = |z: f64| implied.iter().map(|r| probability(*r, z)).sum::<f64>() - 1.0;
    let z = if sum - 1.0 < 1e-12 { Some(0.0) } else { bisect(excess, 0.0, 1.0 - 1e-9) };
    let z = z.ok_or(NoVigError::NotConverged(Method::Shin))?;
    Ok((implied.iter().map(|r| probability(*r, z)).collect(), Some(z)))
}

/// Returns the root of a falling function to the last bits, if it lies between.
fn bisect(falling: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> Option<f64> {
    if falling(low) < 0.0 || falling(high) > 0.0 {
        return None;
    }
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if falling(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(f64::midpoint(low, high))
}
