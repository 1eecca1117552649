//! Reads the league's files back, strictly: a row that cannot be right is refused with its reason.

use std::{collections::BTreeMap, str::FromStr, sync::Arc};

use csv::StringRecord;
use jiff::Timestamp;
use market::{
    ContextRow, Game, GameStatus, LeagueId, LineRow, Name, Points, Price, RawRef, ResultRow, Selection,
};

use super::{
    SOURCE,
    feed::{GAME_COLUMNS, LINE_COLUMNS},
    header,
};
use crate::{DataError, Parsed, Payload, Refused};

/// Why a row is refused, in words that group alike rows.
type Reason = &'static str;

/// Reads one file into rows.
pub(super) fn parse(league: &LeagueId, payload: &Payload, hash: &Name) -> Result<Parsed, DataError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(payload.bytes.as_slice());
    let unreadable = |problem: &str| DataError::Payload {
        name: payload.name.clone(),
        problem: problem.to_owned(),
        advice: "fetch the demo league again".to_owned(),
    };
    let have = reader.headers().map_err(|_| unreadable("is no CSV in UTF-8"))?.clone();
    let is_lines = have.iter().next() == Some(LINE_COLUMNS[0]);
    let columns: &[&str] = if is_lines { &LINE_COLUMNS } else { &GAME_COLUMNS };
    if have.iter().ne(columns.iter().copied()) {
        let missing = columns.iter().filter(|column| !have.iter().any(|name| name == **column));
        let columns: Vec<String> = missing.map(|column| (*column).to_owned()).collect();
        if columns.is_empty() {
            return Err(unreadable("has its columns in another order"));
        }
        return Err(DataError::MissingColumns {
            name: payload.name.clone(),
            columns,
            layout: "demo".to_owned(),
        });
    }
    let mut rows = Rows {
        league,
        hash,
        games: BTreeMap::new(),
        books: BTreeMap::new(),
        source: SOURCE.into(),
        parsed: Parsed::default(),
    };
    for (row, record) in (0..).zip(reader.records()) {
        let record = record.map_err(|_| unreadable("is not UTF-8 throughout"))?;
        let read = if is_lines { rows.line(row, &record) } else { rows.news(row, &record) };
        if let Err(reason) = read {
            let text = record.iter().collect::<Vec<_>>().join(",");
            rows.parsed.refused.push(Refused::new(row, reason, &text));
        }
    }
    Ok(rows.parsed)
}

/// What is read so far.
struct Rows<'a> {
    league: &'a LeagueId,
    hash: &'a Name,
    /// Headers by season, start, home and away, as a season repeats each twenty times.
    games: BTreeMap<String, Arc<Game>>,
    books: BTreeMap<String, Name>,
    source: Name,
    parsed: Parsed,
}

impl Rows<'_> {
    fn raw_ref(&self, row: u32) -> RawRef {
        RawRef { payload: self.hash.clone(), row }
    }

    fn game(&mut self, season: &str, start: &str, home: &str, away: &str) -> Result<Arc<Game>, Reason> {
        let key = [season, start, home, away].join(",");
        if let Some(game) = self.games.get(&key) {
            return Ok(game.clone());
        }
        let start_time: Timestamp = number(start, "start time is no instant")?;
        let season = number(season, "season is no year")?;
        if home.is_empty() || away.is_empty() || home == away {
            return Err("teams are missing or the same");
        }
        let game = header(self.league, season, start_time, home, away);
        self.games.insert(key, game.clone());
        Ok(game)
    }

    fn line(&mut self, row: u32, record: &StringRecord) -> Result<(), Reason> {
        let [captured_at, season, start, home, away, book, is_closing, prices @ ..] =
            fields::<{ LINE_COLUMNS.len() }>(record)?;
        let [home_win, away_win, handicap, home_spread, away_spread, line, over, under] = prices;
        let game = self.game(season, start, home, away)?;
        let captured_at: Timestamp = number(captured_at, "capture time is no instant")?;
        if captured_at >= game.start_time {
            return Err("captured at or after the start");
        }
        if book.is_empty() {
            return Err("book is missing");
        }
        let is_closing = number(is_closing, "closing mark is neither true nor false")?;
        let [home_win, away_win] = pair(home_win, away_win)?;
        let [home_spread, away_spread] = pair(home_spread, away_spread)?;
        let [over, under] = pair(over, under)?;
        let handicap = points(handicap, -60.0, "handicap is beyond 60 or no quarter point")?;
        let line = points(line, 1.0, "total is not between 1 and 200 or no quarter point")?;
        let selections = [
            (Selection::Home, None, home_win),
            (Selection::Away, None, away_win),
            (Selection::Home, Some(handicap), home_spread),
            (Selection::Away, Some(-handicap), away_spread),
            (Selection::Over, Some(line), over),
            (Selection::Under, Some(line), under),
        ];
        let book = self.books.entry(book.to_owned()).or_insert_with(|| book.into()).clone();
        for (selection, points, price) in selections {
            let market = if points.is_none() { market::Market::Moneyline } else { selection.market() };
            self.parsed.lines.push(LineRow {
                game: game.clone(),
                book: book.clone(),
                market,
                selection,
                points,
                price,
                captured_at,
                is_closing,
                source: self.source.clone(),
                raw_ref: self.raw_ref(row),
            });
        }
        Ok(())
    }

    fn news(&mut self, row: u32, record: &StringRecord) -> Result<(), Reason> {
        let [kind, known_at, season, week, stage, start, home, away, facts @ ..] =
            fields::<{ GAME_COLUMNS.len() }>(record)?;
        let game = self.game(season, start, home, away)?;
        let known_at: Timestamp = number(known_at, "time of the news is no instant")?;
        let early = known_at < game.start_time;
        let mut context = ContextRow::new(game.clone(), known_at, self.source.clone(), self.raw_ref(row));
        context.week = Some(number(week, "week is no number")?);
        context.stage = text(stage);
        let [venue, neutral, roof, surface, referee, home_rest, away_rest, people @ ..] = facts;
        let [home_coach, away_coach, home_player, away_player, status, home_score, away_score] = people;
        match kind {
            "schedule" | "starters" if !early => return Err("known at or after the start"),
            "result" if early => return Err("result before the start"),
            "schedule" => {
                context.venue = text(venue);
                context.neutral = Some(number(neutral, "neutral mark is neither true nor false")?);
                (context.roof, context.surface, context.referee) = (text(roof), text(surface), text(referee));
                context.home_rest_days = Some(number(home_rest, "rest is no number of days")?);
                context.away_rest_days = Some(number(away_rest, "rest is no number of days")?);
                (context.home_coach, context.away_coach) = (text(home_coach), text(away_coach));
                self.parsed.context.push(context);
            }
            "starters" => {
                (context.home_player, context.away_player) = (text(home_player), text(away_player));
                self.parsed.context.push(context);
            }
            "result" => {
                let status = GameStatus::parse(status).ok_or("status is unknown")?;
                let played = status == GameStatus::Final;
                let score = |side| if played { number(side, "score is no number") } else { Ok(0) };
                self.parsed.results.push(ResultRow {
                    home_score: score(home_score)?,
                    away_score: score(away_score)?,
                    game,
                    status,
                    known_at,
                    source: self.source.clone(),
                    raw_ref: context.raw_ref,
                });
            }
            _ => return Err("kind of record is unknown"),
        }
        Ok(())
    }
}

fn fields<const N: usize>(record: &StringRecord) -> Result<[&str; N], Reason> {
    record.iter().collect::<Vec<_>>().try_into().map_err(|_| "wrong number of fields")
}

fn number<T: FromStr>(text: &str, reason: Reason) -> Result<T, Reason> {
    text.parse().map_err(|_| reason)
}

fn text(text: &str) -> Option<Name> {
    (!text.is_empty()).then(|| text.into())
}

/// Reads both prices of a market; together they must leave a believable margin.
fn pair(first: &str, second: &str) -> Result<[Price; 2], Reason> {
    const NO_PRICE: Reason = "price is not above 1";
    let price = |text| Price::new(number(text, NO_PRICE)?).map_err(|_| NO_PRICE);
    let prices = [price(first)?, price(second)?];
    let sum: f64 = prices.iter().map(|price| price.implied()).sum();
    if (0.9..1.3).contains(&sum) { Ok(prices) } else { Err("prices of both sides do not belong together") }
}

/// Reads points; handicaps reach from `least` to its opposite, totals from 1 to 200.
fn points(text: &str, least: f64, reason: Reason) -> Result<Points, Reason> {
    let value: f64 = number(text, reason)?;
    let most = if least < 0.0 { -least } else { 200.0 };
    Points::from_f64(value).filter(|_| (least..=most).contains(&value)).ok_or(reason)
}
