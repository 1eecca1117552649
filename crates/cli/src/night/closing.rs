//! What a bet's selection was worth at the last prices before the start.

use std::collections::BTreeMap;

use ledger::{ClosingLine, clv, entry::Terms};
use market::{
    Distribution, GameStatus, LeagueId, LineRow, Market, Points, ResultRow,
    consensus::{Consensus, consensus, market_points, standing_quotes},
};

/// Fewer finished games than this have no shape: then a bet whose points moved has no closing line value.
const LEAST_GAMES: usize = 200;

/// How margins and totals of each league are distributed: what turns a probability at some points into one at others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shapes {
    leagues: BTreeMap<LeagueId, (Distribution, Distribution)>,
}

impl Shapes {
    /// Counts the final scores.
    pub(crate) fn of<'a>(results: impl IntoIterator<Item = &'a ResultRow>) -> Self {
        let mut scores: BTreeMap<&LeagueId, Vec<(i32, i32)>> = BTreeMap::new();
        for result in results.into_iter().filter(|result| result.status == GameStatus::Final) {
            scores.entry(&result.game.league).or_default().push((result.margin(), result.total()));
        }
        let shape = |(league, scores): (&LeagueId, Vec<(i32, i32)>)| {
            let margins = histogram(scores.iter().map(|(margin, _)| *margin))?;
            let totals = histogram(scores.iter().map(|(_, total)| *total))?;
            Some((league.clone(), (margins, totals)))
        };
        let enough = scores.into_iter().filter(|(_, scores)| scores.len() >= LEAST_GAMES);
        Self { leagues: enough.filter_map(shape).collect() }
    }
}

fn histogram(values: impl Iterator<Item = i32> + Clone) -> Option<Distribution> {
    let (first, last) = (values.clone().min()?, values.clone().max()?);
    let mut mass = vec![0.0; usize::try_from(last - first).ok()? + 1];
    let each = 1.0 / values.clone().count() as f64;
    for value in values {
        mass[usize::try_from(value - first).ok()?] += each;
    }
    Distribution::new(first, mass).ok()
}

/// Returns the close of a bet's selection: the last quotes before the start, of the bet's own book where it quotes.
///
/// `lines` are those of the bet's game; none where none is newer than the bet's own quote. Where nobody closed at the bet's points, the consensus at the nearest ones is
/// carried over by the league's own distribution.
pub(crate) fn closing<'a>(
    terms: &Terms,
    lines: impl IntoIterator<Item = &'a LineRow>,
    shapes: &Shapes,
) -> Option<ClosingLine> {
    let lines: Vec<&LineRow> = lines.into_iter().filter(|line| line.market == terms.market).collect();
    let marked = lines.iter().any(|line| line.is_closing);
    let quotes =
        standing_quotes(lines.into_iter().filter(|line| line.is_closing == marked), terms.start_time);
    let wanted = market_points(terms.selection, terms.points);
    let all = consensus(&quotes);
    let distance = |found: &Consensus| apart(found.points, wanted);
    let nearest =
        all.iter().filter(|c| c.probability(terms.selection).is_some()).min_by_key(|c| distance(c))?;
    // Quotes that stood there already when the bet was made are no close: nobody has looked since.
    if nearest.captured_at <= terms.captured_at {
        return None;
    }
    let at = own_points(terms.market, nearest.points, terms.selection);
    let there = nearest.probability(terms.selection)?;
    let probability = match (at, terms.points) {
        (Some(from), Some(to)) if from != to => {
            let (margins, totals) = shapes.leagues.get(&terms.league)?;
            let shape = if terms.market == Market::Total { totals } else { margins };
            clv::at_points(shape, terms.selection, from, there, to)?
        }
        _ => there,
    };
    let of_selection = || quotes.iter().filter(|line| line.selection == terms.selection && line.points == at);
    let own = of_selection().find(|line| line.book == terms.book);
    let best = of_selection().max_by(|a, b| a.price.decimal().total_cmp(&b.price.decimal()));
    Some(ClosingLine { price: own.or(best)?.price, points: at, probability })
}

fn apart(one: Option<Points>, other: Option<Points>) -> i32 {
    match (one, other) {
        (Some(one), Some(other)) => (one.quarters() - other.quarters()).abs(),
        (None, None) => 0,
        _ => i32::MAX,
    }
}

/// Turns a market's points back into the selection's own.
fn own_points(market: Market, points: Option<Points>, selection: market::Selection) -> Option<Points> {
    if market == Market::Spread { market_points(selection, points) } else { points }
}

#[cfg(test)]
mod tests {
    use ledger::SettlementRule;
    use market::{Game, Price, RawRef, Selection};

    use super::*;

    fn line(book: &str, selection: Selection, points: f64, price: f64) -> LineRow {
        let nfl = LeagueId::new("nfl").unwrap();
        let start = "2021-11-12T01:20:00Z".parse().unwrap();
        LineRow {
            game: Game::new(&nfl, 2021, start, "2021-11-11".parse().unwrap(), "MIA", "BAL"),
            book: book.into(),
            market: Market::Spread,
            selection,
            points: Points::from_f64(points),
            price: Price::new(price).unwrap(),
            captured_at: "2021-11-12T01:00:00Z".parse().unwrap(),
            is_closing: true,
            source: "test".into(),
            raw_ref: RawRef { payload: "ab".into(), row: 0 },
        }
    }

    fn bet(points: f64) -> Terms {
        let line = line("north", Selection::Away, points, 2.0);
        Terms {
            game_id: line.game.game_id.clone(),
            league: line.game.league.clone(),
            home: line.game.home.clone(),
            away: line.game.away.clone(),
            start_time: line.game.start_time,
            market: line.market,
            selection: line.selection,
            points: line.points,
            book: line.book.clone(),
            price: line.price,
            captured_at: "2021-11-11T09:00:00Z".parse().unwrap(),
            raw_ref: line.raw_ref.clone(),
            probability_model: None,
            probability_market: None,
            probability: None,
            edge: None,
            lenses: [None; 5],
            score: None,
            growth_added: None,
            weights_version: String::new(),
            model_version: String::new(),
            rule: SettlementRule::of(Market::Spread, false),
        }
    }

    /// Four hundred games: margins from -9 to 10, half of them 3.
    fn shapes() -> Shapes {
        let results: Vec<ResultRow> = (0..400_u16)
            .map(|i| {
                let home_score = if i % 2 == 0 { 13 } else { 1 + i / 2 % 20 };
                let line = line("x", Selection::Home, 0.5, 2.0);
                ResultRow {
                    game: line.game,
                    home_score,
                    away_score: 10,
                    status: GameStatus::Final,
                    known_at: line.captured_at,
                    source: "test".into(),
                    raw_ref: line.raw_ref,
                }
            })
            .collect();
        Shapes::of(&results)
    }

    #[test]
    fn the_close_at_the_bets_own_points_comes_first_and_its_own_book() {
        let lines = [
            line("south", Selection::Home, -3.5, 1.8),
            line("south", Selection::Away, 3.5, 2.1),
            line("north", Selection::Home, -3.5, 1.9),
            line("north", Selection::Away, 3.5, 2.0),
            line("north", Selection::Home, -2.5, 1.7),
            line("north", Selection::Away, 2.5, 2.2),
        ];
        let close = closing(&bet(3.5), &lines, &Shapes::default()).unwrap();
        assert_eq!((close.points, close.price.decimal()), (Points::from_f64(3.5), 2.0));
        assert!(close.probability > 0.45 && close.probability < 0.5);
    }

    #[test]
    fn points_that_moved_over_a_key_number_change_the_probability_by_its_weight() {
        let lines = [line("north", Selection::Home, -2.5, 1.9), line("north", Selection::Away, 2.5, 1.9)];
        let close = closing(&bet(3.5), &lines, &shapes()).unwrap();
        assert_eq!(close.points, Points::from_f64(2.5), "where it really closed");
        assert!(close.probability > 0.8, "+3.5 keeps every win by 3: {}", close.probability);
        assert_eq!(
            closing(&bet(3.5), &lines, &Shapes::default()),
            None,
            "nothing is known of the league's margins"
        );
    }

    #[test]
    fn nobody_at_the_close_is_no_close() {
        assert_eq!(closing(&bet(3.5), &[], &shapes()), None);
        let one_side = [line("north", Selection::Away, 3.5, 2.0)];
        assert_eq!(closing(&bet(3.5), &one_side, &shapes()), None, "one side tells no probability");
    }

    #[test]
    fn points_that_a_book_has_left_and_quotes_as_old_as_the_bet_are_no_close() {
        let old = |line: LineRow| LineRow { captured_at: "2021-11-11T09:30:00Z".parse().unwrap(), ..line };
        let mut lines = vec![
            old(line("north", Selection::Home, -3.5, 1.9)),
            old(line("north", Selection::Away, 3.5, 2.0)),
            line("north", Selection::Home, -5.5, 1.9),
            line("north", Selection::Away, 5.5, 1.9),
        ];
        let close = closing(&bet(3.5), &lines, &shapes()).unwrap();
        assert_eq!(close.points, Points::from_f64(5.5));
        lines.truncate(2);
        for line in &mut lines {
            line.captured_at = bet(3.5).captured_at;
        }
        assert_eq!(closing(&bet(3.5), &lines, &shapes()), None);
    }
}
