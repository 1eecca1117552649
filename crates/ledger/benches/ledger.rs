//! A million rows: read and verified, and one bet appended; ten thousand prices: scored and staked.
//!
//! ```sh
//! cargo bench -p ledger
//! ```

use std::path::PathBuf;

use divan::Bencher;
use ledger::{
    Entry, Joints, Ledger, LedgerFile, Mode, Night, Proposal, SettlementRule, StakeSettings,
    entry::Terms,
    stakes::{Purse, growth_added, size},
};
use lenses::{Evidence, MarketOpinion, assess, fat_pitch};
use market::{
    Distribution, GameId, GradeProbabilities, Joint, LeagueId, Market, Points, Price, RawRef, ScoreForecast,
    Selection, predictor::InformationWeight,
};

fn main() {
    divan::main();
}

/// Rows in the file: half of them placed, half settled.
const ROWS: usize = 1_000_000;

fn night(day: i64) -> Night {
    let as_of = "2001-01-01T09:00:00Z".parse::<market::Timestamp>().unwrap_or_default()
        + jiff::SignedDuration::from_hours(24 * day);
    Night {
        date: as_of.to_zoned(jiff::tz::TimeZone::UTC).date(),
        as_of,
        run_id: format!("run-{day}"),
        recorded_at: as_of,
    }
}

fn bet(number: usize, night: &Night) -> Option<Entry> {
    let league = LeagueId::new("demo").ok()?;
    let (home, away) = (format!("Home {}", number % 40), format!("Away {}", number % 37));
    let terms = Terms {
        game_id: GameId::from_text(&format!("{}-{number}", GameId::of(&league, night.date, &home, &away))),
        league,
        home: home.as_str().into(),
        away: away.as_str().into(),
        start_time: night.as_of + jiff::SignedDuration::from_hours(6),
        market: Market::Spread,
        selection: Selection::Home,
        points: Points::from_f64(-0.75),
        book: "north".into(),
        price: Price::new(1.95).ok()?,
        captured_at: night.as_of,
        raw_ref: RawRef { payload: "4f2a9c1be07d".into(), row: 12 },
        probability_model: Some(0.561_234_567),
        probability_market: Some(0.523_456_789),
        probability: Some(0.541_234_567_89),
        edge: Some(0.031_234_567),
        lenses: [Some(0.361_234), Some(0.751_234), None, Some(0.671_234), Some(0.581_234)],
        score: Some(0.471_234_567),
        growth_added: Some(0.000_123_456),
        weights_version: "equal-1".into(),
        model_version: "20011231T090000Z-ab12cd34".into(),
        rule: SettlementRule::of(Market::Spread, false),
    };
    Some(Entry::placed(night, Mode::Live, "12.34".parse().ok()?, terms))
}

/// A file with a million rows; made once, in the folder of temporary files.
fn file() -> Option<PathBuf> {
    let path = std::env::temp_dir().join(format!("edge-bench-{ROWS}")).join("ledger.csv");
    if path.exists() {
        return Some(path);
    }
    let starting = "100000.00".parse().ok()?;
    let mut ledger = Ledger::default();
    let mut text = String::new();
    for day in 0..1000 {
        let tonight = night(day);
        let first = day as usize * ROWS / 2000;
        let bets: Vec<Entry> =
            (first..first + ROWS / 2000).filter_map(|number| bet(number, &tonight)).collect();
        text += &ledger.append(bets.clone(), starting).ok()?;
        let tomorrow = night(day + 1);
        let ended = bets.iter().enumerate().filter_map(|(i, bet)| {
            let grade = if i % 2 == 0 { market::Grade::HalfWin } else { market::Grade::Loss };
            ledger.settle_by_hand(
                &bet.bet_id,
                ledger::Outcome::Graded(grade),
                Some((i as u16 % 2, 0)),
                |_| None,
                &tomorrow,
            )
        });
        let ended: Vec<Entry> = ended.flatten().collect();
        text += &ledger.append(ended, starting).ok()?;
    }
    std::fs::create_dir_all(path.parent()?).ok()?;
    std::fs::write(&path, text).ok()?;
    Some(path)
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn a_million_rows_read_and_verified(bencher: Bencher<'_, '_>) {
    let Some(path) = file() else { return };
    // What is returned is dropped outside of the measured time, as at the end of a process.
    bencher.bench_local(|| {
        let file = LedgerFile::open(&path).ok()?;
        let rows = file.ledger().verify().ok()?.rows;
        Some((file, rows))
    });
}

#[divan::bench(sample_count = 50, sample_size = 1)]
fn one_bet_appended_to_a_million_rows_and_flushed(bencher: Bencher<'_, '_>) {
    let Some(path) = file() else { return };
    let copy = path.with_file_name("appended.csv");
    if std::fs::copy(&path, &copy).is_err() {
        return;
    }
    let Ok(mut file) = LedgerFile::open(&copy) else { return };
    let Ok(starting) = "100000.00".parse() else { return };
    let mut number = 10 * ROWS;
    bencher.bench_local(|| {
        number += 1;
        file.append(bet(number, &night(5000)).into_iter().collect(), starting).ok()
    });
}

/// A hundred games with a hundred prices each.
fn prices() -> Option<Vec<(Proposal, Evidence)>> {
    let mut all = Vec::new();
    for game in 0..100_i32 {
        for line in 0..100_i32 {
            let selection = if line % 2 == 0 { Selection::Home } else { Selection::Over };
            let p = 0.45 + 0.001 * f64::from((game * 7 + line * 13) % 100);
            let grades = GradeProbabilities([p, 0.0, 0.0, 0.0, 1.0 - p]);
            let evidence = Evidence {
                members: [-0.01, 0.0, 0.012]
                    .map(|d| GradeProbabilities([p + d, 0.0, 0.0, 0.0, 1.0 - p - d]))
                    .to_vec(),
                members_without_market: vec![grades; 3],
                consensus: Some(MarketOpinion { probability: p - 0.01, sd_logit: 0.05, books: 8 }),
                consensus_by_method: (0..5).map(|m| p - 0.01 + 0.001 * f64::from(m)).collect(),
                information: Some(InformationWeight {
                    weight: 0.35,
                    standard_error: 0.08,
                    games: 2000,
                    calibration_sd: 0.1,
                    market_move_sd: Some(0.12),
                }),
                effective_games: Some(40.0),
                remaining_movement: Some(1.0),
                ..Evidence::default()
            };
            let proposal = Proposal {
                game_id: GameId::from_text(&format!("game-{game}")),
                league: LeagueId::new("demo").ok()?,
                book: "north".into(),
                selection,
                points: Points::from_f64(if line % 2 == 0 { -0.5 } else { 2.5 }),
                price: Price::new((1.03 / p * 100.0).round() / 100.0).ok()?,
                grades,
                score: None,
            };
            all.push((proposal, evidence));
        }
    }
    Some(all)
}

fn forecast() -> Option<ScoreForecast> {
    let bell = |middle: f64, range: std::ops::RangeInclusive<i32>| -> Vec<f64> {
        let masses: Vec<f64> = range.map(|k| (-(f64::from(k) - middle).powi(2) / 6.0).exp()).collect();
        let sum: f64 = masses.iter().sum();
        masses.into_iter().map(|p| p / sum).collect()
    };
    Some(ScoreForecast {
        margin: Distribution::new(-8, bell(0.3, -8..=8)).ok()?,
        total: Distribution::new(0, bell(2.7, 0..=12)).ok()?,
    })
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn ten_thousand_prices_scored_and_staked(bencher: Bencher<'_, '_>) {
    let (Some(prices), Some(forecast)) = (prices(), forecast()) else { return };
    let Ok(bankroll) = "10000.00".parse() else { return };
    let (settings, purse) = (StakeSettings::default(), Purse::new(bankroll));
    bencher.bench_local(|| {
        let mut proposals = Vec::with_capacity(prices.len());
        let mut assessed = Vec::with_capacity(prices.len());
        for (proposal, evidence) in &prices {
            let assessment = assess(proposal.price, evidence, settings.hurdle);
            let grades = assessment.stake_grades.unwrap_or(proposal.grades);
            proposals.push(Proposal { grades, ..proposal.clone() });
            assessed.push(assessment);
        }
        let games: std::collections::BTreeSet<&GameId> = proposals.iter().map(|p| &p.game_id).collect();
        let joints: Joints = games.into_iter().map(|game| (game.clone(), Joint::of(&forecast))).collect();
        let growth = growth_added(&proposals, &settings, &purse);
        for ((proposal, assessment), added) in proposals.iter_mut().zip(&assessed).zip(growth) {
            let pitch = fat_pitch::score(&fat_pitch::Inputs {
                growth_added: Some(added),
                reference_growth: fat_pitch::REFERENCE_GROWTH,
                exposure: 0.0,
                exposure_cap: settings.max_day,
                drawdown: 0.0,
            });
            proposal.score = assessment.with_fat_pitch(pitch, &lenses::Weights::default()).1.score();
        }
        size(&proposals, &joints, &settings, &purse)
    });
}
