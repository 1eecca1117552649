//! A small book of bets that the tests write and settle.

use ledger::{Entry, Mode, Night, SettlementRule, entry::Terms};
use market::{Game, GameStatus, LeagueId, Market, Points, Price, RawRef, ResultRow, Selection, Timestamp};

pub(crate) fn night(day: u32) -> Night {
    let as_of: Timestamp = format!("2021-11-{day:02}T09:00:00Z").parse().unwrap();
    Night {
        date: format!("2021-11-{day:02}").parse().unwrap(),
        as_of,
        run_id: format!("run-{day}"),
        recorded_at: as_of + jiff::SignedDuration::from_mins(3),
    }
}

pub(crate) fn game(number: usize) -> std::sync::Arc<Game> {
    let league = LeagueId::new("demo").unwrap();
    let start = "2021-11-11T20:00:00Z".parse().unwrap();
    Game::new(
        &league,
        2021,
        start,
        "2021-11-11".parse().unwrap(),
        &format!("Home {number}"),
        &format!("Away {number}"),
    )
}

pub(crate) fn terms(number: usize, selection: Selection, points: Option<f64>, price: f64) -> Terms {
    let game = game(number);
    let market = if points.is_some() { selection.market() } else { Market::Moneyline };
    Terms {
        game_id: game.game_id.clone(),
        league: game.league.clone(),
        home: game.home.clone(),
        away: game.away.clone(),
        start_time: game.start_time,
        market,
        selection,
        points: points.and_then(Points::from_f64),
        book: "north".into(),
        price: Price::new(price).unwrap(),
        captured_at: "2021-11-11T08:00:00Z".parse().unwrap(),
        raw_ref: RawRef { payload: "ab12".into(), row: 7 },
        probability_model: Some(0.57),
        probability_market: Some(0.52),
        probability: Some(0.541),
        edge: Some(0.033),
        lenses: [Some(0.36), Some(0.75), None, Some(0.67), Some(0.58)],
        score: Some(0.47),
        growth_added: Some(0.000_12),
        weights_version: "equal-1".into(),
        model_version: "2021-11-10-ab12".into(),
        rule: SettlementRule::of(market, false),
    }
}

pub(crate) fn placed(
    number: usize,
    selection: Selection,
    points: Option<f64>,
    price: f64,
    stake: &str,
) -> Entry {
    Entry::placed(&night(11), Mode::Live, stake.parse().unwrap(), terms(number, selection, points, price))
}

pub(crate) fn result(number: usize, home_score: u16, away_score: u16) -> ResultRow {
    ResultRow {
        game: game(number),
        home_score,
        away_score,
        status: GameStatus::Final,
        known_at: "2021-11-11T23:30:00Z".parse().unwrap(),
        source: "demo".into(),
        raw_ref: RawRef { payload: "cd34".into(), row: 1 },
    }
}
