//! Prices, result and context from one row.

use market::{ContextRow, GameStatus, LineRow, Market, Name, ResultRow, Selection, Timestamp};

use super::{
    super::{
        quote::{self, Quoted, Side, Stamp},
        table::refuse,
    },
    CsvFile, Row,
    fixture::{self, Fixture},
};
use crate::Parsed;

/// Book of prices that name none.
pub(super) const CONSENSUS: &str = "consensus";

/// What a status says of a game.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Ahead,
    Ended(GameStatus),
}

impl CsvFile {
    /// Adds what a row says; the reason when it, or its result, cannot be right.
    pub(super) fn row(&self, row: &Row<'_>, parsed: &mut Parsed) -> Result<(), &'static str> {
        let Fixture { game, ends, event } = self.fixture(row)?;
        let stamp = Stamp { game, source: Name::from(Self::ID), raw_ref: row.raw_ref.clone() };
        if let Some(event) = event {
            parsed.events.insert(stamp.game.game_id.clone(), event);
        }
        self.context(row, &stamp, parsed);
        self.lines(row, &stamp, parsed);
        let result = self.result(row, &stamp, ends)?;
        parsed.results.extend(result);
        Ok(())
    }

    fn result(
        &self,
        row: &Row<'_>,
        stamp: &Stamp,
        ends: Timestamp,
    ) -> Result<Option<ResultRow>, &'static str> {
        let columns = &self.settings.columns;
        let scores =
            || quote::result(stamp, row.get(&columns.home_score), row.get(&columns.away_score), ends);
        if columns.status.is_none() {
            return scores();
        }
        match row.get(&columns.status).map_or(Some(Status::Ahead), status) {
            None => Err("the status is unknown"),
            Some(Status::Ahead) => Ok(None),
            Some(Status::Ended(GameStatus::Final)) => {
                scores()?.map(Some).ok_or("a finished game has no score")
            }
            Some(Status::Ended(status)) => Ok(Some(ResultRow {
                game: stamp.game.clone(),
                home_score: 0,
                away_score: 0,
                status,
                known_at: ends,
                source: stamp.source.clone(),
                raw_ref: stamp.raw_ref.clone(),
            })),
        }
    }

    fn lines(&self, row: &Row<'_>, stamp: &Stamp, parsed: &mut Parsed) {
        use Selection::{Away, Draw, Home, Over, Under};
        let columns = &self.settings.columns;
        let mut moneyline = vec![(Home, &columns.home_price), (Away, &columns.away_price)];
        if self.league.three_way {
            moneyline.insert(1, (Draw, &columns.draw_price));
        }
        let spread = vec![(Home, &columns.spread_home_price), (Away, &columns.spread_away_price)];
        let total = vec![(Over, &columns.over_price), (Under, &columns.under_price)];
        let markets = [
            (Market::Moneyline, &None, moneyline),
            (Market::Spread, &columns.spread, spread),
            (Market::Total, &columns.total, total),
        ];
        let mut offer = None;
        for (market, points, sides) in markets {
            let sides: Vec<_> = sides.into_iter().map(|(side, column)| (side, row.get(column))).collect();
            if sides.iter().all(|(_, price)| price.is_none()) {
                continue;
            }
            let (book, captured_at) = match offer.get_or_insert_with(|| self.offer(row, stamp)) {
                Ok(offer) => offer.clone(),
                // It holds for every market of the row.
                Err(reason) => {
                    parsed.refused.push(refuse(stamp.raw_ref.row, row.cells.record, *reason));
                    return;
                }
            };
            let is_closing = columns.captured_at.is_none();
            let quoted = Quoted { book, market, captured_at, is_closing };
            match self.market(stamp, &quoted, row.get(points), &sides) {
                Ok(rows) => parsed.lines.extend(rows),
                Err(reason) => {
                    let reason = format!("{market}: {reason}");
                    parsed.refused.push(refuse(stamp.raw_ref.row, row.cells.record, reason));
                }
            }
        }
    }

    /// Returns whose prices a row holds, and when they stood.
    fn offer(&self, row: &Row<'_>, stamp: &Stamp) -> Result<(Name, Timestamp), &'static str> {
        let columns = &self.settings.columns;
        let book = match &columns.book {
            Some(column) => row.cell(column).ok_or("a price stands without its book")?,
            None => self.settings.book.as_deref().unwrap_or(CONSENSUS),
        };
        let start = stamp.game.start_time;
        let Some(column) = &columns.captured_at else { return Ok((book.into(), self.leads.line(start))) };
        let text = row.cell(column).ok_or("a price stands without its time")?;
        let captured_at = fixture::instant(text).ok_or("the time of the price is unreadable")?;
        if captured_at >= start {
            return Err("the price is in-play");
        }
        Ok((book.into(), captured_at))
    }

    fn market(
        &self,
        stamp: &Stamp,
        quoted: &Quoted,
        points: Option<&str>,
        sides: &[(Selection, Option<&str>)],
    ) -> Result<Vec<LineRow>, &'static str> {
        let (market, settings) = (quoted.market, &self.settings);
        let points = match (market, points) {
            (Market::Moneyline, _) => None,
            (_, None) => return Err("a price stands without its points"),
            (_, Some(text)) => Some(settings.points(text).ok_or("points are no multiple of a quarter")?),
        };
        let flipped = market == Market::Spread && settings.home_favoured_positive;
        let points = if flipped { points.map(|points| -points) } else { points };
        let sides: Vec<Side<'_>> = sides
            .iter()
            .map(|&(side, price)| {
                let opposite = market == Market::Spread && side == Selection::Away;
                (side, points.map(|points| if opposite { -points } else { points }), price)
            })
            .collect();
        quote::lines(stamp, quoted, &sides, |text| settings.price(text))
    }

    fn context(&self, row: &Row<'_>, stamp: &Stamp, parsed: &mut Parsed) {
        let columns = &self.settings.columns;
        let name = |column| row.get(column).map(Name::from);
        let start = stamp.game.start_time;
        let blank = |known_at| {
            ContextRow::new(stamp.game.clone(), known_at, stamp.source.clone(), stamp.raw_ref.clone())
        };
        // A movable roof is opened or closed on the day; whether there is a fixed one is known beforehand.
        let roof = name(&columns.roof);
        let movable = roof.as_ref().is_some_and(|roof| matches!(roof.as_str(), "open" | "closed"));
        let (fixed, decided) = if movable { (None, roof) } else { (roof, None) };
        let neutral = row.get(&columns.neutral);
        if neutral.is_some_and(|text| flag(text).is_none()) {
            let reason = "the neutral ground is neither yes nor no";
            parsed.refused.push(refuse(stamp.raw_ref.row, row.cells.record, reason));
        }
        parsed.context.push(ContextRow {
            neutral: neutral.and_then(flag),
            venue: name(&columns.venue),
            roof: fixed,
            surface: name(&columns.surface),
            home_coach: name(&columns.home_coach),
            away_coach: name(&columns.away_coach),
            week: row.get(&columns.week).and_then(quote::whole).and_then(|week| u16::try_from(week).ok()),
            stage: name(&columns.stage),
            ..blank(self.leads.schedule(start))
        });
        let starters = ContextRow {
            roof: decided,
            home_player: name(&columns.home_player),
            away_player: name(&columns.away_player),
            referee: name(&columns.referee),
            ..blank(self.leads.starters(start))
        };
        let says = [&starters.roof, &starters.home_player, &starters.away_player, &starters.referee];
        if says.iter().any(|field| field.is_some()) {
            parsed.context.push(starters);
        }
    }
}

/// Reads a state; overtime is named behind a stroke (`Final/OT`).
fn status(text: &str) -> Option<Status> {
    let text = text.to_ascii_lowercase().replace(['_', '-'], " ");
    let word = text.split('/').next().unwrap_or_default().trim();
    Some(match word.strip_prefix("status ").unwrap_or(word) {
        "final" | "ft" | "finished" | "completed" | "complete" | "f" | "closed" | "full time"
        | "game over" => Status::Ended(GameStatus::Final),
        "postponed" | "ppd" => Status::Ended(GameStatus::Postponed),
        "cancelled" | "canceled" => Status::Ended(GameStatus::Cancelled),
        "abandoned" | "suspended" => Status::Ended(GameStatus::Abandoned),
        "scheduled" | "pre" | "preview" | "pregame" | "pre game" | "upcoming" | "not started" | "ns"
        | "timed" | "live" | "in progress" | "in play" | "halftime" | "ht" | "delayed" => Status::Ahead,
        _ => return None,
    })
}

/// Reads whether something is so.
fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "1.0" | "true" | "t" | "yes" | "y" | "neutral" => Some(true),
        "0" | "0.0" | "false" | "f" | "no" | "n" | "home" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_understood_in_any_case() {
        for text in ["Final", "FT", "final/OT", "F/10", "STATUS_FINAL", "Full Time"] {
            assert_eq!(status(text), Some(Status::Ended(GameStatus::Final)), "{text}");
        }
        for text in ["Live", "pre", "In Progress", "STATUS_SCHEDULED", "pre-game"] {
            assert_eq!(status(text), Some(Status::Ahead), "{text}");
        }
        assert_eq!(status("PPD"), Some(Status::Ended(GameStatus::Postponed)));
        assert_eq!(status("Suspended"), Some(Status::Ended(GameStatus::Abandoned)));
        assert_eq!(status("forfeited"), None);
    }
}
