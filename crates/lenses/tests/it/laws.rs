//! Laws of the aggregate and of the lenses (domain notes, section 5.7), on random cases.

use lenses::{Aggregate, Lens, MarketOpinion, Posterior, Weights, aggregate, margin_of_safety, posterior};
use market::{GradeProbabilities, Price, predictor::InformationWeight};
use proptest::prelude::*;

fn any_lens() -> impl Strategy<Value = Lens> {
    prop_oneof![
        8 => (1e-9..=1.0).prop_map(Lens::Score),
        1 => Just(Lens::veto("zero")),
        1 => Just(Lens::missing("none")),
    ]
}

fn five() -> impl Strategy<Value = [Lens; 5]> {
    prop::array::uniform5(any_lens())
}

fn any_weights() -> impl Strategy<Value = Weights> {
    let weight = prop_oneof![1 => Just(0.0), 4 => 0.01..1.0];
    prop::array::uniform5(weight).prop_filter_map("all zero", |values| Weights::new("random", values).ok())
}

fn arithmetic_mean(lenses: &[Lens; 5], weights: &Weights) -> f64 {
    let pairs = || lenses.iter().zip(weights.values()).filter_map(|(l, w)| Some((l.value()?, w)));
    pairs().map(|(l, w)| l * w).sum::<f64>() / pairs().map(|(_, w)| w).sum::<f64>()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_score_lies_between_zero_and_the_arithmetic_mean(lenses in five(), weights in any_weights()) {
        if let Some(score) = aggregate(&lenses, &weights).score() {
            prop_assert!((0.0..=1.0).contains(&score));
            // Rounding of five logarithms and an exponential.
            prop_assert!(score <= arithmetic_mean(&lenses, &weights) + 1e-12);
        }
    }

    #[test]
    fn the_contributions_add_up_to_the_score(lenses in five(), weights in any_weights()) {
        if let Aggregate::Scored { score, contributions, coverage } = aggregate(&lenses, &weights) {
            let sum = contributions.iter().flatten().sum::<f64>() + coverage;
            prop_assert!((sum.exp() - score).abs() <= f64::EPSILON * score.max(1e-300));
        }
    }

    #[test]
    fn a_better_lens_never_lowers_the_score(
        lenses in five(), weights in any_weights(), which in 0..5_usize, more in 0.0..=1.0_f64,
    ) {
        if let Some(value) = lenses[which].value() {
            let mut better = lenses.clone();
            better[which] = Lens::of(value + more * (1.0 - value), || "still zero".into());
            let (before, after) = (aggregate(&lenses, &weights).score(), aggregate(&better, &weights).score());
            prop_assert!(after.unwrap_or(0.0) >= before.unwrap_or(0.0) - 1e-12);
        }
    }

    #[test]
    fn the_order_of_the_lenses_does_not_matter(
        lenses in five(), weights in any_weights(), order in Just([0, 1, 2, 3, 4]).prop_shuffle(),
    ) {
        let shuffled = order.map(|i| lenses[i].clone());
        let values = order.map(|i| weights.values()[i]);
        let again = aggregate(&shuffled, &Weights::new("shuffled", values).unwrap());
        let (left, right) = (aggregate(&lenses, &weights).score(), again.score());
        prop_assert_eq!(left.is_some(), right.is_some());
        // The sum is taken in another order.
        prop_assert!((left.unwrap_or(0.0) - right.unwrap_or(0.0)).abs() < 1e-12);
    }

    #[test]
    fn equal_lenses_score_what_each_scores(value in 1e-6..=1.0_f64, weights in any_weights()) {
        let lenses = [(); 5].map(|()| Lens::Score(value));
        prop_assert!((aggregate(&lenses, &weights).score().unwrap() - value).abs() < 1e-12);
    }

    #[test]
    fn the_belief_lies_between_market_and_model(p in 0.0..=1.0_f64, q in 0.0..=1.0_f64, weight in 0.0..=1.0_f64) {
        let information = InformationWeight {
            weight, standard_error: 0.05, games: 500, calibration_sd: 0.1, market_move_sd: None };
        let market = MarketOpinion { probability: q, sd_logit: 0.05, books: 3 };
        let belief = Posterior::new(&[p], Some(market), Some(&information)).unwrap();
        // The clip at one in a million is wider than rounding.
        prop_assert!(belief.probability >= p.min(q) - 2e-6 && belief.probability <= p.max(q) + 2e-6);
        prop_assert!(belief.sd_logit > 0.0);
        prop_assert!(belief.interval_90[0] <= belief.probability && belief.probability <= belief.interval_90[1]);
    }

    #[test]
    fn a_better_price_never_lowers_the_margin_of_safety(
        p in 0.01..0.99_f64, push in 0.0..0.5_f64, sd in 0.01..0.5_f64, odds in 1.01..20.0_f64, more in 0.0..5.0_f64,
    ) {
        let shape = GradeProbabilities([p * (1.0 - push), 0.0, push, 0.0, (1.0 - p) * (1.0 - push)]);
        let posterior = Posterior::from_logit((p / (1.0 - p)).ln(), sd).unwrap();
        let score = |odds: f64| margin_of_safety::score(&margin_of_safety::Inputs {
            belief: Some(margin_of_safety::Belief::Normal { posterior, shape }),
            price: Price::new(odds).unwrap(),
            hurdle: 0.01,
        }).value().unwrap();
        prop_assert!(score(odds + more) >= score(odds) - 1e-12);
    }

    #[test]
    fn shrunk_grades_are_probabilities_between_market_and_model(
        masses in prop::array::uniform5(0.01..1.0_f64), q in 0.01..0.99_f64, weight in 0.0..=1.0_f64,
    ) {
        let sum: f64 = masses.iter().sum();
        let member = GradeProbabilities(masses.map(|m| m / sum));
        let shrunk = posterior::shrunk_grades(&[member], Some(q), weight).unwrap();
        prop_assert!((shrunk.0.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let (low, high) = (q.min(member.win_share()), q.max(member.win_share()));
        prop_assert!((low - 1e-9..=high + 1e-9).contains(&shrunk.win_share()));
    }
}
