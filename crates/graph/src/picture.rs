//! A calm drawing of a neighbourhood: columns by hop, rounded labels tinted by kind, thin curves, a legend.

use std::fmt::Write;

use crate::{NodeKind, neighbourhood::Neighbourhood};

const LABEL_HEIGHT: usize = 22;
const ROW: usize = 28;
const LABEL_WIDTH: usize = 310;
const GAP: usize = 110;
const MARGIN: usize = 28;
const TOP: usize = 84;
/// Letters that surely fit into a label at 12 px.
const LETTERS: usize = 46;

/// Fill and border of a kind.
fn colours(kind: NodeKind) -> (&'static str, &'static str) {
    match kind {
        NodeKind::Game => ("#e8eaf0", "#3b4252"),
        NodeKind::Outcome => ("#f4f1ea", "#a08c5b"),
        NodeKind::Team => ("#e3eef9", "#3f7cb8"),
        NodeKind::Venue => ("#e6f3ea", "#4b9460"),
        NodeKind::Coach => ("#f0e8f6", "#845ca8"),
        NodeKind::Player => ("#fbe9ea", "#bf5660"),
        NodeKind::Referee => ("#ececec", "#6f6f6f"),
        NodeKind::Line => ("#fdf0df", "#c8822b"),
        NodeKind::Book => ("#e2f2f1", "#35918b"),
    }
}

/// Left edge and vertical middle of each node.
struct Layout {
    places: Vec<(usize, usize)>,
    width: usize,
    height: usize,
}

fn lay_out(shown: &Neighbourhood) -> Layout {
    let columns = shown.nodes.iter().map(|node| node.hop + 1).max().unwrap_or(1);
    let count = |hop: usize| shown.nodes.iter().filter(|node| node.hop == hop).count();
    let tallest = (0..columns).map(count).max().unwrap_or(0).max(1);
    let mut next: Vec<usize> =
        (0..columns).map(|hop| TOP + (tallest - count(hop).min(tallest)) * ROW / 2).collect();
    let place = |hop: usize, next: &mut Vec<usize>| {
        let middle = next[hop] + ROW / 2;
        next[hop] += ROW;
        (MARGIN + hop * (LABEL_WIDTH + GAP), middle)
    };
    let places = shown.nodes.iter().map(|node| place(node.hop, &mut next)).collect();
    let width = 2 * MARGIN + columns * LABEL_WIDTH + (columns - 1) * GAP;
    Layout { places, width: width.max(960), height: TOP + tallest * ROW + 64 }
}

/// Draws the SVG; the same neighbourhood gives the same text.
pub(crate) fn draw(shown: &Neighbourhood) -> String {
    let layout = lay_out(shown);
    let (width, height) = (layout.width, layout.height);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\" fill=\"#2e3440\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"{MARGIN}\" y=\"38\" font-size=\"18\" font-weight=\"600\">{}</text>\n\
         <text x=\"{MARGIN}\" y=\"60\" fill=\"#6b7280\">as of {}: only what was known before; messages flow from right to left</text>\n",
        escape(&shown.title),
        shown.as_of,
    );
    for row in &shown.rows {
        edge(&mut svg, layout.places[row.target], layout.places[row.source], row.relation.as_str());
    }
    for (node, place) in shown.nodes.iter().zip(&layout.places) {
        label(&mut svg, *place, node.kind, &node.name);
    }
    legend(&mut svg, shown, height - 30);
    svg.push_str("</svg>\n");
    svg
}

fn edge(svg: &mut String, target: (usize, usize), source: (usize, usize), relation: &str) {
    let (x1, y1, x2, y2) = (target.0 + LABEL_WIDTH, target.1, source.0, source.1);
    // Nodes of the same column are joined by a small bow on the right of both.
    let (x2, bend1, bend2) = if x2 > x1 { (x2, x1 + GAP / 2, x2 - GAP / 2) } else { (x1, x1 + 40, x1 + 40) };
    let _ = writeln!(
        svg,
        "<path d=\"M{x1} {y1} C{bend1} {y1} {bend2} {y2} {x2} {y2}\" fill=\"none\" stroke=\"#c3c9d4\"><title>{relation}</title></path>"
    );
}

fn label(svg: &mut String, (x, middle): (usize, usize), kind: NodeKind, name: &str) {
    let (fill, border) = colours(kind);
    let _ = writeln!(
        svg,
        "<g><title>{kind}: {full}</title><rect x=\"{x}\" y=\"{y}\" width=\"{LABEL_WIDTH}\" height=\"{LABEL_HEIGHT}\" rx=\"6\" \
         fill=\"{fill}\" stroke=\"{border}\"/><text x=\"{text_x}\" y=\"{text_y}\">{short}</text></g>",
        kind = kind.as_str(),
        full = escape(name),
        y = middle - LABEL_HEIGHT / 2,
        text_x = x + 10,
        text_y = middle + 4,
        short = escape(&shorten(name)),
    );
}

fn legend(svg: &mut String, shown: &Neighbourhood, y: usize) {
    let present = NodeKind::ALL.into_iter().filter(|kind| shown.nodes.iter().any(|node| node.kind == *kind));
    for (place, kind) in present.enumerate() {
        let (fill, border) = colours(kind);
        let x = MARGIN + place * 96;
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{}\" width=\"14\" height=\"14\" rx=\"3\" fill=\"{fill}\" stroke=\"{border}\"/>\
             <text x=\"{}\" y=\"{}\">{}</text>",
            y,
            x + 20,
            y + 11,
            kind.as_str()
        );
    }
}

fn shorten(name: &str) -> String {
    if name.chars().count() <= LETTERS {
        return name.to_owned();
    }
    name.chars().take(LETTERS - 1).chain(['…']).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
