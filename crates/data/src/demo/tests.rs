//! Evidence that the league is what it claims: calibrated, learnable, priced, and the same from every date.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use market::{GameStatus, LineRow, Market, ResultRow, Selection};
use proptest::prelude::*;

use super::{
    DEFAULT_SEED, DemoSource, books, calendar,
    chances::Chances,
    names::HOMES,
    world::{self, DemoGame},
};
use crate::{DataError, Parsed, Payload, Pull, Source};

fn league(seed: u64) -> DemoSource {
    DemoSource::new(DemoSource::league("demo").unwrap(), seed)
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn read(league: &DemoSource, payloads: &[Payload]) -> Parsed {
    let mut all = Parsed::default();
    for payload in payloads {
        let parsed = league.parse(payload, &payload.name.as_str().into()).unwrap();
        all.lines.extend(parsed.lines);
        all.results.extend(parsed.results);
        all.context.extend(parsed.context);
        all.refused.extend(parsed.refused);
    }
    all
}

/// Log-loss of each decided game for which `forecast` has a chance.
fn losses(results: &[ResultRow], mut forecast: impl FnMut(&ResultRow) -> Option<f64>) -> Vec<f64> {
    let decided = results.iter().filter(|row| row.status == GameStatus::Final && row.margin() != 0);
    decided
        .filter_map(|row| forecast(row).map(|p| -(if row.margin() > 0 { p } else { 1.0 - p }).ln()))
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sharp book's home chance by game, from its first or last moneyline.
fn moneyline_chances(lines: &[LineRow], last: bool) -> BTreeMap<String, f64> {
    let mut prices: BTreeMap<&str, BTreeMap<(Timestamp, Selection), f64>> = BTreeMap::new();
    for line in
        lines.iter().filter(|line| line.book.as_str() == "Meridian" && line.market == Market::Moneyline)
    {
        let game = prices.entry(line.game.game_id.as_str()).or_default();
        game.insert((line.captured_at, line.selection), line.price.implied());
    }
    let chance = |quotes: BTreeMap<(Timestamp, Selection), f64>| {
        let at = if last { quotes.keys().next_back() } else { quotes.keys().next() }.unwrap().0;
        let (home, away) = (quotes[&(at, Selection::Home)], quotes[&(at, Selection::Away)]);
        home / (home + away)
    };
    prices.into_iter().map(|(game, quotes)| (game.to_owned(), chance(quotes))).collect()
}

/// A rating in points from margins alone: knows no people, no venues and no prices.
#[derive(Default)]
struct Elo(BTreeMap<usize, f64>);

impl Elo {
    /// Returns the expected margin of a game and learns from how it ended.
    fn expect(&mut self, game: &DemoGame) -> f64 {
        let [home, away] = [game.meeting.home, game.meeting.away];
        let expected = self.rating(home) - self.rating(away) + 2.4;
        let surprise = 0.045 * (margin(game) - expected);
        *self.0.entry(home).or_default() += surprise;
        *self.0.entry(away).or_default() -= surprise;
        expected
    }

    fn rating(&self, team: usize) -> f64 {
        self.0.get(&team).copied().unwrap_or_default()
    }
}

fn margin(game: &DemoGame) -> f64 {
    f64::from(game.score.0) - f64::from(game.score.1)
}

#[test]
fn the_truth_beats_the_closing_line_which_beats_the_opening_line_which_beats_the_home_rate() {
    let until = instant("2026-01-01T00:00:00Z");
    let league = league(DEFAULT_SEED);
    let rows = read(&league, &league.fetch(&Pull::new(until)).unwrap());
    let truths: BTreeMap<String, f64> =
        league.truth(until).unwrap().iter().map(|t| (t.game_id.to_string(), t.home_win())).collect();
    let (opening, closing) = (moneyline_chances(&rows.lines, false), moneyline_chances(&rows.lines, true));
    let by_id =
        |table: &BTreeMap<String, f64>, row: &ResultRow| table.get(row.game.game_id.as_str()).copied();

    let decided = losses(&rows.results, |_| Some(0.5)).len() as f64;
    let home_rate = rows.results.iter().filter(|row| row.margin() > 0).count() as f64 / decided;
    assert!((0.55..0.58).contains(&home_rate), "home rate {home_rate}");
    assert!((2_900.0..3_200.0).contains(&decided), "{decided} games");

    let truth = losses(&rows.results, |row| by_id(&truths, row));
    let [opening, closing] =
        [opening, closing].map(|table| mean(&losses(&rows.results, |row| by_id(&table, row))));
    let constant = mean(&losses(&rows.results, |_| Some(home_rate)));
    let best = mean(&truth);
    eprintln!(
        "truth {best:.4} closing {closing:.4} opening {opening:.4} home rate {constant:.4} ({home_rate:.4})"
    );
    assert!((0.57..0.62).contains(&best), "truth {best}");
    assert!(constant - best > 0.06, "home rate {constant}, truth {best}");
    // The closing line loses 0.004 to 0.012 to the truth; its standard error is about 0.0025.
    assert!((0.002..0.014).contains(&(closing - best)), "closing {closing}, truth {best}");
    assert!(opening - closing > 0.003, "opening {opening}, closing {closing}");
    assert!(constant - opening > 0.04, "home rate {constant}, opening {opening}");

    // Results follow the truth: its mean loss is its mean entropy, within four standard errors of 0.45 / sqrt(3100).
    let entropy = |p: f64| -(p * p.ln() + (1.0 - p) * (1.0 - p).ln());
    let expected: Vec<f64> = rows.results.iter().filter_map(|row| by_id(&truths, row)).map(entropy).collect();
    assert!((best - mean(&expected)).abs() < 0.033, "truth {best}, its entropy {}", mean(&expected));
}

#[test]
fn most_of_what_can_be_known_is_learnt_from_margins_but_not_all() {
    let (mut by_elo, mut by_truth, mut by_rate) = (vec![], vec![], vec![]);
    for seed in [DEFAULT_SEED, 1, 2026] {
        let games = world::history(seed, instant("2014-01-01T00:00:00Z"));
        let mut elo = Elo::default();
        for (number, game) in games.iter().enumerate() {
            let expected = elo.expect(game);
            // One season to warm up.
            if number < 520 || margin(game) == 0.0 {
                continue;
            }
            let loss = |p: f64| -(if margin(game) > 0.0 { p } else { 1.0 - p }).ln();
            by_elo.push(loss(1.0 / (1.0 + (-0.105 * expected).exp())));
            by_truth.push(loss(game.means.forecast().unwrap().moneyline_two_way()));
            by_rate.push(loss(0.563));
        }
    }
    let [elo, truth, rate] = [by_elo, by_truth, by_rate].map(|losses| mean(&losses));
    let share = (rate - elo) / (rate - truth);
    eprintln!("elo {elo:.4} truth {truth:.4} home rate {rate:.4} share {share:.2}");
    assert!((0.5..0.85).contains(&share), "elo {elo}, truth {truth}, home rate {rate}");
}

#[test]
fn backups_and_fortresses_move_margins_by_points_that_a_rating_misses() {
    let (mut backups, mut at_fortress, mut away_from_it) = (vec![], vec![], vec![]);
    for seed in [DEFAULT_SEED, 1, 2026] {
        let games = world::history(seed, instant("2014-01-01T00:00:00Z"));
        let mut starts: BTreeMap<(i32, usize, &str), u32> = BTreeMap::new();
        for game in &games {
            for (team, player) in [game.meeting.home, game.meeting.away].into_iter().zip(&game.players) {
                *starts.entry((game.season, team, player.as_str())).or_default() += 1;
            }
        }
        let fortress = |team: usize| ["The Cauldron", "Summit Bowl"].contains(&HOMES[team].venue);
        let mut elo = Elo::default();
        for game in &games {
            let surprise = margin(game) - elo.expect(game);
            for (side, (team, sign)) in
                [(game.meeting.home, 1.0), (game.meeting.away, -1.0)].iter().enumerate()
            {
                // Whoever started less than a third of the season's 43 games stood in for somebody.
                if starts[&(game.season, *team, game.players[side].as_str())] < 15 {
                    backups.push(sign * surprise);
                }
            }
            if fortress(game.meeting.home) && !game.neutral {
                at_fortress.push(surprise);
            } else if fortress(game.meeting.away) {
                away_from_it.push(-surprise);
            }
        }
    }
    eprintln!("backups {:.2} fortress {:.2}", mean(&backups), mean(&at_fortress) - mean(&away_from_it));
    // Standard errors: 14 / sqrt(2000) = 0.3, and 14 * sqrt(2 / 780) = 0.7.
    assert!(mean(&backups) < -1.5, "{} in {}", mean(&backups), backups.len());
    assert!(mean(&at_fortress) - mean(&away_from_it) > 1.5);
}

#[test]
fn prices_that_stray_from_the_sharp_book_are_real_edges_and_the_careless_book_has_most() {
    let mut chances = Chances::default();
    let mut true_edges: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for game in world::history(DEFAULT_SEED, calendar::instant(7 * 40, 0)) {
        let truth = game.means.forecast().unwrap().moneyline_two_way();
        let mut morning = books::quotes(DEFAULT_SEED, &game, &mut chances);
        morning.retain(|quote| quote.moment == books::Moment::Morning);
        let [home, away] = morning[0].moneyline.map(f64::recip);
        let sharp = home / (home + away);
        for quote in &morning[1..] {
            for (believed, real, price) in [(sharp, truth, 0), (1.0 - sharp, 1.0 - truth, 1)] {
                let price = quote.moneyline[price];
                if believed * price > 1.05 {
                    true_edges.entry(quote.book).or_default().push(real * price - 1.0);
                }
            }
        }
    }
    let all: Vec<f64> = true_edges.values().flatten().copied().collect();
    eprintln!("{} stray prices, true edge {:.3}", all.len(), mean(&all));
    assert!(all.len() > 20 && mean(&all) > 0.02, "{} with {}", all.len(), mean(&all));
    let careless = true_edges[&4].len();
    assert!(
        true_edges.iter().all(|(book, edges)| *book == 4 || 2 * edges.len() < careless),
        "{true_edges:?}"
    );
}

#[test]
fn the_same_seed_and_instant_give_the_same_bytes() {
    let until = instant("2001-02-03T09:00:00Z");
    let files = league(5).fetch(&Pull::new(until)).unwrap();
    assert_eq!(files, league(5).fetch(&Pull::new(until)).unwrap());
    assert_ne!(files, league(6).fetch(&Pull::new(until)).unwrap());
    assert_eq!(league(5).truth_payload(until).unwrap(), league(5).truth_payload(until).unwrap());
}

#[test]
fn a_season_has_three_rows_that_cannot_be_right_and_each_is_refused_with_its_reason() {
    let league = league(DEFAULT_SEED);
    let files = league.fetch(&Pull::new(instant("2001-01-05T00:00:00Z"))).unwrap();
    let first: Vec<Payload> = files.into_iter().filter(|file| file.name.contains("2000")).collect();
    let mut reasons: Vec<String> = read(&league, &first).refused.into_iter().map(|row| row.reason).collect();
    reasons.sort();
    let expected = [
        "price is not above 1",
        "start time is no instant",
        "total is not between 1 and 200 or no quarter point",
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn a_cut_file_loses_its_last_row_only_and_a_page_in_its_place_is_an_error() {
    let league = league(1);
    let mut file = league.fetch(&Pull::new(instant("2000-02-01T00:00:00Z"))).unwrap().remove(1);
    let whole = league.parse(&file, &"whole".into()).unwrap();
    file.bytes.truncate(file.bytes.len() - 30);
    let cut = league.parse(&file, &"whole".into()).unwrap();
    assert_eq!(cut.lines[..], whole.lines[..whole.lines.len() - 6]);
    assert_eq!(cut.refused.len(), whole.refused.len() + 1);
    file.bytes = b"<!doctype html><p>not found</p>".to_vec();
    assert!(matches!(league.parse(&file, &"page".into()), Err(DataError::MissingColumns { .. })));
}

#[test]
fn before_the_first_schedule_there_is_nothing() {
    assert_eq!(league(1).fetch(&Pull::new(instant("1999-12-01T00:00:00Z"))).unwrap(), []);
}

#[test]
fn every_date_has_a_slate_within_a_day_and_fixtures_for_a_week_christmas_included() {
    for day in ["2001-07-15", "2001-12-24", "2001-12-25", "2001-12-31", "2002-01-01"] {
        let until = instant(&format!("{day}T09:00:00Z"));
        let starts: Vec<Timestamp> =
            world::history(DEFAULT_SEED, until).iter().map(|game| game.meeting.start).collect();
        let within = |hours: i64| {
            let end = until + SignedDuration::from_hours(hours);
            starts.iter().filter(|start| (until..end).contains(start)).count()
        };
        assert!((1..=6).contains(&within(24)), "{day}: {}", within(24));
        assert_eq!(within(7 * 24), 10, "{day}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_later_date_only_adds_to_the_end_of_each_file(day in 0_i64..450, minute in 0_i64..1440, later in 1_i64..20) {
        let league = league(DEFAULT_SEED);
        let until = calendar::instant(day, minute);
        let early = league.fetch(&Pull::new(until)).unwrap();
        let late = league.fetch(&Pull::new(calendar::instant(day + later, minute))).unwrap();
        for (file, grown) in early.iter().zip(&late) {
            prop_assert_eq!(&file.name, &grown.name);
            prop_assert!(grown.bytes.starts_with(&file.bytes), "{} was rewritten", file.name);
        }
        prop_assert!(late.len() >= early.len());
        let rows = read(&league, &early);
        prop_assert!(rows.lines.iter().all(|row| row.known_at() < until));
        prop_assert!(rows.results.iter().all(|row| row.known_at < until && row.game.start_time < until));
        prop_assert!(rows.context.iter().all(|row| row.known_at < until));
        // What the early files lack is exactly what was not known yet.
        let grown = read(&league, &late);
        let known = [
            grown.lines.iter().filter(|row| row.captured_at < until).count(),
            grown.results.iter().filter(|row| row.known_at < until).count(),
            grown.context.iter().filter(|row| row.known_at < until).count(),
        ];
        prop_assert_eq!(known, [rows.lines.len(), rows.results.len(), rows.context.len()]);
    }
}
