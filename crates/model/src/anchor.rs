//! Where a forecast starts: the tilt of a league's histogram that says what the books or else the ratings say.
//!
//! With `p(k) ∝ base(k) · exp(θ1·z + θ3·[k = 0])` the odds of home against away fix θ1, and the draw then fixes θ3; without
//! a price the ratings say the same in a league of few points, by way of Poisson scores; elsewhere θ1 is where the mean is what
//! they expect. The network adds to this tilt, so that an untrained one
//! repeats the market or the ratings, and a trained one has to earn every step away from them.

use market::{Distribution, consensus::logit};

/// Beyond so many standard deviations no price is believed.
const LIMIT: f64 = 4.0;

/// One value of a histogram: its probability and its place in standard deviations from the mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bin {
    pub(crate) value: i32,
    pub(crate) mass: f64,
    pub(crate) z: f64,
}

/// Returns the values of a histogram, ascending and without gaps.
pub(crate) fn bins(histogram: &Distribution) -> Vec<Bin> {
    let (mean, deviation) = (histogram.mean(), histogram.standard_deviation().max(1e-6));
    let bin = |(value, mass): (i32, f64)| Bin { value, mass, z: (f64::from(value) - mean) / deviation };
    histogram.iter().map(bin).collect()
}

/// Returns `(θ1, θ3)` at which `margins` give home, draw and away the probabilities of `consensus`.
///
/// θ3 stays 0 in a 2-way league, where a draw has no price. None where the probabilities are none of a game.
pub(crate) fn anchor(margins: &[Bin], [home, draw, away]: [f64; 3], three_way: bool) -> Option<(f64, f64)> {
    if !(home > 0.0 && away > 0.0) || (three_way && !(draw > 0.0 && draw < 1.0)) {
        return None;
    }
    let wanted = (home / away).ln();
    let mut tilt = 0.0;
    // Newton's steps on a difference of two convex functions, each of which moves by its side's mean.
    for _ in 0..50 {
        let (win, lose) = (side(margins, tilt, 1), side(margins, tilt, -1));
        if win.mass <= 0.0 || lose.mass <= 0.0 {
            return None;
        }
        let step = (wanted - (win.mass / lose.mass).ln()) / (win.mean - lose.mean).max(1e-6);
        tilt = (tilt + step.clamp(-1.0, 1.0)).clamp(-LIMIT, LIMIT);
        if step.abs() < 1e-10 {
            break;
        }
    }
    if !three_way {
        return Some((tilt, 0.0));
    }
    let decided = side(margins, tilt, 1).mass + side(margins, tilt, -1).mass;
    let level = side(margins, tilt, 0).mass;
    (level > 0.0).then(|| (tilt, (logit(draw) + (decided / level).ln()).clamp(-LIMIT, LIMIT)))
}

/// Returns θ1 at which the mean of the tilted histogram is `mean`, as far as its ends allow.
pub(crate) fn centre(bins: &[Bin], mean: f64) -> f64 {
    let mut tilt = 0.0;
    for _ in 0..50 {
        let (mut mass, mut first, mut place, mut both) = (0.0, 0.0, 0.0, 0.0);
        for (bin, power) in bins.iter().zip(powers(bins, tilt, 0.0)) {
            let weight = bin.mass * power;
            mass += weight;
            first += weight * f64::from(bin.value);
            place += weight * bin.z;
            both += weight * f64::from(bin.value) * bin.z;
        }
        let slope = (both - first * place / mass) / mass;
        let step = (mean - first / mass) / slope.max(1e-6);
        tilt = (tilt + step.clamp(-1.0, 1.0)).clamp(-LIMIT, LIMIT);
        if step.abs() < 1e-10 {
            break;
        }
    }
    tilt
}

/// Mass of one side of a tilted histogram, and the mean place within it.
struct Side {
    mass: f64,
    mean: f64,
}

fn side(margins: &[Bin], tilt: f64, sign: i32) -> Side {
    let (mut mass, mut sum) = (0.0, 0.0);
    let zero = margins.partition_point(|bin| bin.value < 0);
    let positive = margins.partition_point(|bin| bin.value <= 0);
    let of_sign = match sign {
        1 => &margins[positive..],
        0 => &margins[zero..positive],
        _ => &margins[..zero],
    };
    for (bin, power) in of_sign.iter().zip(powers(of_sign, tilt, 0.0)) {
        let weight = bin.mass * power;
        mass += weight;
        sum += weight * bin.z;
    }
    Side { mass, mean: if mass > 0.0 { sum / mass } else { 0.0 } }
}

/// Returns `exp(shift·z + width·z²)` of each bin.
///
/// Because places are evenly spaced, neighbours differ by a factor, and the factors by one: three exponentials and two
/// products per bin.
pub(crate) fn powers(bins: &[Bin], shift: f64, width: f64) -> impl Iterator<Item = f64> + use<> {
    let (first, last) = (bins.first().map_or(0.0, |bin| bin.z), bins.last().map_or(0.0, |bin| bin.z));
    let step = if bins.len() > 1 { (last - first) / (bins.len() - 1) as f64 } else { 0.0 };
    let mut power = (shift * first + width * first * first).exp();
    let mut factor = (shift * step + width * step * (2.0 * first + step)).exp();
    let change = (2.0 * width * step * step).exp();
    (0..bins.len()).map(move |_| {
        let this = power;
        power *= factor;
        factor *= change;
        this
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::smoothed_histogram;

    fn bins() -> Vec<Bin> {
        let margins: Vec<i32> = (0..400).map(|i| (i * 7 % 9) - 4 + (i % 2)).collect();
        let histogram = smoothed_histogram(&margins, i32::MIN).unwrap();
        super::bins(&histogram)
    }

    proptest! {
        #[test]
        fn the_tilted_histogram_says_what_the_market_says(home in 0.05..0.9f64, share in 0.1..0.9f64) {
            let draw = (1.0 - home) * share * 0.8;
            let away = 1.0 - home - draw;
            let bins = bins();
            let (tilt, level) = anchor(&bins, [home, draw, away], true).unwrap();
            let weight = |bin: &Bin| {
                bin.mass * (tilt * bin.z + if bin.value == 0 { level } else { 0.0 }).exp()
            };
            let sum: f64 = bins.iter().map(weight).sum();
            let of = |sign: i32| -> f64 {
                bins.iter().filter(|bin| bin.value.signum() == sign).map(weight).sum::<f64>() / sum
            };
            prop_assert!((of(1) - home).abs() < 1e-6, "{} for {home}", of(1));
            prop_assert!((of(0) - draw).abs() < 1e-6, "{} for {draw}", of(0));
            prop_assert!((of(-1) - away).abs() < 1e-6);
        }
    }

    #[test]
    fn powers_are_exponentials() {
        let bins: Vec<Bin> =
            (-70..90).map(|value| Bin { value, mass: 1.0, z: (f64::from(value) - 3.3) / 13.7 }).collect();
        for (shift, width) in [(0.0, 0.0), (4.0, 0.0), (-1.3, 0.4), (0.7, -0.9)] {
            for (bin, power) in bins.iter().zip(powers(&bins, shift, width)) {
                let wanted = (shift * bin.z + width * bin.z * bin.z).exp();
                assert!((power / wanted - 1.0).abs() < 1e-10, "{power} {wanted}");
            }
        }
        assert_eq!(
            powers(&bins[..1], 2.0, 1.0).next(),
            Some((2.0 * bins[0].z + bins[0].z * bins[0].z).exp())
        );
        assert_eq!(bins[..0].iter().zip(powers(&[], 1.0, 0.0)).count(), 0);
    }

    #[test]
    fn the_centred_histogram_has_the_mean_that_was_asked_for() {
        for wanted in [-2.5, 0.0, 1.3] {
            let bins = bins();
            let tilt = centre(&bins, wanted);
            let weights: Vec<f64> = bins.iter().map(|bin| bin.mass * (tilt * bin.z).exp()).collect();
            let sum: f64 = weights.iter().sum();
            let mean: f64 =
                bins.iter().zip(&weights).map(|(bin, w)| f64::from(bin.value) * w).sum::<f64>() / sum;
            assert!((mean - wanted).abs() < 1e-8, "{mean} for {wanted}");
        }
        assert!(centre(&bins(), 1e9) <= LIMIT, "no tilt reaches beyond the histogram");
    }

    #[test]
    fn a_two_way_price_moves_no_draw_and_nonsense_is_refused() {
        let (tilt, level) = anchor(&bins(), [0.7, 0.0, 0.3], false).unwrap();
        assert!(tilt > 0.0 && level == 0.0);
        assert_eq!(anchor(&bins(), [0.7, 0.0, 0.3], true), None, "a 3-way league has a draw");
        assert_eq!(anchor(&bins(), [1.0, 0.0, 0.0], false), None);
    }
}
