//! From compact rows to sorted arrays.
//!
//! Games are ordered by id, named nodes by (league, name), outcomes by (time, game): a later row can shift
//! an index, but never the order of two earlier nodes, so ties are always broken alike.

use std::sync::Arc;

use market::{Game, GameStatus};

use crate::{
    NodeKind, Relation,
    drift::{self, Drift},
    graph::{Fixture, Version},
    quotes::Quotes,
    ratings::{Counts, Outcome, Ratings},
    rows::{ContextRecord, NONE, ResultRecord, Rows},
    timeline::{Edges, History},
};

/// The named nodes of each kind: distinct (league, name code), sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Nodes(Vec<Vec<(u32, u32)>>);

impl Nodes {
    fn of(rows: &Rows) -> Self {
        let mut kinds = vec![Vec::new(); NodeKind::ALL.len()];
        for header in &rows.headers {
            kinds[NodeKind::Team as usize]
                .extend([(header.league, header.home), (header.league, header.away)]);
        }
        for row in &rows.context {
            let league = rows.headers[row.header as usize].league;
            for (relation, name) in STATED.into_iter().zip(row.names).filter(|(_, name)| *name != NONE) {
                kinds[relation.source() as usize].push((league, name));
            }
        }
        let books = rows.lines.iter().map(|row| (rows.headers[row.header as usize].league, row.book));
        kinds[NodeKind::Book as usize].extend(books);
        for kind in &mut kinds {
            kind.sort_unstable();
            kind.dedup();
        }
        Self(kinds)
    }

    pub(crate) fn find(&self, kind: NodeKind, league: u32, name: u32) -> Option<u32> {
        self.0[kind as usize].binary_search(&(league, name)).ok().map(|node| node as u32)
    }

    pub(crate) fn count(&self, kind: NodeKind) -> usize {
        self.0[kind as usize].len()
    }

    /// Returns the code of a node's name.
    pub(crate) fn name(&self, kind: NodeKind, node: usize) -> u32 {
        self.0[kind as usize][node].1
    }

    /// Returns the index of a node's league.
    pub(crate) fn league(&self, kind: NodeKind, node: usize) -> u32 {
        self.0[kind as usize][node].0
    }

    fn code(&self, kind: NodeKind, league: u32, name: u32) -> u32 {
        self.find(kind, league, name).unwrap_or(NONE)
    }
}

/// Relations that a context row states, in the order of its names.
const STATED: [Relation; 6] = [
    Relation::PlayedAt,
    Relation::HomeCoach,
    Relation::AwayCoach,
    Relation::HomePlayer,
    Relation::AwayPlayer,
    Relation::Officiates,
];

/// Relations from an outcome into what was involved in it, in the same order.
const INVOLVED: [Relation; 6] = [
    Relation::VenueOutcome,
    Relation::CoachOutcome,
    Relation::CoachOutcome,
    Relation::PlayerOutcome,
    Relation::PlayerOutcome,
    Relation::RefereeOutcome,
];

/// All arrays of a graph.
pub(crate) struct Parts {
    pub(crate) games: Vec<Arc<Game>>,
    pub(crate) fixtures: Vec<Fixture>,
    pub(crate) versions: History<Version>,
    pub(crate) nodes: Nodes,
    pub(crate) edges: Vec<Edges>,
    pub(crate) numbers: [Edges; 4],
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) ratings: Ratings,
    pub(crate) quotes: Quotes,
    pub(crate) drifts: History<Drift>,
}

impl Parts {
    pub(crate) fn of(rows: &Rows) -> Self {
        let games = GameIndex::of(rows);
        let nodes = Nodes::of(rows);
        let versions = games.versions(rows, &nodes);
        let stated = games.stated(rows, &nodes);
        let numbers = std::array::from_fn(|which| games.edges(rows, |row| row.numbers[which]));
        let outcomes = games.outcomes(rows, &nodes, &stated, &numbers[0]);
        let ratings = Ratings::walk(&outcomes, &counts(rows, &nodes));
        let quotes = Quotes::new(
            rows,
            games.count,
            nodes.count(NodeKind::Book),
            |row| games.of_header[row.header as usize],
            |row| nodes.code(NodeKind::Book, rows.headers[row.header as usize].league, row.book),
        );
        let drifts = drift::walk(&outcomes, &quotes, nodes.count(NodeKind::Team));
        let edges = relations(&nodes, stated, &outcomes);
        let headers = games.latest_headers(rows);
        let fixtures = games.fixtures(rows, &outcomes);
        Self { games: headers, fixtures, versions, nodes, edges, numbers, outcomes, ratings, quotes, drifts }
    }
}

fn counts(rows: &Rows, nodes: &Nodes) -> Counts {
    let involved = [NodeKind::Venue, NodeKind::Coach, NodeKind::Player, NodeKind::Referee];
    Counts {
        leagues: rows.leagues.len(),
        teams: nodes.count(NodeKind::Team),
        involved: involved.map(|kind| nodes.count(kind)),
    }
}

/// Which game each header belongs to.
struct GameIndex {
    count: usize,
    of_header: Vec<u32>,
}

impl GameIndex {
    fn of(rows: &Rows) -> Self {
        let mut ids: Vec<u32> = rows.headers.iter().map(|header| header.game_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let game = |id: u32| ids.binary_search(&id).map_or(NONE, |game| game as u32);
        Self { count: ids.len(), of_header: rows.headers.iter().map(|header| game(header.game_id)).collect() }
    }

    /// Returns (game, instant, header) of every row, sorted.
    fn statements(&self, rows: &Rows) -> Vec<(u32, i64, u32)> {
        let lines = rows.lines.iter().map(|row| (row.header, row.time));
        let results = rows.results.iter().map(|row| (row.header, row.time));
        let context = rows.context.iter().map(|row| (row.header, row.time));
        let all = lines.chain(results).chain(context);
        let mut statements: Vec<_> =
            all.map(|(header, time)| (self.of_header[header as usize], time, header)).collect();
        statements.sort_unstable();
        statements.dedup_by_key(|&mut (game, _, header)| (game, header));
        statements
    }

    fn versions(&self, rows: &Rows, nodes: &Nodes) -> History<Version> {
        let version = |header: u32| {
            let header = &rows.headers[header as usize];
            Version {
                league: header.league,
                home: nodes.code(NodeKind::Team, header.league, header.home),
                away: nodes.code(NodeKind::Team, header.league, header.away),
                season: header.season,
                start: header.start,
            }
        };
        let events =
            self.statements(rows).into_iter().map(|(game, time, header)| (game, time, version(header)));
        History::new(self.count, events.collect())
    }

    fn latest_headers(&self, rows: &Rows) -> Vec<Arc<Game>> {
        let mut latest = vec![NONE; self.count];
        for (game, _, header) in self.statements(rows) {
            latest[game as usize] = header;
        }
        latest.into_iter().map(|header| rows.game(rows.headers[header as usize])).collect()
    }

    fn edges(&self, rows: &Rows, value: impl Fn(&ContextRecord) -> u32) -> Edges {
        let edges =
            rows.context.iter().map(|row| (self.of_header[row.header as usize], row.time, value(row)));
        Edges::new(self.count, edges.filter(|edge| edge.2 != NONE).collect())
    }

    fn stated(&self, rows: &Rows, nodes: &Nodes) -> [Edges; 6] {
        std::array::from_fn(|which| {
            self.edges(rows, |row| {
                let league = rows.headers[row.header as usize].league;
                nodes.code(STATED[which].source(), league, row.names[which])
            })
        })
    }

    /// Returns the first final statement of each game, by (time, game).
    fn outcomes(&self, rows: &Rows, nodes: &Nodes, stated: &[Edges; 6], neutral: &Edges) -> Vec<Outcome> {
        let mut finals: Vec<&ResultRecord> =
            rows.results.iter().filter(|row| row.status == GameStatus::Final).collect();
        finals.sort_by_key(|row| {
            (row.time, self.of_header[row.header as usize], row.home_score, row.away_score, row.header)
        });
        let mut seen = vec![false; self.count];
        finals
            .retain(|row| !std::mem::replace(&mut seen[self.of_header[row.header as usize] as usize], true));
        finals
            .into_iter()
            .map(|row| {
                let header = &rows.headers[row.header as usize];
                let game = self.of_header[row.header as usize];
                // Rows that became known together with the result are visible whenever the outcome is.
                let by_then = row.time.saturating_add(1);
                Outcome {
                    time: row.time,
                    game,
                    league: header.league,
                    home: nodes.code(NodeKind::Team, header.league, header.home),
                    away: nodes.code(NodeKind::Team, header.league, header.away),
                    season: header.season,
                    start: header.start,
                    home_score: row.home_score,
                    away_score: row.away_score,
                    neutral: neutral.latest(game, by_then).is_some_and(|(_, value)| value == 1),
                    involved: std::array::from_fn(|i| {
                        stated[i].latest(game, by_then).map_or(NONE, |edge| edge.1)
                    }),
                }
            })
            .collect()
    }

    fn fixtures(&self, rows: &Rows, outcomes: &[Outcome]) -> Vec<Fixture> {
        let mut fixtures = vec![Fixture { known_at: i64::MAX, outcome: NONE, score: None }; self.count];
        let lines = rows.lines.iter().map(|row| (row.header, row.time));
        let context = rows.context.iter().map(|row| (row.header, row.time));
        for (header, time) in lines.chain(context) {
            let known_at = &mut fixtures[self.of_header[header as usize] as usize].known_at;
            *known_at = time.min(*known_at);
        }
        let mut results: Vec<&ResultRecord> = rows.results.iter().collect();
        results.sort_by_key(|row| (row.time, row.home_score, row.away_score));
        for row in results {
            let fixture = &mut fixtures[self.of_header[row.header as usize] as usize];
            if fixture.known_at == i64::MAX {
                fixture.known_at = row.time;
            }
            if row.status == GameStatus::Final {
                fixture.score = Some((row.home_score, row.away_score));
            }
        }
        for (index, outcome) in outcomes.iter().enumerate() {
            fixtures[outcome.game as usize].outcome = index as u32;
        }
        fixtures
    }
}

/// Returns the edges of every relation; the market's stay empty, they live in the quotes.
///
/// Team edges into a game have no instant of their own: a fixture and its two teams are one statement.
fn relations(nodes: &Nodes, stated: [Edges; 6], outcomes: &[Outcome]) -> Vec<Edges> {
    let mut lists: Vec<Vec<(u32, i64, u32)>> = vec![Vec::new(); Relation::ALL.len()];
    for (index, outcome) in outcomes.iter().enumerate() {
        let (index, time) = (index as u32, outcome.time);
        lists[Relation::TeamHomeOutcome as usize].push((outcome.home, time, index));
        lists[Relation::TeamAwayOutcome as usize].push((outcome.away, time, index));
        for (relation, node) in INVOLVED.into_iter().zip(outcome.involved).filter(|(_, node)| *node != NONE) {
            lists[relation as usize].push((node, time, index));
        }
    }
    let mut edges: Vec<Edges> = Relation::ALL
        .into_iter()
        .map(|relation| {
            Edges::new(nodes.count(relation.target()), std::mem::take(&mut lists[relation as usize]))
        })
        .collect();
    for (relation, stated) in STATED.into_iter().zip(stated) {
        edges[relation as usize] = stated;
    }
    edges
}
