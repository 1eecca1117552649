//! What the model sees around a game: the game on the left, one column per step, a line per message.
//!
//! Colours and strokes are the stylesheet's, by class, so that the picture follows light and dark.

use std::fmt::Write;

use super::Picture;
use crate::{
    Locale,
    format::shorten,
    pages::input::{Neighbourhood, ShownEdge, ShownNode},
};

/// Nodes shown in one column; the others are in the table.
const TALLEST: usize = 22;
/// Lines that are drawn, the thickest.
const LINES: usize = 150;
/// Steps from the game that have a column.
const COLUMNS: usize = 3;
/// From the middle of one node down to the next.
const ROW: usize = 27;
/// Height of a node.
const HEIGHT: usize = 21;
/// Width of a node.
const WIDTH: usize = 250;
/// Room for the lines between two columns.
const GAP: usize = 88;
/// Letters that surely fit a node, its kind among them.
const LETTERS: usize = 38;
/// Effects below are shown as none.
const FAINT: f64 = 5e-4;

/// Where a node stands: left edge and middle.
type Place = (usize, usize);

/// Draws the neighbourhood, with the number of nodes that found no room; none without a node.
pub(crate) fn chart(shown: &Neighbourhood, locale: &Locale) -> Option<(Picture, usize)> {
    let columns = columns(shown);
    let tallest = columns.iter().map(Vec::len).max().filter(|nodes| *nodes > 0)?;
    let drawn: usize = columns.iter().map(Vec::len).sum();
    let mut places: Vec<Option<Place>> = vec![None; shown.nodes.len()];
    for (column, nodes) in columns.iter().enumerate() {
        let top = (tallest - nodes.len()) * ROW / 2;
        for (row, node) in nodes.iter().enumerate() {
            places[*node] = Some((2 + column * (WIDTH + GAP), top + row * ROW + ROW / 2));
        }
    }
    let alt = format!(
        "What the model sees around {}: {} of {}, and {} along which messages reach it.",
        shown.nodes.first().map(|node| shorten(&node.label, 60)).unwrap_or_default(),
        locale.counted(drawn, "node"),
        locale.counted(shown.nodes.len(), "node"),
        locale.counted(shown.edges.len(), "edge"),
    );
    let width = 4 + COLUMNS * WIDTH + (COLUMNS - 1) * GAP;
    let mut svg = format!(
        r#"<svg class="graph" role="img" aria-label="{}" viewBox="0 0 {width} {height}" width="{width}" height="{height}">"#,
        escaped(&alt),
        height = tallest * ROW,
    );
    // Faint lines first, so that those that matter lie on top.
    let mut edges: Vec<&ShownEdge> = shown.edges.iter().collect();
    edges.sort_by(|a, b| thickness(a).total_cmp(&thickness(b)));
    for edge in edges.split_off(edges.len().saturating_sub(LINES)) {
        let ends = (places.get(edge.target).copied().flatten(), places.get(edge.source).copied().flatten());
        if let (Some(target), Some(source)) = ends {
            line(&mut svg, edge, target, source);
        }
    }
    for (node, place) in shown.nodes.iter().zip(&places) {
        if let Some(place) = place {
            label(&mut svg, node, *place);
        }
    }
    svg.push_str("</svg>");
    Some((Picture { alt, svg }, shown.nodes.len() - drawn))
}

/// Returns the nodes of each column from the top: beside what they tell, so that few lines cross.
fn columns(shown: &Neighbourhood) -> [Vec<usize>; COLUMNS] {
    let mut columns: [Vec<usize>; COLUMNS] = Default::default();
    let mut row_of: Vec<Option<f64>> = vec![None; shown.nodes.len()];
    for (hop, column) in columns.iter_mut().enumerate() {
        let is_here = |node: &usize| shown.nodes[*node].hop == hop;
        let mut nodes: Vec<(f64, usize)> =
            (0..shown.nodes.len()).filter(is_here).map(|node| (middle(shown, node, &row_of), node)).collect();
        nodes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        *column = nodes.into_iter().map(|(_, node)| node).take(TALLEST).collect();
        for (row, node) in column.iter().enumerate() {
            row_of[*node] = Some(row as f64);
        }
    }
    columns
}

/// Returns the mean row of the nodes that a node speaks to; those that speak to nothing placed come last.
fn middle(shown: &Neighbourhood, node: usize, row_of: &[Option<f64>]) -> f64 {
    let of_node = shown.edges.iter().filter(|edge| edge.source == node);
    let rows: Vec<f64> = of_node.filter_map(|edge| row_of.get(edge.target).copied().flatten()).collect();
    if rows.is_empty() { f64::MAX } else { rows.iter().sum::<f64>() / rows.len() as f64 }
}

/// Attention shows as thickness.
fn thickness(edge: &ShownEdge) -> f64 {
    let attention = edge.attention.filter(|share| share.is_finite()).unwrap_or(0.0);
    1.0 + 6.0 * attention.clamp(0.0, 1.0).sqrt()
}

fn line(svg: &mut String, edge: &ShownEdge, target: Place, source: Place) {
    let side = match edge.effect {
        Some(effect) if effect > FAINT => " home",
        Some(effect) if effect < -FAINT => " away",
        _ => "",
    };
    let (from, to) = ((target.0 + WIDTH, target.1), source);
    // Nodes of the same column are joined by a small bow on the right of both.
    let (end, bend) = if to.0 > from.0 {
        (to.0, (from.0 + GAP / 2, to.0 - GAP / 2))
    } else {
        (from.0, (from.0 + 40, from.0 + 40))
    };
    // Writing to a text cannot fail.
    let _ = write!(
        svg,
        r#"<path class="way{side}" d="M{} {}C{} {} {} {} {end} {}" stroke-width="{:.1}"/>"#,
        from.0,
        from.1,
        bend.0,
        from.1,
        bend.1,
        to.1,
        to.1,
        thickness(edge),
    );
}

fn label(svg: &mut String, node: &ShownNode, (left, middle): Place) {
    let letters = LETTERS.saturating_sub(node.kind.chars().count().min(12) + 1);
    let _ = write!(
        svg,
        r#"<rect class="node" x="{left}" y="{}" width="{WIDTH}" height="{HEIGHT}" rx="4"/><text x="{}" y="{}"><tspan class="kind">{}</tspan> {}</text>"#,
        middle - HEIGHT / 2,
        left + 8,
        middle + 4,
        escaped(&shorten(&node.kind, 12)),
        escaped(&shorten(&node.label, letters)),
    );
}

fn escaped(text: &str) -> String {
    let mut bytes = Vec::new();
    // Writing to memory cannot fail.
    let _ = tera::escape_html(text, &mut bytes);
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(kind: &str, label: &str, hop: usize) -> ShownNode {
        ShownNode { kind: kind.to_owned(), label: label.to_owned(), hop }
    }

    fn edge(source: usize, target: usize, effect: f64) -> ShownEdge {
        ShownEdge {
            relation: "r".to_owned(),
            source,
            target,
            age_days: None,
            says: String::new(),
            attention: Some(0.25),
            effect: Some(effect),
        }
    }

    #[test]
    fn neighbours_stand_beside_what_they_tell() {
        let nodes = vec![
            node("game", "A v B", 0),
            node("team", "A", 1),
            node("team", "B", 1),
            node("outcome", "of B", 2),
            node("outcome", "of A", 2),
        ];
        let edges = vec![edge(1, 0, 0.01), edge(2, 0, -0.01), edge(3, 2, 0.0), edge(4, 1, f64::NAN)];
        let shown = Neighbourhood { nodes, edges };
        assert_eq!(columns(&shown), [vec![0], vec![1, 2], vec![4, 3]]);
        let (picture, left_out) = chart(&shown, &Locale::default()).unwrap();
        assert_eq!(left_out, 0);
        for class in ["way home", "way away", "way\""] {
            assert!(picture.svg.contains(class), "{class} {}", picture.svg);
        }
    }

    #[test]
    fn strange_facts_neither_panic_nor_break_out() {
        let mut nodes = vec![node("<b>", "\"><script>", 0)];
        nodes.extend((0..50).map(|i| node("team", &i.to_string(), 1)));
        nodes.push(node("far", "away", 9));
        let shown = Neighbourhood { nodes, edges: vec![edge(1, 99, 0.1), edge(77, 0, 0.1), edge(1, 1, 0.1)] };
        let (picture, left_out) = chart(&shown, &Locale::default()).unwrap();
        assert_eq!(left_out, 52 - 1 - TALLEST);
        assert!(!picture.svg.contains("<script") && !picture.svg.contains("<b>"));
        assert_eq!(chart(&Neighbourhood { nodes: vec![], edges: vec![] }, &Locale::default()), None);
    }
}
