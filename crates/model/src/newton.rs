//! Maximum likelihood of a few parameters by Newton's method, with standard errors.

use market::consensus::logistic;

/// A minimum and the curvature there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Minimum {
    pub(crate) at: Vec<f64>,
    /// Second derivatives; of a negative log-likelihood: the information.
    pub(crate) hessian: Vec<Vec<f64>>,
}

impl Minimum {
    /// Returns the square root of the inverse Hessian's diagonal at `index`; none where it is not positive.
    pub(crate) fn standard_error(&self, index: usize) -> Option<f64> {
        let mut unit = vec![0.0; self.at.len()];
        unit[index] = 1.0;
        let column = solve(self.hessian.clone(), unit)?;
        (column[index] > 0.0).then(|| column[index].sqrt())
    }
}

/// Minimises a smooth function by its gradient, from `start`; the Hessian is taken by central differences.
///
/// Steps are halved while they do not shorten the gradient. None when it does not converge.
pub(crate) fn minimise(gradient: &dyn Fn(&[f64]) -> Vec<f64>, start: &[f64]) -> Option<Minimum> {
    let norm = |g: &[f64]| g.iter().map(|x| x * x).sum::<f64>().sqrt();
    let mut at = start.to_vec();
    let mut slope = gradient(&at);
    let tolerance = 1e-9 * norm(&slope).max(1.0);
    for _ in 0..100 {
        let hessian = differences(gradient, &at);
        if norm(&slope) <= tolerance {
            return Some(Minimum { at, hessian });
        }
        let step = solve(hessian.clone(), slope.clone())?;
        let mut size = 1.0;
        let moved = loop {
            let next: Vec<f64> = at.iter().zip(&step).map(|(x, s)| x - size * s).collect();
            let next_slope = gradient(&next);
            if norm(&next_slope) < norm(&slope) {
                break Some((next, next_slope));
            }
            if size < 1e-8 {
                break None;
            }
            size /= 2.0;
        };
        // No step shortens a gradient that rounding alone is left of.
        let Some((next, next_slope)) = moved else {
            return (norm(&slope) <= 1e3 * tolerance).then_some(Minimum { at, hessian });
        };
        (at, slope) = (next, next_slope);
    }
    None
}

fn differences(gradient: &dyn Fn(&[f64]) -> Vec<f64>, at: &[f64]) -> Vec<Vec<f64>> {
    let n = at.len();
    let mut hessian = vec![vec![0.0; n]; n];
    for i in 0..n {
        let step = 1e-5 * at[i].abs().max(1.0);
        let (mut up, mut down) = (at.to_vec(), at.to_vec());
        up[i] += step;
        down[i] -= step;
        let (up, down) = (gradient(&up), gradient(&down));
        for j in 0..n {
            hessian[j][i] = (up[j] - down[j]) / (2.0 * step);
        }
    }
    hessian
}

/// Solves `matrix · x = right` by elimination with pivots; none when singular.
pub(crate) fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let n = right.len();
    for column in 0..n {
        let pivot =
            (column..n).max_by(|a, b| matrix[*a][column].abs().total_cmp(&matrix[*b][column].abs()))?;
        if matrix[pivot][column].abs() < 1e-12 || !matrix[pivot][column].is_finite() {
            return None;
        }
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        for row in column + 1..n {
            let factor = matrix[row][column] / matrix[column][column];
            let above = matrix[column].clone();
            for (cell, above) in matrix[row].iter_mut().zip(above).skip(column) {
                *cell -= factor * above;
            }
            right[row] -= factor * right[column];
        }
    }
    for column in (0..n).rev() {
        let known: f64 = (column + 1..n).map(|k| matrix[column][k] * right[k]).sum();
        right[column] = (right[column] - known) / matrix[column][column];
    }
    Some(right)
}

/// Fits `logit P(y) = Σ βᵢ·xᵢ` with penalties `ridgeᵢ/2 · (βᵢ - centreᵢ)²`.
///
/// Rows are `(x, y)`, `y` in [0, 1].
pub(crate) fn logistic_regression(
    rows: &[(Vec<f64>, f64)],
    ridge: &[f64],
    centre: &[f64],
) -> Option<Minimum> {
    let gradient = |beta: &[f64]| {
        let mut slope: Vec<f64> = beta
            .iter()
            .zip(ridge.iter().zip(centre))
            .map(|(b, (ridge, centre))| ridge * (b - centre))
            .collect();
        for (x, y) in rows {
            let z: f64 = x.iter().zip(beta).map(|(x, b)| x * b).sum();
            let error = logistic(z) - y;
            slope.iter_mut().zip(x).for_each(|(s, x)| *s += error * x);
        }
        slope
    };
    minimise(&gradient, centre)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parabola_is_solved_in_one_step() {
        let found = minimise(&|x| vec![2.0 * (x[0] - 3.0) + x[1], x[0] + 4.0 * x[1]], &[0.0, 0.0]).unwrap();
        // The gradient is 0 where 2a + b = 6 and a + 4b = 0.
        assert!((found.at[0] - 24.0 / 7.0).abs() < 1e-8 && (found.at[1] + 6.0 / 7.0).abs() < 1e-8);
        assert!((found.standard_error(0).unwrap() - (4.0f64 / 7.0).sqrt()).abs() < 1e-6);
    }

    #[test]
    fn a_flat_direction_has_no_minimum() {
        assert!(minimise(&|x| vec![2.0 * x[0] - 2.0, 0.0], &[0.0, 0.0]).is_none());
    }

    #[test]
    fn the_intercept_of_a_share_has_the_textbook_error() {
        // 30 of 100: logit(0.3), standard error 1 / sqrt(n p (1 - p)).
        let rows: Vec<_> = (0..100).map(|i| (vec![1.0], if i < 30 { 1.0 } else { 0.0 })).collect();
        let found = logistic_regression(&rows, &[0.0], &[0.0]).unwrap();
        assert!((found.at[0] - (0.3f64 / 0.7).ln()).abs() < 1e-8);
        assert!(
            (found.standard_error(0).unwrap() - 1.0 / 21f64.sqrt()).abs() < 1e-5,
            "differences keep five digits"
        );
    }
}
