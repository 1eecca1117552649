//! Picks and near misses in words.

use market::Game;
use serde::Serialize;

use super::Style;
use crate::{
    format,
    input::{Lens, LensScore, LensView, NearMiss, Pick, ReportData},
    locale::{DASH, Locale},
    words::Said,
};

/// Longest sentence that is shown whole, in characters.
const LONGEST_SENTENCE: usize = 200;

#[derive(Debug, Serialize)]
pub(super) struct Picks {
    count: usize,
    /// Shown in full.
    cards: Vec<Card>,
    /// Shown as one row each.
    rows: Vec<Card>,
    /// Not shown in this variant.
    left_out: usize,
}

#[derive(Debug, Serialize)]
pub(crate) struct Card {
    number: usize,
    league: String,
    kick_off: String,
    home: String,
    away: String,
    selection: String,
    book: String,
    price: String,
    captured_at: String,
    fair_price: String,
    probability: String,
    interval: String,
    edge: String,
    stake: String,
    share: String,
    score: String,
    score_width: u32,
    lenses: Vec<LensBar>,
    silent_lenses: Vec<String>,
    silences: Vec<Said>,
    why: String,
    cancel: String,
    /// The same as a sentence; none when nothing would cancel it.
    cancelled: Option<Said>,
    /// Lowest price at which the bet still stands.
    floor: String,
    trace: Trace,
}

#[derive(Debug, Serialize)]
pub(crate) struct LensBar {
    label: String,
    /// `score`, `missing` or `veto`.
    state: &'static str,
    text: String,
    /// Width in per cent, 0 to 100.
    width: u32,
}

/// Where a pick's numbers come from.
#[derive(Debug, Serialize)]
struct Trace {
    payload: String,
    row: u32,
    captured_at: String,
    predicted_as_of: String,
    model: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct NearMissRow {
    league: String,
    home: String,
    away: String,
    selection: String,
    book: String,
    price: String,
    edge: String,
    stopped_by: String,
    reason: String,
}

/// Builds all picks by kick-off, then game: the first in full, further ones as rows.
pub(super) fn picks(data: &ReportData, style: &Style<'_>) -> Picks {
    let mut sorted: Vec<&Pick> = data.picks.iter().collect();
    sorted.sort_by(|a, b| {
        (a.game.start_time, &a.game.game_id, a.market, a.selection, a.points).cmp(&(
            b.game.start_time,
            &b.game.game_id,
            b.market,
            b.selection,
            b.points,
        ))
    });
    let shown = style.limits.cards.saturating_add(style.limits.rows);
    let mut cards: Vec<Card> =
        sorted.iter().take(shown).zip(1..).map(|(pick, number)| card(pick, number, data, style)).collect();
    let rows = cards.split_off(style.limits.cards.min(cards.len()));
    Picks { count: sorted.len(), left_out: sorted.len() - cards.len() - rows.len(), cards, rows }
}

/// Says the picks in the one line that mail programs show beside the subject.
pub(super) fn preheader(data: &ReportData, style: &Style<'_>) -> String {
    let way = style.locale;
    let words = |pick: &Pick| {
        let price = way.price(pick.price);
        format!("{} {}", selection_of(pick, way), way.say_with("at-price", &[("price", &price)]))
    };
    let picks: Vec<String> = data.picks.iter().take(3).map(words).collect();
    if picks.is_empty() { crate::headline::written(data, way) } else { picks.join(" · ") }
}

fn selection_of(pick: &Pick, way: &Locale) -> String {
    let (home, away) = sides(&pick.game);
    way.selection(&home, &away, pick.market, pick.selection, pick.points)
}

pub(super) fn sides(game: &Game) -> (String, String) {
    (format::name(game.home.as_str()), format::name(game.away.as_str()))
}

pub(crate) fn card(pick: &Pick, number_in_report: usize, data: &ReportData, style: &Style<'_>) -> Card {
    let (way, (home, away)) = (style.locale, sides(&pick.game));
    let bankroll = data.bankroll.as_f64();
    let share = if bankroll > 0.0 { pick.stake.as_f64() / bankroll } else { 0.0 };
    Card {
        number: number_in_report,
        league: pick.game.league.as_str().to_uppercase(),
        kick_off: way.near(pick.game.start_time, style.zone),
        selection: selection_of(pick, way),
        home,
        away,
        book: format::name(pick.book.as_str()),
        price: way.price(pick.price),
        captured_at: way.near(pick.captured_at, style.zone),
        fair_price: way.price(pick.fair_price),
        probability: way.percent(pick.probability, 1),
        interval: way.percent_interval(pick.probability_interval_90, 1),
        edge: way.signed_percent(pick.edge, 1),
        stake: way.money(pick.stake, style.currency),
        share: way.percent(share, 1),
        score: way.number(pick.score, 2),
        score_width: width(pick.score),
        lenses: pick.lenses.iter().map(|view| bar(view, way)).collect(),
        silent_lenses: pick.lenses.iter().filter_map(|view| silence(view, way)).collect(),
        silences: pick.lenses.iter().filter_map(|view| silent(view, way)).collect(),
        why: format::shorten(&pick.why, LONGEST_SENTENCE),
        cancel: cancel(pick, way),
        cancelled: cancelled(pick, way),
        floor: pick.cancel_below.map_or_else(|| DASH.to_owned(), |price| way.price(price)),
        trace: trace(pick, style),
    }
}

fn trace(pick: &Pick, style: &Style<'_>) -> Trace {
    Trace {
        payload: short_hash(pick.raw_ref.payload.as_str()),
        row: pick.raw_ref.row,
        captured_at: style.locale.dated(pick.captured_at, style.zone),
        predicted_as_of: style.locale.dated(pick.predicted_as_of, style.zone),
        model: short_hash(&pick.model_sha256),
    }
}

/// Twelve digits of a hash are enough to find the object by its name.
pub(super) fn short_hash(hash: &str) -> String {
    format::name(hash).chars().take(12).collect()
}

fn cancel(pick: &Pick, way: &Locale) -> String {
    let below = pick.cancel_below.map(|price| format!("the price is below {}", way.price(price)));
    let when = pick.cancel_when.as_deref().map(|text| format::shorten(text, LONGEST_SENTENCE));
    let conditions: Vec<String> =
        [below, when].into_iter().flatten().filter(|text| !text.is_empty()).collect();
    conditions.join(", or ")
}

pub(crate) fn bar(view: &LensView, way: &Locale) -> LensBar {
    let (state, text, width) = match &view.score {
        LensScore::Score(score) => ("score", way.number(*score, 2), width(*score)),
        LensScore::Missing(_) => ("missing", way.say("lens-no-data"), 0),
        LensScore::Veto(_) => ("veto", way.say("lens-veto"), 0),
    };
    LensBar { label: lens(view.lens, way), state, text, width }
}

/// Says in one line why a lens gives no score; none when it does.
pub(crate) fn silence(view: &LensView, way: &Locale) -> Option<String> {
    silent(view, way).map(|said| said.whole())
}

fn silent(view: &LensView, way: &Locale) -> Option<Said> {
    let lens = lens(view.lens, way);
    let (says, reason) = match &view.score {
        LensScore::Score(_) => return None,
        LensScore::Missing(reason) => (way.say_with("lens-is-silent", &[("lens", &lens)]), reason),
        LensScore::Veto(reason) => (way.say_with("lens-says-no", &[("lens", &lens)]), reason),
    };
    Some(Said { says, foreign: format::shorten(reason, LONGEST_SENTENCE) })
}

fn lens(lens: Lens, way: &Locale) -> String {
    way.say(match lens {
        Lens::CircleOfCompetence => "lens-circle",
        Lens::MarginOfSafety => "lens-margin",
        Lens::MrMarket => "lens-market",
        Lens::Moat => "lens-moat",
        Lens::FatPitch => "lens-pitch",
    })
}

fn cancelled(pick: &Pick, way: &Locale) -> Option<Said> {
    let when = pick.cancel_when.as_deref().map(|text| format::shorten(text, LONGEST_SENTENCE));
    let foreign = when.filter(|text| !text.is_empty());
    let price = pick.cancel_below.map(|price| way.price(price));
    match (price, foreign) {
        (None, None) => None,
        (None, Some(foreign)) => Some(Said { says: way.say("cancel-if"), foreign }),
        (Some(price), None) => Some(Said::ours(way.say_with("cancel-below", &[("price", &price)]))),
        (Some(price), Some(foreign)) => {
            Some(Said { says: way.say_with("cancel-below-or", &[("price", &price)]), foreign })
        }
    }
}

pub(crate) fn width(score: f64) -> u32 {
    // A float that is not a number saturates to 0.
    (score.clamp(0.0, 1.0) * 100.0).round() as u32
}

pub(crate) fn near_miss(miss: &NearMiss, style: &Style<'_>) -> NearMissRow {
    let (way, (home, away)) = (style.locale, sides(&miss.game));
    NearMissRow {
        league: miss.game.league.as_str().to_uppercase(),
        selection: way.selection(&home, &away, miss.market, miss.selection, miss.points),
        home,
        away,
        book: format::name(miss.book.as_str()),
        price: way.price(miss.price),
        edge: way.signed_percent(miss.edge, 1),
        stopped_by: miss.stopped_by.map_or_else(|| way.say("limit"), |by| lens(by, way)),
        reason: format::shorten(&miss.reason, LONGEST_SENTENCE),
    }
}
