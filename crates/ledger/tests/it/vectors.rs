//! The vectors of the domain notes, sections 6.3 to 6.6, from `tests/vectors.json`.

use ledger::{
    ClosingLine, Outcome, SettlementRule, clv, kelly,
    simultaneous::{self, Group},
};
use market::{Grade, GradeProbabilities, Market, Money, Points, Price, Selection};
use serde_json::Value;

fn vectors(key: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("../vectors.json")).unwrap();
    file[key].as_array().unwrap().clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn price(value: &Value) -> Price {
    Price::new(number(value)).unwrap()
}

fn two_way(p: f64) -> GradeProbabilities {
    GradeProbabilities([p, 0.0, 0.0, 0.0, 1.0 - p])
}

fn close(left: f64, right: f64, tolerance: f64, what: &Value) {
    assert!((left - right).abs() <= tolerance, "{left} is not {right} in {what}");
}

#[test]
fn kelly_single() {
    for v in vectors("kelly_single") {
        let (p, odds) = (number(&v["p"]), price(&v["odds"]));
        // Twelve printed digits, of the price too.
        close(kelly::single(p, odds), number(&v["f"]), 1e-11, &v);
        close(kelly::of_grades(&two_way(p), odds), number(&v["f"]), 1e-11, &v);
        for (scale, growth) in v["g"].as_object().unwrap() {
            let fraction = number(&v["f"]) * scale.parse::<f64>().unwrap();
            close(kelly::growth(&two_way(p), odds, fraction), number(growth), 1e-11, &v);
        }
    }
}

#[test]
fn kelly_mutually_exclusive() {
    for v in vectors("kelly_exclusive") {
        let probabilities = v["p"].as_array().unwrap().iter().map(number);
        let bets: Vec<(f64, Price)> =
            probabilities.zip(v["odds"].as_array().unwrap().iter().map(price)).collect();
        let solution = kelly::exclusive(&bets).unwrap();
        for (ours, expected) in solution.fractions.iter().zip(v["f"].as_array().unwrap()) {
            close(*ours, number(expected), 1e-11, &v);
        }
        close(solution.reserve, number(&v["R"]), 1e-11, &v);
        close(solution.growth, number(&v["growth"]), 1e-11, &v);
    }
}

#[test]
fn kelly_independent() {
    for v in vectors("kelly_independent") {
        let bet = |pair: &Value| Group::single(&two_way(number(&pair[0])), price(&pair[1]));
        let bets: Vec<Group> = v["bets"].as_array().unwrap().iter().map(bet).collect();
        let solution = simultaneous::allocate(&bets, v["cap"].as_f64());
        let tolerance = number(&v["f_tol"]);
        for (ours, expected) in solution.fractions.iter().zip(v["f"].as_array().unwrap()) {
            close(*ours, number(expected), tolerance, &v);
        }
        // Printed with nine digits.
        close(solution.growth, number(&v["growth"]), 1e-9, &v);
        let total: f64 = solution.fractions.iter().sum();
        assert!(v["cap"].as_f64().is_none_or(|cap| total <= cap + 1e-12));
    }
}

#[test]
fn kelly_of_two_even_money_bets_has_a_closed_form() {
    for p in [0.52, 0.55, 0.6, 0.7] {
        let q = 1.0 - p;
        let bet = Group::single(&two_way(p), Price::new(2.0).unwrap());
        let ours = simultaneous::allocate(&[bet.clone(), bet], None).fractions[0];
        let expected = (p - q) / (2.0 * (p * p + q * q));
        assert!((ours - expected).abs() < 1e-8, "{p}: {ours} is not {expected}");
    }
}

#[test]
fn kelly_of_the_five_states_of_a_quarter_line() {
    // -0.75 at 1.95 with P(win by 2 or more, by 1, draw, loss) = (.35, .22, .23, .20)
    let odds = Price::new(1.95).unwrap();
    let grades = GradeProbabilities([0.35, 0.22, 0.0, 0.0, 0.43]);
    let fraction = kelly::of_grades(&grades, odds);
    assert!((grades.expected_net(odds) - 0.007).abs() < 1e-12);
    assert!((fraction - 0.008_788_4).abs() < 5e-8, "printed with seven digits: {fraction}");
    assert!((kelly::growth(&grades, odds, fraction) - 3.077e-5).abs() < 5e-9);
    // What an averaged win, push and lose would stake, and lose in growth by it.
    assert!((kelly::growth(&grades, odds, 0.008_279_1) - 3.077e-5).abs() < 2e-7);
}

fn poisson(mean: f64, k: i32) -> f64 {
    (1..=k).fold((-mean).exp(), |p, i| p * mean / f64::from(i))
}

#[test]
fn kelly_of_over_two_and_a_quarter_goals() {
    let odds = Price::new(1.90).unwrap();
    let (two, less) = (poisson(2.6, 2), poisson(2.6, 0) + poisson(2.6, 1));
    let over = GradeProbabilities([1.0 - two - less, 0.0, 0.0, two, less]);
    assert!((over.expected_net(odds) - 0.040_506_152_9).abs() < 1e-10);
    // The notes print 0.0563229700; the root to ten digits is 0.0563229687.
    assert!((kelly::of_grades(&over, odds) - 0.056_322_970_0).abs() < 2e-9);
    let under = GradeProbabilities([less, two, 0.0, 0.0, 1.0 - two - less]);
    // The notes print -0.1279539185; the sum over all goals is -0.1279539182.
    assert!((under.expected_net(odds) + 0.127_953_918_5).abs() < 1e-9);
    assert!(kelly::of_grades(&under, odds).abs() < 1e-12);
}

fn settled(rule: SettlementRule, selection: Selection, home: u16, away: u16, v: &Value) {
    let points = Points::from_f64(number(&v["line"]));
    let outcome = rule.outcome(selection, points, home, away).unwrap();
    assert_eq!(outcome, Outcome::Graded(Grade::parse(v["state"].as_str().unwrap()).unwrap()), "{v}");
    close(outcome.net(price(&v["odds"])), number(&v["net"]), 1e-12, v);
    let stake: Money = "100.00".parse().unwrap();
    close(rule.profit(stake, price(&v["odds"]), outcome).as_f64(), 100.0 * number(&v["net"]), 1e-9, v);
}

#[test]
fn settlement_of_handicaps() {
    for v in vectors("settlement_handicap") {
        let margin = v["margin"].as_i64().unwrap();
        let (us, them) = (u16::try_from(margin.max(0)).unwrap(), u16::try_from((-margin).max(0)).unwrap());
        settled(SettlementRule::of(Market::Spread, false), Selection::Home, us, them, &v);
        settled(SettlementRule::of(Market::Spread, false), Selection::Away, them, us, &v);
    }
}

#[test]
fn settlement_of_totals() {
    for v in vectors("settlement_total") {
        let total = u16::try_from(v["total"].as_u64().unwrap()).unwrap();
        let side = Selection::parse(v["side"].as_str().unwrap()).unwrap();
        settled(SettlementRule::of(Market::Total, false), side, total, 0, &v);
    }
}

#[test]
fn closing_line_value() {
    for v in vectors("clv") {
        let probability = number(&v["fair_q_mult"]);
        let close_line = ClosingLine { price: price(&v["close"]), points: None, probability };
        let ours = clv::clv(price(&v["bet"]), None, &close_line).unwrap();
        close(ours.price.unwrap(), number(&v["price_clv"]), 1e-11, &v);
        close(ours.expected_value, number(&v["ev_clv"]), 1e-11, &v);
        close(ours.logit, number(&v["logit_clv"]), 1e-11, &v);
    }
}
