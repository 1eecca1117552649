//! Sure profits and middles, by hand and on random slates.

use lenses::arbitrage::{middles, sure_profits};
use market::{
    Distribution, Game, LeagueId, LineRow, Market, Points, Price, RawRef, ScoreForecast, Selection,
    settlement::Tie,
};
use proptest::prelude::*;

fn line(book: &str, selection: Selection, points: Option<f64>, price: f64) -> LineRow {
    let nfl = LeagueId::new("nfl").unwrap();
    let start = "2021-11-12T01:20:00Z".parse().unwrap();
    LineRow {
        game: Game::new(&nfl, 2021, start, "2021-11-11".parse().unwrap(), "MIA", "BAL"),
        book: book.into(),
        market: if points.is_some() { selection.market() } else { Market::Moneyline },
        selection,
        points: points.and_then(Points::from_f64),
        price: Price::new(price).unwrap(),
        captured_at: "2021-11-11T08:00:00Z".parse().unwrap(),
        is_closing: false,
        source: "test".into(),
        raw_ref: RawRef { payload: "ab".into(), row: 0 },
    }
}

/// Home wins by 3 with probability 0.2, otherwise by 10 or not at all.
fn forecast() -> ScoreForecast {
    let mut margin = vec![0.0; 21];
    for (value, p) in [(-10, 0.4), (3, 0.2), (10, 0.4)] {
        margin[usize::try_from(value + 10).unwrap()] = p;
    }
    ScoreForecast {
        margin: Distribution::new(-10, margin).unwrap(),
        total: Distribution::new(44, vec![0.4, 0.2, 0.4]).unwrap(),
    }
}

#[test]
fn the_worked_example_of_the_notes() {
    // 1.36 against 5.5: stakes 801.749271 and 198.250729 of 1000, profit 90.379009.
    let quotes = [line("a", Selection::Home, None, 1.36), line("b", Selection::Away, None, 5.5)];
    let all: Vec<&LineRow> = quotes.iter().collect();
    let found = sure_profits(&all, Tie::Push);
    assert_eq!(found.len(), 1);
    assert!((found[0].net - 0.090_379_009).abs() < 1e-9);
    assert!((found[0].legs[0].share - 0.801_749_271).abs() < 1e-9);
    assert!((found[0].legs[1].share - 0.198_250_729).abs() < 1e-9);
}

#[test]
fn a_side_that_nobody_offers_makes_no_profit_sure() {
    let home_and_away = [line("a", Selection::Home, None, 2.5), line("b", Selection::Away, None, 2.6)];
    let two: Vec<&LineRow> = home_and_away.iter().collect();
    assert_eq!(sure_profits(&two, Tie::Push).len(), 1);
    let draw = line("c", Selection::Draw, None, 3.0);
    let three: Vec<&LineRow> = two.iter().copied().chain([&draw]).collect();
    assert!(sure_profits(&three, Tie::Push).is_empty(), "a draw loses both");
    assert!(sure_profits(&two, Tie::Loses).is_empty() && sure_profits(&two, Tie::Offered).is_empty());
    let apart = [line("a", Selection::Home, Some(-2.5), 2.1), line("b", Selection::Away, Some(3.5), 2.1)];
    assert!(
        sure_profits(&apart.iter().collect::<Vec<&LineRow>>(), Tie::Push).is_empty(),
        "other points are another market"
    );
}

#[test]
fn a_middle_is_worth_its_chance_and_costs_what_lies_outside() {
    let quotes = [line("a", Selection::Home, Some(-2.5), 1.95), line("b", Selection::Away, Some(3.5), 1.95)];
    let all: Vec<&LineRow> = quotes.iter().collect();
    let found = middles(&all, Some(&forecast()));
    assert_eq!(found.len(), 1);
    let middle = &found[0];
    assert!((middle.chance - 0.2).abs() < 1e-12);
    assert!((middle.outside + 0.025).abs() < 1e-12 && (middle.inside - 0.95).abs() < 1e-12);
    assert!((middle.expected - (0.2 * 0.95 - 0.8 * 0.025)).abs() < 1e-12);
    let short = [line("a", Selection::Home, Some(-2.5), 1.6), line("b", Selection::Away, Some(3.5), 1.6)];
    assert!(
        middles(&short.iter().collect::<Vec<&LineRow>>(), Some(&forecast())).is_empty(),
        "costs more than it brings"
    );
    assert!(middles(&all, None).is_empty(), "nobody knows the chance");
    let totals = [line("a", Selection::Over, Some(44.5), 2.0), line("b", Selection::Under, Some(45.5), 2.0)];
    assert!(
        (middles(&totals.iter().collect::<Vec<&LineRow>>(), Some(&forecast()))[0].chance - 0.2).abs() < 1e-12
    );
}

proptest! {
    #[test]
    fn whoever_wins_a_sure_profit_returns_the_same(
        prices in prop::collection::vec((0..3_u8, 0..2_u8, 1.02..6.0_f64), 0..14), draw in any::<bool>(),
    ) {
        let sides = [Selection::Home, Selection::Away, Selection::Draw];
        let lines: Vec<LineRow> = prices
            .into_iter()
            .filter(|(side, ..)| draw || *side < 2)
            .map(|(side, book, price)| line(["a", "b"][usize::from(book)], sides[usize::from(side)], None, price))
            .collect();
        for sure in sure_profits(&lines.iter().collect::<Vec<&LineRow>>(), Tie::Push) {
            prop_assert!((sure.legs.iter().map(|leg| leg.share).sum::<f64>() - 1.0).abs() < 1e-12);
            prop_assert!(sure.net > 0.0);
            for leg in &sure.legs {
                prop_assert!((leg.share * leg.line.price.decimal() - 1.0 - sure.net).abs() < 1e-9);
                let best = lines.iter().filter(|l| l.selection == leg.line.selection).map(|l| l.price.decimal());
                prop_assert!(best.fold(0.0, f64::max) <= leg.line.price.decimal());
            }
        }
    }
}
