//! The next point: what the sampler makes of the trials before, with nothing of its own kept between two suggestions.
//!
//! A sampler is made anew for each suggestion, seeded by the study's seed, the trial's number and how often it was
//! drawn, so that a study that is read from its file goes on as one that was never put away. Each parameter is
//! estimated from the trials that had it, and only from its own values (the library would take those of any parameter
//! with the same range).

use std::collections::HashMap;

use optimizer::{
    param::ParamValue,
    parameter::ParamId,
    sampler::{CompletedTrial, RandomSampler, Sampler as _, TpeSampler},
};

use crate::{Domain, Point, Sampler, Space};

/// Trials at random before the estimator has anything to go by; each parameter counts those that had it.
const STARTUP: usize = 8;
/// Share of the trials that the estimator takes for good ones; with the library's own 0.25 it does not beat chance
/// in the valley of this crate's tests, over 40 seeds.
const GOOD: f64 = 0.15;
/// Points that the estimator draws to pick one.
const CANDIDATES: usize = 24;

/// What is known of the points before, from the best to the worst.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    /// Points, filled up with the base settings.
    pub(crate) ranked: Vec<Point>,
    /// How many of them have a result; those behind are under way and stand in the last places, so that the
    /// next suggestion keeps away from them ("constant liar", Ginsbourger et al. 2010).
    pub(crate) with_result: usize,
}

/// Suggests a point; every parameter that exists has a value.
pub(crate) fn suggest(space: &Space, sampler: Sampler, seed: u64, evidence: &Evidence) -> Point {
    let chance = RandomSampler::with_seed(seed);
    let mut point = Point::new();
    for (index, (name, parameter)) in space.in_order().enumerate() {
        if !space.exists(name, &point) {
            continue;
        }
        let domain = &parameter.domain;
        let distribution = domain.distribution();
        let (history, with_result) = history(name, domain, evidence);
        let drawn = match estimator(seed, with_result, history.len()) {
            Some(estimator) if sampler == Sampler::Tpe => {
                estimator.sample(&distribution, index as u64, &history)
            }
            _ => chance.sample(&distribution, index as u64, &[]),
        };
        if let Some(value) = domain.value(&drawn) {
            point.insert(name.clone(), value);
        }
    }
    point
}

/// Makes an estimator that takes its share of the trials with a result, and none under way, for good ones.
///
/// None while there is too little to estimate from.
fn estimator(seed: u64, with_result: usize, all: usize) -> Option<TpeSampler> {
    if with_result < STARTUP {
        return None;
    }
    let good = (GOOD * with_result as f64).ceil();
    // The library rounds its share of all trials up.
    TpeSampler::with_config((good - 0.5) / all as f64, 0, CANDIDATES, None, Some(seed)).ok()
}

/// Returns the ranked values of one parameter in the sampler's words, and how many of them have a result.
///
/// The estimator only asks which is better, so the place stands for the loss.
fn history(name: &str, domain: &Domain, evidence: &Evidence) -> (Vec<CompletedTrial>, usize) {
    let id = ParamId::new();
    let distribution = domain.distribution();
    let value = |(place, point): (usize, &Point)| Some((place, domain.param(point.get(name)?)?));
    let known: Vec<(usize, ParamValue)> = evidence.ranked.iter().enumerate().filter_map(value).collect();
    let with_result = known.iter().filter(|(place, _)| *place < evidence.with_result).count();
    let trial = |(place, value): (usize, ParamValue)| {
        let distributions = HashMap::from([(id, distribution.clone())]);
        CompletedTrial::new(
            place as u64,
            HashMap::from([(id, value)]),
            distributions,
            HashMap::new(),
            place as f64,
        )
    };
    (known.into_iter().map(trial).collect(), with_result)
}

/// Mixes numbers to a seed (the finaliser of `SplitMix64`, Steele et al. 2014).
pub(crate) fn mix(numbers: &[u64]) -> u64 {
    numbers.iter().fold(0, |seed, number| {
        let mut z = (seed ^ number).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}
