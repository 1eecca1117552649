//! What one parameter may be: a range of numbers, evenly or by orders of magnitude, or one of a few values.
//!
//! # Example
//! ```
//! use serde_json::json;
//! use sweep::Domain;
//! let rate = Domain::Log { low: 5e-4, high: 2e-2 };
//! assert!(rate.contains(&json!(0.003)) && !rate.contains(&json!(0.1)));
//! assert_eq!(Domain::Int { low: 1, high: 2, step: None }.values(10).unwrap(), [json!(1), json!(2)]);
//! ```

use optimizer::{
    distribution::{CategoricalDistribution, Distribution, FloatDistribution, IntDistribution},
    param::ParamValue,
};
use serde_json::Value;

/// Integers up to here are exact as the floats that the sampler computes with.
const LARGEST_INT: i64 = 1 << 53;
/// How far from a whole number of steps a number may lie, in steps.
const STEP_TOLERANCE: f64 = 1e-6;

/// What one parameter may be; bounds belong to it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Domain {
    /// A number, any of which is as likely as another.
    Float {
        /// Least.
        low: f64,
        /// Greatest.
        high: f64,
        /// Distance between the numbers that may be, counted from `low`; any number when absent.
        step: Option<f64>,
    },
    /// A positive number, of which every order of magnitude is as likely as another.
    Log {
        /// Least, above zero.
        low: f64,
        /// Greatest.
        high: f64,
    },
    /// A whole number.
    Int {
        /// Least.
        low: i64,
        /// Greatest.
        high: i64,
        /// Distance between the numbers that may be, counted from `low`; 1 when absent.
        step: Option<i64>,
    },
    /// One of these numbers, texts or truth values, which have no order.
    Choice(Vec<Value>),
}

/// What is wrong with a domain.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DomainError {
    /// A bound is not a number, or infinite.
    #[error("its bounds {low} and {high} must be finite")]
    NotFinite {
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// There is nothing between the bounds.
    #[error(
        "its lower bound {low} must be below its upper bound {high}; leave it out to keep it at one value"
    )]
    Empty {
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// Zero and less have no logarithm.
    #[error("its lower bound {low} must be above zero to have a logarithm; write `float` for an even range")]
    NoLogarithm {
        /// Lower bound.
        low: f64,
    },
    /// A bound is larger than a float can tell from its neighbour.
    #[error("its bound {0} is beyond 2^53")]
    TooLarge(i64),
    /// The steps miss the upper bound.
    #[error("steps of {step} do not lead from {low} to {high}")]
    Step {
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
        /// Distance.
        step: f64,
    },
    /// There is nothing to choose.
    #[error("there is nothing to choose from; list at least two values")]
    NoChoice,
    /// There is only one value.
    #[error("there is only {0} to choose from; leave it out to keep it at one value")]
    OneChoice(Value),
    /// A value is listed twice.
    #[error("{0} is listed twice")]
    Duplicate(Value),
    /// A value is a list, a table, an instant or not a number.
    #[error("{0} is no finite number, text or truth value")]
    NoValue(Value),
    /// It is not said what the parameter may be, or more than once.
    #[error("it needs exactly one of `float`, `log`, `int` and `choice`")]
    Kind,
    /// A step where there is none.
    #[error("`step` goes only with `float` and `int`")]
    StepElsewhere,
    /// A step of whole numbers that is not one.
    #[error("the step {0} of whole numbers is not whole")]
    StepNotWhole(f64),
}

/// Compares values as a reader would: 2 is 2.0.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b).is_eq(),
        _ => a == b,
    }
}

impl Domain {
    /// Refuses a domain that holds nothing, or not what it seems to.
    pub fn check(&self) -> Result<(), DomainError> {
        match self {
            Self::Float { low, high, step } => {
                check_range(*low, *high)?;
                step.map_or(Ok(()), |step| check_step(*low, *high, step))
            }
            Self::Log { low, high } => {
                check_range(*low, *high)?;
                if *low <= 0.0 { Err(DomainError::NoLogarithm { low: *low }) } else { Ok(()) }
            }
            Self::Int { low, high, step } => {
                let large =
                    [*low, *high].into_iter().find(|bound| !(-LARGEST_INT..=LARGEST_INT).contains(bound));
                large.map_or(Ok(()), |bound| Err(DomainError::TooLarge(bound)))?;
                check_range(*low as f64, *high as f64)?;
                step.map_or(Ok(()), |step| check_step(*low as f64, *high as f64, step as f64))
            }
            Self::Choice(values) => check_choice(values),
        }
    }

    /// Tells whether the parameter may be `value`.
    pub fn contains(&self, value: &Value) -> bool {
        match self {
            Self::Float { low, high, step } => value.as_f64().is_some_and(|number| {
                let on_grid = |step: f64| is_whole((number - low) / step);
                (*low..=*high).contains(&number) && step.is_none_or(on_grid)
            }),
            Self::Log { low, high } => value.as_f64().is_some_and(|number| (*low..=*high).contains(&number)),
            Self::Int { low, high, step } => value.as_i64().is_some_and(|number| {
                (*low..=*high).contains(&number) && (number - low) % step.unwrap_or(1) == 0
            }),
            Self::Choice(values) => values.iter().any(|choice| same(choice, value)),
        }
    }

    /// Lists what the parameter may be, in order; none when that is any number, or more than `limit`.
    pub fn values(&self, limit: usize) -> Option<Vec<Value>> {
        match self {
            Self::Float { step: None, .. } | Self::Log { .. } => None,
            Self::Float { low, high, step: Some(step) } => {
                let steps = ((high - low) / step).round();
                let nth = |k: usize| Value::from(self.tidy(low + k as f64 * step));
                (steps < limit as f64).then(|| (0..=steps as usize).map(nth).collect())
            }
            Self::Int { low, high, step } => {
                let step = step.unwrap_or(1);
                let steps = (high - low) / step;
                (steps < limit as i64).then(|| (0..=steps).map(|k| Value::from(low + k * step)).collect())
            }
            Self::Choice(values) => (values.len() <= limit).then(|| values.clone()),
        }
    }

    /// Tells whether the numbers lie so close that one drawn is never a given one.
    pub(crate) fn is_continuous(&self) -> bool {
        matches!(self, Self::Float { step: None, .. } | Self::Log { .. })
    }

    /// Rounds to what a person would write: the last bits of a logarithm differ between machines, six digits do not.
    fn tidy(&self, number: f64) -> f64 {
        let (low, high, text) = match self {
            Self::Float { low, high, step } => {
                let finest = if step.is_some() { 11.0 } else { 5.0 };
                let decimals = (finest - (high - low).log10().floor()).clamp(0.0, 17.0) as usize;
                (*low, *high, format!("{number:.decimals$}"))
            }
            Self::Log { low, high } => (*low, *high, format!("{number:.5e}")),
            Self::Int { .. } | Self::Choice(_) => return number,
        };
        // Adding zero takes the sign from a negative zero.
        text.parse().unwrap_or(number).clamp(low, high) + 0.0
    }

    /// Says it in the sampler's words.
    pub(crate) fn distribution(&self) -> Distribution {
        match self {
            Self::Float { low, high, step } => Distribution::Float(FloatDistribution {
                low: *low,
                high: *high,
                log_scale: false,
                step: *step,
            }),
            Self::Log { low, high } => {
                Distribution::Float(FloatDistribution { low: *low, high: *high, log_scale: true, step: None })
            }
            Self::Int { low, high, step } => {
                Distribution::Int(IntDistribution { low: *low, high: *high, log_scale: false, step: *step })
            }
            Self::Choice(values) => {
                Distribution::Categorical(CategoricalDistribution { n_choices: values.len() })
            }
        }
    }

    /// Says what the sampler drew in words of ours; none when it drew something of another kind.
    pub(crate) fn value(&self, drawn: &ParamValue) -> Option<Value> {
        match (self, drawn) {
            (Self::Float { .. } | Self::Log { .. }, ParamValue::Float(number)) => {
                Some(self.tidy(*number).into())
            }
            (Self::Int { .. }, ParamValue::Int(number)) => Some((*number).into()),
            (Self::Choice(values), ParamValue::Categorical(index)) => values.get(*index).cloned(),
            _ => None,
        }
    }

    /// Says a value in the sampler's words; none when it lies outside.
    pub(crate) fn param(&self, value: &Value) -> Option<ParamValue> {
        if !self.contains(value) {
            return None;
        }
        match self {
            Self::Float { .. } | Self::Log { .. } => value.as_f64().map(ParamValue::Float),
            Self::Int { .. } => value.as_i64().map(ParamValue::Int),
            Self::Choice(values) => {
                values.iter().position(|choice| same(choice, value)).map(ParamValue::Categorical)
            }
        }
    }
}

fn is_whole(number: f64) -> bool {
    (number - number.round()).abs() < STEP_TOLERANCE
}

fn check_range(low: f64, high: f64) -> Result<(), DomainError> {
    if !(low.is_finite() && high.is_finite() && (high - low).is_finite()) {
        return Err(DomainError::NotFinite { low, high });
    }
    if low < high { Ok(()) } else { Err(DomainError::Empty { low, high }) }
}

fn check_step(low: f64, high: f64, step: f64) -> Result<(), DomainError> {
    let steps = (high - low) / step;
    let leads = step > 0.0 && steps.is_finite() && is_whole(steps) && steps.round() >= 1.0;
    if leads { Ok(()) } else { Err(DomainError::Step { low, high, step }) }
}

fn check_choice(values: &[Value]) -> Result<(), DomainError> {
    let odd = values.iter().find(|value| value.is_null() || value.is_array() || value.is_object());
    if let Some(value) = odd {
        return Err(DomainError::NoValue(value.clone()));
    }
    let twice = values.iter().enumerate().find(|(i, value)| values[..*i].iter().any(|v| same(v, value)));
    if let Some((_, value)) = twice {
        return Err(DomainError::Duplicate(value.clone()));
    }
    match values {
        [] => Err(DomainError::NoChoice),
        [value] => Err(DomainError::OneChoice(value.clone())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ranges_without_anything_between_are_refused() {
        let float = |low, high| Domain::Float { low, high, step: None }.check();
        assert!(float(0.0, 0.5).is_ok());
        assert!(matches!(float(0.5, 0.5), Err(DomainError::Empty { .. })));
        assert!(matches!(float(0.0, f64::NAN), Err(DomainError::NotFinite { .. })));
        assert!(matches!(float(f64::NEG_INFINITY, 0.0), Err(DomainError::NotFinite { .. })));
        assert!(matches!(float(-1e308, 1e308), Err(DomainError::NotFinite { .. })));
        assert!(matches!(Domain::Log { low: 0.0, high: 1.0 }.check(), Err(DomainError::NoLogarithm { .. })));
        let int = |low, high, step| Domain::Int { low, high, step }.check();
        assert_eq!(int(i64::MIN, 0, None), Err(DomainError::TooLarge(i64::MIN)));
        assert!(matches!(int(3, 2, None), Err(DomainError::Empty { .. })));
        for step in [0, -1, 3] {
            assert!(matches!(int(4, 12, Some(step)), Err(DomainError::Step { .. })), "{step}");
        }
    }

    #[test]
    fn choices_must_be_plain_several_and_different() {
        let check = |values: Value| Domain::Choice(values.as_array().unwrap().clone()).check();
        assert!(check(json!([16, "wide", true])).is_ok());
        assert_eq!(check(json!([])), Err(DomainError::NoChoice));
        assert_eq!(check(json!([1])), Err(DomainError::OneChoice(json!(1))));
        assert_eq!(check(json!([1, 2, 1.0])), Err(DomainError::Duplicate(json!(1.0))));
        assert_eq!(check(json!([1, null])), Err(DomainError::NoValue(Value::Null)));
        assert_eq!(check(json!([1, [2]])), Err(DomainError::NoValue(json!([2]))));
    }

    #[test]
    fn stepped_numbers_lie_on_their_grid_and_read_well() {
        let domain = Domain::Float { low: 0.0, high: 0.5, step: Some(0.1) };
        let values = domain.values(10).unwrap();
        assert_eq!(Value::from(values.clone()), json!([0.0, 0.1, 0.2, 0.3, 0.4, 0.5]));
        assert!(values.iter().all(|value| domain.contains(value)));
        assert!(!domain.contains(&json!(0.25)));
        assert_eq!(domain.values(5), None);
        let int = Domain::Int { low: 4, high: 12, step: Some(4) };
        assert_eq!(int.values(3).unwrap(), [json!(4), json!(8), json!(12)]);
        assert!(!int.contains(&json!(6)) && !int.contains(&json!(8.5)));
    }

    #[test]
    fn numbers_are_rounded_to_what_a_person_would_write() {
        let rate = Domain::Log { low: 5e-4, high: 2e-2 };
        assert_eq!(rate.value(&ParamValue::Float(0.003_184_721_234)), Some(json!(0.003_184_72)));
        let narrow = Domain::Float { low: 1.0, high: 1.000_001, step: None };
        assert_eq!(narrow.value(&ParamValue::Float(1.000_000_123_456_7)), Some(json!(1.000_000_123_457)));
        let wide = Domain::Float { low: -1.0, high: 1.0, step: None };
        assert_eq!(wide.value(&ParamValue::Float(-1e-9)).unwrap().to_string(), "0.0");
    }
}
