//! The worked example of the domain notes, section 5.7.

use lenses::{
    Lens, LensKind, MarketOpinion, Posterior, Weights, aggregate, circle_of_competence, fat_pitch,
    margin_of_safety, moat, mr_market, posterior,
};
use market::{GradeProbabilities, Price, predictor::InformationWeight};
use serde_json::Value;

/// The vectors are printed with twelve digits; what follows from them is good to this.
const TOLERANCE: f64 = 1e-8;

fn example() -> Value {
    let file: Value = serde_json::from_str(include_str!("../vectors.json")).unwrap();
    file["lens_example"].clone()
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap()
}

fn numbers(value: &Value, key: &str) -> Vec<f64> {
    value[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn close(left: f64, right: f64) {
    assert!((left - right).abs() < TOLERANCE, "{left} is not {right}");
}

fn information(v: &Value) -> InformationWeight {
    InformationWeight {
        weight: number(v, "w"),
        standard_error: number(v, "se_w"),
        games: 2000,
        calibration_sd: number(v, "s_cal"),
        market_move_sd: Some(number(v, "s_move")),
    }
}

fn belief(v: &Value) -> Posterior {
    let market = MarketOpinion { probability: number(v, "q"), sd_logit: number(v, "s_q"), books: 5 };
    Posterior::new(&numbers(v, "ensemble"), Some(market), Some(&information(v))).unwrap()
}

fn five_lenses(v: &Value) -> [Lens; 5] {
    let price = Price::new(number(v, "odds")).unwrap();
    let clv = moat::ClvRecord { mean: number(v, "clv"), standard_error: number(v, "se_clv"), games: 50 };
    [
        circle_of_competence::score(&circle_of_competence::Inputs {
            information: Some(information(v)),
            effective_games: Some(number(v, "n_eff")),
            half_way_games: number(v, "kappa"),
            conformal_p: Some(number(v, "conformal_p")),
        }),
        margin_of_safety::score(&margin_of_safety::Inputs {
            belief: Some(margin_of_safety::Belief::Normal {
                posterior: belief(v),
                shape: posterior::TWO_WAY,
            }),
            price,
            hurdle: number(v, "hurdle"),
        }),
        mr_market::score(&mr_market::Inputs {
            consensus: Some(number(v, "q")),
            drift: 0.0,
            price,
            remaining_movement: Some(number(v, "tau")),
            move_sd: Some(number(v, "s_move")),
        }),
        moat::score(&moat::Inputs { scenario_returns: numbers(v, "scenarios"), past_clv: Some(clv) }),
        fat_pitch::score(&fat_pitch::Inputs {
            growth_added: Some(number(v, "delta_growth")),
            reference_growth: fat_pitch::REFERENCE_GROWTH,
            exposure: 0.0,
            exposure_cap: 0.1,
            drawdown: 0.0,
        }),
    ]
}

fn weights(v: &Value) -> Weights {
    Weights::new("worked", numbers(v, "weights").try_into().unwrap()).unwrap()
}

#[test]
fn the_posterior_is_that_of_the_example() {
    let v = example();
    let belief = belief(&v);
    close(belief.mean_logit, number(&v, "mu_logit"));
    close(belief.sd_logit, number(&v, "s_logit"));
    let p = belief.probability;
    let two_way = GradeProbabilities([p, 0.0, 0.0, 0.0, 1.0 - p]);
    close(two_way.expected_net(Price::new(number(&v, "odds")).unwrap()), number(&v, "edge"));
}

#[test]
fn the_five_lenses_are_those_of_the_example() {
    let v = example();
    for ((kind, lens), expected) in LensKind::ALL.iter().zip(five_lenses(&v)).zip(numbers(&v, "lenses")) {
        let value = lens.value().unwrap();
        assert!((value - expected).abs() < TOLERANCE, "{kind}: {value} is not {expected}");
    }
}

#[test]
fn the_score_and_its_contributions_are_those_of_the_example() {
    let v = example();
    let whole = aggregate(&five_lenses(&v), &weights(&v));
    close(whole.score().unwrap(), number(&v, "score"));
    let lenses::Aggregate::Scored { contributions, coverage, .. } = whole else { panic!("not scored") };
    assert!(coverage.abs() < 1e-12, "nothing is missing: {coverage}");
    for (ours, expected) in contributions.iter().zip(numbers(&v, "contrib")) {
        close(ours.unwrap(), expected);
    }
}

#[test]
fn a_missing_lens_is_paid_for_and_a_zero_is_a_veto() {
    let v = example();
    let mut lenses = five_lenses(&v);
    lenses[2] = Lens::missing("no consensus");
    close(aggregate(&lenses, &weights(&v)).score().unwrap(), number(&v, "score_missing_mr_market"));
    lenses = five_lenses(&v);
    lenses[0] = Lens::veto("outside");
    close(aggregate(&lenses, &weights(&v)).score().unwrap(), number(&v, "score_zero_circle"));
}
