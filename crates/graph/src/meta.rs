//! The graph of kinds: which kinds of nodes are connected through which relations, and whether that is sound.
//!
//! # Example
//! ```
//! graph::meta::check().unwrap();
//! assert!(graph::meta::to_dot().contains("home_team"));
//! ```

use petgraph::{
    algo::has_path_connecting,
    dot::{Config, Dot},
    graph::DiGraph,
    visit::EdgeRef,
};

use crate::{NodeKind, Relation};

/// What is wrong with the relations.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetaError {
    /// Messages from a kind can never arrive at a game.
    #[error("no path of relations leads from {0} to game")]
    Unreachable(&'static str),
    /// A game could see its own result.
    #[error("relation {0} leads from an outcome straight into a game")]
    OwnOutcome(&'static str),
    /// Two relations share a name, so checkpoints could mix them up.
    #[error("two relations are named {0}")]
    RepeatedName(&'static str),
}

/// Builds the directed graph of kinds, with one edge per relation from source to target.
fn meta_graph(relations: &[Relation]) -> DiGraph<NodeKind, Relation> {
    let mut graph = DiGraph::new();
    let nodes = NodeKind::ALL.map(|kind| graph.add_node(kind));
    for &relation in relations {
        graph.add_edge(nodes[relation.source() as usize], nodes[relation.target() as usize], relation);
    }
    graph
}

/// Checks that every kind reaches the game, that no outcome flows straight into a game, and that names differ.
pub fn check() -> Result<(), MetaError> {
    check_relations(&Relation::ALL)
}

fn check_relations(relations: &[Relation]) -> Result<(), MetaError> {
    let graph = meta_graph(relations);
    let game = graph.node_indices().find(|node| graph[*node] == NodeKind::Game);
    for node in graph.node_indices() {
        if game.is_none_or(|game| !has_path_connecting(&graph, node, game, None)) {
            return Err(MetaError::Unreachable(graph[node].as_str()));
        }
    }
    for edge in graph.edge_references() {
        if graph[edge.source()] == NodeKind::Outcome && graph[edge.target()] == NodeKind::Game {
            return Err(MetaError::OwnOutcome(edge.weight().as_str()));
        }
    }
    let mut names: Vec<&str> = relations.iter().map(|relation| relation.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(_) => relations
            .iter()
            .map(|relation| relation.as_str())
            .find(|name| names.iter().filter(|other| *other == name).count() > 1)
            .map_or(Ok(()), |name| Err(MetaError::RepeatedName(name))),
        None => Ok(()),
    }
}

/// Writes the kinds and relations as DOT for Graphviz.
pub fn to_dot() -> String {
    let graph = meta_graph(&Relation::ALL);
    let relation = |_: &_, edge: petgraph::graph::EdgeReference<'_, Relation>| {
        format!("label=\"{}\"", edge.weight().as_str())
    };
    let kind = |_: &_, (_, kind): (_, &NodeKind)| format!("label=\"{}\"", kind.as_str());
    let config = [Config::EdgeNoLabel, Config::NodeNoLabel];
    format!("{:?}", Dot::with_attr_getters(&graph, &config, &relation, &kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_relations_are_sound() {
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn a_kind_that_is_cut_off_is_named() {
        let without_books: Vec<_> = Relation::ALL.into_iter().filter(|r| *r != Relation::Posts).collect();
        assert_eq!(check_relations(&without_books), Err(MetaError::Unreachable("book")));
    }

    #[test]
    fn a_repeated_relation_is_named() {
        let mut repeated = Relation::ALL.to_vec();
        repeated.push(Relation::Posts);
        assert_eq!(check_relations(&repeated), Err(MetaError::RepeatedName("posts")));
    }
}
