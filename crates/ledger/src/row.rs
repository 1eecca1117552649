//! How an event is written as a line of text: CSV that a spreadsheet opens without running anything.
//!
//! Text that begins with `=`, `+`, `-`, `@`, a tab or an apostrophe gets an apostrophe in front, and line ends inside of
//! text become `\n` and `\r`, so that a row is a line; reading takes both away again. Numbers are written in full, so that
//! what is read is what was written. Each row ends with its seal, see [`seal`](crate::seal).
//!
//! # Example
//! ```
//! use ledger::row::{COLUMNS, escape, unescape};
//! assert_eq!(COLUMNS[..4], ["date", "game_id", "stake", "pnl"]);
//! assert_eq!(escape("=HYPERLINK(1)"), "'=HYPERLINK(1)");
//! assert_eq!(unescape("'=HYPERLINK(1)"), "=HYPERLINK(1)");
//! ```

use std::{borrow::Cow, fmt::Display};

use csv::StringRecord;
use market::{GameId, LeagueId, Market, Name, Points, Price, RawRef, Selection};
use rustc_hash::FxHashMap;

use crate::{
    ClosingLine, Clv, Entry, Event, LedgerError, Mode, Outcome, SettlementRule, clv,
    entry::{Ending, Terms},
};

/// The columns in order.
pub const COLUMNS: [&str; 47] = [
    "date",
    "game_id",
    "stake",
    "pnl",
    "event",
    "bet_id",
    "mode",
    "league",
    "home",
    "away",
    "start_time",
    "market",
    "selection",
    "points",
    "book",
    "price",
    "captured_at",
    "raw_ref",
    "as_of",
    "probability_model",
    "probability_market",
    "probability",
    "edge",
    "circle_of_competence",
    "margin_of_safety",
    "mr_market",
    "moat",
    "fat_pitch",
    "score",
    "growth_added",
    "weights_version",
    "model_version",
    "rule_id",
    "grade",
    "home_score",
    "away_score",
    "closing_price",
    "closing_points",
    "closing_probability",
    "price_clv",
    "ev_clv",
    "logit_clv",
    "balance",
    "run_id",
    "recorded_at",
    "event_id",
    "seal",
];

/// Columns that ledgers of the first version did not have; their cells are read as empty.
const ADDED: [&str; 5] = ["growth_added", "closing_points", "price_clv", "logit_clv", "seal"];

/// Which cell of a line belongs to which column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// For each of [`COLUMNS`] its place in the line.
    places: Vec<Option<usize>>,
    cells: usize,
}

impl Layout {
    /// Reads a header; none when it is not a ledger's.
    pub(crate) fn of(header: &StringRecord) -> Option<Self> {
        let mut cells = header.iter().enumerate().peekable();
        let mut place = |column: &&str| match cells.next_if(|(_, name)| name == column) {
            Some((place, _)) => Some(Some(place)),
            None => ADDED.contains(column).then_some(None),
        };
        let places = COLUMNS.iter().map(&mut place).collect::<Option<Vec<_>>>()?;
        let whole = header.len() == COLUMNS.len() || header.len() == COLUMNS.len() - ADDED.len();
        (whole && cells.next().is_none()).then_some(Self { places, cells: header.len() })
    }

    /// Returns the layout that is written today.
    pub(crate) fn current() -> Self {
        Self { places: (0..COLUMNS.len()).map(Some).collect(), cells: COLUMNS.len() }
    }

    /// Returns whether rows carry a seal.
    pub(crate) fn is_sealed(&self) -> bool {
        self.places.iter().all(Option::is_some)
    }
}

/// Makes text harmless in a spreadsheet.
pub fn escape(text: &str) -> Cow<'_, str> {
    let mut escaped = Cow::Borrowed(text);
    if text.contains(['\\', '\n', '\r']) {
        escaped = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").into();
    }
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) {
        escaped = format!("'{escaped}").into();
    }
    escaped
}

/// Takes the escape away again.
pub fn unescape(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\'').unwrap_or(text);
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => match letters.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    Cow::Owned(plain)
}

/// Returns the cells of an event in the order of [`COLUMNS`], without the seal, which is put behind them.
pub fn encode(entry: &Entry) -> Vec<String> {
    let mut cells = Vec::with_capacity(COLUMNS.len());
    let game_id = entry.terms.as_ref().map_or("", |terms| terms.game_id.as_str());
    cells.extend([
        entry.date.to_string(),
        escape(game_id).into_owned(),
        entry.stake.to_string(),
        entry.pnl.to_string(),
    ]);
    cells.extend([entry.event.to_string(), escape(&entry.bet_id).into_owned(), entry.mode.to_string()]);
    if let Some(terms) = &entry.terms {
        encode_terms(terms, &entry.as_of.to_string(), &mut cells);
    } else {
        cells.extend((0..BEFORE_AS_OF).map(|_| String::new()));
        cells.push(entry.as_of.to_string());
        cells.extend((0..AFTER_AS_OF).map(|_| String::new()));
    }
    encode_ending(entry.ending.as_ref(), &mut cells);
    cells.push(entry.balance.to_string());
    cells.extend([escape(&entry.run_id).into_owned(), entry.recorded_at.to_string()]);
    cells.push(escape(&entry.event_id).into_owned());
    cells
}

/// Columns of the terms before and after `as_of`.
const BEFORE_AS_OF: usize = 11;
const AFTER_AS_OF: usize = 14;

fn encode_terms(terms: &Terms, as_of: &str, cells: &mut Vec<String>) {
    let text = |text: &str| escape(text).into_owned();
    cells.extend([text(terms.league.as_str()), text(terms.home.as_str()), text(terms.away.as_str())]);
    cells.extend([terms.start_time.to_string(), terms.market.to_string(), terms.selection.to_string()]);
    cells.extend([number(terms.points), text(terms.book.as_str()), terms.price.decimal().to_string()]);
    cells.extend([terms.captured_at.to_string(), text(&terms.raw_ref.to_string()), as_of.to_owned()]);
    cells.extend(
        [terms.probability_model, terms.probability_market, terms.probability, terms.edge].map(number),
    );
    cells.extend(terms.lenses.map(number));
    cells.extend([terms.score, terms.growth_added].map(number));
    cells.extend([
        text(terms.weights_version.as_str()),
        text(terms.model_version.as_str()),
        terms.rule.to_string(),
    ]);
}

fn encode_ending(ending: Option<&Ending>, cells: &mut Vec<String>) {
    let scores = ending.and_then(|ending| ending.scores);
    cells.push(ending.map_or_else(String::new, |ending| ending.outcome.as_str().to_owned()));
    cells.extend([number(scores.map(|s| s.0)), number(scores.map(|s| s.1))]);
    let close = ending.and_then(|ending| ending.close);
    cells.push(number(close.map(|close| close.price.decimal())));
    cells.push(number(close.and_then(|close| close.points)));
    cells.push(number(close.map(|close| close.probability)));
    let clv = ending.and_then(|ending| ending.clv);
    let values = [clv.and_then(|clv| clv.price), clv.map(|clv| clv.expected_value), clv.map(|clv| clv.logit)];
    cells.extend(values.map(number));
}

/// Writes cells as one line of CSV, without its line end.
pub(crate) fn write_line(cells: &[String]) -> String {
    let mut line = String::new();
    for (i, cell) in cells.iter().enumerate() {
        if i > 0 {
            line.push(',');
        }
        if cell.contains([',', '"']) {
            line.push('"');
            line += &cell.replace('"', "\"\"");
            line.push('"');
        } else {
            line += cell;
        }
    }
    line
}

fn number(value: Option<impl Display>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// Reads the cells of an event; the error names the line and the column.
pub(crate) fn decode<'a>(
    cells: impl Iterator<Item = &'a str>,
    line: u64,
    layout: &'a Layout,
    names: &'a mut Names,
) -> Result<Entry, LedgerError> {
    let mut record = [""; COLUMNS.len()];
    let mut found = 0;
    for cell in cells {
        if let Some(slot) = record.get_mut(found) {
            *slot = cell;
        }
        found += 1;
    }
    if found != layout.cells {
        return Err(LedgerError::Columns { line, found, expected: layout.cells });
    }
    let cells = &mut Cells { record, line, layout, names, next: 0 };
    let date = cells.parse("a date like 2021-11-11", |t| t.parse().ok())?;
    let game_id = cells.text();
    let stake = cells.parse("an amount like 12.50", |t| t.parse().ok())?;
    let pnl = cells.parse("an amount like -12.50", |t| t.parse().ok())?;
    let event = cells.parse("an event such as placed or settled", Event::parse)?;
    let bet_id = cells.text();
    let mode = cells.parse("paper or live", Mode::parse)?;
    let (terms, as_of) = if matches!(event, Event::Deposit | Event::Withdrawal) {
        cells.blank(BEFORE_AS_OF)?;
        let as_of = cells.instant()?;
        cells.blank(AFTER_AS_OF)?;
        (None, as_of)
    } else {
        let (terms, as_of) = decode_terms(cells, &game_id)?;
        (Some(terms), as_of)
    };
    let ending = decode_ending(cells, terms.as_ref())?;
    let balance = cells.parse("an amount like 1000.00", |t| t.parse().ok())?;
    let run_id = cells.text();
    let recorded_at = cells.instant()?;
    let event_id = cells.text();
    Ok(Entry {
        date,
        stake,
        pnl,
        event,
        bet_id,
        mode,
        as_of,
        terms,
        ending,
        balance,
        run_id,
        recorded_at,
        event_id,
    })
}

fn decode_terms(cells: &mut Cells<'_>, game_id: &str) -> Result<(Terms, market::Timestamp), LedgerError> {
    let league = cells.named("a league id", Names::league)?;
    let (home, away) = (cells.name(), cells.name());
    let start_time = cells.instant()?;
    let market = cells.parse("moneyline, spread or total", Market::parse)?;
    let selection = cells.parse("home, draw, away, over or under", Selection::parse)?;
    let points = cells.points()?;
    let book = cells.name();
    let price = cells.parse("decimal odds above 1", price)?;
    let captured_at = cells.instant()?;
    let raw_ref = cells.named("a payload hash and row like ab12#7", |names, t| {
        let text = unescape(t);
        let (payload, row) = text.rsplit_once('#')?;
        Some(RawRef { payload: names.name(payload), row: row.parse().ok()? })
    })?;
    let as_of = cells.instant()?;
    let [probability_model, probability_market, probability, edge] = cells.numbers()?;
    let lenses = cells.numbers()?;
    let [score, growth_added] = cells.numbers()?;
    let (weights_version, model_version) = (cells.name(), cells.name());
    let rule = cells.named("a known settlement rule", Names::rule)?;
    let game_id = GameId::from_text(game_id);
    let terms = Terms {
        game_id,
        league,
        home,
        away,
        start_time,
        market,
        selection,
        points,
        book,
        price,
        captured_at,
        raw_ref,
        probability_model,
        probability_market,
        probability,
        edge,
        lenses,
        score,
        growth_added,
        weights_version,
        model_version,
        rule,
    };
    Ok((terms, as_of))
}

fn decode_ending(cells: &mut Cells<'_>, terms: Option<&Terms>) -> Result<Option<Ending>, LedgerError> {
    let outcome = cells.optional("a grade such as win, or postponed, or nothing", Outcome::parse)?;
    let home = cells.optional("a score, or nothing", |t| t.parse::<u16>().ok())?;
    let away = cells.optional("a score, or nothing", |t| t.parse::<u16>().ok())?;
    let closing_price = cells.optional("decimal odds above 1, or nothing", price)?;
    let closing_points = cells.points()?;
    let [probability] = cells.numbers()?;
    let [price, expected_value, logit] = cells.numbers()?;
    let close = closing_price.zip(probability).map(|(price, probability)| {
        // Ledgers of the first version wrote closes at the bet's own points only, and no column for them.
        let points =
            if cells.layout.is_sealed() { closing_points } else { terms.and_then(|terms| terms.points) };
        ClosingLine { price, points, probability }
    });
    let clv = expected_value.and_then(|expected_value| {
        if cells.layout.is_sealed() {
            return Some(Clv { price, expected_value, logit: logit? });
        }
        terms.zip(close).and_then(|(terms, close)| clv::clv(terms.price, terms.points, &close))
    });
    Ok(outcome.map(|outcome| Ending { outcome, scores: home.zip(away), close, clv }))
}

fn price(text: &str) -> Option<Price> {
    Price::new(text.parse().ok()?).ok()
}

/// Reads cells one after the other.
struct Cells<'a> {
    record: [&'a str; COLUMNS.len()],
    line: u64,
    layout: &'a Layout,
    names: &'a mut Names,
    next: usize,
}

/// Names that were read before: the same ones stand in thousands of rows, and are kept once.
#[derive(Debug, Default)]
pub(crate) struct Names {
    texts: FxHashMap<String, Name>,
    leagues: FxHashMap<String, LeagueId>,
    rules: FxHashMap<String, SettlementRule>,
}

impl Names {
    fn name(&mut self, text: &str) -> Name {
        if let Some(name) = self.texts.get(text) {
            return name.clone();
        }
        let name = Name::from(text);
        self.texts.insert(text.to_owned(), name.clone());
        name
    }

    fn league(&mut self, text: &str) -> Option<LeagueId> {
        if let Some(league) = self.leagues.get(text) {
            return Some(league.clone());
        }
        let league = LeagueId::new(text).ok()?;
        self.leagues.insert(text.to_owned(), league.clone());
        Some(league)
    }

    fn rule(&mut self, text: &str) -> Option<SettlementRule> {
        if let Some(rule) = self.rules.get(text) {
            return Some(*rule);
        }
        let rule = SettlementRule::parse(text)?;
        self.rules.insert(text.to_owned(), rule);
        Some(rule)
    }
}

impl<'a> Cells<'a> {
    fn raw(&mut self) -> &'a str {
        let place = self.layout.places.get(self.next).copied().flatten();
        self.next += 1;
        place.and_then(|place| self.record.get(place)).copied().unwrap_or_default()
    }

    fn text(&mut self) -> String {
        unescape(self.raw()).into_owned()
    }

    fn name(&mut self) -> Name {
        let text = unescape(self.raw());
        self.names.name(&text)
    }

    fn parse<T>(
        &mut self,
        expected: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, LedgerError> {
        self.named(expected, |_, text| read(text))
    }

    fn named<T>(
        &mut self,
        expected: &'static str,
        read: impl FnOnce(&mut Names, &str) -> Option<T>,
    ) -> Result<T, LedgerError> {
        let text = self.raw();
        read(self.names, text).ok_or_else(|| LedgerError::Cell {
            line: self.line,
            column: COLUMNS[self.next - 1],
            found: text.to_owned(),
            expected,
        })
    }

    fn optional<T>(
        &mut self,
        expected: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, LedgerError> {
        self.parse(expected, |text| if text.is_empty() { Some(None) } else { read(text).map(Some) })
    }

    fn points(&mut self) -> Result<Option<Points>, LedgerError> {
        self.optional("points in quarters, or nothing", |t| Points::from_f64(t.parse().ok()?))
    }

    fn instant(&mut self) -> Result<market::Timestamp, LedgerError> {
        self.parse("an instant like 2021-11-11T09:00:00Z", |text| text.parse().ok())
    }

    fn numbers<const N: usize>(&mut self) -> Result<[Option<f64>; N], LedgerError> {
        let mut numbers = [None; N];
        for slot in &mut numbers {
            *slot = self.optional("a number, or nothing", |text| {
                text.parse::<f64>().ok().filter(|number| number.is_finite())
            })?;
        }
        Ok(numbers)
    }

    fn blank(&mut self, count: usize) -> Result<(), LedgerError> {
        (0..count).try_for_each(|_| self.parse("nothing on this event", |text| text.is_empty().then_some(())))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn escaping_is_reversed_and_never_leaves_a_formula(text in "[=+@'\\\\n\n\r\\-\t a-z]{0,8}") {
            let escaped = escape(&text);
            prop_assert_eq!(unescape(&escaped), text.as_str());
            prop_assert!(!escaped.starts_with(['=', '+', '-', '@', '\t', '\r']));
            prop_assert!(!escaped.contains(['\n', '\r']), "a row is a line");
        }
    }
}
