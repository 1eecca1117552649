//! Learnt drifts of the consensus to its close, by league and market, from past prices alone.
//!
//! # Example
//! ```
//! use lenses::drifts::Drifts;
//! let nothing = Drifts::learn([], "2021-11-11T09:00:00Z".parse().unwrap());
//! assert_eq!(nothing, Drifts::default(), "no games, no drift");
//! ```

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use market::{
    GameId, LeagueId, LineRow, Market, Name, Selection,
    consensus::{Consensus, logit, main_market, market_points, markets, standing_quotes},
};

use crate::{
    MarketOpinion,
    drift::{Drift, Example, Expected, Standing},
};

/// Drifts are learnt from so many games of a league, the last ones.
const RECENT_GAMES: usize = 1500;
/// An example counts half as much after a year.
const HALF_LIFE_DAYS: f64 = 365.0;
/// Hours before the start at which past prices are looked at, to learn where they go from there.
const LEADS: [i64; 3] = [20, 8, 3];

/// Learnt drifts of the consensus to its close, by league and market.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drifts(BTreeMap<(LeagueId, Market), Drift>);

impl Drifts {
    /// Learns from every game that began before `as_of`; a market without enough of them, or without a pull that shows on
    /// games not learnt from, has no drift.
    pub fn learn<'a>(lines: impl IntoIterator<Item = &'a LineRow>, as_of: Timestamp) -> Self {
        let mut games: BTreeMap<(Timestamp, &GameId), Vec<&LineRow>> = BTreeMap::new();
        for line in lines.into_iter().filter(|line| line.game.start_time < as_of) {
            games.entry((line.game.start_time, &line.game.game_id)).or_default().push(line);
        }
        let mut examples: BTreeMap<(LeagueId, Market), Vec<Example>> = BTreeMap::new();
        let mut recent: Vec<(Timestamp, LeagueId, Vec<&LineRow>)> = Vec::new();
        let mut counts: BTreeMap<LeagueId, usize> = BTreeMap::new();
        for ((start, _), lines) in games.into_iter().rev() {
            let Some(league) = lines.first().map(|line| line.game.league.clone()) else { continue };
            let count = counts.entry(league.clone()).or_insert(0);
            *count += 1;
            if *count <= RECENT_GAMES {
                recent.push((start, league, lines));
            }
        }
        for (start, league, lines) in recent.into_iter().rev() {
            for market in [Market::Moneyline, Market::Spread, Market::Total] {
                let of_market: Vec<&LineRow> =
                    lines.iter().copied().filter(|line| line.market == market).collect();
                let age = as_of.duration_since(start).as_secs_f64() / 86_400.0;
                let found = examples_of(&of_market, market, start, (-age / HALF_LIFE_DAYS).exp2());
                examples.entry((league.clone(), market)).or_default().extend(found);
            }
        }
        let learnt = examples.into_iter().filter_map(|(key, found)| Some((key, Drift::learn(&found)?)));
        Self(learnt.collect())
    }

    /// Returns what is to be expected of the consensus on the bet in `line`; none where nothing was learnt.
    pub fn of(
        &self,
        line: &LineRow,
        now: Option<MarketOpinion>,
        of_game: &[&LineRow],
        hours_left: f64,
    ) -> Option<Expected> {
        let (drift, now) = self.0.get(&(line.game.league.clone(), line.market)).zip(now)?;
        let opening = opening(of_game, line).unwrap_or(now.probability);
        Some(drift.at(&Standing {
            quote_gap: logit(now.probability) - logit(line.price.implied()),
            move_since_open: logit(now.probability) - logit(opening),
            hours_left,
            books: now.books as f64,
            dispersion: now.sd_logit,
        }))
    }
}

/// Returns what stood on the main points of a market at each lead, and how far it went; the same quotes count once.
fn examples_of(lines: &[&LineRow], market: Market, start: Timestamp, weight: f64) -> Vec<Example> {
    let close = standing_quotes(lines.iter().copied(), start);
    let (mut seen, mut found) = (None, Vec::new());
    for hours in LEADS {
        let Ok(at) = start.checked_sub(SignedDuration::from_hours(hours)) else { continue };
        let last = lines.iter().map(|line| line.captured_at).filter(|captured| *captured < at).max();
        if last.is_some() && last != seen {
            seen = last;
            // Nothing that was quoted later may be seen from there.
            let before: Vec<&LineRow> = lines.iter().copied().filter(|line| line.captured_at < at).collect();
            let then = standing_quotes(before.iter().copied(), at);
            found.extend(
                example(&before, &then, &close, market, hours)
                    .into_iter()
                    .flatten()
                    .map(|found| Example { weight, ..found }),
            );
        }
    }
    found
}

/// Returns what stood on the main points of a market some hours before the start, and how far it went.
fn example(
    lines: &[&LineRow],
    then: &[&LineRow],
    close: &[&LineRow],
    market: Market,
    hours: i64,
) -> Option<Vec<Example>> {
    let (quoted, closed) = (markets(then), markets(close));
    let side = if market == Market::Total { Selection::Over } else { Selection::Home };
    let main = main_market(&quoted, side)?;
    let closing = closed.iter().find(|m| m.points == main.points)?.consensus(None)?;
    let one = |selection: &Selection| {
        let of_selection = then.iter().copied().filter(|line| {
            line.selection == *selection && market_points(line.selection, line.points) == main.points
        });
        let best = of_selection.max_by(|a, b| a.price.decimal().total_cmp(&b.price.decimal()))?;
        // As a bet is looked at: its own book left out while two others remain.
        let others = main.books.iter().filter(|quote| quote.book != best.book).count();
        let now = main.consensus((others >= 2).then_some(&best.book))?;
        let probability = now.probability(*selection)?;
        let opening = opening(lines, best).unwrap_or(probability);
        Some(Example {
            standing: standing(&now, probability, best, opening, hours as f64),
            moved: logit(closing.probability(*selection)?) - logit(probability),
            weight: 1.0,
        })
    };
    // Every side is an example: what pulls both alike is no drift of either.
    Some(main.selections.iter().filter_map(one).collect())
}

fn standing(now: &Consensus, probability: f64, best: &LineRow, opening: f64, hours_left: f64) -> Standing {
    Standing {
        quote_gap: logit(probability) - logit(best.price.implied()),
        move_since_open: logit(probability) - logit(opening),
        hours_left,
        books: now.books as f64,
        dispersion: now.logit_sd,
    }
}

/// Returns the consensus among each book's first quotes at the points of `line`; none where no book had a whole market.
fn opening(of_game: &[&LineRow], line: &LineRow) -> Option<f64> {
    let at = market_points(line.selection, line.points);
    let mut first: BTreeMap<(&Name, Selection), &LineRow> = BTreeMap::new();
    for quote in of_game
        .iter()
        .copied()
        .filter(|quote| quote.market == line.market && market_points(quote.selection, quote.points) == at)
    {
        let held = first.entry((&quote.book, quote.selection)).or_insert(quote);
        if quote.captured_at < held.captured_at {
            *held = quote;
        }
    }
    let quotes: Vec<&LineRow> = first.into_values().collect();
    markets(&quotes).first()?.consensus(None)?.probability(line.selection)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use market::{Game, Price, RawRef};

    use super::*;

    const NOW: &str = "2021-09-01T00:00:00Z";

    fn quote(game: &Arc<Game>, book: &str, selection: Selection, hours: i64, home: f64) -> LineRow {
        let share = if selection == Selection::Home { home } else { 1.0 - home };
        LineRow {
            game: game.clone(),
            book: book.into(),
            market: Market::Moneyline,
            selection,
            points: None,
            price: Price::new(0.96 / share).unwrap(),
            captured_at: game.start_time - SignedDuration::from_hours(hours),
            is_closing: false,
            source: "test".into(),
            raw_ref: RawRef { payload: "ab".into(), row: 0 },
        }
    }

    /// Games of three books: two are at one price from the morning on, the third goes half of the way to them later.
    fn season(games: i64) -> Vec<LineRow> {
        let league = LeagueId::new("nfl").unwrap();
        let first: Timestamp = "2020-09-01T18:00:00Z".parse().unwrap();
        let mut lines = Vec::new();
        for index in 0..games {
            let start = first + SignedDuration::from_hours(index * 12);
            let date = start.strftime("%Y-%m-%d").to_string().parse().unwrap();
            let game = Game::new(&league, 2020, start, date, &format!("H{index}"), "AWY");
            let outlier = 0.40 + 0.01 * (index % 20) as f64;
            for selection in [Selection::Home, Selection::Away] {
                for book in ["east", "west"] {
                    lines.push(quote(&game, book, selection, 24, 0.5));
                    lines.push(quote(&game, book, selection, 1, f64::midpoint(0.5, outlier)));
                }
                lines.push(quote(&game, "north", selection, 24, outlier));
                lines.push(quote(&game, "north", selection, 1, outlier));
            }
        }
        lines
    }

    #[test]
    fn what_the_market_does_every_time_is_learnt() {
        let lines = season(400);
        let drifts = Drifts::learn(&lines, NOW.parse().unwrap());
        let bet = lines.iter().find(|line| line.book.as_str() == "north").unwrap();
        let now = MarketOpinion { probability: 0.5, sd_logit: 0.03, books: 2 };
        // The outlier gives the home side 0.40, so its price is long and the consensus comes down.
        let expected = drifts.of(bet, Some(now), &[], 20.0).unwrap();
        assert!(expected.drift < -0.1 && expected.sd > 0.0, "{expected:?}");
        assert_eq!(drifts.of(bet, None, &[], 20.0), None, "no consensus, no drift");
        assert_eq!(Drifts::learn(&season(100), NOW.parse().unwrap()), Drifts::default(), "too few games");
    }

    #[test]
    fn games_that_have_not_begun_teach_nothing() {
        let lines = season(400);
        let middle = lines[lines.len() / 2].game.start_time;
        let before: Vec<LineRow> =
            lines.iter().filter(|line| line.game.start_time < middle).cloned().collect();
        assert_eq!(Drifts::learn(&lines, middle), Drifts::learn(&before, middle));
    }
}
