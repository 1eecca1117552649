//! What a person is shown.

use graph::{Graph, NodeKind};

use crate::worlds::{World, instant};

/// Returns the game with the largest neighbourhood.
fn largest() -> graph::Neighbourhood {
    let graph = Graph::build(&World::random(21, 150).snapshot(instant(2000)));
    let all = (0..graph.games().len()).map(|game| graph.neighbourhood(game, graph.games()[game].start_time));
    all.max_by_key(|shown| shown.nodes.len()).unwrap()
}

#[test]
fn a_neighbourhood_fits_into_one_picture() {
    let shown = largest();
    assert!((30..=60).contains(&shown.nodes.len()), "{} nodes", shown.nodes.len());
    assert_eq!(shown.nodes[0].kind, NodeKind::Game);
    assert!(shown.rows.iter().all(|row| row.age_days >= 0.0 && row.source < shown.nodes.len()));
    assert!(shown.rows.iter().all(|row| row.instant.is_none_or(|instant| instant < shown.as_of)));
    let json = serde_json::to_value(&shown).unwrap();
    assert_eq!(json["nodes"][0]["kind"], "game");
}

#[test]
fn labels_do_not_overlap() {
    let svg = largest().to_svg();
    let number = |part: &str, name: &str| -> f64 {
        part.split_once(&format!(" {name}=\"")).unwrap().1.split('"').next().unwrap().parse().unwrap()
    };
    let labels = svg.lines().filter(|line| line.starts_with("<g>"));
    let boxes: Vec<[f64; 4]> =
        labels.map(|label| ["x", "y", "width", "height"].map(|name| number(label, name))).collect();
    assert!(boxes.len() >= 30);
    for (i, a) in boxes.iter().enumerate() {
        for b in &boxes[i + 1..] {
            let apart =
                a[0] + a[2] <= b[0] || b[0] + b[2] <= a[0] || a[1] + a[3] <= b[1] || b[1] + b[3] <= a[1];
            assert!(apart, "{a:?} {b:?}");
        }
    }
}

#[test]
fn hostile_names_stay_text() {
    let mut shown = largest();
    shown.nodes[1].name = "<script>\"&".to_owned();
    let (svg, dot) = (shown.to_svg(), shown.to_dot());
    assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;&quot;&amp;"));
    assert!(dot.contains("<script>\\\"&"));
}
