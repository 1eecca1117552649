//! The standard normal distribution, on which the lenses measure how sure something is.
//!
//! # Example
//! ```
//! use lenses::normal::distribution_function;
//! assert!((distribution_function(1.0) - 0.841_344_746).abs() < 1e-9);
//! ```

/// Returns the probability that a standard normal variable is below `z`.
pub fn distribution_function(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}
