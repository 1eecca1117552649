//! The graph as plain columns, for whoever writes files; indexes and ratings are rebuilt when it is read back.
//!
//! The column `header` is JSON (as UTF-8 bytes): as-of, leagues, settings and the table of names.
//!
//! # Example
//! ```
//! use data::Snapshot;
//! use graph::Graph;
//! let snapshot = Snapshot::new("2021-11-11T09:00:00Z".parse().unwrap(), vec![], vec![], vec![], vec![]);
//! let graph = Graph::build(&snapshot);
//! assert_eq!(Graph::from_columns(&graph.columns()).unwrap(), graph);
//! ```

use data::League;
use jiff::{SignedDuration, Timestamp};
use market::{GameStatus, Market, Name, Selection};
use serde::{Deserialize, Serialize};

use crate::{
    Graph, GraphError, GraphSettings,
    rows::{ContextRecord, Header, LineRecord, ResultRecord, Rows},
};

/// A plain array.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit floats.
    F64(Vec<f64>),
    /// Integers.
    I64(Vec<i64>),
    /// Bytes.
    U8(Vec<u8>),
}

const SCHEMA_VERSION: u32 = 1;
const NO_POINTS: i64 = i64::MIN;

#[derive(Serialize, Deserialize)]
struct StoredHeader {
    schema_version: u32,
    as_of: Timestamp,
    decision_lead: SignedDuration,
    leagues: Vec<League>,
    /// All of them where a file does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listed: Option<usize>,
    names: Vec<Name>,
}

impl Graph {
    /// Returns everything needed to build the graph again, by name.
    pub fn columns(&self) -> Vec<(String, Column)> {
        let rows = &self.rows;
        let header = StoredHeader {
            schema_version: SCHEMA_VERSION,
            as_of: rows.as_of,
            decision_lead: self.settings.decision_lead,
            leagues: rows.leagues.clone(),
            listed: Some(rows.listed),
            names: rows.names.clone(),
        };
        // Strings, numbers and instants always have a JSON form; an empty header would be refused on reading.
        let header = serde_json::to_vec(&header).unwrap_or_default();
        let mut columns = vec![("header".to_owned(), Column::U8(header))];
        let mut add = |name: &str, values: Vec<i64>| columns.push((name.to_owned(), Column::I64(values)));
        let games = rows.headers.iter().copied();
        add("games", games.flat_map(Header::to_integers).collect());
        add("lines", rows.lines.iter().flat_map(line_to_integers).collect());
        add("results", rows.results.iter().flat_map(result_to_integers).collect());
        add("context", rows.context.iter().flat_map(context_to_integers).collect());
        columns.push(("prices".to_owned(), Column::F64(rows.lines.iter().map(|row| row.price).collect())));
        columns
    }

    /// Builds the graph again from [`columns`](Self::columns); other columns are ignored.
    ///
    /// # Errors
    /// When a column is missing, has another type, or points outside of another one.
    pub fn from_columns(columns: &[(String, Column)]) -> Result<Self, GraphError> {
        let header = match find(columns, "header") {
            Some(Column::U8(bytes)) => {
                serde_json::from_slice::<StoredHeader>(bytes).map_err(GraphError::Header)?
            }
            _ => return Err(GraphError::Column { column: "header".to_owned(), expected: "U8" }),
        };
        if header.schema_version != SCHEMA_VERSION {
            return Err(damaged(format!("schema version {} is not {SCHEMA_VERSION}", header.schema_version)));
        }
        let Some(Column::F64(prices)) = find(columns, "prices") else {
            return Err(GraphError::Column { column: "prices".to_owned(), expected: "F64" });
        };
        let lines = integers::<LINE_WIDTH>(columns, "lines")?;
        if lines.len() != prices.len() {
            return Err(damaged(format!("{} lines have {} prices", lines.len(), prices.len())));
        }
        let games = integers(columns, "games")?.into_iter().map(Header::from_integers);
        let results = integers(columns, "results")?.into_iter().map(result_from_integers);
        let context = integers(columns, "context")?.into_iter().map(context_from_integers);
        let lines = lines.into_iter().zip(prices).map(|(line, price)| line_from_integers(line, *price));
        let rows = Rows {
            as_of: header.as_of,
            listed: header.listed.unwrap_or(header.leagues.len()),
            leagues: header.leagues,
            names: header.names,
            headers: games
                .collect::<Option<_>>()
                .ok_or_else(|| damaged("games hold a bad code".to_owned()))?,
            lines: lines.collect::<Option<_>>().ok_or_else(|| damaged("lines hold a bad code".to_owned()))?,
            results: results
                .collect::<Option<_>>()
                .ok_or_else(|| damaged("results hold a bad code".to_owned()))?,
            context: context
                .collect::<Option<_>>()
                .ok_or_else(|| damaged("context holds a bad code".to_owned()))?,
        };
        rows.check().map_err(damaged)?;
        Ok(Self::from_rows(rows, GraphSettings { decision_lead: header.decision_lead }))
    }
}

fn damaged(what: String) -> GraphError {
    GraphError::Damaged(what)
}

fn find<'a>(columns: &'a [(String, Column)], name: &str) -> Option<&'a Column> {
    columns.iter().find(|(known, _)| known == name).map(|(_, column)| column)
}

fn integers<const N: usize>(columns: &[(String, Column)], name: &str) -> Result<Vec<[i64; N]>, GraphError> {
    let Some(Column::I64(values)) = find(columns, name) else {
        return Err(GraphError::Column { column: name.to_owned(), expected: "I64" });
    };
    let (records, rest) = values.as_chunks::<N>();
    if rest.is_empty() {
        Ok(records.to_vec())
    } else {
        Err(damaged(format!("`{name}` breaks off within a row")))
    }
}

const LINE_WIDTH: usize = 7;
const MARKETS: [Market; 3] = [Market::Moneyline, Market::Spread, Market::Total];
const SELECTIONS: [Selection; 5] =
    [Selection::Home, Selection::Draw, Selection::Away, Selection::Over, Selection::Under];
const STATUSES: [GameStatus; 4] =
    [GameStatus::Final, GameStatus::Postponed, GameStatus::Cancelled, GameStatus::Abandoned];

impl Header {
    fn to_integers(self) -> [i64; 6] {
        let Self { league, game_id, season, start, home, away } = self;
        [i64::from(league), i64::from(game_id), i64::from(season), start, i64::from(home), i64::from(away)]
    }

    fn from_integers([league, game_id, season, start, home, away]: [i64; 6]) -> Option<Self> {
        Some(Self {
            league: league.try_into().ok()?,
            game_id: game_id.try_into().ok()?,
            season: season.try_into().ok()?,
            start,
            home: home.try_into().ok()?,
            away: away.try_into().ok()?,
        })
    }
}

fn line_to_integers(row: &LineRecord) -> [i64; LINE_WIDTH] {
    [
        i64::from(row.header),
        row.time,
        i64::from(row.book),
        row.market as i64,
        row.selection as i64,
        row.points.map_or(NO_POINTS, i64::from),
        i64::from(row.closing),
    ]
}

fn line_from_integers(values: [i64; LINE_WIDTH], price: f64) -> Option<LineRecord> {
    let [header, time, book, market, selection, points, closing] = values;
    Some(LineRecord {
        header: header.try_into().ok()?,
        time,
        book: book.try_into().ok()?,
        market: *MARKETS.get(usize::try_from(market).ok()?)?,
        selection: *SELECTIONS.get(usize::try_from(selection).ok()?)?,
        points: if points == NO_POINTS { None } else { Some(points.try_into().ok()?) },
        price,
        closing: closing != 0,
    })
}

fn result_to_integers(row: &ResultRecord) -> [i64; 5] {
    [i64::from(row.header), row.time, i64::from(row.home_score), i64::from(row.away_score), row.status as i64]
}

fn result_from_integers([header, time, home_score, away_score, status]: [i64; 5]) -> Option<ResultRecord> {
    Some(ResultRecord {
        header: header.try_into().ok()?,
        time,
        home_score: home_score.try_into().ok()?,
        away_score: away_score.try_into().ok()?,
        status: *STATUSES.get(usize::try_from(status).ok()?)?,
    })
}

fn context_to_integers(row: &ContextRecord) -> [i64; 12] {
    let mut values = [0; 12];
    values[0] = i64::from(row.header);
    values[1] = row.time;
    for (place, code) in values[2..].iter_mut().zip(row.names.into_iter().chain(row.numbers)) {
        *place = i64::from(code);
    }
    values
}

fn context_from_integers(values: [i64; 12]) -> Option<ContextRecord> {
    let [header, time, ref codes @ ..] = values;
    let mut small = [0u32; 10];
    for (place, code) in small.iter_mut().zip(codes) {
        *place = (*code).try_into().ok()?;
    }
    let (names, numbers) = (std::array::from_fn(|i| small[i]), std::array::from_fn(|i| small[6 + i]));
    Some(ContextRecord { header: header.try_into().ok()?, time, names, numbers })
}
