//! Rules that hold for any market, line and distribution.

use market::{
    Distribution, Game, LeagueId, LineRow, Market, Points, Price, RawRef, ScoreForecast, Selection,
    Timestamp,
    consensus::{consensus, latest_quotes},
    no_vig::{Method, no_vig},
};
use proptest::prelude::*;

fn odds() -> impl Strategy<Value = Vec<f64>> {
    // Two to five fair shares, then a margin of 1 to 12 %.
    (prop::collection::vec(0.05_f64..1.0, 2..6), 1.01_f64..1.12).prop_map(|(shares, booksum)| {
        let sum: f64 = shares.iter().sum();
        shares.iter().map(|share| sum / (share * booksum)).collect()
    })
}

fn distribution() -> impl Strategy<Value = Distribution> {
    (-30_i32..5, prop::collection::vec(0.01_f64..1.0, 1..60)).prop_map(|(first, mass)| {
        let sum: f64 = mass.iter().sum();
        Distribution::new(first, mass.iter().map(|p| p / sum).collect()).unwrap()
    })
}

proptest! {
    #[test]
    fn fair_probabilities_sum_to_one_and_keep_the_order(odds in odds()) {
        prop_assume!(odds.iter().all(|o| *o > 1.0));
        for method in Method::ALL {
            let fair = no_vig(&odds, method).unwrap();
            prop_assert!((fair.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{method:?}");
            for i in 1..odds.len() {
                let (shorter, fairer) = (odds[i - 1] < odds[i], fair.probabilities[i - 1] >= fair.probabilities[i] - 1e-12);
                prop_assert!(!shorter || fairer, "{method:?} {odds:?}");
            }
        }
    }

    #[test]
    fn shin_equals_additive_for_two_outcomes(p in 0.1_f64..0.9, booksum in 1.005_f64..1.1) {
        let odds = [1.0 / (p * booksum), 1.0 / ((1.0 - p) * booksum)];
        prop_assume!(odds.iter().all(|o| *o > 1.0));
        let (shin, additive) = (no_vig(&odds, Method::Shin).unwrap(), no_vig(&odds, Method::Additive).unwrap());
        prop_assert!((shin.probabilities[0] - additive.probabilities[0]).abs() < 1e-9);
    }

    #[test]
    fn both_sides_of_a_line_mirror_each_other(margin in distribution(), quarters in -60_i32..60) {
        let forecast = ScoreForecast { margin, total: Distribution::new(0, vec![1.0]).unwrap() };
        let points = Points::from_quarters(quarters);
        let home = forecast.grades(Selection::Home, Some(points)).unwrap();
        let away = forecast.grades(Selection::Away, Some(-points)).unwrap();
        for i in 0..5 {
            prop_assert!((home.0[i] - away.0[4 - i]).abs() < 1e-12);
        }
        prop_assert!((home.0.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn more_points_are_never_worth_less(margin in distribution(), quarters in -60_i32..60, price in 1.2_f64..4.0) {
        let forecast = ScoreForecast { margin, total: Distribution::new(0, vec![1.0]).unwrap() };
        let price = Price::new(price).unwrap();
        let net = |q| forecast.grades(Selection::Home, Some(Points::from_quarters(q))).unwrap().expected_net(price);
        prop_assert!(net(quarters + 1) >= net(quarters) - 1e-12);
    }

    #[test]
    fn a_distribution_reads_back_bit_for_bit(distribution in distribution()) {
        let text = serde_json::to_string(&distribution).unwrap();
        prop_assert_eq!(serde_json::from_str::<Distribution>(&text).unwrap(), distribution);
    }
}

fn quote(book: &str, selection: Selection, price: f64, captured_at: &str) -> LineRow {
    let league = LeagueId::new("x").unwrap();
    let start = "2026-01-02T00:00:00Z".parse().unwrap();
    LineRow {
        game: Game::new(&league, 2026, start, "2026-01-02".parse().unwrap(), "A", "B"),
        book: book.into(),
        market: Market::Moneyline,
        selection,
        points: None,
        price: Price::new(price).unwrap(),
        captured_at: captured_at.parse().unwrap(),
        is_closing: false,
        source: "test".into(),
        raw_ref: RawRef { payload: "0".into(), row: 0 },
    }
}

#[test]
fn the_latest_quote_is_the_last_strictly_before_the_instant() {
    let rows = [
        quote("b", Selection::Home, 2.0, "2026-01-01T10:00:00Z"),
        quote("b", Selection::Home, 2.1, "2026-01-01T11:00:00Z"),
        quote("b", Selection::Home, 2.2, "2026-01-01T12:00:00Z"),
    ];
    let as_of: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
    let latest = latest_quotes(&rows, as_of);
    assert_eq!(latest.len(), 1);
    assert_eq!(latest[0].price.to_string(), "2.10");
}

#[test]
fn the_consensus_is_the_median_of_complete_books() {
    let at = "2026-01-01T10:00:00Z";
    let rows = [
        quote("a", Selection::Home, 1.9, at),
        quote("a", Selection::Away, 1.9, at),
        quote("b", Selection::Home, 1.8, at),
        quote("b", Selection::Away, 2.0, at),
        quote("c", Selection::Home, 2.0, at),
        quote("c", Selection::Away, 1.8, at),
        quote("half", Selection::Home, 9.0, at),
    ];
    let all: Vec<&LineRow> = rows.iter().collect();
    let opinions = consensus(&all);
    assert_eq!(opinions.len(), 1);
    assert_eq!(opinions[0].books, 3, "a book with one side only does not count");
    assert!((opinions[0].probability(Selection::Home).unwrap() - 0.5).abs() < 1e-9);
    assert!(opinions[0].logit_sd > 0.03);
}
