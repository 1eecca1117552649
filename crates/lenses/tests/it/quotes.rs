//! From the rows of a game to candidates and to the evidence for each.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use lenses::{Evidence, GameQuotes, Lens, Refusal, assess, candidate::Quotes};
use market::{
    Distribution, Game, LeagueId, LineRow, Market, Points, Prediction, Price, RawRef, ScoreForecast,
    Selection, consensus::latest_quotes, settlement::Tie,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn game() -> Arc<Game> {
    let nfl = LeagueId::new("nfl").unwrap();
    Game::new(&nfl, 2021, at("2021-11-12T01:20:00Z"), "2021-11-11".parse().unwrap(), "MIA", "BAL")
}

fn line(book: &str, selection: Selection, points: Option<f64>, price: f64, captured_at: &str) -> LineRow {
    LineRow {
        game: game(),
        book: book.into(),
        market: if points.is_some() { selection.market() } else { Market::Moneyline },
        selection,
        points: points.and_then(Points::from_f64),
        price: Price::new(price).unwrap(),
        captured_at: at(captured_at),
        is_closing: false,
        source: "test".into(),
        raw_ref: RawRef { payload: "ab".into(), row: 0 },
    }
}

const NINE: &str = "2021-11-11T09:00:00Z";
const EIGHT: &str = "2021-11-11T08:00:00Z";
const SEVEN: &str = "2021-11-11T07:00:00Z";

fn day() -> SignedDuration {
    SignedDuration::from_hours(24)
}

#[test]
fn a_price_is_hidden_at_its_own_moment() {
    let quotes = Quotes::at(&[line("a", Selection::Home, None, 2.1, NINE)], at(NINE), day());
    assert!(quotes.candidates.is_empty() && quotes.refused.is_empty(), "not even refused: it is not known");
}

#[test]
fn old_moved_and_odd_prices_are_refused_with_a_reason() {
    let rows = [
        line("a", Selection::Home, Some(-3.5), 1.9, SEVEN),
        line("a", Selection::Home, Some(-3.0), 1.9, EIGHT),
        line("b", Selection::Home, None, 2.1, "2021-11-09T08:00:00Z"),
    ];
    let quotes = Quotes::at(&rows, at(NINE), day());
    assert_eq!(quotes.candidates.len(), 1);
    assert_eq!(quotes.candidates[0].line().points, Points::from_f64(-3.0));
    let reasons: Vec<&Refusal> = quotes.refused.iter().map(|(_, refusal)| refusal).collect();
    assert_eq!(reasons, [&Refusal::Superseded, &Refusal::Stale { age_hours: 49, max_age_hours: 24 }]);
    let running = Quotes::at(&rows, at("2021-11-12T01:20:00Z"), day());
    assert!(running.candidates.is_empty());
}

#[test]
fn the_best_price_of_each_selection_is_shopped_for() {
    let rows = [
        line("a", Selection::Home, None, 2.10, EIGHT),
        line("b", Selection::Home, None, 2.16, EIGHT),
        line("c", Selection::Home, None, 2.16, EIGHT),
        line("a", Selection::Away, None, 1.80, EIGHT),
    ];
    let quotes = Quotes::at(&rows, at(NINE), day());
    let best: Vec<(&str, Selection)> =
        quotes.best().iter().map(|c| (c.line().book.as_str(), c.line().selection)).collect();
    assert_eq!(best, [("b", Selection::Home), ("a", Selection::Away)]);
}

fn prediction() -> Prediction {
    let margin = Distribution::new(-2, vec![0.2, 0.2, 0.1, 0.2, 0.3]).unwrap();
    let total = Distribution::new(1, vec![1.0]).unwrap();
    let members = vec![ScoreForecast { margin, total }; 2];
    Prediction {
        game: game(),
        as_of: at(NINE),
        model_version: "test".into(),
        members_without_market: members.clone(),
        members,
    }
}

#[test]
fn the_bets_own_book_is_left_out_while_two_others_remain() {
    let mut rows = Vec::new();
    for (book, home, away) in [("a", 2.5, 1.6), ("b", 2.0, 1.9), ("c", 2.0, 1.9)] {
        rows.push(line(book, Selection::Home, None, home, EIGHT));
        rows.push(line(book, Selection::Away, None, away, EIGHT));
    }
    let quotes = latest_quotes(&rows, at(NINE));
    let evidence = Evidence::of_quotes(&rows[0], &prediction(), &GameQuotes::of(&quotes), Tie::Push);
    let opinion = evidence.consensus.unwrap();
    assert_eq!(opinion.books, 2);
    let two_books: Vec<&LineRow> = quotes.iter().copied().filter(|row| row.book.as_str() != "c").collect();
    assert_eq!(
        Evidence::of_quotes(&rows[0], &prediction(), &GameQuotes::of(&two_books), Tie::Push)
            .consensus
            .unwrap()
            .books,
        2
    );
    assert!(evidence.consensus_by_method.iter().all(|q| (q - opinion.probability).abs() < 0.01));
    // A two-way moneyline returns the stake on a draw: 0.5 of 0.9 decided.
    assert!((evidence.members[0].win_share() - 5.0 / 9.0).abs() < 1e-12);
    let three_way = Evidence::of_quotes(&rows[0], &prediction(), &GameQuotes::of(&quotes), Tie::Offered);
    assert!((three_way.members[0].win_share() - 0.5).abs() < 1e-12);
    // Where a tie loses both, the two chances leave it out.
    let lost = Evidence::of_quotes(&rows[0], &prediction(), &GameQuotes::of(&quotes), Tie::Loses);
    assert!((lost.members[0].win_share() - 0.5).abs() < 1e-12);
    assert!((lost.consensus.unwrap().probability - 0.9 * opinion.probability).abs() < 1e-12);
}

#[test]
fn thin_evidence_makes_missing_lenses_rather_than_numbers() {
    let rows = [line("a", Selection::Home, Some(-0.5), 2.1, EIGHT)];
    let evidence = Evidence::of_quotes(&rows[0], &prediction(), &GameQuotes::of(&[&rows[0]]), Tie::Offered);
    let assessment = assess(rows[0].price, &evidence, 0.01);
    assert!(assessment.posterior.is_none() && assessment.edge.is_none());
    let missing = assessment.lenses.iter().filter(|lens| matches!(lens, Lens::Missing { .. })).count();
    assert_eq!(missing, 3, "only the moat can judge the model by itself: {:?}", assessment.lenses);
}
