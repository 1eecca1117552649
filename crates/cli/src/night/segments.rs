//! What is known of each league as of a decision, gathered once for all its prices.

use std::collections::BTreeMap;

use data::{League, Snapshot};
use jiff::{SignedDuration, Timestamp};
use ledger::{Ledger, rule::HouseRules};
use lenses::{
    circle_of_competence::effective_games,
    drift::{Drift, Example, Standing},
    moat::ClvRecord,
};
use market::{
    GameId, LeagueId, LineRow, Market, Name, Prediction, Selection,
    consensus::{Consensus, logit, market_points, markets, standing_quotes},
    predictor::{InformationWeight, LeagueScores, Ordinary},
};

use super::information::main_points;
use crate::settings::Settings;

/// Past games, and past bets against the close, count half as much after a year.
const HALF_LIFE_DAYS: f64 = 365.0;
/// Drifts are learnt from so many games of a league, the last ones.
const RECENT_GAMES: usize = 1500;
/// Hours before the start at which past prices are looked at, to learn where they go from there.
const LEADS: [i64; 3] = [20, 8, 3];

/// Learnt drifts of the consensus to its close, by league and market.
#[derive(Debug, Clone, Default)]
pub(crate) struct Drifts(BTreeMap<(LeagueId, Market), Drift>);

impl Drifts {
    /// Learns from every game that began before `as_of`; a market without enough of them, or without a pull that shows on
    /// games not learnt from, has no drift.
    pub(crate) fn learn<'a>(lines: impl IntoIterator<Item = &'a LineRow>, as_of: Timestamp) -> Self {
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
                let found = examples_of(&of_market, market, start);
                examples.entry((league.clone(), market)).or_default().extend(found);
            }
        }
        let learnt = examples.into_iter().filter_map(|(key, found)| Some((key, Drift::learn(&found)?)));
        Self(learnt.collect())
    }

    /// Returns the drift to be expected of the bet in `line`; 0 where none was learnt.
    pub(crate) fn of(
        &self,
        line: &LineRow,
        now: Option<lenses::MarketOpinion>,
        of_game: &[&LineRow],
        hours_left: f64,
    ) -> f64 {
        let Some((drift, now)) = self.0.get(&(line.game.league.clone(), line.market)).zip(now) else {
            return 0.0;
        };
        let opening = opening(of_game, line).unwrap_or(now.probability);
        drift.at(&Standing {
            quote_gap: logit(now.probability) - logit(line.price.implied()),
            move_since_open: logit(now.probability) - logit(opening),
            hours_left,
            books: now.books as f64,
            dispersion: now.sd_logit,
        })
    }
}

/// Returns what stood on the main points of a market at each lead, and how far it went; the same quotes count once.
fn examples_of(lines: &[&LineRow], market: Market, start: Timestamp) -> Vec<Example> {
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
            found.extend(example(&before, &then, &close, market, hours).into_iter().flatten());
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
    let main = main_points(&quoted, side)?;
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

/// What is known of each league, gathered once for all its prices.
pub(super) struct Segments {
    pub(super) leagues: BTreeMap<LeagueId, Segment>,
    pub(super) games_seen: BTreeMap<(LeagueId, Name), f64>,
}

/// One league.
pub(super) struct Segment {
    pub(super) three_way: bool,
    pub(super) house: HouseRules,
    pub(super) past_clv: Option<ClvRecord>,
    scores: Option<LeagueScores>,
}

impl Segment {
    /// Returns how much the model knew beyond the price of this market; of the spread, what it knew of who wins stands in.
    ///
    /// Nothing measured on one thing is claimed of another that has nothing to do with it: totals stand alone.
    pub(super) fn information(&self, market: Market) -> Option<InformationWeight> {
        let scores = self.scores.as_ref()?;
        let own = scores.information_on(market);
        if market == Market::Spread { own.or(scores.information) } else { own }
    }

    pub(super) fn ordinary(&self) -> Option<&Ordinary> {
        self.scores.as_ref()?.ordinary.as_ref()
    }
}

impl Segments {
    pub(super) fn new(
        settings: &Settings,
        ledger: &Ledger,
        scores: &[LeagueScores],
        predictions: &[Prediction],
        snapshot: &Snapshot,
        as_of: Timestamp,
    ) -> Self {
        let segment = |league: &League| Segment {
            three_way: league.three_way,
            house: settings.house_rules(&league.id),
            past_clv: ClvRecord::of(&ledger.past_clv(&league.id, as_of), HALF_LIFE_DAYS),
            scores: scores.iter().find(|scores| scores.league == league.id).cloned(),
        };
        Self {
            leagues: snapshot.leagues.iter().map(|league| (league.id.clone(), segment(league))).collect(),
            games_seen: games_seen(predictions, snapshot, as_of),
        }
    }
}

/// Returns how many games of each team count, recent ones more, by league and team.
fn games_seen(
    predictions: &[Prediction],
    snapshot: &Snapshot,
    as_of: Timestamp,
) -> BTreeMap<(LeagueId, Name), f64> {
    let sides =
        predictions.iter().flat_map(|p| [(&p.game.league, &p.game.home), (&p.game.league, &p.game.away)]);
    let mut ages: BTreeMap<(&LeagueId, &Name), Vec<f64>> = sides.map(|side| (side, Vec::new())).collect();
    for result in snapshot.latest_results() {
        let age = as_of.duration_since(result.game.start_time).as_secs_f64() / 86_400.0;
        for team in [&result.game.home, &result.game.away] {
            if let Some(of_team) = ages.get_mut(&(&result.game.league, team)) {
                of_team.push(age);
            }
        }
    }
    let count = |((league, team), ages): ((&LeagueId, &Name), Vec<f64>)| {
        ((league.clone(), team.clone()), effective_games(ages, HALF_LIFE_DAYS))
    };
    ages.into_iter().map(count).collect()
}
