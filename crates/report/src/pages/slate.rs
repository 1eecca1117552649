//! A day's slate in words.

use jiff::civil::Date;
use serde::Serialize;

use super::{
    Route,
    input::SlatePage,
    pen::{Fixture, Link, Moment, Pen},
};
use crate::{
    headline,
    input::{Mode, NearMiss, Pick, ReportData, SlateGame},
    view::{self, health, pick},
};

/// Picks shown in full, further picks as a row, near misses, games; the stored report has them all.
const CARDS: usize = 20;
const ROWS: usize = 60;
const MISSES: usize = 60;
const GAMES: usize = 300;
/// Days to choose from.
const DAYS: usize = 60;

#[derive(Debug, Serialize)]
pub(super) struct SlateView {
    date: Moment,
    earlier: Option<Link>,
    later: Option<Link>,
    days: Vec<Link>,
    night: Option<Night>,
}

#[derive(Debug, Serialize)]
struct Night {
    headline: String,
    summary: String,
    is_paper: bool,
    notices: Vec<String>,
    /// Whether nothing went wrong.
    is_well: bool,
    as_of: Moment,
    report: String,
    cards: Vec<PickView>,
    rows: Vec<PickView>,
    more_picks: usize,
    misses: Vec<MissView>,
    more_misses: usize,
    games: Vec<GameView>,
    more_games: usize,
}

#[derive(Debug, Serialize)]
struct PickView {
    fixture: Fixture,
    seen: Moment,
    #[serde(flatten)]
    card: pick::Card,
}

#[derive(Debug, Serialize)]
struct MissView {
    fixture: Fixture,
    #[serde(flatten)]
    row: pick::NearMissRow,
}

#[derive(Debug, Serialize)]
struct GameView {
    fixture: Fixture,
    /// Whether something of the game is bet on.
    is_picked: bool,
    #[serde(flatten)]
    row: view::slate::SlateRow,
}

pub(super) fn view(page: &SlatePage, pen: &Pen<'_>) -> SlateView {
    let mut dates = page.dates.clone();
    dates.sort_unstable_by(|a, b| b.cmp(a));
    dates.dedup();
    let link = |date: &Date| Link {
        href: Route::Slate(*date).to_string(),
        text: pen.day(*date).text().to_owned(),
        is_current: *date == page.date,
    };
    SlateView {
        date: pen.long_day(page.date),
        earlier: dates.iter().find(|date| **date < page.date).map(link),
        later: dates.iter().rev().find(|date| **date > page.date).map(link),
        days: dates.iter().take(DAYS).map(link).collect(),
        night: page.report.as_ref().map(|report| night(report, pen)),
    }
}

fn night(report: &ReportData, pen: &Pen<'_>) -> Night {
    let style = pen.style();
    let mut picks: Vec<&Pick> = report.picks.iter().collect();
    picks.sort_by(|a, b| {
        (a.game.start_time, &a.game.game_id, a.market, a.selection, a.points).cmp(&(
            b.game.start_time,
            &b.game.game_id,
            b.market,
            b.selection,
            b.points,
        ))
    });
    let shown = picks.iter().take(CARDS + ROWS).zip(1..);
    let mut cards: Vec<PickView> = shown.map(|(pick, number)| pick_view(pick, number, report, pen)).collect();
    let rows = cards.split_off(CARDS.min(cards.len()));
    Night {
        headline: headline::written(report, &pen.locale),
        summary: view::summary(report, &style),
        is_paper: report.mode == Mode::Paper,
        notices: health::notices(report, &pen.locale).iter().map(health::sentence_of).collect(),
        is_well: health::is_well(report),
        as_of: pen.dated(report.as_of),
        report: Route::Report(report.date).to_string(),
        more_picks: picks.len() - cards.len() - rows.len(),
        cards,
        rows,
        misses: report.near_misses.iter().take(MISSES).map(|miss| miss_view(miss, pen)).collect(),
        more_misses: report.near_misses.len().saturating_sub(MISSES),
        games: report.slate.iter().take(GAMES).map(|game| game_view(game, report, pen)).collect(),
        more_games: report.slate.len().saturating_sub(GAMES),
    }
}

fn pick_view(pick: &Pick, number: usize, report: &ReportData, pen: &Pen<'_>) -> PickView {
    PickView {
        fixture: pen.fixture(&pick.game),
        seen: pen.near(pick.captured_at),
        card: pick::card(pick, number, report, &pen.style()),
    }
}

fn miss_view(miss: &NearMiss, pen: &Pen<'_>) -> MissView {
    MissView { fixture: pen.fixture(&miss.game), row: pick::near_miss(miss, &pen.style()) }
}

fn game_view(game: &SlateGame, report: &ReportData, pen: &Pen<'_>) -> GameView {
    GameView {
        fixture: pen.fixture(&game.game),
        is_picked: report.picks.iter().any(|pick| pick.game.game_id == game.game.game_id),
        row: view::slate::row(game, &pen.style()),
    }
}
