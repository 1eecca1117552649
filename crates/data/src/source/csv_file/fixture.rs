//! Who plays whom and when, from one row.

use std::sync::Arc;

use jiff::{
    Timestamp,
    civil::{Date, Time, time},
};
use market::{Game, GameId};

use super::{
    super::{quote, season},
    CsvFile, Row,
};
use crate::Event;

/// Start of a game whose time is not known, in the league's time zone.
pub(super) const ASSUMED_START: Time = time(13, 0, 0, 0);
const UNREADABLE: &str = "the date is unreadable";

/// A game as a row gives it.
#[derive(Debug)]
pub(super) struct Fixture {
    pub(super) game: Arc<Game>,
    /// When the result is known.
    pub(super) ends: Timestamp,
    /// What the file calls the game.
    pub(super) event: Option<Event>,
}

/// When a game starts and ends, and its day in the league's time zone.
#[derive(Debug)]
struct Span {
    start: Timestamp,
    ends: Timestamp,
    day: Date,
}

impl CsvFile {
    /// Reads the game of a row, or says why there is none.
    pub(super) fn fixture(&self, row: &Row<'_>) -> Result<Fixture, &'static str> {
        let columns = &self.settings.columns;
        let Span { start, ends, day } = self.span(row)?;
        if !(1850..=2200).contains(&day.year()) {
            return Err(UNREADABLE);
        }
        let season = self.season(row, day)?;
        let (home, away) = row.get(&columns.home).zip(row.get(&columns.away)).ok_or("a team is missing")?;
        if home == away {
            return Err("both teams are the same");
        }
        let number = match row.get(&columns.number) {
            None => None,
            Some(text) => Some(game_number(text).ok_or("the game's number is unreadable")?),
        };
        let id = row.get(&columns.event);
        let mut game = Game::new(&self.league.id, season, start, day, home, away);
        let provisional = match (id, number) {
            (Some(id), _) => Some(format!("csv:{id}")),
            (None, Some(number)) if number > 1 => Some(format!("csv:{}-{number}", game.game_id)),
            _ => None,
        };
        if let Some(id) = provisional {
            game = Arc::new(Game { game_id: GameId::from_text(&id), ..Game::clone(&game) });
        }
        let event = (id.is_some() || number.is_some()).then(|| Event { id: id.map(Into::into), number });
        Ok(Fixture { game, ends, event })
    }

    fn span(&self, row: &Row<'_>) -> Result<Span, &'static str> {
        let (columns, settings) = (&self.settings.columns, &self.settings);
        let stated = row.get(&columns.date).map(|text| settings.day(text).ok_or(UNREADABLE)).transpose()?;
        if let Some(text) = row.get(&columns.start) {
            let start = instant(text).ok_or("the start is unreadable")?;
            let day = start.to_zoned(self.zone.clone()).date();
            let differs = |stated: Date| stated.until(day).map_or(true, |span| span.get_days().abs() > 1);
            if stated.is_some_and(|(stated, _)| differs(stated)) {
                return Err("the start contradicts the date");
            }
            let ends = start.checked_add(settings.game_lasts).map_err(|_| "the start is unreadable")?;
            return Ok(Span { start, ends, day });
        }
        let (day, clock) = stated.ok_or(UNREADABLE)?;
        let clock = match row.get(&columns.time) {
            None => clock,
            Some(text) => Some(time_of_day(text).ok_or("the time is unreadable")?),
        };
        let start = day.to_datetime(clock.unwrap_or(ASSUMED_START)).to_zoned(self.zone.clone());
        let start = start.map_err(|_| UNREADABLE)?.timestamp();
        let ends = match clock {
            Some(_) => start.checked_add(settings.game_lasts).ok(),
            None => quote::end_of_day(day, &self.zone, settings.game_lasts),
        };
        Ok(Span { start, ends: ends.ok_or(UNREADABLE)?, day })
    }

    fn season(&self, row: &Row<'_>, day: Date) -> Result<i32, &'static str> {
        let Some(column) = &self.settings.columns.season else {
            let before = i32::from(day.month()) < i32::from(self.settings.season_starts);
            return Ok(i32::from(day.year()) - i32::from(before));
        };
        let season = row.cell(column).and_then(stated_season).ok_or("the season is no year")?;
        if !season::lies_in(day, season) {
            return Err("the start lies outside the season");
        }
        Ok(season)
    }
}

/// Reads an instant: RFC 3339 or whole unix seconds.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    match text.parse::<i64>() {
        Ok(seconds) => Timestamp::from_second(seconds).ok(),
        Err(_) => text.parse().ok(),
    }
}

/// Reads `20:20`, `20:20:00` and `8:20 PM`.
fn time_of_day(text: &str) -> Option<Time> {
    let formats = ["%H:%M", "%I:%M %p", "%I:%M%p"];
    text.parse().ok().or_else(|| formats.into_iter().find_map(|format| Time::strptime(format, text).ok()))
}

fn stated_season(text: &str) -> Option<i32> {
    let whole = || quote::whole(text).and_then(|year| season::stated(&year.to_string()));
    season::stated(text).or_else(whole)
}

fn game_number(text: &str) -> Option<u8> {
    quote::whole(text).and_then(|number| u8::try_from(number).ok()).filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_time_is_read() {
        for text in ["20:20", "20:20:00", "8:20 PM", "08:20pm"] {
            assert_eq!(time_of_day(text), Some(time(20, 20, 0, 0)), "{text}");
        }
        assert_eq!(time_of_day("9:05"), Some(time(9, 5, 0, 0)));
        for text in ["", "25:61", "evening", "8:20 XM"] {
            assert_eq!(time_of_day(text), None, "{text}");
        }
    }

    #[test]
    fn every_form_of_an_instant_is_read() {
        for text in ["2021-11-12T01:20:00Z", "2021-11-11T20:20:00-05:00", "2021-11-12T01:20Z", "1636680000"] {
            assert_eq!(instant(text).unwrap().as_second(), 1_636_680_000, "{text}");
        }
        for text in ["", "2021-11-12", "2021-11-12T01:20:00", "99999999999999"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }
}
