//! What a bet's selection was worth at the last prices before the start.

use std::collections::BTreeMap;

use data::Snapshot;
use ledger::{ClosingLine, Entry, clv, entry::Terms};
use market::{
    GameId, LineRow, Market, Points,
    consensus::{Consensus, consensus, market_points, standing_quotes},
};

use super::played::Played;

/// Everything that closes are taken from.
pub(crate) struct Closings<'a> {
    lines: BTreeMap<&'a GameId, Vec<&'a LineRow>>,
    played: Played,
}

impl<'a> Closings<'a> {
    pub(crate) fn of(snapshot: &'a Snapshot) -> Self {
        let mut lines: BTreeMap<&GameId, Vec<&LineRow>> = BTreeMap::new();
        for line in &snapshot.lines {
            lines.entry(&line.game.game_id).or_default().push(line);
        }
        Self { lines, played: Played::of(&snapshot.results) }
    }

    /// Returns the close of a bet as placed; none where nobody quoted a comparable one.
    pub(crate) fn of_bet(&self, bet: &Entry) -> Option<ClosingLine> {
        let terms = bet.terms.as_ref()?;
        closing(terms, self.lines.get(&terms.game_id)?.iter().copied(), &self.played)
    }
}

/// Returns the close of a bet's selection: the last quotes before the start, of the bet's own book where it quotes.
///
/// `lines` are those of the bet's game; none where none is newer than the bet's own quote. Where nobody closed at the bet's points, the consensus at the nearest ones is
/// carried over by the league's own distribution.
pub(crate) fn closing<'a>(
    terms: &Terms,
    lines: impl IntoIterator<Item = &'a LineRow>,
    played: &Played,
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
            let shape = played.shape(&terms.league, terms.market)?;
            clv::at_points(&shape, terms.selection, from, there, to)?
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
    use market::{Game, GameStatus, LeagueId, Price, RawRef, ResultRow, Selection};

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
        let then = "2021-11-11T09:00:00Z".parse().unwrap();
        let line = LineRow { captured_at: then, ..line("north", Selection::Away, points, 2.0) };
        Terms::by_hand(&line, SettlementRule::of(Market::Spread, false))
    }

    /// Four hundred games: margins from -9 to 10, half of them 3.
    fn played() -> Played {
        let results: Vec<ResultRow> = (0..400_u16)
            .map(|i| {
                let home_score = if i % 2 == 0 { 13 } else { 1 + i / 2 % 20 };
                let line = line("x", Selection::Home, 0.5, 2.0);
                let id = GameId::from_text(&format!("{}-{i}", line.game.game_id));
                ResultRow {
                    game: Game { game_id: id, ..line.game.as_ref().clone() }.into(),
                    home_score,
                    away_score: 10,
                    status: GameStatus::Final,
                    known_at: line.captured_at,
                    source: "test".into(),
                    raw_ref: line.raw_ref,
                }
            })
            .collect();
        Played::of(&results)
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
        let close = closing(&bet(3.5), &lines, &Played::default()).unwrap();
        assert_eq!((close.points, close.price.decimal()), (Points::from_f64(3.5), 2.0));
        assert!(close.probability > 0.45 && close.probability < 0.5);
    }

    #[test]
    fn points_that_moved_over_a_key_number_change_the_probability_by_its_weight() {
        let lines = [line("north", Selection::Home, -2.5, 1.9), line("north", Selection::Away, 2.5, 1.9)];
        let close = closing(&bet(3.5), &lines, &played()).unwrap();
        assert_eq!(close.points, Points::from_f64(2.5), "where it really closed");
        assert!(close.probability > 0.8, "+3.5 keeps every win by 3: {}", close.probability);
        assert_eq!(
            closing(&bet(3.5), &lines, &Played::default()),
            None,
            "nothing is known of the league's margins"
        );
    }

    #[test]
    fn nobody_at_the_close_is_no_close() {
        assert_eq!(closing(&bet(3.5), &[], &played()), None);
        let one_side = [line("north", Selection::Away, 3.5, 2.0)];
        assert_eq!(closing(&bet(3.5), &one_side, &played()), None, "one side tells no probability");
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
        let close = closing(&bet(3.5), &lines, &played()).unwrap();
        assert_eq!(close.points, Points::from_f64(5.5));
        lines.truncate(2);
        for line in &mut lines {
            line.captured_at = bet(3.5).captured_at;
        }
        assert_eq!(closing(&bet(3.5), &lines, &played()), None);
    }
}
