//! What the sampler sees around one game, for people: rows for a table, DOT and SVG.
//!
//! # Example
//! ```
//! use graph::neighbourhood::Neighbourhood;
//! let empty = Neighbourhood { title: "A < B".into(), as_of: "2021-11-11T09:00:00Z".parse().unwrap(), nodes: vec![], rows: vec![] };
//! assert!(empty.to_svg().contains("A &lt; B"));
//! ```

use jiff::{Timestamp, tz::TimeZone};
use market::{Date, Game, GameId, Market};
use petgraph::{
    dot::{Config, Dot},
    graph::DiGraph,
};
use serde::Serialize;

use crate::{
    Asked, FanOut, Graph, NodeKind, Relation, features,
    instant::{days, timestamp},
    sampler::{Limit, Past},
};

/// A game's neighbourhood as of an instant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Neighbourhood {
    /// The game, its date and league.
    pub title: String,
    /// Nothing known at or after this instant is shown.
    pub as_of: Timestamp,
    /// Distinct nodes; the first one is the game.
    pub nodes: Vec<ShownNode>,
    /// Edges, the nearest hop first, then by relation, most recent first.
    pub rows: Vec<ShownEdge>,
}

/// A node as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownNode {
    /// Its kind.
    pub kind: NodeKind,
    /// Its name.
    pub name: String,
    /// Steps from the game.
    pub hop: usize,
}

/// An edge as shown: a message's way from `source` into `target`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShownEdge {
    /// The relation.
    pub relation: Relation,
    /// Index of the source among the nodes.
    pub source: usize,
    /// Index of the target among the nodes.
    pub target: usize,
    /// Name of the source.
    pub name: String,
    /// The edge's instant; none for the two teams, which are part of the fixture itself.
    pub instant: Option<Timestamp>,
    /// Days from the edge's instant to the as-of.
    pub age_days: f64,
    /// What the source says, in a few words.
    pub says: String,
}

/// Few enough for one picture: at most about 60 nodes.
fn shown_fan_out() -> FanOut {
    FanOut::default()
        .with_outcomes(2)
        .with(Relation::TeamHomeOutcome, 4)
        .with(Relation::TeamAwayOutcome, 4)
        .with(Relation::Quotes, 12)
}

impl Graph {
    /// Returns the neighbourhood of a game as of an instant: two hops, the most recent few of each relation.
    pub fn neighbourhood(&self, game: usize, as_of: Timestamp) -> Neighbourhood {
        let asked = self.asked(game, as_of);
        let header = &self.games()[game];
        let date = self.local_date(header);
        let title = format!("{} at {}, {date}, {}", header.away, header.home, header.league);
        let mut shown =
            Drawer { graph: self, asked, nodes: vec![(NodeKind::Game, asked.game, 0)], rows: vec![] };
        shown.expand(0);
        for node in 1..shown.nodes.len() {
            shown.expand(node);
        }
        let Drawer { nodes, rows, .. } = shown;
        let named = nodes.into_iter().map(|(kind, node, hop)| ShownNode {
            kind,
            name: self.node_name(kind, node as usize),
            hop,
        });
        Neighbourhood { title, as_of: timestamp(asked.as_of), nodes: named.collect(), rows }
    }

    /// Returns the neighbourhood of a game by its id, if it is known.
    pub fn neighbourhood_of(&self, game: &GameId, as_of: Timestamp) -> Option<Neighbourhood> {
        Some(self.neighbourhood(self.find(game)?, as_of))
    }

    /// Returns the game's date in its league's time zone.
    pub(crate) fn local_date(&self, game: &Game) -> Date {
        let league = self.leagues().iter().position(|known| known.id == game.league);
        self.date_in(league.unwrap_or(usize::MAX), game.start_time)
    }

    /// Returns the date of an instant in the time zone of a league.
    pub(crate) fn date_in(&self, league: usize, instant: Timestamp) -> Date {
        let league = self.leagues().get(league);
        let zone = league.and_then(|league| TimeZone::get(&league.time_zone).ok()).unwrap_or(TimeZone::UTC);
        instant.to_zoned(zone).date()
    }

    /// Describes a source in a few words.
    pub(crate) fn says(&self, kind: NodeKind, node: u32, as_of: i64) -> String {
        let value = |column: &str| {
            let mut row = vec![0.0; features::width(kind)];
            self.write(kind, node, as_of, &mut row);
            let place = features::columns(kind).iter().position(|name| *name == column);
            place.map_or(0.0, |place| f64::from(row[place]))
        };
        match kind {
            NodeKind::Game => String::new(),
            NodeKind::Outcome => {
                let outcome = &self.outcomes[node as usize];
                format!(
                    "margin {:+}, {:+.1} s.d. above expectation",
                    outcome.margin(),
                    value("margin_surprise")
                )
            }
            NodeKind::Team => {
                let state = self.ratings.teams.before(node, as_of).copied().unwrap_or_default();
                format!("Elo {:.0}, form {:+.2}, {} games", state.elo, state.form, state.games)
            }
            NodeKind::Venue | NodeKind::Coach | NodeKind::Player | NodeKind::Referee => {
                let games = (5.0 * value("games_seen")).exp_m1().round();
                format!("{games} games, form {:+.2}", value("margin_form"))
            }
            NodeKind::Line => self.says_line(node, as_of),
            NodeKind::Book => format!("mean overround {:.1} %", 10.0 * value("mean_overround")),
        }
    }

    fn says_line(&self, line: u32, as_of: i64) -> String {
        let Some(quote) = self.quotes.before(line, as_of).last() else { return String::new() };
        let [home, draw, away] = quote.fair.map(|p| 100.0 * p);
        match self.quotes.lines[line as usize].market {
            Market::Moneyline if draw > 0.0 => {
                format!("home {home:.0} %, draw {draw:.0} %, away {away:.0} %")
            }
            Market::Moneyline => format!("home {home:.0} %, away {away:.0} %"),
            Market::Spread => format!("home {:+} at {home:.0} %", quote.points()),
            Market::Total => format!("over {} at {home:.0} %", quote.points()),
        }
    }
}

struct Drawer<'a> {
    graph: &'a Graph,
    asked: Asked,
    nodes: Vec<(NodeKind, u32, usize)>,
    rows: Vec<ShownEdge>,
}

impl Drawer<'_> {
    /// Adds what flows into a node that is less than two hops away.
    fn expand(&mut self, target: usize) {
        let (kind, node, hop) = self.nodes[target];
        if hop >= 2 {
            return;
        }
        for relation in Relation::ALL.into_iter().filter(|relation| relation.target() == kind) {
            let mut found = Vec::new();
            let limit = Limit { count: shown_fan_out().of(relation), past: Past::Recent };
            self.graph.sources(relation, &self.asked, node, limit, &mut |time, source| {
                found.push((time, source));
            });
            for (time, source) in found {
                self.add(relation, target, time, source, hop + 1);
            }
        }
    }

    fn add(&mut self, relation: Relation, target: usize, time: i64, node: u32, hop: usize) {
        let kind = relation.source();
        let known = self.nodes.iter().position(|shown| (shown.0, shown.1) == (kind, node));
        let source = known.unwrap_or_else(|| {
            self.nodes.push((kind, node, hop));
            self.nodes.len() - 1
        });
        let of_the_fixture = matches!(relation, Relation::HomeTeam | Relation::AwayTeam);
        self.rows.push(ShownEdge {
            relation,
            source,
            target,
            name: self.graph.node_name(kind, node as usize),
            instant: (!of_the_fixture).then(|| timestamp(time)),
            age_days: days(time, self.asked.as_of),
            says: self.graph.says(kind, node, self.asked.as_of),
        });
    }
}

impl Neighbourhood {
    /// Writes DOT for Graphviz.
    pub fn to_dot(&self) -> String {
        let mut graph = DiGraph::new();
        let nodes: Vec<_> = self.nodes.iter().map(|node| graph.add_node(node)).collect();
        for row in &self.rows {
            graph.add_edge(nodes[row.source], nodes[row.target], row.relation.as_str());
        }
        let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let edge =
            |_: &_, edge: petgraph::graph::EdgeReference<'_, &str>| format!("label=\"{}\"", edge.weight());
        let node = |_: &_, (_, node): (_, &&ShownNode)| {
            format!("label=\"{}\\n{}\"", escape(&node.name), node.kind.as_str())
        };
        let config = [Config::EdgeNoLabel, Config::NodeNoLabel];
        format!("{:?}", Dot::with_attr_getters(&graph, &config, &edge, &node))
    }

    /// Draws the neighbourhood: the game on the left, one column per hop, colours by kind.
    pub fn to_svg(&self) -> String {
        crate::picture::draw(self)
    }
}
