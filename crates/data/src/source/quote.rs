//! One book's complete market of one game, and its result, each checked as a whole.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use market::{Game, GameStatus, LineRow, Market, Name, Points, Price, RawRef, ResultRow, Selection};

use crate::DataError;

/// Overrounds outside of this range cannot be one book's prices of one instant.
const OVERROUND: std::ops::RangeInclusive<f64> = -0.01..=0.25;

/// What all rows of one game have in common.
#[derive(Debug, Clone)]
pub(crate) struct Stamp {
    pub(crate) game: Arc<Game>,
    pub(crate) source: Name,
    pub(crate) raw_ref: RawRef,
}

/// When and by whom a market was priced.
#[derive(Debug, Clone)]
pub(crate) struct Quoted {
    pub(crate) book: Name,
    pub(crate) market: Market,
    pub(crate) captured_at: Timestamp,
    pub(crate) is_closing: bool,
}

/// One side: its selection, its own points, and its price as the source wrote it.
pub(crate) type Side<'a> = (Selection, Option<Points>, Option<&'a str>);

/// Returns a line per side; nothing when no side is priced, the reason when they cannot be right.
pub(crate) fn lines(
    stamp: &Stamp,
    quoted: &Quoted,
    sides: &[Side<'_>],
    price: impl Fn(&str) -> Option<Price>,
) -> Result<Vec<LineRow>, &'static str> {
    if sides.iter().all(|side| side.2.is_none()) {
        return Ok(Vec::new());
    }
    let mut rows = Vec::with_capacity(sides.len());
    let mut overround = -1.0;
    for &(selection, points, text) in sides {
        let text = text.ok_or("a side of a book's market has no price")?;
        let price = price(text).ok_or("a price is no odds above 1")?;
        overround += price.implied();
        rows.push(LineRow {
            game: stamp.game.clone(),
            book: quoted.book.clone(),
            market: quoted.market,
            selection,
            points,
            price,
            captured_at: quoted.captured_at,
            is_closing: quoted.is_closing,
            source: stamp.source.clone(),
            raw_ref: stamp.raw_ref.clone(),
        });
    }
    if !OVERROUND.contains(&overround) {
        return Err("the overround of a book's market is below -1 % or above 25 %");
    }
    Ok(rows)
}

/// Returns the final result behind two scores, none when the game has not been played.
pub(crate) fn result(
    stamp: &Stamp,
    home: Option<&str>,
    away: Option<&str>,
    known_at: Timestamp,
) -> Result<Option<ResultRow>, &'static str> {
    let (home, away) = match (home, away) {
        (None, None) => return Ok(None),
        (Some(home), Some(away)) => (home, away),
        _ => return Err("one of the two scores is missing"),
    };
    let (home_score, away_score) =
        score(home).zip(score(away)).ok_or("a score is no number from 0 to 999")?;
    Ok(Some(ResultRow {
        game: stamp.game.clone(),
        home_score,
        away_score,
        status: GameStatus::Final,
        known_at,
        source: stamp.source.clone(),
        raw_ref: stamp.raw_ref.clone(),
    }))
}

/// Reads a decimal price.
pub(crate) fn decimal(text: &str) -> Option<Price> {
    text.parse().ok().and_then(|decimal| Price::new(decimal).ok())
}

/// Reads an American price; some files write it with decimals.
pub(crate) fn american(text: &str) -> Option<Price> {
    whole(text).and_then(|american| Price::from_american(i32::try_from(american).ok()?).ok())
}

/// Reads points, a multiple of a quarter.
pub(crate) fn points(text: &str) -> Option<Points> {
    text.parse().ok().and_then(Points::from_f64)
}

/// Reads a whole number, also when it is written like `2.0`.
pub(crate) fn whole(text: &str) -> Option<i64> {
    let number: f64 = text.parse().ok()?;
    (number.fract() == 0.0 && number.abs() < 1e9).then_some(number as i64)
}

/// Reads a score.
fn score(text: &str) -> Option<u16> {
    whole(text).and_then(|number| u16::try_from(number).ok()).filter(|score| *score < 1000)
}

/// Finds an IANA time zone.
pub(crate) fn time_zone(name: &str) -> Result<TimeZone, DataError> {
    TimeZone::get(name).map_err(|_| DataError::Setting(format!("`{name}` is no IANA time zone")))
}

/// Returns the instant `margin` after the end of a day.
pub(crate) fn end_of_day(date: Date, zone: &TimeZone, margin: SignedDuration) -> Option<Timestamp> {
    date.tomorrow().ok()?.to_zoned(zone.clone()).ok()?.timestamp().checked_add(margin).ok()
}
