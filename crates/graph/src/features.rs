//! Feature vectors: which columns each kind has, and their values as of an instant.
//!
//! Every value is computed strictly from rows with `known_at < as_of`, is finite, within ±6 and roughly of
//! size 1: points are divided by the league's own running standard deviation as known then.
//!
//! # Example
//! ```
//! use graph::{NodeKind, features};
//! let columns = features::columns(NodeKind::Game);
//! assert_eq!(columns.len(), features::width(NodeKind::Game));
//! assert_eq!(columns[0], "elo_difference");
//! assert_eq!(features::units(NodeKind::Game)[0], "200 rating points, home advantage included");
//! ```

use jiff::Timestamp;
use market::{Market, consensus::logit};

use crate::{
    Asked, Graph, NodeKind,
    consensus::Pick,
    instant::days,
    quotes::Quote,
    ratings::OUTCOME_WIDTH,
    walk::{Expected, LeagueState, TeamState},
};

struct Columns {
    names: &'static [&'static str],
    units: &'static [&'static str],
}

macro_rules! columns {
    ($($name:literal: $unit:literal),+ $(,)?) => { Columns { names: &[$($name),+], units: &[$($unit),+] } };
}

/// Columns of [`NodeKind::Game`] that come from prices; they are the last ones, and 0 without market inputs.
pub const MARKET_COLUMNS: usize = 9;

const GAME: Columns = columns! {
    "elo_difference": "200 rating points, home advantage included",
    "strength_margin": "expected margin in its own standard deviations, from attack, defence and key players",
    "rate_log_ratio": "half the logarithm of the ratio of the expected scores",
    "rate_log_ratio_squared": "the square of it",
    "rate_log_mean": "mean logarithm of the expected scores, in points",
    "expected_total": "league standard deviations from the mean total",
    "strength_uncertainty": "standard deviation of the expected margin, in standard deviations of a score",
    "home_games_seen": "ln(1 + games) / 5",
    "away_games_seen": "ln(1 + games) / 5",
    "home_rest": "weeks above 1, from -1 to 2; 0 when unknown",
    "away_rest": "weeks above 1, from -1 to 2; 0 when unknown",
    "rest_difference": "weeks, home minus away",
    "neutral": "1 when nobody is at home",
    "week": "20 weeks or rounds; 0 when unknown",
    "season_progress": "20 games, mean of both sides in this season",
    "home_form": "decayed margin surprise, league standard deviations",
    "away_form": "decayed margin surprise, league standard deviations",
    "league_total": "ln(1 + decayed mean total in points) / 4",
    "league_home_margin": "decayed mean margin, league standard deviations",
    "league_draw_rate": "decayed share of draws",
    "three_way": "1 where the draw is an outcome that is bet on",
    "market_home_logit": "logit of the no-vig consensus on home",
    "market_draw_logit": "logit of the no-vig consensus on the draw; 0 in a two-way market",
    "market_margin": "expected margin behind the spreads, league standard deviations",
    "market_total": "expected total behind the totals, league standard deviations from the mean",
    "market_books": "ln(1 + books) / 3",
    "market_dispersion": "robust standard deviation of the books' home logits, 10 of these make 1",
    "market_drift": "logits by which prices have lately moved for home more than for away, 10 of these make 1",
    "market_has_spread": "1 when a book quotes a spread",
    "market_has_total": "1 when a book quotes a total",
};

const OUTCOME: Columns = columns! {
    "margin": "league standard deviations",
    "total": "league standard deviations from the mean",
    "elo_surprise": "home's share (1, 0.5, 0) minus the Elo expectation before the game",
    "margin_surprise": "margin minus expectation before the game, league standard deviations",
    "total_surprise": "total minus expectation before the game, league standard deviations",
    "home_elo": "200 points above 1500, before the game",
    "away_elo": "200 points above 1500, before the game",
    "neutral": "1 when nobody was at home",
    "drawn": "1 when nobody won",
};

const TEAM: Columns = columns! {
    "elo": "200 points above 1500",
    "attack": "standard deviations of a score above the league's mean, a third of these make 1",
    "defence": "the same for points not conceded",
    "uncertainty": "standard deviation of attack and defence together, a third of these make 1",
    "starter": "worth of the key player of the last game, a third of a standard deviation; 0 when unknown",
    "games_seen": "ln(1 + games) / 5",
    "form": "decayed margin surprise, league standard deviations",
    "days_since_last": "ln(1 + days) / 5; 0 when new",
    "is_new": "1 without a game",
};

const INVOLVED: Columns = columns! {
    "games_seen": "ln(1 + games) / 5",
    "margin_form": "decayed margin surprise of its side (home for venue and referee), league standard deviations",
    "total_form": "decayed total surprise, league standard deviations",
    "days_since_last": "ln(1 + days) / 5; 0 when new",
    "is_new": "1 without a game",
};

const PLAYER: Columns = columns! {
    "games_seen": "ln(1 + games) / 5",
    "margin_form": "decayed margin surprise of its side, league standard deviations",
    "total_form": "decayed total surprise, league standard deviations",
    "days_since_last": "ln(1 + days) / 5; 0 when new",
    "is_new": "1 without a game",
    "worth": "what its side scores more with it, a third of a standard deviation",
};

const LINE: Columns = columns! {
    "home_logit": "no-vig logit of home or over",
    "draw_logit": "no-vig logit of the draw; 0 in a two-way market",
    "overround": "10 %",
    "hours_since_capture": "ln(1 + hours) / 5",
    "logit_move": "home logit now minus at the book's first quote",
    "points_move": "points now minus at the book's first quote, league standard deviations",
    "points": "margin stood against (spread) or total from the mean, league standard deviations",
    "is_moneyline": "1 for a moneyline",
    "is_spread": "1 for a spread",
    "is_total": "1 for a total",
};

const BOOK: Columns = columns! {
    "quotes_seen": "ln(1 + quotes) / 10",
    "mean_overround": "10 %",
};

fn table(kind: NodeKind) -> &'static Columns {
    match kind {
        NodeKind::Game => &GAME,
        NodeKind::Outcome => &OUTCOME,
        NodeKind::Team => &TEAM,
        NodeKind::Venue | NodeKind::Coach | NodeKind::Referee => &INVOLVED,
        NodeKind::Player => &PLAYER,
        NodeKind::Line => &LINE,
        NodeKind::Book => &BOOK,
    }
}

/// Returns the names of a kind's columns, in order.
pub fn columns(kind: NodeKind) -> &'static [&'static str] {
    table(kind).names
}

/// Returns the units of a kind's columns: what a value of 1 stands for.
pub fn units(kind: NodeKind) -> &'static [&'static str] {
    table(kind).units
}

/// Returns the number of a kind's columns.
pub fn width(kind: NodeKind) -> usize {
    table(kind).names.len()
}

/// Brings a value into ±6; what is no number becomes 0.
pub(crate) fn bounded(value: f64) -> f32 {
    if value.is_nan() { 0.0 } else { value.clamp(-6.0, 6.0) as f32 }
}

fn put<const N: usize>(row: &mut [f32], values: [f64; N]) {
    for (place, value) in row.iter_mut().zip(values) {
        *place = bounded(value);
    }
}

fn log_count(count: u32) -> f64 {
    f64::from(count).ln_1p() / 5.0
}

fn flag(condition: bool) -> f64 {
    f64::from(u8::from(condition))
}

impl Graph {
    /// Returns a node's features as of an instant, in the order of [`columns`](fn@columns).
    ///
    /// An outcome or a line that is not visible as of then has only zeros; a game is never looked at later
    /// than its own result.
    pub fn features(&self, kind: NodeKind, node: usize, as_of: Timestamp, with_market: bool) -> Vec<f32> {
        let mut row = vec![0.0; width(kind)];
        if kind == NodeKind::Game {
            self.write_game(&self.asked(node, as_of), with_market, &mut row);
        } else {
            self.write(kind, node as u32, crate::instant::nanos(as_of), &mut row);
        }
        row
    }

    /// Writes the features of any node but a game.
    pub(crate) fn write(&self, kind: NodeKind, node: u32, as_of: i64, row: &mut [f32]) {
        match kind {
            NodeKind::Game => {}
            NodeKind::Outcome => {
                if self.outcomes[node as usize].time < as_of {
                    let start = node as usize * OUTCOME_WIDTH;
                    row.copy_from_slice(&self.ratings.outcomes[start..start + OUTCOME_WIDTH]);
                }
            }
            NodeKind::Team => self.write_team(node, as_of, row),
            NodeKind::Venue => self.write_involved(0, node, as_of, row),
            NodeKind::Coach => self.write_involved(1, node, as_of, row),
            NodeKind::Player => self.write_player(node, as_of, row),
            NodeKind::Referee => self.write_involved(3, node, as_of, row),
            NodeKind::Line => self.write_line(node, as_of, row),
            NodeKind::Book => self.write_book(node, as_of, row),
        }
    }

    /// Writes a game's features and returns what the ratings expect; `row` is zero before.
    pub(crate) fn write_game(&self, asked: &Asked, with_market: bool, row: &mut [f32]) -> Expected {
        let league = self.league(asked);
        let sides = self.sides(asked, &league);
        let neutral = self.number(asked, 0) == Some(1);
        let expected = league.expect(&sides, neutral);
        let [home, away] = sides.map(|side| side.state);
        let home_rest = self.rest(asked, 1, &home);
        let away_rest = self.rest(asked, 2, &away);
        let log_ratio = (expected.score.log_home - expected.score.log_away) / 2.0;
        let weeks = |rest: Option<f64>| rest.map_or(0.0, |days| (days / 7.0 - 1.0).clamp(-1.0, 2.0));
        let values = [
            expected.elo_difference / 200.0,
            expected.score.margin_z,
            log_ratio,
            log_ratio * log_ratio,
            f64::midpoint(expected.score.log_home, expected.score.log_away),
            (expected.total() - league.mean_total()) / league.total_sd(),
            expected.score.uncertainty,
            log_count(home.games),
            log_count(away.games),
            weeks(home_rest),
            weeks(away_rest),
            if home_rest.is_some() && away_rest.is_some() {
                weeks(home_rest) - weeks(away_rest)
            } else {
                0.0
            },
            flag(neutral),
            self.number(asked, 3).map_or(0.0, |week| f64::from(week) / 20.0),
            f64::from(home.season_games + away.season_games) / 40.0,
            home.form,
            away.form,
            league.mean_total().ln_1p() / 4.0,
            league.mean_margin() / league.margin_sd(),
            league.draw_rate(),
            flag(self.leagues()[asked.fixture.league as usize].three_way),
        ];
        put(row, values);
        if with_market {
            self.write_market(asked, &league, &mut row[values.len()..]);
        }
        expected
    }

    fn write_market(&self, asked: &Asked, league: &LeagueState, row: &mut [f32]) {
        let opinion = self.opinion(asked, asked.as_of, Pick::Latest);
        let [home, draw, _] = opinion.moneyline.unwrap_or([0.5, 0.0, 0.5]);
        let drift = |team: u32| {
            let known = self.drifts.before(team, asked.as_of).copied().unwrap_or_default();
            known.in_season(asked.fixture.season)
        };
        put(
            row,
            [
                logit(home),
                if draw > 0.0 { logit(draw) } else { 0.0 },
                opinion.margin.map_or(0.0, |margin| margin / league.margin_sd()),
                opinion.total.map_or(0.0, |total| (total - league.mean_total()) / league.total_sd()),
                (opinion.books as f64).ln_1p() / 3.0,
                10.0 * opinion.dispersion,
                10.0 * (drift(asked.fixture.home) - drift(asked.fixture.away)),
                flag(opinion.margin.is_some()),
                flag(opinion.total.is_some()),
            ],
        );
    }

    /// Returns days since the side's last game: as stated, else from the last result known.
    fn rest(&self, asked: &Asked, which: usize, side: &TeamState) -> Option<f64> {
        let stated = self.number(asked, which).map(f64::from);
        stated.or_else(|| side.days_since(asked.fixture.start))
    }

    fn write_team(&self, team: u32, as_of: i64, row: &mut [f32]) {
        let state = self.ratings.teams.before(team, as_of).copied().unwrap_or_default();
        let league = self.nodes.league(NodeKind::Team, team as usize);
        let league = self.ratings.leagues.before(league, as_of).copied().unwrap_or_default();
        let [attack, defence, uncertainty] = state.strength.described(&league.strength);
        let starter = self.ratings.players_before(state.starter, as_of);
        let starter = starter.map_or(0.0, |player| player.described(&league.strength));
        let since = state.days_since(as_of);
        put(
            row,
            [
                state.elo_scaled(),
                3.0 * attack,
                3.0 * defence,
                3.0 * uncertainty,
                3.0 * starter,
                log_count(state.games),
                state.form,
                since.map_or(0.0, |days| days.ln_1p() / 5.0),
                flag(since.is_none()),
            ],
        );
    }

    fn write_player(&self, node: u32, as_of: i64, row: &mut [f32]) {
        let place = row.len() - 1;
        self.write_involved(2, node, as_of, &mut row[..place]);
        let league = self.nodes.league(NodeKind::Player, node as usize);
        let league = self.ratings.leagues.before(league, as_of).copied().unwrap_or_default();
        let worth = self.ratings.players_before(node, as_of);
        row[place] = bounded(worth.map_or(0.0, |player| 3.0 * player.described(&league.strength)));
    }

    fn write_involved(&self, which: usize, node: u32, as_of: i64, row: &mut [f32]) {
        let state = self.ratings.involved[which].before(node, as_of).copied().unwrap_or_default();
        let known = state.games > 0;
        let since = if known { days(state.start, as_of).max(0.0).ln_1p() / 5.0 } else { 0.0 };
        put(row, [log_count(state.games), state.margin, state.total, since, flag(!known)]);
    }

    fn write_line(&self, line: u32, as_of: i64, row: &mut [f32]) {
        let quotes = self.quotes.before(line, as_of);
        let (Some(first), Some(now)) = (quotes.first(), quotes.last()) else { return };
        let node = self.quotes.lines[line as usize];
        let league = self.nodes.league(NodeKind::Book, node.book as usize);
        let league = self.ratings.leagues.before(league, as_of).copied().unwrap_or_default();
        let stands_for = |quote: &Quote| match node.market {
            Market::Moneyline => 0.0,
            Market::Spread => -quote.points() / league.margin_sd(),
            Market::Total => (quote.points() - league.mean_total()) / league.total_sd(),
        };
        let draw = now.fair[1];
        put(
            row,
            [
                logit(now.fair[0]),
                if draw > 0.0 { logit(draw) } else { 0.0 },
                10.0 * now.overround,
                (24.0 * days(now.time, as_of)).ln_1p() / 5.0,
                logit(now.fair[0]) - logit(first.fair[0]),
                stands_for(now) - stands_for(first),
                stands_for(now),
                flag(node.market == Market::Moneyline),
                flag(node.market == Market::Spread),
                flag(node.market == Market::Total),
            ],
        );
    }

    fn write_book(&self, book: u32, as_of: i64, row: &mut [f32]) {
        if let Some(state) = self.quotes.books.before(book, as_of) {
            let quotes = f64::from(state.quotes);
            put(row, [quotes.ln_1p() / 10.0, 10.0 * state.overround_sum / quotes]);
        }
    }
}
