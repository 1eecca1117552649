//! From compact rows to sorted arrays, all at once or on top of a graph that is there.
//!
//! Games are ordered by id, named nodes by (league, name), outcomes by (time, game): a later row can shift
//! an index, but never the order of two earlier nodes, so ties are always broken alike.

use std::sync::Arc;

use market::{Game, GameStatus};

use crate::{
    Graph, NodeKind, Relation,
    calendar::Calendar,
    drift,
    graph::{Fixture, Version},
    growth::{Growth, Moved},
    instant::nanos,
    nodes::{MovedNodes, Nodes, STATED},
    quotes::{Line, Quotes},
    ratings::{Counts, Outcome},
    rows::{ContextRecord, Header, LineRecord, NONE, ResultRecord, Rows},
    timeline::{Edges, History},
};

/// Relations from an outcome into what was involved in it, in the same order.
const INVOLVED: [Relation; 6] = [
    Relation::VenueOutcome,
    Relation::CoachOutcome,
    Relation::CoachOutcome,
    Relation::PlayerOutcome,
    Relation::PlayerOutcome,
    Relation::RefereeOutcome,
];

impl Graph {
    /// Returns the graph of `rows`, of which `growth` tells what this one has worked in already.
    ///
    /// What is learnt walk by walk goes on from where it stood, and only lines that were quoted anew are freed of their
    /// margin again; every array is merged in one pass.
    pub(crate) fn grown(&self, rows: Rows, growth: &Growth) -> Self {
        let work = Work::new(self, &rows, growth);
        let stated = work.stated();
        let numbers = std::array::from_fn(|which| {
            work.stated_edges(&self.numbers[which], |value| value, |row| row.numbers[which])
        });
        let (versions, games) = work.headers();
        let outcomes = work.outcomes(&stated, &numbers[0]);
        let later = &outcomes[self.outcomes.len()..];
        let team = work.moved(NodeKind::Team);
        let ratings = self.ratings.grown(later, &work.counts(), &work.moved_nodes);
        let quotes = work.quotes();
        let drifts = drift::walk(&self.drifts, team, later, &quotes, work.nodes.count(NodeKind::Team));
        let edges = work.relations(stated, later);
        let fixtures = work.fixtures(later);
        let nodes = work.nodes;
        let settings = self.settings;
        Self {
            settings,
            rows,
            games,
            fixtures,
            calendar: Calendar::new(&versions),
            versions,
            nodes,
            edges,
            numbers,
            outcomes,
            ratings,
            quotes,
            drifts,
        }
    }
}

/// A graph on its way from `old` to one that holds all of `rows`.
struct Work<'a> {
    old: &'a Graph,
    rows: &'a Rows,
    growth: &'a Growth,
    games: GameIndex,
    nodes: Nodes,
    moved_games: Moved,
    moved_nodes: MovedNodes,
}

impl<'a> Work<'a> {
    fn new(old: &'a Graph, rows: &'a Rows, growth: &'a Growth) -> Self {
        let games = GameIndex::of(rows);
        let nodes = old.nodes.grown(rows, growth);
        let before = GameIndex::of(&old.rows);
        let place = |id: &u32| games.ids.binary_search(&growth.names.of(*id)).ok();
        let moved_games = Moved::between(before.ids.iter(), place);
        let moved_nodes = old.nodes.moved(&nodes, growth);
        Self { old, rows, growth, games, nodes, moved_games, moved_nodes }
    }

    fn moved(&self, kind: NodeKind) -> &Moved {
        &self.moved_nodes.0[kind as usize]
    }

    fn later_lines(&self) -> &'a [LineRecord] {
        &self.rows.lines[self.growth.lines..]
    }

    fn later_results(&self) -> &'a [ResultRecord] {
        &self.rows.results[self.growth.results..]
    }

    fn later_context(&self) -> &'a [ContextRecord] {
        &self.rows.context[self.growth.context..]
    }

    fn game(&self, header: u32) -> u32 {
        self.games.of_header[header as usize]
    }

    /// Returns every header's first instant, of those that a game had one after the other, and the latest headers.
    fn headers(&self) -> (History<Version>, Vec<Arc<Game>>) {
        let lines = self.later_lines().iter().map(|row| (row.header, row.time));
        let results = self.later_results().iter().map(|row| (row.header, row.time));
        let context = self.later_context().iter().map(|row| (row.header, row.time));
        let all = lines.chain(results).chain(context);
        let mut statements: Vec<_> = all.map(|(header, time)| (self.game(header), time, header)).collect();
        statements.sort_unstable();
        statements.dedup_by_key(|&mut (game, _, header)| (game, header));
        let team = self.moved(NodeKind::Team);
        let before = self.old.versions.moved(&self.moved_games).map(|(game, time, version)| {
            (game, time, Version { home: team.of(version.home), away: team.of(version.away), ..version })
        });
        let mut events: Vec<(u32, i64, Version)> = before.collect();
        let mut latest: Vec<Option<Version>> = vec![None; self.games.ids.len()];
        for (game, _, version) in &events {
            latest[*game as usize] = Some(*version);
        }
        let mut headers: Vec<Option<Arc<Game>>> = vec![None; self.games.ids.len()];
        for (index, game) in self.old.games.iter().enumerate() {
            headers[self.moved_games.of(index as u32) as usize] = Some(game.clone());
        }
        for (game, time, header) in statements {
            let header = self.rows.headers[header as usize];
            let version = self.version(&header);
            if latest[game as usize].replace(version) != Some(version) {
                events.push((game, time, version));
                headers[game as usize] = Some(self.rows.game(header));
            }
        }
        // Every game has a header that some row stated.
        (History::new(self.games.ids.len(), events), headers.into_iter().flatten().collect())
    }

    fn version(&self, header: &Header) -> Version {
        Version {
            league: header.league,
            home: self.nodes.code(NodeKind::Team, header.league, header.home),
            away: self.nodes.code(NodeKind::Team, header.league, header.away),
            season: header.season,
            start: header.start,
        }
    }

    fn stated_edges(
        &self,
        before: &Edges,
        source: impl Fn(u32) -> u32,
        value: impl Fn(&ContextRecord) -> u32,
    ) -> Edges {
        let later = self.later_context().iter().map(|row| (self.game(row.header), row.time, value(row)));
        let all = before.moved(&self.moved_games, source).chain(later.filter(|edge| edge.2 != NONE));
        Edges::new(self.games.ids.len(), all.collect())
    }

    fn stated(&self) -> [Edges; 6] {
        std::array::from_fn(|which| {
            let (relation, kind) = (STATED[which], STATED[which].source());
            let code = |row: &ContextRecord| {
                let league = self.rows.headers[row.header as usize].league;
                self.nodes.code(kind, league, row.names[which])
            };
            self.stated_edges(&self.old.edges[relation as usize], |source| self.moved(kind).of(source), code)
        })
    }

    /// Returns the first final statement of each game, by (time, game).
    fn outcomes(&self, stated: &[Edges; 6], neutral: &Edges) -> Vec<Outcome> {
        let mut finals: Vec<&ResultRecord> =
            self.later_results().iter().filter(|row| row.status == GameStatus::Final).collect();
        finals
            .sort_by_key(|row| (row.time, self.game(row.header), row.home_score, row.away_score, row.header));
        let mut outcomes: Vec<Outcome> = self.old.outcomes.iter().map(|o| self.moved_outcome(o)).collect();
        let mut seen = vec![false; self.games.ids.len()];
        for outcome in &outcomes {
            seen[outcome.game as usize] = true;
        }
        finals.retain(|row| !std::mem::replace(&mut seen[self.game(row.header) as usize], true));
        outcomes.extend(finals.into_iter().map(|row| {
            let header = &self.rows.headers[row.header as usize];
            let Version { league, home, away, season, start } = self.version(header);
            let game = self.game(row.header);
            // Rows that became known together with the result are visible whenever the outcome is.
            let by_then = row.time.saturating_add(1);
            Outcome {
                time: row.time,
                game,
                league,
                home,
                away,
                season,
                start,
                home_score: row.home_score,
                away_score: row.away_score,
                neutral: neutral.latest(game, by_then).is_some_and(|(_, value)| value == 1),
                involved: std::array::from_fn(|i| {
                    stated[i].latest(game, by_then).map_or(NONE, |edge| edge.1)
                }),
            }
        }));
        outcomes
    }

    fn moved_outcome(&self, outcome: &Outcome) -> Outcome {
        let team = self.moved(NodeKind::Team);
        let mut kinds = STATED.into_iter().map(Relation::source);
        Outcome {
            game: self.moved_games.of(outcome.game),
            home: team.of(outcome.home),
            away: team.of(outcome.away),
            involved: outcome
                .involved
                .map(|node| kinds.next().map_or(node, |kind| self.moved(kind).of(node))),
            ..*outcome
        }
    }

    fn counts(&self) -> Counts {
        let involved = [NodeKind::Venue, NodeKind::Coach, NodeKind::Player, NodeKind::Referee];
        Counts {
            leagues: self.rows.leagues.len(),
            teams: self.nodes.count(NodeKind::Team),
            involved: involved.map(|kind| self.nodes.count(kind)),
        }
    }

    fn quotes(&self) -> Quotes {
        let line = |row: &LineRecord| {
            let league = self.rows.headers[row.header as usize].league;
            let book = self.nodes.code(NodeKind::Book, league, row.book);
            Line { game: self.game(row.header), market: row.market, book }
        };
        let counts = [self.games.ids.len(), self.nodes.count(NodeKind::Book)];
        let moved = [&self.moved_games, self.moved(NodeKind::Book)];
        let since = if self.growth.lines == 0 { i64::MIN } else { nanos(self.old.rows.as_of) };
        self.old.quotes.grown(&self.rows.lines, (self.growth.lines, since), line, counts, moved)
    }

    fn fixtures(&self, later: &[Outcome]) -> Vec<Fixture> {
        let unknown = Fixture { known_at: i64::MAX, outcome: NONE, score: None };
        let mut fixtures = vec![unknown; self.games.ids.len()];
        for (index, fixture) in self.old.fixtures.iter().enumerate() {
            fixtures[self.moved_games.of(index as u32) as usize] = *fixture;
        }
        let lines = self.later_lines().iter().map(|row| (row.header, row.time));
        let results = self.later_results().iter().map(|row| (row.header, row.time));
        let context = self.later_context().iter().map(|row| (row.header, row.time));
        for (header, time) in lines.chain(results).chain(context) {
            let known_at = &mut fixtures[self.game(header) as usize].known_at;
            *known_at = time.min(*known_at);
        }
        let mut finals: Vec<&ResultRecord> =
            self.later_results().iter().filter(|row| row.status == GameStatus::Final).collect();
        finals.sort_by_key(|row| (row.time, row.home_score, row.away_score));
        for row in finals {
            fixtures[self.game(row.header) as usize].score = Some((row.home_score, row.away_score));
        }
        for (index, outcome) in later.iter().enumerate() {
            fixtures[outcome.game as usize].outcome = (self.old.outcomes.len() + index) as u32;
        }
        fixtures
    }

    /// Returns the edges of every relation; the market's stay empty, they live in the quotes.
    ///
    /// Team edges into a game have no instant of their own: a fixture and its two teams are one statement.
    fn relations(&self, stated: [Edges; 6], later: &[Outcome]) -> Vec<Edges> {
        let mut lists: Vec<Vec<(u32, i64, u32)>> = vec![Vec::new(); Relation::ALL.len()];
        for relation in Relation::ALL.into_iter().filter(|relation| !STATED.contains(relation)) {
            // Outcomes keep their places: later ones follow.
            let before =
                self.old.edges[relation as usize].moved(self.moved(relation.target()), |outcome| outcome);
            lists[relation as usize].extend(before);
        }
        for (index, outcome) in (self.old.outcomes.len() as u32..).zip(later) {
            let time = outcome.time;
            lists[Relation::TeamHomeOutcome as usize].push((outcome.home, time, index));
            lists[Relation::TeamAwayOutcome as usize].push((outcome.away, time, index));
            for (relation, node) in
                INVOLVED.into_iter().zip(outcome.involved).filter(|(_, node)| *node != NONE)
            {
                lists[relation as usize].push((node, time, index));
            }
        }
        let mut edges: Vec<Edges> = Relation::ALL
            .into_iter()
            .map(|relation| {
                Edges::new(self.nodes.count(relation.target()), std::mem::take(&mut lists[relation as usize]))
            })
            .collect();
        for (relation, stated) in STATED.into_iter().zip(stated) {
            edges[relation as usize] = stated;
        }
        edges
    }
}

/// Which game each header belongs to; games are distinct ids, ascending.
struct GameIndex {
    ids: Vec<u32>,
    of_header: Vec<u32>,
}

impl GameIndex {
    fn of(rows: &Rows) -> Self {
        let mut ids: Vec<u32> = rows.headers.iter().map(|header| header.game_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let game = |id: u32| ids.binary_search(&id).map_or(NONE, |game| game as u32);
        let of_header = rows.headers.iter().map(|header| game(header.game_id)).collect();
        Self { ids, of_header }
    }
}
