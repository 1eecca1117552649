//! Tonight's games in words.

use market::Selection;
use serde::Serialize;

use super::{Style, pick::sides};
use crate::{
    format,
    input::{SlateGame, SlateOutcome},
    locale::{DASH, Locale},
};

#[derive(Debug, Serialize)]
pub(crate) struct SlateRow {
    league: String,
    kick_off: String,
    home: String,
    away: String,
    /// Home, draw, away; a draw that is not bet on is empty.
    outcomes: [Option<OutcomeCell>; 3],
}

#[derive(Debug, Serialize)]
struct OutcomeCell {
    name: String,
    price: String,
    book: String,
    model: String,
    market: String,
}

pub(crate) fn row(game: &SlateGame, style: &Style<'_>) -> SlateRow {
    let (home, away) = sides(&game.game);
    let way = style.locale;
    let cell = |selection| {
        let outcome = game.outcomes.iter().find(|outcome| outcome.selection == selection);
        outcome.map(|outcome| outcome_cell(outcome, way))
    };
    SlateRow {
        league: game.game.league.as_str().to_uppercase(),
        kick_off: way.near(game.game.start_time, style.zone),
        home,
        away,
        outcomes: [Selection::Home, Selection::Draw, Selection::Away].map(cell),
    }
}

fn outcome_cell(outcome: &SlateOutcome, way: &Locale) -> OutcomeCell {
    let dash = || DASH.to_owned();
    OutcomeCell {
        name: way.say(match outcome.selection {
            Selection::Home => "outcome-home",
            Selection::Away => "outcome-away",
            _ => "outcome-draw",
        }),
        price: outcome.best.as_ref().map_or_else(dash, |best| way.price(best.price)),
        book: outcome.best.as_ref().map_or_else(String::new, |best| format::name(best.book.as_str())),
        model: way.percent(outcome.model, 1),
        market: outcome.market.map_or_else(dash, |market| way.percent(market, 1)),
    }
}
