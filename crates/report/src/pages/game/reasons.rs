//! What the model could see around the game, and what that did to its forecast.

use market::{Explanation, explanation::Effect};
use serde::Serialize;

use crate::{
    chart::{Picture, neighbourhood},
    format,
    locale::DASH,
    pages::{
        input::{Neighbourhood, ShownEdge},
        pen::{Pen, sentence},
    },
};

/// Edges in the table, and parts of each sort in the list of effects.
const EDGES: usize = 200;
const PARTS: usize = 12;

#[derive(Debug, Serialize)]
pub(super) struct GraphView {
    picture: Picture,
    undrawn: String,
    has_attention: bool,
    has_effects: bool,
    edges: Vec<EdgeRow>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct EdgeRow {
    kind: String,
    source: String,
    relation: String,
    target: String,
    age: String,
    says: String,
    attention: String,
    effect: String,
    tone: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct ReasonsView {
    uses_prices: bool,
    words: Vec<String>,
    steps: Vec<(String, String)>,
    parts: Vec<PartRow>,
}

#[derive(Debug, Serialize)]
struct PartRow {
    sort: &'static str,
    name: String,
    says: String,
    effect: String,
    tone: &'static str,
}

/// Builds picture and table; none without a node.
pub(super) fn graph(shown: &Neighbourhood, pen: &Pen<'_>) -> Option<GraphView> {
    let (picture, undrawn) = neighbourhood::chart(shown, &pen.locale)?;
    Some(GraphView {
        picture,
        undrawn: if undrawn > 0 { pen.locale.counted(undrawn, "node") } else { String::new() },
        has_attention: shown.edges.iter().any(|edge| edge.attention.is_some()),
        has_effects: shown.edges.iter().any(|edge| edge.effect.is_some()),
        edges: shown.edges.iter().take(EDGES).map(|edge| edge_row(edge, shown, pen)).collect(),
        more: shown.edges.len().saturating_sub(EDGES),
    })
}

fn edge_row(edge: &ShownEdge, shown: &Neighbourhood, pen: &Pen<'_>) -> EdgeRow {
    let label = |node: usize| shown.nodes.get(node).map(|node| format::name(&node.label)).unwrap_or_default();
    let dash = || DASH.to_owned();
    let way = &pen.locale;
    EdgeRow {
        kind: shown.nodes.get(edge.source).map(|node| format::name(&node.kind)).unwrap_or_default(),
        source: label(edge.source),
        relation: format::name(&edge.relation).replace('_', " "),
        target: label(edge.target),
        age: edge.age_days.map_or_else(dash, |days| way.number(days, usize::from(days < 10.0))),
        says: sentence(&edge.says),
        attention: edge.attention.map_or_else(dash, |share| way.percent(share, 0)),
        effect: edge.effect.map_or_else(dash, |effect| way.signed(100.0 * effect, 1)),
        tone: edge.effect.map_or("even", tone),
    }
}

fn tone(effect: f64) -> &'static str {
    match effect {
        e if e > 5e-4 => "home",
        e if e < -5e-4 => "away",
        _ => "even",
    }
}

pub(super) fn view(explanation: &Explanation, pen: &Pen<'_>) -> ReasonsView {
    let sort = |sort, effects: &mut dyn Iterator<Item = &Effect>| -> Vec<PartRow> {
        effects.take(PARTS).map(|effect| part(sort, effect, pen)).collect()
    };
    let mut parts = sort("feature", &mut explanation.features.iter());
    parts.extend(sort("all of a kind", &mut explanation.kinds.iter()));
    let neighbours = &mut explanation.neighbours.iter().map(|neighbour| &neighbour.effect);
    parts.extend(sort("neighbour", neighbours));
    ReasonsView {
        uses_prices: explanation.uses_prices,
        words: explanation.words().iter().map(|words| format::shorten(words, 400)).collect(),
        steps: explanation
            .steps
            .iter()
            .map(|step| (format::name(&step.name), pen.locale.percent(step.home, 1)))
            .collect(),
        parts,
    }
}

fn part(sort: &'static str, effect: &Effect, pen: &Pen<'_>) -> PartRow {
    PartRow {
        sort,
        name: sentence(&effect.name),
        says: sentence(&effect.says),
        effect: pen.locale.signed(100.0 * effect.home, 1),
        tone: tone(effect.home),
    }
}
