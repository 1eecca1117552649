//! Every vector of `vectors.json` (computed with independent implementations).

use market::{
    Grade, Points, Price, Selection,
    no_vig::{Method, no_vig},
    score, settlement,
};
use serde_json::Value;

fn vectors(section: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    all[section].as_array().cloned().unwrap_or_else(|| vec![all[section].clone()])
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

/// The vectors carry twelve decimals.
fn assert_close(got: f64, expected: f64, what: &str) {
    assert!((got - expected).abs() < 1e-9 * expected.abs().max(1.0), "{what}: {got} is not {expected}");
}

#[test]
fn american_odds_convert_both_ways() {
    for row in vectors("odds") {
        let price = Price::from_american(number(&row["american"]) as i32).unwrap();
        assert_close(price.decimal(), number(&row["decimal"]), "decimal");
        assert_close(price.implied(), number(&row["implied"]), "implied");
        assert_close(price.american(), number(&row["american"]), "american");
    }
}

#[test]
fn fractional_odds_convert() {
    for row in vectors("fractional") {
        let price = Price::from_fractional(row["frac"].as_str().unwrap()).unwrap();
        assert_close(price.decimal(), number(&row["decimal"]), "decimal");
        assert_close(price.american(), number(&row["american"]), "american");
    }
}

#[test]
fn every_no_vig_method_agrees_with_the_reference() {
    let methods = [
        ("multiplicative", Method::Multiplicative, None),
        ("additive", Method::Additive, None),
        ("power", Method::Power, Some("k")),
        ("shin", Method::Shin, Some("z")),
        ("odds_ratio", Method::OddsRatio, Some("c")),
        ("goto", Method::StandardError, None),
    ];
    let mut checked = 0;
    for row in vectors("no_vig") {
        for (key, method, parameter) in methods {
            let reference = &row[key];
            let expected = if parameter.is_some() { &reference["p"] } else { reference };
            if expected.is_null() {
                continue;
            }
            let fair = no_vig(&numbers(&row["odds"]), method).unwrap();
            for (got, expected) in fair.probabilities.iter().zip(numbers(expected)) {
                assert_close(*got, expected, &format!("{} {key}", row["name"]));
            }
            if let Some(name) = parameter {
                assert_close(fair.parameter.unwrap(), number(&reference[name]), name);
            }
            assert_close(fair.overround, number(&row["margin"]), "margin");
            assert_close(fair.hold(), number(&row["hold"]), "hold");
            checked += 1;
        }
    }
    assert!(checked >= 70, "only {checked} vectors were found");
}

#[test]
fn a_long_shot_is_flagged_where_additive_goes_negative() {
    let fair = no_vig(&[1.15, 5.0, 10.0, 25.0], Method::Additive).unwrap();
    assert!(fair.negative && !fair.underround);
}

#[test]
fn an_underround_market_is_flagged_and_shin_refuses_it() {
    let fair = no_vig(&[2.9, 3.6, 3.4], Method::OddsRatio).unwrap();
    assert!(fair.underround);
    assert_close(fair.parameter.unwrap(), 0.879_634_942_2, "c");
    assert!(no_vig(&[2.9, 3.6, 3.4], Method::Shin).is_err());
}

fn assert_settled(selection: Selection, points: f64, score: (i32, i32), row: &Value) {
    let points = Points::from_f64(points);
    let grade = settlement::grade(selection, points, score.0, score.1).unwrap();
    assert_eq!(
        grade.as_str().replace('_', "-"),
        row["state"].as_str().unwrap().replace(['_', ' '], "-"),
        "{row}"
    );
    let price = Price::new(number(&row["odds"])).unwrap();
    assert_close(grade.net(price), number(&row["net"]), "net");
}

#[test]
fn handicaps_settle_in_five_grades() {
    for row in vectors("settlement_handicap") {
        let margin = number(&row["margin"]) as i32;
        assert_settled(Selection::Home, number(&row["line"]), (margin + 10, 10), &row);
        assert_settled(Selection::Away, number(&row["line"]), (10, margin + 10), &row);
    }
}

#[test]
fn totals_settle_in_five_grades() {
    for row in vectors("settlement_total") {
        let selection = if row["side"] == "over" { Selection::Over } else { Selection::Under };
        assert_settled(selection, number(&row["line"]), (number(&row["total"]) as i32, 0), &row);
    }
}

#[test]
fn ranked_probability_and_brier_scores_agree() {
    for row in vectors("rps") {
        let observed = number(&row["y"]) as usize;
        let p = numbers(&row["p"]);
        assert_close(score::ranked_probability_score(&p, observed), number(&row["rps"]), "rps");
        assert_close(score::brier(&p, observed), number(&row["brier"]), "brier");
    }
}

#[test]
fn binary_scores_and_calibration_error_agree() {
    let row = vectors("binary_scores").remove(0);
    let happened = numbers(&row["y"]).into_iter().map(|y| y > 0.5);
    let forecasts: Vec<(f64, bool)> = numbers(&row["p"]).into_iter().zip(happened).collect();
    let mean = |each: &dyn Fn(&[f64], usize) -> f64| {
        let sum: f64 = forecasts.iter().map(|(p, y)| each(&[*p, 1.0 - p], usize::from(!y))).sum();
        sum / forecasts.len() as f64
    };
    assert_close(mean(&score::log_loss), number(&row["logloss"]), "log-loss");
    assert_close(mean(&score::brier), number(&row["brier"]), "brier");
    assert_close(score::expected_calibration_error(&forecasts, 5), number(&row["ece5"]), "ece");
    let worst =
        score::reliability(&forecasts, 5).iter().map(|b| (b.forecast - b.observed).abs()).fold(0.0, f64::max);
    assert_close(worst, number(&row["mce5"]), "mce");
}

#[test]
fn a_grade_reads_back_from_its_word() {
    for grade in Grade::ALL {
        assert_eq!(Grade::parse(grade.as_str()), Some(grade));
    }
}
