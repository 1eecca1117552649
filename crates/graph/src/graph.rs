//! The temporal heterogeneous graph: plain sorted arrays, built once from a snapshot, asked as of any earlier instant.

use std::sync::Arc;

use data::{League, Snapshot};
use jiff::{SignedDuration, Timestamp};
use market::{Game, GameId};

use crate::{
    Asked, GraphError, NodeKind, Relation,
    calendar::Calendar,
    consensus::{Opinion, Pick, opinion},
    drift::Drift,
    growth::Growth,
    instant::{nanos, timestamp},
    nodes::Nodes,
    quotes::Quotes,
    ratings::{Outcome, Ratings},
    rows::{NONE, Rows},
    timeline::{Edges, History},
    walk::{Expected, LeagueState},
};

/// How a graph is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphSettings {
    /// How long before its start a game is looked at when it serves as a training example; the nightly run
    /// looks at the same distance, give or take its slate.
    pub decision_lead: SignedDuration,
}

impl Default for GraphSettings {
    fn default() -> Self {
        Self { decision_lead: SignedDuration::from_hours(6) }
    }
}

/// A temporal heterogeneous graph over the games of all leagues; see [`NodeKind`] and [`Relation`].
///
/// It holds what was known before [`as_of`](Self::as_of) and answers as of any instant up to then: an answer
/// as of `t` depends only on rows with `known_at < t`. Memory is linear in the rows.
///
/// # Example
/// ```
/// use data::Snapshot;
/// use graph::Graph;
/// let snapshot = Snapshot::new("2021-11-11T09:00:00Z".parse().unwrap(), vec![], vec![], vec![], vec![]);
/// let graph = Graph::build(&snapshot);
/// assert_eq!((graph.games().len(), graph.as_of()), (0, snapshot.as_of));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    pub(crate) settings: GraphSettings,
    pub(crate) rows: Rows,
    /// Latest headers, by id.
    pub(crate) games: Vec<Arc<Game>>,
    pub(crate) fixtures: Vec<Fixture>,
    /// Versions of each game's header, by the instant of the first row that stated it.
    pub(crate) versions: History<Version>,
    /// The same by start.
    pub(crate) calendar: Calendar,
    pub(crate) nodes: Nodes,
    /// By relation, without the market's.
    pub(crate) edges: Vec<Edges>,
    /// What rows say of a game in numbers: neutral, home rest, away rest, week.
    pub(crate) numbers: [Edges; 4],
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) ratings: Ratings,
    pub(crate) quotes: Quotes,
    /// How the market has lately moved, by team.
    pub(crate) drifts: History<Drift>,
}

/// What is kept of a game beside its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fixture {
    pub(crate) known_at: i64,
    /// Its outcome node, or [`NONE`].
    pub(crate) outcome: u32,
    /// Latest final score.
    pub(crate) score: Option<(u16, u16)>,
}

/// A game's header as some rows state it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) league: u32,
    pub(crate) home: u32,
    pub(crate) away: u32,
    pub(crate) season: i32,
    pub(crate) start: i64,
}

impl Graph {
    /// Builds the graph from the rows that are visible as of the snapshot.
    pub fn build(snapshot: &Snapshot) -> Self {
        Self::build_with(snapshot, GraphSettings::default())
    }

    /// Builds the graph with other settings.
    pub fn build_with(snapshot: &Snapshot, settings: GraphSettings) -> Self {
        Self::from_rows(Rows::of(snapshot), settings)
    }

    /// Returns the graph with the rows of `later` added, bit for bit what [`build`](Self::build) makes of all of them.
    ///
    /// `later` holds the rows that became known since [`as_of`](Self::as_of), under the same leagues. What the rows so far
    /// have taught is not learnt again, so a night's rows cost one pass over the arrays.
    ///
    /// # Errors
    /// When a row of `later` was known before this graph's as-of, or the leagues are others: then only a new build sees
    /// what a night would have seen.
    ///
    /// # Example
    /// ```
    /// use data::Snapshot;
    /// use graph::{Graph, GraphError};
    /// let empty = |as_of: &str| Snapshot::new(as_of.parse().unwrap(), vec![], vec![], vec![], vec![]);
    /// let (yesterday, today) = (empty("2021-11-11T09:00:00Z"), empty("2021-11-12T09:00:00Z"));
    /// let graph = Graph::build(&yesterday).extended(&today)?;
    /// assert_eq!(graph, Graph::build(&today));
    /// assert!(graph.extended(&yesterday).is_err());
    /// # Ok::<(), GraphError>(())
    /// ```
    pub fn extended(&self, later: &Snapshot) -> Result<Self, GraphError> {
        let mut rows = self.rows.clone();
        let growth = rows.grow(Rows::of(later))?;
        Ok(self.grown(rows, &growth))
    }

    pub(crate) fn from_rows(rows: Rows, settings: GraphSettings) -> Self {
        Self::empty(settings).grown(rows, &Growth::default())
    }

    fn empty(settings: GraphSettings) -> Self {
        Self {
            settings,
            rows: Rows::default(),
            games: Vec::new(),
            fixtures: Vec::new(),
            versions: History::default(),
            calendar: Calendar::default(),
            nodes: Nodes::default(),
            edges: vec![Edges::default(); Relation::ALL.len()],
            numbers: Default::default(),
            outcomes: Vec::new(),
            ratings: Ratings::default(),
            quotes: Quotes::default(),
            drifts: History::default(),
        }
    }

    /// Returns the instant before which everything in the graph was known.
    pub fn as_of(&self) -> Timestamp {
        self.rows.as_of
    }

    /// Returns the settings.
    pub fn settings(&self) -> GraphSettings {
        self.settings
    }

    /// Returns every game known, by id, under its latest header; a game's place here is its index elsewhere.
    pub fn games(&self) -> &[Arc<Game>] {
        &self.games
    }

    /// Returns the leagues; a league's place here is its index in a batch.
    pub fn leagues(&self) -> &[League] {
        &self.rows.leagues
    }

    /// Returns the index of a game.
    pub fn find(&self, game: &GameId) -> Option<usize> {
        self.games.binary_search_by(|known| known.game_id.cmp(game)).ok()
    }

    /// Returns the instant from which the fixture is known: that of the first row that names it.
    pub fn known_at(&self, game: usize) -> Timestamp {
        timestamp(self.fixtures[game].known_at)
    }

    /// Whether the fixture is known strictly before `as_of`.
    ///
    /// A seed that is not known yet is answered like a hypothetical game: from the header alone.
    pub fn is_known(&self, game: usize, as_of: Timestamp) -> bool {
        self.fixtures[game].known_at < nanos(as_of)
    }

    /// Returns margin (home minus away) and total of a visible final result, the latest if it was corrected.
    pub fn target(&self, game: usize) -> Option<(i32, i32)> {
        let (home, away) = self.fixtures[game].score?;
        Some((i32::from(home) - i32::from(away), i32::from(home) + i32::from(away)))
    }

    /// Returns the instant from which the game's final result is known.
    pub fn result_known_at(&self, game: usize) -> Option<Timestamp> {
        let outcome = self.fixtures[game].outcome;
        (outcome != NONE).then(|| timestamp(self.outcomes[outcome as usize].time))
    }

    /// Returns the as-of at which the game is looked at as a training example: its start less the decision lead.
    pub fn decision_time(&self, game: usize) -> Timestamp {
        let start = self.games[game].start_time;
        start.checked_sub(self.settings.decision_lead).unwrap_or(start)
    }

    /// Returns the no-vig consensus of home, draw and away as of an instant; the draw is 0 in a two-way market.
    ///
    /// None without a complete moneyline of any book.
    pub fn consensus(&self, game: usize, as_of: Timestamp) -> Option<[f64; 3]> {
        let asked = self.asked(game, as_of);
        self.opinion(&asked, asked.as_of, Pick::Latest).moneyline
    }

    /// Returns the no-vig consensus of each book's first visible quote.
    pub fn opening(&self, game: usize) -> Option<[f64; 3]> {
        let asked = self.asked(game, self.as_of());
        self.opinion(&asked, nanos(self.as_of()), Pick::First).moneyline
    }

    /// Returns the no-vig consensus of each book's visible closing quote: the one marked as closing, else the
    /// last before the start.
    pub fn closing(&self, game: usize) -> Option<[f64; 3]> {
        let as_of = nanos(self.as_of());
        let asked = self.asked(game, self.as_of());
        self.opinion(&asked, as_of, Pick::Closing { start: nanos(self.games[game].start_time) }).moneyline
    }

    /// Returns home's Elo lead in rating points as of an instant, home advantage included.
    pub fn elo(&self, game: usize, as_of: Timestamp) -> f64 {
        let asked = self.asked(game, as_of);
        self.expected(&asked).elo_difference
    }

    /// Returns the margin and total in points that the ratings expect as of an instant.
    pub fn expected_score(&self, game: usize, as_of: Timestamp) -> (f64, f64) {
        let expected = self.expected(&self.asked(game, as_of));
        (expected.margin(), expected.total())
    }

    /// Returns the league's scale as of the question.
    pub(crate) fn league(&self, asked: &Asked) -> LeagueState {
        self.ratings.leagues.before(asked.fixture.league, asked.as_of).copied().unwrap_or_default()
    }

    /// Returns how many finished games are known of the side of which fewer are, as of an instant.
    pub fn games_known(&self, game: usize, as_of: Timestamp) -> u32 {
        let asked = self.asked(game, as_of);
        let of = |team: u32| self.ratings.teams.before(team, asked.as_of).map_or(0, |state| state.games);
        of(asked.fixture.home).min(of(asked.fixture.away))
    }

    /// Returns what the ratings expect as of the question.
    pub(crate) fn expected(&self, asked: &Asked) -> Expected {
        let league = self.league(asked);
        league.expect(&self.sides(asked, &league), self.number(asked, 0) == Some(1))
    }

    /// Returns the latest number said of the game: 0 neutral, 1 home rest, 2 away rest, 3 week.
    pub(crate) fn number(&self, asked: &Asked, which: usize) -> Option<u32> {
        if asked.game == NONE {
            return (which == 0 && asked.supposed.neutral).then_some(1);
        }
        self.numbers[which].latest(asked.game, asked.as_of).map(|(_, value)| value)
    }

    pub(crate) fn opinion(&self, asked: &Asked, as_of: i64, pick: Pick) -> Opinion {
        if asked.game == NONE {
            return Opinion::default();
        }
        let league = self.league(asked);
        opinion(&self.quotes, asked.game, as_of, pick, [league.margin_sd(), league.total_sd()])
    }

    /// Returns the edges of a relation that is not the market's.
    pub(crate) fn relation(&self, relation: Relation) -> &Edges {
        &self.edges[relation as usize]
    }

    /// Returns the number of nodes of a kind.
    pub fn node_count(&self, kind: NodeKind) -> usize {
        match kind {
            NodeKind::Game => self.games.len(),
            NodeKind::Outcome => self.outcomes.len(),
            NodeKind::Line => self.quotes.lines.len(),
            named => self.nodes.count(named),
        }
    }

    /// Returns the name of a node for tables and pictures.
    pub fn node_name(&self, kind: NodeKind, node: usize) -> String {
        match kind {
            NodeKind::Game => {
                let game = &self.games[node];
                format!("{} at {}", game.away, game.home)
            }
            NodeKind::Outcome => {
                // As its own row stated it: the game's latest header may be later than the as-of.
                let outcome = &self.outcomes[node];
                let date = self.date_in(outcome.league as usize, timestamp(outcome.start));
                let [home, away] =
                    [outcome.home, outcome.away].map(|team| self.node_name(NodeKind::Team, team as usize));
                format!("{date} {home} {}:{} {away}", outcome.home_score, outcome.away_score)
            }
            NodeKind::Line => {
                let line = self.quotes.lines[node];
                format!("{} {}", self.node_name(NodeKind::Book, line.book as usize), line.market)
            }
            named => self.rows.names[self.nodes.name(named, node) as usize].to_string(),
        }
    }
}
