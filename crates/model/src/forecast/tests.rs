use std::collections::BTreeMap;

use graph::{Block, Children, NodeKind, Relation, features};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::{Device, Tensor};

use super::*;
use crate::{
    TrainSettings, net::Architecture, samples::Samples, smoothed_histogram, tilt::BaseTable, tree::Tree,
};

/// A block of random features with random gaps, two hops deep.
fn block(kind: NodeKind, rows: usize, hops: usize, random: &mut ChaCha8Rng) -> Block {
    let width = features::width(kind);
    let relations = Relation::ALL.into_iter().filter(|relation| relation.target() == kind && hops > 0);
    let children = relations.map(|relation| {
        let fan_out = if relation.is_single() { 1 } else { 3 };
        let mut present = vec![0.0; rows * fan_out];
        for places in present.chunks_exact_mut(fan_out) {
            let count = random.random_range(0..=fan_out);
            places[..count].fill(1.0);
        }
        let age_days = present.iter().map(|present| present * random.random_range(0.0..900.0)).collect();
        let mut below = block(relation.source(), rows * fan_out, hops - 1, random);
        for (features, present) in below.features.chunks_exact_mut(below.width).zip(&present) {
            for feature in features {
                *feature *= present;
            }
        }
        Children { relation, fan_out, present, age_days, block: below }
    });
    let children = children.collect();
    let features = (0..rows * width).map(|_| random.random_range(-3.0..3.0)).collect();
    Block { kind, rows, width, features, children }
}

fn leagues() -> Vec<LeagueBase> {
    let league = |id: &str, three_way: bool, scale: i32| {
        let margins: Vec<i32> = (0..300).map(|i| scale * ((i * 7 % 9) - 4) + i % 2).collect();
        let totals: Vec<i32> = (0..300).map(|i| scale * (i * 5 % 8)).collect();
        LeagueBase {
            league: market::LeagueId::new(id).unwrap(),
            three_way,
            games: 300,
            margin: smoothed_histogram(&margins, i32::MIN).unwrap(),
            total: smoothed_histogram(&totals, 0).unwrap(),
        }
    };
    vec![league("ball", false, 5), league("kick", true, 1)]
}

/// A member whose every weight was drawn at random.
fn member(schema: Schema, relative_time: bool, random: &mut ChaCha8Rng) -> Member {
    let settings = TrainSettings { hidden: 16, heads: 2, relative_time, ..TrainSettings::default() };
    let member = Member::new(Architecture::new(&settings, 2, schema), random.random(), Device::Cpu);
    for (name, mut variable) in member.store.variables() {
        let size: usize = variable.size().iter().product::<i64>() as usize;
        let range = if name.ends_with("scale") { 0.5..1.5 } else { -0.5..0.5 };
        let values: Vec<f32> = (0..size).map(|_| random.random_range(range.clone())).collect();
        tch::no_grad(|| variable.copy_(&Tensor::from_slice(&values).view(variable.size().as_slice())));
    }
    member.net.set_trust(random.random_range(0.1..1.0));
    member.net.set_confidence(random.random_range(0.8..1.2));
    member
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plain_numbers_forecast_what_libtorch_forecasts(seed: u64, games in 1..6usize, relative_time: bool) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let seeds = block(NodeKind::Game, games, 2, &mut random);
        let league: Vec<i64> = (0..games).map(|_| random.random_range(0..2)).collect();
        let consensus = (0..games).map(|_| random.random_bool(0.5).then_some([0.5, 0.2, 0.3])).collect();
        let expected = (0..games).map(|_| [random.random_range(-3.0..3.0), random.random_range(1.0..9.0)]).collect();
        let batch = Batch { seeds, league, consensus, expected };
        let tree = Tree::new(&batch).unwrap();
        let schema = Schema::of(&tree);
        let member = member(schema, relative_time, &mut random);
        let leagues = leagues();
        let table = BaseTable::new(&leagues, Device::Cpu);
        let places: Vec<usize> = batch.league.iter().map(|league| *league as usize).collect();
        let samples = Samples::of(tree, places.clone(), batch.consensus.clone(), batch.expected.clone());
        let samples = samples.anchored(&table);
        let by_torch = table.forecasts(&member.forecast(&table, &samples), &places).unwrap();
        let members = BTreeMap::from([(Variant::Hgt, vec![member])]);
        let plain = Forecaster::new(&leagues, &members).unwrap();
        let found = plain.forecast(Variant::Hgt, &batch).unwrap().remove(0);
        for (found, wanted) in found.iter().zip(&by_torch) {
            for (found, wanted) in [(&found.margin, &wanted.margin), (&found.total, &wanted.total)] {
                for (value, p) in wanted.iter() {
                    let q = found.probability(value);
                    prop_assert!((p - q).abs() < 2e-5, "{value}: {q} is not libtorch's {p}");
                }
            }
        }
    }
}

#[test]
fn a_foreign_batch_is_refused() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let seeds = block(NodeKind::Game, 1, 2, &mut random);
    let batch = |league: i64, seeds: Block| Batch {
        seeds,
        league: vec![league],
        consensus: vec![None],
        expected: vec![[0.0, 4.0]],
    };
    let schema = Schema::of(&Tree::new(&batch(0, seeds.clone())).unwrap());
    let members = BTreeMap::from([(Variant::Hgt, vec![member(schema, true, &mut random)])]);
    let plain = Forecaster::new(&leagues(), &members).unwrap();
    assert!(plain.forecast(Variant::Hgt, &batch(1, seeds.clone())).is_ok());
    assert!(matches!(plain.forecast(Variant::Hgt, &batch(2, seeds.clone())), Err(ModelError::Mismatch(_))));
    let mut other = seeds;
    other.children.truncate(1);
    assert!(matches!(plain.forecast(Variant::Hgt, &batch(0, other)), Err(ModelError::Mismatch(_))));
    assert!(
        plain
            .forecast(Variant::HgtMarket, &batch(0, block(NodeKind::Game, 1, 2, &mut random)))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn without_a_step_a_forecast_says_what_the_price_or_the_ratings_say() {
    let histograms = Histograms::new(&leagues());
    let said = |league: usize, consensus: Option<[f64; 3]>, expected: [f64; 2]| {
        let anchor = histograms.anchor(league, consensus, expected);
        histograms.forecast(league, &[0.0; 5], &anchor, &[1.0; 5]).unwrap()
    };
    let priced = said(1, Some([0.5, 0.3, 0.2]), [0.4, 2.6]).moneyline_three_way();
    for (found, wanted) in priced.iter().zip([0.5, 0.3, 0.2]) {
        assert!((found - wanted).abs() < 1e-6, "{priced:?}");
    }
    // Few points: Poisson scores; many: the mean that is expected.
    let rated = said(1, None, [0.4, 2.6]).moneyline_three_way();
    for (found, wanted) in rated.iter().zip(poisson_outcomes(0.4, 2.6)) {
        assert!((found - wanted).abs() < 1e-6, "{rated:?}");
    }
    assert!((said(0, None, [3.0, 17.0]).margin.mean() - 3.0).abs() < 1e-6);
    assert!((said(0, None, [3.0, 17.0]).total.mean() - 17.0).abs() < 1e-6);
}
